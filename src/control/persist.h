/* The persist thread: the only one that writes log files. Workers put whole lines into rings; it
 * collects them several times a second and writes many at once. Nothing here ever blocks a worker:
 * a file that cannot be written loses lines, which are counted, and takes lines again when it can.
 * A line is never torn and lines of workers never mix. */
#ifndef TG_CONTROL_PERSIST_H
#define TG_CONTROL_PERSIST_H

#include "base/ring.h"

struct persist;
struct persist_file;

/* NULL only without descriptors or memory mappings. No thread runs yet. */
struct persist *persist_new(void);

/* Opens a log, appended to ("-": stdout), while the process still may; NULL and errno if it cannot.
 * `name` ("access") is for messages. Owned by the persist. */
struct persist_file *persist_open(struct persist *p, const char *name, const char *path);
/* From now on lines go to `path` (the same: nothing happens); what cannot be opened is logged and
 * the old file kept. From one thread (control). */
void persist_redirect(struct persist_file *f, const char *path);

/* A ring of `size` bytes for one producer; before persist_start. NULL if the kernel refuses. */
struct ring *persist_ring(struct persist_file *f, size_t size);

/* -1: no thread could be made. */
int persist_start(struct persist *p) __attribute__((warn_unused_result));
/* All files opened again (SIGUSR1): asked from any thread, done by the persist thread. */
void persist_reopen(struct persist *p);
/* Producers are quiet: writes what is left (for at most a second), ends the thread. */
void persist_stop(struct persist *p);
/* Stopped or never started. Rings go with it. Nulls *p. */
void persist_free(struct persist **p);

/* Lines lost so far, from any thread: for want of room in a ring, and because the file could not be
 * written. */
uint64_t persist_dropped(const struct persist_file *f);
uint64_t persist_lost(const struct persist_file *f);

#endif
