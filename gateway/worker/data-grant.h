/* The monitor's answers to a data connection. */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_GRANT_H
#define ATTLSD_GATEWAY_WORKER_DATA_GRANT_H

#include "gateway/worker/data-leg.h"

/* An answer to a request of this data connection, which may take *fd over. */
void data_legs_granted(struct data_legs *legs, const struct msg *msg, int *fd);

/* MSG_PLAN_ARRIVED, but the session is over: log the connection and reset it. */
void data_grant_too_late(const struct msg *msg, int *fd);

/* MSG_PLAN_GIVE: give the port up, or (busy) say that a transfer needs it. */
void data_legs_make_way(struct data_legs *legs, const struct msg *msg, bool busy);

#endif
