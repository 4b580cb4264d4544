/*
 * Keys of the provider give away no private part, whichever way OpenSSL is asked for
 * one. Each way works with a key of OpenSSL's own, or the test would prove nothing.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* two of the ways are of OpenSSL 1.1 */

#include "gateway/key/provider.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static const struct {
	const char *type;
	const char *curve; /* NULL: none */
} kinds[] = {
	{ "RSA", NULL }, { "RSA-PSS", NULL }, { "EC", "P-256" }, { "ED25519", NULL }, { "ED448", NULL }
};

struct scene {
	int fds[2];
	pid_t pid;
	struct key_provider *provider;
	EVP_PKEY *real[NELEM(kinds)], *remote[NELEM(kinds)];
};

static EVP_PKEY *new_key(const char *type, const char *curve)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	if (curve != NULL)
		assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, curve), 1);
	assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* As from a file of certificates: OpenSSL would keep the private half of a key that is set. */
static X509 *new_certificate(EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	const unsigned char *at = der;
	EVP_PKEY *public = d2i_PUBKEY(NULL, &at, len);
	X509 *certificate = X509_new();

	assert_non_null(public);
	assert_non_null(certificate);
	assert_int_equal(X509_set_pubkey(certificate, public), 1);
	EVP_PKEY_free(public);
	OPENSSL_free(der);
	return certificate;
}

/* Instead of a signer: it has every key. */
static void answer_all(int fd)
{
	struct key_request request;
	struct key_answer answer = { .status = KEY_STATUS_DONE };

	while (recv(fd, &request, sizeof(request), 0) > 0) {
		answer.serial = request.serial;
		(void)send(fd, &answer, key_answer_bytes(&answer), MSG_NOSIGNAL);
	}
	_exit(EXIT_SUCCESS);
}

static int scene_start(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	(void)alarm(60); /* when the test hangs */
	assert_non_null(scene);
	assert_int_equal(key_link_pair(scene->fds), 0);
	scene->pid = fork();
	assert_int_not_equal(scene->pid, -1);
	if (scene->pid == 0) {
		(void)close(scene->fds[0]);
		answer_all(scene->fds[1]);
	}
	(void)close(scene->fds[1]);
	assert_int_equal(key_provider_open(scene->fds[0], &scene->provider), 0);
	for (size_t i = 0; i < NELEM(kinds); i++) {
		const char *reason = "";
		X509 *certificate;

		scene->real[i] = new_key(kinds[i].type, kinds[i].curve);
		certificate = new_certificate(scene->real[i]);
		if (key_provider_key(scene->provider, certificate, &scene->remote[i], &reason) < 0)
			fail_msg("%s: %s", kinds[i].type, reason);
		X509_free(certificate);
	}
	*state = scene;
	return 0;
}

static int scene_end(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < NELEM(kinds); i++) {
		EVP_PKEY_free(scene->real[i]);
		EVP_PKEY_free(scene->remote[i]);
	}
	key_provider_close(&scene->provider);
	(void)close(scene->fds[0]);
	assert_int_equal(waitpid(scene->pid, NULL, 0), scene->pid);
	free(scene);
	return 0;
}

/* --- ways to a private part; each returns whether it got one --- */

static bool is_private(const char *param)
{
	static const char *const names[] = { OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_RSA_D };

	for (size_t i = 0; i < NELEM(names); i++)
		if (strcmp(param, names[i]) == 0)
			return true;
	return strncmp(param, "rsa-factor", 10) == 0 || strncmp(param, "rsa-exponent", 12) == 0 ||
	       strncmp(param, "rsa-coefficient", 15) == 0;
}

static int look(const OSSL_PARAM params[], void *arg)
{
	bool *found = arg;

	for (; params->key != NULL; params++)
		*found = *found || is_private(params->key);
	return 1;
}

static bool by_any_export(EVP_PKEY *key)
{
	bool found = false;

	for (int selection = 0; selection < 0x100; selection++)
		(void)EVP_PKEY_export(key, selection, look, &found);
	return found;
}

static bool by_todata(EVP_PKEY *key)
{
	OSSL_PARAM *params = NULL;
	bool found = false;

	if (EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params) == 1)
		(void)look(params, &found);
	OSSL_PARAM_free(params);
	return found;
}

static bool by_number(EVP_PKEY *key)
{
	static const char *const names[] = { OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_RSA_D,
					     OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_EXPONENT1 };
	bool found = false;

	for (size_t i = 0; i < NELEM(names); i++) {
		BIGNUM *number = NULL;

		found = EVP_PKEY_get_bn_param(key, names[i], &number) == 1 || found;
		BN_clear_free(number);
	}
	return found;
}

