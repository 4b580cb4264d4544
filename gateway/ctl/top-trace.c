/*
 * Follows the trace of a session in a process of its own, which the first key ends. So the
 * key also works while the trace waits for attlsd or for a slow terminal.
 */
#include "gateway/ctl/top-trace.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/view/client.h"
#include "gateway/view/trace-view.h"

static void follow(const struct target *target, uint64_t session)
{
	const struct target patient = { .socket = target->socket, .policy = target->policy };
	const struct trace_options options = { .filter = { .session = session }, .data = true };

	client_before_exit(NULL);
	(void)printf("Trace of session %" PRIu64 "; any key goes back\n", session);
	(void)fflush(stdout);
	(void)trace_view(&patient, &options);
	(void)printf("The trace has ended; any key goes back\n");
	(void)fflush(stdout);
}

static void wait_key(void)
{
	struct pollfd look = { .fd = STDIN_FILENO, .events = POLLIN };

	while (poll(&look, 1, -1) == -1 && errno == EINTR)
		;
}

void top_trace(const struct target *target, uint64_t session, int error)
{
	pid_t top = getpid();
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == top && dup2(error, STDERR_FILENO) != -1)
			follow(target, session);
		_exit(EXIT_SUCCESS);
	}
	if (pid == -1)
		return;
	wait_key();
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}
