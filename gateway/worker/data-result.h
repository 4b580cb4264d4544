/* How the result of a data connection appears in the log. */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_RESULT_H
#define ATTLSD_GATEWAY_WORKER_DATA_RESULT_H

#include "ftp-alg/ftp-alg.h"

/* Static. */
const char *data_result_name(enum ftp_data_result result);

/* Of "session-not-reused": why it was not; NULL for other results. Static. */
const char *data_result_reason(enum ftp_data_result result);

#endif
