/* Which worker gets a session, and what happens to one that sends what no worker sends. */
#include "gateway/monitor/children.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/monitor/child-pick.h"
#include "gateway/base/util.h"
#include "tests/unit/unit.h"

#define WORKERS 3

/* A generation whose workers are processes that only wait. The test holds the other ends of their channels.
 */
struct scene {
	struct loop loop;
	struct children children;
	struct generation generation;
	struct child workers[WORKERS];
	_Atomic uint32_t relays[WORKERS];
	int theirs[WORKERS];  /* ends of the channels for orders */
	int reports[WORKERS]; /* of the pipes */
	size_t messages;      /* that were accepted */
};

static void on_message(struct child *child, const struct msg *msg)
{
	struct scene *scene = child->children->owner;

	(void)msg;
	scene->messages++;
}

static void never_called(struct watch *watch, uint32_t ready)
{
	(void)watch;
	(void)ready;
	fail();
}

static pid_t idle_process(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)alarm(60); /* when the test fails */
		for (;;)
			(void)pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void scene_init(struct scene *scene)
{
	*scene = (struct scene){ .messages = 0 };
	assert_int_equal(loop_init(&scene->loop), 0);
	scene->children = (struct children){ .loop = &scene->loop, .owner = scene, .on_message = on_message };
	scene->generation = (struct generation){ .number = 1, .workers = scene->workers, .n = WORKERS };
	scene->generation.prev = &scene->generation; /* as utlist has the only element of a list */
	scene->children.head = &scene->generation;
	for (size_t i = 0; i < WORKERS; i++) {
		struct child *child = &scene->workers[i];
		int channel[2], reports[2];

		*child = (struct child){ .children = &scene->children,
					 .generation = &scene->generation,
					 .pid = idle_process(),
					 .relays = &scene->relays[i],
					 .ready = true };
		watch_init(&child->channel, never_called);
		watch_init(&child->doorbell, never_called);
		assert_int_equal(msg_channel(channel), 0);
		assert_int_equal(msg_reports(reports), 0);
		child->channel.fd = channel[0];
		child->reports = reports[0];
		scene->theirs[i] = channel[1];
		scene->reports[i] = reports[1];
	}
}

static void scene_done(struct scene *scene)
{
	children_kill(&scene->children);
	for (size_t i = 0; i < WORKERS; i++) {
		if (scene->workers[i].pid != 0)
			(void)waitpid(scene->workers[i].pid, NULL, 0);
		if (scene->workers[i].channel.fd != -1)
			(void)close(scene->workers[i].channel.fd);
		if (scene->workers[i].reports != -1)
			(void)close(scene->workers[i].reports);
		(void)close(scene->theirs[i]);
		fd_close(&scene->reports[i]);
	}
	loop_done(&scene->loop);
}

static const struct {
	const char *name;
	struct {
		bool ready, backlogged;
		enum msg_type stop_sent;
		uint32_t relays;
		size_t sessions;
	} workers[WORKERS];
	int want; /* -1: none */
} picks[] = {
	{ "the first of equals", { { .ready = true }, { .ready = true }, { .ready = true } }, 0 },
	{ "the fewest sessions",
	  { { .ready = true, .sessions = 3 },
	    { .ready = true, .sessions = 1 },
	    { .ready = true, .sessions = 2 } },
	  1 },
	{ "the fewest transfers, before the fewest sessions",
	  { { .ready = true, .relays = 2, .sessions = 1 },
	    { .ready = true, .relays = 3, .sessions = 0 },
	    { .ready = true, .relays = 1, .sessions = 9 } },
	  2 },
	{ "none that starts",
	  { { .ready = false }, { .ready = true, .sessions = 9 }, { .ready = false } },
	  1 },
	{ "none that is backlogged",
	  { { .ready = true, .backlogged = true },
	    { .ready = true, .sessions = 5 },
	    { .ready = true, .sessions = 4 } },
	  2 },
	{ "none that was told to end",
	  { { .ready = true, .stop_sent = MSG_RETIRE },
	    { .ready = true, .stop_sent = MSG_DRAIN },
	    { .ready = true, .sessions = 7 } },
	  2 },
	{ "nobody is there",
	  { { .ready = false },
	    { .ready = true, .backlogged = true },
	    { .ready = true, .stop_sent = MSG_DRAIN } },
	  -1 },
};

