/*
 * Builds an SSL_CTX from each tls_action, and an SSL for each connection of a client. All
 * options and callbacks of OpenSSL are set here and in the modules tlsctx-*:
 * versions, ciphers, SNI, ALPN, tickets. tlsctx-client.c does the same toward servers.
 */
#include "gateway/tls/tlsctx.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/tls/certs.h"
#include "gateway/tls/tlsctx-ciphers.h"
#include "gateway/tls/tlsctx-client.h"
#include "gateway/tls/tlsctx-names.h"
#include "gateway/tls/tlsctx-tickets.h"
#include "gateway/tls/trust.h"

/* A bulk read of a data connection fetches this much from the socket at once (about four records). */
#define DATA_READ_BUFFER (64 * 1024 + 512)
/* Control connections get two tickets: a client that uses each once can resume on two data connections at
 * once. */
#define CONTROL_TICKETS 2
#define DAY_MS		(24 * 60 * 60 * UINT64_C(1000))
/* Of a host name, and of what stands before it in its extension (RFC 6066 section 3). */
#define SNI_NAME_MAX	 255
#define SNI_HEADER_BYTES 5

struct tlsctx {
	SSL_CTX *ctx;
	struct tlsctx_ciphers ciphers;
	const struct tls_action *action;
	struct certs *certs; /* of its key ring; borrowed from the set */
	struct tlsctx_tickets *tickets;
	bool isolated; /* the keys only sign */
};

struct tlsctx_set {
	struct tlsctx *tlsctx;		/* by tls_action.index; empty where the role is client */
	struct tlsctx_client **clients; /* the same; NULL where it is not */
	size_t ntlsctx;
	struct certs **certs; /* one for each key ring */
	struct trust **trust; /* the same */
	size_t nkeyrings;
};

/* The application data of an SSL: its purpose. */
struct purpose {
	struct tlsctx *tlsctx;
	enum tlsctx_use use;
};

/* OpenSSL gives the number once per process, and its callbacks bring nothing to find it by. */
static int purpose_index = -1;

static void purpose_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	(void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
	free(ptr);
}

static bool asks_for_certificate(const struct tlsctx *tlsctx)
{
	return tlsctx->action->role == ROLE_SERVER_WITH_CLIENT_AUTH;
}

static const struct purpose *purpose_of(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, purpose_index);
}

/*
 * ALPN against cross-protocol attacks (ALPACA): a client that names protocols
 * must name ours. The list is walked entry by entry: "ftp" inside another name
 * does not count.
 */
static bool alpn_has(const unsigned char *list, unsigned int len, const char *name,
		     const unsigned char **ret_entry)
{
	size_t want = strlen(name);

	for (unsigned int at = 0; at < len; at += 1 + (unsigned int)list[at]) {
		if (at + 1 + list[at] > len)
			return false;
		if (list[at] == want && memcmp(list + at + 1, name, want) == 0) {
			*ret_entry = list + at + 1;
			return true;
		}
	}
	return false;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in,
		   unsigned int inlen, void *arg)
{
	static const char *const data_names[] = { "ftp-data", "ftp", NULL };
	static const char *const control_names[] = { "ftp", NULL };
	const char *const *names = purpose_of(ssl)->use == TLSCTX_DATA ? data_names : control_names;

	(void)arg;
	for (; *names != NULL; names++) {
		if (!alpn_has(in, inlen, *names, out))
			continue;
		*outlen = (unsigned char)strlen(*names);
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/*
 * The host name of a ClientHello (RFC 6066 section 3). Read here because in a
 * resumption OpenSSL returns the name of the session, not the one that was sent.
 * Returns its length, 0 when there is none, -1 when it is no name.
 */
static int hello_name(SSL *ssl, char name[static SNI_NAME_MAX + 1])
{
	const unsigned char *at;
	size_t len;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &at, &len) != 1)
		return 0;
	/* a list of one, of type host_name: length of the list, type, length of the name, name */
	if (len < SNI_HEADER_BYTES || len - SNI_HEADER_BYTES > SNI_NAME_MAX || len == SNI_HEADER_BYTES ||
	    (size_t)(at[0] << 8 | at[1]) != len - 2 || at[2] != TLSEXT_NAMETYPE_host_name ||
	    (size_t)(at[3] << 8 | at[4]) != len - SNI_HEADER_BYTES)
		return -1;
	len -= SNI_HEADER_BYTES;
	if (memchr(at + SNI_HEADER_BYTES, 0, len) != NULL)
		return -1;
	memcpy(name, at + SNI_HEADER_BYTES, len);
	name[len] = '\0';
	return (int)len;
}

