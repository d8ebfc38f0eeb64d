/* Giving up root: whom the gateway process runs as, and whether that user can do what a reload and
 * the logs will ask of him. Every failure is told in one line by the caller. */
#ifndef TG_CONTROL_USER_H
#define TG_CONTROL_USER_H

#include "conf/conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define USER_ERROR_MAX 512

struct user {
    char name[64];
    uid_t uid;
    gid_t gid;
    bool change;   /* the process is root and is to become this user */
    bool fallback; /* nobody wrote `user`, its default is missing, and `nobody` stands in for it */
};

/* Finds whom to run as. A process that is not root stays who it is. 0, or -1 and the reason in
 * error. */
int user_find(const struct conf *conf, struct user *user, char error[USER_ERROR_MAX])
    __attribute__((warn_unused_result));

/* As root: makes the log files that are missing, owned by user. 0, or -1 and the reason. */
int user_prepare_logs(const struct conf *conf, const struct user *user, char error[USER_ERROR_MAX])
    __attribute__((warn_unused_result));

/* Becomes the user for good, with his groups and without a way back or to new privileges. */
int user_become(const struct user *user, char error[USER_ERROR_MAX])
    __attribute__((warn_unused_result));

/* As the user: opens every file that the configuration names, and the log files. */
int user_check_files(const struct conf *conf, const struct user *user, char error[USER_ERROR_MAX])
    __attribute__((warn_unused_result));

#endif
