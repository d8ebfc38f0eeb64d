/* See scan.h. */
#include "http/scan.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    CLASS_STEP = 8, /* bits from one class to the next in `classes`, so that 8 bytes fit together */
    T = 1 << SCAN_TOKEN * CLASS_STEP,
    G = 1 << SCAN_TARGET * CLASS_STEP,
    V = 1 << SCAN_VALUE * CLASS_STEP,
    TGV = T | G | V,
    GV = G | V,
};

/* The classes of each byte. */
static const uint32_t classes[256] = {
    ['\t'] = V,          [' '] = V,           ['!'] = TGV,
    ['"'] = GV,          ['#'] = T | V,       ['$' ... '\''] = TGV,
    ['(' ... ')'] = GV,  ['*' ... '+'] = TGV, [','] = GV,
    ['-' ... '.'] = TGV, ['/'] = GV,          ['0' ... '9'] = TGV,
    [':' ... '@'] = GV,  ['A' ... 'Z'] = TGV, ['[' ... ']'] = GV,
    ['^' ... 'z'] = TGV, ['{'] = GV,          ['|'] = TGV,
    ['}'] = GV,          ['~'] = TGV,         [0x80 ... 0xff] = V,
};

int scan_is(enum scan_class c, char byte)
{
    return classes[(unsigned char)byte] >> c * CLASS_STEP & 1;
}

static void kernel_scalar(const char *p, size_t blocks, uint64_t stop[SCAN_CLASSES][SCAN_BLOCKS],
                          size_t at_block)
{
    for (size_t b = at_block; b < at_block + blocks; b++) {
        uint64_t token = 0, target = 0, value = 0;
        for (unsigned i = 0; i < SCAN_BLOCK; i += 8) {
            uint32_t of8 = 0;
            for (unsigned k = 0; k < 8; k++)
                of8 |= classes[(unsigned char)*p++] << k;
            token |= (uint64_t)(of8 >> SCAN_TOKEN * CLASS_STEP & 0xff) << i;
            target |= (uint64_t)(of8 >> SCAN_TARGET * CLASS_STEP & 0xff) << i;
            value |= (uint64_t)(of8 >> SCAN_VALUE * CLASS_STEP & 0xff) << i;
        }
        stop[SCAN_TOKEN][b] = ~token;
        stop[SCAN_TARGET][b] = ~target;
        stop[SCAN_VALUE][b] = ~value;
    }
}

#if defined(__x86_64__)

/* Tokens by their two hexadecimal digits: bit h of low_digit[l] says that byte hl is a tchar. */
#define LOW_DIGIT                                                                                  \
    0xe8, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xf8, 0xf8, 0xf4, 0x54, 0xd0, 0x54, 0xf4, 0x70
#define HIGH_DIGIT 1, 2, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0

struct stops {
    uint32_t token, target, value;
};

__attribute__((target("avx2"))) static inline struct stops classify32(const char *p)
{
    const __m256i low_digit = _mm256_setr_epi8(LOW_DIGIT, LOW_DIGIT);
    const __m256i high_digit = _mm256_setr_epi8(HIGH_DIGIT, HIGH_DIGIT);
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i high = _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15));
    __m256i token =
        _mm256_and_si256(_mm256_shuffle_epi8(low_digit, v), _mm256_shuffle_epi8(high_digit, high));
    __m256i del = _mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7f));
    __m256i hash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('#'));
    __m256i visible = _mm256_cmpgt_epi8(v, _mm256_set1_epi8(' ')); /* signed: not for >= 0x80 */
    __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
    __m256i tab = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\t'));
    __m256i target = _mm256_andnot_si256(_mm256_or_si256(del, hash), visible);
    __m256i value = _mm256_or_si256(_mm256_andnot_si256(tab, low), del);
    return (struct stops){
        (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(token, _mm256_setzero_si256())),
        ~(uint32_t)_mm256_movemask_epi8(target),
        (uint32_t)_mm256_movemask_epi8(value),
    };
}

