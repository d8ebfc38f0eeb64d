/* Finds the owner of a listening socket through /proc, see owner.h. */
#include "supervisor/owner.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* TCP_LISTEN, as the kernel's table shows it. */
#define STATE_LISTEN 0x0a

/* The four or sixteen bytes of an address, as the table shows them: 32-bit words in host order. */
static bool parse_ip(const char *digits, unsigned char *ip, size_t words)
{
    if (strlen(digits) != words * 8)
        return false;
    for (size_t i = 0; i < words; i++) {
        char word[9] = "";
        memcpy(word, digits + i * 8, 8);
        uint32_t value = (uint32_t)strtoul(word, NULL, 16);
        memcpy(ip + i * 4, &value, 4);
    }
    return true;
}

/* Whether a listener on ip (words long) stands in the way of the address that was wanted. */
static bool conflicts(const struct proto_address *wanted, const unsigned char *ip, size_t words)
{
    static const unsigned char any[16];
    const struct sockaddr_in *in = (const struct sockaddr_in *)&wanted->storage;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&wanted->storage;

    if (memcmp(ip, any, words * 4) == 0)
        return true;
    if (wanted->storage.ss_family == AF_INET)
        return words == 1 && (in->sin_addr.s_addr == 0 || memcmp(&in->sin_addr, ip, 4) == 0);
    return words == 4 &&
           (memcmp(&in6->sin6_addr, any, 16) == 0 || memcmp(&in6->sin6_addr, ip, 16) == 0);
}

static unsigned long inode_tcp(const struct proto_address *wanted, const char *table, size_t words)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&wanted->storage;
    unsigned wanted_port = ntohs(in->sin_port); /* at the same place in sockaddr_in6 */
    FILE *file = fopen(table, "re");
    unsigned long inode = 0;
    char row[512];

    while (file != NULL && inode == 0 && fgets(row, sizeof(row), file) != NULL) {
        char digits[33];
        unsigned char ip[16];
        unsigned port, state;
        unsigned long found;
        if (sscanf(row, "%*d: %32[0-9A-F]:%x %*s %x %*s %*s %*s %*s %*s %lu", digits, &port, &state,
                   &found) == 4 &&
            port == wanted_port && state == STATE_LISTEN && parse_ip(digits, ip, words) &&
            conflicts(wanted, ip, words))
            inode = found;
    }
    if (file != NULL)
        fclose(file);
    return inode;
}

static unsigned long inode_unix(const struct proto_address *wanted)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&wanted->storage;
    FILE *file = fopen("/proc/net/unix", "re");
    unsigned long inode = 0;
    char row[512];

    while (file != NULL && inode == 0 && fgets(row, sizeof(row), file) != NULL) {
        unsigned long found;
        int path = 0;
        row[strcspn(row, "\n")] = '\0';
        if (sscanf(row, "%*s %*s %*s %*s %*s %*s %lu %n", &found, &path) == 1 && path > 0 &&
            strcmp(row + path, un->sun_path) == 0)
            inode = found;
    }
    if (file != NULL)
        fclose(file);
    return inode;
}

/* Whether process has a descriptor for the socket. */
static bool process_has(const char *pid, const char *socket_name)
{
    char path[64];
    char target[64];
    bool has = false;
    struct dirent *entry;

    snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
    DIR *dir = opendir(path);
    while (dir != NULL && !has && (entry = readdir(dir)) != NULL) {
        ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
        if (length < 0)
            continue;
        target[length] = '\0';
        has = strcmp(target, socket_name) == 0;
    }
    if (dir != NULL)
        closedir(dir);
    return has;
}

static void describe(const char *pid, char *text, size_t size)
{
    char path[64];
    char name[32] = "";

    snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
    FILE *file = fopen(path, "re");
    if (file != NULL && fgets(name, sizeof(name), file) != NULL)
        name[strcspn(name, "\n")] = '\0';
    if (file != NULL)
        fclose(file);
    snprintf(text, size, "%s (pid %.20s)", name, pid);
}

void owner_find(const struct proto_address *address, char *text, size_t size)
{
    unsigned long inode;
    char socket_name[40];
    struct dirent *entry;

    ensure(size > 0);
    text[0] = '\0';
    if (address->storage.ss_family == AF_UNIX)
        inode = inode_unix(address);
    else if (address->storage.ss_family == AF_INET)
        inode = inode_tcp(address, "/proc/net/tcp", 1);
    else
        inode = 0;
    if (inode == 0 && address->storage.ss_family != AF_UNIX)
        inode = inode_tcp(address, "/proc/net/tcp6", 4);
    if (inode == 0)
        return;
    snprintf(socket_name, sizeof(socket_name), "socket:[%lu]", inode);
    DIR *dir = opendir("/proc");
    while (dir != NULL && text[0] == '\0' && (entry = readdir(dir)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0]) && process_has(entry->d_name, socket_name))
            describe(entry->d_name, text, size);
    }
    if (dir != NULL)
        closedir(dir);
}
