/* See regex.h. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "conf/regex.h"

#include <pcre2.h>

const char *regex_check(struct arena *arena, struct str pattern, uint32_t *groups,
                        struct regex_name *has_name)
{
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, PCRE2_ANCHORED, &error, &offset, NULL);
    if (!code) {
        PCRE2_UCHAR text[160];
        pcre2_get_error_message(error, text, sizeof text);
        return arena_printf(arena, "%s, at character %zu", (const char *)text, offset + 1);
    }
    if (groups)
        pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, groups);
    if (has_name)
        has_name->found = pcre2_substring_number_from_name(code, (PCRE2_SPTR)has_name->name) !=
                          PCRE2_ERROR_NOSUBSTRING;
    pcre2_code_free(code);
    return NULL;
}
