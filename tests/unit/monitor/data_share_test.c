/* Shared ports over real sockets: who may ask for a plan, and where a connection goes. */
#include "gateway/monitor/data-share.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/host/bounded-close.h"
#include "gateway/net/netsock.h"
#include "tests/unit/monitor/addresses.h"
#include "tests/unit/unit.h"

#define HERE ADDR(127, 0, 0, 1)

static struct policy_listener listeners[] = {
	{ .name = "direct", .endpoint = { HERE, 21 } },
	{ .name = "transparent", .transparent = true },
	{ .name = "balanced",
	  .proxies = (struct ip_range[]){ { .low = ADDR(10, 0, 0, 0), .high = ADDR(10, 255, 255, 255) } },
	  .nproxies = 1 },
};
static struct ftp_action actions[] = {
	{ .name = "plain" },
	{ .name = "shared", .passivedatashare = PASSIVEDATASHARE_SOURCE, .datatimeout_s = 60 },
	{ .name = "other", .passivedatashare = PASSIVEDATASHARE_SOURCE },
};
static struct policy_rule rules[] = {
	{ .name = "plain",
	  .remote_addrs = (struct ip_range[]){ { .low = STRANGER, .high = STRANGER } },
	  .nremote_addrs = 1,
	  .ftp = &actions[0] },
	{ .name = "shared", .ftp = &actions[1] },
};
static struct policy policy = { .listeners = listeners,
				.nlisteners = 3,
				.ftp_actions = actions,
				.nftp_actions = 3,
				.rules = rules,
				.nrules = 2 };

struct scene {
	struct loop loop;
	struct children children;
	struct generation generation;
	struct child child;
	struct data_share share;
	int worker; /* its end of the channel */
	uint16_t port;
};

/* A port that is free now. */
static uint16_t free_port(void)
{
	const struct ip_endpoint any = { HERE, 0 };
	struct ip_endpoint found;
	int fd = netsock_bind(&any);

	assert_true(fd >= 0);
	assert_int_equal(netsock_local(fd, &found), 0);
	(void)close(fd);
	return found.port;
}

static void scene_init(struct scene *scene)
{
	int fds[2];

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	assert_int_equal(bounded_close_init(), 0);
	*scene = (struct scene){ .generation.policy = &policy };
	assert_int_equal(loop_init(&scene->loop), 0);
	scene->children.head = &scene->generation;
	scene->child = (struct child){ .generation = &scene->generation };
	assert_int_equal(msg_channel(fds), 0);
	scene->child.channel.fd = fds[0];
	scene->worker = fds[1];
	scene->port = free_port();
	actions[1].passivedataports = (struct port_range){ scene->port, scene->port };
	data_share_init(&scene->share, &scene->loop, &scene->children);
	policy.nlisteners = 1; /* the others have no address to listen on */
	assert_int_equal(shared_ports_open(&scene->share.ports, &policy), 0);
	policy.nlisteners = 3;
	shared_ports_accept(&scene->share.ports, true);
}

static void scene_done(struct scene *scene)
{
	data_share_done(&scene->share);
	assert_null(scene->share.ports.head);
	loop_done(&scene->loop);
	(void)close(scene->child.channel.fd);
	(void)close(scene->worker);
}

static const char *say(struct scene *scene, const struct admission_facts *facts, struct msg msg)
{
	return data_share_request(&scene->share, &scene->child, facts, &msg);
}

static enum msg_type next_message(const struct scene *scene, struct msg *ret, int *ret_fd)
{
	*ret = (struct msg){ .type = MSG_NONE };
	return msg_receive(scene->worker, ret, ret_fd) == 1 ? (enum msg_type)ret->type : MSG_NONE;
}

static const struct admission_facts client = {
	.remote = { HERE, 40000 }, .local = { HERE, 21 }, .client = HERE, .logged_in = true
};

