/* What the system knows of this process, under the names that every Prometheus client uses. */
#ifndef TG_CONTROL_METRICS_PROCESS_H
#define TG_CONTROL_METRICS_PROCESS_H

#include "base/str.h"

/* Adds process_* as text; what /proc does not tell is left out. */
void metrics_process_write(struct buf *out, bool openmetrics);

#endif
