/* Which worker checks which server, when, and what becomes of orders that nobody answers. */
#include "gateway/monitor/checks.h"

#include <unistd.h>

#include "tests/unit/unit.h"

#define WORKERS	    3
#define INTERVAL_MS 10000
#define TIMEOUT_MS  1000
#define SLACK_MS    5000

static struct policy_server servers[] = { { .text = "a:21" }, { .text = "b:21" } };
static struct policy_backend backend = { .name = "legacy",
					 .servers = servers,
					 .nservers = 1,
					 .balanced = true,
					 .health = { .interval_ms = INTERVAL_MS,
						     .fall = 2,
						     .rise = 2,
						     .check = HEALTH_CHECK_GREETING,
						     .timeout_ms = TIMEOUT_MS } };
static struct policy policy = { .backends = &backend, .nbackends = 1 };

struct scene {
	struct loop loop;
	struct backends backends;
	struct checks checks;
	struct child workers[WORKERS];
	int ends[WORKERS]; /* of their channels */
	struct generation generation, *current;
};

static void scene_init(struct scene *scene)
{
	*scene =
	    (struct scene){ .generation = { .policy = &policy, .workers = scene->workers, .n = WORKERS } };
	assert_int_equal(loop_init(&scene->loop), 0);
	scene->loop.now_ms = 1000;
	scene->current = &scene->generation;
	for (int i = 0; i < WORKERS; i++) {
		int fds[2];

		assert_int_equal(msg_channel(fds), 0);
		scene->workers[i] =
		    (struct child){ .pid = 100 + i, .ready = true, .generation = scene->current };
		scene->workers[i].channel.fd = fds[0];
		scene->ends[i] = fds[1];
	}
	checks_init(&scene->checks, &scene->loop, &scene->backends, &scene->current);
	backends_follow(&scene->backends, &policy);
}

static void scene_done(struct scene *scene)
{
	for (int i = 0; i < WORKERS; i++) {
		(void)close(scene->workers[i].channel.fd);
		(void)close(scene->ends[i]);
	}
	backends_done(&scene->backends);
	loop_timer_stop(&scene->loop, &scene->checks.timer);
	loop_done(&scene->loop);
	backend.nservers = 1;
}

/* The timer fires at this time. */
static void at(struct scene *scene, uint64_t now_ms)
{
	scene->loop.now_ms = now_ms;
	scene->checks.timer.fn(&scene->checks.timer);
}

/* The worker that has got an order, and the order; -1: none has. */
static int ordered(struct scene *scene, struct msg *ret)
{
	for (int i = 0; i < WORKERS; i++) {
		int fd;

		if (msg_receive(scene->ends[i], ret, &fd) == 1) {
			assert_int_equal(ret->type, MSG_CHECK);
			return i;
		}
	}
	return -1;
}

static void answer(struct scene *scene, int worker, const struct msg *order, enum server_failure failure)
{
	const struct backend_witness witness = { .worker = scene->workers[worker].pid,
						 .others = true,
						 .now_ms = scene->loop.now_ms };

	checks_take(&scene->checks, order->serial, failure, &witness);
}

static struct backend_server *server(const struct scene *scene)
{
	return scene->backends.head;
}

/* The first one, within half a second. */
static int first(struct scene *scene, struct msg *ret)
{
	at(scene, 1000);
	assert_int_equal(ordered(scene, ret), -1);
	at(scene, 1501);
	return ordered(scene, ret);
}

static void two_workers_take_it_down(void **state)
{
	struct scene scene;
	struct msg order;
	int one, two;

	(void)state;
	scene_init(&scene);
	one = first(&scene, &order);
	assert_in_range(one, 0, WORKERS - 1);
	assert_int_equal(order.active, 1);
	answer(&scene, one, &order, SERVER_FAILURE_CLOSED);
	assert_false(server(&scene)->health.down);
	at(&scene, 2000);
	assert_int_equal(ordered(&scene, &order), -1); /* once a second at most */
	at(&scene, 2501);
	two = ordered(&scene, &order); /* soon, and by another one */
	assert_in_range(two, 0, WORKERS - 1);
	assert_int_not_equal(one, two);
	answer(&scene, two, &order, SERVER_FAILURE_CLOSED);
	assert_true(server(&scene)->health.down);
	at(&scene, 2501 + INTERVAL_MS * 9 / 10 - 1);
	assert_int_equal(ordered(&scene, &order), -1);
	for (int i = 0; i < 2; i++) { /* and two take it up again */
		at(&scene, scene.loop.now_ms + INTERVAL_MS * 11 / 10);
		two = ordered(&scene, &order);
		assert_int_equal(order.active, 0); /* that it fails is known */
		assert_true(two >= 0 && (i == 0 || two != one));
		one = two;
		assert_true(server(&scene)->health.down);
		answer(&scene, two, &order, SERVER_FAILURE_NONE);
	}
	assert_false(server(&scene)->health.down);
	scene_done(&scene);
}

