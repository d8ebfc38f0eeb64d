/* How threads talk: many may post, the loop's thread runs what was posted, in order. The eventfd is
 * written only when the inbox was empty. */
#ifndef TG_NET_INBOX_H
#define TG_NET_INBOX_H

struct loop;
struct inbox;

/* Embedded in the sender's object, which must live until run was called. */
struct message {
    struct message *next;
    void (*run)(struct message *);
};

/* NULL only without descriptors. */
struct inbox *inbox_new(struct loop *l);
/* From the loop's thread: what was posted so far is run now. */
void inbox_run(struct inbox *in);
/* From the loop's thread; nobody may post any more. What is left is run. */
void inbox_free(struct inbox *in);
/* From any thread. */
void inbox_post(struct inbox *in, struct message *m);

#endif
