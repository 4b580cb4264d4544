/*
 * The callbacks of OpenSSL that decide which session may be resumed. They record
 * what they saw, so that a refusal can say why. OpenSSL itself compares the session
 * id contexts once more.
 */
#include "gateway/tls/tlsctx-reuse.h"

#include <limits.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * The session id context of control connections. One is enough for all
 * tls_actions, since each has a cache and ticket keys of its own.
 */
static const uint8_t control_context[TLS_BINDING_BYTES] = "control";

struct reuse {
	enum tlsctx_use use;
	bool never;
	bool id_offered; /* a session id: that of a session, or of nothing if a ticket came with it */
	bool id_may_be_made_up;
	bool extended; /* the ClientHello has extended_master_secret */
	enum tls_reuse seen;
	uint8_t binding[TLS_BINDING_BYTES];
	uint8_t own[TLS_BINDING_BYTES]; /* of its control session alone, if `binding` is its user's */
};

/* OpenSSL gives the number once per process, and its callbacks bring nothing to find it by. */
static int reuse_index = -1;

static void reuse_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	(void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
	free(ptr);
}

static struct reuse *reuse_of(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, reuse_index);
}

/* A client may offer several tickets: keep what came closest. */
static void note(struct reuse *reuse, enum tls_reuse seen)
{
	if (seen > reuse->seen)
		reuse->seen = seen;
}

static int bind_session(SSL *ssl)
{
	return SSL_SESSION_set1_id_context(SSL_get_session(ssl), reuse_of(ssl)->binding, TLS_BINDING_BYTES);
}

/* A ticket is about to be written: it belongs to this control session. */
static int on_ticket_made(SSL *ssl, void *arg)
{
	(void)arg;
	return bind_session(ssl);
}

/* Until OpenSSL 3.4 the time is a long, which on 32-bit machines ends in 2038. */
static time_t made_at(const SSL_SESSION *session)
{
#if OPENSSL_VERSION_NUMBER >= 0x30400000L
	return SSL_SESSION_get_time_ex(session);
#else
	return (time_t)SSL_SESSION_get_time(session);
#endif
}

bool tlsctx_session_is_expired(const SSL_SESSION *session)
{
	return time(NULL) - made_at(session) > (time_t)SSL_SESSION_get_timeout(session);
}

static bool has_binding(const SSL_SESSION *session, const uint8_t binding[static TLS_BINDING_BYTES])
{
	unsigned int len;
	const unsigned char *context = SSL_SESSION_get0_id_context(session, &len);

	return len == TLS_BINDING_BYTES && memcmp(context, binding, TLS_BINDING_BYTES) == 0;
}

/*
 * A ticket has come in. Tickets of any session open a control connection, which
 * then gets new ones; but none where certificates are checked: they may have
 * been revoked since, or belong to another rule.
 */
static SSL_TICKET_RETURN on_ticket_read(SSL *ssl, SSL_SESSION *session, const unsigned char *keyname,
					size_t keyname_len, SSL_TICKET_STATUS status, void *arg)
{
	struct reuse *reuse = reuse_of(ssl);

	(void)keyname, (void)keyname_len, (void)arg;
	if (status == SSL_TICKET_NO_DECRYPT)
		note(reuse, TLS_REUSE_UNKNOWN);
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (reuse->use == TLSCTX_DATA) {
		/* a ticket of this control session from before the login */
		if (has_binding(session, reuse->own) &&
		    SSL_SESSION_set1_id_context(session, reuse->binding, TLS_BINDING_BYTES) != 1)
			return SSL_TICKET_RETURN_IGNORE_RENEW;
		note(reuse, !has_binding(session, reuse->binding) ? TLS_REUSE_OTHER
			    : tlsctx_session_is_expired(session)  ? TLS_REUSE_EXPIRED
								  : TLS_REUSE_UNFIT);
		return SSL_TICKET_RETURN_USE; /* OpenSSL looks at the same two, and at more */
	}
	if (reuse->never)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (SSL_SESSION_set1_id_context(session, control_context, TLS_BINDING_BYTES) != 1)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return SSL_TICKET_RETURN_USE_RENEW;
}

