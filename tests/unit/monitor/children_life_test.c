/* Real worker processes: how they start, die, are started again and end with their generation. */
#include "gateway/monitor/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/monitor/child-pick.h"
#include "tests/unit/policy-text.h"

#define WORKERS	   3
#define RESTART_MS 1000

struct scene {
	struct loop loop;
	struct children children;
	struct generation *generation;
	size_t ready, deaths, retired, keeper_deaths; /* calls of the callbacks */
	size_t stop_at;				      /* at this number of calls of on_ready */
	size_t clean, killed, given_up;		      /* how those ended that died */
};

static struct scene *scene_of(const struct children *children)
{
	return children->owner;
}

static void on_ready(struct child *child)
{
	struct scene *scene = scene_of(child->children);

	if (++scene->ready == scene->stop_at)
		loop_stop(&scene->loop);
}

static void on_message(struct child *child, const struct msg *msg)
{
	if (msg->type == MSG_READY)
		child->ready = true;
}

static void on_death(struct child *child, pid_t pid, int status)
{
	struct scene *scene = scene_of(child->children);

	assert_int_equal(child->pid, 0);
	assert_true(pid > 0);
	scene->deaths++;
	scene->given_up += child->given_up;
	scene->clean += WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
	scene->killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void on_keeper_death(struct generation *generation, pid_t pid, int status)
{
	struct scene *scene = scene_of(generation->workers[0].children);

	assert_ptr_equal(generation, scene->generation);
	assert_true(pid > 0 && WIFSIGNALED(status));
	scene->keeper_deaths++;
}

static void on_retired(struct children *children, const struct generation *gone)
{
	assert_ptr_equal(gone, scene_of(children)->generation);
	scene_of(children)->retired++;
}

/* A policy without keys: its workers can serve no client, and need no files. */
static struct policy *keyless_policy(void)
{
	struct policy *policy;
	struct parsed parsed;

	parse_part(&parsed, "version: 1\ndaemon: { workers: 3, log: { level: error } }\n");
	assert_string_equal(parsed.printed, "");
	policy = parsed.policy;
	parsed.policy = NULL;
	parsed_done(&parsed);
	policy->nkeyrings = policy->ntls_actions = 0;
	return policy;
}

static void run_until_ready(struct scene *scene, size_t ready)
{
	scene->stop_at = ready;
	assert_int_equal(loop_run(&scene->loop), 0);
	scene->loop.stopped = false;
	assert_int_equal(scene->ready, ready);
}

static void scene_start_with(struct scene *scene, enum key_isolation isolation)
{
	const struct keeper_user users = { 0 };
	struct policy *policy = keyless_policy();
	struct ticket_keys keys = { NULL, NULL };

	policy->daemon.key_isolation = isolation;
	(void)alarm(60); /* when the test hangs */
	*scene = (struct scene){ .ready = 0 };
	assert_int_equal(loop_init(&scene->loop), 0);
	scene->children = (struct children){
		.loop = &scene->loop,
		.owner = scene,
		.on_ready = on_ready,
		.on_message = on_message,
		.on_death = on_death,
		.on_retired = on_retired,
		.on_keeper_death = on_keeper_death,
	};
	assert_int_equal(generation_start(&scene->children, &policy, &users, &keys, &scene->generation), 0);
	assert_null(policy);
	assert_int_equal(scene->generation->n, WORKERS);
	assert_int_equal(scene->generation->number, 1);
}

static void scene_start(struct scene *scene)
{
	scene_start_with(scene, KEY_ISOLATION_AUTO);
}

static void scene_done(struct scene *scene)
{
	children_kill(&scene->children);
	children_done(&scene->children);
	assert_null(scene->children.head);
	assert_int_equal(scene->loop.heap_len, 0);
	loop_done(&scene->loop);
	while (waitpid(-1, NULL, 0) > 0)
		;
	assert_int_equal(errno, ECHILD);
	(void)alarm(0);
}

/* SIGCHLD comes once a process is dead; one can stand for several of them. */
static void wait_and_reap(struct scene *scene, const pid_t *pids, size_t n)
{
	siginfo_t info;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOWAIT), 0);
	children_reap(&scene->children);
}

static void kill_worker(struct scene *scene, struct child *child)
{
	size_t killed = scene->killed;
	pid_t pid = child->pid;

	assert_int_equal(kill(pid, SIGKILL), 0);
	wait_and_reap(scene, &pid, 1);
	assert_int_equal(scene->killed, killed + 1);
}

