/* What the events of sessions count as (gateway/base/counters.def). */
#ifndef ATTLSD_GATEWAY_WORKER_TALLY_H
#define ATTLSD_GATEWAY_WORKER_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/net/stream.h"
#include "gateway/worker/facts.h"

/* A session has begun that is no health check. */
void tally_session(const struct facts *facts);
/* Likewise. begun: tally_session() was called for it. */
void tally_session_end(const struct facts *facts, bool begun, const char *reason);

/* A TLS handshake has succeeded, on a data connection or a control connection. */
void tally_handshake(enum ftp_side side, bool data, const struct stream *stream);

void tally_login(void);
void tally_login_failed(const char *by);

/* A data connection has moved bytes. */
void tally_bytes(bool upload, enum secure_level client, enum secure_level server, uint64_t bytes);
/* A transfer is over. client: the protection of the client's data. */
void tally_transfer(bool upload, enum secure_level client, enum ftp_data_result result);

#endif
