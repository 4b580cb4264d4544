/*
 * The provider: a key manager that knows only public keys, and a signature that
 * hands the whole content to the signer. libssl uses EVP_DigestSign(), so
 * digest_sign() gets the content itself and not its hash; there is no other
 * operation, above all no decryption.
 */
#include "gateway/key/provider.h"

#include <errno.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/util.h"

#define PROVIDER_NAME "attlsd"
/* The one parameter that a key is made from: a struct remote_key. */
#define PARAM_KEY "attlsd-key"

struct key_provider {
	OSSL_LIB_CTX *libctx;
	OSSL_PROVIDER *loaded;
	struct key_link link;
	bool lacks_keys;
};

/* The key data of OpenSSL's key object. */
struct remote_key {
	EVP_PKEY *public; /* a key of OpenSSL's own provider, which answers all questions about it */
	const char *type; /* as in scheme.h */
	struct key_link *link;
	uint8_t id[KEY_ID_BYTES];
};

/* --- the key manager --- */

static void *key_new(void *provctx)
{
	(void)provctx;
	return calloc(1, sizeof(struct remote_key));
}

static void key_free(void *keydata)
{
	struct remote_key *key = keydata;

	if (key != NULL)
		EVP_PKEY_free(key->public);
	free(key);
}

static int key_has(const void *keydata, int selection)
{
	const struct remote_key *key = keydata;

	(void)selection; /* it can do what a private key can */
	return key != NULL && key->public != NULL;
}

static int key_import(void *keydata, int selection, const OSSL_PARAM params[])
{
	struct remote_key *key = keydata;
	const OSSL_PARAM *from = OSSL_PARAM_locate_const(params, PARAM_KEY);

	(void)selection;
	if (from == NULL || from->data_size != sizeof(*key) || key->public != NULL)
		return 0;
	memcpy(key, from->data, sizeof(*key));
	return EVP_PKEY_up_ref(key->public);
}

static const OSSL_PARAM *key_import_types(int selection)
{
	static const OSSL_PARAM types[] = { OSSL_PARAM_octet_string(PARAM_KEY, NULL, 0), OSSL_PARAM_END };

	(void)selection;
	return types;
}

/* Only the public half, which is enough to compare it with a certificate's. */
static int key_export(void *keydata, int selection, OSSL_CALLBACK *take, void *arg)
{
	const struct remote_key *key = keydata;

	if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
		return 0;
	return EVP_PKEY_export(key->public, EVP_PKEY_PUBLIC_KEY, take, arg);
}

static const OSSL_PARAM *key_export_types(int selection)
{
	static const OSSL_PARAM types[] = { OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
					    OSSL_PARAM_END };

	return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ? NULL : types;
}

static int key_get_params(void *keydata, OSSL_PARAM params[])
{
	const struct remote_key *key = keydata;

	return EVP_PKEY_get_params(key->public, params);
}

static const OSSL_PARAM *key_gettable_params(void *provctx)
{
	static const OSSL_PARAM params[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)provctx;
	return params;
}

/*
 * The name of the signature below, for all types of keys. OpenSSL looks for the name
 * among its own signatures first, where this one is found and then does not fit: a
 * name that it does not know is searched for anew each time, which takes longer.
 */
#define SIGNATURE_NAME "RSA"

static const char *key_operation_name(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? SIGNATURE_NAME : NULL;
}

/* --- the signature --- */

struct signing {
	const struct remote_key *key;
	char digest[32];
	bool pss;
};

static void *signing_new(void *provctx, const char *propq)
{
	(void)provctx, (void)propq;
	return calloc(1, sizeof(struct signing));
}

static void signing_free(void *ctx)
{
	free(ctx);
}

static void *signing_dup(void *ctx)
{
	struct signing *copy = malloc(sizeof(*copy));

	if (copy != NULL)
		memcpy(copy, ctx, sizeof(*copy));
	return copy;
}

static int signing_set_params(void *ctx, const OSSL_PARAM params[])
{
	static const char *const known[] = { OSSL_PKEY_RSA_PAD_MODE_PSS, OSSL_PKEY_RSA_PAD_MODE_PKCSV15 };
	struct signing *signing = ctx;
	const OSSL_PARAM *pad =
	    params == NULL ? NULL : OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	int mode;

	/* the salt's length is the digest's, as TLS wants it: no other parameter is looked at */
	if (pad == NULL)
		return 1;
	if (pad->data_type == OSSL_PARAM_UTF8_STRING) {
		signing->pss = strcmp(pad->data, known[0]) == 0;
		return signing->pss || strcmp(pad->data, known[1]) == 0;
	}
	if (OSSL_PARAM_get_int(pad, &mode) != 1)
		return 0;
	signing->pss = mode == RSA_PKCS1_PSS_PADDING;
	return signing->pss || mode == RSA_PKCS1_PADDING;
}

