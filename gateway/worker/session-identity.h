/* Who speaks on the client's control connection now, as far as TLS or Kerberos shows. */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_IDENTITY_H
#define ATTLSD_GATEWAY_WORKER_SESSION_IDENTITY_H

#include "gateway/worker/session-state.h"

/* The client's certificate; NULL: it has shown none, or TLS has ended since (CCC, REIN). */
const struct identity *session_identity(const struct session *session);

/* The client's principal; NULL: there is none, or commands may come in the clear since (CCC). */
const char *session_principal(const struct session *session);

#endif
