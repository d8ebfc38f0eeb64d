// As much of HTTP/1.1 as the benchmark's programs need: they talk to known peers, so heads are
// searched, not parsed, and bodies always have a Content-Length.
#ifndef BENCH_MSG_H
#define BENCH_MSG_H

#include <stdbool.h>
#include <stddef.h>

// The beginning of a head whose rest has not come yet; all zero is empty.
struct msg_part {
    char *data;
    size_t len;
};

// Length of the head that data begins with, its empty line included; 0 when it is not complete.
size_t msg_head_len(const char *data, size_t len);

// Value of Content-Length in a complete head; 0 when there is none.
size_t msg_content_length(const char *head, size_t len);

// Status of an HTTP/1.1 answer's head, or 0.
int msg_status(const char *head, size_t len);

// Whether the head's last field is `Connection: close`, where our own client puts it.
bool msg_ends_with_close(const char *head, size_t len);

// Puts what was kept before [*data, *data + *len) and makes the two point to the whole, which
// belongs to the part.
void msg_part_join(struct msg_part *part, const char **data, size_t *len);

// Keeps a copy of an incomplete head; data may be what msg_part_join gave.
void msg_part_keep(struct msg_part *part, const char *data, size_t len);

void msg_part_fini(struct msg_part *part);

#endif