/* ServerHandshakeSNI. Comes before everything else, and for resumptions as well. */
static int on_hello(SSL *ssl, int *alert, void *arg)
{
	const struct tlsctx *tlsctx = purpose_of(ssl)->tlsctx;
	char name[SNI_NAME_MAX + 1];
	int len;

	(void)arg;
	tlsctx_reuse_hello(ssl);
	if (tlsctx->action->server_handshake_sni == HANDSHAKE_SNI_OFF)
		return SSL_CLIENT_HELLO_SUCCESS;
	len = hello_name(ssl, name);
	if (len > 0 && certs_has_name(tlsctx->certs, name))
		return SSL_CLIENT_HELLO_SUCCESS;
	if (len == 0 && tlsctx->action->server_handshake_sni == HANDSHAKE_SNI_OPTIONAL)
		return SSL_CLIENT_HELLO_SUCCESS;
	/* OpenSSL would only report "callback failed"; see stream_tls_reason() */
	ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT, "the client asks for %s",
		       len == 0	 ? "no host name"
		       : len < 0 ? "a malformed host name"
				 : "a host name that no certificate has");
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_CLIENT_HELLO_ERROR;
}

static int on_status(SSL *ssl, void *arg)
{
	(void)arg;
	return certs_staple(purpose_of(ssl)->tlsctx->certs, ssl) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* SNI: when a name was asked for and the ring has certificates for it, use those and no others. */
static int on_certificate(SSL *ssl, void *arg)
{
	(void)arg;
	return certs_select(purpose_of(ssl)->tlsctx->certs, ssl,
			    SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
}

static void set_options(SSL_CTX *ctx, const struct tls_action *action, const struct policy *policy)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
				     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
				     SSL_OP_SINGLE_ECDH_USE);
	/* The chain is the one of the file: else OpenSSL looks for one among the trusted CAs, in each
	 * handshake. */
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
	/* room for all that tlsctx-sessions.c keeps, so that no client drives out the sessions of another */
	(void)SSL_CTX_sess_set_cache_size(ctx, (long)policy->daemon.limit_sessions * TLSCTX_USES);
	(void)SSL_CTX_set_timeout(ctx, (long)action->session_timeout_s);
	/* OpenSSL looks at this before it reads the body of the message */
	SSL_CTX_set_max_cert_list(ctx, (long)action->keyring->max_client_chain);
	/* since OpenSSL 3.2: what a client has compressed is not unpacked */
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION
	SSL_CTX_set_options(ctx, SSL_OP_NO_RX_CERTIFICATE_COMPRESSION);
#endif
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	SSL_CTX_set_cert_cb(ctx, on_certificate, NULL);
	SSL_CTX_set_client_hello_cb(ctx, on_hello, NULL);
	(void)SSL_CTX_set_tlsext_status_cb(ctx, on_status);
	if (action->session_timeout_s == 0) { /* no resumption at all */
		(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		(void)SSL_CTX_set_num_tickets(ctx, 0);
	}
}

/* Can a server with this certificate use the cipher? */
static bool cipher_fits(const SSL_CIPHER *cipher, const EVP_PKEY *key)
{
	switch (SSL_CIPHER_get_auth_nid(cipher)) {
	case NID_auth_rsa:
		return EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1;
	case NID_auth_ecdsa: /* the name of it, but it covers Ed25519 and Ed448 (RFC 8422 5.10) */
		return EVP_PKEY_is_a(key, "RSA") != 1 && EVP_PKEY_is_a(key, "RSA-PSS") != 1;
	default: /* suites of TLS 1.3, for one, which are in the same list */
		return false;
	}
}

/* TLS 1.2 only, and ciphers of ECDSA for a certificate of RSA, or the other way round: no client gets in. */
static void check_ciphers(const struct tlsctx *tlsctx, struct diags *diags)
{
	const struct tls_action *action = tlsctx->action;
	STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(tlsctx->ctx);
	bool any = false, fits = false;

	if ((action->versions & POLICY_TLS1_3) != 0)
		return;
	for (int more = SSL_CTX_set_current_cert(tlsctx->ctx, SSL_CERT_SET_FIRST); more == 1;
	     more = SSL_CTX_set_current_cert(tlsctx->ctx, SSL_CERT_SET_NEXT)) {
		const X509 *leaf = SSL_CTX_get0_certificate(tlsctx->ctx);
		const EVP_PKEY *key = leaf != NULL ? X509_get0_pubkey(leaf) : NULL;

		any = any || key != NULL;
		for (int i = 0; i < sk_SSL_CIPHER_num(ciphers) && key != NULL; i++)
			fits = fits || cipher_fits(sk_SSL_CIPHER_value(ciphers, i), key);
	}
	if (any && !fits)
		diags_add(
		    diags, DIAG_ERROR, DIAG_CIPHER_WITHOUT_CERTIFICATE,
		    action->ciphers != NULL ? action->ciphers_mark : action->mark,
		    "no cipher of tls_actions \"%s\" fits a certificate of keyrings \"%s\": an RSA certificate "
		    "needs ciphers with RSA, another one ciphers with ECDSA; add one, or add tls1.3 to "
		    "\"versions\"",
		    action->name, action->keyring->name);
}

static int tlsctx_load(struct tlsctx *tlsctx, const struct tls_action *action, const struct policy *policy,
		       const struct tlsctx_keys *keys, struct certs *certs, const struct trust *trust,
		       struct diags *diags)
{
	int r;

	tlsctx->action = action;
	tlsctx->certs = certs;
	tlsctx->ctx = SSL_CTX_new(TLS_server_method());
	if (tlsctx->ctx == NULL)
		return -ENOMEM;
	tlsctx_ciphers_set_versions(tlsctx->ctx, action->versions);
	r = tlsctx_ciphers_use(&tlsctx->ciphers, action, tlsctx->isolated, tlsctx->ctx, diags);
	tlsctx_names_use(action, tlsctx->ctx, diags);
	set_options(tlsctx->ctx, action, policy);
	if (!tlsctx_reuse_use(tlsctx->ctx))
		return -ENOMEM;
	if (r == 0 && asks_for_certificate(tlsctx))
		r = trust_use(trust, action, tlsctx->ctx);
	if (r == 0) {
		certs_use(certs, action->keyring, tlsctx->ctx, diags);
		check_ciphers(tlsctx, diags);
		r = tlsctx_tickets_use(action, keys->tickets, ticket_sets_find(keys->sets, action->index),
				       tlsctx->ctx, &tlsctx->tickets);
	}
	return r;
}

static int load_keyrings(struct tlsctx_set *set, const struct policy *policy, struct key_provider *provider,
			 struct diags *diags)
{
	bool broken = false;
	int r = 0;

	set->certs = calloc(policy->nkeyrings + 1, sizeof(*set->certs));
	set->trust = calloc(policy->nkeyrings + 1, sizeof(*set->trust));
	if (set->certs == NULL || set->trust == NULL)
		return -ENOMEM;
	set->nkeyrings = policy->nkeyrings;
	for (size_t i = 0; i < policy->nkeyrings && r == 0; i++) {
		const struct policy_keyring *keyring = &policy->keyrings[i];
		size_t errors = diags->nerrors;
		bool same_file;

		r = certs_load(keyring, provider, diags, &set->certs[i]);
		same_file = keyring->trust_pkcs12 && diags->nerrors > errors; /* it has had its messages */
		if (r == 0 && !same_file)
			r = trust_load(keyring, diags, &set->trust[i]);
		broken = broken || same_file;
	}
	return r == 0 && broken ? -EINVAL : r;
}

static int load_action(struct tlsctx_set *set, const struct policy *policy, const struct tls_action *action,
		       const struct tlsctx_keys *keys, struct diags *diags)
{
	struct tlsctx *tlsctx = &set->tlsctx[action->index];
	struct certs *certs = NULL;
	const struct trust *trust = NULL;

	if (action->keyring != NULL) {
		certs = set->certs[action->keyring - policy->keyrings];
		trust = set->trust[action->keyring - policy->keyrings];
	}
	if (action->role == ROLE_CLIENT)
		return tlsctx_client_load(action, certs, trust, diags, &set->clients[action->index]);
	tlsctx->isolated = keys->isolated;
	return tlsctx_load(tlsctx, action, policy, keys, certs, trust, diags);
}

int tlsctx_set_load(const struct policy *policy, const struct tlsctx_keys *keys, struct diags *diags,
		    struct tlsctx_set **ret_set)
{
	struct tlsctx_set *set = calloc(1, sizeof(*set));
	size_t errors = diags->nerrors;
	int r = -ENOMEM;

	if (set == NULL)
		return -ENOMEM;
	if (purpose_index == -1)
		purpose_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, purpose_free);
	set->tlsctx = calloc(policy->ntls_actions + 1, sizeof(*set->tlsctx));
	set->clients = calloc(policy->ntls_actions + 1, sizeof(struct tlsctx_client *));
	if (purpose_index == -1 || set->tlsctx == NULL || set->clients == NULL)
		goto out;
	r = load_keyrings(set, policy, keys->provider, diags);
	if (r < 0)
		goto out;
	set->ntlsctx = policy->ntls_actions;
	for (size_t i = 0; i < policy->ntls_actions; i++) {
		r = load_action(set, policy, &policy->tls_actions[i], keys, diags);
		if (r < 0)
			goto out;
	}
	r = diags->nerrors > errors ? -EINVAL : 0;
	if (r == 0) {
		*ret_set = set;
		set = NULL;
	}
out:
	tlsctx_set_free(&set);
	return r;
}

