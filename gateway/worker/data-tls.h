/*
 * TLS on the client's leg of a data connection: LEG_OPEN, then LEG_TLS while the
 * handshake runs, then LEG_READY.
 */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_TLS_H
#define ATTLSD_GATEWAY_WORKER_DATA_TLS_H

#include <stdbool.h>

#include "gateway/worker/data-leg.h"

/*
 * Begin or continue the handshake. Returns FTP_DATA_PENDING, which also means
 * success once the leg is LEG_READY, or what went wrong.
 */
enum ftp_data_result data_tls_step(struct data_legs *legs);

/* In LEG_TLS: has the client sent any byte of a handshake? */
bool data_tls_has_begun(const struct data_leg *leg);

/*
 * In LEG_TLS: does the client resume a session of TLS 1.3? Then no certificate is checked, and
 * only an attacker who replays a ClientHello cannot end the handshake.
 */
bool data_tls_resumes(const struct data_leg *leg);

/*
 * Go back to the clear (LEG_OPEN), which is possible only before the client has sent
 * a byte of a handshake.
 */
void data_tls_cancel(struct data_legs *legs);

#endif
