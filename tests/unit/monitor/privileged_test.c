/* What the monitor does for a worker, and what makes it take the worker for one that has been taken over. */
#include "gateway/monitor/privileged.h"

#include <errno.h>
#include <string.h>

#include "gateway/base/ftp-setup.h"
#include "gateway/base/msg.h"
#include "tests/unit/monitor/addresses.h"
#include "tests/unit/unit.h"

static struct policy_listener listeners[] = {
	{ .name = "inline", .transparent = true, .index = 0 },
	{ .name = "plain", .index = 1 },
	{ .name = "lower", .index = 2 },
	{ .name = "lower inline", .transparent = true, .index = 3 },
};
static struct policy_server chosen, named;
static struct policy_backend backend = {
	.name = "b", .original = true, .servers = &chosen, .nservers = 1, .source = BACKEND_SOURCE_CLIENT
};
static struct policy_backend own = { .name = "o", .servers = &named, .nservers = 1 };
static struct ftp_action action = { .name = "a", .passivedataports = { 50000, 50010 } };
static struct ftp_action lower = { .name = "l", .data_port = DATA_PORT_LOWER };
static struct policy_rule rules[] = {
	{ .name = "inline",
	  .listeners = (const struct policy_listener *[]){ &listeners[0] },
	  .nlisteners = 1,
	  .ftp = &action,
	  .backend = &backend },
	{ .name = "plain",
	  .listeners = (const struct policy_listener *[]){ &listeners[1] },
	  .nlisteners = 1,
	  .ftp = &action,
	  .backend = &own },
	{ .name = "lower",
	  .listeners = (const struct policy_listener *[]){ &listeners[2], &listeners[3] },
	  .nlisteners = 2,
	  .ftp = &lower,
	  .backend = &own },
};
static const struct policy policy = { .listeners = listeners, .nlisteners = 4, .rules = rules, .nrules = 3 };

