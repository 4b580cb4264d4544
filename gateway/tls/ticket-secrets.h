/*
 * The files of tls_actions.*.session_ticket_keys. Nodes that have the same file, the same
 * certificates and the same time (within an epoch) open each other's session tickets.
 *
 * An epoch is as long as the tls_action's session_timeout, so each ticket expires before the
 * epoch after that of its making is over.
 */
#ifndef ATTLSD_GATEWAY_TLS_TICKET_SECRETS_H
#define ATTLSD_GATEWAY_TLS_TICKET_SECRETS_H

#include <stdint.h>

#include "gateway/base/ticket-sets.h"
#include "policy/policy.h"

#define TICKET_SECRET_BYTES 32

/* The file of one tls_action. */
struct ticket_file {
	size_t action;	 /* its index in policy.tls_actions */
	uint64_t made_s; /* when the file was last changed, since 1970 */
	size_t n;
	uint8_t secrets[TICKET_SECRETS_MAX]
		       [TICKET_SECRET_BYTES]; /* digests of its lines: the first encrypts */
};

/* Of one policy, in shared pages (shared.h), so that no child gets them by chance. */
struct ticket_secrets {
	size_t n;
	struct ticket_file files[];
};

/*
 * Read the file of one tls_action that has session_ticket_keys; each fault goes into diags. Returns 0 or
 * -EINVAL. The caller wipes the result.
 */
int ticket_file_load(const struct tls_action *action, struct diags *diags, struct ticket_file *ret);

/*
 * Read the files that the policy names; each fault goes into diags with its place, without the
 * secret. Returns 0 and the secrets, NULL if there are no files; -EINVAL; or -ENOMEM.
 */
int ticket_secrets_load(const struct policy *policy, struct diags *diags, struct ticket_secrets **ret);

/* The bytes of it all, for a pipe; and from there. NULL: the bytes do not fit the policy, or no memory. */
size_t ticket_secrets_size(const struct ticket_secrets *secrets);
struct ticket_secrets *ticket_secrets_take(const struct policy *policy, const void *bytes, size_t len);
/* NULL: there are none, or no memory. */
struct ticket_secrets *ticket_secrets_copy(const struct ticket_secrets *secrets);

/* When the file that has not been changed for the longest time was: seconds since 1970. NULL: 0. */
uint64_t ticket_secrets_oldest_s(const struct ticket_secrets *secrets);

/* Wipe and free. */
void ticket_secrets_free(struct ticket_secrets **secrets);

/*
 * Make the seeds for this time, in seconds since 1970. Sets that are of the right epochs stay as they are.
 * Returns 1: some have changed; 0: none; or -ENOMEM: some are as they were.
 */
int ticket_secrets_derive(const struct ticket_secrets *secrets, const struct policy *policy, uint64_t now_s,
			  struct ticket_sets *sets);

/* What a generation of workers has of both; all NULL: nothing. */
struct ticket_keys {
	struct ticket_secrets *secrets;
	struct ticket_sets *sets;
};

void ticket_keys_free(struct ticket_keys *keys);

/* In how many seconds the first of the next epochs begins. */
uint64_t ticket_secrets_due_s(const struct ticket_secrets *secrets, const struct policy *policy,
			      uint64_t now_s);

#endif
