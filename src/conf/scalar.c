/* See scalar.h (YAML 1.2.2 §10.3.2; of the bools only `true` and `false`, as the contract says). */
#include "conf/scalar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static bool is_null(const char *s)
{
    return *s == '\0' || strcmp(s, "~") == 0 || strcmp(s, "null") == 0 || strcmp(s, "Null") == 0 ||
           strcmp(s, "NULL") == 0;
}

static bool to_int(const char *s, int64_t *out)
{
    int base = 10;
    const char *digits = s;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'o')) {
        base = s[1] == 'x' ? 16 : 8;
        digits = s + 2;
    } else if (*s == '-' || *s == '+') {
        digits = s + 1;
    }
    const char *allowed = base == 16  ? "0123456789abcdefABCDEF"
                          : base == 8 ? "01234567"
                                      : "0123456789";
    if (*digits == '\0' || digits[strspn(digits, allowed)] != '\0')
        return false;
    errno = 0;
    *out = strtoll(base == 10 ? s : digits, NULL, base);
    return errno == 0;
}

static const char *skip_digits(const char *s)
{
    while (ascii_is_digit(*s))
        s++;
    return s;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?; infinities are not wanted. */
static bool is_real(const char *s)
{
    s += *s == '-' || *s == '+';
    const char *whole = s;
    s = skip_digits(s);
    bool has_digits = s > whole;
    if (*s == '.') {
        const char *fraction = ++s;
        s = skip_digits(s);
        has_digits = has_digits || s > fraction;
    }
    if (has_digits && (*s == 'e' || *s == 'E')) {
        s += 1 + (s[1] == '-' || s[1] == '+');
        has_digits = ascii_is_digit(*s);
        s = skip_digits(s);
    }
    return has_digits && *s == '\0';
}

void scalar_resolve(struct node *n)
{
    n->kind = NODE_STRING;
    if (n->flags & NODE_QUOTED)
        return;
    if (is_null(n->text)) {
        n->kind = NODE_NULL;
    } else if (strcmp(n->text, "true") == 0 || strcmp(n->text, "false") == 0) {
        n->kind = NODE_BOOL;
        n->truth = n->text[0] == 't';
    } else if (to_int(n->text, &n->num)) {
        n->kind = NODE_INT;
    } else if (is_real(n->text)) {
        n->kind = NODE_REAL;
        n->real = strtod(n->text, NULL);
    }
}