static void only_a_session_that_policy_lets_may_plan(void **state)
{
	static const struct {
		const char *name, *why;
		struct admission_facts facts;
		uint32_t action;
	} rows[] = {
		{ "before the login", "before-login", { .client = HERE }, 1 },
		{ "an action that shares no ports", "not-in-this-policy", { .logged_in = true }, 0 },
		{ "an action that does not exist", "not-in-this-policy", { .logged_in = true }, 3 },
		{ "an action of no rule", "no-rule", { .logged_in = true }, 2 },
		{ "an action of another rule", "no-rule", { .remote.addr = STRANGER, .logged_in = true }, 1 },
		{ "a listener that does not exist", "no-rule", { .listener = 3, .logged_in = true }, 1 },
		{ "a transparent listener", "transparent", { .listener = 1, .logged_in = true }, 1 },
		{ "behind a load balancer, an action of no rule",
		  "no-rule",
		  { .listener = 2, .logged_in = true },
		  2 },
		{ "behind a load balancer", NULL, { .listener = 2, .logged_in = true }, 1 },
		{ "directly", NULL, { .remote.addr = CLIENT, .logged_in = true }, 1 },
	};
	struct scene scene;

	(void)state;
	scene_init(&scene);
	for (size_t i = 0; i < NELEM(rows); i++) {
		const char *why =
		    say(&scene, &rows[i].facts,
			(struct msg){ .type = MSG_PLAN, .session = 1, .purpose = rows[i].action });

		if ((why == NULL) != (rows[i].why == NULL) || (why != NULL && strcmp(why, rows[i].why) != 0))
			fail_msg("%s: %s", rows[i].name, why == NULL ? "taken" : why);
	}
	scene_done(&scene);
}

