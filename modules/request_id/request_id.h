/* The table of the module request_id, for the registry and its tests. */
#ifndef TG_MODULES_REQUEST_ID_H
#define TG_MODULES_REQUEST_ID_H

#include "core/filter.h"

extern const struct tg_filter request_id_filter;

#endif
