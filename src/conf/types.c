/*
 * See types.h: the table of all scalar types, and those that are only text. units.c has the numbers
 * with a unit, hosts.c the places.
 */
#include "conf/types.h"

#include "base/check.h"
#include "conf/names.h"
#include "conf/regex.h"

static struct str text_of(const struct typed *t)
{
    return str_make(t->out->text, t->out->count);
}

static const char *type_bool(struct typed *t)
{
    return t->out->kind == NODE_BOOL ? NULL : "is not a bool; write true or false";
}

static const char *type_int(struct typed *t)
{
    const struct key *key = t->key;
    struct node *out = t->out;
    for (const char *const *w = key->words; w && *w; w++) {
        if (strcmp(out->text, *w) == 0) {
            out->kind = NODE_INT;
            out->num = 0;
            return NULL;
        }
    }
    if (out->kind != NODE_INT)
        return arena_printf(t->sources->arena,
                            "is not a whole number; write one from %lld to %lld%s%s",
                            (long long)key->min, (long long)key->max, key->words ? ", or " : "",
                            key->words ? key->words[0] : "");
    if (out->num < key->min || out->num > key->max)
        return arena_printf(t->sources->arena, "is out of range; it goes from %lld to %lld",
                            (long long)key->min, (long long)key->max);
    return NULL;
}

static const char *type_redirect(struct typed *t)
{
    struct node *out = t->out;
    if (out->kind == NODE_BOOL) {
        out->num = out->truth ? 443 : 0;
        out->kind = NODE_INT;
        return NULL;
    }
    if (out->kind != NODE_INT || out->num < 1 || out->num > 65535)
        return "is neither a bool nor a port; write true, false, or 1 to 65535";
    return NULL;
}

static const char *type_string(struct typed *t)
{
    const struct key *key = t->key;
    if (t->out->count == 0 && key->min > 0)
        return "is empty; write at least one character";
    if (key->max && t->out->count > key->max)
        return arena_printf(t->sources->arena, "is too long; at most %lld bytes",
                            (long long)key->max);
    return NULL;
}

/* `word` or, if it ends in ':', `word` and a token behind it. */
static bool matches_word(struct str s, struct str word)
{
    if (word.p[word.n - 1] != ':')
        return str_eq(s, word);
    return str_starts(s, word) && names_is_token(str_make(s.p + word.n, s.n - word.n));
}

static const char *list_words(struct typed *t)
{
    struct buf text = {0};
    for (const char *const *w = t->key->words; *w; w++) {
        struct str word = str_of(*w);
        buf_printf(&text, "%s%s%s", text.n ? ", " : "", *w,
                   word.p[word.n - 1] == ':' ? "NAME" : "");
    }
    const char *copy = arena_dup(t->sources->arena, text.p, text.n);
    buf_free(&text);
    return copy;
}

static const char *type_enum(struct typed *t)
{
    for (int i = 0; t->key->words[i]; i++) {
        if (matches_word(text_of(t), str_of(t->key->words[i]))) {
            t->out->kind = NODE_ENUM;
            t->out->num = i;
            return NULL;
        }
    }
    return arena_printf(t->sources->arena, "is none of the words known here; write one of %s",
                        list_words(t));
}

static const char *type_retry_condition(struct typed *t)
{
    uint64_t status;
    if (str_to_u64(text_of(t), &status) && status >= 400 && status <= 599)
        return NULL;
    for (const char *const *w = t->key->words; *w; w++) {
        if (strcmp(t->out->text, *w) == 0)
            return NULL;
    }
    return arena_printf(t->sources->arena,
                        "is not a condition; write one of %s, or a status from 400 to 599",
                        list_words(t));
}

static const char *type_name(struct typed *t)
{
    if (names_is_name(text_of(t)))
        return NULL;
    return "is not a name; write 1 to 128 letters, digits, `.`, `_`, `~` or `-`, a letter, digit "
           "or `_` first";
}

static const char *type_limit_name(struct typed *t)
{
    return names_is_limit(text_of(t)) ? NULL : "is not the name of a limit; write [a-z0-9_-]{1,32}";
}

static const char *type_tenant_id(struct typed *t)
{
    return names_is_tenant(text_of(t))
               ? NULL
               : "is not a tenant id; write [A-Za-z0-9][A-Za-z0-9._-]{0,63}";
}

static const char *type_sha256(struct typed *t)
{
    struct str s = text_of(t);
    bool ok = s.n == 64;
    for (size_t i = 0; ok && i < s.n; i++)
        ok = ascii_hex(s.p[i]) >= 0;
    if (!ok)
        return "is not a SHA-256; write its 64 hexadecimal digits";
    char *copy = arena_dup(t->sources->arena, s.p, s.n);
    for (char *c = copy; *c; c++)
        *c = ascii_lower(*c);
    t->out->text = copy;
    return NULL;
}

