/* Keys of stateless session tickets: made here, shared by all workers, a new one in front from
 * time to time. Each set is immutable; it is freed when no worker uses it any more. */
#ifndef TG_CONTROL_TICKETS_H
#define TG_CONTROL_TICKETS_H

#include "net/loop.h"
#include "net/tls.h"
#include "worker/worker.h"

struct ticket_version;

struct tickets {
    struct loop *loop;
    struct inbox *control;
    struct worker **workers;
    unsigned worker_count;
    struct ticket_version *current;
    struct timer timer;
    uint64_t rotate_ms;
};

/* Makes the first set and gives it to workers that do not run yet; a new one every `rotate_ms`. */
void tickets_start(struct tickets *t, uint64_t rotate_ms);
/* No worker runs any more. */
void tickets_stop(struct tickets *t);

#endif