static void pids_of(const struct scene *scene, pid_t pids[static WORKERS])
{
	for (size_t i = 0; i < WORKERS; i++)
		pids[i] = scene->generation->workers[i].pid;
}

/* The timer runs out, without a wait for it. */
static void restart(struct scene *scene, struct child *child)
{
	loop_timer_stop(&scene->loop, &child->restart);
	child->restart.fn(&child->restart);
}

static void each_worker_reports_once(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	assert_false(generation_is_ready(scene.generation));
	assert_null(generation_pick(scene.generation));
	run_until_ready(&scene, WORKERS);
	assert_true(generation_is_ready(scene.generation));
	assert_int_not_equal(scene.generation->workers[0].pid, scene.generation->workers[1].pid);
	scene.generation->workers[0].doorbell.fn(&scene.generation->workers[0].doorbell, 0);
	assert_int_equal(scene.ready, WORKERS); /* a second ring reports nothing */
	scene_done(&scene);
}

/* A worker that dies is started again: at once, or after a pause if it lived for less than that. */
static void a_dead_worker_is_replaced(void **state)
{
	static const struct {
		const char *name;
		uint64_t lived_ms, want_ms;
	} rows[] = {
		{ "at its start", 0, RESTART_MS },
		{ "soon", RESTART_MS - 1, RESTART_MS },
		{ "later", RESTART_MS, 0 },
	};
	struct scene scene;

	(void)state;
	scene_start(&scene);
	run_until_ready(&scene, WORKERS);
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct child *child = &scene.generation->workers[1];

		child->started_ms = scene.loop.now_ms - rows[i].lived_ms;
		child->nsessions = 5;
		kill_worker(&scene, child);
		assert_int_equal(scene.deaths, i + 1);
		assert_false(child->ready);
		assert_int_equal(child->nsessions, 0);
		assert_int_equal(child->channel.fd, -1);
		assert_ptr_equal(generation_pick(scene.generation), &scene.generation->workers[0]);
		if (!timer_is_armed(&child->restart) ||
		    child->restart.at_ms - scene.loop.now_ms != rows[i].want_ms)
			fail_msg("%s", rows[i].name);
		restart(&scene, child);
		assert_int_not_equal(child->pid, 0);
		run_until_ready(&scene, WORKERS + i + 1);
	}
	assert_true(generation_is_ready(scene.generation));
	assert_int_equal(scene.retired, 0);
	scene_done(&scene);
}

/* Without sessions both orders end a worker; the generation goes with the last one. */
static void a_generation_goes_with_its_last_worker(void **state)
{
	static const enum msg_type orders[] = { MSG_RETIRE, MSG_DRAIN };

	(void)state;
	for (size_t i = 0; i < NELEM(orders); i++) {
		struct scene scene;
		pid_t pids[WORKERS];

		scene_start(&scene);
		run_until_ready(&scene, WORKERS);
		pids_of(&scene, pids);
		generation_retire(scene.generation, orders[i]);
		assert_int_equal(scene.retired, 0);
		wait_and_reap(&scene, pids, WORKERS);
		assert_int_equal(scene.clean, WORKERS);
		assert_int_equal(scene.retired, 1);
		assert_null(scene.children.head);
		scene_done(&scene);
	}
}

/* The workers have ended after their last session, and the monitor learns that only after the next order. */
static void a_worker_that_has_ended_takes_no_order(void **state)
{
	struct scene scene;
	pid_t pids[WORKERS];
	siginfo_t info;

	(void)state;
	scene_start(&scene);
	run_until_ready(&scene, WORKERS);
	pids_of(&scene, pids);
	generation_retire(scene.generation, MSG_DRAIN);
	for (size_t i = 0; i < WORKERS; i++)
		assert_int_equal(waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOWAIT), 0);
	generation_retire(scene.generation, MSG_STOP);
	for (size_t i = 0; i < WORKERS; i++) {
		assert_true(scene.generation->workers[i].ready); /* it was not killed */
		assert_true(timer_is_armed(&scene.generation->workers[i].limit));
	}
	wait_and_reap(&scene, pids, WORKERS);
	assert_int_equal(scene.clean, WORKERS);
	assert_int_equal(scene.retired, 1);
	scene_done(&scene);
}

