/*
 * Judges the algorithms that a file names before OpenSSL carries them out: PBES1 and PBES2 of
 * RFC 8018, the older ones of RFC 7292, and PBMAC1 of RFC 9579, whose parameters have the form of
 * PBES2. An algorithm that is not one of these is refused.
 */
#include "gateway/tls/pbe.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* RFC 9579; OpenSSL before 3.4 lacks the name. */
#define OID_PBMAC1 "1.2.840.113549.1.5.14"
#define OID_MAX	   80

int pbe_open(struct pbe *pbe)
{
	*pbe = (struct pbe){ .libctx = OSSL_LIB_CTX_new() };
	if (pbe->libctx != NULL)
		pbe->standard = OSSL_PROVIDER_load(pbe->libctx, "default");
	if (pbe->standard == NULL) {
		pbe_close(pbe);
		return -ENOMEM;
	}
	pbe->legacy = OSSL_PROVIDER_load(pbe->libctx, "legacy"); /* a package of its own on some systems */
	ERR_clear_error();
	return 0;
}

void pbe_close(struct pbe *pbe)
{
	if (pbe->legacy != NULL)
		(void)OSSL_PROVIDER_unload(pbe->legacy); /* the context goes as well */
	if (pbe->standard != NULL)
		(void)OSSL_PROVIDER_unload(pbe->standard);
	OSSL_LIB_CTX_free(pbe->libctx);
	*pbe = (struct pbe){ .libctx = NULL };
	ERR_clear_error();
}

int pbe_spend(struct pbe *pbe, uint64_t iterations, char why[static PBE_WHY_MAX])
{
	if (iterations <= PBE_ITERATIONS_MAX - pbe->iterations) {
		pbe->iterations += iterations;
		return 0;
	}
	(void)snprintf(
	    why, PBE_WHY_MAX,
	    "it hashes its passwords more than %d times in all, which takes too long; write it again "
	    "with fewer iterations",
	    PBE_ITERATIONS_MAX);
	return -EINVAL;
}

int pbe_check_cipher(struct pbe *pbe, const char *cipher, const char *what, char why[static PBE_WHY_MAX])
{
	static const char *const ways[] = {
		"openssl pkcs12 -legacy -in OLD -out x.pem && openssl pkcs12 -export -in x.pem -out NEW",
		"openssl pkey -provider legacy -provider default -in OLD -aes256 -out NEW",
	};
	EVP_CIPHER *found = EVP_CIPHER_fetch(pbe->libctx, cipher, NULL);

	EVP_CIPHER_free(found);
	ERR_clear_error();
	if (found != NULL)
		return 0;
	if (pbe->legacy != NULL)
		(void)snprintf(why, PBE_WHY_MAX, "it is encrypted with %.40s, which OpenSSL does not have",
			       cipher);
	else
		(void)snprintf(
		    why, PBE_WHY_MAX,
		    "it is encrypted with %.40s, which only OpenSSL's legacy provider has, and that "
		    "is not installed (Debian: openssl-provider-legacy); install it, or convert the "
		    "file where it is: %s",
		    cipher, ways[strcmp(what, "pkcs12") != 0]);
	return -EINVAL;
}

static int refuse(const char *name, char why[static PBE_WHY_MAX])
{
	(void)snprintf(why, PBE_WHY_MAX, "it uses %.80s for its password, which attlsd does not know", name);
	return -EINVAL;
}

static uint64_t number(const ASN1_INTEGER *from)
{
	uint64_t value;

	return from != NULL && ASN1_INTEGER_get_uint64(&value, from) == 1 ? value : UINT64_MAX;
}

/* UINT64_MAX: more than that. */
static uint64_t product(uint64_t a, uint64_t b)
{
	return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

/* The parameter of an algorithm as one of OpenSSL's structs; NULL: it has another form. */
static void *parameter(const X509_ALGOR *algorithm, const ASN1_ITEM *type)
{
	const void *sequence;
	int form;

	X509_ALGOR_get0(NULL, &form, &sequence, algorithm);
	return form == V_ASN1_SEQUENCE ? ASN1_item_unpack(sequence, type) : NULL;
}

static bool has_name(const X509_ALGOR *algorithm, int nid)
{
	const ASN1_OBJECT *name;

	X509_ALGOR_get0(&name, NULL, NULL, algorithm);
	return OBJ_obj2nid(name) == nid;
}

/* PBKDF2 or scrypt: UINT64_MAX if it is neither, or makes no sense. */
static uint64_t iterations_of(const X509_ALGOR *function)
{
	uint64_t iterations = UINT64_MAX;

	if (has_name(function, NID_id_pbkdf2)) {
		PBKDF2PARAM *from = parameter(function, ASN1_ITEM_rptr(PBKDF2PARAM));

		if (from != NULL)
			iterations = number(from->iter);
		PBKDF2PARAM_free(from);
	} else if (has_name(function, NID_id_scrypt)) {
		SCRYPT_PARAMS *from = parameter(function, ASN1_ITEM_rptr(SCRYPT_PARAMS));

		if (from != NULL)
			iterations = product(product(number(from->costParameter), number(from->blockSize)),
					     number(from->parallelizationParameter));
		SCRYPT_PARAMS_free(from);
	}
	ERR_clear_error();
	return iterations;
}

/* A function that makes a key of the password, and what uses the key. */
static int check_pair(struct pbe *pbe, const X509_ALGOR *algorithm, bool cipher, const char *what,
		      char why[static PBE_WHY_MAX])
{
	PBE2PARAM *pair = parameter(algorithm, ASN1_ITEM_rptr(PBE2PARAM));
	char name[OID_MAX] = "?";
	const ASN1_OBJECT *use;
	int r = pair == NULL ? refuse("a broken PBES2", why) : 0;

	if (r == 0)
		r = pbe_spend(pbe, iterations_of(pair->keyfunc), why);
	if (r == 0 && cipher) {
		X509_ALGOR_get0(&use, NULL, NULL, pair->encryption);
		(void)OBJ_obj2txt(name, sizeof(name), use, 0);
		r = pbe_check_cipher(pbe, OBJ_obj2nid(use) == NID_undef ? name : OBJ_nid2sn(OBJ_obj2nid(use)),
				     what, why);
	}
	PBE2PARAM_free(pair);
	return r;
}

int pbe_check(struct pbe *pbe, const X509_ALGOR *algorithm, const char *what, char why[static PBE_WHY_MAX])
{
	char oid[OID_MAX] = "?", name[OID_MAX] = "?";
	const ASN1_OBJECT *object;
	PBEPARAM *old;
	int nid, cipher = NID_undef, r;

	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	nid = OBJ_obj2nid(object);
	(void)OBJ_obj2txt(oid, sizeof(oid), object, 1);
	(void)OBJ_obj2txt(name, sizeof(name), object, 0);
	if (nid == NID_pbes2 || strcmp(oid, OID_PBMAC1) == 0)
		return check_pair(pbe, algorithm, nid == NID_pbes2, what, why);
	if (nid == NID_undef || EVP_PBE_find(EVP_PBE_TYPE_OUTER, nid, &cipher, NULL, NULL) != 1 ||
	    cipher == NID_undef) {
		ERR_clear_error();
		return refuse(name, why);
	}
	old = parameter(algorithm, ASN1_ITEM_rptr(PBEPARAM));
	r = pbe_spend(pbe, old == NULL ? UINT64_MAX : number(old->iter), why);
	PBEPARAM_free(old);
	return r < 0 ? r : pbe_check_cipher(pbe, OBJ_nid2sn(cipher), what, why);
}
