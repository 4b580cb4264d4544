/* The agent with a real listener, and without descriptors for those who connect. */
#include "gateway/http/agent.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/net/netsock.h"
#include "tests/unit/unit.h"

static const char line[] = "ready up 100%\n";
static struct agent agent;
static watch_fn *real;
static int wakes;

/* The line is always new, so that the agent asks nobody. */
static void counted(struct watch *watch, uint32_t ready)
{
	wakes++;
	agent.line_ms = agent.loop->now_ms;
	real(watch, ready);
}

static void on_end(struct timer *timer)
{
	(void)timer;
	loop_stop(agent.loop);
}

static void run_ms(struct loop *loop, uint64_t ms)
{
	struct timer end;

	loop->stopped = false;
	timer_init(&end, on_end);
	assert_int_equal(loop_timer(loop, &end, ms), 0);
	assert_int_equal(loop_run(loop), 0);
}

static void without_descriptors_it_waits_and_does_not_spin(void **state)
{
	const struct ip_endpoint any = { .addr = { IP_V4, { 127, 0, 0, 1 } } };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct ip_endpoint at;
	struct rlimit before, few;
	struct loop loop;
	char got[sizeof(line)] = "";
	int listener, fd;

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	listener = netsock_listen(&any, 5, false);
	assert_true(listener >= 0 && netsock_local(listener, &at) == 0);
	assert_int_equal(agent_start(&agent, &loop, NULL, listener), 0);
	real = agent.listener.fn;
	agent.listener.fn = counted;
	(void)snprintf(agent.line, sizeof(agent.line), "%s", line);
	to.sin_port = htons(at.port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	run_ms(&loop, 20);
	assert_int_equal(wakes, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	while (agent.nlinks == 0)
		run_ms(&loop, 20);
	assert_int_equal(wakes, 2);
	assert_int_equal(recv(fd, got, sizeof(got), 0), strlen(line));
	assert_string_equal(got, line);
	(void)close(fd);
	while (agent.nlinks > 0)
		run_ms(&loop, 1);
	agent_quiesce(&agent);
	(void)close(listener);
	loop_done(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_descriptors_it_waits_and_does_not_spin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