static int dial(const struct scene *scene)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(scene->port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static bool is_reset(int fd)
{
	struct pollfd look = { .fd = fd, .events = POLLIN };
	char byte;

	assert_int_equal(poll(&look, 1, 5000), 1);
	return recv(fd, &byte, 1, 0) == -1 && errno == ECONNRESET;
}

static void a_connection_goes_to_the_worker_of_its_plan(void **state)
{
	struct scene scene;
	struct msg msg;
	int fd, passed;

	(void)state;
	scene_init(&scene);
	fd = dial(&scene);
	shared_ports_look(scene.share.ports.head);
	assert_true(is_reset(fd)); /* nobody waits */
	(void)close(fd);
	assert_null(
	    say(&scene, &client, (struct msg){ .type = MSG_PLAN, .session = 5, .serial = 3, .purpose = 1 }));
	assert_int_equal(next_message(&scene, &msg, &passed), MSG_PLAN_TOLD);
	assert_true(msg.session == 5 && msg.serial == 3 && msg.error == 0 && msg.local.port == scene.port);
	fd = dial(&scene);
	shared_ports_look(scene.share.ports.head);
	assert_int_equal(next_message(&scene, &msg, &passed), MSG_PLAN_ARRIVED);
	assert_true(msg.session == 5 && msg.serial == 3 && passed >= 0);
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
	(void)close(passed); /* as when the worker dies */
	assert_true(is_reset(fd));
	(void)close(fd);
	scene_done(&scene);
}

/* A connection waits for a worker that is busy, and none of its messages overtakes another. */
static void a_busy_worker_gets_it_later(void **state)
{
	struct scene scene;
	struct msg msg = { .type = MSG_RETIRE };
	int fd, passed;

	(void)state;
	scene_init(&scene);
	while (msg_send(scene.child.channel.fd, &msg, -1) == 0)
		;
	assert_null(say(&scene, &client, (struct msg){ .type = MSG_PLAN, .session = 5, .purpose = 1 }));
	fd = dial(&scene);
	shared_ports_look(scene.share.ports.head);
	assert_non_null(scene.share.deliveries);
	while (next_message(&scene, &msg, &passed) == MSG_RETIRE)
		;
	loop_timer_stop(&scene.loop, &scene.share.retry);
	scene.share.retry.fn(&scene.share.retry);
	assert_int_equal(next_message(&scene, &msg, &passed), MSG_PLAN_TOLD);
	assert_int_equal(next_message(&scene, &msg, &passed), MSG_PLAN_ARRIVED);
	assert_true(passed >= 0);
	assert_null(scene.share.deliveries);
	(void)close(passed);
	(void)close(fd);
	/* of a worker that dies meanwhile, the connection is reset */
	msg = (struct msg){ .type = MSG_RETIRE };
	while (msg_send(scene.child.channel.fd, &msg, -1) == 0)
		;
	assert_null(say(&scene, &client, (struct msg){ .type = MSG_PLAN, .session = 6, .purpose = 1 }));
	fd = dial(&scene);
	shared_ports_look(scene.share.ports.head);
	data_share_forget_worker(&scene.share, &scene.child);
	assert_null(scene.share.deliveries);
	assert_true(is_reset(fd));
	(void)close(fd);
	scene_done(&scene);
}

/* One that plans and never reads does not fill the monitor's memory, or its table of descriptors. */
static void a_deaf_worker_costs_little(void **state)
{
	struct scene scene;
	struct msg msg;
	int passed, n = 0, arrived = 0, before = dup(STDIN_FILENO), after;
	uint32_t serial = 0;

	(void)state;
	scene_init(&scene);
	(void)close(before);
	for (uint32_t i = 1; i <= 2000; i++) {
		assert_null(say(&scene, &client,
				(struct msg){ .type = MSG_PLAN, .session = 5, .serial = i, .purpose = 1 }));
		if (i > 1900) {
			int fd = dial(&scene);

			shared_ports_look(scene.share.ports.head);
			(void)close(fd);
		}
	}
	after = dup(STDIN_FILENO);
	(void)close(after);
	assert_in_range(after, before, before + 20);
	while (n < 2000 && scene.share.deliveries != NULL) {
		while (next_message(&scene, &msg, &passed) != MSG_NONE) {
			n++;
			arrived += msg.type == MSG_PLAN_ARRIVED;
			serial = msg.serial;
			if (passed >= 0)
				(void)close(passed);
		}
		loop_timer_stop(&scene.loop, &scene.share.retry);
		scene.share.retry.fn(&scene.share.retry);
	}
	while (next_message(&scene, &msg, &passed) != MSG_NONE) {
		arrived += msg.type == MSG_PLAN_ARRIVED;
		serial = msg.serial;
		if (passed >= 0)
			(void)close(passed);
	}
	assert_in_range(n, 1, 1500);
	assert_int_equal(arrived, 1);
	assert_int_equal(serial, 2000);
	scene_done(&scene);
}

static void a_port_closes_when_nobody_wants_it(void **state)
{
	struct scene scene;
	struct msg msg;
	int passed;

	(void)state;
	scene_init(&scene);
	data_share_settle(&scene.share);
	assert_non_null(scene.share.ports.head);
	assert_null(say(&scene, &client, (struct msg){ .type = MSG_PLAN, .session = 5, .purpose = 1 }));
	assert_int_equal(next_message(&scene, &msg, &passed), MSG_PLAN_TOLD);
	data_share_stop(&scene.share, false);
	assert_non_null(scene.share.ports.head); /* session 5 has told it to its client */
	assert_null(say(&scene, &client, (struct msg){ .type = MSG_PLAN_OVER, .session = 5 }));
	assert_null(scene.share.ports.head);
	assert_null(say(&scene, &client, (struct msg){ .type = MSG_PLAN, .session = 5, .purpose = 1 }));
	assert_int_equal(next_message(&scene, &msg, &passed), MSG_PLAN_TOLD);
	assert_int_equal(msg.error, -EADDRINUSE);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_session_that_policy_lets_may_plan),
		cmocka_unit_test(a_connection_goes_to_the_worker_of_its_plan),
		cmocka_unit_test(a_busy_worker_gets_it_later),
		cmocka_unit_test(a_deaf_worker_costs_little),
		cmocka_unit_test(a_port_closes_when_nobody_wants_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
