/* The table of the module skeleton, for the registry and its tests. */
#ifndef TG_MODULES_SKELETON_H
#define TG_MODULES_SKELETON_H

#include "core/filter.h"

extern const struct tg_filter skeleton_filter;

#endif
