/* The start of a gateway process, in the one order that is safe: while it is one thread and maybe
 * still root it loads the configuration, gets its sockets and opens its logs; then it gives up its
 * rights for good and looks whether it can still read what a reload will read; then it runs. */
#ifndef TG_CONTROL_START_H
#define TG_CONTROL_START_H

#include "conf/conf.h"
#include "control/channel.h"

#include <stddef.h>
#include <stdint.h>

/* What main() got from the supervisor by the command line. */
struct start_options {
    const char *conf_path;
    int channel_fd;
    int panic_fd;      /* pipe for the panic text; -1: stderr */
    uint32_t restarts; /* how often the supervisor had to start a gateway process again */
};

/* What gateway_run() starts from. Owned by start_gateway(); what gateway_run() takes over it
 * nulls. */
struct gateway_start {
    struct conf *conf;
    const char *conf_path;
    struct channel *channel;
    struct channel_sockets *sockets; /* one per address of listeners, admin.address and
                                        admin.probe_address; see start_sockets() */
    size_t sockets_count;
    size_t workers; /* at least 1 */
    uint32_t restarts;
    uint64_t started_mono_ns; /* when main() began */
};

/* Runs the gateway until it has drained or must stop; the exit status of the process. */
int gateway_run(struct gateway_start *start) __attribute__((warn_unused_result));

/* The role "gateway" from the first line to the last: the exit status of the process. Every failure
 * of the start is one line on stderr that says what and where, and 1. */
int start_gateway(const struct start_options *options) __attribute__((warn_unused_result));

/* Why there is no start, one line or more: on stderr for who typed the command, in the log when the
 * supervisor starts a process again. */
void start_failed(const struct gateway_start *start, struct str text);

/* The sockets of a configured address ("0.0.0.0:80"), or NULL when there are none; whoever takes
 * over the descriptors empties it. */
struct channel_sockets *start_sockets(const struct gateway_start *start, const char *address);

#endif
