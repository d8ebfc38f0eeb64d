/* A request, its worker and a checked configuration for the tests of modules. */
#ifndef TESTS_MODULES_FIXTURE_H
#define TESTS_MODULES_FIXTURE_H

#include "base/ring.h"
#include "conf/conf.h"
#include "core/filter.h"

struct fixture {
    struct conf *conf;
    struct arena arena; /* the snapshot's */
    struct loop *loop;
    struct ring *ring;
    struct req_worker worker;
    struct req r;
    struct buf error;
};

/* Everything but the configuration; a GET of /v1/email/42 that nobody has answered. */
void fixture_init(struct fixture *f);
void fixture_fini(struct fixture *f);

/* Makes an instance for a configuration with these members of its only route and of its telemetry
 * section (JSON, "" for none). -1: f->error says why. */
int fixture_create(struct fixture *f, const struct tg_filter *filter, const char *route,
                   const char *telemetry, void **inst);

/* Value of the only field of that name; fails the test if there are more. STR_NULL: none. */
struct str fixture_field(const struct headers *h, const char *name);

#endif
