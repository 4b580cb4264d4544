/*
 * One entry of `certificates` of a user: what the policy says about a certificate,
 * compiled, for comparison with the one that a client has shown.
 */
#ifndef ATTLSD_GATEWAY_TLS_IDENTITY_ENTRY_H
#define ATTLSD_GATEWAY_TLS_IDENTITY_ENTRY_H

#include "gateway/tls/identity.h"
#include "policy/policy.h"

struct identity_entry;

/*
 * Compile an entry. A text that is not what its key asks for goes into diags, and
 * *ret_entry is NULL then. Returns 0 (also after faults) or -ENOMEM.
 */
int identity_entry_make(const struct policy_user *user, const struct policy_user_certificate *certificate,
			struct diags *diags, struct identity_entry **ret_entry);
void identity_entry_free(struct identity_entry **entry);

/* Does all that the entry names agree with this certificate? Its verification is the caller's business. */
bool identity_entry_matches(const struct identity_entry *entry, const struct identity *identity);

/* Does every certificate of b also match a, as far as the entries show? */
bool identity_entry_covers(const struct identity_entry *a, const struct identity_entry *b);

/* The name of the issuer, or NULL: the entry names none. */
const struct X509_name_st *identity_entry_issuer(const struct identity_entry *entry);

#endif
