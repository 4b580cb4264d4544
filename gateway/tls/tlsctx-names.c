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

/*
 * What SSL_CTX_set1_groups_list() and SSL_CTX_set1_sigalgs_list() are, which are macros with a
 * cast that clang warns of: OpenSSL only reads the list.
 */
static bool set(SSL_CTX *ctx, int command, const char *list)
{
	return SSL_CTX_ctrl(ctx, command, 0, (void *)(uintptr_t)list) == 1;
}

static void use_list(SSL_CTX *ctx, const char *list, int command, const char *key, struct diag_mark mark,
		     struct diags *diags)
{
	size_t errors = diags->nerrors;
	char name[NAME_MAX_BYTES];

	for (const char *at = list; *at != '\0'; at += strspn(at, ":")) {
		size_t len = strcspn(at, ":");

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, at);
		if (!set(ctx, command, name))
			diags_add(diags, DIAG_ERROR, DIAG_OPENSSL_LACKS, mark,
				  "\"%s\": OpenSSL %s does not have %s; remove it", key,
				  OpenSSL_version(OPENSSL_VERSION_STRING), name);
		at += len;
	}
	if (diags->nerrors == errors && !set(ctx, command, list))
		diags_add(diags, DIAG_ERROR, DIAG_OPENSSL_LACKS, mark,
			  "\"%s\": OpenSSL %s refuses the list %s", key,
			  OpenSSL_version(OPENSSL_VERSION_STRING), list);
}

void tlsctx_names_use(const struct tls_action *action, SSL_CTX *ctx, struct diags *diags)
{
	if (action->groups != NULL)
		use_list(ctx, action->groups, SSL_CTRL_SET_GROUPS_LIST, "groups", action->groups_mark, diags);
	if (action->signature_algorithms != NULL)
		use_list(ctx, action->signature_algorithms, SSL_CTRL_SET_SIGALGS_LIST, "signature_algorithms",
			 action->signature_algorithms_mark, diags);
	ERR_clear_error();
}
