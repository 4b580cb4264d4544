/*
 * Warns in the log before certificates or revocation lists expire; without a valid
 * list, clients' certificates are refused. It checks at the start of a policy and
 * twice a day. One worker of each generation does this.
 */
#ifndef ATTLSD_GATEWAY_WORKER_EXPIRY_H
#define ATTLSD_GATEWAY_WORKER_EXPIRY_H

struct worker;

/* Give the monitor the times at which certificates, OCSP responses and lists expire. Every worker does. */
void expiry_publish(const struct worker *worker);

/* Check now and regularly; without memory for the timer, only now. */
void expiry_start(struct worker *worker);

#endif
