/*
 * Loads OpenSSL's provider for PKCS #11 into a library context of its own, and opens the key as
 * an object of a store. The provider takes its module from the environment; attlsd puts there
 * what the URI names in module-path (RFC 7512 2.4).
 */
#include "gateway/tls/token.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/tls/certs-file.h"
#include "gateway/tls/password-file.h"

#define MODULE_VARIABLE "PKCS11_PROVIDER_MODULE"
#define URI_MAX		4096
#define PROBE		"attlsd asks whether this key signs"
#define SIGNATURE_MAX	2048

#define FIX                                                                                                  \
	"install the package pkcs11-provider (Debian 13; Debian 12 has it in bookworm-backports only), and " \
	"name the token's module in the URI: ?module-path=FILE"

struct token {
	OSSL_LIB_CTX *libctx;
	OSSL_PROVIDER *standard, *pkcs11;
	EVP_PKEY *key;
};

/* OpenSSL's last error, with the provider's own words. */
static void explain(const char *what, const char *fix, char why[static TOKEN_WHY_MAX])
{
	const char *data = "";
	int flags = 0;
	unsigned long error = ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags);
	const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;
	bool has_data = (flags & ERR_TXT_STRING) != 0 && data[0] != '\0';

	(void)snprintf(why, TOKEN_WHY_MAX, "%s%s%.100s%s%.140s%s%s", what,
		       reason != NULL || has_data ? ": " : "", reason != NULL ? reason : "",
		       reason != NULL && has_data ? ": " : "", has_data ? data : "",
		       fix[0] != '\0' ? "; " : "", fix);
	ERR_clear_error();
}

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c | 0x20);

	return at != NULL ? (int)(at - digits) : -1;
}

/* A copy of this part of the URI, with %XX decoded. NULL: not well-formed, or no memory. */
static char *decode(const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	size_t n = 0;

	for (size_t i = 0; copy != NULL && i < len; i++) {
		if (text[i] != '%') {
			copy[n++] = text[i];
		} else if (i + 2 < len && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0 &&
			   (hex(text[i + 1]) > 0 || hex(text[i + 2]) > 0)) {
			copy[n++] = (char)(16 * hex(text[i + 1]) + hex(text[i + 2]));
			i += 2;
		} else {
			free(copy);
			copy = NULL;
		}
	}
	if (copy != NULL)
		copy[n] = '\0';
	return copy;
}

/*
 * Take the module out of the URI, and leave the provider a URI of one private key. Its other attributes are
 * the provider's to judge.
 */
static int split(const char *uri, char buf[static URI_MAX], char **ret_module)
{
	static const char name[] = "module-path=", type[] = ";type=private";
	size_t path_len = strcspn(uri, "?");
	const char *query = uri[path_len] == '?' ? uri + path_len + 1 : "";
	const char *attribute = strstr(query, name);
	int n =
	    snprintf(buf, URI_MAX, "%.*s%s", (int)path_len, uri, strstr(uri, ";type=") == NULL ? type : "");

	*ret_module = NULL;
	if (n < 0 || n >= URI_MAX || (attribute != NULL && attribute != query && attribute[-1] != '&'))
		return -EINVAL;
	if (attribute == NULL)
		return query[0] == '\0' ? 0 : -EINVAL;
	if (attribute != query || attribute[strcspn(attribute, "&")] != '\0')
		return -EINVAL; /* no other attribute makes sense here */
	*ret_module = decode(attribute + strlen(name), strlen(attribute + strlen(name)));
	return *ret_module != NULL && **ret_module == '/' ? 0 : -EINVAL;
}

static int load_provider(struct token *token, const char *uri, char buf[static URI_MAX],
			 char why[static TOKEN_WHY_MAX])
{
	char *module = NULL;

	if (split(uri, buf, &module) < 0) {
		free(module);
		(void)snprintf(why, TOKEN_WHY_MAX,
			       "the URI must be like "
			       "pkcs11:token=NAME;object=NAME?module-path=/usr/lib/softhsm/libsofthsm2.so");
		return -EINVAL;
	}
	if (module != NULL)
		(void)setenv(MODULE_VARIABLE, module, 1); /* without memory, the provider finds no module */
	free(module);
	token->libctx = OSSL_LIB_CTX_new();
	if (token->libctx != NULL)
		token->standard = OSSL_PROVIDER_load(token->libctx, "default");
	if (token->standard != NULL)
		token->pkcs11 = OSSL_PROVIDER_load(token->libctx, "pkcs11");
	if (token->pkcs11 != NULL)
		return 0;
	explain("OpenSSL cannot load its provider for PKCS #11", FIX, why);
	return -EINVAL;
}

static int give_pin(char *buf, int size, int rwflag, void *arg)
{
	size_t len = arg == NULL ? 0 : strlen(arg);

	(void)rwflag;
	if (arg == NULL || size < 0 || len >= (size_t)size)
		return -1;
	memcpy(buf, arg, len + 1);
	return (int)len;
}

