/*
 * Starts the HTTP process: a program of its own, so that it has nothing of the monitor's
 * memory. It gets up to eight descriptors and, through one of them, its settings.
 */
#include "gateway/monitor/http-start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/descriptors.h"
#include "gateway/base/memory-file.h"
#include "gateway/base/msg.h"
#include "gateway/base/util.h"
#include "gateway/host/program.h"
#include "gateway/host/sandbox.h"

#define PROGRAM "attlsd-http"

/* What it gets, in the order of their numbers, and at last the program itself. */
enum { ORDERS = 0, QUESTIONS, LISTENER, SETUP, ROOT, AGENT, CHARTS, PROGRAM_FILE, ENDS };
_Static_assert(DESCRIPTORS_FIRST + ORDERS == HTTP_ORDERS_FD && DESCRIPTORS_FIRST + CHARTS == HTTP_CHARTS_FD,
	       "its numbers");

/* All of the environment that it needs: where the log goes, and how sanitizers behave. */
static const char *const variables[] = { "JOURNAL_STREAM", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS" };
#define VARIABLE_MAX 512

int http_start_program(void)
{
	char path[PATH_MAX];
	int r = program_beside(PROGRAM, path);
	int fd;

	if (r < 0)
		return r;
	fd = open(path, O_PATH | O_CLOEXEC);
	return fd == -1 ? -errno : fd;
}

static void become_program(const int ends[static ENDS]) __attribute__((noreturn));
static void become_program(const int ends[static ENDS])
{
	char texts[NELEM(variables)][VARIABLE_MAX];
	char *environment[NELEM(variables) + 1] = { NULL };
	char name[] = PROGRAM;
	char *const arguments[] = { name, NULL };
	size_t n = 0;
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGINT, SIG_IGN); /* a terminal's Ctrl-C is for the monitor */
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	for (size_t i = 0; i < NELEM(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value != NULL &&
		    snprintf(texts[n], VARIABLE_MAX, "%s=%s", variables[i], value) < VARIABLE_MAX) {
			environment[n] = texts[n];
			n++;
		}
	}
	if (descriptors_keep(ends, ENDS) < 0)
		_exit(EXIT_FAILURE);
	for (int i = 0; i < PROGRAM_FILE; i++)
		(void)fcntl(DESCRIPTORS_FIRST + i, F_SETFD, 0); /* fails only if it has none */
	(void)fexecve(DESCRIPTORS_FIRST + PROGRAM_FILE, arguments, environment);
	_exit(EXIT_FAILURE);
}

/* It has its name from its first moment, so that nobody takes it for a worker. */
static pid_t fork_named(void)
{
	char own[16] = ""; /* as prctl(2) has it */
	pid_t pid;

	(void)prctl(PR_GET_NAME, own, 0, 0, 0); /* cannot fail, and it is only a name */
	(void)prctl(PR_SET_NAME, PROGRAM, 0, 0, 0);
	pid = fork();
	if (pid != 0)
		(void)prctl(PR_SET_NAME, own, 0, 0, 0);
	return pid;
}

/*
 * The setup, in memory that has the form of a file. A pipe may hold less: 4 KiB if this user has many of
 * them (pipe(7), pipe-user-pages-soft).
 */
static int make_setup(const struct http_setup *setup, int *ret_fd)
{
	int fd = memory_file("attlsd-http");
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pwrite(fd, setup, sizeof(*setup), 0);
	if (n != (ssize_t)sizeof(*setup)) {
		int r = n == -1 ? -errno : -EIO;

		(void)close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

pid_t http_start(const struct http_start *start, struct http_ends *ret, const char **ret_step)
{
	int orders[2] = { -1, -1 }, questions[2] = { -1, -1 };
	int setup = -1, root = -1;
	pid_t pid;
	int r = msg_channel(orders);

	*ret_step = "make its channels";
	if (r == 0)
		r = msg_reports(questions);
	if (r == 0)
		r = make_setup(start->setup, &setup);
	if (r == 0 && start->root) {
		*ret_step = "find an empty root folder";
		r = sandbox_empty_root();
		root = r < 0 ? -1 : r;
		r = r < 0 ? r : 0;
	}
	pid = r;
	if (r == 0) {
		const int ends[ENDS] = { orders[1], questions[1], start->listener, setup,
					 root,	    start->agent, start->charts,   start->program };

		*ret_step = "fork";
		pid = fork_named();
		if (pid == 0)
			become_program(ends);
		if (pid == -1)
			pid = -errno;
	}
	if (pid > 0)
		*ret =
		    (struct http_ends){ .orders = fd_take(&orders[0]), .questions = fd_take(&questions[0]) };
	for (size_t i = 0; i < 2; i++) {
		fd_close(&orders[i]);
		fd_close(&questions[i]);
	}
	fd_close(&setup);
	fd_close(&root);
	return pid;
}
