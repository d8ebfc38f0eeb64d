/* All keys of the configuration. Files keys_*.c hold the tables, one per part of the contract. */
#ifndef TG_CONF_KEYS_H
#define TG_CONF_KEYS_H

#include "base/schema.h"

#define KEY_END                                                                                    \
    {                                                                                              \
        0                                                                                          \
    }
#define MS(n)   ((n)*INT64_C(1000000))
#define SEC(n)  ((n)*INT64_C(1000000000))
#define DAYS(n) SEC((n)*INT64_C(86400))
#define KIB(n)  ((n)*INT64_C(1024))
#define MIB(n)  KIB((n)*INT64_C(1024))
#define GIB(n)  MIB((n)*INT64_C(1024))

/* The top level; every other table hangs below it. */
extern const struct key KEYS_ROOT[];

extern const struct key KEYS_LISTENER[];
extern const struct key KEYS_CLIENT_LIMITS[];
extern const struct key KEYS_ADMIN[];
extern const struct key KEYS_STORE[];
extern const struct key KEYS_AUTH[];
extern const struct key KEYS_PLAN[];
extern const struct key KEYS_LIMIT[];
extern const struct key KEYS_TENANT[];
extern const struct key KEYS_SERVICE[];
extern const struct key KEYS_ROUTE[];
extern const struct key KEYS_TELEMETRY[];

#endif
