/*
 * The certificate that a client has shown, and the policy's user whom it belongs
 * to.
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

#define IDENTITY_HASH_BYTES 32

struct X509_name_st;
struct stream;
struct x509_st;

/* All zero: no certificate. */
struct identity {
	bool present;			     /* the client sent a certificate */
	bool verified;			     /* and its chain leads to the trust of the key ring */
	char *subject;			     /* RFC 2253, for logs; "" when the subject is empty */
	uint8_t sha256[IDENTITY_HASH_BYTES]; /* of the certificate in DER */
	struct X509_name_st *name;	     /* NULL: one that matches nothing (empty, or with a NUL in it) */
};

/*
 * The client's certificate of an established connection (of a resumed one: that
 * of the session). In the clear or without a certificate, all zero. Returns 0 or
 * -ENOMEM; an identity that is set is the caller's to identity_done().
 */
int identity_get(const struct stream *stream, struct identity *ret);
void identity_done(struct identity *identity);

/* For identity_get() and tests: from a certificate itself. */
int identity_from_certificate(const struct x509_st *certificate, bool verified, struct identity *ret);

/* The first certificate of a PEM file, taken as verified. 0, -EINVAL (there is none) or -ENOMEM. */
int identity_from_file(const char *path, struct identity *ret);

/*
 * The subject's common name (of several the last, which is the most specific) in
 * UTF-8. "" when there is none, or it has no room. Returns buf.
 */
#define IDENTITY_NAME_MAX 256
const char *identity_common_name(const struct identity *identity, char buf[static IDENTITY_NAME_MAX]);

/* Is it the same certificate, byte by byte? Two identities without certificate are equal. */
bool identity_equal(const struct identity *a, const struct identity *b);

/* The subjects of the policy's users, compiled. */
struct identity_users;

/*
 * Faults (a text that is no name, a name that two users have) go into diags.
 * Returns 0 (also after faults) or -ENOMEM.
 */
int identity_users_load(const struct policy *policy, struct diags *diags, struct identity_users **ret_users);
void identity_users_free(struct identity_users **users);

/* The policy's user with this certificate. NULL: there is none, or it was not verified. */
const struct policy_user *identity_users_find(const struct identity_users *users,
					      const struct identity *identity);

#endif
