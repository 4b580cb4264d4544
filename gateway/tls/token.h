/* Private keys in PKCS #11 tokens, which sign there and never leave them. */
#ifndef ATTLSD_GATEWAY_TLS_TOKEN_H
#define ATTLSD_GATEWAY_TLS_TOKEN_H

#include "policy/policy.h"

#define TOKEN_WHY_MAX 512

struct evp_pkey_st;
struct ossl_lib_ctx_st;
struct x509_st;
struct token;

/*
 * Log in with the PIN (NULL: without), and find the private key of this certificate by its URI. What is
 * loaded is code of others, which may do anything: open files, start threads. Returns 0, or -EINVAL and why
 * with the fix.
 */
int token_open(const char *uri, const char *pin, struct x509_st *certificate, struct token **ret_token,
	       char why[static TOKEN_WHY_MAX]);
void token_close(struct token **token);

/* Both live as long as the token. */
struct evp_pkey_st *token_key(const struct token *token);
struct ossl_lib_ctx_st *token_libctx(const struct token *token);

/* Can all keys in tokens be used? Each fault goes into diags. Returns 0 or -EINVAL. */
int token_check(const struct policy *policy, struct diags *diags);

#endif
