/* See headers.h. Ids are found by a perfect hash: one slot, one comparison. */
#include "http/headers.h"

#include "base/check.h"

enum { SLOTS = 128 };

/* Each known name alone in its slot: two in one do not compile, one in a wrong slot is found by the
 * unit test, which says the right one. `n` is at least 1. */
static inline unsigned name_slot(const char *name, size_t n)
{
    unsigned first = (unsigned char)name[0] | 0x20u, last = (unsigned char)name[n - 1] | 0x20u;
    unsigned before = (unsigned char)name[n >= 2 ? n - 2 : 0] | 0x20u;
    return (46 * (unsigned)n + 7 * first + 45 * last + 32 * before) % SLOTS;
}

static const uint8_t slots[SLOTS] = {
    [1] = FIELD_CONTENT_LENGTH,
    [10] = FIELD_REFERER,
    [13] = FIELD_PROXY_AUTHENTICATE,
    [16] = FIELD_X_AUTH_SUBJECT,
    [18] = FIELD_X_AUTH_METHOD,
    [19] = FIELD_ORIGIN,
    [21] = FIELD_TRANSFER_ENCODING,
    [24] = FIELD_TRAILER,
    [26] = FIELD_LOCATION,
    [27] = FIELD_EXPECT,
    [28] = FIELD_FORWARDED,
    [30] = FIELD_CONTENT_TYPE,
    [31] = FIELD_ACCEPT,
    [35] = FIELD_USER_AGENT,
    [36] = FIELD_X_REQUEST_ID,
    [38] = FIELD_PROXY_CONNECTION,
    [42] = FIELD_COOKIE,
    [48] = FIELD_PROXY_AUTHORIZATION,
    [51] = FIELD_AUTHORIZATION,
    [52] = FIELD_ACCEPT_ENCODING,
    [53] = FIELD_DATE,
    [54] = FIELD_UPGRADE,
    [55] = FIELD_CONNECTION,
    [57] = FIELD_TRACESTATE,
    [58] = FIELD_KEEP_ALIVE,
    [66] = FIELD_RETRY_AFTER,
    [73] = FIELD_TE,
    [74] = FIELD_TRACEPARENT,
    [75] = FIELD_X_API_KEY,
    [76] = FIELD_X_FORWARDED_PORT,
    [82] = FIELD_SET_COOKIE,
    [84] = FIELD_HOST,
    [89] = FIELD_X_FORWARDED_PROTO,
    [98] = FIELD_WWW_AUTHENTICATE,
    [99] = FIELD_SERVER,
    [100] = FIELD_X_FORWARDED_FOR,
    [103] = FIELD_CACHE_CONTROL,
    [104] = FIELD_STRICT_TRANSPORT_SECURITY,
    [108] = FIELD_X_FORWARDED_HOST,
    [112] = FIELD_CONTENT_ENCODING,
    [113] = FIELD_VIA,
    [115] = FIELD_HTTP2_SETTINGS,
    [117] = FIELD_X_AUTH_SCOPES,
    [118] = FIELD_X_TENANT_ID,
    [119] = FIELD_VARY,
    [125] = FIELD_GRPC_TIMEOUT,
};

static const struct str names[FIELD_IDS] = {
#define FIELD_NAME(id, name) [FIELD_##id] = {name, sizeof(name) - 1},
    FIELD_TABLE(FIELD_NAME)
#undef FIELD_NAME
};

static uint64_t differs8(const char *a, const char *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x ^ y) & ~0x2020202020202020u;
}

static uint32_t differs4(const char *a, const char *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x ^ y) & ~0x20202020u;
}

/* Of n bytes each, n > 0; the last words overlap. Letters differ by case in one bit. What else
 * differs only there from a byte of a known name ("-", a digit) is a control character, and those
 * are in no name. */
