/* The files a configuration is made of: read once each, remembered with their identity. */
#ifndef TG_CONF_SOURCE_H
#define TG_CONF_SOURCE_H

#include "base/arena.h"
#include "base/map.h"
#include "conf/conf.h"

enum { SOURCE_BYTES_MAX = 64 << 20 };

struct sources {
    struct arena *arena;
    const char *cwd;          /* where relative names of the first file start */
    struct map by_path;       /* absolute path -> struct source */
    struct conf_file **files; /* in the order of reading; the array is malloc'd */
    size_t count, capacity;
    const struct conf *allow; /* NULL: any file may be read by ${file:} */
};

void sources_init(struct sources *s, struct arena *arena);
/* Ends the index; `files` is taken over by the caller. */
void sources_fini(struct sources *s);

/* `name`, written in the file `holder`, as an absolute path. */
const char *sources_absolute(struct sources *s, const char *holder, const char *name);

/* The bytes of the file, NUL-terminated, in the arena. Returns NULL, or why not:
 * "cannot be read: No such file or directory". */
const char *sources_read(struct sources *s, const char *path, enum conf_file_kind kind,
                         struct str *text);

/* Can the file be opened for reading? NULL or why not. */
const char *sources_probe(struct sources *s, const char *path);

#endif
