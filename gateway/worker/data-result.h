/* The result of a data connection: what its relay says, and how it appears in the log. */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_RESULT_H
#define ATTLSD_GATEWAY_WORKER_DATA_RESULT_H

#include <stdbool.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/net/relay.h"

/* What the end of a relay means; while it runs, FTP_DATA_PENDING. */
enum ftp_data_result data_result_of(enum relay_result result, bool upload);

/* Static. */
const char *data_result_name(enum ftp_data_result result);

/* Of "session-not-reused": why it was not; NULL for other results. Static. */
const char *data_result_reason(enum ftp_data_result result);

#endif
