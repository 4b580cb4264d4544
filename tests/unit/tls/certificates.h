/* Certificates for the tests of tls/, made when a test needs them. */
#ifndef ATTLSD_TESTS_UNIT_TLS_CERTIFICATES_H
#define ATTLSD_TESTS_UNIT_TLS_CERTIFICATES_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/temporary.h"

#define CERTIFICATE_DAY_S (24 * 60 * 60)

struct certificate {
	X509 *x509;
	EVP_PKEY *key;
};

/* What one is to be like. The zero value: a leaf that is valid today. */
struct certificate_setup {
	const char *name;		  /* the common name */
	const char *san;		  /* as in openssl.cnf; NULL: none */
	const struct certificate *issuer; /* NULL: itself */
	long serial;
	long from_days, to_days; /* 0, 0: today and tomorrow */
	bool ca;
	int rsa_bits;	 /* 0: a key of P-256 */
	const char *use; /* extended key usage; NULL: none */
};

static inline void certificate_extend(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension;

	if (value == NULL)
		return;
	extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static inline struct certificate certificate_make(const struct certificate_setup *setup)
{
	struct certificate made = { .x509 = X509_new() };
	const struct certificate *issuer = setup->issuer;
	long to_days = setup->from_days == 0 && setup->to_days == 0 ? 1 : setup->to_days;
	X509_NAME *name;

	made.key = setup->rsa_bits > 0 ? EVP_RSA_gen((unsigned)setup->rsa_bits) : EVP_EC_gen("P-256");
	assert_non_null(made.x509);
	assert_non_null(made.key);
	assert_int_equal(X509_set_version(made.x509, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made.x509), setup->serial), 1);
	name = X509_get_subject_name(made.x509);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
						    (const unsigned char *)setup->name, -1, -1, 0),
			 1);
	assert_int_equal(
	    X509_set_issuer_name(made.x509, issuer != NULL ? X509_get_subject_name(issuer->x509) : name), 1);
	assert_non_null(
	    X509_gmtime_adj(X509_getm_notBefore(made.x509), setup->from_days * CERTIFICATE_DAY_S));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made.x509), to_days * CERTIFICATE_DAY_S));
	assert_int_equal(X509_set_pubkey(made.x509, made.key), 1);
	certificate_extend(made.x509, NID_basic_constraints, setup->ca ? "critical,CA:TRUE" : "CA:FALSE");
	certificate_extend(made.x509, NID_subject_alt_name, setup->san);
	certificate_extend(made.x509, NID_ext_key_usage, setup->use);
	assert_int_not_equal(X509_sign(made.x509, issuer != NULL ? issuer->key : made.key, EVP_sha256()), 0);
	return made;
}

static inline void certificate_done(struct certificate *certificate)
{
	X509_free(certificate->x509);
	EVP_PKEY_free(certificate->key);
	*certificate = (struct certificate){ .x509 = NULL };
}

/* A list of what the issuer has revoked: this serial number. */
static inline X509_CRL *certificate_revoke(const struct certificate *issuer, long serial)
{
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *revoked = X509_REVOKED_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0), *later = X509_gmtime_adj(NULL, CERTIFICATE_DAY_S);

	assert_non_null(crl);
	assert_non_null(revoked);
	assert_int_equal(ASN1_INTEGER_set(number, serial), 1);
	assert_int_equal(X509_REVOKED_set_serialNumber(revoked, number), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(revoked, now), 1);
	assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
	assert_int_equal(X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x509)), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, now), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, later), 1);
	assert_int_equal(X509_CRL_add0_revoked(crl, revoked), 1);
	assert_int_not_equal(X509_CRL_sign(crl, issuer->key, EVP_sha256()), 0);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(now);
	ASN1_TIME_free(later);
	return crl;
}

/* A temporary file of this name, open for writing; its path is left in `path`. */
static inline FILE *certificate_file(char path[static TEMPORARY_PATH], const char *name)
{
	FILE *file = fopen(temporary_path(path, name), "w");

	assert_non_null(file);
	return file;
}

#endif
