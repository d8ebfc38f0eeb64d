/* One JSON line per request, with Elastic Common Schema names, straight into the worker's ring: no
 * system call, no allocation, no printf. The persist thread writes them. Everything that a client
 * or a service chose goes through str_put_json, so a line is one line whatever they send. */
#include "modules/access_log/access_log.h"

#include "base/node.h"
#include "base/ring.h"

enum {
    TEXT_MAX = 4096,  /* bytes of one value that are logged */
    FIXED_MAX = 1024, /* names, numbers and punctuation of a line */
    PPM = 1000000,
    NS_PER_US = 1000,
    SLOW_NS = 1000000000, /* requests over this are never sampled away */
    STATUS_ERROR = 400,   /* nor are these and above */
};

struct access_log {
    uint32_t sample_ppm;
    struct str fields; /* `,"name":"value"`… of telemetry.access_log.fields */
};

#define PUT(out, literal) put_bytes(out, literal, sizeof(literal) - 1)

static inline char *put_bytes(char *out, const char *bytes, size_t n)
{
    memcpy(out, bytes, n);
    return out + n;
}

static char *put_number(char *out, uint64_t value)
{
    char digits[20];
    unsigned at = sizeof digits;

    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    return put_bytes(out, digits + at, sizeof digits - at);
}

/* Nanoseconds as milliseconds with three decimals. */
static char *put_ms(char *out, uint64_t ns)
{
    unsigned us = (unsigned)(ns / NS_PER_US % 1000);

    out = put_number(out, ns / NS_PER_US / 1000);
    *out++ = '.';
    *out++ = (char)('0' + us / 100);
    *out++ = (char)('0' + us / 10 % 10);
    *out++ = (char)('0' + us % 10);
    return out;
}

static struct str cut(struct str s)
{
    return s.n > TEXT_MAX ? str_make(s.p, TEXT_MAX) : s;
}

/* `name` is `,"x":"`; nothing for an empty value. */
static inline __attribute__((always_inline)) char *put_text(char *out, const char *name,
                                                            size_t name_len, struct str value)
{
    if (value.n == 0)
        return out;
    out = put_bytes(out, name, name_len);
    out = str_put_json(out, value);
    *out++ = '"';
    return out;
}
#define TEXT(out, name, value)                                                                     \
    put_text(out, ",\"" name "\":\"", sizeof(",\"" name "\":\"") - 1, value)
#define NUMBER(out, name, value) put_number(PUT(out, ",\"" name "\":"), value)

/* ECS wants the number alone: "1.3" of "TLSv1.3". */
static struct str tls_number(struct str version)
{
    const struct str prefix = STR("TLSv");

    return str_starts(version, prefix) ? str_make(version.p + prefix.n, version.n - prefix.n)
                                       : version;
}

static struct str http_version(const struct req *r)
{
    switch (r->x.version) {
    case 10: return STR("1.0");
    case 11: return STR("1.1");
    case 20: return STR("2");
    default: return STR_NULL;
    }
}

/* What the client chose and its length is not bounded otherwise. */
struct client_texts {
    struct str path, query, original, domain, agent, method;
};

static struct client_texts client_texts(const struct req *r)
{
    return (struct client_texts){
        .path = cut(r->path),
        .query = cut(r->query),
        .original = r->path.n ? STR_NULL : cut(r->x.target),
        .domain = cut(r->host),
        .agent = cut(headers_value(&r->x.headers, FIELD_USER_AGENT)),
        .method = cut(r->x.method_text),
    };
}

static size_t room_for(const struct req *r, const struct client_texts *c, struct str fields)
{
    const struct req_names *n = &r->names;
    size_t texts = c->path.n + c->query.n + c->original.n + c->domain.n + c->agent.n + c->method.n +
                   r->client_ip.n + r->request_id.n + r->error_code.n + r->tenant.n + r->subject.n +
                   n->listener.n + n->route.n + n->service.n + n->variant.n + n->endpoint.n +
                   n->tls_version.n + n->tls_cipher.n;

    return FIXED_MAX + fields.n + texts * STR_JSON_MAX;
}

