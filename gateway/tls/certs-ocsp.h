/*
 * OCSP stapling from a file: an authority's status of one of our certificates.
 * Another program fetches it (openssl-ocsp(1) and a timer); clients that ask for it
 * get it.
 */
#ifndef ATTLSD_GATEWAY_TLS_CERTS_OCSP_H
#define ATTLSD_GATEWAY_TLS_CERTS_OCSP_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "policy/policy.h"

struct x509_st;

/* All zero: there is none. */
struct certs_ocsp {
	uint8_t *der;
	size_t len;
	time_t until; /* not to be sent after this; 0: no end */
};

/*
 * Load the file that `from` names, if any, and check that it is about this
 * certificate. Faults go into diags at its place; a response that has expired or
 * whose status is not "good" is a warning. Returns 0 (also after faults) or -ENOMEM.
 */
int certs_ocsp_load(const struct policy_certificate *from, const struct x509_st *leaf, struct diags *diags,
		    struct certs_ocsp *ret_ocsp);
void certs_ocsp_done(struct certs_ocsp *ocsp);

#endif
