/*
 * Takes the identity out of a client's certificate: its subject, the authorities that
 * have signed its chain, its serial number and its hash.
 */
#include "gateway/tls/identity.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/net/stream.h"
#include "gateway/tls/certs-file.h"
#include "gateway/tls/trust.h"

/* RFC 2253, everything but ASCII escaped: safe for a log. */
static char *name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	char *bytes;
	long len;

	if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
		len = BIO_get_mem_data(bio, &bytes);
		text = strndup(len > 0 ? bytes : "", len > 0 ? (size_t)len : 0);
	}
	BIO_free(bio);
	return text;
}

/* A value with a NUL is made to be read as another one (CVE-2009-3639). */
static bool has_nul(const X509_NAME *name)
{
	bool found = false;

	for (int i = 0; i < X509_NAME_entry_count(name) && !found; i++) {
		uint8_t *utf8 = NULL;
		int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i)));

		/* a value that is no string cannot match either */
		found = len < 0 || (len > 0 && memchr(utf8, 0, (size_t)len) != NULL);
		OPENSSL_free(utf8);
	}
	return found;
}

/* In hex, as openssl prints it, but in lower case. */
static int take_serial(const X509 *certificate, char buf[static IDENTITY_SERIAL_MAX])
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	char *hex = number != NULL ? BN_bn2hex(number) : NULL;
	size_t len = hex != NULL ? strlen(hex) : 0;

	/* RFC 5280 4.1.2.2 allows 40 digits; what does not fit matches no entry */
	(void)snprintf(buf, IDENTITY_SERIAL_MAX, "%s",
		       len < IDENTITY_SERIAL_MAX && len > 0 ? hex : "too-long");
	for (char *c = buf; *c != '\0'; c++)
		*c = *c >= 'A' && *c <= 'F' ? (char)(*c - 'A' + 'a') : *c;
	OPENSSL_free(hex);
	BN_free(number);
	return len > 0 ? 0 : -ENOMEM;
}

static int add_issuer(struct identity *identity, const X509_NAME *name)
{
	X509_NAME *copy = has_nul(name) ? NULL : X509_NAME_dup(name);

	if (identity->issuers == NULL)
		identity->issuers = sk_X509_NAME_new_null();
	if (copy == NULL && has_nul(name))
		return identity->issuers != NULL ? 0 : -ENOMEM;
	if (copy == NULL || identity->issuers == NULL || sk_X509_NAME_push(identity->issuers, copy) == 0) {
		X509_NAME_free(copy);
		return -ENOMEM;
	}
	return 0;
}

/*
 * Anyone with an authority can make another one below it, with any name. So only
 * authorities that the key ring itself holds have a name that counts, unless there is
 * one root, which answers for all.
 */
int identity_take_issuers(struct identity *identity, const STACK_OF(X509) * chain, const X509_STORE *store)
{
	int r = 0;

	sk_X509_NAME_pop_free(identity->issuers, X509_NAME_free);
	identity->issuers = NULL;
	if (store == NULL || !identity->verified)
		return 0;
	for (int i = 1; i < sk_X509_num(chain) && r == 0; i++) {
		X509 *authority = sk_X509_value(chain, i);

		if (trust_store_holds(store, authority) || !trust_store_has_several(store))
			r = add_issuer(identity, X509_get_subject_name(authority));
	}
	return r;
}

int identity_from_certificate(X509 *certificate, bool verified, struct identity *ret)
{
	struct identity identity = { .present = true, .verified = verified };
	const X509_NAME *name = X509_get_subject_name(certificate);
	int r = -ENOMEM;

	if (X509_digest(certificate, EVP_sha256(), identity.sha256, NULL) != 1 ||
	    X509_up_ref(certificate) != 1)
		goto out;
	identity.certificate = certificate;
	identity.subject = name_text(name);
	identity.issuer = name_text(X509_get_issuer_name(certificate));
	if (identity.subject == NULL || identity.issuer == NULL ||
	    take_serial(certificate, identity.serial) < 0 ||
	    add_issuer(&identity, X509_get_issuer_name(certificate)) < 0)
		goto out;
	if (X509_NAME_entry_count(name) > 0 && !has_nul(name)) {
		identity.name = X509_NAME_dup(name);
		if (identity.name == NULL)
			goto out;
	}
	*ret = identity;
	identity = (struct identity){ 0 };
	r = 0;
out:
	identity_done(&identity);
	ERR_clear_error();
	return r;
}

X509 *identity_read_certificate(BIO *bio, const char **ret_reason)
{
	X509 *certificate = PEM_read_bio_X509(bio, NULL, certs_file_passphrase, NULL);

	if (certificate == NULL && !certs_file_at_end())
		*ret_reason = certs_file_reason();
	ERR_clear_error();
	if (certificate == NULL && BIO_seek(bio, 0) == 0)
		certificate = d2i_X509_bio(bio, NULL);
	if (certificate == NULL && ERR_SYSTEM_ERROR(ERR_peek_error())) /* of a folder, for one */
		*ret_reason = strerror(ERR_GET_REASON(ERR_peek_error()));
	ERR_clear_error();
	return certificate;
}

