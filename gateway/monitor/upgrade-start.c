/*
 * Executes the new program through a process in between. When the new attlsd has taken over,
 * that process is killed, and the new one becomes a child of the service manager, or of a
 * process that stays in the place of it.
 */
#include "gateway/monitor/upgrade-start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/descriptors.h"
#include "gateway/base/handover-link.h"
#include "gateway/host/capabilities.h"
#include "gateway/host/inherited.h"

#define LINK_FD DESCRIPTORS_FIRST

extern char **environ;

static void become_program(const struct program *program, pid_t parent) __attribute__((noreturn));
static void become_program(const struct program *program, pid_t parent)
{
	struct handover_msg msg = { .type = HANDOVER_FAILED };
	char number[24];

	(void)snprintf(number, sizeof(number), "%d", (int)getpid());
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 || getppid() != parent ||
	    setenv(INHERITED_HANDOVER, number, 1) == -1 || fcntl(LINK_FD, F_SETFD, 0) == -1)
		_exit(EXIT_FAILURE);
	if (geteuid() != 0)
		capabilities_pass_on();
	(void)execve(program->path, program->argv, environ);
	(void)snprintf(msg.text, sizeof(msg.text), "cannot execute %.200s: %s", program->path,
		       strerror(errno));
	(void)handover_send(LINK_FD, &msg, NULL, 0);
	_exit(UPGRADE_EXIT_NOT_EXECUTED);
}

static void become_parent(const struct program *program, int link, pid_t monitor) __attribute__((noreturn));
static void become_parent(const struct program *program, int link, pid_t monitor)
{
	pid_t own = getpid(), pid;
	sigset_t none;
	int status;

	/* a terminal's Ctrl-C is for the monitor */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	/* if the monitor is killed, whoever started it must find nothing of it */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 || getppid() != monitor ||
	    descriptors_keep(&link, 1) < 0)
		_exit(EXIT_FAILURE);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	pid = fork();
	if (pid == 0)
		become_program(program, own);
	(void)close_range(STDERR_FILENO + 1, ~0u, 0); /* only the program may keep the link open */
	while (pid > 0 && waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (pid == -1)
		_exit(EXIT_FAILURE);
	_exit(WIFSIGNALED(status) ? UPGRADE_EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status));
}

pid_t upgrade_start(const struct program *program, int link)
{
	char own[16] = ""; /* as prctl(2) has it */
	pid_t monitor = getpid(), pid;

	(void)prctl(PR_GET_NAME, own, 0, 0, 0); /* cannot fail, and it is only a name */
	(void)prctl(PR_SET_NAME, "attlsd-upgrade", 0, 0, 0);
	pid = fork();
	if (pid == 0)
		become_parent(program, link, monitor);
	(void)prctl(PR_SET_NAME, own, 0, 0, 0);
	return pid == -1 ? -errno : pid;
}