/* A worker that closes its channel and stays is killed. */
static void a_worker_without_channel_has_to_leave(void **state)
{
	struct scene scene;
	struct child *child;
	pid_t pids[WORKERS];
	int pair[2];

	(void)state;
	scene_start(&scene);
	run_until_ready(&scene, WORKERS);
	pids_of(&scene, pids);
	child = &scene.generation->workers[0];
	assert_int_equal(kill(pids[0], SIGSTOP), 0); /* it would end with its channel */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(dup3(pair[0], child->channel.fd, O_CLOEXEC), child->channel.fd);
	(void)close(pair[0]);
	(void)close(pair[1]);
	generation_retire(scene.generation, MSG_DRAIN);
	assert_true(child->ready);
	assert_true(timer_is_armed(&child->limit));
	loop_timer_stop(&scene.loop, &child->limit);
	child->limit.fn(&child->limit);
	wait_and_reap(&scene, pids, WORKERS);
	assert_int_equal(scene.killed, 1);
	assert_int_equal(scene.clean, WORKERS - 1);
	scene_done(&scene);
}

/* A place that is empty when its generation retires stays empty. */
static void a_retired_generation_starts_no_worker(void **state)
{
	struct scene scene;
	struct child *dead;
	pid_t pids[WORKERS];

	(void)state;
	scene_start(&scene);
	run_until_ready(&scene, WORKERS);
	dead = &scene.generation->workers[0];
	kill_worker(&scene, dead);
	assert_true(timer_is_armed(&dead->restart));
	generation_retire(scene.generation, MSG_RETIRE);
	assert_false(timer_is_armed(&dead->restart));
	dead->restart.fn(&dead->restart);
	assert_int_equal(dead->pid, 0);
	assert_int_equal(scene.retired, 0);
	pids_of(&scene, pids);
	wait_and_reap(&scene, &pids[1], WORKERS - 1);
	assert_int_equal(scene.retired, 1);
	scene_done(&scene);
}

/* Workers that have not reported take no order: they are killed, and go all the same. */
static void a_start_can_be_given_up(void **state)
{
	struct scene scene;
	pid_t pids[WORKERS];

	(void)state;
	scene_start(&scene);
	pids_of(&scene, pids);
	generation_retire(scene.generation, MSG_DRAIN);
	wait_and_reap(&scene, pids, WORKERS);
	assert_int_equal(scene.killed, WORKERS);
	assert_int_equal(scene.given_up, WORKERS); /* which is no fault of theirs */
	assert_int_equal(scene.ready, 0);
	assert_int_equal(scene.retired, 1);
	scene_done(&scene);
}

/* The order waits for room in the channel. */
static void a_full_channel_takes_the_order_later(void **state)
{
	const struct msg msg = { .type = MSG_END_SESSION };
	struct scene scene;
	struct child *stopped;
	pid_t pids[WORKERS];

	(void)state;
	scene_start(&scene);
	run_until_ready(&scene, WORKERS);
	stopped = &scene.generation->workers[0];
	pids_of(&scene, pids);
	assert_int_equal(kill(pids[0], SIGSTOP), 0);
	while (msg_send(stopped->channel.fd, &msg, -1) == 0)
		;
	generation_retire(scene.generation, MSG_RETIRE);
	assert_true(stopped->stop_pending);
	stopped->channel.fn(&stopped->channel, EPOLLOUT); /* no room yet */
	assert_true(stopped->stop_pending);
	assert_int_equal(kill(pids[0], SIGCONT), 0);
	while (stopped->stop_pending) {
		struct epoll_event event;
		struct watch *watch;

		if (epoll_wait(scene.loop.epoll_fd, &event, 1, 10000) != 1)
			fail_msg("the channel has no room");
		watch = event.data.ptr;
		watch->fn(watch, event.events);
	}
	wait_and_reap(&scene, pids, WORKERS);
	assert_int_equal(scene.clean, WORKERS);
	scene_done(&scene);
}

/* The keeper ends after the last worker, and only then the generation is gone. */
static void a_generation_goes_with_its_keeper(void **state)
{
	struct scene scene;
	pid_t pids[WORKERS], keeper;

	(void)state;
	scene_start_with(&scene, KEY_ISOLATION_TRUE);
	run_until_ready(&scene, WORKERS);
	keeper = scene.generation->keeper.pid;
	assert_true(keeper > 0);
	for (size_t i = 0; i < WORKERS; i++)
		assert_int_equal(scene.generation->keeper.counts[i].worker, scene.generation->workers[i].pid);
	pids_of(&scene, pids);
	generation_retire(scene.generation, MSG_RETIRE);
	wait_and_reap(&scene, pids, WORKERS);
	if (scene.retired == 0) /* a quick keeper is gone before its workers are all reaped */
		wait_and_reap(&scene, &keeper, 1);
	assert_int_equal(scene.retired, 1);
	assert_int_equal(scene.keeper_deaths, 0);
	assert_null(scene.children.head);
	scene_done(&scene);
}

