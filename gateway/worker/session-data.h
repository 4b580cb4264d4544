/* What a session hears of its data connection. */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_DATA_H
#define ATTLSD_GATEWAY_WORKER_SESSION_DATA_H

#include "gateway/worker/data-conn.h"

extern const struct data_owner session_data_owner;

#endif
