/*
 * Makes a self-signed certificate with OpenSSL, for a first try. Its subject and a comment in its file
 * say so, it expires soon, and nothing can be issued in its name.
 */
#include "gateway/ctl/throwaway.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ip.h"

#define HOUR_S	     (60 * 60)
#define SERIAL_BYTES 16
#define X509_V3	     2	  /* as the field has it */
#define CN_MAX	     64	  /* RFC 5280, upper bound of a common name */
#define LIST_MAX     8192 /* of the names of a certificate */

static const char mark[] = "Throwaway certificate of attlsctl init";
static const char comment[] =
    "# A throwaway certificate, made by attlsctl init for a first try. It expires after 30 days.\n"
    "# Clients trust it only if they are given this file. Replace it before partners connect.\n";

static int set_subject(X509 *x, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(x);

	if (X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)mark, -1, -1, 0) !=
	    1)
		return -1;
	/* the names that count are in subjectAltName, so a long one is not needed here */
	if (strlen(name) <= CN_MAX && X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
								 (const unsigned char *)name, -1, -1, 0) != 1)
		return -1;
	return X509_set_issuer_name(x, subject) == 1 ? 0 : -1;
}

static int set_serial(X509 *x)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *number = NULL;
	int r = -1;

	if (RAND_bytes(bytes, sizeof(bytes)) == 1) {
		bytes[0] &= 0x7f; /* RFC 5280: positive */
		number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	}
	if (number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL)
		r = 0;
	BN_free(number);
	return r;
}

static int add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	int r;

	X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	r = extension != NULL && X509_add_ext(x, extension, -1) == 1 ? 0 : -1;
	X509_EXTENSION_free(extension);
	return r;
}

static int add_names(X509 *x, const char *const *names, size_t n)
{
	char list[LIST_MAX];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		struct ip_addr addr;
		bool is_address = ip_addr_parse(names[i], strlen(names[i]), &addr) == 0;
		int more = snprintf(list + len, sizeof(list) - len, "%s%s:%s", i > 0 ? "," : "",
				    is_address ? "IP" : "DNS", names[i]);

		if (more < 0 || (size_t)more >= sizeof(list) - len)
			return -1;
		len += (size_t)more;
	}
	return add_extension(x, NID_subject_alt_name, list);
}

static int add_extensions(X509 *x, const char *const *names, size_t n)
{
	static const struct {
		int nid;
		const char *value;
	} fixed[] = {
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage, "serverAuth" },
		{ NID_subject_key_identifier, "hash" },
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (add_extension(x, fixed[i].nid, fixed[i].value) < 0)
			return -1;
	return add_names(x, names, n);
}

static int fill(X509 *x, EVP_PKEY *key, const char *const *names, size_t n)
{
	/* the clocks of clients may be slow */
	if (X509_set_version(x, X509_V3) != 1 || X509_gmtime_adj(X509_getm_notBefore(x), -HOUR_S) == NULL ||
	    X509_time_adj_ex(X509_getm_notAfter(x), THROWAWAY_DAYS, 0, NULL) == NULL ||
	    X509_set_pubkey(x, key) != 1)
		return -1;
	if (set_serial(x) < 0 || set_subject(x, names[0]) < 0 || add_extensions(x, names, n) < 0)
		return -1;
	return X509_sign(x, key, EVP_sha256()) > 0 ? 0 : -1;
}

/* A copy that the caller owns; that of the BIO is wiped. */
static char *take_text(BIO *bio, size_t *ret_len)
{
	char *bytes = NULL, *copy = NULL;
	long len = BIO_get_mem_data(bio, &bytes);

	if (len > 0 && (copy = malloc((size_t)len)) != NULL) {
		memcpy(copy, bytes, (size_t)len);
		OPENSSL_cleanse(bytes, (size_t)len);
		*ret_len = (size_t)len;
	}
	return copy;
}

static int write_texts(X509 *x, EVP_PKEY *key, struct throwaway *ret)
{
	BIO *certificate = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());

	if (certificate != NULL && secret != NULL && BIO_puts(certificate, comment) > 0 &&
	    PEM_write_bio_X509(certificate, x) == 1 &&
	    PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1) {
		ret->certificate = take_text(certificate, &ret->certificate_len);
		ret->key = take_text(secret, &ret->key_len);
	}
	BIO_free(certificate);
	BIO_free(secret);
	return ret->certificate != NULL && ret->key != NULL ? 0 : -1;
}

int throwaway_make(const char *const *names, size_t n, struct throwaway *ret)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	int r = -1;

	*ret = (struct throwaway){ .certificate = NULL };
	if (key != NULL && x != NULL && fill(x, key, names, n) == 0)
		r = write_texts(x, key, ret);
	if (r < 0)
		throwaway_done(ret);
	X509_free(x);
	EVP_PKEY_free(key);
	return r;
}

void throwaway_done(struct throwaway *made)
{
	if (made->key != NULL)
		explicit_bzero(made->key, made->key_len);
	free(made->key);
	free(made->certificate);
	*made = (struct throwaway){ .certificate = NULL };
}
