/* What a worker reads from files at its start. */
#ifndef ATTLSD_GATEWAY_WORKER_WORKER_FILES_H
#define ATTLSD_GATEWAY_WORKER_WORKER_FILES_H

#include "gateway/worker/worker-setup.h"

struct worker;

/*
 * Before the worker drops its privileges. The monitor has checked these files, so what fails has changed
 * since; the log says what. Returns 0 or a negative errno.
 */
int worker_files_load(struct worker *worker, const struct worker_setup *setup);

/* After the last session. */
void worker_files_free(struct worker *worker);

#endif
