/* What passes between two monitors of plans for shared ports. */
#include "gateway/monitor/share-link.h"

#include <errno.h>
#include <unistd.h>

#include "gateway/base/handover-link.h"
#include "gateway/base/util.h"
#include "tests/unit/monitor/addresses.h"
#include "tests/unit/unit.h"

#define SESSIONS 1000
#define PORT	 50000

static void ignore(void *context, const struct plan_ask *ask, const struct ip_endpoint *port)
{
	(void)context, (void)ask, (void)port;
}

static struct plan_ask plan_of(uint64_t session)
{
	return (struct plan_ask){ .session = session,
				  .serial = (uint32_t)session + 7,
				  .client = ADDR(10, 1, (uint8_t)(session >> 8), (uint8_t)session),
				  .host = ADDR(127, 0, 0, 1),
				  .range = { PORT, PORT + 10 },
				  .limit_ms = 60000 };
}

/* However many wait, all are in the state, and the link stays free for what ends the upgrade. */
static void all_plans_pass_with_the_state(void **state)
{
	const struct ip_endpoint at = { .addr = ADDR(127, 0, 0, 1), .port = PORT };
	const struct plan_calls calls = { .told = ignore };
	struct handover_writer writer = { .bytes = NULL };
	struct handover_reader reader;
	struct handover_msg msg;
	struct data_share old, new;
	struct loop loop;
	struct older from = { .link.fd = -1 };
	int pair[2], port = dup(STDIN_FILENO), fd;
	size_t n = 0;

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(handover_pair(pair), 0);
	data_share_init(&old, &loop, NULL);
	data_share_init(&new, &loop, NULL);
	old.plans.calls = calls;
	assert_int_equal(shared_ports_adopt(&old.ports, &at, &port), 0);
	port = dup(STDIN_FILENO);
	assert_int_equal(shared_ports_adopt(&new.ports, &at, &port), 0);
	for (uint64_t i = 1; i <= SESSIONS; i++) {
		const struct plan_ask ask = plan_of(i);

		assert_int_equal(data_plans_ask(&old.plans, &ask), 0);
	}
	share_link_put(&old, &writer);
	share_link_leave(&old, pair[0]);
	assert_null(old.plans.plans);
	assert_int_equal(handover_receive(pair[1], &msg, NULL, &n), -EAGAIN);

	fd = handover_seal(&writer);
	assert_true(fd >= 0);
	assert_int_equal(handover_open(fd, &reader), 0);
	from.link.fd = pair[1];
	assert_int_equal(share_link_get(&new, &from, &reader), 0);
	assert_int_equal(HASH_COUNT(new.plans.plans), SESSIONS);
	for (uint64_t i = 1; i <= SESSIONS; i++) {
		const struct data_plan *plan = plan_find(&new.plans, i);
		const struct plan_ask want = plan_of(i);

		assert_non_null(plan);
		assert_true(plan->ask.elsewhere && plan->ask.owner == &from);
		assert_int_equal(plan->ask.serial, want.serial);
		assert_true(ip_addr_equal(&plan->ask.client, &want.client));
		assert_true(ip_addr_equal(&plan->ask.host, &want.host));
		assert_int_equal(plan->ask.range.low, PORT); /* the client knows this one */
		assert_int_equal(plan->ask.range.high, PORT);
	}
	assert_int_equal(handover_send(pair[1], &(struct handover_msg){ .type = HANDOVER_SETTLED }, NULL, 0),
			 0);
	handover_close(&reader);
	(void)close(fd);
	data_share_done(&old);
	data_share_done(&new);
	(void)close(pair[0]);
	(void)close(pair[1]);
	loop_done(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_plans_pass_with_the_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
