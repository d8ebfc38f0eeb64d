/* See route_regex.h. pcre2_match() runs the JIT's code where there is some and interprets
 * otherwise, so a machine that forbids writable code only loses speed. Limits hold for both. */
#include "core/route_regex.h"

#include "base/xmem.h"

#include <stdio.h>
#include <stdlib.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    MATCH_STEPS = 100000, /* some milliseconds */
    MATCH_HEAP_KIB = 1024,
    JIT_STACK_MIN = 32 * 1024,
    JIT_STACK_MAX = 1024 * 1024,
};

struct route_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

struct route_regex {
    pcre2_code *code;
    unsigned groups;
    bool names;
};

struct route_scratch *route_scratch_new(void)
{
    struct route_scratch *s = xcalloc(1, sizeof *s);
    s->data = pcre2_match_data_create(ROUTE_REGEX_GROUPS, NULL);
    s->context = pcre2_match_context_create(NULL);
    s->stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
    ensure(s->data && s->context && s->stack);
    pcre2_set_match_limit(s->context, MATCH_STEPS);
    pcre2_set_heap_limit(s->context, MATCH_HEAP_KIB);
    pcre2_jit_stack_assign(s->context, NULL, s->stack);
    return s;
}

void route_scratch_free(struct route_scratch **s)
{
    if (!*s)
        return;
    pcre2_jit_stack_free((*s)->stack);
    pcre2_match_context_free((*s)->context);
    pcre2_match_data_free((*s)->data);
    free(*s);
    *s = NULL;
}

static uint32_t code_info(const pcre2_code *code, uint32_t what)
{
    uint32_t info = 0;
    pcre2_pattern_info(code, what, &info);
    return info;
}

struct route_regex *route_regex_new(struct str pattern, unsigned flags, char *text, size_t cap)
{
    uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C;
    int error;
    size_t at;
    if (flags & ROUTE_REGEX_ANCHORED)
        options |= PCRE2_ANCHORED;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(pattern.n ? pattern.p : ""), pattern.n, options,
                                     &error, &at, NULL);
    if (!code) {
        PCRE2_UCHAR why[128];
        pcre2_get_error_message(error, why, sizeof why);
        snprintf(text, cap, "%s (at character %zu)", (const char *)why, at + 1);
        return NULL;
    }
    if (code_info(code, PCRE2_INFO_CAPTURECOUNT) >= ROUTE_REGEX_GROUPS) {
        snprintf(text, cap, "more than %d groups", ROUTE_REGEX_GROUPS - 1);
        pcre2_code_free(code);
        return NULL;
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    struct route_regex *r = xmalloc(sizeof *r);
    *r = (struct route_regex){
        .code = code,
        .groups = code_info(code, PCRE2_INFO_CAPTURECOUNT) + 1,
        .names = code_info(code, PCRE2_INFO_NAMECOUNT) > 0,
    };
    return r;
}

void route_regex_free(struct route_regex **r)
{
    if (!*r)
        return;
    pcre2_code_free((*r)->code);
    free(*r);
    *r = NULL;
}

