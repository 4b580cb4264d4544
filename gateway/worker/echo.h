/*
 * Recognises a password in what a server says next, so that a log line that quotes
 * the server never has one. Only a hash of the password is kept, until the answer.
 */
#ifndef ATTLSD_GATEWAY_WORKER_ECHO_H
#define ATTLSD_GATEWAY_WORKER_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: no password. */
struct echo {
	size_t len;
	uint64_t hash;
};

/* Note what a server may repeat, in any case of letters. */
void echo_note(struct echo *echo, const char *secret, size_t len);

/* Is it in this text? */
bool echo_is_in(const struct echo *echo, const char *text, size_t len);

/* The answer is there. */
void echo_forget(struct echo *echo);

#endif
