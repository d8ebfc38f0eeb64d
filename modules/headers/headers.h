/* The table of the module headers, for the registry and its tests. */
#ifndef TG_MODULES_HEADERS_H
#define TG_MODULES_HEADERS_H

#include "core/filter.h"

extern const struct tg_filter headers_filter;

#endif
