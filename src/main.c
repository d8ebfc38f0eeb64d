/* The program's door: reads the options and takes the role they name. The supervisor is the role of
 * who typed the command; it starts this same program again in the role of the gateway process. */
#include "config.h"

#include "conf/conf.h"
#include "control/start.h"
#include "supervisor/supervisor.h"

#define PCRE2_CODE_UNIT_WIDTH 8

#include <ares.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <pcre2.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <yaml.h>

enum { EXIT_USAGE = 2 };

struct options {
    const char *conf_path;
    bool check, version, help, gateway;
    struct start_options start; /* of a gateway process */
};

/* Options without a short form; the last two are the supervisor's. */
enum { OPTION_HELP = 256, OPTION_ROLE, OPTION_LINK };

static int print_version(void)
{
    char pcre2[64] = "";

    pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
    printf("tollgate %s\n"
           "built with: %s\n"
           "runs on: libevent %s, %s, nghttp2 %s, jansson %s, PCRE2 %s, libyaml %s, c-ares %s\n",
           PACKAGE_VERSION, TG_BUILD_OPTIONS, event_get_version(), OpenSSL_version(OPENSSL_VERSION),
           nghttp2_version(0)->version_str, jansson_version_str(), pcre2, yaml_get_version_string(),
           ares_version(NULL));
    return 0;
}

static int print_usage(FILE *out)
{
    fputs("usage: tollgate -c FILE      run the gateway in the foreground until SIGTERM\n"
          "       tollgate -t -c FILE   check the configuration and exit\n"
          "       tollgate -V           print version, build options and library versions\n"
          "       tollgate --help       print this\n"
          "signals: HUP reload, TERM and INT drain and stop (twice: at once), USR1 reopen log "
          "files\n",
          out);
    return out == stdout ? 0 : EXIT_USAGE;
}

/* What the supervisor tells its gateway process: channel, panic pipe, restarts so far. */
static bool read_link(const char *text, struct start_options *start)
{
    int end = 0;

    return sscanf(text, "%d,%d,%" SCNu32 "%n", &start->channel_fd, &start->panic_fd,
                  &start->restarts, &end) == 3 &&
           text[end] == '\0' && fcntl(start->channel_fd, F_GETFD) >= 0 &&
           fcntl(start->panic_fd, F_GETFD) >= 0;
}

static bool read_option(int option, struct options *options)
{
    switch (option) {
    case 'c': options->conf_path = optarg; return true;
    case 't': options->check = true; return true;
    case 'V': options->version = true; return true;
    case OPTION_HELP: options->help = true; return true;
    case OPTION_ROLE: options->gateway = true; return strcmp(optarg, "gateway") == 0;
    case OPTION_LINK: return read_link(optarg, &options->start);
    default: return false;
    }
}

static bool read_options(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"help", no_argument, NULL, OPTION_HELP},
        {"role", required_argument, NULL, OPTION_ROLE},
        {"link", required_argument, NULL, OPTION_LINK},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "c:tV", names, NULL)) != -1) {
        if (!read_option(option, options))
            return false;
    }
    return optind == argc;
}

/* Descriptors 0 to 2 must be somebody's, or the first socket or log file would become stderr. */
static void fill_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
}

int main(int argc, char **argv)
{
    struct options options = {.start = {.channel_fd = -1, .panic_fd = -1}};

    fill_standard_descriptors();
    prctl(PR_SET_NAME, "tollgate"); /* started by descriptor, it would be called by its number */
    if (!read_options(argc, argv, &options))
        return print_usage(stderr);
    if (options.help)
        return print_usage(stdout);
    if (options.version)
        return print_version();
    if (options.conf_path == NULL || options.gateway != (options.start.channel_fd >= 0))
        return print_usage(stderr);
    if (options.check)
        return conf_check_main(options.conf_path);
    if (!options.gateway)
        return supervisor_run(options.conf_path);
    options.start.conf_path = options.conf_path;
    return start_gateway(&options.start);
}
