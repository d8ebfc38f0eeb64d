/* The last words of a process that found itself wrong. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void check_failed(const char *file, int line, const char *what)
{
    char text[512];
    int n = snprintf(text, sizeof text, "%s:%d: ensure(%s) failed\n", file, line, what);
    ssize_t put = write(STDERR_FILENO, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
    (void)put;
    abort();
}
