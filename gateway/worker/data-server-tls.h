/*
 * TLS on the data connection to the server. It resumes the session of the control
 * connection, which many servers require.
 */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_SERVER_TLS_H
#define ATTLSD_GATEWAY_WORKER_DATA_SERVER_TLS_H

#include "ftp-alg/ftp-alg.h"
#include "gateway/worker/data-leg.h"

/*
 * Begin the handshake on the server's leg, or go on with it. FTP_DATA_PENDING: it is
 * under way (LEG_TLS) or done (LEG_READY); other results are logged.
 */
enum ftp_data_result data_server_tls_step(struct data_legs *legs);

/* The time for the handshake is up. */
enum ftp_data_result data_server_tls_late(struct data_legs *legs);

/* How the server's data are protected. */
enum secure_level data_server_tls_level(const struct data_legs *legs);

/* The transfer is over: what has this connection got to be resumed? */
void data_server_tls_end(struct data_legs *legs);

#endif
