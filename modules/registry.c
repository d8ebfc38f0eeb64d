/* Every module that is built in, one line each. Their order does not matter: the phase decides. */
#include "modules/access_log/access_log.h"
#include "modules/headers/headers.h"
#include "modules/request_id/request_id.h"

const struct tg_filter *const tg_filters[] = {
    &access_log_filter,
    &headers_filter,
    &request_id_filter,
    NULL,
};
