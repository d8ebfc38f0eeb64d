/* Who listens on an address that we wanted: for the message of "address in use". */
#ifndef TG_SUPERVISOR_OWNER_H
#define TG_SUPERVISOR_OWNER_H

#include "base/proto.h"

#include <stddef.h>

/* Writes "NAME (pid N)" of a process that listens on address, or on all addresses at its port, to
 * text; "" when it cannot be found or read (other users' processes need root). */
void owner_find(const struct proto_address *address, char *text, size_t size);

#endif
