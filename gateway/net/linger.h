/*
 * Connections on their way out: what is left to send is sent, the peer gets
 * time to read it and to close first, then the socket goes. Closing at once
 * would turn a peer's late byte (its close_notify, say) into a reset, which can
 * destroy data that the peer has not read yet.
 */
#ifndef ATTLSD_GATEWAY_NET_LINGER_H
#define ATTLSD_GATEWAY_NET_LINGER_H

#include "gateway/net/stream.h"

struct linger;

/* All that a process keeps, with their bound. */
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

/*
 * Take over a stream of which nothing is worth anything, to be reset a little
 * later: a server that has not even accepted it may lose its wits otherwise, and never say what became of the
 * transfer (pyftpdlib does). `from` is closed afterwards.
 */
void linger_reset(struct linger_list *list, struct stream *from);

/* From now on nobody gets much time: the process wants to end. */
void linger_hurry(struct linger_list *list);

/* Close all at once. */
void linger_done(struct linger_list *list);

#endif
