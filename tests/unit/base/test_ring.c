/* Bytes from one thread to another through a ring. */
#include "base/ring.h"

#include "base/rand.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct ring *ring;

static void make_ring(void)
{
    ring = ring_new(1, -1);
    cr_assert_not_null(ring);
}

static void free_ring(void)
{
    ring_free(&ring);
}

TestSuite(ring, .init = make_ring, .fini = free_ring);

static bool put(const char *text)
{
    size_t n = strlen(text);
    char *room = ring_reserve(ring, n);

    if (!room)
        return false;
    memcpy(room, text, n);
    ring_commit(ring, n);
    return true;
}

Test(ring, shows_records_in_the_order_of_their_commits)
{
    cr_assert_eq(ring_peek(ring).n, 0);
    put("one\n");
    put("two\n");
    cr_assert(str_eq(ring_peek(ring), STR("one\ntwo\n")));
    ring_consume(ring, 4);
    cr_assert(str_eq(ring_peek(ring), STR("two\n")));
}

Test(ring, a_reservation_without_commit_is_not_seen)
{
    cr_assert_not_null(ring_reserve(ring, 100));
    cr_assert_eq(ring_peek(ring).n, 0);
}

Test(ring, less_than_reserved_may_be_committed)
{
    char *room = ring_reserve(ring, 100);

    memcpy(room, "abc", 3);
    ring_commit(ring, 3);
    cr_assert(str_eq(ring_peek(ring), STR("abc")));
}

Test(ring, refuses_what_does_not_fit_until_there_is_room_again)
{
    cr_assert_null(ring_reserve(ring, ring->size + 1));
    cr_assert_not_null(ring_reserve(ring, ring->size));
    ring_commit(ring, ring->size);
    cr_assert_null(ring_reserve(ring, 1));
    ring_drop(ring);
    cr_assert_eq(ring_dropped(ring), 1);
    ring_consume(ring, 10);
    cr_assert_not_null(ring_reserve(ring, 10));
    cr_assert_null(ring_reserve(ring, 11));
}

Test(ring, a_record_over_the_end_lies_in_one_piece)
{
    ring_commit(ring, ring->size - 2);
    ring_consume(ring, ring->size - 2);
    cr_assert(put("whole\n"));
    cr_assert(str_eq(ring_peek(ring), STR("whole\n")));
}

Test(ring, wakes_the_consumer_once_when_it_becomes_more_than_half_full)
{
    int fd = eventfd(0, EFD_NONBLOCK);
    struct ring *r = ring_new(4096, fd);
    uint64_t count;

    for (int i = 0; i < 3; i++) {
        cr_assert_not_null(ring_reserve(r, 1000));
        ring_commit(r, 1000);
        bool woken = read(fd, &count, sizeof count) == sizeof count;
        cr_assert_eq(woken, i == 2, "commit %d", i);
    }
    cr_assert_not_null(ring_reserve(r, 1000));
    ring_commit(r, 1000);
    cr_assert_lt(read(fd, &count, sizeof count), 0, "not twice");
    ring_consume(r, 4000);
    for (int i = 0; i < 3; i++) {
        cr_assert_not_null(ring_reserve(r, 1000));
        ring_commit(r, 1000);
    }
    cr_assert_eq(read(fd, &count, sizeof count), (ssize_t)sizeof count, "again after it was empty");
    ring_free(&r);
    close(fd);
}

enum { RECORDS = 200000 };

/* Records of 1 to 40 bytes: their length, then bytes that follow from their number. */
static void *produce(void *arg)
{
    struct rand rand = {.s = {1, 2, 3, 4}};

    (void)arg;
    for (unsigned i = 0; i < RECORDS;) {
        unsigned n = 1 + rand_below(&rand, 40);
        char *room;
        while (!(room = ring_reserve(ring, n)))
            sched_yield();
        room[0] = (char)n;
        memset(room + 1, (char)i, n - 1);
        ring_commit(ring, n);
        i++;
    }
    return NULL;
}

Test(ring, two_threads_lose_and_change_nothing)
{
    pthread_t producer;
    unsigned i = 0;

    cr_assert_eq(pthread_create(&producer, NULL, produce, NULL), 0);
    while (i < RECORDS) {
        struct str s = ring_peek(ring);
        if (s.n == 0) {
            sched_yield();
            continue;
        }
        unsigned n = (unsigned char)s.p[0];
        cr_assert(n >= 1 && n <= 40 && n <= s.n);
        for (unsigned k = 1; k < n; k++)
            cr_assert_eq(s.p[k], (char)i);
        ring_consume(ring, n);
        i++;
    }
    pthread_join(producer, NULL);
    cr_assert_eq(ring_peek(ring).n, 0);
}
