/*
 * What a worker and its acceptor say to each other: one request, one answer, each a
 * packet of a SOCK_SEQPACKET. Both ends are one program, so the structs go over the
 * socket as they are, as far as they are filled.
 */
#ifndef ATTLSD_GATEWAY_GSSAPI_REQUEST_H
#define ATTLSD_GATEWAY_GSSAPI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

/*
 * The longest token that a client may send. Windows puts the groups of a user into the ticket,
 * up to 48000 bytes (MaxTokenSize). The reply FTP_LOCAL_TOKEN_TOO_LONG has this number.
 */
#define GSSAPI_TOKEN_MAX 49152
/* The longest token for a client: a reply line has to hold it in base 64. */
#define GSSAPI_REPLY_MAX 2048
/* A context has the authorization data of the ticket in it. */
#define GSSAPI_CONTEXT_MAX (112 * 1024)
#define GSSAPI_WHY_MAX	   160

enum gssapi_status {
	GSSAPI_STATUS_DONE = 1, /* there is a context */
	GSSAPI_STATUS_MORE,	/* the client has to send another token */
	GSSAPI_STATUS_REFUSED,	/* why: in words */
};

struct gssapi_request {
	uint64_t serial; /* the answer has the same */
	uint64_t half;	 /* of the last answer with GSSAPI_STATUS_MORE; 0: it is the first token */
	uint32_t len;
	uint8_t token[GSSAPI_TOKEN_MAX];
};

struct gssapi_answer {
	uint64_t serial;
	uint64_t half;
	uint32_t status; /* enum gssapi_status */
	uint32_t token_len, context_len;
	char principal[PRINCIPAL_MAX + 1];
	char why[GSSAPI_WHY_MAX];
	uint8_t token[GSSAPI_REPLY_MAX]; /* for the client */
	uint8_t context[GSSAPI_CONTEXT_MAX];
};

/* The lengths of the packets. */
static inline size_t gssapi_request_bytes(const struct gssapi_request *request)
{
	return offsetof(struct gssapi_request, token) + request->len;
}

static inline size_t gssapi_answer_bytes(const struct gssapi_answer *answer)
{
	return offsetof(struct gssapi_answer, context) + answer->context_len;
}

/* Is what came, `n` bytes, a request or an answer in form? */
static inline bool gssapi_request_is_whole(const struct gssapi_request *request, size_t n)
{
	return n >= offsetof(struct gssapi_request, token) && request->len <= GSSAPI_TOKEN_MAX &&
	       n == gssapi_request_bytes(request);
}

bool gssapi_answer_is_whole(const struct gssapi_answer *answer, size_t n);

#endif
