/* What is kept of a transfer: a log line, an event of the audit trail, a line of the xferlog. */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_LOG_H
#define ATTLSD_GATEWAY_WORKER_DATA_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/worker/data-leg.h"

struct data_log {
	const struct data_legs *legs;
	const char *command; /* of the transfer; NULL: unknown */
	bool upload, binary;
	char mode; /* as ftp_representation_mode() */
	enum secure_level level, server_level;
	uint64_t bytes, ms;
	enum ftp_data_result result;
};

void data_log_transfer(const struct data_log *log);

/* A line of an xferlog, as xferlog(5) of wu-ftpd has it. */
#define DATA_LOG_XFER_MAX 8192
struct data_log_xfer {
	struct tm time; /* local */
	uint64_t seconds;
	const char *host, *name, *user;
	uint64_t bytes;
	bool binary, upload, whole;
};
size_t data_log_xfer(const struct data_log_xfer *xfer, char buf[static DATA_LOG_XFER_MAX]);

#endif
