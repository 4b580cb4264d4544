/*
 * A worker's end of the socket to its signer, the process that holds the private
 * keys.
 */
#ifndef ATTLSD_GATEWAY_KEY_LINK_H
#define ATTLSD_GATEWAY_KEY_LINK_H

#include "gateway/base/ask-link.h"
#include "gateway/key/request.h"

#define KEY_LINK_MAX_MS 3000
/* For a signer that has just been started, where keys are in tokens: each login takes its time. */
#define KEY_LINK_START_MS 45000

struct key_link {
	struct ask_link link;
	unsigned
	    start_ms; /* how long KEY_ASK_KNOWN waits, which only a worker at its start asks; 0: as all */
	struct {
		struct key_answer answer; /* to the last request */
		uint8_t more;		  /* so that a longer packet is seen to be longer */
	} packet;
};

/* A socket pair: the worker's end, which waits for at most KEY_LINK_MAX_MS, and the signer's. */
int key_link_pair(int fds[static 2]);

/* Returns 0 or a negative errno. */
int key_link_init(struct key_link *link, int fd);

/*
 * Ask, and wait for the answer: for as long as a signature takes, and KEY_LINK_MAX_MS
 * if the signer is in trouble; then further requests fail at once, until it is heard
 * of or some time is over. If a signer dies, the next one is asked again. The request's
 * serial is set here. Returns NULL when link->packet.answer is KEY_STATUS_DONE,
 * otherwise the reason in words.
 */
const char *key_link_ask(struct key_link *link, struct key_request *request);

#endif