/* Workers go on without a keeper, and a worker that is started again gets the same socket. */
static void a_dead_keeper_is_reported(void **state)
{
	struct scene scene;
	pid_t pids[WORKERS], keeper;

	(void)state;
	scene_start_with(&scene, KEY_ISOLATION_TRUE);
	run_until_ready(&scene, WORKERS);
	keeper = scene.generation->keeper.pid;
	assert_int_equal(kill(keeper, SIGKILL), 0);
	wait_and_reap(&scene, &keeper, 1);
	assert_int_equal(scene.keeper_deaths, 1);
	assert_int_equal(scene.deaths, 0);
	kill_worker(&scene, &scene.generation->workers[1]);
	restart(&scene, &scene.generation->workers[1]);
	run_until_ready(&scene, WORKERS + 1);
	pids_of(&scene, pids);
	generation_retire(scene.generation, MSG_RETIRE);
	wait_and_reap(&scene, pids, WORKERS);
	assert_int_equal(scene.retired, 1);
	scene_done(&scene);
}

/* Workers that hang before they are ready do not keep a reload waiting for ever. */
static void a_worker_has_limited_time_to_become_ready(void **state)
{
	struct scene scene;
	pid_t pids[WORKERS];

	(void)state;
	scene_start(&scene);
	for (size_t i = 0; i < WORKERS; i++)
		assert_false(timer_is_armed(&scene.generation->workers[i].limit)); /* no limit is set */
	run_until_ready(&scene, WORKERS);
	kill_worker(&scene, &scene.generation->workers[1]);
	scene.children.start_limit_ms = 60000;
	restart(&scene, &scene.generation->workers[1]);
	assert_int_equal(scene.generation->workers[1].limit.at_ms, scene.loop.now_ms + 60000);
	run_until_ready(&scene, WORKERS + 1);
	assert_false(timer_is_armed(&scene.generation->workers[1].limit));
	kill_worker(&scene, &scene.generation->workers[1]);
	restart(&scene, &scene.generation->workers[1]);
	pids_of(&scene, pids);
	loop_timer_stop(&scene.loop, &scene.generation->workers[1].limit); /* it runs out */
	scene.generation->workers[1].limit.fn(&scene.generation->workers[1].limit);
	wait_and_reap(&scene, &pids[1], 1);
	assert_int_equal(scene.killed, 3);
	assert_true(timer_is_armed(&scene.generation->workers[1].restart));
	scene_done(&scene);
}

/* A keeper that hangs at a file does not see that its workers have gone. */
static void a_keeper_that_does_not_end_is_killed(void **state)
{
	struct scene scene;
	pid_t pids[WORKERS], keeper;

	(void)state;
	scene_start_with(&scene, KEY_ISOLATION_TRUE);
	run_until_ready(&scene, WORKERS);
	keeper = scene.generation->keeper.pid;
	assert_int_equal(kill(keeper, SIGSTOP), 0);
	pids_of(&scene, pids);
	generation_retire(scene.generation, MSG_RETIRE);
	wait_and_reap(&scene, pids, WORKERS);
	assert_int_equal(scene.retired, 0);
	assert_true(timer_is_armed(&scene.generation->keeper_end));
	loop_timer_stop(&scene.loop, &scene.generation->keeper_end);
	scene.generation->keeper_end.fn(&scene.generation->keeper_end);
	wait_and_reap(&scene, &keeper, 1);
	assert_int_equal(scene.retired, 1);
	assert_int_equal(scene.keeper_deaths, 0);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_worker_reports_once),
		cmocka_unit_test(a_dead_worker_is_replaced),
		cmocka_unit_test(a_generation_goes_with_its_last_worker),
		cmocka_unit_test(a_worker_that_has_ended_takes_no_order),
		cmocka_unit_test(a_worker_without_channel_has_to_leave),
		cmocka_unit_test(a_retired_generation_starts_no_worker),
		cmocka_unit_test(a_start_can_be_given_up),
		cmocka_unit_test(a_full_channel_takes_the_order_later),
		cmocka_unit_test(a_generation_goes_with_its_keeper),
		cmocka_unit_test(a_dead_keeper_is_reported),
		cmocka_unit_test(a_worker_has_limited_time_to_become_ready),
		cmocka_unit_test(a_keeper_that_does_not_end_is_killed),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
