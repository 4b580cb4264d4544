/*
 * Contexts toward servers, and the one place that decides which server is the right one:
 * judge() sees each full handshake before a byte of FTP is sent. A resumed session was
 * judged when it began, and belongs to the same host.
 */
#include "gateway/tls/tlsctx-client.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tls/certs.h"
#include "gateway/tls/tlsctx-ciphers.h"
#include "gateway/tls/tlsctx-names.h"
#include "gateway/tls/trust-limits.h"
#include "gateway/tls/trust.h"

/* A bulk read of a data connection fetches this much from the socket at once (about four records). */
#define DATA_READ_BUFFER (64 * 1024 + 512)
/* Of a host name, and a NUL. */
#define HOST_MAX 256

struct tlsctx_client {
	SSL_CTX *ctx;
	struct tlsctx_ciphers ciphers;
	const struct tls_action *action;
	bool has_trust;
};

/* The application data of an SSL: what its server has shown. */
struct shown {
	char sha256[TLSCTX_SHA256_TEXT];
};

/* OpenSSL gives the number once per process, and its callbacks bring nothing to find it by. */
static int shown_index = -1;

static void shown_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	(void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
	free(ptr);
}

static void hash_in_hex(const uint8_t *bytes, size_t len, char text[static TLSCTX_SHA256_TEXT])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	(void)SHA256(bytes, len, hash); /* into memory of ours: cannot fail */
	for (size_t i = 0; i < sizeof(hash); i++)
		(void)snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

static bool has_pin(const struct tls_action *action, const uint8_t *der, int len)
{
	char text[TLSCTX_SHA256_TEXT];

	if (len <= 0)
		return false;
	hash_in_hex(der, (size_t)len, text);
	for (size_t i = 0; i < action->npins; i++)
		if (strcmp(action->pins[i], text) == 0)
			return true;
	return false;
}

/* Does a pin name the certificate, or its public key? */
static bool is_pinned(const struct tls_action *action, const X509 *leaf)
{
	uint8_t *certificate = NULL, *key = NULL;
	int certificate_len = i2d_X509(leaf, &certificate);
	int key_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &key);
	bool pinned = has_pin(action, certificate, certificate_len) || has_pin(action, key, key_len);

	OPENSSL_free(certificate);
	OPENSSL_free(key);
	return pinned;
}

static void note_shown(X509_STORE_CTX *verify, const X509 *leaf)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(verify, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct shown *shown = SSL_get_ex_data(ssl, shown_index);
	uint8_t *der = NULL;
	int len = i2d_X509(leaf, &der);

	if (len > 0)
		hash_in_hex(der, (size_t)len, shown->sha256);
	OPENSSL_free(der);
}

static bool refuse(X509_STORE_CTX *verify, const char *why)
{
	ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT, "%s", why); /* stream_tls_reason() */
	X509_STORE_CTX_set_error(verify, X509_V_ERR_APPLICATION_VERIFICATION);
	return false;
}

/* As if the key ring trusted this certificate and nothing else: its dates, key and name still count. */
static bool verify_itself(X509_STORE_CTX *verify, X509 *leaf)
{
	STACK_OF(X509) *trusted = sk_X509_new_null();
	bool verified = false;

	if (trusted != NULL && sk_X509_push(trusted, leaf) > 0) {
		X509_STORE_CTX_set0_trusted_stack(verify, trusted);
		X509_STORE_CTX_set_flags(verify, X509_V_FLAG_PARTIAL_CHAIN);
		verified = X509_verify_cert(verify) == 1;
	} else {
		X509_STORE_CTX_set_error(verify, X509_V_ERR_OUT_OF_MEM);
	}
	X509_STORE_CTX_set0_trusted_stack(verify, NULL);
	sk_X509_free(trusted);
	return verified;
}

static bool is_right(X509_STORE_CTX *verify, const struct tlsctx_client *client)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(verify);

	if (leaf == NULL)
		return refuse(verify, "the server has shown no certificate");
	note_shown(verify, leaf);
	if (trust_limits_are_exceeded(verify, "server") ||
	    trust_limits_weak_key(verify, client->action, "server") != NULL)
		return false;
	if (client->action->npins > 0 && !is_pinned(client->action, leaf))
		return refuse(verify, "the server's certificate matches none of the pins");
	if (client->action->npins > 0 && !client->has_trust)
		return verify_itself(verify, leaf);
	return X509_verify_cert(verify) == 1;
}

static int judge(X509_STORE_CTX *verify, void *arg)
{
	return is_right(verify, arg) ? 1 : 0;
}

