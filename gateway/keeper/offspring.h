/*
 * Keeps one process for each worker alive: when it dies while its worker may still ask, another
 * one is forked, which needs no file.
 */
#ifndef ATTLSD_GATEWAY_KEEPER_OFFSPRING_H
#define ATTLSD_GATEWAY_KEEPER_OFFSPRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct offspring {
	const int *fds; /* to the workers, one for each process */
	size_t n;
	/* In the new process, which has only the socket of worker `i`. It must not return. */
	void (*run)(void *owner, size_t i);
	/* For the log. r: 0, or why no other process could be started. */
	void (*log_death)(void *owner, size_t i, pid_t pid, int status);
	void (*log_failure)(void *owner, int r);
	void *owner;
	/* Worker `i` is gone, and its process with it. NULL: nothing to do. */
	void (*gone)(void *owner, size_t i);
	/* Another child has ended. True: it was needed, so this process ends, too. NULL: there is none. */
	bool (*lost)(void *owner, pid_t pid, int status);
	pid_t *pids; /* offspring.c's, as the rest; 0: has ended with its worker */
	uint64_t quick_since_ms;
	size_t quick; /* processes that died since then */
};

/* Start all. Returns 0 or a negative errno. */
int offspring_start(struct offspring *offspring);

/* Until all have ended with their workers. Returns 0 or a negative errno. */
int offspring_keep(struct offspring *offspring);

void offspring_done(struct offspring *offspring);

#endif
