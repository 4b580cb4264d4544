/*
 * The keys of session tickets of one tls_action. The newest encrypts. Older ones
 * decrypt for as long as a ticket of theirs may live (session_timeout), and are then
 * wiped, so that a thief of a worker's memory cannot read older tickets.
 */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_TICKETS_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_TICKETS_H

#include <stdint.h>

#include "policy/policy.h"

struct ssl_ctx_st;
struct tlsctx_tickets;

/* Make the first key and set OpenSSL's callback. Returns 0 or -ENOMEM. */
int tlsctx_tickets_use(const struct tls_action *action, struct ssl_ctx_st *ctx,
		       struct tlsctx_tickets **ret_tickets);
void tlsctx_tickets_free(struct tlsctx_tickets **tickets);

/*
 * Make a new key if it is time, and wipe those whose tickets have all expired. now_ms:
 * of a clock that does not jump. Returns in how many milliseconds to call it again.
 */
uint64_t tlsctx_tickets_rotate(struct tlsctx_tickets *tickets, uint64_t now_ms);

#endif
