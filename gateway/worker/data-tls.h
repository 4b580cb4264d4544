/*
 * TLS on the client's leg of a data connection: LEG_OPEN, then LEG_TLS while the
 * handshake runs, then LEG_READY.
 */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_TLS_H
#define ATTLSD_GATEWAY_WORKER_DATA_TLS_H

#include <stdbool.h>

#include "gateway/worker/data-leg.h"

/* Begin or go on. Returns FTP_DATA_PENDING (done once the leg is LEG_READY), or what went wrong. */
enum ftp_data_result data_tls_step(struct data_legs *legs);

/* Has the client said anything of a handshake in LEG_TLS? */
bool data_tls_has_begun(const struct data_leg *leg);

/* Back to the clear (LEG_OPEN). Only before the client has said anything of a handshake. */
void data_tls_cancel(struct data_legs *legs);

#endif
