/*
 * The loop of the processes that hold keys and ask nobody anything: wait for a child to die, look
 * whether its worker's end is still open, and fork the next one.
 */
#include "gateway/keeper/offspring.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/keeper/keeper-sandbox.h"

/* So many may die at once; after that, each waits, so that one that always dies costs little. */
#define QUICK_MAX     10
#define QUICK_MS      1000
#define QUICK_WAIT_MS 100

static void become(const struct offspring *offspring, size_t i) __attribute__((noreturn));
static void become(const struct offspring *offspring, size_t i)
{
	const struct offspring_kind *kind = offspring->kind;

	for (size_t j = 0; j < offspring->n; j++)
		if (j != i)
			(void)close(offspring->fds[j]); /* the other workers' */
	(void)prctl(PR_SET_NAME, kind->name, 0, 0, 0);	/* only a name */
	kind->begin(offspring->owner, i);
	if (keeper_sandbox_child(kind->process) < 0)
		_exit(EXIT_FAILURE);
	kind->serve(offspring->owner, i);
	_exit(EXIT_SUCCESS);
}

static int start(struct offspring *offspring, size_t i)
{
	pid_t pid = fork();

	if (pid == -1)
		return -errno;
	if (pid == 0)
		become(offspring, i);
	offspring->pids[i] = pid;
	return 0;
}

int offspring_start(struct offspring *offspring)
{
	int r = 0;

	offspring->pids = calloc(offspring->n, sizeof(*offspring->pids));
	if (offspring->pids == NULL)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < offspring->n; i++)
		r = start(offspring, i);
	return r;
}

/* Has every process closed the worker's end? An empty packet ends a signer, too, but not this. */
static bool is_over(int fd)
{
	struct pollfd look = { .fd = fd };

	return poll(&look, 1, 0) == 1 && (look.revents & POLLHUP) != 0;
}

static void pause_ms(long ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&time, NULL); /* a signal only makes it shorter */
}

static void pause_if_quick(struct offspring *offspring)
{
	uint64_t now = loop_clock_ms();

	if (now - offspring->quick_since_ms > QUICK_MS) {
		offspring->quick_since_ms = now;
		offspring->quick = 0;
	}
	if (++offspring->quick > QUICK_MAX)
		pause_ms(QUICK_WAIT_MS);
}

void offspring_log_death(const char *event, pid_t pid, int32_t worker, int status)
{
	log_event(LOG_LEVEL_ERROR, event, LOG_NUMBER("pid", pid), LOG_NUMBER("worker", worker),
		  LOG_NUMBER("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
}

/* One has ended. Replace it if its worker may still ask. */
static void replace(struct offspring *offspring, size_t i, int status)
{
	pid_t pid = offspring->pids[i];
	int r;

	offspring->pids[i] = 0;
	if (is_over(offspring->fds[i]))
		return;
	offspring_log_death(offspring->kind->died, pid, offspring->counts[i].worker, status);
	pause_if_quick(offspring);
	while ((r = start(offspring, i)) < 0) {
		log_event(LOG_LEVEL_ERROR, offspring->kind->not_started, LOG_TEXT("error", strerror(-r)));
		if (is_over(offspring->fds[i]))
			return;
		pause_ms(QUICK_MS);
	}
}

static void handle_end(struct offspring *offspring, size_t i, int status)
{
	replace(offspring, i, status);
	if (offspring->pids[i] == 0 && offspring->kind->gone != NULL)
		offspring->kind->gone(offspring->owner, i);
}

static size_t find(const struct offspring *offspring, pid_t pid)
{
	size_t i = 0;

	while (i < offspring->n && offspring->pids[i] != pid)
		i++;
	return i;
}

int offspring_keep(struct offspring *offspring)
{
	int status;
	pid_t pid;
	size_t i;

	while ((pid = wait(&status)) != -1 || errno == EINTR) {
		if (pid == -1)
			continue;
		i = find(offspring, pid);
		if (i < offspring->n)
			handle_end(offspring, i, status);
		else if (offspring->kind->lost != NULL &&
			 offspring->kind->lost(offspring->owner, pid, status))
			return -ECHILD;
	}
	return errno == ECHILD ? 0 : -errno;
}

void offspring_done(struct offspring *offspring)
{
	free(offspring->pids);
	offspring->pids = NULL;
}
