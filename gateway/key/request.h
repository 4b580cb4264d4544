/*
 * What a worker and its signer say to each other: one request, one answer, each a
 * packet of a SOCK_SEQPACKET. Both ends are one program, so the structs go over the
 * socket as they are; a packet is as long as its last member is filled.
 */
#ifndef ATTLSD_GATEWAY_KEY_REQUEST_H
#define ATTLSD_GATEWAY_KEY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/key/content.h"
#include "gateway/key/scheme.h"

/* A key is named by the SHA-256 of its SubjectPublicKeyInfo. */
#define KEY_ID_BYTES 32
/* RSA keys of 16384 bits, OpenSSL's largest, make the longest signatures. */
#define KEY_SIGNATURE_MAX 2048

enum key_ask {
	KEY_ASK_SIGN = 1,
	KEY_ASK_KNOWN, /* have you this key? Without content or scheme */
};

enum key_status {
	KEY_STATUS_DONE = 1,
	KEY_STATUS_STARTED,    /* a signer has just started: it may not have what the last one was asked */
	KEY_STATUS_MALFORMED,  /* not a request */
	KEY_STATUS_UNKNOWN,    /* no such key */
	KEY_STATUS_CONTENT,    /* not what TLS signs */
	KEY_STATUS_SCHEME,     /* not for this key, or not for this version of TLS */
	KEY_STATUS_RATE,       /* more signatures than a worker can use */
	KEY_STATUS_ROLE,       /* of a client, and the key is for servers, or the other way round */
	KEY_STATUS_FAILED,     /* OpenSSL could not sign */
	KEY_STATUS_SILENT,     /* the token has not answered in time */
	KEY_STATUS_LEFT_ALONE, /* it has not answered lately, so it was not asked */
	KEY_STATUS_COUNT
};

struct key_request {
	uint32_t ask;	 /* enum key_ask */
	uint16_t scheme; /* of scheme.h */
	uint16_t len;	 /* of the content */
	uint64_t serial; /* the answer has the same */
	uint8_t key[KEY_ID_BYTES];
	uint8_t content[KEY_CONTENT_MAX];
};

struct key_answer {
	uint32_t status; /* enum key_status */
	uint32_t len;	 /* of the signature */
	uint64_t serial;
	uint8_t signature[KEY_SIGNATURE_MAX];
};

/* The lengths of the packets. */
size_t key_request_bytes(const struct key_request *request);
size_t key_answer_bytes(const struct key_answer *answer);

/*
 * May a packet of `n` bytes, read into `request`, be carried out, as far as its form
 * and content tell? Returns KEY_STATUS_DONE, or why not. *ret_scheme is set for
 * KEY_ASK_SIGN, otherwise NULL. *ret_role is what the key must be for.
 */
enum key_status key_request_judge(const struct key_request *request, size_t n,
				  const struct key_scheme **ret_scheme, enum key_role *ret_role);

/* Is what came back, `n` bytes, an answer in form? */
bool key_answer_is_whole(const struct key_answer *answer, size_t n);

/* A status in words, for the log. */
const char *key_status_text(uint32_t status);

#endif