static bool by_bytes(EVP_PKEY *key)
{
	unsigned char bytes[4096];
	size_t len = sizeof(bytes);

	return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PRIV_KEY, bytes, sizeof(bytes), &len) ==
	       1;
}

static bool by_raw_key(EVP_PKEY *key)
{
	unsigned char bytes[4096];
	size_t len = sizeof(bytes);

	return EVP_PKEY_get_raw_private_key(key, bytes, &len) == 1;
}

static bool by_der(EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = i2d_PrivateKey(key, &der);

	OPENSSL_free(der);
	return len > 0;
}

static bool by_pkcs8(EVP_PKEY *key)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);

	PKCS8_PRIV_KEY_INFO_free(info);
	return info != NULL;
}

static bool by_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool done = PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;

	BIO_free(bio);
	return done;
}

static bool by_text(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	size_t len;
	bool found;

	(void)EVP_PKEY_print_private(bio, key, 0, NULL);
	len = (size_t)BIO_get_mem_data(bio, &text);
	found = memmem(text, len, "Private-Key", 11) != NULL; /* otherwise that it is not supported */
	BIO_free(bio);
	return found;
}

static bool by_old_rsa(EVP_PKEY *key)
{
	RSA *rsa = EVP_PKEY_get1_RSA(key);
	bool found = rsa != NULL && RSA_get0_d(rsa) != NULL;

	RSA_free(rsa);
	return found;
}

static bool by_old_ec(EVP_PKEY *key)
{
	EC_KEY *ec = EVP_PKEY_get1_EC_KEY(key);
	bool found = ec != NULL && EC_KEY_get0_private_key(ec) != NULL;

	EC_KEY_free(ec);
	return found;
}

/* Neither are there operations that are as good as the key. */
static bool by_decryption(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool done = ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return done;
}

static bool by_derivation(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool done = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return done;
}

static bool by_signing_a_hash(EVP_PKEY *key)
{
	static const unsigned char hash[32];
	unsigned char signature[4096];
	size_t len = sizeof(signature);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool done = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
		    EVP_PKEY_sign(ctx, signature, &len, hash, sizeof(hash)) == 1;

	EVP_PKEY_CTX_free(ctx);
	return done;
}

static const struct {
	const char *name;
	bool (*gets_one)(EVP_PKEY *key);
} ways[] = {
	{ "export of any selection", by_any_export },
	{ "todata of a key pair", by_todata },
	{ "a number", by_number },
	{ "bytes", by_bytes },
	{ "a raw key", by_raw_key },
	{ "DER", by_der },
	{ "PKCS 8", by_pkcs8 },
	{ "PEM", by_pem },
	{ "text", by_text },
	{ "an RSA of old", by_old_rsa },
	{ "an EC_KEY of old", by_old_ec },
	{ "decryption", by_decryption },
	{ "derivation", by_derivation },
	{ "the signature of a hash", by_signing_a_hash },
};

static void test_no_private_part_leaves(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < NELEM(ways); i++) {
		bool works = false;

		for (size_t kind = 0; kind < NELEM(kinds); kind++) {
			works = ways[i].gets_one(scene->real[kind]) || works;
			if (ways[i].gets_one(scene->remote[kind]))
				fail_msg("%s: %s", kinds[kind].type, ways[i].name);
		}
		if (!works)
			fail_msg("%s does not even work with OpenSSL's own keys", ways[i].name);
	}
}

/* The public part is all there: OpenSSL compares it with the certificate's. */
static void test_the_public_part(void **state)
{
	struct scene *scene = *state;

	for (size_t kind = 0; kind < NELEM(kinds); kind++) {
		OSSL_PARAM *params = NULL;
		bool found = false;

		assert_int_equal(EVP_PKEY_eq(scene->remote[kind], scene->real[kind]), 1);
		assert_int_equal(EVP_PKEY_get_bits(scene->remote[kind]),
				 EVP_PKEY_get_bits(scene->real[kind]));
		assert_int_equal(EVP_PKEY_todata(scene->remote[kind], EVP_PKEY_PUBLIC_KEY, &params), 1);
		(void)look(params, &found);
		assert_false(found);
		OSSL_PARAM_free(params);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_private_part_leaves),
		cmocka_unit_test(test_the_public_part),
	};

	return cmocka_run_group_tests(tests, scene_start, scene_end);
}