static const OSSL_PARAM *signing_settable_params(void *ctx, void *provctx)
{
	static const OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx, (void)provctx;
	return params;
}

/* An RSA-PSS key may allow one digest only. Verifying has the same rules, and needs no private key. */
static bool key_allows(const struct remote_key *key, const char *digest)
{
	EVP_MD_CTX *trial;
	bool ok;

	if (strcmp(key->type, "RSA-PSS") != 0)
		return true;
	trial = EVP_MD_CTX_new();
	ok =
	    trial != NULL && EVP_DigestVerifyInit_ex(trial, NULL, digest, NULL, NULL, key->public, NULL) == 1;
	EVP_MD_CTX_free(trial);
	return ok;
}

static int signing_init(void *ctx, const char *digest, void *keydata, const OSSL_PARAM params[])
{
	struct signing *signing = ctx;
	const struct remote_key *key = keydata != NULL ? keydata : signing->key;

	if (key == NULL || (digest != NULL && strlen(digest) >= sizeof(signing->digest)))
		return 0;
	*signing = (struct signing){ .key = key, .pss = strcmp(key->type, "RSA-PSS") == 0 };
	if (digest != NULL)
		memcpy(signing->digest, digest, strlen(digest) + 1);
	if (signing_set_params(signing, params) != 1 ||
	    key_scheme_of(key->type, signing->digest, signing->pss) == NULL)
		return 0;
	return key_allows(key, signing->digest);
}

static int fail(const char *reason)
{
	/* stream_tls_reason() shows it */
	ERR_raise_data(ERR_LIB_USER, ERR_R_INTERNAL_ERROR, "no signature: %s", reason);
	return 0;
}

static int sign(const struct signing *signing, unsigned char *signature, size_t *len, size_t size,
		const unsigned char *content, size_t content_len)
{
	struct key_link *link = signing->key->link;
	const struct key_scheme *scheme = key_scheme_of(signing->key->type, signing->digest, signing->pss);
	struct key_request request; /* not cleared: it is large, and only what is filled in is sent */
	const char *reason;

	if (scheme == NULL || content_len > sizeof(request.content))
		return fail(key_status_text(scheme == NULL ? KEY_STATUS_SCHEME : KEY_STATUS_CONTENT));
	request.ask = KEY_ASK_SIGN;
	request.scheme = scheme->id;
	request.len = (uint16_t)content_len;
	memcpy(request.key, signing->key->id, KEY_ID_BYTES);
	memcpy(request.content, content, content_len);
	reason = key_link_ask(link, &request);
	if (reason != NULL)
		return fail(reason);
	if (link->packet.answer.len == 0 || link->packet.answer.len > size)
		return fail("the signature has an impossible length");
	memcpy(signature, link->packet.answer.signature, link->packet.answer.len);
	*len = link->packet.answer.len;
	return 1;
}

static int signing_digest_sign(void *ctx, unsigned char *signature, size_t *len, size_t size,
			       const unsigned char *content, size_t content_len)
{
	const struct signing *signing = ctx;

	if (signature != NULL)
		return sign(signing, signature, len, size, content, content_len);
	*len = (size_t)EVP_PKEY_get_size(signing->key->public);
	return 1;
}

/* --- tables for OpenSSL --- */

#define FUNCTION(id, function)                                                                               \
	{                                                                                                    \
		(id), (void (*)(void))(function)                                                             \
	}

static const OSSL_DISPATCH key_functions[] = {
	FUNCTION(OSSL_FUNC_KEYMGMT_NEW, key_new),
	FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),
	FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),
	FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, key_import),
	FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_import_types),
	FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, key_export),
	FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_export_types),
	FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),
	FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable_params),
	FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, key_operation_name),
	{ 0, NULL },
};

static const OSSL_DISPATCH signature_functions[] = {
	FUNCTION(OSSL_FUNC_SIGNATURE_NEWCTX, signing_new),
	FUNCTION(OSSL_FUNC_SIGNATURE_FREECTX, signing_free),
	FUNCTION(OSSL_FUNC_SIGNATURE_DUPCTX, signing_dup),
	FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signing_init),
	FUNCTION(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signing_digest_sign),
	FUNCTION(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signing_set_params),
	FUNCTION(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, signing_settable_params),
	{ 0, NULL },
};

#define PROPERTIES "provider=" PROVIDER_NAME

