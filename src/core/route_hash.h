/* Hashes of path segments, read 8 bytes at a time and never past their end. What is hashed beside
 * is compared too, so a collision costs time only. */
#ifndef TG_CORE_ROUTE_HASH_H
#define TG_CORE_ROUTE_HASH_H

#include "base/str.h"

#include <endian.h>

#define ROUTE_ONES UINT64_C(0x0101010101010101)

/* The top bit of each byte of `w` that is `byte`; those above the lowest one may be wrong. */
static inline uint64_t route_find_byte(uint64_t w, unsigned char byte)
{
    uint64_t x = w ^ ROUTE_ONES * byte;
    return (x - ROUTE_ONES) & ~x & (ROUTE_ONES << 7);
}

/* What stands for a hash in the table, from the bits that do not choose the group; never 0. */
static inline unsigned char route_tag(uint64_t hash)
{
    unsigned char tag = (unsigned char)(hash >> 56);
    return tag ? tag : 1;
}

static inline uint64_t route_load64(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return le64toh(w);
}

static inline uint64_t route_load32(const char *p)
{
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return le32toh(w);
}

/* The n < 8 bytes at p, the rest 0; from overlapping loads instead of byte by byte. */
static inline uint64_t route_load_tail(const char *p, size_t n)
{
    if (n >= 4)
        return route_load32(p) | route_load32(p + n - 4) << (8 * (n - 4));
    if (n == 0)
        return 0;
    const unsigned char *u = (const unsigned char *)p;
    return u[0] | (uint64_t)u[n / 2] << (8 * (n / 2)) | (uint64_t)u[n - 1] << (8 * (n - 1));
}

static inline uint64_t route_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* Reads a segment, up to the next '/' or the end, 8 bytes at a time. Returns where it stops; *hash
 * goes from that of the node above to that of the child. */
static inline const char *route_segment_read(const char *p, const char *end, uint64_t *hash)
{
    uint64_t h = route_mix(*hash, 1);
    for (;; p += 8) {
        size_t n = (size_t)(end - p);
        uint64_t w = n >= 8 ? route_load64(p) : route_load_tail(p, n);
        uint64_t slash = route_find_byte(w, '/');
        if (slash || n < 8) {
            unsigned bits = slash ? (unsigned)__builtin_ctzll(slash) & ~7u : 8 * (unsigned)n;
            *hash = route_mix(h, w & ((UINT64_C(1) << bits) - 1));
            return p + bits / 8;
        }
        h = route_mix(h, w);
    }
}

/* Are the n bytes the same? */
static inline bool route_bytes_equal(const char *a, const char *b, size_t n)
{
    if (n < 8)
        return route_load_tail(a, n) == route_load_tail(b, n);
    for (size_t i = 0; i + 8 < n; i += 8)
        if (route_load64(a + i) != route_load64(b + i))
            return false;
    return route_load64(a + n - 8) == route_load64(b + n - 8);
}

/* Hash of a child with that name. */
static inline uint64_t route_hash(uint64_t above, struct str segment)
{
    route_segment_read(segment.p, segment.p + segment.n, &above);
    return above;
}

#endif
