/* Where tokens, targets and field values end. Input is classified a window at a time into bitmaps
 * of the bytes that may not stand there, with the widest instructions the CPU has; the parser
 * walks the bits. All kernels give the same bits. Never reads outside the input. */
#ifndef TG_HTTP_SCAN_H
#define TG_HTTP_SCAN_H

#include <stddef.h>
#include <stdint.h>

enum scan_class {
    SCAN_TOKEN,  /* tchar, RFC 9110 §5.6.2 */
    SCAN_TARGET, /* visible ASCII but '#' */
    SCAN_VALUE,  /* HTAB, SP, VCHAR, obs-text, RFC 9110 §5.5 */
    SCAN_CLASSES
};

enum { SCAN_BLOCK = 64, SCAN_BLOCKS = 16, SCAN_WINDOW = SCAN_BLOCK * SCAN_BLOCKS };

/* Bit i of stop[c][b] is set if byte b * 64 + i is not of class c. */
typedef void scan_kernel(const char *p, size_t blocks, uint64_t stop[SCAN_CLASSES][SCAN_BLOCKS],
                         size_t at_block);

struct scan {
    scan_kernel *kernel;
    const char *window, *end;
    uint64_t stop[SCAN_CLASSES][SCAN_BLOCKS]; /* of the bytes from `window` on; set past `end` */
};

/* The kernels that this CPU can run, best first; NULL beyond the last, which is the scalar one. */
scan_kernel *scan_kernel_at(unsigned i);
static inline scan_kernel *scan_kernel_best(void)
{
    return scan_kernel_at(0);
}

/* One byte's class without a scan. */
int scan_is(enum scan_class c, char byte);

void scan_init(struct scan *s, scan_kernel *kernel, const char *from, const char *end);
/* The window begins at `at` from now on. */
void scan_move(struct scan *s, const char *at);

/* First byte from `p` on that is not of class `c`, or the end. `p` never goes back by a window. */
static inline const char *scan_to(struct scan *s, enum scan_class c, const char *p)
{
    for (;;) {
        size_t i = (size_t)(p - s->window);
        if (__builtin_expect(i >= SCAN_WINDOW, 0)) {
            scan_move(s, p);
            i = 0;
        }
        uint64_t stops = s->stop[c][i / SCAN_BLOCK] >> (i % SCAN_BLOCK);
        if (stops)
            return p + __builtin_ctzll(stops);
        p += SCAN_BLOCK - i % SCAN_BLOCK;
    }
}

#endif
