/* How the end of a transfer is passed on to both peers. */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_END_H
#define ATTLSD_GATEWAY_WORKER_DATA_END_H

#include <stdbool.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/worker/data-handshake.h"
#include "gateway/worker/data-leg.h"

/* The legs are not up in time: why. */
enum ftp_data_result data_end_late(struct data_legs *legs, struct data_handshake *handshake);

/* Close both legs. begun: bytes may have moved. failed: the server has reported a failure. */
void data_end_legs(struct data_legs *legs, enum ftp_data_result result, bool begun, bool failed);

#endif