static int find(struct token *token, const char *uri, const char *pin, char why[static TOKEN_WHY_MAX])
{
	UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
	OSSL_STORE_CTX *store = ui == NULL ? NULL
					   : OSSL_STORE_open_ex(uri, token->libctx, NULL, ui,
								(void *)(uintptr_t)pin, NULL, NULL, NULL);
	size_t n = 0;

	if (store == NULL)
		explain("the token cannot be opened", "is the PIN in password_file right?", why);
	if (store != NULL)
		(void)OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY); /* only a hint */
	while (store != NULL && OSSL_STORE_eof(store) == 0) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info == NULL)
			continue; /* an object that it cannot show; the end follows */
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY && n++ == 0)
			token->key = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	if (store != NULL && token->key == NULL)
		explain(
		    "the token has no private key under this URI, or the login failed",
		    "is the PIN in password_file right? (pkcs11-tool --list-objects --login shows the keys)",
		    why);
	else if (n > 1)
		(void)snprintf(why, TOKEN_WHY_MAX,
			       "the token has several private keys under this URI; add object= or id= to it");
	(void)OSSL_STORE_close(store); /* NULL is fine, and there is nothing to save */
	UI_destroy_method(ui);
	ERR_clear_error();
	return token->key != NULL && n == 1 ? 0 : -EINVAL;
}

/* The certificate may be of another key, and a key may not be allowed to sign. */
static int try_key(const struct token *token, X509 *certificate, char why[static TOKEN_WHY_MAX])
{
	EVP_PKEY *public = X509_get0_pubkey(certificate);
	bool digest = EVP_PKEY_is_a(public, "ED25519") != 1 && EVP_PKEY_is_a(public, "ED448") != 1;
	const char *name = digest ? "SHA256" : NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[SIGNATURE_MAX];
	size_t len = sizeof(signature);
	bool ok = ctx != NULL &&
		  EVP_DigestSignInit_ex(ctx, NULL, name, token->libctx, NULL, token->key, NULL) == 1 &&
		  EVP_DigestSign(ctx, signature, &len, (const uint8_t *)PROBE, strlen(PROBE)) == 1;
	int r = ok ? 0 : -EINVAL;

	EVP_MD_CTX_free(ctx);
	if (!ok)
		explain("the token does not sign with this key", "", why);
	ctx = EVP_MD_CTX_new();
	if (ok && (ctx == NULL || EVP_DigestVerifyInit_ex(ctx, NULL, name, NULL, NULL, public, NULL) != 1 ||
		   EVP_DigestVerify(ctx, signature, len, (const uint8_t *)PROBE, strlen(PROBE)) != 1)) {
		(void)snprintf(why, TOKEN_WHY_MAX, "the key does not belong to the certificate");
		r = -EINVAL;
	}
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return r;
}

int token_open(const char *uri, const char *pin, X509 *certificate, struct token **ret_token,
	       char why[static TOKEN_WHY_MAX])
{
	struct token *token = calloc(1, sizeof(*token));
	char own[URI_MAX];
	int r = -ENOMEM;

	(void)snprintf(why, TOKEN_WHY_MAX, "there is not enough memory");
	if (token != NULL)
		r = load_provider(token, uri, own, why);
	if (r == 0)
		r = find(token, own, pin, why);
	if (r == 0)
		r = try_key(token, certificate, why);
	if (r == 0) {
		*ret_token = token;
		token = NULL;
	}
	token_close(&token);
	return r;
}

void token_close(struct token **token)
{
	if (*token == NULL)
		return;
	EVP_PKEY_free((*token)->key);
	if ((*token)->pkcs11 != NULL)
		(void)OSSL_PROVIDER_unload((*token)->pkcs11); /* the context goes as well */
	if ((*token)->standard != NULL)
		(void)OSSL_PROVIDER_unload((*token)->standard);
	OSSL_LIB_CTX_free((*token)->libctx);
	free(*token);
	*token = NULL;
	ERR_clear_error();
}

EVP_PKEY *token_key(const struct token *token)
{
	return token->key;
}

OSSL_LIB_CTX *token_libctx(const struct token *token)
{
	return token->libctx;
}

static int check_one(const struct policy_certificate *from, struct diags *diags)
{
	BIO *bio = certs_file_open(from->chain, from->chain_mark, "certificate chain", DIAG_ERROR, diags);
	X509 *leaf = bio != NULL ? PEM_read_bio_X509_AUX(bio, NULL, certs_file_passphrase, NULL) : NULL;
	char *pin = NULL, why[TOKEN_WHY_MAX];
	struct token *token = NULL;
	int r = leaf == NULL ? -EINVAL : 0;

	if (r == 0 && from->password_file != NULL)
		r = password_file_read(from->password_file, from->password_file_mark, diags, &pin);
	if (r == 0) {
		r = token_open(from->key, pin, leaf, &token, why);
		if (r < 0)
			diags_add(diags, DIAG_ERROR, DIAG_BAD_TOKEN_URI, from->key_mark,
				  "cannot use the key \"%s\": %s", from->key, why);
	}
	token_close(&token);
	password_file_free(&pin);
	X509_free(leaf);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

int token_check(const struct policy *policy, struct diags *diags)
{
	int r = 0;

	for (size_t i = 0; i < policy->nkeyrings; i++)
		for (size_t j = 0; j < policy->keyrings[i].ncertificates; j++)
			if (policy_key_is_in_token(&policy->keyrings[i].certificates[j]) &&
			    check_one(&policy->keyrings[i].certificates[j], diags) < 0)
				r = -EINVAL;
	return r;
}
