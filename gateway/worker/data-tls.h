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
 * Has it, and may the handshake still fail? If it resumes a TLS 1.3 session of ours, it
 * cannot: no certificate is checked, and the ClientHello has proved that the client has
 * the session's keys.
 */
bool data_tls_is_undecided(const struct data_legs *legs);

/*
 * Go back to the clear (LEG_OPEN), which is possible only before the client has sent
 * a byte of a handshake.
 */
void data_tls_cancel(struct data_legs *legs);

#endif
