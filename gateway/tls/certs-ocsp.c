/*
 * Loads an OCSP response from a file and checks that it fits its certificate and
 * is current. It does not check the signature: clients do. Without a response nobody
 * is less safe, so each fault is a warning: a renewed certificate beside the response
 * for the old one must not keep attlsd from starting.
 */
#include "gateway/tls/certs-ocsp.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tls/certs-file.h"

/* Clocks of authorities may be ahead of ours by this much. */
#define CLOCK_SKEW_S 300
/* A response holds a certificate and a signature or two. */
#define OCSP_FILE_MAX (64 * 1024)

/* A certificate is named by its number and a hash of its issuer's name, made with any algorithm. */
static bool is_about(OCSP_CERTID *id, const X509 *leaf)
{
	ASN1_OCTET_STRING *name_hash = NULL;
	ASN1_OBJECT *algorithm = NULL;
	ASN1_INTEGER *serial = NULL;
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned hash_len = 0;
	const EVP_MD *md;

	if (OCSP_id_get0_info(&name_hash, &algorithm, NULL, &serial, id) != 1)
		return false;
	md = EVP_get_digestbyobj(algorithm);
	return md != NULL && ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) == 0 &&
	       X509_NAME_digest(X509_get_issuer_name(leaf), md, hash, &hash_len) == 1 &&
	       (size_t)ASN1_STRING_length(name_hash) == hash_len &&
	       memcmp(ASN1_STRING_get0_data(name_hash), hash, hash_len) == 0;
}

/* The status of the certificate; NULL: there is none. */
static OCSP_SINGLERESP *find(OCSP_BASICRESP *basic, const X509 *leaf)
{
	OCSP_SINGLERESP *found = NULL;

	for (int i = 0; i < OCSP_resp_count(basic) && found == NULL; i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		OCSP_CERTID *id = OCSP_CERTID_dup(OCSP_SINGLERESP_get0_id(single));

		if (id != NULL && is_about(id, leaf))
			found = single;
		OCSP_CERTID_free(id);
	}
	return found;
}

static void check_status(OCSP_SINGLERESP *single, const struct policy_certificate *from, struct diags *diags,
			 time_t *ret_until)
{
	ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;
	int status = OCSP_single_get0_status(single, NULL, NULL, &this_update, &next_update);
	struct tm until;

	if (status != V_OCSP_CERTSTATUS_GOOD) {
		diags_add(diags, DIAG_WARNING, DIAG_OCSP_NOT_GOOD, from->ocsp_mark,
			  "the OCSP response in \"%s\" gives this status for the certificate in \"%s\": %s",
			  from->ocsp, from->chain, OCSP_cert_status_str(status));
		diags_see(diags, from->ocsp, (struct diag_mark){ 0 }, "the OCSP response");
	}
	if (OCSP_check_validity(this_update, next_update, CLOCK_SKEW_S, -1) != 1) {
		diags_add(diags, DIAG_WARNING, DIAG_OCSP_UNUSABLE, from->ocsp_mark,
			  "the OCSP response in \"%s\" cannot be used now: %s", from->ocsp,
			  certs_file_reason());
		diags_see(diags, from->ocsp, (struct diag_mark){ 0 }, "the OCSP response");
	}
	if (next_update != NULL && ASN1_TIME_to_tm(next_update, &until) == 1)
		*ret_until = timegm(&until);
}

/* NULL, after a warning, when it is no response, or one for another certificate. */
static OCSP_RESPONSE *parse(const uint8_t *der, size_t len, const struct policy_certificate *from,
			    const X509 *leaf, struct diags *diags, time_t *ret_until)
{
	const uint8_t *at = der;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)len);
	OCSP_BASICRESP *basic = NULL;
	OCSP_SINGLERESP *single = NULL;
	const char *fault = NULL;

	if (response == NULL || at != der + len)
		fault = "is not an OCSP response in DER format";
	else if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		fault = "holds an error from an OCSP responder, not an answer";
	else if ((basic = OCSP_response_get1_basic(response)) == NULL)
		fault = "holds an OCSP response of an unknown type";
	else if ((single = find(basic, leaf)) == NULL)
		fault = "holds an OCSP response for another certificate";
	else
		check_status(single, from, diags, ret_until);
	OCSP_BASICRESP_free(basic);
	if (fault == NULL)
		return response;
	diags_add(diags, DIAG_WARNING, DIAG_OCSP_UNUSABLE, from->ocsp_mark,
		  "\"%s\" %s, so clients get none for the certificate in \"%s\"", from->ocsp, fault,
		  from->chain);
	diags_see(diags, from->ocsp, (struct diag_mark){ 0 }, "the OCSP response");
	OCSP_RESPONSE_free(response);
	return NULL;
}

int certs_ocsp_load(const struct policy_certificate *from, const X509 *leaf, struct diags *diags,
		    struct certs_ocsp *ret_ocsp)
{
	struct certs_ocsp ocsp = { 0 };
	OCSP_RESPONSE *response = NULL;
	uint8_t *der = NULL;
	BIO *bio = NULL;
	int len;
	int r = 0;

	if (from->ocsp == NULL || leaf == NULL) /* diags has it */
		return 0;
	bio = certs_file_open(from->ocsp, from->ocsp_mark, "OCSP response", DIAG_WARNING, diags);
	if (bio == NULL)
		return 0;
	der = malloc(OCSP_FILE_MAX);
	if (der == NULL) {
		r = -ENOMEM;
		goto out;
	}
	len = BIO_read(bio, der, OCSP_FILE_MAX);
	response = parse(der, len > 0 ? (size_t)len : 0, from, leaf, diags, &ocsp.until);
	if (response != NULL) {
		ocsp.der = der;
		ocsp.len = (size_t)len;
		der = NULL;
		*ret_ocsp = ocsp;
	}
out:
	OCSP_RESPONSE_free(response);
	free(der);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

void certs_ocsp_done(struct certs_ocsp *ocsp)
{
	free(ocsp->der);
	*ocsp = (struct certs_ocsp){ 0 };
}
