/* Panic text and fatal signals, see panic.h. Everything from the handler on down is
 * async-signal-safe: backtrace() is once it has been called, which panic_init() does. */
#include "config.h"

#include "base/panic.h"

#include "base/check.h"
#include "base/xmem.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define FRAMES_MAX     40
#define STACK_BYTES    65536
#define THREAD_NAME    16
#define POINTER_DIGITS (2 * (int)sizeof(uintptr_t))

static int panic_fd = STDERR_FILENO;

void panic_write(const char *text, size_t length)
{
    ssize_t put = write(panic_fd, text, length);
    (void)put;
}

static void write_text(const char *text)
{
    panic_write(text, strlen(text));
}

static void write_pointer(const void *pointer)
{
    char digits[2 + POINTER_DIGITS] = "0x";
    uintptr_t rest = (uintptr_t)pointer;

    for (int i = 1 + POINTER_DIGITS; i >= 2; i--) {
        digits[i] = "0123456789abcdef"[rest & 15];
        rest >>= 4;
    }
    panic_write(digits, sizeof(digits));
}

static void on_fatal_signal(int number, siginfo_t *info, void *context)
{
    const char *name = sigabbrev_np(number);
    char thread[THREAD_NAME] = "";
    void *frames[FRAMES_MAX];

    (void)context;
    prctl(PR_GET_NAME, thread);
    write_text("SIG");
    write_text(name != NULL ? name : "?");
    if (info->si_code > 0) {
        write_text(" at address ");
        write_pointer(info->si_addr);
    } else if (info->si_pid != getpid()) {
        write_text(" from outside");
    }
    write_text(" in thread ");
    write_text(thread);
    write_text("\n");
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), panic_fd);
    raise(number); /* the default action: SA_RESETHAND */
}

static void handle(int number)
{
    struct sigaction action = {.sa_sigaction = on_fatal_signal,
                               .sa_flags =
                                   (int)(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER)};
    ensure(sigaction(number, &action, NULL) == 0);
}

void panic_init(int fd)
{
#ifdef TG_SANITIZED
    static const int signals[] = {SIGABRT};
#else
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS};
    stack_t stack = {.ss_sp = xmalloc(STACK_BYTES), .ss_size = STACK_BYTES};
    ensure(sigaltstack(&stack, NULL) == 0); /* a stack that overflowed cannot run the handler */
#endif
    void *frame;

    if (fd >= 0) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
        panic_fd = fd;
    }
    backtrace(&frame, 1);
    for (size_t i = 0; i < array_size(signals); i++)
        handle(signals[i]);
}