void tlsctx_set_free(struct tlsctx_set **set)
{
	if (*set == NULL)
		return;
	for (size_t i = 0; i < (*set)->ntlsctx; i++) {
		SSL_CTX_free((*set)->tlsctx[i].ctx);
		tlsctx_tickets_free(&(*set)->tlsctx[i].tickets);
		tlsctx_client_free(&(*set)->clients[i]);
	}
	for (size_t i = 0; i < (*set)->nkeyrings; i++) {
		certs_free(&(*set)->certs[i]);
		trust_free(&(*set)->trust[i]);
	}
	free((*set)->tlsctx);
	free((*set)->clients);
	free((*set)->certs);
	free((*set)->trust);
	free(*set);
	*set = NULL;
}

const struct certs *tlsctx_set_certs(const struct tlsctx_set *set, size_t keyring)
{
	assert(keyring < set->nkeyrings);
	return set->certs[keyring];
}

const struct trust *tlsctx_set_trust(const struct tlsctx_set *set, size_t keyring)
{
	assert(keyring < set->nkeyrings);
	return set->trust[keyring];
}

uint64_t tlsctx_set_expire(struct tlsctx_set *set, uint64_t now_ms)
{
	uint64_t next_ms = DAY_MS;

	for (size_t i = 0; i < set->ntlsctx; i++) {
		uint64_t ms =
		    set->clients[i] == NULL ? tlsctx_tickets_expire(set->tlsctx[i].tickets, now_ms) : DAY_MS;

		if (ms < next_ms)
			next_ms = ms;
	}
	return next_ms;
}

