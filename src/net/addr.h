/* Socket addresses: IPv4, IPv6 and Unix, as configured and as text. */
#ifndef TG_NET_ADDR_H
#define TG_NET_ADDR_H

#include "base/str.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addr {
    socklen_t len;
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
};

enum { ADDR_TEXT = 128 };

/* "192.0.2.1:80", "[2001:db8::1]:80", "unix:/path"; -1 if it is none of these. */
int addr_parse(struct str text, struct addr *out) __attribute__((warn_unused_result));
/* The form that addr_parse takes; returns its length. */
size_t addr_format(const struct addr *a, char out[ADDR_TEXT]);
/* The address alone, no port: "192.0.2.1", "2001:db8::1", "unix". IPv4-mapped is shown as IPv4. */
size_t addr_format_ip(const struct addr *a, char out[ADDR_TEXT]);
/* 0 for Unix. */
uint16_t addr_port(const struct addr *a);
bool addr_equal(const struct addr *a, const struct addr *b);
/* True for Unix sockets too. */
bool addr_is_loopback(const struct addr *a);

#endif
