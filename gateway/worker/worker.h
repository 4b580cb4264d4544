/* A worker: one process with one thread and its share of the sessions. */
#ifndef ATTLSD_GATEWAY_WORKER_WORKER_H
#define ATTLSD_GATEWAY_WORKER_WORKER_H

#include "gateway/worker/worker-setup.h"

/* The exit status of a worker whose certificates have changed since the keeper loaded the keys. */
#define WORKER_EXIT_STALE 3

/* Run a worker in this process. Returns the exit status. */
int worker_run(const struct worker_setup *setup);

#endif
