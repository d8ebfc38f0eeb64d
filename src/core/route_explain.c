/* Why each rule was chosen or not, for people: asks every rule by itself with the same comparisons
 * as the matcher and ranks those that hold. See route.h. */
#include "core/route_router.h"

/* What decides among rules that hold, in this order; of two the greater one wins. */
struct rank {
    int64_t priority;
    int64_t host; /* exact: above all, wildcard: its length, any: 0 */
    int64_t path; /* exact: above all, regex: above all prefixes, prefix: its length */
    int64_t matchers;
    int64_t order; /* later in the file: smaller */
};

enum { RANK_EXACT = INT32_MAX, RANK_REGEX = RANK_EXACT - 1 };

static int64_t host_rank(const struct route_entry *e, struct str host)
{
    int64_t rank = -1;
    for (size_t i = 0; i < e->n_hosts; i++) {
        const struct route_host *h = &e->hosts[i];
        int64_t this = -1;
        if (h->kind == ROUTE_HOST_ANY)
            this = 0;
        else if (h->kind == ROUTE_HOST_EXACT && str_eq(h->name, host))
            this = RANK_EXACT;
        else if (h->kind == ROUTE_HOST_WILDCARD && host.n > h->name.n &&
                 str_eq(h->name, str_make(host.p + host.n - h->name.n, h->name.n)))
            this = (int64_t)h->name.n;
        rank = this > rank ? this : rank;
    }
    return rank;
}

static bool prefix_holds(struct str prefix, struct str path)
{
    if (!str_starts(path, prefix))
        return false;
    return prefix.p[prefix.n - 1] == '/' || path.n == prefix.n || path.p[prefix.n] == '/';
}

/* -1: none of its paths; `*gave_up` if a regex did. */
static int64_t path_rank(const struct route_entry *e, struct route_scratch *s, struct str path,
                         bool *gave_up)
{
    int64_t rank = -1;
    for (size_t i = 0; i < e->n_paths; i++) {
        const struct route_path *p = &e->paths[i];
        int64_t this = -1;
        int rc;
        switch ((enum route_path_kind)e->rule->path_kind) {
        case ROUTE_PATH_EXACT: this = str_eq(p->text, path) ? RANK_EXACT : -1; break;
        case ROUTE_PATH_PREFIX: this = prefix_holds(p->text, path) ? (int64_t)p->text.n : -1; break;
        case ROUTE_PATH_REGEX:
            rc = route_path_matches(p, s, path);
            *gave_up |= rc < 0;
            this = rc > 0 ? RANK_REGEX : -1;
            break;
        }
        rank = this > rank ? this : rank;
    }
    return rank;
}

static enum route_reason fields_reason(const struct route_entry *e, struct route_scratch *s,
                                       const struct route_query *q, struct str *which)
{
    int rc = route_entry_headers_hold(e, s, q, which);
    if (rc <= 0)
        return rc ? ROUTE_GAVE_UP : ROUTE_OTHER_HEADER;
    rc = route_entry_query_holds(e, s, q, which);
    if (rc <= 0)
        return rc ? ROUTE_GAVE_UP : ROUTE_OTHER_QUERY;
    *which = STR_NULL;
    return ROUTE_CHOSEN;
}

/* ROUTE_CHOSEN: all of it holds, and *rank says how well. */
static enum route_reason entry_reason(const struct router *r, const struct route_entry *e,
                                      struct route_scratch *s, const struct route_query *q,
                                      struct rank *rank, struct str *which)
{
    char room[ROUTE_HOST_MAX];
    bool gave_up = false;
    *which = STR_NULL;
    rank->priority = e->rule->priority;
    rank->host = host_rank(e, route_host_canonical(q->host, room));
    rank->path = path_rank(e, s, q->path, &gave_up);
    rank->matchers = rank->path == RANK_REGEX ? 0 : e->matchers;
    rank->order = -(int64_t)(e - r->entries);
    if (!(e->listeners >> q->listener & 1))
        return ROUTE_OTHER_LISTENER;
    if (rank->host < 0)
        return ROUTE_OTHER_HOST;
    if (gave_up)
        return ROUTE_GAVE_UP;
    if (rank->path < 0)
        return ROUTE_OTHER_PATH;
    if (!route_entry_takes_method(e, q))
        return ROUTE_OTHER_METHOD;
    return fields_reason(e, s, q, which);
}

static enum route_reason lost_by(const struct rank *mine, const struct rank *chosen)
{
    if (mine->priority != chosen->priority)
        return ROUTE_LOWER_PRIORITY;
    if (mine->host != chosen->host)
        return ROUTE_LESS_EXACT_HOST;
    if (mine->path != chosen->path)
        return ROUTE_LESS_EXACT_PATH;
    return mine->matchers != chosen->matchers ? ROUTE_FEWER_MATCHERS : ROUTE_LATER_IN_FILE;
}

static const struct route_entry *entry_of(const struct router *r, const struct route_rule *rule)
{
    for (size_t i = 0; i < r->n_entries; i++)
        if (r->entries[i].rule == rule)
            return &r->entries[i];
    return NULL;
}

enum route_result router_explain(const struct router *r, struct route_scratch *s,
                                 const struct route_query *q, struct route_match *out,
                                 route_explain_cb *report, void *ctx)
{
    enum route_result result = router_match(r, s, q, out);
    const struct route_entry *chosen = entry_of(r, out->rule);
    struct rank best = {0}, rank;
    struct str which;
    if (chosen)
        entry_reason(r, chosen, s, q, &best, &which);
    for (size_t i = 0; i < r->n_entries; i++) {
        const struct route_entry *e = &r->entries[i];
        enum route_reason reason = entry_reason(r, e, s, q, &rank, &which);
        if (reason == ROUTE_CHOSEN && e != chosen)
            reason = lost_by(&rank, &best);
        report(ctx, e->rule, reason, which);
    }
    return result;
}

const char *route_reason_text(enum route_reason reason)
{
    switch (reason) {
    case ROUTE_CHOSEN: return "chosen";
    case ROUTE_OTHER_LISTENER: return "another listener";
    case ROUTE_OTHER_HOST: return "another host";
    case ROUTE_OTHER_PATH: return "another path";
    case ROUTE_OTHER_METHOD: return "another method";
    case ROUTE_OTHER_HEADER: return "a header does not match";
    case ROUTE_OTHER_QUERY: return "a query parameter does not match";
    case ROUTE_GAVE_UP: return "a regular expression ran into its limits";
    case ROUTE_LOWER_PRIORITY: return "a lower priority";
    case ROUTE_LESS_EXACT_HOST: return "a less exact host";
    case ROUTE_LESS_EXACT_PATH: return "a less exact path";
    case ROUTE_FEWER_MATCHERS: return "fewer matchers";
    case ROUTE_LATER_IN_FILE: return "later in the file";
    }
    return "";
}