static const struct {
	const char *name;
	uint32_t listener;
	bool logged_in;
	struct msg msg;
	const char *why;
} not_permitted[] = {
	{ "a message that is no request", 0, true, { .type = MSG_READY }, "unknown-message" },
	{ "no purpose", 0, true, { .type = MSG_SOCKET, .local.addr = CLIENT }, "unknown-purpose" },
	{ "a purpose that does not exist",
	  0,
	  true,
	  { .type = MSG_SOCKET, .purpose = 77, .local.addr = CLIENT },
	  "unknown-purpose" },
	{ "somebody else's address",
	  0,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_SERVER, .local.addr = STRANGER },
	  "not-the-clients-address" },
	{ "the client's address with a port of choice",
	  0,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_SERVER, .local = { CLIENT, 22 } },
	  "port-of-its-choice" },
	{ "the server's address to dial the server",
	  0,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_SERVER, .local.addr = SERVER },
	  "not-the-clients-address" },
	{ "data before login",
	  0,
	  false,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_DIAL_SERVER, .local.addr = CLIENT },
	  "before-login" },
	{ "a port before login",
	  0,
	  false,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_LISTEN_CLIENT, .local = { SERVER, 50000 } },
	  "before-login" },
	{ "a port outside passivedataports",
	  0,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_LISTEN_CLIENT, .local = { SERVER, 50011 } },
	  "port-not-in-passivedataports" },
	{ "a low port at the client's address",
	  0,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_LISTEN_SERVER, .local = { CLIENT, 1023 } },
	  "low-port" },
	{ "another port than 20 to dial the client",
	  0,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_DIAL_CLIENT, .local = { SERVER, 21 } },
	  "not-the-data-port" },
	{ "a socket for a listener that is not transparent",
	  1,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_SERVER, .local.addr = CLIENT },
	  "not-transparent" },
	{ "a listener that does not exist",
	  9,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_SERVER, .local.addr = CLIENT },
	  "no-rule" },
	{ "a lower port without data_port: lower",
	  1,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_DIAL_LOWER, .local = { SERVER, 20 } },
	  "not-in-this-policy" },
	{ "a lower port before login",
	  2,
	  false,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_DIAL_LOWER, .local = { SERVER, 20 } },
	  "before-login" },
	{ "another port than the lower one",
	  2,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_DIAL_LOWER, .local = { SERVER, 22 } },
	  "not-the-data-port" },
	{ "the kernel's choice in its place",
	  2,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_DIAL_LOWER, .local = { SERVER, 0 } },
	  "not-the-data-port" },
	{ "the lower port of another address",
	  2,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_DIAL_LOWER, .local = { STRANGER, 20 } },
	  "not-the-servers-address" },
	{ "the lower port of a listener that does not exist",
	  9,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_DIAL_LOWER, .local = { SERVER, 20 } },
	  "no-rule" },
	{ "a lower port of this host for a transparent listener",
	  3,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_DIAL_LOWER, .local = { SERVER, 20 } },
	  "not-in-this-policy" },
	{ "port 22 for a transparent listener",
	  3,
	  true,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_DATA_DIAL_CLIENT, .local = { SERVER, 22 } },
	  "not-the-data-port" },
	{ "dialling another host than the server",
	  0,
	  true,
	  { .type = MSG_SOCKET,
	    .purpose = PURPOSE_DATA_DIAL_SERVER,
	    .local.addr = CLIENT,
	    .remote = { STRANGER, 50000 } },
	  "not-the-server" },
	{ "dialling the server's port 22 before login",
	  0,
	  false,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_SERVER, .local.addr = CLIENT, .remote = { SERVER, 22 } },
	  "not-the-server" },
	{ "dialling nobody",
	  0,
	  false,
	  { .type = MSG_SOCKET, .purpose = PURPOSE_SERVER, .local.addr = CLIENT },
	  "not-the-server" },
	{ "dialling the server for data at a low port",
	  0,
	  true,
	  { .type = MSG_SOCKET,
	    .purpose = PURPOSE_DATA_DIAL_SERVER,
	    .local.addr = CLIENT,
	    .remote = { SERVER, 1023 } },
	  "low-port" },
	{ "dialling another host than the client",
	  0,
	  true,
	  { .type = MSG_SOCKET,
	    .purpose = PURPOSE_DATA_DIAL_CLIENT,
	    .local = { SERVER, 20 },
	    .remote = { STRANGER, 50000 } },
	  "not-the-clients-address" },
	{ "dialling a low port of the client's",
	  0,
	  true,
	  { .type = MSG_SOCKET,
	    .purpose = PURPOSE_DATA_DIAL_CLIENT,
	    .local = { SERVER, 20 },
	    .remote = { CLIENT, 22 } },
	  "low-port" },
	{ "dialling a stranger from the lower port",
	  2,
	  true,
	  { .type = MSG_SOCKET,
	    .purpose = PURPOSE_DATA_DIAL_LOWER,
	    .local = { SERVER, 20 },
	    .remote = { STRANGER, 50000 } },
	  "not-the-clients-address" },
	{ "listening with a target",
	  0,
	  true,
	  { .type = MSG_SOCKET,
	    .purpose = PURPOSE_DATA_LISTEN_CLIENT,
	    .local = { SERVER, 50000 },
	    .remote = { CLIENT, 50000 } },
	  "target-without-need" },
	{ "announcing before login",
	  1,
	  false,
	  { .type = MSG_ANNOUNCE, .remote.addr = CLIENT, .local = { SERVER, 50000 } },
	  "before-login" },
	{ "announcing a low port",
	  1,
	  true,
	  { .type = MSG_ANNOUNCE, .remote.addr = CLIENT, .local = { SERVER, 1023 } },
	  "port-not-in-passivedataports" },
	{ "announcing a low port of the client's",
	  1,
	  true,
	  { .type = MSG_ANNOUNCE, .active = 1, .remote = { CLIENT, 22 }, .local = { SERVER, 50000 } },
	  "low-port" },
	{ "announcing for a stranger",
	  1,
	  true,
	  { .type = MSG_ANNOUNCE, .remote.addr = STRANGER, .local = { SERVER, 50000 } },
	  "not-the-clients-address" },
	{ "announcing to another host",
	  1,
	  true,
	  { .type = MSG_ANNOUNCE, .remote.addr = CLIENT, .local = { STRANGER, 50000 } },
	  "not-the-servers-address" },
	{ "announcing a port outside passivedataports",
	  1,
	  true,
	  { .type = MSG_ANNOUNCE, .remote.addr = CLIENT, .local = { SERVER, 50011 } },
	  "port-not-in-passivedataports" },
	{ "announcing a port below passivedataports",
	  1,
	  true,
	  { .type = MSG_ANNOUNCE, .remote.addr = CLIENT, .local = { SERVER, 49999 } },
	  "port-not-in-passivedataports" },
};

