/* Whom the gateway process runs as, see user.h. */
#include "config.h"

#include "control/user.h"

#include "base/check.h"
#include "base/node.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char *const log_keys[] = {"telemetry.access_log.path", "telemetry.audit_log.path",
                                       "telemetry.error_log.path"};

static int fail(char *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fail(char *error, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(error, USER_ERROR_MAX, fmt, args);
    va_end(args);
    return -1;
}

static bool lookup(const char *name, struct user *user)
{
    const struct passwd *entry = getpwnam(name);

    if (entry == NULL || strlen(entry->pw_name) >= sizeof(user->name))
        return false;
    strcpy(user->name, entry->pw_name);
    user->uid = entry->pw_uid;
    user->gid = entry->pw_gid;
    return true;
}

static void stay(struct user *user)
{
    const struct passwd *entry = getpwuid(geteuid());

    user->uid = geteuid();
    user->gid = getegid();
    if (entry != NULL)
        snprintf(user->name, sizeof(user->name), "%s", entry->pw_name);
    else
        snprintf(user->name, sizeof(user->name), "%u", (unsigned)user->uid);
}

int user_find(const struct conf *conf, struct user *user, char error[USER_ERROR_MAX])
{
    const struct node *root = conf_root(conf);
    const char *name = node_str(root, "user");

    *user = (struct user){.change = geteuid() == 0};
    if (!user->change) {
        stay(user);
        return 0;
    }
    if (name != NULL && lookup(name, user))
        return 0;
    if (name != NULL && node_given(root, "user")) {
        struct node_pos pos = node_pos(node_get(root, "user"));
        return fail(error, "%s:%u:%u: user: there is no user \"%s\" on this machine", pos.file,
                    pos.line, pos.column, name);
    }
    user->fallback = true;
    if (lookup("nobody", user))
        return 0;
    return fail(error, "user: neither \"%s\" nor \"nobody\" is a user on this machine", name);
}

/* The path of a log that is a file, or NULL. */
static const char *log_path(const struct conf *conf, size_t i)
{
    const char *path = node_str(conf_root(conf), log_keys[i]);
    return path != NULL && strcmp(path, "-") != 0 ? path : NULL;
}

int user_prepare_logs(const struct conf *conf, const struct user *user, char error[USER_ERROR_MAX])
{
    for (size_t i = 0; user->change && i < array_size(log_keys); i++) {
        const char *path = log_path(conf, i);
        if (path == NULL)
            continue;
        /* O_EXCL: what is there already, a link that the user made say, is not given away. */
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
        if (fd < 0 && errno == EEXIST)
            continue;
        if (fd < 0 || fchown(fd, user->uid, user->gid) != 0) {
            int reason = errno;
            if (fd >= 0)
                close(fd);
            return fail(error, "%s: %s: cannot make the file: %s", log_keys[i], path,
                        strerror(reason));
        }
        close(fd);
    }
    return 0;
}

int user_become(const struct user *user, char error[USER_ERROR_MAX])
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(error, "cannot give up new privileges: %s", strerror(errno));
    if (!user->change)
        return 0;
    if (initgroups(user->name, user->gid) != 0 || setresgid(user->gid, user->gid, user->gid) != 0 ||
        setresuid(user->uid, user->uid, user->uid) != 0)
        return fail(error, "cannot become user \"%s\": %s", user->name, strerror(errno));
    ensure(user->uid == 0 || setuid(0) != 0);
#ifdef TG_SANITIZED
    prctl(PR_SET_DUMPABLE, 1); /* the leak sanitizer traces its own process */
#else
    prctl(PR_SET_DUMPABLE, 0); /* no core file and no debugger of that user sees private keys */
#endif
    return 0;
}

static bool can_open(const char *path, int flags)
{
    int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0640);
    int reason = errno;

    if (fd >= 0)
        close(fd);
    errno = reason;
    return fd >= 0;
}

int user_check_files(const struct conf *conf, const struct user *user, char error[USER_ERROR_MAX])
{
    for (size_t i = 0; i < conf_file_count(conf); i++) {
        const char *path = conf_file_at(conf, i)->path;
        if (!can_open(path, O_RDONLY))
            return fail(error, "%s: user \"%s\" cannot read it: %s", path, user->name,
                        strerror(errno));
    }
    for (size_t i = 0; i < array_size(log_keys); i++) {
        const char *path = log_path(conf, i);
        if (path != NULL && !can_open(path, O_WRONLY | O_APPEND | O_CREAT))
            return fail(error, "%s: %s: user \"%s\" cannot write it: %s", log_keys[i], path,
                        user->name, strerror(errno));
    }
    return 0;
}
