/* Last words: what a dying process leaves in the pipe, and of which signal it dies. */
#include "base/check.h"
#include "base/panic.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char text[65536];

/* Lets a process of its own run the action with its panic text going to a pipe; its wait status. */
static int die_of(void (*action)(void))
{
    int pipe_ends[2], status;
    size_t length = 0;
    ssize_t got;

    cr_assert_eq(pipe(pipe_ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        panic_init(pipe_ends[1]);
        action();
        _exit(0);
    }
    close(pipe_ends[1]);
    while ((got = read(pipe_ends[0], text + length, sizeof(text) - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    close(pipe_ends[0]);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return status;
}

static void fail_an_ensure(void)
{
    ensure(strlen(text) == 77);
}

static void get_a_signal(void)
{
    raise(SIGABRT);
}

Test(panic, a_failed_ensure_says_where_and_what)
{
    int status = die_of(fail_an_ensure);
    cr_assert(WIFSIGNALED(status));
    cr_assert_eq(WTERMSIG(status), SIGABRT);
    cr_assert_not_null(strstr(text, "test_panic.c:"));
    cr_assert_not_null(strstr(text, "ensure(strlen(text) == 77) failed\n"));
}

Test(panic, a_fatal_signal_leaves_its_name_the_thread_and_a_backtrace)
{
    int status = die_of(get_a_signal);
    cr_assert(WIFSIGNALED(status));
    cr_assert_eq(WTERMSIG(status), SIGABRT);
    cr_assert_not_null(strstr(text, "SIGABRT"));
    cr_assert_not_null(strstr(text, " in thread "));
    cr_assert_not_null(strstr(text, "[0x"));
}