static void make_absolute(struct typed *t)
{
    t->out->text = sources_absolute(t->sources, t->out->file ? t->out->file : "", t->out->text);
    t->out->count = (uint32_t)strlen(t->out->text);
}

static const char *type_file(struct typed *t)
{
    if (t->out->count == 0)
        return "is empty; write the name of a file";
    make_absolute(t);
    const char *fault = sources_probe(t->sources, t->out->text);
    return fault
               ? arena_printf(t->sources->arena, "(%s) %s; name a file that is there and readable",
                              t->out->text, fault)
               : NULL;
}

static const char *type_output(struct typed *t)
{
    if (t->out->count && strcmp(t->out->text, "-") != 0)
        make_absolute(t);
    return NULL;
}

static const char *type_regex(struct typed *t)
{
    const char *fault = regex_check(t->sources->arena, text_of(t), NULL, NULL);
    return fault ? arena_printf(t->sources->arena, "is not a regular expression: %s", fault) : NULL;
}

static const char *type_method(struct typed *t)
{
    struct str s = text_of(t);
    bool ok = names_is_token(s) && s.n <= 32;
    for (size_t i = 0; ok && i < s.n; i++)
        ok = ascii_lower(s.p[i]) == s.p[i] ? !ascii_is_alpha(s.p[i]) : true;
    return ok ? NULL : "is not a method; write it in capital letters, such as GET";
}

static const char *type_request_path(struct typed *t)
{
    struct str s = text_of(t);
    if (s.n == 0 || s.p[0] != '/')
        return "is not a path; it begins with `/`";
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f || strchr("?#", s.p[i]))
            return "is not a path; it holds no `?`, `#`, blanks or characters beyond ASCII "
                   "(percent-encode them)";
    }
    return NULL;
}

static const char *type_header_name(struct typed *t)
{
    return names_is_token(text_of(t)) ? NULL
                                      : "is not the name of a header; write it such as X-Name";
}

static const char *type_header_value(struct typed *t)
{
    struct str s = text_of(t);
    for (size_t i = 0; i < s.n; i++) {
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
            return "is not the value of a header; it holds a line end or another control character";
    }
    if (s.n && (strchr(" \t", s.p[0]) || strchr(" \t", s.p[s.n - 1])))
        return "is not the value of a header; it begins or ends with white space";
    return NULL;
}

static const char *type_media_type(struct typed *t)
{
    return names_is_media_type(text_of(t))
               ? NULL
               : "is not a media type; write it such as application/json, without "
                 "parameters";
}

static const char *type_dotted(struct typed *t)
{
    return names_is_dotted(text_of(t))
               ? NULL
               : "is not a member's name; write it such as usage.total_tokens";
}

static const char *type_status_range(struct typed *t)
{
    struct str high = text_of(t), low;
    uint64_t a, b;
    bool ok = str_split(&high, '-', &low) && low.n == 3 && str_to_u64(low, &a) && a >= 100;
    if (ok && high.p)
        ok = high.n == 3 && str_to_u64(high, &b) && b <= 599 && a <= b;
    else if (ok)
        ok = a <= 599;
    return ok ? NULL : "is not a status or a range of them; write 200 or 200-299";
}

enum class {
    TEXT = 1,     /* a plain number is accepted as text */
    TEMPLATE = 2, /* per-request words are left in */
};

