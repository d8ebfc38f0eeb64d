/* The last words of a process: when it dies by a fatal signal (a failed ensure() is one: SIGABRT)
 * it writes what happened and where with write(2) into a pipe that the supervisor drains and logs,
 * then dies of that very signal. */
#ifndef TG_BASE_PANIC_H
#define TG_BASE_PANIC_H

#include <stddef.h>

/* Sends panic texts to fd (made non-blocking, kept until the end of the process; -1: stderr) and
 * installs the handlers. Sanitizer builds keep the sanitizer's own handlers but for SIGABRT. */
void panic_init(int fd);

/* Writes one piece of the panic text; async-signal-safe. To stderr before panic_init(). */
void panic_write(const char *text, size_t length);

#endif
