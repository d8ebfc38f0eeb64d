/* What the files of the admin API share: connections and requests (admin.c), who may ask
 * (admin_guard.c), the table of what can be asked (admin_routes.c), and the answers (status.c). */
#ifndef TG_CONTROL_ADMIN_PRIVATE_H
#define TG_CONTROL_ADMIN_PRIVATE_H

#include "base/list.h"
#include "control/admin.h"
#include "control/liveness.h"
#include "http/h1_server.h"
#include "net/listener.h"

enum { TOKEN_DIGEST = 32 };

/* In ascending order: each may do what those before it may. */
enum admin_role { ROLE_READ, ROLE_WRITE, ROLE_ADMIN };

/* A configured bearer token; only its SHA-256 is kept. */
struct admin_token {
    char *name;
    uint8_t digest[TOKEN_DIGEST];
    enum admin_role role;
};

/* A socket that admin connections come in by. */
struct admin_port {
    struct listener listener;
    struct admin *admin;
    struct tls_server *tls;
    unsigned conn_count;
    bool probe;
    bool loopback; /* bound to a loopback address: Host must be one too */
};

struct admin {
    struct loop *loop;
    struct h1_env env;
    struct h1_server_limits limits;
    const struct admin_sources *sources;
    struct admin_token *tokens;
    size_t token_count;
    struct list conns;
    unsigned conn_count;
    struct admin_port ports[ADMIN_LISTENERS_MAX];
    unsigned port_count;
    struct liveness liveness;
    struct timer watch; /* once a second: liveness */
    bool closing;
};

struct admin_conn {
    struct stream stream;
    struct h1_server h1;
    struct admin_port *port;
    struct list link; /* in admin->conns */
    struct task release;
};

struct admin_route;

/* One request; freed when its exchange ends. */
struct admin_req {
    struct exchange x; /* first: the codec allocates through it */
    struct admin_conn *conn;
    const struct admin_route *route;
    struct str path; /* of the target */
    struct buf body;
};

/* One line of the API. */
struct admin_route {
    enum http_method method;
    const char *path; /* "*" stands for any one segment */
    unsigned flags;
    enum admin_role role;
    void (*handler)(struct admin_req *q); /* answers; NULL: not built in yet */
};

enum {
    ROUTE_OPEN = 1,  /* needs no token */
    ROUTE_PROBE = 2, /* on the probe address too */
};

/* The route of q->path and the method, or NULL after 404, 405 or 501 was answered. */
const struct admin_route *admin_route_find(struct admin_req *q);

/* Whether the request may go on to its route; false after 401, 403 or 415 was answered. */
bool admin_guard_request(struct admin_req *q);
/* Host and Origin, before anything else; false after 403. */
bool admin_guard_origin(struct admin_req *q);
/* Reads `tokens` and `token` of the admin section. */
void admin_guard_configure(struct admin *a, const struct node *conf);
void admin_guard_fini(struct admin *a);

/* Answers; the first takes over the reference to `body`. */
void admin_reply_json(struct admin_req *q, unsigned status, json_t *body);
void admin_reply_text(struct admin_req *q, unsigned status, const char *type, struct str body);
void admin_reply_problem(struct admin_req *q, unsigned status, const char *code,
                         const char *detail);

static inline struct admin *admin_of(const struct admin_req *q)
{
    return q->conn->port->admin;
}

/* Handlers of status.c. */
void status_health(struct admin_req *q);
void status_ready(struct admin_req *q);
void status_startup(struct admin_req *q);
void status_metrics(struct admin_req *q);
void status_show(struct admin_req *q);

#endif
