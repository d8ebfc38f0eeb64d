/* Gives every request an identifier of 128 random bits: `X-Request-Id` to the service and to the
 * client, ${request_id} in templates, http.request.id in logs. */
#include "modules/request_id/request_id.h"

enum { ID_LEN = 32 };

static void put_hex(char *out, uint64_t value)
{
    for (int i = 15; i >= 0; i--, value >>= 4)
        out[i] = "0123456789abcdef"[value & 15];
}

static int create(struct tg_build *b, void **inst)
{
    static const char wanted;

    (void)b;
    *inst = (void *)(uintptr_t)&wanted;
    return 0;
}

static enum tg_verdict on_request(struct req *r, void *inst)
{
    char *id = arena_alloc(&r->x.arena, ID_LEN + 1);

    (void)inst;
    put_hex(id, rand_u64(&r->worker->loop->rand));
    put_hex(id + 16, rand_u64(&r->worker->loop->rand));
    id[ID_LEN] = '\0';
    r->request_id = str_make(id, ID_LEN);
    headers_set_id(&r->x.headers, FIELD_X_REQUEST_ID, r->request_id);
    return TG_NEXT;
}

static void on_response(struct req *r, void *inst)
{
    (void)inst;
    headers_set_id(&r->x.answer, FIELD_X_REQUEST_ID, r->request_id);
}

const struct tg_filter request_id_filter = {
    .name = "request_id",
    .phase = TG_PHASE_ID,
    .create = create,
    .on_request = on_request,
    .on_response = on_response,
};
