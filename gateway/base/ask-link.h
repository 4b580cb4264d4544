/*
 * The asking end of a socket between two processes of attlsd of which one asks and waits, and the other
 * answers: one request, one answer, each a packet of a SOCK_SEQPACKET. The socket outlives those that answer:
 * when one has died, the next one announces itself.
 */
#ifndef ATTLSD_GATEWAY_BASE_ASK_LINK_H
#define ATTLSD_GATEWAY_BASE_ASK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How long a process that was late gets no requests, unless it sends something. */
#define ASK_LINK_SILENCE_MS 30000

struct ask_link {
	int fd;			  /* borrowed */
	unsigned ms;		  /* how long to wait for an answer */
	bool plain;		  /* this process may only read and write: see ask_link_pair() */
	uint64_t serial;	  /* of the last request; never 0 */
	uint64_t silent_until_ms; /* 0: it has answered */
};

/* What has come, compared with a request. */
enum ask_heard {
	ASK_HEARD_ANSWER,
	ASK_HEARD_LATE,	   /* the answer to an earlier request, or what counts as one */
	ASK_HEARD_STARTED, /* another process answers from now on; what the last one was asked is lost */
	ASK_HEARD_NONSENSE,
};

enum ask_result {
	ASK_ANSWERED,
	ASK_SILENT,	/* no answer in time */
	ASK_LEFT_ALONE, /* it has not answered an earlier request, so it was not asked */
	ASK_UNREAD,	/* requests are not read: the socket is full */
	ASK_GONE,	/* nobody can answer any more */
	ASK_MALFORMED,	/* something came that is no answer */
	ASK_DIED,	/* every attempt killed one */
	ASK_RESULT_COUNT
};

struct ask_question {
	const void *request;
	size_t request_bytes;
	void *answer; /* with room for a byte more than the longest one, so that a longer packet is seen to be
			 longer */
	size_t answer_size;
	/* What is this answer of `n` bytes to a request with this serial? */
	enum ask_heard (*judge)(const void *answer, size_t n, uint64_t serial);
	int attempts;	 /* how often the request may be sent */
	unsigned max_ms; /* how long to wait for this answer; 0: link->ms */
};

/*
 * A socket pair: the asking end, which waits for at most `ms`, and the answering end. plain: it waits as long
 * for room, because without send(2) it cannot ask for MSG_DONTWAIT. Returns 0 or a negative errno.
 */
int ask_link_pair(int fds[static 2], unsigned ms, bool plain);

/* Start with a random serial: answers to one who died may still be in the socket. Returns 0 or -EIO. */
int ask_link_init(struct ask_link *link, int fd, unsigned ms);

/* The serial of the next request. */
uint64_t ask_link_next(struct ask_link *link);

/*
 * Ask, and wait for the answer to the request with link->serial: at most link->ms or ask->max_ms. After
 * ASK_SILENT, further requests get ASK_LEFT_ALONE at once, until something comes or ASK_LINK_SILENCE_MS
 * are over.
 */
enum ask_result ask_link_ask(struct ask_link *link, const struct ask_question *ask);

/* read(2) and write(2) of a packet, which no signal interrupts. */
ssize_t packet_read(int fd, void *buf, size_t size);
ssize_t packet_write(int fd, const void *buf, size_t len);

#endif
