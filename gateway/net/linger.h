/*
 * Lingering close: sends the remaining bytes, gives the peer time to read them and
 * to close first, then closes the socket. Closing at once would answer a late byte
 * of the peer (its close_notify, for example) with a reset, which can destroy data
 * that the peer has not read yet.
 */
#ifndef ATTLSD_GATEWAY_NET_LINGER_H
#define ATTLSD_GATEWAY_NET_LINGER_H

#include "gateway/net/stream.h"

struct linger;

/* All of a process, with their limit. */
struct linger_list {
	struct loop *loop;
	void (*on_empty)(struct linger_list *list); /* the last one has gone; may be NULL */
	struct linger *head;
	bool hurry;
	size_t n;
	size_t max; /* more are closed at once */
};

/*
 * Take over a stream that has been finished (stream_finish()); `from` is closed
 * afterwards. When too many linger already or memory is short, it is closed at once.
 */
void linger_take(struct linger_list *list, struct stream *from);

/* The same with a limit of its own for the peer's end. */
void linger_take_for(struct linger_list *list, struct stream *from, uint64_t limit_ms);

/*
 * Take over a stream that has failed, to reset it a little later: a server that
 * has not even accepted the connection may otherwise fail to report the outcome of
 * the transfer (pyftpdlib does). `from` is closed afterwards.
 */
void linger_reset(struct linger_list *list, struct stream *from);

/* The process is about to end: shorten all time-outs, and those to come. */
void linger_hurry(struct linger_list *list);

/* Close all at once. */
void linger_done(struct linger_list *list);

#endif
