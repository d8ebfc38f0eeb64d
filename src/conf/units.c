/* Types that are a number with a unit: durations, sizes, percentages, rates, quotas, times. */
#include "conf/types.h"

static const int64_t SECOND = 1000000000;

static const struct unit {
    const char *name;
    int64_t value;
} DURATION_UNITS[] =
    {
        {"d", 86400 * 1000000000LL}, {"h", 3600 * 1000000000LL}, {"ms", 1000000},
        {"m", 60 * 1000000000LL},    {"s", 1000000000},          {0},
},
  SIZE_UNITS[] = {{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {0}};

/* Takes decimal digits off `*s`, with `_` between them if `grouped`. */
static bool take_number(struct str *s, bool grouped, int64_t *out)
{
    int64_t v = 0;
    size_t i = 0;
    for (; i < s->n; i++) {
        char c = s->p[i];
        if (grouped && c == '_' && i > 0 && ascii_is_digit(s->p[i - 1]) && i + 1 < s->n &&
            ascii_is_digit(s->p[i + 1]))
            continue;
        if (!ascii_is_digit(c))
            break;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, c - '0', &v))
            return false;
    }
    if (i == 0)
        return false;
    *s = str_make(s->p + i, s->n - i);
    *out = v;
    return true;
}

static bool take_unit(struct str *s, const struct unit *units, int64_t *out)
{
    for (const struct unit *u = units; u->name; u++) {
        struct str name = str_of(u->name);
        if (str_starts(*s, name)) {
            *s = str_make(s->p + name.n, s->n - name.n);
            *out = u->value;
            return true;
        }
    }
    return false;
}

static struct str text_of(const struct typed *t)
{
    return str_make(t->out->text, t->out->count);
}

const char *units_duration_text(struct arena *arena, int64_t ns)
{
    static const char *const ORDER = "dhms";
    for (const char *u = ORDER; *u; u++) {
        int64_t value;
        struct str name = {u, 1};
        take_unit(&name, DURATION_UNITS, &value);
        if (ns && ns % value == 0)
            return arena_printf(arena, "%lld%c", (long long)(ns / value), *u);
    }
    return ns ? arena_printf(arena, "%lldms", (long long)(ns / 1000000)) : "0s";
}

const char *units_size_text(struct arena *arena, int64_t bytes)
{
    for (int i = 2; i >= 0; i--) {
        if (bytes && bytes % SIZE_UNITS[i].value == 0)
            return arena_printf(arena, "%lld%s", (long long)(bytes / SIZE_UNITS[i].value),
                                SIZE_UNITS[i].name);
    }
    return arena_printf(arena, "%lld", (long long)bytes);
}

static const char *out_of_range(struct arena *arena, const char *low, const char *high)
{
    return arena_printf(arena, "is out of range; it goes from %s to %s", low, high);
}

/* Bounds of the key, or the given ones when it has none. */
static void bounds(const struct key *key, int64_t min, int64_t max, int64_t *low, int64_t *high)
{
    bool has = key->min || key->max;
    *low = has ? key->min : min;
    *high = has && key->max ? key->max : max;
}

static bool read_duration(struct str s, int64_t *out)
{
    int64_t sum = 0;
    do {
        int64_t n, unit;
        if (!take_number(&s, false, &n) || !take_unit(&s, DURATION_UNITS, &unit) ||
            __builtin_mul_overflow(n, unit, &n) || __builtin_add_overflow(sum, n, &sum))
            return false;
    } while (s.n);
    *out = sum;
    return true;
}

const char *type_duration(struct typed *t)
{
    int64_t ns, low, high;
    struct arena *arena = t->sources->arena;
    if (t->out->kind == NODE_INT && ascii_is_digit(t->out->text[0])) {
        if (__builtin_mul_overflow(t->out->num, SECOND, &ns))
            return "is too large for a duration";
    } else if (strcmp(t->out->text, "0") == 0) {
        ns = 0;
    } else if (!read_duration(text_of(t), &ns)) {
        return "is not a duration; write an integer and ms, s, m, h or d, such as 500ms or 1h30m";
    }
    bounds(t->key, 0, 3660 * 86400 * SECOND, &low, &high);
    if (ns < low || ns > high)
        return out_of_range(arena, units_duration_text(arena, low),
                            units_duration_text(arena, high));
    t->out->kind = NODE_DURATION;
    t->out->num = ns;
    return NULL;
}

const char *type_size(struct typed *t)
{
    int64_t n, unit = 1, low, high;
    struct str s = text_of(t);
    struct arena *arena = t->sources->arena;
    if (!take_number(&s, false, &n) || (s.n && !take_unit(&s, SIZE_UNITS, &unit)) || s.n)
        return "is not a size; write an integer, alone or with KiB, MiB or GiB, such as 64KiB";
    bounds(t->key, 0, INT64_MAX, &low, &high);
    if (__builtin_mul_overflow(n, unit, &n) || n < low || n > high)
        return out_of_range(arena, units_size_text(arena, low), units_size_text(arena, high));
    t->out->kind = NODE_SIZE;
    t->out->num = n;
    return NULL;
}

