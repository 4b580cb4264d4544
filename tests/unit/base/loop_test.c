#include "gateway/base/loop.h"

#include <time.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "tests/unit/unit.h"

#define BULK   5
#define ROUNDS 3
#define MANY   200

/* A descriptor that is always readable, and what its watch has seen. */
struct source {
	struct watch watch;
	struct loop *loop;
	int pipe[2];
	char name;
	uint32_t ready;
	unsigned called;
};

static char order[4 * MANY + 1];
static size_t norder;
static size_t order_end; /* stop there */
static struct source *victim;

static void note(struct source *source, uint32_t ready)
{
	source->ready = ready;
	source->called++;
	order[norder++] = source->name;
	if (norder >= order_end)
		loop_stop(source->loop);
}

/* Longer than any slice of a turn. */
static void take_long(void)
{
	struct timespec begun, now;

	(void)clock_gettime(CLOCK_MONOTONIC, &begun);
	do {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - begun.tv_sec) * 1000000000L + now.tv_nsec - begun.tv_nsec < 500000L);
}

static void on_urgent(struct watch *watch, uint32_t ready)
{
	note(CONTAINER_OF(watch, struct source, watch), ready);
}

static void on_bulk(struct watch *watch, uint32_t ready)
{
	take_long();
	note(CONTAINER_OF(watch, struct source, watch), ready);
}

static void on_again(struct watch *watch, uint32_t ready)
{
	struct source *source = CONTAINER_OF(watch, struct source, watch);

	on_bulk(watch, ready);
	loop_again(source->loop, watch);
}

static void on_killer(struct watch *watch, uint32_t ready)
{
	on_urgent(watch, ready);
	if (victim != NULL)
		loop_unwatch(victim->loop, &victim->watch);
	victim = NULL;
}

static void source_open(struct source *source, struct loop *loop, char name, watch_fn *fn, bool bulk)
{
	*source = (struct source){ .loop = loop, .name = name };
	assert_int_equal(pipe(source->pipe), 0);
	assert_int_equal(write(source->pipe[1], "x", 1), 1);
	watch_init(&source->watch, fn);
	source->watch.fd = source->pipe[0];
	source->watch.bulk = bulk;
	assert_int_equal(loop_watch(loop, &source->watch, EPOLLIN), 0);
}

static void source_close(struct source *source)
{
	loop_unwatch(source->loop, &source->watch);
	(void)close(source->pipe[0]);
	(void)close(source->pipe[1]);
}

static void run(struct loop *loop, size_t steps)
{
	memset(order, 0, sizeof(order));
	norder = 0;
	order_end = steps;
	loop->stopped = false;
	assert_int_equal(loop_run(loop), 0);
}

/* Between two steps of bulk watches everybody else has a turn, and bulk ones have theirs in order. */
static void bulk_waits(watch_fn *fn)
{
	struct loop loop;
	struct source urgent, bulk[BULK];

	assert_int_equal(loop_init(&loop), 0);
	for (size_t i = 0; i < BULK; i++)
		source_open(&bulk[i], &loop, (char)('0' + i), fn, true);
	source_open(&urgent, &loop, 'u', on_urgent, false);
	run(&loop, 2 * BULK * ROUNDS);
	for (size_t i = 0; i < BULK * ROUNDS; i++) {
		assert_int_equal(order[2 * i], 'u');
		assert_int_equal(order[2 * i + 1], '0' + (int)(i % BULK));
	}
	assert_int_equal(urgent.ready, EPOLLIN);
	for (size_t i = 0; i < BULK; i++) {
		assert_int_equal(bulk[i].ready, EPOLLIN);
		source_close(&bulk[i]);
	}
	source_close(&urgent);
	loop_done(&loop);
}

static void test_bulk_waits(void **state)
{
	(void)state;
	bulk_waits(on_bulk);
}

/* The same when they ask for their next step themselves. */
static void test_bulk_asks_again(void **state)
{
	(void)state;
	bulk_waits(on_again);
}

/* More than one look at epoll brings: they neither crowd out urgent ones nor each other. */
static void test_many_bulk_watches(void **state)
{
	struct loop loop;
	struct source urgent, *many = calloc(MANY, sizeof(*many));

	(void)state;
	assert_non_null(many);
	assert_int_equal(loop_init(&loop), 0);
	for (size_t i = 0; i < MANY; i++)
		source_open(&many[i], &loop, 'p', on_bulk, true);
	source_open(&urgent, &loop, 'u', on_urgent, false);
	run(&loop, 4 * MANY);
	for (size_t i = 0; i < 4 * MANY; i++)
		assert_int_equal(order[i], i % 2 == 0 ? 'u' : 'p');
	for (size_t i = 0; i < MANY; i++) {
		assert_in_range(many[i].called, 1, 3);
		source_close(&many[i]);
	}
	source_close(&urgent);
	loop_done(&loop);
	free(many);
}

/* What was queued and then forgotten is not called. */
static void test_forgotten_while_queued(void **state)
{
	struct loop loop;
	struct source urgent, bulk[2];

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	source_open(&bulk[0], &loop, '0', on_bulk, true);
	source_open(&bulk[1], &loop, '1', on_bulk, true);
	source_open(&urgent, &loop, 'u', on_killer, false);
	run(&loop, 2);
	assert_string_equal(order, "u0"); /* 1 is in the queue now */
	victim = &bulk[1];
	run(&loop, 4);
	assert_string_equal(order, "u0u0");
	assert_null(bulk[1].watch.queue);
	source_close(&bulk[0]);
	source_close(&bulk[1]);
	source_close(&urgent);
	loop_done(&loop);
}

/* A watch that stops being bulk while it is queued is still found and removed. */
static void test_changes_its_mind(void **state)
{
	struct loop loop;
	struct source urgent, bulk[2];

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	source_open(&bulk[0], &loop, '0', on_bulk, true);
	source_open(&bulk[1], &loop, '1', on_bulk, true);
	source_open(&urgent, &loop, 'u', on_urgent, false);
	run(&loop, 2);
	assert_int_equal(loop_set_bulk(&loop, &bulk[1].watch, false), 0);
	run(&loop, 4);
	assert_non_null(strchr(order, '1'));
	source_close(&bulk[1]);
	assert_null(bulk[1].watch.queue);
	source_close(&bulk[0]);
	source_close(&urgent);
	assert_int_equal(loop.bulk.len + loop.again.len, 0);
	loop_done(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bulk_waits),	  cmocka_unit_test(test_bulk_asks_again),
		cmocka_unit_test(test_many_bulk_watches), cmocka_unit_test(test_forgotten_while_queued),
		cmocka_unit_test(test_changes_its_mind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
