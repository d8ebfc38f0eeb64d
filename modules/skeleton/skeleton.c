/* An example to copy, see skeleton.md: puts a field on the request and on the answer, or refuses
 * the request. It is built and tested, but only tests register it. */
#include "modules/skeleton/skeleton.h"

#include "base/node.h"

/* The instance: what `create` made of one route's configuration. All workers read it at once, so
 * nobody writes to it afterwards. */
struct skeleton {
    struct str value;
    bool refuse;
};

/* Called while a snapshot is built, outside the workers: the place for everything that is slow. The
 * tree is checked already, so that keys have their types and defaults. Memory comes from the
 * snapshot's arena; what needs more than memory is given back in `destroy`. */
static int create(struct tg_build *b, void **inst)
{
    const struct node *conf = node_get(b->route, "skeleton");

    if (!conf)
        return 0; /* this route does not want the module: *inst stays NULL, no hook is called */
    if (!node_str(conf, "value")) {
        buf_printf(b->error, "skeleton: value is missing");
        return -1; /* the whole configuration is refused, nothing changes */
    }
    struct skeleton *s = arena_zalloc(b->arena, sizeof *s);
    s->value = arena_str(b->arena, str_of(node_str(conf, "value")));
    s->refuse = node_bool(conf, "refuse");
    *inst = s;
    return 0;
}

/* The request's head is there, the body may still come. Never blocks: what takes time says tg_wait
 * and returns TG_WAIT. Bytes that must outlive the call come from the request's arena or the
 * instance. */
static enum tg_verdict on_request(struct req *r, void *inst)
{
    const struct skeleton *s = inst;

    if (s->refuse) {
        tg_reply_error(r, "acl_denied", "the skeleton refuses everybody");
        return TG_DONE;
    }
    headers_set(&r->x.headers, STR("X-Skeleton"), s->value);
    return TG_NEXT;
}

/* The answer's head, the service's or the gateway's own, before it goes to the client. */
static void on_response(struct req *r, void *inst)
{
    const struct skeleton *s = inst;

    headers_set(&r->x.answer, STR("X-Skeleton"), s->value);
}

const struct tg_filter skeleton_filter = {
    .name = "skeleton",
    .phase = TG_PHASE_TRANSFORM,
    .create = create,
    .on_request = on_request,
    .on_response = on_response,
};