const char *type_percent(struct typed *t)
{
    static const char *const WRONG =
        "is not a percentage; write a number from 0 to 100 (at most four "
        "decimals) and %, such as 2.5%";
    int64_t whole, ppm;
    struct str s = text_of(t);
    if (!take_number(&s, false, &whole) || whole > 100)
        return WRONG;
    ppm = whole * 10000;
    if (s.n && s.p[0] == '.') {
        int64_t scale = 1000;
        size_t i = 1;
        for (; i < s.n && ascii_is_digit(s.p[i]); i++, scale /= 10) {
            if (scale == 0)
                return WRONG;
            ppm += (s.p[i] - '0') * scale;
        }
        if (i == 1)
            return WRONG;
        s = str_make(s.p + i, s.n - i);
    }
    if (!str_eq(s, STR("%")) || ppm > 1000000)
        return WRONG;
    t->out->kind = NODE_PERCENT;
    t->out->num = ppm;
    return NULL;
}

const char *type_rate(struct typed *t)
{
    static const struct unit UNITS[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {0}};
    struct str s = text_of(t), head;
    int64_t n, k = 1, unit;
    bool ok = str_split(&s, '/', &head) && s.p && take_number(&head, true, &n) && head.n == 0;
    if (ok && s.n && ascii_is_digit(s.p[0]))
        ok = take_number(&s, true, &k);
    if (!ok || !take_unit(&s, UNITS, &unit) || s.n)
        return "is not a rate; write N/s, N/m, N/h or N/d, or with a count of them, such as 10/s "
               "or 100/5m";
    if (n < 1 || k < 1)
        return "is not a rate; both numbers begin at 1";
    if (n > INT64_C(1000000000000) || k > 366 * 86400 / unit)
        return "is out of range; at most 1000000000000 permits, in at most 366 days";
    t->out->kind = NODE_RATE;
    t->out->rate = (struct node_rate){(uint64_t)n, (uint64_t)(k * unit * SECOND)};
    return NULL;
}

const char *type_quota(struct typed *t)
{
    static const char *const PERIODS[] = {"minute", "hour", "day", "week", "month", "year"};
    struct str s = text_of(t), head;
    int64_t n;
    if (str_split(&s, '/', &head) && s.p && take_number(&head, true, &n) && head.n == 0 && n >= 1) {
        for (int i = NODE_MINUTE; i <= NODE_YEAR; i++) {
            if (str_eq(s, str_of(PERIODS[i]))) {
                t->out->kind = NODE_QUOTA;
                t->out->quota = (struct node_quota){(uint64_t)n, (enum node_period)i};
                return NULL;
            }
        }
    }
    return "is not a quota; write N (1 or more) / minute, hour, day, week, month or year, such as "
           "10000/day";
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool is_date(int y, int m, int d)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    return m >= 1 && m <= 12 && d >= 1 && d <= DAYS[m - 1] + (m == 2 && leap);
}

/* Matches `s` against a shape in which `0` is any digit; letters in either case. */
static bool has_shape(const char *s, const char *shape)
{
    for (; *shape; s++, shape++) {
        if (*shape == '0' ? !ascii_is_digit(*s) : ascii_lower(*s) != ascii_lower(*shape))
            return false;
    }
    return true;
}

static int two(const char *s)
{
    return (s[0] - '0') * 10 + s[1] - '0';
}

/* Offset of the zone in seconds; false if `s` is none. */
static bool read_zone(const char *s, int *offset)
{
    *offset = 0;
    if ((*s == 'Z' || *s == 'z') && s[1] == '\0')
        return true;
    if ((*s != '+' && *s != '-') || !has_shape(s + 1, "00:00") || s[6] || two(s + 1) > 23 ||
        two(s + 4) > 59)
        return false;
    *offset = (two(s + 1) * 60 + two(s + 4)) * (*s == '-' ? -60 : 60);
    return true;
}

const char *type_time(struct typed *t)
{
    static const char *const WRONG =
        "is not a time; write it as in RFC 3339, such as 2027-01-01T00:00:00Z";
    const char *s = t->out->text;
    int offset;
    if (!has_shape(s, "0000-00-00T00:00:00"))
        return WRONG;
    int year = two(s) * 100 + two(s + 2), month = two(s + 5), day = two(s + 8);
    int hour = two(s + 11), minute = two(s + 14), second = two(s + 17);
    const char *zone = s + 19;
    if (*zone == '.') {
        size_t digits = strspn(zone + 1, "0123456789");
        if (digits == 0)
            return WRONG;
        zone += 1 + digits;
    }
    if (!read_zone(zone, &offset) || !is_date(year, month, day) || hour > 23 || minute > 59 ||
        second > 60)
        return WRONG;
    t->out->kind = NODE_TIME;
    t->out->num = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 +
                  (second == 60 ? 59 : second) - offset;
    return NULL;
}