/* Under OpenSSL's own names, so that libssl takes them for keys of these types. */
static const OSSL_ALGORITHM key_managers[] = {
	{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", PROPERTIES, key_functions, NULL },
	{ "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", PROPERTIES, key_functions, NULL },
	{ "EC:id-ecPublicKey:1.2.840.10045.2.1", PROPERTIES, key_functions, NULL },
	{ "ED25519:1.3.101.112", PROPERTIES, key_functions, NULL },
	{ "ED448:1.3.101.113", PROPERTIES, key_functions, NULL },
	{ NULL, NULL, NULL, NULL },
};
static const char *const key_types[] = { "RSA", "RSA-PSS", "EC", "ED25519", "ED448" };

static const OSSL_ALGORITHM signatures[] = {
	{ SIGNATURE_NAME, PROPERTIES, signature_functions, NULL },
	{ NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM *query(void *provctx, int operation, int *no_cache)
{
	(void)provctx;
	*no_cache = 0;
	return operation == OSSL_OP_KEYMGMT	? key_managers
	       : operation == OSSL_OP_SIGNATURE ? signatures
						: NULL;
}

static int provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
			 void **provctx)
{
	static const OSSL_DISPATCH functions[] = { FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
						   { 0, NULL } };
	static char context; /* OpenSSL wants some address; all state is with the keys */

	(void)handle, (void)in;
	*out = functions;
	*provctx = &context;
	return 1;
}

/* --- for attlsd --- */

int key_provider_open(int fd, struct key_provider **ret_provider)
{
	struct key_provider *provider = calloc(1, sizeof(*provider));
	int r = provider == NULL ? -ENOMEM : key_link_init(&provider->link, fd);

	if (r == 0) {
		provider->libctx = OSSL_LIB_CTX_new();
		if (provider->libctx == NULL ||
		    OSSL_PROVIDER_add_builtin(provider->libctx, PROVIDER_NAME, provider_init) != 1)
			r = -ENOMEM;
	}
	if (r == 0) {
		provider->loaded = OSSL_PROVIDER_load(provider->libctx, PROVIDER_NAME);
		r = provider->loaded == NULL ? -ENOMEM : 0;
	}
	if (r == 0)
		*ret_provider = provider;
	else
		key_provider_close(&provider);
	ERR_clear_error();
	return r;
}

void key_provider_is_slow(struct key_provider *provider)
{
	provider->link.start_ms = KEY_LINK_START_MS;
}

void key_provider_close(struct key_provider **provider)
{
	if (*provider == NULL)
		return;
	if ((*provider)->loaded != NULL)
		(void)OSSL_PROVIDER_unload((*provider)->loaded); /* nothing uses it any more */
	OSSL_LIB_CTX_free((*provider)->libctx);
	free(*provider);
	*provider = NULL;
}

bool key_provider_lacks_keys(const struct key_provider *provider)
{
	return provider->lacks_keys;
}

int key_provider_id(X509 *certificate, uint8_t id[static KEY_ID_BYTES])
{
	uint8_t *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

	if (len <= 0)
		return -EINVAL;
	(void)SHA256(der, (size_t)len, id); /* into memory of ours: cannot fail */
	OPENSSL_free(der);
	return 0;
}

static const char *type_of(const EVP_PKEY *public)
{
	for (size_t i = 0; i < NELEM(key_types); i++)
		if (EVP_PKEY_is_a(public, key_types[i]) == 1)
			return key_types[i];
	return NULL;
}

static EVP_PKEY *make_key(struct key_provider *provider, const struct remote_key *from)
{
	struct remote_key copy = *from;
	const OSSL_PARAM params[] = { OSSL_PARAM_octet_string(PARAM_KEY, &copy, sizeof(copy)),
				      OSSL_PARAM_END };
	OSSL_PARAM writable[NELEM(params)];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(provider->libctx, from->type, NULL);
	EVP_PKEY *key = NULL;

	memcpy(writable, params, sizeof(params));
	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, writable); /* key tells */
	EVP_PKEY_CTX_free(ctx);
	return key;
}

int key_provider_key(struct key_provider *provider, X509 *certificate, EVP_PKEY **ret_key,
		     const char **ret_reason)
{
	struct key_request request = { .ask = KEY_ASK_KNOWN };
	struct remote_key key = { .public = X509_get0_pubkey(certificate), .link = &provider->link };

	key.type = key.public == NULL ? NULL : type_of(key.public);
	*ret_reason = "attlsd cannot use keys of this type";
	if (key.type == NULL || key_provider_id(certificate, key.id) < 0)
		return -ENOKEY;
	memcpy(request.key, key.id, KEY_ID_BYTES);
	*ret_reason = key_link_ask(key.link, &request);
	if (*ret_reason != NULL) {
		provider->lacks_keys =
		    provider->lacks_keys || key.link->packet.answer.status == KEY_STATUS_UNKNOWN;
		return -ENOKEY;
	}
	*ret_key = make_key(provider, &key);
	ERR_clear_error();
	return *ret_key == NULL ? -ENOMEM : 0;
}
