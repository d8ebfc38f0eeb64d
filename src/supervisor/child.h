/* One gateway process as its supervisor sees it: how it is started, how it says that it lives, and
 * what it said as it died. */
#ifndef TG_SUPERVISOR_CHILD_H
#define TG_SUPERVISOR_CHILD_H

#include "base/proto.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Without a BEAT for this long it gets SIGABRT, then SIGKILL. */
#define CHILD_SILENCE_MS 15000
/* What it may take from its start to the first BEAT or READY. */
#define CHILD_START_MS 60000
#define CHILD_ABORT_MS 2000
/* What it may take to exit after a STOP, before SIGKILL. */
#define CHILD_STOP_MS 2000

#define CHILD_PANIC_MAX 3500

/* What never changes between the starts. */
struct child_image {
    int exe_fd; /* O_PATH descriptor of the running binary: never a newer one on disk */
    const char *conf_path;
    sigset_t signals; /* the mask that the process is to start with */
};

/* Zero-initialised: no process. */
struct child {
    pid_t pid;           /* 0: none */
    int channel_fd;      /* -1: closed by the other side */
    int panic_fd;        /* -1: closed by the other side */
    bool ready;          /* it said READY */
    bool aborted;        /* it got its SIGABRT */
    uint64_t ready_ns;   /* when it said so */
    uint64_t silence_ns; /* when its silence has been too long */
    char panic[CHILD_PANIC_MAX + 1];
    size_t panic_length;
};

/* Starts the gateway process; 0 or errno. */
int child_spawn(struct child *child, const struct child_image *image, uint32_t restarts,
                uint64_t now_ns) __attribute__((warn_unused_result));

/* Notes a sign of life. */
void child_beat(struct child *child, uint64_t now_ns);

/* It was silent until silence_ns: SIGABRT for the panic text, at the second call SIGKILL. */
void child_strike(struct child *child, uint64_t now_ns);

/* Sends a message without content; false when the process cannot take it. */
bool child_tell(struct child *child, enum proto_kind kind);

/* Takes what is in the panic pipe. */
void child_read_panic(struct child *child);

/* The process was reaped: reads the end of its panic text, closes what belonged to it and logs how
 * it died, unless it exited with 0 or never was ready and said itself why. */
void child_reaped(struct child *child, int status);

/* Closes the channel, from which nothing more can come. */
void child_close_channel(struct child *child);

#endif
