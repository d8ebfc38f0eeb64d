/* Programmer errors end the process with a text that says where: always on, also in release builds.
 * Expected failures are never reported this way. */
#ifndef TG_BASE_CHECK_H
#define TG_BASE_CHECK_H

/* Writes "FILE:LINE: what" as the panic text and aborts. */
_Noreturn void check_failed(const char *file, int line, const char *what);

#define ensure(cond)                                                                               \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            check_failed(__FILE__, __LINE__, #cond);                                               \
    } while (0)

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define must_use    __attribute__((warn_unused_result))

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define array_size(a)                   (sizeof(a) / sizeof((a)[0]))

#endif
