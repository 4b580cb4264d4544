/* Which plan gets which shared port, and when; the clock is the test's. */
#include "gateway/monitor/data-plans.h"

#include "tests/unit/monitor/addresses.h"
#include "tests/unit/unit.h"

#define HOST  SERVER
#define OTHER STRANGER
#define FIRST 61000

static struct loop loop;
static struct shared_ports ports;
static struct shared_port port_list[3];
static struct data_plans plans;

/* What the last call said of each session. */
static struct {
	unsigned told, refused, gives;
	uint16_t port;
} seen[32];
static const struct shared_port *looked;
static const struct ip_addr *in_queue; /* whose connection look() finds */

static void told(void *context, const struct plan_ask *ask, const struct ip_endpoint *port)
{
	(void)context;
	if (port != NULL)
		seen[ask->session].told++;
	else
		seen[ask->session].refused++;
	seen[ask->session].port = port != NULL ? port->port : 0;
}

static void give(void *context, const struct plan_ask *ask)
{
	(void)context;
	seen[ask->session].gives++;
}

static enum plan_match arrive(uint16_t port, const struct ip_addr *peer, uint64_t *ret_session)
{
	const struct ip_addr host = HOST;
	struct plan_ask ask = { .session = 0 };
	enum plan_match match = data_plans_arrive(&plans, &port_list[port - FIRST], peer, &host, &ask);

	*ret_session = ask.session;
	return match;
}

static void look(void *context, struct shared_port *port)
{
	uint64_t session;

	(void)context;
	looked = port;
	if (in_queue != NULL)
		assert_int_equal(arrive(port->endpoint.port, in_queue, &session), PLAN_FOUND);
	in_queue = NULL;
}

static void begin(size_t nports)
{
	const struct plan_calls calls = { told, give, look, NULL };

	memset(seen, 0, sizeof(seen));
	looked = NULL;
	loop.now_ms = 100000;
	ports = (struct shared_ports){ .loop = &loop };
	for (size_t i = 0; i < nports; i++) {
		port_list[i] =
		    (struct shared_port){ .endpoint = { HOST, (uint16_t)(FIRST + i) },
					  .id = i + 1,
					  .prev = i > 0 ? &port_list[i - 1] : &port_list[nports - 1],
					  .next = i + 1 < nports ? &port_list[i + 1] : NULL };
	}
	ports.head = nports > 0 ? &port_list[0] : NULL;
	data_plans_init(&plans, &loop, &ports, &calls);
}

static void finish(void)
{
	data_plans_done(&plans);
	assert_null(plans.plans);
	assert_null(plans.holds);
	assert_null(plans.sources);
	assert_int_equal(loop.heap_len, 0);
	free(loop.heap);
	loop.heap = NULL;
	loop.heap_cap = 0;
}

static void pass_ms(uint64_t ms)
{
	uint64_t end_ms = loop.now_ms + ms;

	while (loop.heap_len > 0 && loop.heap[1]->at_ms <= end_ms) {
		struct timer *timer = loop.heap[1];

		if (timer->at_ms > loop.now_ms)
			loop.now_ms = timer->at_ms;
		loop_timer_stop(&loop, timer);
		timer->fn(timer);
	}
	loop.now_ms = end_ms;
}

static struct plan_ask wish(uint64_t session, const struct ip_addr *client)
{
	return (struct plan_ask){ .session = session,
				  .serial = 7,
				  .client = *client,
				  .host = HOST,
				  .range = { FIRST, FIRST + 2 },
				  .limit_ms = 60000 };
}

static void ask_from(uint64_t session, struct ip_addr client)
{
	const struct plan_ask ask = wish(session, &client);

	assert_int_equal(data_plans_ask(&plans, &ask), 0);
}

static void ask(uint64_t session)
{
	ask_from(session, (struct ip_addr)CLIENT);
}

static void one_address_has_each_port_once(void **state)
{
	uint64_t session;
	const struct ip_addr client = CLIENT, other = OTHER;
	uint16_t second;

	(void)state;
	begin(2);
	ask(1);
	ask(2);
	assert_true(seen[1].told == 1 && seen[2].told == 1);
	assert_int_not_equal(seen[1].port, seen[2].port);
	ask(3);
	ask(4);
	assert_true(seen[3].told == 0 && seen[4].told == 0);
	ask_from(5, other); /* does not wait for them */
	ask_from(6, other);
	assert_true(seen[5].told == 1 && seen[6].told == 1);
	second = seen[2].port;
	assert_int_equal(arrive(second, &client, &session), PLAN_FOUND);
	assert_int_equal(session, 2);
	assert_true(seen[3].told == 1 && seen[3].port == second); /* in order */
	assert_int_equal(seen[4].told, 0);
	assert_int_equal(arrive(seen[6].port, &other, &session), PLAN_FOUND);
	assert_int_equal(session, 6);
	assert_int_equal(arrive(seen[6].port, &other, &session), PLAN_NOBODY);
	finish();
}

