/* process_* from getrusage(2), getrlimit(2) and /proc/self, see metrics_process.h. */
#include "control/metrics_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Fields of /proc/self/stat as proc(5) numbers them. */
enum { STAT_FIRST = 3, STAT_THREADS = 20, STAT_START = 22, STAT_VSIZE = 23, STAT_RSS = 24 };

struct proc_stat {
    double threads, start_seconds, virtual_bytes, resident_bytes;
};

/* The file's text, cut to the buffer; false: it cannot be read. */
static bool read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* When the machine started, seconds since 1970; 0: not known. */
static double boot_time(void)
{
    char text[64];
    struct timespec now;

    if (!read_text("/proc/uptime", text, sizeof text))
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9 - strtod(text, NULL);
}

static bool read_stat(struct proc_stat *s)
{
    char text[1024], *at;

    /* The name, in parentheses, may hold anything: the fields begin behind the last one. */
    if (!read_text("/proc/self/stat", text, sizeof text) || !(at = strrchr(text, ')')))
        return false;
    at++;
    for (int field = STAT_FIRST; *at; field++) {
        at += strspn(at, " ");
        double value = strtod(at, NULL);
        if (field == STAT_THREADS)
            s->threads = value;
        else if (field == STAT_START)
            s->start_seconds = boot_time() + value / (double)sysconf(_SC_CLK_TCK);
        else if (field == STAT_VSIZE)
            s->virtual_bytes = value;
        else if (field == STAT_RSS)
            s->resident_bytes = value * (double)sysconf(_SC_PAGESIZE);
        at += strcspn(at, " ");
    }
    return true;
}

/* -1: not known. Newer kernels tell the number as the folder's size, others have to be counted. */
static long open_descriptors(void)
{
    struct stat st;
    long n = 0;

    if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
        return (long)st.st_size;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return -1;
    for (const struct dirent *e; (e = readdir(folder));)
        n += e->d_name[0] != '.';
    closedir(folder);
    return n - 1; /* the one that reads the folder */
}

/* A counter's family is named with _total in the older format, without in OpenMetrics. */
static void add_cpu(struct buf *out, bool openmetrics)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    buf_printf(out,
               "# HELP process_cpu_seconds%s User and system time.\n"
               "# TYPE process_cpu_seconds%s counter\nprocess_cpu_seconds_total %.6f\n",
               openmetrics ? "" : "_total", openmetrics ? "" : "_total",
               (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                   (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
}

static void add_gauge(struct buf *out, const char *name, const char *help, double value)
{
    buf_printf(out, "# HELP process_%s %s\n# TYPE process_%s gauge\nprocess_%s %.15g\n", name, help,
               name, name, value);
}

void metrics_process_write(struct buf *out, bool openmetrics)
{
    struct proc_stat s = {0};
    struct rlimit limit;
    long fds = open_descriptors();

    add_cpu(out, openmetrics);
    if (fds >= 0)
        add_gauge(out, "open_fds", "Open descriptors.", (double)fds);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        add_gauge(out, "max_fds", "Most descriptors that may be open.", (double)limit.rlim_cur);
    if (!read_stat(&s))
        return;
    add_gauge(out, "threads", "Threads.", s.threads);
    add_gauge(out, "start_time_seconds", "When the process started.", s.start_seconds);
    add_gauge(out, "virtual_memory_bytes", "Virtual memory.", s.virtual_bytes);
    add_gauge(out, "resident_memory_bytes", "Resident memory.", s.resident_bytes);
}
