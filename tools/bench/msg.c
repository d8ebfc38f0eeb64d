// Implementation of the benchmark's reading of HTTP heads; see msg.h.
#include "msg.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t msg_head_len(const char *data, size_t len)
{
    const char *end = memmem(data, len, "\r\n\r\n", 4);

    return end ? (size_t)(end - data) + 4 : 0;
}

// The number that begins here; the head is no string that strtoul could read.
static size_t number(const char *text, const char *end)
{
    size_t value = 0;

    for (; text < end && isdigit((unsigned char)*text); text++)
        value = value * 10 + (size_t)(*text - '0');
    return value;
}

static const char *skip_blanks(const char *text, const char *end)
{
    while (text < end && (*text == ' ' || *text == '\t'))
        text++;
    return text;
}

size_t msg_content_length(const char *head, size_t len)
{
    static const char name[] = "content-length:";
    const char *end = head + len, *line = head;

    while ((line = memchr(line, '\n', (size_t)(end - line)))) {
        line++;
        if ((size_t)(end - line) > sizeof name && !strncasecmp(line, name, sizeof name - 1))
            return number(skip_blanks(line + sizeof name - 1, end), end);
    }
    return 0;
}

int msg_status(const char *head, size_t len)
{
    return len > 12 && !memcmp(head, "HTTP/1.1 ", 9) ? (int)number(head + 9, head + 12) : 0;
}

bool msg_ends_with_close(const char *head, size_t len)
{
    static const char last[] = "\r\nConnection: close\r\n\r\n";

    return len >= sizeof last - 1 && !memcmp(head + len - (sizeof last - 1), last, sizeof last - 1);
}

void msg_part_join(struct msg_part *part, const char **data, size_t *len)
{
    if (!part->len)
        return;
    part->data = realloc(part->data, part->len + *len);
    if (!part->data)
        abort();
    memcpy(part->data + part->len, *data, *len);
    part->len += *len;
    *data = part->data;
    *len = part->len;
}

void msg_part_keep(struct msg_part *part, const char *data, size_t len)
{
    if (data == part->data)
        return;
    part->data = malloc(len);
    if (!part->data)
        abort();
    memcpy(part->data, data, len);
    part->len = len;
}

void msg_part_fini(struct msg_part *part)
{
    free(part->data);
    part->data = NULL;
    part->len = 0;
}