static void the_least_busy_worker_is_picked(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(picks); i++) {
		_Atomic uint32_t relays[WORKERS];
		struct child workers[WORKERS];
		struct generation generation = { .workers = workers, .n = WORKERS };
		const struct child *want = picks[i].want == -1 ? NULL : &workers[picks[i].want];

		for (size_t j = 0; j < WORKERS; j++) {
			relays[j] = picks[i].workers[j].relays;
			workers[j] = (struct child){ .ready = picks[i].workers[j].ready,
						     .backlogged = picks[i].workers[j].backlogged,
						     .stop_sent = picks[i].workers[j].stop_sent,
						     .relays = &relays[j],
						     .nsessions = picks[i].workers[j].sessions };
		}
		if (generation_pick(&generation) != want)
			fail_msg("%s", picks[i].name);
	}
}

static void a_generation_is_ready_when_all_workers_are(void **state)
{
	struct child workers[WORKERS] = { { .ready = true }, { .ready = false }, { .ready = true } };
	struct generation generation = { .workers = workers, .n = WORKERS };

	(void)state;
	assert_false(generation_is_ready(&generation));
	workers[1].ready = true;
	assert_true(generation_is_ready(&generation));
}

/* Has the monitor killed the process of this worker? */
static bool was_killed(struct child *child)
{
	int status = 0;

	if (child->channel.fd != -1 || child->reports != -1 || child->ready)
		return false;
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	child->pid = 0;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void what_no_worker_sends_kills_it(void **state)
{
	static const struct {
		const char *name;
		size_t bytes;
		uint32_t type;
	} rows[] = {
		{ "too short", sizeof(struct msg) - 1, MSG_READY },
		{ "one byte", 1, MSG_READY },
		{ "type 0", sizeof(struct msg), MSG_NONE },
		{ "a type that does not exist", sizeof(struct msg), MSG_TYPE_COUNT },
		{ "the largest type", sizeof(struct msg), UINT32_MAX },
		{ "an order to a worker", sizeof(struct msg), MSG_DRAIN },
		{ "a session", sizeof(struct msg), MSG_SESSION },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct scene scene;
		uint8_t bytes[sizeof(struct msg)] = { 0 };
		struct msg msg = { .type = rows[i].type };

		scene_init(&scene);
		memcpy(bytes, &msg, sizeof(msg));
		assert_int_equal(write(scene.reports[1], bytes, rows[i].bytes), rows[i].bytes);
		children_drain_reports(&scene.children);
		if (scene.messages != 0 || !was_killed(&scene.workers[1]))
			fail_msg("%s", rows[i].name);
		assert_true(scene.workers[0].ready && scene.workers[2].ready);
		scene_done(&scene);
	}
}

static void what_a_worker_sends_is_taken(void **state)
{
	const struct msg msg = { .type = MSG_SESSION_END };
	struct scene scene;

	(void)state;
	scene_init(&scene);
	for (size_t i = 0; i < WORKERS; i++)
		assert_int_equal(msg_report(scene.reports[i], &msg), 0);
	assert_int_equal(msg_report(scene.reports[0], &msg), 0);
	children_drain_reports(&scene.children);
	assert_int_equal(scene.messages, 4);
	for (size_t i = 0; i < WORKERS; i++)
		assert_true(scene.workers[i].ready);
	scene_done(&scene);
}

#define FLOOD	   200
#define FEW	   20 /* reading them takes much less than a turn */
#define REQUEST_US 1000

static void on_slow_message(struct child *child, const struct msg *msg)
{
	uint64_t end_us = loop_clock_us() + REQUEST_US;

	on_message(child, msg);
	while (msg->type == MSG_WITHDRAW && loop_clock_us() < end_us)
		;
}

/* One that asks for much work has to rest after a while; the others are heard all the time. */
static void a_flood_delays_only_its_sender(void **state)
{
	const struct msg end = { .type = MSG_SESSION_END }, work = { .type = MSG_WITHDRAW };
	struct scene scene;
	struct child *flooding = &scene.workers[0];
	size_t heard;

	(void)state;
	scene_init(&scene);
	scene.children.on_message = on_slow_message;
	for (int i = 0; i < FLOOD; i++)
		assert_int_equal(msg_report(scene.reports[0], &work), 0);
	children_drain_reports(&scene.children);
	heard = scene.messages;
	assert_true(heard > 0 && heard < 10);
	assert_true(timer_is_armed(&flooding->rest));
	for (int i = 0; i < FEW; i++)
		assert_int_equal(msg_report(scene.reports[1], &end), 0);
	flooding->debt.owed_us = UINT32_MAX; /* in place of a clock that stands still */
	children_drain_reports(&scene.children);
	assert_int_equal(scene.messages, heard + FEW);
	flooding->debt.owed_us = 0;
	children_drain_reports(&scene.children);
	assert_true(scene.messages > heard + FEW && scene.messages < heard + FEW + 10);
	loop_timer_stop(&scene.loop, &flooding->rest);
	scene_done(&scene);
}

static void on_delayed_message(struct child *child, const struct msg *msg)
{
	on_message(child, msg);
	(void)usleep(3 * REQUEST_US); /* in place of a machine that gives the processor to others */
}

/* Whatever a worker has reported counts before the next decision, on a busy machine, too. */
static void a_busy_machine_delays_no_report(void **state)
{
	const struct msg end = { .type = MSG_SESSION_END };
	struct scene scene;

	(void)state;
	scene_init(&scene);
	scene.children.on_message = on_delayed_message;
	for (int i = 0; i < 3; i++)
		assert_int_equal(msg_report(scene.reports[0], &end), 0);
	children_drain_reports(&scene.children);
	assert_int_equal(scene.messages, 3);
	assert_false(timer_is_armed(&scene.workers[0].rest));
	scene_done(&scene);
}

/* A worker that has closed its pipe is not killed: it ends by itself, and SIGCHLD tells how. */
static void the_end_of_a_pipe_is_no_offence(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	fd_close(&scene.reports[0]);
	children_drain_reports(&scene.children);
	assert_true(scene.workers[0].ready && scene.workers[0].channel.fd != -1);
	scene_done(&scene);
}

static void an_address_keeps_its_worker(void **state)
{
	struct scene scene;
	size_t used[2] = { 0, 0 };

	(void)state;
	scene_init(&scene);
	generation_check_backlog(&scene.generation, 1000);
	for (uint8_t host = 0; host < 100; host++) {
		const struct ip_addr client = ip_addr_make(IP_V4, (const uint8_t[]){ 192, 0, 2, host });
		struct child *child = generation_pick_for(&scene.generation, &client);
		size_t at = (size_t)(child - scene.workers);

		used[at != 0]++;
		child->nsessions++; /* more work changes nothing */
		assert_ptr_equal(generation_pick_for(&scene.generation, &client), child);
		child->backlogged = true; /* but a worker that takes none does */
		assert_ptr_not_equal(generation_pick_for(&scene.generation, &client), child);
		child->backlogged = false;
	}
	assert_in_range(used[0], 20, 80);
	assert_in_range(used[1], 20, 80);
	scene_done(&scene);
}

static void a_worker_that_does_not_read_gets_nothing(void **state)
{
	const struct msg msg = { .type = MSG_END_SESSION };
	struct scene scene;
	struct msg got;
	int fd;

	(void)state;
	scene_init(&scene);
	generation_check_backlog(&scene.generation, 1000);
	assert_ptr_equal(generation_pick(&scene.generation), &scene.workers[0]);
	while (msg_send(scene.workers[0].channel.fd, &msg, -1) == 0)
		;
	assert_true(child_is_backlogged(&scene.workers[0]));
	generation_check_backlog(&scene.generation, 1000);
	assert_ptr_equal(generation_pick(&scene.generation), &scene.workers[1]);
	while (msg_receive(scene.theirs[0], &got, &fd) == 1)
		assert_int_equal(fd, -1);
	generation_check_backlog(&scene.generation, 1000);
	assert_ptr_equal(generation_pick(&scene.generation), &scene.workers[0]);
	scene_done(&scene);
}

/* Clients wait: the log says so once, after a second of it. */
static void all_backlogged_is_logged(void **state)
{
	static const struct {
		uint64_t now_ms, want_since_ms;
		bool want_logged;
	} looks[] = {
		{ 1000, 1000, false }, { 2000, 1000, false }, { 2001, 1000, true }, { 9000, 1000, true }
	};
	const struct msg msg = { .type = MSG_END_SESSION };
	struct scene scene;
	struct msg got;
	int fd;

	(void)state;
	scene_init(&scene);
	for (size_t i = 0; i < WORKERS; i++)
		while (msg_send(scene.workers[i].channel.fd, &msg, -1) == 0)
			;
	for (size_t i = 0; i < NELEM(looks); i++) {
		generation_check_backlog(&scene.generation, looks[i].now_ms);
		assert_int_equal(scene.generation.backlogged_since_ms, looks[i].want_since_ms);
		assert_int_equal(scene.generation.backlog_logged, looks[i].want_logged);
	}
	while (msg_receive(scene.theirs[2], &got, &fd) == 1)
		assert_int_equal(fd, -1);
	generation_check_backlog(&scene.generation, 9001);
	assert_int_equal(scene.generation.backlogged_since_ms, 0);
	assert_false(scene.generation.backlog_logged);
	assert_ptr_equal(generation_pick(&scene.generation), &scene.workers[2]);
	scene_done(&scene);
}

static enum msg_type received(int fd)
{
	struct msg msg = { .type = MSG_NONE };
	int got;

	return msg_receive(fd, &msg, &got) == 1 ? (enum msg_type)msg.type : MSG_NONE;
}

/* MSG_DRAIN follows MSG_RETIRE, and neither comes twice. */
static void a_worker_is_told_once_how_to_end(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	generation_retire(&scene.generation, MSG_RETIRE);
	assert_int_equal(received(scene.theirs[0]), MSG_RETIRE);
	generation_retire(&scene.generation, MSG_RETIRE);
	assert_int_equal(received(scene.theirs[0]), MSG_NONE);
	generation_retire(&scene.generation, MSG_DRAIN);
	assert_int_equal(received(scene.theirs[0]), MSG_DRAIN);
	generation_retire(&scene.generation, MSG_RETIRE);
	assert_int_equal(received(scene.theirs[0]), MSG_NONE);
	assert_null(generation_pick(&scene.generation));
	scene_done(&scene);
}

/* A full channel keeps the order for later; a worker that has not started yet is killed. */
static void the_order_to_end_is_not_lost(void **state)
{
	const struct msg msg = { .type = MSG_END_SESSION };
	struct scene scene;

	(void)state;
	scene_init(&scene);
	while (msg_send(scene.workers[0].channel.fd, &msg, -1) == 0)
		;
	scene.workers[1].ready = false;
	generation_retire(&scene.generation, MSG_DRAIN);
	assert_true(scene.workers[0].stop_pending);
	assert_false(scene.workers[2].stop_pending);
	assert_true(was_killed(&scene.workers[1]));
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_busy_worker_is_picked),
		cmocka_unit_test(a_generation_is_ready_when_all_workers_are),
		cmocka_unit_test(what_no_worker_sends_kills_it),
		cmocka_unit_test(what_a_worker_sends_is_taken),
		cmocka_unit_test(a_flood_delays_only_its_sender),
		cmocka_unit_test(a_busy_machine_delays_no_report),
		cmocka_unit_test(the_end_of_a_pipe_is_no_offence),
		cmocka_unit_test(an_address_keeps_its_worker),
		cmocka_unit_test(a_worker_that_does_not_read_gets_nothing),
		cmocka_unit_test(all_backlogged_is_logged),
		cmocka_unit_test(a_worker_is_told_once_how_to_end),
		cmocka_unit_test(the_order_to_end_is_not_lost),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