static void a_wish_is_refused_after_its_time(void **state)
{
	(void)state;
	begin(1);
	ask(1);
	ask(2);
	pass_ms(PLAN_WAIT_MS - 1);
	ask(3);
	assert_int_equal(seen[2].refused, 0);
	pass_ms(1);
	assert_int_equal(seen[2].refused, 1);
	assert_int_equal(seen[3].refused, 0);
	pass_ms(PLAN_WAIT_MS - 2);
	assert_int_equal(seen[3].refused, 0);
	assert_int_equal(seen[1].gives, 0); /* not even ten seconds */
	pass_ms(1);
	assert_int_equal(seen[3].refused, 1);
	finish();
}

static void an_old_plan_makes_way_only_if_others_wait(void **state)
{
	(void)state;
	begin(1);
	ask(1);
	pass_ms(PLAN_GIVE_MS * 2);
	assert_int_equal(seen[1].gives, 0);
	ask_from(5, (struct ip_addr)OTHER);
	assert_int_equal(seen[1].gives, 0);
	ask(2);
	assert_int_equal(seen[1].gives, 1);
	ask(3);
	assert_int_equal(seen[1].gives, 1);
	assert_int_equal(seen[2].told, 0);
	data_plans_end(&plans, 1, 7);
	assert_int_equal(seen[2].told, 0); /* its client may have dialled a moment ago */
	pass_ms(PLAN_LATE_MS);
	assert_int_equal(seen[2].told, 1);
	assert_int_equal(seen[3].told, 0);
	finish();
}

/* The next one is asked if the first one has a transfer, or its worker says nothing. */
static void who_keeps_its_port_is_asked_once(void **state)
{
	(void)state;
	for (int answers = 0; answers <= 1; answers++) {
		begin(2);
		ask(1);
		pass_ms(10);
		ask(2);
		pass_ms(PLAN_GIVE_MS);
		ask(3);
		assert_true(seen[1].gives == 1 && seen[2].gives == 0);
		if (answers)
			data_plans_keep(&plans, 1, 7);
		else
			pass_ms(1000);
		assert_true(seen[1].gives == 1 && seen[2].gives == 1);
		data_plans_end(&plans, 2, 7);
		pass_ms(PLAN_LATE_MS);
		assert_int_equal(seen[3].told, 1);
		ask(4);
		pass_ms(PLAN_WAIT_MS);
		assert_true(seen[4].refused == 1 && seen[1].gives == 1);
		finish();
	}
}

/* A worker that keeps a port for longer than any session waits loses it. */
static void a_plan_has_an_end(void **state)
{
	(void)state;
	begin(1);
	ask(1);
	pass_ms(PLAN_GIVE_MS);
	ask(2);
	data_plans_keep(&plans, 1, 7);
	pass_ms(60000);
	assert_int_equal(seen[2].refused, 1);
	ask(3);
	pass_ms(PLAN_LATE_MS);
	assert_int_equal(seen[3].told, 1);
	data_plans_end(&plans, 1, 7); /* it does not know yet */
	finish();
}

static void a_late_connection_is_nobodys(void **state)
{
	const struct ip_addr client = CLIENT;
	uint64_t session;

	(void)state;
	begin(1);
	ask(1);
	data_plans_end(&plans, 1, 7);
	ask(2);
	assert_int_equal(seen[2].told, 0);
	assert_int_equal(arrive(FIRST, &client, &session), PLAN_LATE);
	assert_int_equal(seen[2].told, 1); /* it has come, so nothing is left to wait for */
	assert_int_equal(arrive(FIRST, &client, &session), PLAN_FOUND);
	assert_int_equal(session, 2);
	/* its own session does not wait */
	ask(3);
	data_plans_end(&plans, 3, 7);
	ask(3);
	assert_int_equal(seen[3].told, 2);
	finish();
}

/* What is in the queue when a plan ends belongs to that plan. */
static void the_queue_is_looked_at_first(void **state)
{
	const struct ip_addr client = CLIENT;
	uint64_t session;

	(void)state;
	begin(1);
	ask(1);
	ask(2);
	in_queue = &client;
	data_plans_end(&plans, 1, 7);
	assert_ptr_equal(looked, &port_list[0]);
	assert_int_equal(seen[2].told, 1);
	assert_int_equal(arrive(FIRST, &client, &session), PLAN_FOUND);
	assert_int_equal(session, 2);
	/* the same for a plan that replaces the last one */
	ask(3);
	in_queue = &client;
	ask(3);
	assert_int_equal(seen[3].told, 2);
	assert_int_equal(arrive(FIRST, &client, &session), PLAN_FOUND);
	finish();
}

