/*
 * Gives OpenSSL the groups and signature algorithms that the policy names. OpenSSL
 * takes a list or refuses it as a whole, so each name is tried alone first: the
 * message must say which one is missing.
 */
#include "gateway/tls/tlsctx-names.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

/* Longer than any name of policy/tls-name.c. */
#define NAME_MAX_BYTES 64

typedef int set_fn(SSL_CTX *ctx, const char *list);

/* OpenSSL's functions are macros. */
static int set_groups(SSL_CTX *ctx, const char *list)
{
	return (int)SSL_CTX_set1_groups_list(ctx, list);
}

static int set_signatures(SSL_CTX *ctx, const char *list)
{
	return (int)SSL_CTX_set1_sigalgs_list(ctx, list);
}

static void use_list(SSL_CTX *ctx, const char *list, set_fn *set, const char *key, struct diag_mark mark,
		     struct diags *diags)
{
	size_t errors = diags->nerrors;
	char name[NAME_MAX_BYTES];

	for (const char *at = list; *at != '\0'; at += strspn(at, ":")) {
		size_t len = strcspn(at, ":");

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, at);
		if (set(ctx, name) != 1)
			diags_add(diags, DIAG_ERROR, mark, "\"%s\": OpenSSL %s does not have %s; remove it",
				  key, OpenSSL_version(OPENSSL_VERSION_STRING), name);
		at += len;
	}
	if (diags->nerrors == errors && set(ctx, list) != 1)
		diags_add(diags, DIAG_ERROR, mark, "\"%s\": OpenSSL %s refuses the list %s", key,
			  OpenSSL_version(OPENSSL_VERSION_STRING), list);
}

void tlsctx_names_use(const struct tls_action *action, SSL_CTX *ctx, struct diags *diags)
{
	if (action->groups != NULL)
		use_list(ctx, action->groups, set_groups, "groups", action->groups_mark, diags);
	if (action->signature_algorithms != NULL)
		use_list(ctx, action->signature_algorithms, set_signatures, "signature_algorithms",
			 action->signature_algorithms_mark, diags);
	ERR_clear_error();
}