static char *put_http(char *out, const struct req *r, const struct client_texts *c)
{
    out = TEXT(out, "source.ip", r->client_ip);
    if (r->client_port)
        out = NUMBER(out, "source.port", r->client_port);
    out = TEXT(out, "http.request.method", c->method);
    out = TEXT(out, "url.domain", c->domain);
    out = TEXT(out, "url.path", c->path);
    out = TEXT(out, "url.query", c->query);
    out = TEXT(out, "url.original", c->original);
    out = TEXT(out, "http.version", http_version(r));
    out = TEXT(out, "http.request.id", r->request_id);
    out = NUMBER(out, "http.request.body.bytes", r->x.bytes_in);
    out = NUMBER(out, "http.response.body.bytes", r->x.bytes_out);
    out = TEXT(out, "user_agent.original", c->agent);
    out = TEXT(out, "tls.version", tls_number(r->names.tls_version));
    return TEXT(out, "tls.cipher", r->names.tls_cipher);
}

/* From the choice of an endpoint to the last that was heard of it. */
static uint64_t upstream_ns(const struct req *r)
{
    uint64_t end = r->upstream_end_ns ? r->upstream_end_ns : r->end_ns;

    return end > r->upstream_start_ns ? end - r->upstream_start_ns : 0;
}

static char *put_tollgate(char *out, const struct req *r)
{
    out = TEXT(out, "tollgate.listener", r->names.listener);
    out = TEXT(out, "tollgate.route", r->names.route);
    out = TEXT(out, "tollgate.service", r->names.service);
    out = TEXT(out, "tollgate.variant", r->names.variant);
    out = TEXT(out, "tollgate.endpoint", r->names.endpoint);
    out = TEXT(out, "tollgate.tenant", r->tenant);
    out = TEXT(out, "tollgate.subject", r->subject);
    out = TEXT(out, "tollgate.error_code", r->error_code);
    if (!r->upstream_start_ns)
        return out;
    out = NUMBER(out, "tollgate.attempts", r->attempts);
    return put_ms(PUT(out, ",\"tollgate.upstream_ms\":"), upstream_ns(r));
}

static char *put_line(char *out, const struct req *r, const struct client_texts *c,
                      struct str fields, const char *time, uint64_t duration_ns)
{
    out = PUT(out, "{\"@timestamp\":\"");
    out = put_bytes(out, time, TIMETEXT_LEN);
    *out++ = '"';
    out = NUMBER(out, "http.response.status_code", req_code(r));
    out = NUMBER(out, "event.duration", duration_ns);
    out = put_http(out, r, c);
    out = put_tollgate(out, r);
    out = put_bytes(out, fields.p, fields.n);
    return PUT(out, "}\n");
}

static bool is_wanted(const struct access_log *log, struct req *r, uint64_t duration_ns)
{
    return log->sample_ppm == PPM || req_code(r) >= STATUS_ERROR || duration_ns > SLOW_NS ||
           rand_below(&r->worker->loop->rand, PPM) < log->sample_ppm;
}

static void on_finish(struct req *r, void *inst)
{
    const struct access_log *log = inst;
    struct req_worker *w = r->worker;
    uint64_t duration_ns = r->end_ns > r->start_ns ? r->end_ns - r->start_ns : 0;

    if (!w->access_ring || !is_wanted(log, r, duration_ns))
        return;
    struct client_texts c = client_texts(r);
    char *begin = ring_reserve(w->access_ring, room_for(r, &c, log->fields));
    if (!begin) {
        ring_drop(w->access_ring);
        return;
    }
    const char *time = timetext_get(&w->time, w->loop->wall_ns);
    char *end = put_line(begin, r, &c, log->fields, time, duration_ns);
    ring_commit(w->access_ring, (size_t)(end - begin));
}

static struct str render_fields(struct arena *arena, const struct node *fields)
{
    struct buf b = {0};

    for (size_t i = 0; i < node_count(fields, ""); i++) {
        buf_add_str(&b, STR(",\""));
        buf_add_json(&b, str_of(node_key(fields, i)));
        buf_add_str(&b, STR("\":\""));
        buf_add_json(&b, str_of(node_str(node_at(fields, i), "")));
        buf_add_char(&b, '"');
    }
    struct str out = arena_str(arena, str_make(b.n ? b.p : "", b.n));
    buf_free(&b);
    return out;
}

static int create(struct tg_build *b, void **inst)
{
    const struct node *conf = node_get(b->root, "telemetry.access_log");
    struct access_log *log = arena_zalloc(b->arena, sizeof *log);

    log->sample_ppm = node_ppm(conf, "sample");
    log->fields = render_fields(b->arena, node_get(conf, "fields"));
    *inst = log;
    return 0;
}

const struct tg_filter access_log_filter = {
    .name = "access_log",
    .phase = TG_PHASE_LOG,
    .create = create,
    .on_finish = on_finish,
};