static void only_the_right_address_and_serial_count(void **state)
{
	const struct ip_addr client = CLIENT, other = OTHER, host = HOST;
	struct plan_ask ask_now;
	uint64_t session;

	(void)state;
	begin(2);
	ask(1);
	assert_int_equal(arrive(seen[1].port, &other, &session), PLAN_NOBODY);
	assert_int_equal(arrive((uint16_t)(2 * FIRST + 1 - seen[1].port), &client, &session), PLAN_NOBODY);
	assert_int_equal(
	    data_plans_arrive(&plans, &port_list[seen[1].port - FIRST], &client, &other, &ask_now),
	    PLAN_NOBODY); /* at another address of this host */
	data_plans_end(&plans, 1, 6);
	data_plans_keep(&plans, 1, 7); /* nobody has asked */
	assert_int_equal(
	    data_plans_arrive(&plans, &port_list[seen[1].port - FIRST], &client, &host, &ask_now),
	    PLAN_FOUND);
	assert_int_equal(ask_now.session, 1);
	finish();
}

/* All data that comes through load balancers may have one address. */
static void balanced_sessions_are_one(void **state)
{
	static struct ip_range proxies[] = { { .low = ADDR(10, 0, 0, 0), .high = ADDR(10, 255, 255, 255) } };
	static const struct policy_listener listener = { .proxies = proxies,
							 .nproxies = 1,
							 .proxy_data = true };
	const struct ip_addr client = CLIENT, other = OTHER, balancer = ADDR(10, 0, 0, 1);
	struct plan_ask first = wish(1, &client), second = wish(2, &other);
	uint64_t session;

	(void)state;
	begin(1);
	first.through = second.through = &listener;
	assert_int_equal(data_plans_ask(&plans, &first), 0);
	assert_int_equal(data_plans_ask(&plans, &second), 0);
	assert_true(seen[1].told == 1 && seen[2].told == 0);
	assert_int_equal(arrive(FIRST, &other, &session), PLAN_NOBODY);
	ask(3); /* a client that has a session without a load balancer, too */
	assert_int_equal(seen[3].told, 0);
	ask_from(4, other);
	assert_int_equal(seen[4].told, 1);
	assert_int_equal(arrive(FIRST, &balancer, &session), PLAN_FOUND);
	assert_int_equal(session, 1);
	assert_true(seen[2].told == 0 && seen[3].told == 1); /* the other has a plan of its own there */
	assert_int_equal(arrive(FIRST, &other, &session), PLAN_FOUND);
	assert_int_equal(session, 4);
	assert_int_equal(seen[2].told, 1);
	assert_int_equal(arrive(FIRST, &other, &session), PLAN_FOUND); /* or directly */
	assert_int_equal(session, 2);
	finish();
}

static void ports_close(void **state)
{
	(void)state;
	begin(1);
	ask(1);
	assert_true(data_plans_wait_at(&plans, &port_list[0]));
	ask(2);
	data_plans_close_port(&plans, &port_list[0]);
	assert_false(data_plans_wait_at(&plans, &port_list[0]));
	ports.head = NULL;
	ask(3);
	assert_int_equal(seen[3].refused, 1);
	pass_ms(PLAN_WAIT_MS);
	assert_int_equal(seen[2].refused, 1);
	finish();
}

/* Random events: no two plans of an address at one port, every plan gets an answer, nothing is left. */
static void whatever_happens(void **state)
{
	static const struct ip_addr clients[] = { CLIENT, OTHER };
	unsigned random = 1;

	(void)state;
	begin(3);
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t session = 1 + (random >> 8) % 20, found;
		const struct ip_addr *client = &clients[session % 2];

		random = random * 1103515245u + 12345u;
		switch ((random >> 16) % 6) {
		case 0:
		case 1:
			ask_from(session, *client);
			break;
		case 2:
			data_plans_end(&plans, session, 7);
			break;
		case 3:
			(void)arrive((uint16_t)(FIRST + (random >> 20) % 3), client, &found);
			assert_true(found == 0 || found % 2 == session % 2);
			break;
		case 4:
			data_plans_keep(&plans, session, 7);
			break;
		case 5:
			pass_ms((random >> 20) % 3000);
			break;
		default:
			break;
		}
	}
	for (uint64_t session = 1; session <= 20; session++)
		data_plans_end_all(&plans, session);
	pass_ms(PLAN_LATE_MS);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_has_each_port_once),
		cmocka_unit_test(a_wish_is_refused_after_its_time),
		cmocka_unit_test(an_old_plan_makes_way_only_if_others_wait),
		cmocka_unit_test(who_keeps_its_port_is_asked_once),
		cmocka_unit_test(a_plan_has_an_end),
		cmocka_unit_test(a_late_connection_is_nobodys),
		cmocka_unit_test(the_queue_is_looked_at_first),
		cmocka_unit_test(only_the_right_address_and_serial_count),
		cmocka_unit_test(balanced_sessions_are_one),
		cmocka_unit_test(ports_close),
		cmocka_unit_test(whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
