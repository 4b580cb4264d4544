/*
 * The certificate that a client has shown.
 *
 * Names are compared whole, attribute by attribute, as OpenSSL does it: without
 * regard to case (of ASCII), to runs of blanks and to the type of a string. Two
 * common names are two attributes, and the order counts.
 */
#ifndef ATTLSD_GATEWAY_TLS_IDENTITY_H
#define ATTLSD_GATEWAY_TLS_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

#define IDENTITY_HASH_BYTES  32
#define IDENTITY_SHA256_TEXT (2 * IDENTITY_HASH_BYTES + 1)
#define IDENTITY_SERIAL_MAX  65

struct X509_name_st;
struct bio_st;
struct stack_st_X509;
struct stack_st_X509_NAME;
struct stream;
struct x509_st;
struct x509_store_st;

/* All zero: no certificate. */
struct identity {
	bool present;			     /* the client sent a certificate */
	bool verified;			     /* and its chain leads to the trust of the key ring */
	char *subject;			     /* RFC 2253, for logs; "" when the subject is empty */
	char *issuer;			     /* the same */
	char serial[IDENTITY_SERIAL_MAX];    /* in hex */
	uint8_t sha256[IDENTITY_HASH_BYTES]; /* of the certificate in DER */
	struct X509_name_st *name;	     /* NULL: one that matches nothing (empty, or with a NUL in it) */
	struct stack_st_X509_NAME *issuers;  /* authorities of its chain, each of which names itself */
	struct x509_st *certificate;
};

/*
 * The client's certificate of an established connection (of a resumed one: that
 * of the session). In the clear or without a certificate, all zero. Returns 0 or
 * -ENOMEM; an identity that is set is the caller's to identity_done().
 */
int identity_get(const struct stream *stream, struct identity *ret);
void identity_done(struct identity *identity);

/* For identity_get() and tests: from a certificate itself. */
int identity_from_certificate(struct x509_st *certificate, bool verified, struct identity *ret);

/*
 * The first certificate of a file, PEM or DER, taken as verified and as issued by
 * whom it says. 0, -EINVAL (*ret_reason says why there is none) or -ENOMEM.
 */
int identity_from_file(const char *path, struct identity *ret, const char **ret_reason);

/*
 * Replace the issuers by the authorities of a verified chain whose names count: those
 * that the store holds, or all of them if it has one root. Returns 0 or -ENOMEM.
 */
int identity_take_issuers(struct identity *identity, const struct stack_st_X509 *chain,
			  const struct x509_store_st *store);

/* The first certificate of an open file, PEM or DER, or NULL and why. */
struct x509_st *identity_read_certificate(struct bio_st *bio, const char **ret_reason);

/* In hex. "" without a certificate. Returns buf. */
const char *identity_sha256(const struct identity *identity, char buf[static IDENTITY_SHA256_TEXT]);

/*
 * The subject's common name (of several the last, which is the most specific) in
 * UTF-8. "" when there is none, or it has no room. Returns buf.
 */
#define IDENTITY_NAME_MAX 256
const char *identity_common_name(const struct identity *identity, char buf[static IDENTITY_NAME_MAX]);

/*
 * The subject alternative name at this index, as `san` of users takes it. False: there
 * are no more. "" when it has another type, or bytes that no policy can have.
 */
#define IDENTITY_SAN_MAX 1024
bool identity_san(const struct identity *identity, int index, char buf[static IDENTITY_SAN_MAX]);

/* The last day on which it is valid, as 2027-03-31, and the days until then. */
#define IDENTITY_DATE_BYTES 32
const char *identity_until(const struct identity *identity, char buf[static IDENTITY_DATE_BYTES],
			   int *ret_days);

/* Is it the same certificate, byte by byte? Two identities without certificate are equal. */
bool identity_equal(const struct identity *a, const struct identity *b);

#endif
