/* Counters of all workers, and what others tell, as Prometheus text (or OpenMetrics). Series of
 * several workers with the same labels are summed. Every family appears with # HELP and # TYPE,
 * also one that has no sample yet. Lives for one scrape, in control's thread. */
#ifndef TG_CONTROL_METRICS_TEXT_H
#define TG_CONTROL_METRICS_TEXT_H

#include "core/metrics.h"

/* The sums of all workers and the buffers of one export; control's own. */
struct metrics_text;

/* Never NULL; freed and set to NULL by the other. */
struct metrics_text *metrics_text_new(void);
void metrics_text_free(struct metrics_text **t);

/* Adds all that a worker has counted. */
void metrics_text_worker(struct metrics_text *t, const struct metrics *m);
/* Adds to one sample that is known otherwise (config_generation, certificate expiry...); `values`
 * as many as the family has labels, NULL for none. */
void metrics_text_value(struct metrics_text *t, enum metrics_family f, const struct str *values,
                        double value);
/* Everything, with process_* of this process (/proc/self). */
void metrics_text_write(const struct metrics_text *t, struct buf *out, bool openmetrics);

#endif
