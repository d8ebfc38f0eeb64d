/* See names.h. */
#include "conf/names.h"

static bool is_alnum(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

static bool all_of(struct str s, const char *also)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alnum(s.p[i]) && (s.p[i] == '\0' || !strchr(also, s.p[i])))
            return false;
    }
    return s.n > 0;
}

bool names_is_token(struct str s)
{
    return all_of(s, "!#$%&'*+-.^_`|~");
}

bool names_is_name(struct str s)
{
    return s.n <= 128 && all_of(s, "._~-") && (is_alnum(s.p[0]) || s.p[0] == '_');
}

bool names_is_limit(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (ascii_lower(s.p[i]) != s.p[i])
            return false;
    }
    return s.n <= 32 && all_of(s, "_-");
}

bool names_is_tenant(struct str s)
{
    return s.n <= 64 && all_of(s, "._-") && is_alnum(s.p[0]);
}

bool names_is_host(struct str s)
{
    struct str label;
    if (s.n == 0 || s.n > 253)
        return false;
    while (str_split(&s, '.', &label)) {
        if (label.n == 0 || label.n > 63 || !all_of(label, "-_") || label.p[0] == '-' ||
            label.p[label.n - 1] == '-')
            return false;
    }
    return true;
}

bool names_is_media_type(struct str s)
{
    struct str type;
    return str_split(&s, '/', &type) && s.p && names_is_token(type) && names_is_token(s);
}

bool names_is_dotted(struct str s)
{
    struct str member;
    if (s.n == 0)
        return false;
    while (str_split(&s, '.', &member)) {
        if (member.n == 0)
            return false;
        for (size_t i = 0; i < member.n; i++) {
            if ((unsigned char)member.p[i] <= ' ' || member.p[i] == 0x7f)
                return false;
        }
    }
    return true;
}
