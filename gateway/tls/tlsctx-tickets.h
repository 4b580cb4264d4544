/*
 * The keys of session tickets of one tls_action. The newest encrypts. Older ones
 * decrypt for as long as a ticket of theirs may live (session_timeout), and are then
 * wiped, so that a thief of a worker's memory cannot read older tickets.
 *
 * A key comes from a seed, which all workers have, and from what the tls_action and its certificates are: an
 * action that a reload changes has other keys, and resumes no session of the old one.
 */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_TICKETS_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_TICKETS_H

#include <stdint.h>

#include "gateway/base/ticket-seeds.h"
#include "gateway/base/ticket-sets.h"
#include "policy/policy.h"

struct ssl_ctx_st;
struct tlsctx_tickets;

/*
 * The certificates are in ctx already. Make the keys from a set (NULL: there is none), or from these seeds
 * (NULL: one random key for good), and set OpenSSL's callback. Returns 0 or -ENOMEM.
 */
int tlsctx_tickets_use(const struct tls_action *action, const struct ticket_seeds *seeds,
		       const struct ticket_set *set, struct ssl_ctx_st *ctx,
		       struct tlsctx_tickets **ret_tickets);
void tlsctx_tickets_free(struct tlsctx_tickets **tickets);

/* A newer seed; one that is known is ignored. */
void tlsctx_tickets_renew(struct tlsctx_tickets *tickets, const struct ticket_seed *seed);

/*
 * A part of another set. When it is whole, its keys replace all. The one that has encrypted so far stays as
 * long as a ticket of it may live, however far the clock that makes epochs has been set.
 */
void tlsctx_tickets_replace(struct tlsctx_tickets *tickets, const struct ticket_part *part, uint64_t now_ms);

/*
 * Wipe the keys whose tickets have all expired. now_ms: of the clock of the seeds.
 * Returns in how many milliseconds to call it again.
 */
uint64_t tlsctx_tickets_expire(struct tlsctx_tickets *tickets, uint64_t now_ms);

#endif
