/* A key ring of the policy whose certificates are in a PKCS #12 file. */
#ifndef ATTLSD_GATEWAY_TLS_PKCS12_RING_H
#define ATTLSD_GATEWAY_TLS_PKCS12_RING_H

#include <stddef.h>

#include "policy/policy.h"

struct evp_pkey_st;

/* What the policy names of the file: certificates as PEM, as if each had a file of its own. */
struct pkcs12_ring {
	size_t n; /* of the key ring's certificates */
	char **chains;
	struct evp_pkey_st **keys;
	char *trust; /* the authorities; NULL without `trust: pkcs12` */
};

/*
 * Every fault goes into diags. Returns 0 and a ring that is whole, -EINVAL (diags says why) or -ENOMEM.
 */
int pkcs12_ring_load(const struct policy_keyring *keyring, struct diags *diags,
		     struct pkcs12_ring **ret_ring);
void pkcs12_ring_free(struct pkcs12_ring **ring);

#endif