static const char *ask(struct privileged *privileged, uint32_t listener, bool logged_in,
		       const struct msg *msg, struct msg *answer)
{
	struct admission_facts facts = { .remote = { CLIENT, 40000 },
					 .local = { SERVER, 21 },
					 .listener = listener,
					 .logged_in = logged_in };
	int fd = -1;
	const char *why = privileged_request(privileged, &policy, &facts, NULL, msg, answer, &fd);

	if (fd != -1)
		fail_msg("a socket came without the capability for it");
	return why;
}

static void what_is_not_permitted_is_refused(void **state)
{
	struct privileged privileged = { .mechanism = NAT_CONNTRACK_OFF };
	struct msg answer;

	(void)state;
	for (size_t i = 0; i < NELEM(not_permitted); i++) {
		const char *why = ask(&privileged, not_permitted[i].listener, not_permitted[i].logged_in,
				      &not_permitted[i].msg, &answer);

		if (why == NULL || strcmp(why, not_permitted[i].why) != 0)
			fail_msg("%s: %s", not_permitted[i].name, why == NULL ? "granted" : why);
	}
	assert_null(privileged.announced);
}

/* With `hosts`, a client's address must not reach any other server, wherever that client wanted to go. */
static void only_the_hosts_are_dialled(void **state)
{
	static struct policy_host host = { .name = "ftp.example",
					   .addresses = { STRANGER },
					   .naddresses = 1 };
	const struct msg dial = {
		.type = MSG_SOCKET, .purpose = PURPOSE_SERVER, .local.addr = CLIENT, .remote = { SERVER, 21 }
	};
	const struct msg data = { .type = MSG_SOCKET,
				  .purpose = PURPOSE_DATA_DIAL_SERVER,
				  .local.addr = CLIENT,
				  .remote = { SERVER, 50000 } };
	const struct ip_addr server = SERVER;
	const struct ftp_setup_ends ends = { .listener = &listeners[0], .local = { SERVER, 21 } };
	struct privileged privileged = { .mechanism = NAT_CONNTRACK_OFF };
	struct msg answer;

	(void)state;
	backend.hosts = &host;
	backend.nhosts = 1;
	assert_string_equal(ask(&privileged, 0, true, &dial, &answer), "not-the-server");
	assert_string_equal(ask(&privileged, 0, true, &data, &answer), "not-the-server");
	host.addresses[host.naddresses++] = server;
	assert_true(ftp_setup_is_server(&ends, &backend, NULL, &server));
	backend.nhosts = 0;
}

