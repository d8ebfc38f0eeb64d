/* The listening sockets: opened here, kept here over every death of the gateway process, so that
 * what the kernel has accepted waits for the next one.
 *
 * A TCP address has a group of SO_REUSEPORT sockets that never shrinks while the address is
 * configured (closing a member resets what is in its queue); a Unix address has one socket. */
#ifndef TG_SUPERVISOR_SOCKETS_H
#define TG_SUPERVISOR_SOCKETS_H

#include "base/list.h"
#include "base/proto.h"

#include <stdint.h>

/* The sockets of one address. */
struct sockets_group {
    struct list node;
    struct proto_address address;
    int *fds;
    size_t count;
    uint64_t generation; /* of the gateway process that wanted it last */
};

/* All groups; zero-initialised memory is made ready by sockets_init. */
struct sockets {
    struct list groups;
};

void sockets_init(struct sockets *sockets);

/* Closes all sockets and removes the files of the Unix ones. */
void sockets_fini(struct sockets *sockets);

/* Finds or opens the group of a WANT, and lets it grow to the count wanted. 0 and *group, or errno;
 * EADDRINUSE when somebody else has the address: worth another try for a second. */
int sockets_want(struct sockets *sockets, const struct proto_msg *want, uint64_t generation,
                 struct sockets_group **group) __attribute__((warn_unused_result));

/* Closes the group of address, if there is one. */
void sockets_release(struct sockets *sockets, const struct proto_address *address);

/* Closes the groups that no gateway process of this generation or a later one wanted. */
void sockets_release_older(struct sockets *sockets, uint64_t generation);

#endif