void tlsctx_set_renew(struct tlsctx_set *set, size_t action, const struct ticket_seed *seed)
{
	assert(action < set->ntlsctx);
	if (set->clients[action] == NULL)
		tlsctx_tickets_renew(set->tlsctx[action].tickets, seed);
}

void tlsctx_set_replace(struct tlsctx_set *set, size_t action, const struct ticket_part *part,
			uint64_t now_ms)
{
	assert(action < set->ntlsctx);
	if (set->clients[action] == NULL)
		tlsctx_tickets_replace(set->tlsctx[action].tickets, part, now_ms);
}

struct tlsctx *tlsctx_find(struct tlsctx_set *set, const struct tls_action *action)
{
	assert(action->index < set->ntlsctx && action->role != ROLE_CLIENT);
	return &set->tlsctx[action->index];
}

const struct tlsctx_client *tlsctx_find_client(const struct tlsctx_set *set, const struct tls_action *action)
{
	assert(action->index < set->ntlsctx && action->role == ROLE_CLIENT);
	return set->clients[action->index];
}

SSL *tlsctx_new(struct tlsctx *tlsctx, enum tlsctx_use use, const uint8_t binding[static TLS_BINDING_BYTES])
{
	SSL *ssl = SSL_new(tlsctx->ctx);
	struct purpose *purpose = malloc(sizeof(*purpose));

	if (ssl == NULL || purpose == NULL)
		goto fail;
	*purpose = (struct purpose){ .tlsctx = tlsctx, .use = use };
	if (SSL_set_ex_data(ssl, purpose_index, purpose) != 1)
		goto fail;
	purpose = NULL; /* the SSL's now */
	/* where certificates are checked, each control connection shows one */
	if (!tlsctx_reuse_begin(ssl, use, use == TLSCTX_CONTROL && asks_for_certificate(tlsctx), binding))
		goto fail;
	if (use == TLSCTX_DATA) {
		SSL_set_read_ahead(ssl, 1);
		SSL_set_default_read_buffer_len(ssl, DATA_READ_BUFFER);
		/* A ticket that it has not read turns the close() of an uploading client into a reset. */
		(void)SSL_set_num_tickets(ssl, 0);
	} else {
		/* passwords pass through here */
		(void)SSL_set_options(ssl, SSL_OP_CLEANSE_PLAINTEXT);
		if (SSL_get_num_tickets(ssl) != 0)
			(void)SSL_set_num_tickets(ssl, CONTROL_TICKETS);
	}
	SSL_set_accept_state(ssl);
	return ssl;
fail:
	free(purpose);
	SSL_free(ssl);
	return NULL;
}
