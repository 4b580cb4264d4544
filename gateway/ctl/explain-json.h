/*
 * The files of explain share this: the client to be explained, and functions that
 * add to the JSON.
 */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_JSON_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/ctl/explain-client.h"
#include "policy/policy.h"

#define EXPLAIN_REASON_MAX 256

struct explain_maker {
	const struct policy *policy;
	const struct policy_flow *flow;
	const struct explain_client *client;
	struct diags *diags;
	struct ftp_identity identity;	    /* what the session knows of the client's certificate */
	char tls_fails[EXPLAIN_REASON_MAX]; /* why TLS admits no such client; "": it does */
	bool sni_fails;			    /* and a client certificate would not help */
	struct ftp_machine_setup setup;
	struct ftp_late_choice late_choice; /* of setup */
	bool tls_first;			    /* implicit TLS comes before the greeting */
	bool null_ciphers;		    /* TLS may not encrypt: PROT P may be no more than safe */
	struct ip_endpoint offered;
	bool failed; /* an allocation has failed */
};

/* Add a value to an object or to a list, which then owns it. A failure is remembered. */
void explain_put(struct explain_maker *maker, json_t *to, const char *key, json_t *value);
void explain_add(struct explain_maker *maker, json_t *to, json_t *value);

/* A path comes from the command line in any encoding, and may not be UTF-8. */
json_t *explain_text(const char *text);

#endif
