/* The last words of a process that found itself wrong. */
#include "base/check.h"

#include "base/panic.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *file, int line, const char *what)
{
    char text[512];
    int n = snprintf(text, sizeof text, "%s:%d: ensure(%s) failed\n", file, line, what);
    panic_write(text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
    abort();
}