__attribute__((target("avx2"))) static void kernel_avx2(const char *p, size_t blocks,
                                                        uint64_t stop[SCAN_CLASSES][SCAN_BLOCKS],
                                                        size_t at_block)
{
    for (size_t b = at_block; b < at_block + blocks; b++, p += SCAN_BLOCK) {
        struct stops x = classify32(p), y = classify32(p + 32);
        stop[SCAN_TOKEN][b] = (uint64_t)y.token << 32 | x.token;
        stop[SCAN_TARGET][b] = (uint64_t)y.target << 32 | x.target;
        stop[SCAN_VALUE][b] = (uint64_t)y.value << 32 | x.value;
    }
}

__attribute__((target("sse4.2"))) static inline struct stops classify16(const char *p)
{
    const __m128i low_digit = _mm_setr_epi8(LOW_DIGIT), high_digit = _mm_setr_epi8(HIGH_DIGIT);
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i high = _mm_and_si128(_mm_srli_epi16(v, 4), _mm_set1_epi8(15));
    __m128i token =
        _mm_and_si128(_mm_shuffle_epi8(low_digit, v), _mm_shuffle_epi8(high_digit, high));
    __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
    __m128i hash = _mm_cmpeq_epi8(v, _mm_set1_epi8('#'));
    __m128i visible = _mm_cmpgt_epi8(v, _mm_set1_epi8(' '));
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    __m128i tab = _mm_cmpeq_epi8(v, _mm_set1_epi8('\t'));
    __m128i target = _mm_andnot_si128(_mm_or_si128(del, hash), visible);
    __m128i value = _mm_or_si128(_mm_andnot_si128(tab, low), del);
    return (struct stops){
        (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(token, _mm_setzero_si128())),
        ~(uint32_t)_mm_movemask_epi8(target) & 0xffff,
        (uint32_t)_mm_movemask_epi8(value),
    };
}

__attribute__((target("sse4.2"))) static void kernel_sse42(const char *p, size_t blocks,
                                                           uint64_t stop[SCAN_CLASSES][SCAN_BLOCKS],
                                                           size_t at_block)
{
    for (size_t b = at_block; b < at_block + blocks; b++) {
        uint64_t token = 0, target = 0, value = 0;
        for (unsigned i = 0; i < SCAN_BLOCK; i += 16, p += 16) {
            struct stops x = classify16(p);
            token |= (uint64_t)x.token << i;
            target |= (uint64_t)x.target << i;
            value |= (uint64_t)x.value << i;
        }
        stop[SCAN_TOKEN][b] = token;
        stop[SCAN_TARGET][b] = target;
        stop[SCAN_VALUE][b] = value;
    }
}

scan_kernel *scan_kernel_at(unsigned i)
{
    if (__builtin_cpu_supports("avx2") && i-- == 0)
        return kernel_avx2;
    if (__builtin_cpu_supports("sse4.2") && i-- == 0)
        return kernel_sse42;
    return i == 0 ? kernel_scalar : NULL;
}

#else

scan_kernel *scan_kernel_at(unsigned i)
{
    return i == 0 ? kernel_scalar : NULL;
}

#endif

/* The block that the input ends in: `rest` bytes of it are there. */
static void scan_last_block(struct scan *s, const char *block, size_t rest, size_t at_block)
{
    char bytes[SCAN_BLOCK] = {0}; /* NUL is in no class: a stop at the end */
    if (rest)
        memcpy(bytes, block, rest);
    s->kernel(bytes, 1, s->stop, at_block);
}

void scan_move(struct scan *s, const char *at)
{
    size_t n = (size_t)(s->end - at), full = n / SCAN_BLOCK;
    s->window = at;
    s->kernel(at, full < SCAN_BLOCKS ? full : SCAN_BLOCKS, s->stop, 0);
    if (full < SCAN_BLOCKS)
        scan_last_block(s, at + full * SCAN_BLOCK, n % SCAN_BLOCK, full);
}

void scan_init(struct scan *s, scan_kernel *kernel, const char *from, const char *end)
{
    s->kernel = kernel;
    s->end = end;
    scan_move(s, from);
}