/* TLS 1.2 without tickets: OpenSSL's cache has no session of this id. */
static SSL_SESSION *on_unknown_id(SSL *ssl, const unsigned char *id, int len, int *copy)
{
	struct reuse *reuse = reuse_of(ssl);

	(void)id, (void)len, (void)copy;
	if (reuse->id_may_be_made_up)
		reuse->id_offered = false;
	else
		note(reuse, TLS_REUSE_UNKNOWN);
	return NULL;
}

bool tlsctx_reuse_use(SSL_CTX *ctx)
{
	if (reuse_index == -1)
		reuse_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, reuse_free);
	if (reuse_index == -1)
		return false;
	(void)SSL_CTX_set_session_ticket_cb(ctx, on_ticket_made, on_ticket_read, NULL);
	SSL_CTX_sess_set_get_cb(ctx, on_unknown_id);
	return true;
}

bool tlsctx_reuse_begin(SSL *ssl, enum tlsctx_use use, bool never,
			const uint8_t binding[static TLS_BINDING_BYTES])
{
	struct reuse *reuse = calloc(1, sizeof(*reuse));
	bool own = use == TLSCTX_DATA || never; /* a new control connection's id is new, so it fits nothing */

	if (reuse == NULL || SSL_set_ex_data(ssl, reuse_index, reuse) != 1) {
		free(reuse);
		return false;
	}
	reuse->use = use;
	reuse->never = never;
	memcpy(reuse->binding, binding, TLS_BINDING_BYTES);
	memcpy(reuse->own, binding, TLS_BINDING_BYTES);
	return SSL_set_session_id_context(ssl, own ? binding : control_context, TLS_BINDING_BYTES) == 1;
}

/* RFC 8446 4.2.1: a length of one byte, then the versions. */
static bool offers_tls13(SSL *ssl)
{
	const unsigned char *at;
	size_t len;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &at, &len) != 1)
		return false;
	for (size_t i = 1; i + 1 < len; i += 2)
		if (at[i] == TLS1_3_VERSION >> CHAR_BIT && at[i + 1] == (TLS1_3_VERSION & UCHAR_MAX))
			return true;
	return false;
}

void tlsctx_reuse_hello(SSL *ssl)
{
	struct reuse *reuse = reuse_of(ssl);
	const unsigned char *at;
	size_t len;

	reuse->id_offered = SSL_client_hello_get0_session_id(ssl, &at) > 0;
	/* RFC 8446 4.1.2: a client without a session sends a random id, since middleboxes expect one */
	reuse->id_may_be_made_up = offers_tls13(ssl);
	reuse->extended = SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_extended_master_secret, &at, &len) == 1;
}

void tlsctx_bind(SSL *ssl)
{
	/* TLS 1.2 without tickets: the data connections find this very object in the cache. */
	(void)bind_session(ssl);
}

void tlsctx_reuse_user(SSL *ssl, const uint8_t binding[static TLS_BINDING_BYTES])
{
	struct reuse *reuse = reuse_of(ssl);

	memcpy(reuse->binding, binding, TLS_BINDING_BYTES);
	if (reuse->use == TLSCTX_DATA)
		(void)SSL_set_session_id_context(ssl, binding, TLS_BINDING_BYTES); /* 16 bytes fit */
	else
		(void)bind_session(ssl); /* TLS 1.2 without tickets */
}

enum tls_reuse tlsctx_reuse_result(const SSL *ssl)
{
	const struct reuse *reuse = reuse_of(ssl);

	if (SSL_session_reused(ssl) == 1)
		return TLS_REUSE_RESUMED;
	/* a session of the cache that OpenSSL has refused; in TLS 1.3 the id means nothing */
	if (reuse->seen == TLS_REUSE_NOT_OFFERED && reuse->id_offered && SSL_version(ssl) < TLS1_3_VERSION)
		return TLS_REUSE_UNFIT;
	return reuse->seen;
}

bool tlsctx_lacks_extended_master_secret(const SSL *ssl)
{
	return SSL_version(ssl) < TLS1_3_VERSION && !reuse_of(ssl)->extended;
}
