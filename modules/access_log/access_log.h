/* The table of the module access_log, for the registry and its tests. */
#ifndef TG_MODULES_ACCESS_LOG_H
#define TG_MODULES_ACCESS_LOG_H

#include "core/filter.h"

extern const struct tg_filter access_log_filter;

#endif
