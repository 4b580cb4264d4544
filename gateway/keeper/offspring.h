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

#include "gateway/key/counts.h"

/* What processes of one kind are called, and do. */
struct offspring_kind {
	const char *process;		/* in the log */
	const char *name;		/* that ps(1) shows; at most 15 characters */
	const char *died, *not_started; /* events of the log */
	/* In the new process, which has only the socket of worker `i`, before it gives up system calls. */
	void (*begin)(void *owner, size_t i);
	/* After that, until no process can ask any more. */
	void (*serve)(void *owner, size_t i);
	/* Worker `i` is gone, and its process with it. NULL: nothing to do. */
	void (*gone)(void *owner, size_t i);
	/* Another child has ended. True: it was needed, so this process ends, too. NULL: there is none. */
	bool (*lost)(void *owner, pid_t pid, int status);
};

struct offspring {
	const struct offspring_kind *kind;
	void *owner;
	const int *fds; /* to the workers, one for each process */
	size_t n;
	const struct key_counts *counts; /* likewise: who the workers are */
	pid_t *pids;			 /* offspring.c's, as the rest; 0: has ended with its worker */
	uint64_t quick_since_ms;
	size_t quick; /* processes that died since then */
};

/* Start all. Returns 0 or a negative errno. */
int offspring_start(struct offspring *offspring);

/* Until all have ended with their workers. Returns 0 or a negative errno. */
int offspring_keep(struct offspring *offspring);

void offspring_done(struct offspring *offspring);

/* Log the death of a process that worked for this worker. status: of wait(2). */
void offspring_log_death(const char *event, pid_t pid, int32_t worker, int status);

#endif
