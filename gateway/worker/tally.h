/* What the events of sessions count as (gateway/base/counters.def). */
#ifndef ATTLSD_GATEWAY_WORKER_TALLY_H
#define ATTLSD_GATEWAY_WORKER_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/net/stream.h"
#include "gateway/worker/facts.h"

/* A TLS handshake has succeeded, on a data connection or a control connection. */
void tally_handshake(enum ftp_side side, bool data, const struct stream *stream);
/* It has failed; cause: as stream_tls_cause() has it, or "closed" or "timeout". */
void tally_handshake_failed(enum ftp_side side, bool data, const char *cause);
/* Policy refuses a data connection that has not resumed a TLS session. */
void tally_not_reused(enum ftp_side side, const char *reason);
/* A control connection leaves TLS: by CCC, or else by REIN. */
void tally_cleared(enum ftp_side side, bool by_ccc);

/* An exchange of ADAT has led to a proven client, or has failed. */
void tally_gssapi(bool ok);

void tally_login(void);
void tally_login_failed(const char *by);

/* login_check has answered: "allow", "deny" or "none". */
void tally_login_check(const char *answer);
/* Of a command. verb: "" if it is none of FTP's; key: NULL if no key decided. */
/* Policy would have refused something, but is only audited. */
void tally_would_refuse(const char *key);
void tally_refusal(const char *verb, const char *key);

/* The server was dialled: 0 or a negative errno, after this time. Then its greeting, or that all was in vain.
 */
void tally_dial(const struct policy_backend *backend, int r, uint64_t ms);
void tally_greeting(const struct policy_backend *backend, uint64_t ms);
void tally_server_down(const struct policy_backend *backend);
void tally_data_unreachable(const struct policy_backend *backend);

/* A client is told a data port; it dials it; it is given up undialled (reason NULL: for another one). */
void tally_told(void);
void tally_dialled(void);
void tally_not_dialled(const char *reason, bool missed);
/* A data port was dialled from another address. */
void tally_peer_refused(enum ftp_side side);

/* A data connection has moved bytes. */
void tally_bytes(bool upload, enum secure_level client, enum secure_level server, uint64_t bytes);
/* A transfer is over. client: the protection of the client's data. */
void tally_transfer(bool upload, enum secure_level client, enum ftp_data_result result, uint64_t ms);

#endif