static void set_options(const struct tlsctx_client *client)
{
	SSL_CTX *ctx = client->ctx;

	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	/* with OpenSSL's own cache, the first data connection that resumes a session would spoil it */
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_timeout(ctx, (long)client->action->session_timeout_s);
	if (client->action->session_timeout_s == 0) /* no resumption at all */
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_verify_depth(ctx, TRUST_LIMITS_DEPTH);
	/* since OpenSSL 3.2: what somebody has compressed before we know them is not unpacked */
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION
	SSL_CTX_set_options(ctx, SSL_OP_NO_RX_CERTIFICATE_COMPRESSION);
#endif
	/* const as far as judge() is concerned */
	SSL_CTX_set_cert_verify_callback(ctx, judge, (void *)(uintptr_t)client);
}

int tlsctx_client_load(const struct tls_action *action, struct certs *certs, const struct trust *trust,
		       struct diags *diags, struct tlsctx_client **ret_client)
{
	struct tlsctx_client *client = calloc(1, sizeof(*client));
	const struct policy_keyring *ring = action->keyring;
	int r = -ENOMEM;

	if (shown_index == -1)
		shown_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, shown_free);
	if (client == NULL || shown_index == -1)
		goto out;
	client->action = action;
	client->has_trust = ring != NULL && (ring->trust != NULL || ring->trust_system);
	client->ctx = SSL_CTX_new(TLS_client_method());
	if (client->ctx == NULL)
		goto out;
	tlsctx_ciphers_set_versions(client->ctx, action->versions);
	/* static RSA needs only the server's key to decrypt, so where ours is does not matter */
	r = tlsctx_ciphers_use(&client->ciphers, action, false, client->ctx, diags);
	tlsctx_names_use(action, client->ctx, diags);
	set_options(client);
	if (r == 0 && trust != NULL)
		r = trust_use_for_servers(trust, client->ctx);
	if (r == 0 && certs != NULL)
		certs_use(certs, ring, client->ctx, diags);
	if (r == 0) {
		*ret_client = client;
		client = NULL;
	}
out:
	tlsctx_client_free(&client);
	return r;
}

void tlsctx_client_free(struct tlsctx_client **client)
{
	if (*client == NULL)
		return;
	SSL_CTX_free((*client)->ctx);
	free(*client);
	*client = NULL;
}

/* The name without the dot of the root, which neither certificates nor SNI have (RFC 6066 section 3). */
static bool plain_name(const char *host, char name[static HOST_MAX])
{
	size_t len = strlen(host);

	if (len > 0 && host[len - 1] == '.')
		len--;
	if (len == 0 || len >= HOST_MAX)
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return true;
}

/* Tell OpenSSL whom the certificate must name. */
static bool expect_host(const struct tlsctx_client *client, SSL *ssl, const char *host)
{
	bool checked = client->action->secure_hostname == SECURE_HOSTNAME_REQUIRED;
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char name[HOST_MAX];
	struct ip_addr addr;

	if (ip_addr_parse(host, strlen(host), &addr) == 0)
		return !checked ||
		       X509_VERIFY_PARAM_set1_ip(param, addr.bytes, addr.family == IP_V4 ? 4 : 16) == 1;
	if (!plain_name(host, name) || SSL_set_tlsext_host_name(ssl, name) != 1)
		return false;
	/* RFC 9525 6.3: a wildcard is the whole first label; 2: the common name does not count */
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
						   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return !checked || X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

SSL *tlsctx_client_new(const struct tlsctx_client *client, enum tlsctx_use use, const char *host,
		       SSL_SESSION *session)
{
	SSL *ssl = SSL_new(client->ctx);
	struct shown *shown = calloc(1, sizeof(*shown));

	if (ssl == NULL || shown == NULL || SSL_set_ex_data(ssl, shown_index, shown) != 1)
		goto fail;
	shown = NULL; /* the SSL's now */
	if (!expect_host(client, ssl, host))
		goto fail;
	if (session != NULL && client->action->session_timeout_s > 0 && SSL_set_session(ssl, session) != 1)
		goto fail;
	if (use == TLSCTX_DATA) {
		SSL_set_read_ahead(ssl, 1);
		SSL_set_default_read_buffer_len(ssl, DATA_READ_BUFFER);
	} else {
		(void)SSL_set_options(ssl, SSL_OP_CLEANSE_PLAINTEXT);
	}
	SSL_set_connect_state(ssl);
	return ssl;
fail:
	free(shown);
	SSL_free(ssl);
	return NULL;
}

void tlsctx_client_session_free(SSL_SESSION *session)
{
	SSL_SESSION_free(session);
}

SSL_SESSION *tlsctx_client_session(SSL *ssl)
{
	SSL_SESSION *session = SSL_get0_session(ssl);

	if (session == NULL || SSL_SESSION_is_resumable(session) != 1)
		return NULL;
	return SSL_get1_session(ssl);
}

const char *tlsctx_client_shown(const SSL *ssl)
{
	const struct shown *shown = SSL_get_ex_data(ssl, shown_index);

	return shown->sha256;
}