static inline bool is_known_name(const char *name, const char *known, size_t n)
{
    if (n >= 8) {
        uint64_t differs = differs8(name + n - 8, known + n - 8);
        for (size_t i = 0; i + 8 < n; i += 8)
            differs |= differs8(name + i, known + i);
        return !differs;
    }
    if (n >= 4)
        return !(differs4(name, known) | differs4(name + n - 4, known + n - 4));
    for (size_t i = 0; i < n; i++)
        if ((name[i] ^ known[i]) & ~0x20)
            return false;
    return true;
}

enum field_id field_lookup(const char *name, size_t n)
{
    if (n == 0)
        return FIELD_OTHER;
    enum field_id id = slots[name_slot(name, n)];
    return names[id].n == n && is_known_name(name, names[id].p, n) ? id : FIELD_OTHER;
}

struct str field_name(enum field_id id)
{
    return names[id];
}

void headers_init(struct headers *h, struct arena *arena, uint16_t cap)
{
    memset(h->first, 0, sizeof h->first);
    h->n = 0;
    h->cap = cap;
    h->arena = arena;
    h->v = cap ? arena_alloc(arena, cap * sizeof *h->v) : NULL;
}

static void headers_grow(struct headers *h)
{
    ensure(h->cap <= UINT16_MAX / 2);
    uint16_t cap = h->cap ? (uint16_t)(h->cap * 2) : 16;
    struct field *v = arena_alloc(h->arena, cap * sizeof *v);
    if (h->n)
        memcpy(v, h->v, h->n * sizeof *v);
    h->v = v;
    h->cap = cap;
}

static inline struct field *headers_append(struct headers *h, enum field_id id, struct str name,
                                           struct str value, uint8_t flags)
{
    ensure(name.n <= UINT16_MAX && value.n <= UINT32_MAX);
    if (h->n == h->cap)
        headers_grow(h);
    struct field *f = &h->v[h->n++];
    *f = (struct field){
        .name = name.p,
        .value = value.p,
        .value_len = (uint32_t)value.n,
        .name_len = (uint16_t)name.n,
        .id = (uint8_t)id,
        .flags = flags,
    };
    if (id != FIELD_OTHER && !h->first[id])
        h->first[id] = h->n;
    return f;
}

struct field *headers_push(struct headers *h, struct str name, struct str value)
{
    return headers_append(h, field_lookup(name.p, name.n), name, value, 0);
}

void headers_add(struct headers *h, struct str name, struct str value)
{
    headers_append(h, field_lookup(name.p, name.n), name, value, FIELD_ADDED);
}

void headers_add_id(struct headers *h, enum field_id id, struct str value)
{
    headers_append(h, id, names[id], value, FIELD_ADDED);
}

/* The first field from index `i` on that is not dropped and has this id and, if unknown, name. */
static struct field *find_from(const struct headers *h, size_t i, enum field_id id, struct str name)
{
    for (; i < h->n; i++) {
        struct field *f = &h->v[i];
        if (f->id != id || (f->flags & FIELD_DROPPED))
            continue;
        if (id != FIELD_OTHER || str_eq_ci(str_make(f->name, f->name_len), name))
            return f;
    }
    return NULL;
}

struct field *headers_get(const struct headers *h, enum field_id id)
{
    unsigned first = h->first[id];
    if (!first)
        return NULL;
    struct field *f = &h->v[first - 1];
    return likely(!(f->flags & FIELD_DROPPED)) ? f : find_from(h, first, id, STR_NULL);
}

struct field *headers_find(const struct headers *h, struct str name)
{
    enum field_id id = field_lookup(name.p, name.n);
    return id != FIELD_OTHER ? headers_get(h, id) : find_from(h, 0, FIELD_OTHER, name);
}

struct field *headers_next(const struct headers *h, const struct field *f)
{
    return find_from(h, (size_t)(f - h->v) + 1, f->id, str_make(f->name, f->name_len));
}

struct str headers_value(const struct headers *h, enum field_id id)
{
    const struct field *f = headers_get(h, id);
    return f ? field_value(f) : STR_NULL;
}