static const struct type {
    const char *noun;
    const char *(*parse)(struct typed *t);
    unsigned class;
    const char *help;
} TYPES[] = {
    [KEY_MAP] = {"a map of keys"},
    [KEY_ANY] = {"any value"},
    [KEY_BOOL] = {"a bool", type_bool, 0, "`true` or `false`"},
    [KEY_INT] = {"a whole number", type_int},
    [KEY_STRING] = {"a string", type_string, TEXT},
    [KEY_ENUM] = {"a word", type_enum, TEXT},
    [KEY_DURATION] = {"a duration", type_duration, TEXT,
                      "one or more INTEGER(`ms`, `s`, `m`, `h`, `d`), `0`, or an integer: seconds"},
    [KEY_SIZE] = {"a size", type_size, TEXT, "INTEGER bytes, or INTEGER(`KiB`, `MiB`, `GiB`)"},
    [KEY_PERCENT] = {"a percentage", type_percent, TEXT, "0 to 100, decimals allowed, with `%`"},
    [KEY_RATE] = {"a rate", type_rate, TEXT,
                  "N `/` [K](`s`, `m`, `h`, `d`), such as `10/s` or `100/5m`"},
    [KEY_QUOTA] = {"a quota", type_quota, TEXT,
                   "N `/` (`minute`, `hour`, `day`, `week`, `month`, `year`): calendar periods in "
                   "UTC, weeks from "
                   "Monday"},
    [KEY_TIME] = {"a time", type_time, TEXT, "RFC 3339, such as `2027-01-01T00:00:00Z`"},
    [KEY_NAME] = {"a name", type_name, TEXT, "1 to 128 letters, digits, `.`, `_`, `~`, `-`"},
    [KEY_LIMIT_NAME] = {"the name of a limit", type_limit_name, TEXT,
                        "`[a-z0-9_-]{1,32}`, unique in its list"},
    [KEY_TENANT_ID] = {"a tenant id", type_tenant_id, TEXT, "`[A-Za-z0-9][A-Za-z0-9._-]{0,63}`"},
    [KEY_SHA256] = {"a SHA-256", type_sha256, TEXT, "64 hexadecimal digits"},
    [KEY_FILE] = {"a file", type_file, TEXT,
                  "a file that exists and is readable; relative to the file that holds it"},
    [KEY_OUTPUT] = {"a file to write", type_output, TEXT,
                    "a file to write; relative to the file that holds it"},
    [KEY_REGEX] = {"a regular expression", type_regex, TEXT, "PCRE2"},
    [KEY_URL] = {"a URL", type_url, TEXT},
    [KEY_ADDRESS] = {"an address to listen on", type_address, TEXT,
                     "`IP:PORT`, `[IPv6]:PORT` or `unix:/path`"},
    [KEY_ENDPOINT] =
        {"an endpoint", type_endpoint, TEXT,
         "`IP:PORT`, `[IPv6]:PORT`, `dns:NAME:PORT` (resolved again at its TTL) or `unix:/path`"},
    [KEY_NAMESERVER] = {"a name server", type_nameserver, TEXT, "`IP`, `IP:PORT` or `[IPv6]:PORT`"},
    [KEY_CIDR] = {"an address or a block", type_cidr, TEXT,
                  "an address, or a block such as `10.0.0.0/8`"},
    [KEY_HOST] = {"a host", type_host, TEXT, "a name, or `*.name` for any depth below it"},
    [KEY_HOSTNAME] = {"the name of a host", type_hostname, TEXT},
    [KEY_METHOD] = {"a method", type_method, TEXT},
    [KEY_REQUEST_PATH] = {"a path", type_request_path, TEXT, "begins with `/`"},
    [KEY_HEADER_NAME] = {"the name of a header", type_header_name, TEXT},
    [KEY_HEADER_VALUE] = {"the value of a header", type_header_value, TEXT},
    [KEY_TEMPLATE] =
        {"the value of a header", type_header_value, TEXT | TEMPLATE,
         "text in which `${tenant}`, `${subject}`, `${request_id}`, `${client_ip}`, `${route}`, "
         "`${header:NAME}`, `${path:NAME}` are filled per request"},
    [KEY_TEXT_TEMPLATE] = {"text", type_string, TEXT | TEMPLATE,
                           "text with the same words as in headers"},
    [KEY_MEDIA_TYPE] = {"a media type", type_media_type, TEXT},
    [KEY_ORIGIN] = {"an origin", type_origin, TEXT,
                    "`scheme://HOST[:PORT]`, `scheme://*.HOST`, or `*`"},
    [KEY_STATUS_RANGE] = {"a status or a range of them", type_status_range, TEXT,
                          "`200` or `200-299`"},
    [KEY_RETRY_CONDITION] = {"a condition", type_retry_condition, TEXT},
    [KEY_DOTTED] = {"a member's name", type_dotted, TEXT, "nested members joined by dots"},
    [KEY_REDIRECT] = {"a bool or a port", type_redirect, 0,
                      "`true` (port 443), `false`, or a port"},
};

static const struct type *get_type(enum key_type type)
{
    ensure((size_t)type < array_size(TYPES) && TYPES[type].noun);
    return &TYPES[type];
}

const char *type_parse(struct typed *t)
{
    return get_type(t->key->type)->parse(t);
}

const char *type_noun(enum key_type type)
{
    return get_type(type)->noun;
}

bool type_is_text(enum key_type type)
{
    return get_type(type)->class & TEXT;
}

bool type_is_template(enum key_type type)
{
    return get_type(type)->class & TEMPLATE;
}

const char *type_help(enum key_type type)
{
    return get_type(type)->help;
}