/* One worker says that the server is down whenever it is asked; it is the first to be asked. */
static void a_liar_is_contradicted(void **state)
{
	struct scene scene;
	struct msg order;
	int liar;

	(void)state;
	scene_init(&scene);
	liar = first(&scene, &order);
	answer(&scene, liar, &order, SERVER_FAILURE_REFUSED);
	for (int i = 0; i < 50; i++) {
		int asked;

		at(&scene, scene.loop.now_ms + INTERVAL_MS * 11 / 10);
		asked = ordered(&scene, &order);
		assert_in_range(asked, 0, WORKERS - 1);
		answer(&scene, asked, &order, asked == liar ? SERVER_FAILURE_REFUSED : SERVER_FAILURE_NONE);
		assert_false(server(&scene)->health.down);
	}
	scene_done(&scene);
}

/* A result counts once, and from the worker that was asked. */
static void uninvited_results_do_nothing(void **state)
{
	struct scene scene;
	struct msg order;
	int asked;

	(void)state;
	scene_init(&scene);
	asked = first(&scene, &order);
	answer(&scene, (asked + 1) % WORKERS, &order, SERVER_FAILURE_REFUSED);
	assert_int_equal(server(&scene)->health.failed, 0);
	assert_int_not_equal(server(&scene)->check.number, 0);
	answer(&scene, asked, &order, SERVER_FAILURE_NONE);
	answer(&scene, asked, &order, SERVER_FAILURE_REFUSED);
	order.serial = 0; /* the number of no check */
	answer(&scene, asked, &order, SERVER_FAILURE_REFUSED);
	assert_int_equal(server(&scene)->health.failed, 0);
	scene_done(&scene);
}

/* It dies, or never reports: another one is asked, and nobody takes that for a failure. */
static void a_check_without_result_is_repeated(void **state)
{
	struct scene scene;
	struct msg order;
	int dies, silent;

	(void)state;
	scene_init(&scene);
	dies = first(&scene, &order);
	checks_forget_worker(&scene.checks, scene.workers[dies].pid);
	scene.workers[dies].ready = false;
	at(&scene, 1502);
	silent = ordered(&scene, &order);
	assert_int_not_equal(silent, dies);
	at(&scene, 1502 + TIMEOUT_MS + SLACK_MS - 1);
	assert_int_equal(ordered(&scene, &order), -1);
	at(&scene, 1502 + TIMEOUT_MS + SLACK_MS);
	assert_int_not_equal(ordered(&scene, &order), silent);
	assert_int_equal(server(&scene)->health.failed, 0);
	scene_done(&scene);
}

/* One of two workers never reports. It cannot keep the other one from saying that the server works again. */
static void a_silent_worker_keeps_no_other_from_the_server(void **state)
{
	struct scene scene;
	struct msg order;
	int honest, silent;

	(void)state;
	scene_init(&scene);
	scene.workers[2].ready = false;
	honest = first(&scene, &order);
	answer(&scene, honest, &order, SERVER_FAILURE_REFUSED);
	at(&scene, 2501);
	silent = ordered(&scene, &order);
	assert_int_equal(silent, 1 - honest);
	at(&scene, 2501 + TIMEOUT_MS + SLACK_MS);
	assert_int_equal(ordered(&scene, &order), honest);
	answer(&scene, honest, &order, SERVER_FAILURE_NONE);
	assert_int_equal(server(&scene)->health.failed, 0);
	scene_done(&scene);
}

/* What policy drops, or an operator disables, is not checked. A reload forgets what is under way. */
static void only_what_serves_is_checked(void **state)
{
	static const struct policy nothing = { .nbackends = 0 };
	struct scene scene;
	struct msg order, none;
	int asked;

	(void)state;
	backend.nservers = 2;
	scene_init(&scene);
	server(&scene)->next->disabled = true;
	asked = first(&scene, &order);
	assert_int_equal(order.check.server, 0);
	assert_int_equal(ordered(&scene, &none), -1);
	backends_follow(&scene.backends, &nothing);
	answer(&scene, asked, &order, SERVER_FAILURE_REFUSED); /* for a server that is gone */
	at(&scene, 100000);
	assert_int_equal(ordered(&scene, &none), -1);
	scene.generation.retired = true;
	backends_follow(&scene.backends, &policy);
	at(&scene, 200000);
	at(&scene, 200501);
	assert_int_equal(ordered(&scene, &none), -1);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_workers_take_it_down),
		cmocka_unit_test(a_liar_is_contradicted),
		cmocka_unit_test(uninvited_results_do_nothing),
		cmocka_unit_test(a_check_without_result_is_repeated),
		cmocka_unit_test(a_silent_worker_keeps_no_other_from_the_server),
		cmocka_unit_test(only_what_serves_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