void headers_set(struct headers *h, struct str name, struct str value)
{
    headers_remove(h, name);
    headers_add(h, name, value);
}

void headers_set_id(struct headers *h, enum field_id id, struct str value)
{
    headers_remove_id(h, id);
    headers_add_id(h, id, value);
}

static void drop_all(const struct headers *h, struct field *f)
{
    for (; f; f = headers_next(h, f))
        f->flags |= FIELD_DROPPED;
}

void headers_remove(struct headers *h, struct str name)
{
    drop_all(h, headers_find(h, name));
}

void headers_remove_id(struct headers *h, enum field_id id)
{
    drop_all(h, headers_get(h, id));
    h->first[id] = 0;
}

void headers_rebase(struct headers *h, const char *from, const char *to)
{
    for (size_t i = 0; i < h->n; i++) {
        struct field *f = &h->v[i];
        if (f->flags & FIELD_ADDED)
            continue;
        f->name = to + (f->name - from);
        f->value = to + (f->value - from);
    }
}

bool headers_list_next(struct str *rest, struct str *member)
{
    while (str_split(rest, ',', member)) {
        *member = str_trim_ows(*member);
        if (member->n)
            return true;
    }
    return false;
}

static int connection_option(struct str name)
{
    switch (field_lookup(name.p, name.n)) {
    case FIELD_HOST:
    case FIELD_CONTENT_LENGTH:
    case FIELD_TRANSFER_ENCODING: return -1;
    case FIELD_KEEP_ALIVE: return CONNECTION_KEEP_ALIVE;
    case FIELD_UPGRADE: return CONNECTION_UPGRADE;
    default: return str_eq_ci(name, STR("close")) ? CONNECTION_CLOSE : 0;
    }
}

int headers_connection(const struct headers *h)
{
    int options = 0;
    const struct field *f = headers_get(h, FIELD_CONNECTION);
    for (; f; f = headers_next(h, f)) {
        struct str rest = field_value(f), name;
        while (headers_list_next(&rest, &name)) {
            int option = connection_option(name);
            if (option < 0)
                return -1;
            options |= option;
        }
    }
    return options;
}

static void drop_named_by_connection(struct headers *h)
{
    const struct field *f = headers_get(h, FIELD_CONNECTION);
    for (; f; f = headers_next(h, f)) {
        struct str rest = field_value(f), name;
        while (headers_list_next(&rest, &name)) {
            enum field_id id = field_lookup(name.p, name.n);
            if (id != FIELD_CONNECTION && id != FIELD_TE) /* both are dealt with by the caller */
                headers_remove(h, name);
        }
    }
}

/* TE keeps its member "trailers" and loses all others (RFC 9110 §10.1.4). */
static void keep_te_trailers(struct headers *h)
{
    struct field *keep = NULL;
    for (struct field *f = headers_get(h, FIELD_TE); f; f = headers_next(h, f)) {
        struct str rest = field_value(f), member;
        while (!keep && headers_list_next(&rest, &member)) {
            if (!str_eq_ci(member, STR("trailers")))
                continue;
            f->value = member.p;
            f->value_len = (uint32_t)member.n;
            keep = f;
        }
        if (f != keep)
            f->flags |= FIELD_DROPPED;
    }
}

int headers_strip_hop_by_hop(struct headers *h)
{
    static const uint8_t hop_by_hop[] = {
        FIELD_CONNECTION,
        FIELD_KEEP_ALIVE,
        FIELD_PROXY_CONNECTION,
        FIELD_PROXY_AUTHENTICATE,
        FIELD_PROXY_AUTHORIZATION,
        FIELD_TRANSFER_ENCODING,
        FIELD_UPGRADE,
        FIELD_HTTP2_SETTINGS,
    };
    if (headers_connection(h) < 0)
        return -1;
    drop_named_by_connection(h);
    keep_te_trailers(h);
    for (size_t i = 0; i < array_size(hop_by_hop); i++)
        headers_remove_id(h, hop_by_hop[i]);
    return 0;
}