int route_regex_match(const struct route_regex *r, struct route_scratch *s, struct str subject)
{
    int rc = pcre2_match(r->code, (PCRE2_SPTR)(subject.n ? subject.p : ""), subject.n, 0, 0,
                         s->data, s->context);
    return rc > 0 ? 1 : rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

const size_t *route_regex_offsets(const struct route_regex *r, const struct route_scratch *s,
                                  unsigned *groups)
{
    *groups = r->groups;
    return pcre2_get_ovector_pointer(s->data);
}

bool route_regex_has_names(const struct route_regex *r)
{
    return r->names;
}

unsigned route_regex_group(const struct route_regex *r, struct str name)
{
    char z[64]; /* PCRE2 allows 32 characters */
    if (name.n == 0 || name.n >= sizeof z)
        return 0;
    memcpy(z, name.p, name.n);
    z[name.n] = '\0';
    int group = pcre2_substring_number_from_name(r->code, (PCRE2_SPTR)z);
    return group > 0 ? (unsigned)group : 0;
}

int route_regex_replace(const struct route_regex *r, struct route_scratch *s, struct str subject,
                        struct str replacement, struct arena *arena, struct str *out)
{
    uint32_t options =
        PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_UNSET_EMPTY | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH;
    size_t room = subject.n + replacement.n + 64;
    for (;;) {
        size_t n = room;
        char *text = arena_alloc(arena, room);
        int rc = pcre2_substitute(r->code, (PCRE2_SPTR)(subject.n ? subject.p : ""), subject.n, 0,
                                  options, s->data, s->context,
                                  (PCRE2_SPTR)(replacement.n ? replacement.p : ""), replacement.n,
                                  (PCRE2_UCHAR *)text, &n);
        if (rc == PCRE2_ERROR_NOMEMORY && n > room) {
            room = n;
            continue;
        }
        *out = rc > 0 ? str_make(text, n) : subject;
        return rc < 0 ? -1 : rc > 0;
    }
}

bool route_regex_check_replacement(const struct route_regex *r, struct str replacement, char *text,
                                   size_t cap)
{
    for (size_t i = 0; i < replacement.n; i++) {
        if (replacement.p[i] != '$')
            continue;
        if (++i < replacement.n && replacement.p[i] == '$')
            continue;
        size_t from = i;
        unsigned group = 0;
        for (; i < replacement.n && ascii_is_digit(replacement.p[i]) && i < from + 3; i++)
            group = group * 10 + (unsigned)(replacement.p[i] - '0');
        if (i == from) {
            snprintf(text, cap, "'$' must be followed by the number of a group, or by '$'");
            return false;
        }
        if (group >= r->groups) {
            snprintf(text, cap, "$%u: the pattern has %u groups", group, r->groups - 1);
            return false;
        }
        i--;
    }
    return true;
}

/* Index of the bracket that ends the class which begins at `i`, or p.n. */
static size_t class_end(struct str p, size_t i)
{
    i++;
    i += i < p.n && p.p[i] == '^';
    i += i < p.n && p.p[i] == ']';
    for (; i < p.n && p.p[i] != ']'; i++) {
        if (p.p[i] == '\\') {
            i++;
        } else if (p.p[i] == '[' && i + 1 < p.n && p.p[i + 1] == ':') {
            size_t e = i + 2;
            while (e < p.n && (ascii_is_alpha(p.p[e]) || p.p[e] == '^'))
                e++;
            if (e + 1 < p.n && p.p[e] == ':' && p.p[e + 1] == ']')
                i = e + 1;
        }
    }
    return i;
}

/* After '(': does something begin that this reader does not follow (flags, comments, verbs)? */
static bool group_is_special(struct str p, size_t i)
{
    if (i + 1 >= p.n)
        return false;
    if (p.p[i + 1] == '*')
        return true;
    return p.p[i + 1] == '?' && (i + 2 >= p.n || !strchr(":=!<>P'|", p.p[i + 2]));
}

/* May the whole pattern be an alternation? True when in doubt. */
static bool may_branch(struct str p)
{
    size_t depth = 0;
    for (size_t i = 0; i < p.n; i++) {
        switch (p.p[i]) {
        case '\\':
            if (++i < p.n && p.p[i] == 'Q')
                return true;
            break;
        case '[': i = class_end(p, i); break;
        case '(':
            if (group_is_special(p, i))
                return true;
            depth++;
            break;
        case ')': depth -= depth > 0; break;
        case '|':
            if (depth == 0)
                return true;
            break;
        default: break;
        }
    }
    return false;
}

/* Bytes of the pattern that stand for one literal character at `i`; 0 if none does. */
static size_t literal_at(struct str p, size_t i)
{
    char c = p.p[i];
    if (c == '\\') {
        bool plain = i + 1 < p.n && p.p[i + 1] > ' ' && p.p[i + 1] < 0x7f &&
                     !ascii_is_alpha(p.p[i + 1]) && !ascii_is_digit(p.p[i + 1]);
        return plain ? 2 : 0;
    }
    return c == '\0' || strchr(".[()|*+?{^$", c) ? 0 : 1;
}

struct str route_regex_literal(struct str pattern, struct arena *arena)
{
    if (pattern.n == 0 || (memchr(pattern.p, '|', pattern.n) && may_branch(pattern)))
        return STR_NULL;
    char *text = arena_alloc(arena, pattern.n);
    size_t n = 0, len;
    for (size_t i = pattern.p[0] == '^'; i < pattern.n; i += len) {
        len = literal_at(pattern, i);
        char next = len && i + len < pattern.n ? pattern.p[i + len] : '\0';
        if (!len || next == '*' || next == '?' || next == '{')
            break;
        text[n++] = pattern.p[i + len - 1];
        if (next == '+')
            break;
    }
    return str_make(text, n);
}
