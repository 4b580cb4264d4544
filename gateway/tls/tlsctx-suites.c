/*
 * Lists the cipher suites of a tls_action: those of the policy that this OpenSSL has,
 * and that its security level and the place of the private keys allow.
 */
#include "gateway/tls/tlsctx-suites.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "gateway/tls/tlsctx-ciphers.h"

static int list(const struct tls_action *action, bool isolated, SSL_CTX *ctx, tlsctx_suite_fn *fn,
		void *context)
{
	struct tlsctx_ciphers ciphers = { .security = NULL };
	STACK_OF(SSL_CIPHER) *suites = NULL;
	struct diags unread; /* attlsctl check shows them */
	SSL *ssl = NULL;
	int r = diags_init(&unread, "", NULL, 0);

	if (r < 0)
		return r;
	tlsctx_ciphers_set_versions(ctx, action->versions);
	r = tlsctx_ciphers_use(&ciphers, action, isolated, ctx, &unread);
	ssl = r == 0 ? SSL_new(ctx) : NULL;
	suites = ssl != NULL ? SSL_get1_supported_ciphers(ssl) : NULL;
	for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++)
		fn(context, SSL_CIPHER_get_name(sk_SSL_CIPHER_value(suites, i)));
	sk_SSL_CIPHER_free(suites);
	if (r == 0 && ssl == NULL)
		r = -ENOMEM;
	SSL_free(ssl);
	diags_done(&unread);
	return r;
}

int tlsctx_suites(const struct tls_action *action, bool isolated, tlsctx_suite_fn *fn, void *context)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int r = -ENOMEM;

	if (ctx != NULL)
		r = list(action, isolated, ctx, fn, context);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return r;
}
