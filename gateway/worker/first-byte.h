/*
 * Waits for a client's first byte before its session begins. On a listener with `tls: auto`
 * it decides whether TLS comes first; a prober (probers.h) mostly sends none.
 */
#ifndef ATTLSD_GATEWAY_WORKER_FIRST_BYTE_H
#define ATTLSD_GATEWAY_WORKER_FIRST_BYTE_H

#include "gateway/worker/session-state.h"

/*
 * Wait for the first byte or the end, for limit_ms at most; then set session->facts.implicit
 * if the listener is `tls: auto`, and call begin(). The session's machine does not exist yet.
 */
void first_byte_await(struct session *session, uint64_t limit_ms, void (*begin)(struct session *session));

/* The phase timer has run out in PHASE_FIRST_BYTE. */
void first_byte_timeout(struct session *session);

/*
 * With SECUREIMPLICITZOS TRUE the handshake may also follow the greeting. Called before anything is
 * read from a client in the clear; true: the client has begun TLS now, and its bytes are still there.
 */
bool first_byte_is_tls(struct session *session);

#endif
