/*
 * What ends while attlsd runs: its certificates, and the lists of revoked ones,
 * without which clients' certificates are refused. The log says so at the start
 * of a policy and twice a day, in time to do something about it. Of all workers
 * of a generation one looks.
 */
#ifndef ATTLSD_GATEWAY_WORKER_EXPIRY_H
#define ATTLSD_GATEWAY_WORKER_EXPIRY_H

struct worker;

/* Look now, and from now on. Without memory for the timer: now. */
void expiry_start(struct worker *worker);

#endif