/* One at a time: the next takes the place of the last, and the end of the session takes it away. */
static void an_announcement_lives_as_long_as_its_session(void **state)
{
	struct privileged privileged = { .mechanism = NAT_CONNTRACK_OFF };
	struct msg first = { .type = MSG_ANNOUNCE,
			     .session = 1,
			     .serial = 5,
			     .remote.addr = CLIENT,
			     .local = { SERVER, 50000 } };
	struct msg second = { .type = MSG_ANNOUNCE,
			      .session = 1,
			      .serial = 6,
			      .active = 1,
			      .remote = { CLIENT, 40001 },
			      .local = { SERVER, 21 } };
	struct msg withdraw = { .type = MSG_WITHDRAW, .session = 1 };
	struct msg answer;

	(void)state;
	assert_null(ask(&privileged, 1, true, &first, &answer));
	assert_int_equal(answer.type, MSG_ANNOUNCED);
	assert_int_equal(answer.serial, 5);
	assert_int_equal(answer.error, 0);
	assert_non_null(privileged.announced);
	assert_null(ask(&privileged, 1, true, &second, &answer));
	assert_int_equal(answer.serial, 6);
	assert_null(ask(&privileged, 1, true, &withdraw, &answer));
	assert_int_equal(answer.type, MSG_NONE);
	assert_null(privileged.announced);
	assert_null(ask(&privileged, 1, true, &withdraw,
			&answer)); /* twice is allowed: the request may cross the use of the entry */
	assert_null(ask(&privileged, 1, true, &first, &answer));
	privileged_session_end(&privileged, 1);
	assert_null(privileged.announced);
	privileged_done(&privileged);
}

/* PORT may name what the rule permits, so the firewall may be asked for that. */
static void an_announcement_follows_the_rule(void **state)
{
	static struct ftp_action lenient = { .name = "l",
					     .portcommandipaddr = REDIRECT_UNRESTRICTED,
					     .portcommandport = LOWPORTS_UNRESTRICTED };
	struct policy_rule rule = { .name = "r", .ftp = &lenient, .backend = &own };
	const struct policy open = { .listeners = listeners, .nlisteners = 2, .rules = &rule, .nrules = 1 };
	const struct admission_facts facts = {
		.remote = { CLIENT, 40000 }, .local = { SERVER, 21 }, .listener = 1, .logged_in = true
	};
	const struct {
		struct msg msg;
		const char *why;
	} rows[] = {
		{ { .active = 1, .remote = { STRANGER, 1023 }, .local = { SERVER, 21 } }, NULL },
		{ { .active = 1, .remote = { STRANGER, 1023 }, .local = { STRANGER, 21 } },
		  "not-the-servers-address" },
		{ { .remote.addr = STRANGER, .local = { SERVER, 50000 } }, "not-the-clients-address" },
		{ { .remote.addr = CLIENT, .local = { SERVER, 49152 } }, NULL }, /* the default range */
		{ { .remote.addr = CLIENT, .local = { SERVER, 49151 } }, "port-not-in-passivedataports" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct privileged privileged = { .mechanism = NAT_CONNTRACK_OFF };
		struct msg msg = rows[i].msg, answer;
		const char *why;
		int fd;

		msg.type = MSG_ANNOUNCE;
		why = privileged_request(&privileged, &open, &facts, NULL, &msg, &answer, &fd);
		if (why != rows[i].why &&
		    (why == NULL || rows[i].why == NULL || strcmp(why, rows[i].why) != 0))
			fail_msg("row %zu: %s", i, why == NULL ? "granted" : why);
		privileged_done(&privileged);
	}
}

static void a_reload_cannot_bring_what_takes_capabilities(void **state)
{
	struct privileged privileged = { .mechanism = NAT_CONNTRACK_OFF };
	struct policy plain = { .listeners = &listeners[1], .nlisteners = 1 };
	struct policy other = plain;

	(void)state;
	assert_int_equal(privileged_allows(&privileged, &plain, "policy.yaml"), 0);
	assert_int_equal(privileged_allows(&privileged, &policy, "policy.yaml"), -EPERM);
	other.nat.conntrack = NAT_CONNTRACK_EXPECT;
	assert_int_equal(privileged_allows(&privileged, &other, "policy.yaml"), -EPERM);
	privileged.net_admin = true;
	assert_int_equal(privileged_allows(&privileged, &policy, "policy.yaml"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_permitted_is_refused),
		cmocka_unit_test(only_the_hosts_are_dialled),
		cmocka_unit_test(an_announcement_lives_as_long_as_its_session),
		cmocka_unit_test(an_announcement_follows_the_rule),
		cmocka_unit_test(a_reload_cannot_bring_what_takes_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