int identity_from_file(const char *path, struct identity *ret, const char **ret_reason)
{
	BIO *bio = BIO_new_file(path, "r");
	X509 *certificate = NULL;
	int r = -EINVAL;

	*ret_reason = bio == NULL ? strerror(errno) : "it has no certificate in PEM or DER";
	if (bio != NULL)
		certificate = identity_read_certificate(bio, ret_reason);
	if (certificate != NULL)
		r = identity_from_certificate(certificate, true, ret);
	X509_free(certificate);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

int identity_get(const struct stream *stream, struct identity *ret)
{
	X509 *certificate = NULL;
	X509_STORE *store = NULL;
	int r;

	if (stream->ssl != NULL && stream->tls_up)
		certificate = SSL_get0_peer_certificate(stream->ssl);
	if (certificate == NULL) {
		*ret = (struct identity){ 0 };
		return 0;
	}
	r = identity_from_certificate(certificate, SSL_get_verify_result(stream->ssl) == X509_V_OK, ret);
	if (r == 0 && SSL_get0_verify_cert_store(stream->ssl, &store) != 1)
		store = NULL;
	if (r == 0)
		r = identity_take_issuers(ret, SSL_get0_verified_chain(stream->ssl), store);
	if (r < 0)
		identity_done(ret);
	return r;
}

void identity_done(struct identity *identity)
{
	free(identity->subject);
	free(identity->issuer);
	X509_NAME_free(identity->name);
	sk_X509_NAME_pop_free(identity->issuers, X509_NAME_free);
	X509_free(identity->certificate);
	*identity = (struct identity){ 0 };
}

const char *identity_common_name(const struct identity *identity, char buf[static IDENTITY_NAME_MAX])
{
	unsigned char *utf8 = NULL;
	int at = -1, last = -1, len = 0;

	buf[0] = '\0';
	if (identity->name == NULL)
		return buf;
	while ((at = X509_NAME_get_index_by_NID(identity->name, NID_commonName, at)) >= 0)
		last = at;
	if (last >= 0)
		len = ASN1_STRING_to_UTF8(
		    &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(identity->name, last)));
	if (len > 0 && len < IDENTITY_NAME_MAX) { /* a NUL is in none, see has_nul() */
		memcpy(buf, utf8, (size_t)len);
		buf[len] = '\0';
	}
	OPENSSL_free(utf8);
	return buf;
}

const char *identity_sha256(const struct identity *identity, char buf[static IDENTITY_SHA256_TEXT])
{
	static const char digits[] = "0123456789abcdef"; /* snprintf() is slow: maps have 10,000 entries */
	size_t n = 0;

	for (size_t i = 0; identity->present && i < IDENTITY_HASH_BYTES; i++) {
		buf[n++] = digits[identity->sha256[i] >> 4];
		buf[n++] = digits[identity->sha256[i] & 0xf];
	}
	buf[n] = '\0';
	return buf;
}

static void put_san(const GENERAL_NAME *name, char buf[static IDENTITY_SAN_MAX])
{
	static const char *const prefixes[] = {
		[GEN_EMAIL] = "email:", [GEN_DNS] = "DNS:", [GEN_URI] = "URI:"
	};
	int type, len;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	const uint8_t *bytes;
	char text[IP_TEXT_MAX];
	struct ip_addr addr;

	buf[0] = '\0';
	if (type != GEN_EMAIL && type != GEN_DNS && type != GEN_URI && type != GEN_IPADD)
		return;
	bytes = ASN1_STRING_get0_data(value);
	len = ASN1_STRING_length(value);
	if (type == GEN_IPADD) {
		if (len != 4 && len != 16)
			return;
		addr = ip_addr_make(len == 4 ? IP_V4 : IP_V6, bytes);
		(void)snprintf(buf, IDENTITY_SAN_MAX, "IP:%s", ip_addr_format(&addr, text));
		return;
	}
	for (int i = 0; i < len; i++)
		if (bytes[i] <= ' ' || bytes[i] > '~')
			return;
	if (len > 0 && len < IDENTITY_SAN_MAX - 8)
		(void)snprintf(buf, IDENTITY_SAN_MAX, "%s%.*s", prefixes[type], len, (const char *)bytes);
}

bool identity_san(const struct identity *identity, int index, char buf[static IDENTITY_SAN_MAX])
{
	GENERAL_NAMES *names = X509_get_ext_d2i(identity->certificate, NID_subject_alt_name, NULL, NULL);
	bool there = index < sk_GENERAL_NAME_num(names);

	if (there)
		put_san(sk_GENERAL_NAME_value(names, index), buf);
	GENERAL_NAMES_free(names);
	return there;
}

bool identity_equal(const struct identity *a, const struct identity *b)
{
	if (!a->present || !b->present)
		return a->present == b->present;
	return memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

const char *identity_until(const struct identity *identity, char buf[static IDENTITY_DATE_BYTES],
			   int *ret_days)
{
	const ASN1_TIME *until = X509_get0_notAfter(identity->certificate);
	struct tm tm;
	int seconds;

	buf[0] = '\0';
	*ret_days = 0;
	if (ASN1_TIME_to_tm(until, &tm) == 1)
		(void)strftime(buf, IDENTITY_DATE_BYTES, "%Y-%m-%d", &tm);
	(void)ASN1_TIME_diff(ret_days, &seconds, NULL, until);
	return buf;
}
