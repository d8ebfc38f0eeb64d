/* See source.h. */
#include "conf/source.h"

#include "base/xmem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct source {
    struct conf_file *file;
    struct str text;
    bool loaded; /* `text` is there */
    const char *fault;
};

void sources_init(struct sources *s, struct arena *arena)
{
    char cwd[PATH_MAX];
    *s = (struct sources){.arena = arena};
    const char *here = getcwd(cwd, sizeof cwd) ? cwd : "/";
    s->cwd = arena_dup(arena, here, strlen(here));
}

void sources_fini(struct sources *s)
{
    map_free(&s->by_path);
}

const char *sources_absolute(struct sources *s, const char *holder, const char *name)
{
    while (name[0] == '.' && name[1] == '/')
        name += 2;
    if (name[0] == '/')
        return arena_dup(s->arena, name, strlen(name));
    const char *slash = strrchr(holder, '/');
    int folder = slash ? (int)(slash - holder) : 0;
    if (holder[0] == '/')
        return arena_printf(s->arena, "%.*s/%s", folder, holder, name);
    return arena_printf(s->arena, "%s%s%.*s/%s", s->cwd, folder ? "/" : "", folder, holder, name);
}

static const char *cannot_read(struct sources *s, int error)
{
    return arena_printf(s->arena, "cannot be read: %s", strerrordesc_np(error));
}

static const char *read_all(struct sources *s, int fd, struct str *text)
{
    struct buf bytes = {0};
    const char *fault = NULL;
    ssize_t n;
    do {
        buf_reserve(&bytes, 64 << 10);
        n = read(fd, bytes.p + bytes.n, 64 << 10);
        if (n > 0)
            bytes.n += (size_t)n;
        else if (n < 0 && errno != EINTR)
            fault = cannot_read(s, errno);
        if (bytes.n > SOURCE_BYTES_MAX)
            fault = "is larger than 64 MiB";
    } while (n != 0 && !fault);
    if (!fault)
        *text = str_make(arena_dup(s->arena, bytes.p, bytes.n), bytes.n);
    buf_free(&bytes);
    return fault;
}

/* Opens the file, notes its identity and, with `text` asked for, its bytes. */
static void load(struct sources *s, struct source *src, bool with_text)
{
    struct stat st;
    int fd = open(src->file->path, O_RDONLY | O_CLOEXEC | (with_text ? 0 : O_NONBLOCK));
    src->fault = NULL;
    if (fd < 0 || fstat(fd, &st) < 0) {
        src->fault = cannot_read(s, errno);
    } else if (S_ISDIR(st.st_mode)) {
        src->fault = cannot_read(s, EISDIR);
    } else {
        src->file->dev = st.st_dev;
        src->file->ino = st.st_ino;
        src->file->size = st.st_size;
        src->file->mtime = st.st_mtim;
        if (with_text)
            src->fault = read_all(s, fd, &src->text);
    }
    src->loaded = with_text;
    if (fd >= 0)
        close(fd);
}

static struct source *get_source(struct sources *s, const char *path, enum conf_file_kind kind)
{
    struct source *src = map_get(&s->by_path, str_of(path));
    bool with_text = kind != CONF_FILE_NAMED;
    if (src && (src->loaded || !with_text))
        return src;
    if (!src) {
        src = arena_zalloc(s->arena, sizeof *src);
        src->file = arena_zalloc(s->arena, sizeof *src->file);
        src->file->path = arena_dup(s->arena, path, strlen(path));
        src->file->kind = kind;
        map_put(&s->by_path, str_of(src->file->path), src);
        if (s->count == s->capacity) {
            s->capacity = s->capacity ? s->capacity * 2 : 16;
            s->files = xrealloc(s->files, s->capacity * sizeof *s->files);
        }
        s->files[s->count++] = src->file;
    }
    load(s, src, with_text);
    return src;
}

const char *sources_read(struct sources *s, const char *path, enum conf_file_kind kind,
                         struct str *text)
{
    struct source *src = get_source(s, path, kind);
    *text = src->text;
    return src->fault;
}

const char *sources_probe(struct sources *s, const char *path)
{
    return get_source(s, path, CONF_FILE_NAMED)->fault;
}
