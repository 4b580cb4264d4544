/* What the monitor takes from a worker, and what it kills one for that was taken over. */
#include "gateway/monitor/requests.h"

#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "tests/unit/monitor/addresses.h"
#include "tests/unit/unit.h"

static struct policy_listener listener = { .name = "plain" };
static struct policy_server named;
static struct policy_backend backend = { .name = "b", .servers = &named, .nservers = 1 };
static struct ftp_action action = { .name = "a" };
static struct policy_rule rule = { .name = "r",
				   .listeners = (const struct policy_listener *[]){ &listener },
				   .nlisteners = 1,
				   .ftp = &action,
				   .backend = &backend };
static struct policy policy = { .daemon = { .limit_sessions = 10,
					    .limit_sessions_per_source = 2,
					    .limit_unauthenticated_per_source = 2 },
				.listeners = &listener,
				.nlisteners = 1,
				.rules = &rule,
				.nrules = 1 };

/* A monitor with two workers: `mine` is the one under test, and the other one has a session, too. */
struct scene {
	struct admission admission;
	struct privileged privileged;
	struct loop loop;
	struct login_queue logins;
	struct client_table clients;
	struct requests requests;
	struct audit_source audit;
	struct data_share share;
	struct backends backends;
	struct checks checks;
	struct generation *serving;
	struct login_checks login_checks;
	struct children children;
	struct generation generation;
	struct child mine, other;
	int worker; /* the worker's end of the channel of `mine` */
	uint64_t session, others_session, proxied;
};

static uint64_t enter(struct scene *scene, struct child *child, const struct ip_addr *source)
{
	const struct ip_endpoint client = { CLIENT, 40000 }, server = { SERVER, 21 };
	const char *limit;
	uint64_t session;

	assert_int_equal(admission_enter(&scene->admission, &policy.daemon, source, child, &session, &limit),
			 0);
	admission_note(&scene->admission, session, &client, &server, 0, 0);
	child->nsessions++;
	return session;
}

static void scene_init(struct scene *scene)
{
	const struct ip_addr client = CLIENT, stranger = STRANGER;
	int fds[2];

	*scene = (struct scene){ .generation.policy = &policy };
	assert_int_equal(loop_init(&scene->loop), 0);
	login_queue_init(&scene->logins, &scene->loop, request_login_go);
	scene->requests = (struct requests){ &scene->admission, &scene->privileged, &scene->logins,
					     &scene->clients,	&scene->audit,	    &scene->share,
					     &scene->backends,	&scene->checks,	    &scene->login_checks };
	login_checks_init(&scene->login_checks, &scene->loop, request_login_checked);
	checks_init(&scene->checks, &scene->loop, &scene->backends, &scene->serving);
	data_share_init(&scene->share, &scene->loop, &scene->children);
	audit_source_init(&scene->audit, &scene->loop, &scene->children);
	scene->mine = (struct child){ .generation = &scene->generation };
	scene->other = scene->mine;
	assert_int_equal(msg_channel(fds), 0);
	scene->mine.channel.fd = fds[0];
	scene->worker = fds[1];
	scene->session = enter(scene, &scene->mine, &client);
	scene->proxied = enter(scene, &scene->mine, NULL);
	scene->others_session = enter(scene, &scene->other, &stranger);
}

static void scene_done(struct scene *scene)
{
	privileged_done(&scene->privileged);
	data_share_done(&scene->share);
	login_queue_done(&scene->logins);
	login_checks_done(&scene->login_checks);
	loop_done(&scene->loop);
	admission_done(&scene->admission);
	client_table_done(&scene->clients);
	backends_done(&scene->backends);
	(void)close(scene->mine.channel.fd);
	(void)close(scene->worker);
}

static const char *say(struct scene *scene, struct msg msg)
{
	return request_take(&scene->requests, &scene->mine, &msg, 1000);
}

static enum msg_type answer_of(struct scene *scene, struct msg *ret)
{
	int fd;

	*ret = (struct msg){ .type = MSG_NONE };
	if (msg_receive(scene->worker, ret, &fd) == 1)
		assert_int_equal(fd, -1);
	return (enum msg_type)ret->type;
}

/* Types that the table has no row for are refused whatever they say: with the number of a good session, too.
 */
static void a_type_that_is_not_for_the_monitor_is_refused(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	for (uint32_t type = 0; type < MSG_TYPE_COUNT + 3; type++) {
		const struct msg msg = { .type = type, .session = scene.session };

		if (!msg_is_for(MSG_TO_MONITOR, &msg, -1) && say(&scene, msg) == NULL)
			fail_msg("type %u was taken", type);
	}
	assert_non_null(say(&scene, (struct msg){ .type = UINT32_MAX, .session = scene.session }));
	assert_false(scene.mine.ready);
	assert_int_equal(scene.admission.nsessions, 3);
	scene_done(&scene);
}

static bool refuses(struct scene *scene, struct msg msg)
{
	const char *why = say(scene, msg);

	return why != NULL && strcmp(why, "not-its-session") == 0;
}

/* A row for each type that may come; none of them speaks for a session that the worker has not. */
static void no_session_of_others_is_spoken_for(void **state)
{
	const uint64_t nobody = 99;
	struct scene scene;
	size_t n = 0;

	(void)state;
	scene_init(&scene);
	for (uint32_t type = 0; type < MSG_TYPE_COUNT; type++) {
		struct msg msg = { .type = type, .session = scene.others_session };

		if (type == MSG_SESSION_SOURCE || type == MSG_ANNOUNCE)
			msg.remote = (struct ip_endpoint){ CLIENT, 50000 };
		if (type == MSG_SOCKET || type == MSG_ANNOUNCE)
			msg.local = (struct ip_endpoint){ SERVER, 50000 };
		if (type == MSG_SERVER_FAILED)
			msg.failure = SERVER_FAILURE_REFUSED;

		/* these are about no session */
		if (type == MSG_READY || type == MSG_AUDIT_FAILED || type == MSG_CHECK_FAILED ||
		    type == MSG_CHECK_WORKS || !msg_is_for(MSG_TO_MONITOR, &msg, -1))
			continue;
		n++;
		if (!refuses(&scene, msg))
			fail_msg("type %u was taken for the session of another worker", type);
		msg.session = nobody;
		if (!refuses(&scene, msg))
			fail_msg("type %u was taken for a session that does not exist", type);
		msg.session = 0;
		if (!refuses(&scene, msg))
			fail_msg("type %u was taken for session 0", type);
	}
	assert_int_equal(n, 17);
	assert_int_equal(scene.admission.nsessions, 3);
	assert_int_equal(scene.mine.nsessions, 2);
	assert_int_equal(scene.other.nsessions, 1);
	assert_null(scene.privileged.announced);
	scene_done(&scene);
}

/* A field that a message does not have, or that no worker fills in like that, gives a liar away. */
static void the_form_of_each_message_is_checked(void **state)
{
	static const struct {
		const char *name;
		struct msg msg;
		const char *why;
	} rows[] = {
		{ "a session that is ready", { .type = MSG_READY, .session = 1 }, "unexpected-field" },
		{ "a listener", { .type = MSG_SESSION_END, .listener = 1 }, "unexpected-field" },
		{ "an unknown habit",
		  { .type = MSG_SESSION_END, .habits.seen = UINT64_C(1) << HABIT_COUNT },
		  "malformed-field" },
		{ "more resumed than there were",
		  { .type = MSG_SESSION_END, .habits = { .data_tls = 1, .data_resumed = 2 } },
		  "malformed-field" },
		{ "a control character",
		  { .type = MSG_SESSION_END, .habits.software = "a\033[2J" },
		  "malformed-field" },
		{ "bytes after the end of a text",
		  { .type = MSG_SESSION_END, .habits.user = "a\0b" },
		  "malformed-field" },
		{ "a text without its end",
		  { .type = MSG_SESSION_END,
		    .habits.group = { 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x',
				      'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x' } },
		  "malformed-field" },
		{ "failures", { .type = MSG_LOGIN_FAILED, .failures = 1 }, "unexpected-field" },
		{ "an error", { .type = MSG_WITHDRAW, .error = -1 }, "unexpected-field" },
		{ "a delay", { .type = MSG_LOGIN_OVER, .delay_ms = 1 }, "unexpected-field" },
		{ "others", { .type = MSG_LOGIN_ASK, .others_wait = 1 }, "unexpected-field" },
		{ "a purpose", { .type = MSG_ANNOUNCE, .purpose = 1 }, "unexpected-field" },
		{ "a serial", { .type = MSG_SESSION_LOGIN, .serial = 1 }, "unexpected-field" },
		{ "active", { .type = MSG_SOCKET, .active = 1 }, "unexpected-field" },
		{ "a client", { .type = MSG_SESSION_LOGIN, .remote.addr = CLIENT }, "unexpected-field" },
		{ "a port", { .type = MSG_SESSION_END, .local.port = 1 }, "unexpected-field" },
		{ "a remote end without an address",
		  { .type = MSG_SOCKET, .remote.port = 1, .local.addr = CLIENT },
		  "malformed-field" },
		{ "more than active",
		  { .type = MSG_ANNOUNCE, .active = 2, .remote.addr = CLIENT, .local.addr = SERVER },
		  "malformed-field" },
		{ "no address", { .type = MSG_SESSION_SOURCE }, "malformed-field" },
		{ "no family",
		  { .type = MSG_SESSION_SOURCE, .remote.addr = { 9, { 1 } } },
		  "malformed-field" },
		{ "more than four bytes",
		  { .type = MSG_SOCKET, .local.addr = { IP_V4, { 1, 2, 3, 4, 5 } } },
		  "malformed-field" },
	};
	struct scene scene;

	(void)state;
	scene_init(&scene);
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct msg msg = rows[i].msg;
		const char *why;

		msg.session += scene.session;
		why = say(&scene, msg);
		if (why == NULL || strcmp(why, rows[i].why) != 0)
			fail_msg("%s: %s", rows[i].name, why == NULL ? "taken" : why);
	}
	assert_int_equal(scene.admission.nsessions, 3);
	scene_done(&scene);
}

static void a_worker_is_ready_once(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	assert_null(say(&scene, (struct msg){ .type = MSG_READY }));
	assert_true(scene.mine.ready);
	assert_string_equal(say(&scene, (struct msg){ .type = MSG_READY }), "ready-twice");
	scene_done(&scene);
}

static void a_user_logs_in_once_and_leaves_once(void **state)
{
	struct scene scene;
	struct msg msg;

	(void)state;
	scene_init(&scene);
	msg = (struct msg){ .type = MSG_LOGIN_FAILED, .session = scene.session };
	assert_null(say(&scene, msg));
	assert_null(say(&scene, msg));
	msg.type = MSG_SESSION_LOGIN;
	assert_null(say(&scene, msg));
	assert_string_equal(say(&scene, msg), "logged-in-twice");
	msg.type = MSG_SESSION_END;
	assert_null(say(&scene, msg));
	assert_int_equal(scene.mine.nsessions, 1);
	assert_int_equal(scene.admission.nsessions, 2);
	assert_string_equal(say(&scene, msg), "not-its-session"); /* or the count would wrap */
	assert_int_equal(scene.mine.nsessions, 1);
	msg.type = MSG_LOGIN_FAILED;
	assert_string_equal(say(&scene, msg), "not-its-session");
	scene_done(&scene);
}

/* A login is asked for once at a time, and only for a client that is known. */
static void a_login_is_asked_for_once(void **state)
{
	struct scene scene;
	struct msg msg, answer;

	(void)state;
	scene_init(&scene);
	msg = (struct msg){ .type = MSG_LOGIN_ASK, .session = scene.proxied, .delay_ms = 1000 };
	assert_string_equal(say(&scene, msg), "client-not-named"); /* before it is known whose it is */
	msg = (struct msg){ .type = MSG_LOGIN_FAILED, .session = scene.proxied };
	assert_string_equal(say(&scene, msg), "client-not-named");
	msg = (struct msg){ .type = MSG_LOGIN_ASK, .session = scene.session, .delay_ms = 1000 };
	assert_null(say(&scene, msg));
	assert_int_equal(answer_of(&scene, &answer), MSG_LOGIN_GO);
	assert_int_equal(answer.session, scene.session);
	assert_string_equal(say(&scene, msg), "asked-twice");
	assert_null(say(&scene, (struct msg){ .type = MSG_LOGIN_OVER, .session = scene.session }));
	assert_null(say(&scene, msg));
	assert_int_equal(answer_of(&scene, &answer), MSG_LOGIN_GO);
	assert_int_equal(request_forget_worker(&scene.requests, &scene.mine), 2);
	assert_null(scene.logins.attempts);
	assert_null(scene.logins.sources);
	scene_done(&scene);
}

/* The proxy's session gets its client once; a session that came directly has one from the start. */
static void a_source_is_named_once(void **state)
{
	struct scene scene;
	struct msg msg, answer;

	(void)state;
	scene_init(&scene);
	msg = (struct msg){ .type = MSG_SESSION_LOGIN, .session = scene.proxied };
	assert_string_equal(say(&scene, msg), "client-not-named"); /* before it is known whose it is */
	msg = (struct msg){ .type = MSG_SESSION_SOURCE, .session = scene.proxied, .remote = { CLIENT, 1 } };
	assert_null(say(&scene, msg));
	assert_int_equal(answer_of(&scene, &answer), MSG_SESSION_ADMITTED);
	assert_int_equal(answer.session, scene.proxied);
	assert_string_equal(say(&scene, msg), "client-named-twice");
	msg.session = scene.session;
	assert_string_equal(say(&scene, msg), "client-named-twice");
	assert_int_equal(answer_of(&scene, &answer), MSG_NONE);
	scene_done(&scene);
}

/* A session that came directly is nobody's probe; one that needs the server becomes a session. */
static void a_probe_is_a_balancers(void **state)
{
	struct scene scene;
	struct msg msg, answer;

	(void)state;
	scene_init(&scene);
	msg = (struct msg){ .type = MSG_SESSION_PROBE, .session = scene.session };
	assert_string_equal(say(&scene, msg), "client-named-twice");
	msg.session = scene.proxied;
	assert_null(say(&scene, msg));
	assert_int_equal(answer_of(&scene, &answer), MSG_SESSION_ADMITTED);
	assert_string_equal(say(&scene, msg), "client-named-twice");
	msg = (struct msg){ .type = MSG_SESSION_LOGIN, .session = scene.proxied };
	assert_string_equal(say(&scene, msg), "client-not-named");
	msg = (struct msg){ .type = MSG_SESSION_SOURCE, .session = scene.proxied, .remote = { CLIENT, 1 } };
	assert_null(say(&scene, msg));
	assert_int_equal(answer_of(&scene, &answer), MSG_SESSION_ADMITTED);
	assert_string_equal(say(&scene, msg), "client-named-twice");
	scene_done(&scene);
}

static void a_source_at_its_limit_is_refused(void **state)
{
	const struct ip_addr client = CLIENT;
	struct scene scene;
	struct msg msg, answer;

	(void)state;
	scene_init(&scene);
	(void)enter(&scene, &scene.other, &client);
	msg = (struct msg){ .type = MSG_SESSION_SOURCE, .session = scene.proxied, .remote = { CLIENT, 1 } };
	assert_null(say(&scene, msg)); /* the worker has done nothing wrong */
	assert_int_equal(answer_of(&scene, &answer), MSG_SESSION_REFUSED);
	scene_done(&scene);
}

static void an_announcement_ends_with_its_session_or_worker(void **state)
{
	struct scene scene;
	struct msg announce, answer;

	(void)state;
	scene_init(&scene);
	announce = (struct msg){ .type = MSG_ANNOUNCE,
				 .session = scene.session,
				 .serial = 5,
				 .remote.addr = CLIENT,
				 .local = { SERVER, 50000 } };
	assert_string_equal(say(&scene, announce), "before-login"); /* before login */
	assert_null(say(&scene, (struct msg){ .type = MSG_SESSION_LOGIN, .session = scene.session }));
	assert_null(say(&scene, announce));
	assert_int_equal(answer_of(&scene, &answer), MSG_ANNOUNCED);
	assert_int_equal(answer.serial, 5);
	assert_non_null(scene.privileged.announced);
	assert_int_equal(request_forget_worker(&scene.requests, &scene.mine), 2);
	assert_null(scene.privileged.announced);
	assert_int_equal(scene.admission.nsessions, 1);
	scene_done(&scene);
}

/* A worker that asks and does not read would have the monitor keep its answers. */
/* A worker names the only server that server_map gives a session, but none that is not the backend's. */
static void a_server_is_the_backends(void **state)
{
	static struct policy_server both[] = { { .text = "a:21" }, { .text = "b:21" } };
	static const struct {
		const char *name;
		bool map;
		uint32_t serial, only, anew;
		const char *why; /* NULL: it gets server `server` */
		uint32_t server;
	} rows[] = {
		{ "any", true, 0, 0, 1, NULL, 0 },
		{ "the first", true, 0, 1, 1, NULL, 0 },
		{ "the second", true, 0, 2, 1, NULL, 1 },
		{ "the second again", true, 0, 2, 1, NULL, 1 },
		{ "one past the last", true, 0, 3, 1, "has-no-such-server", 0 },
		{ "far away", true, 0, UINT32_MAX, 1, "has-no-such-server", 0 },
		{ "one without a map", false, 0, 1, 0, "has-no-such-server", 0 },
		{ "anew without a map", false, 0, 0, 1, "has-no-such-server", 0 },
		{ "of another backend", true, 1, 1, 1, "not-its-backend", 0 },
	};
	struct scene scene;

	(void)state;
	scene_init(&scene);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct msg ask = { .type = MSG_SERVER_ASK,
					 .session = scene.session,
					 .serial = rows[i].serial,
					 .purpose = rows[i].only,
					 .active = rows[i].anew };
		const char *why;
		struct msg answer;

		backend = (struct policy_backend){ .name = "b",
						   .servers = both,
						   .nservers = 2,
						   .balanced = true,
						   .server_map = rows[i].map ? "map" : NULL };
		policy.backends = &backend;
		policy.nbackends = 1;
		why = say(&scene, ask);
		(void)answer_of(&scene, &answer);
		if ((why == NULL) != (rows[i].why == NULL) ||
		    (why != NULL && strcmp(why, rows[i].why) != 0) ||
		    (why == NULL &&
		     (answer.type != MSG_SERVER || answer.error != 0 || answer.serial != rows[i].server)))
			fail_msg("%s: %s, server %u", rows[i].name, why != NULL ? why : "taken",
				 answer.serial);
	}
	policy.nbackends = 0;
	backend = (struct policy_backend){ .name = "b", .servers = &named, .nservers = 1 };
	scene_done(&scene);
}

static void a_worker_that_does_not_read_is_killed(void **state)
{
	struct scene scene;
	struct msg announce;
	const char *reason = NULL;

	(void)state;
	scene_init(&scene);
	assert_null(say(&scene, (struct msg){ .type = MSG_SESSION_LOGIN, .session = scene.session }));
	announce = (struct msg){ .type = MSG_ANNOUNCE,
				 .session = scene.session,
				 .remote.addr = CLIENT,
				 .local = { SERVER, 50000 } };
	for (int i = 0; reason == NULL && i < 100000; i++)
		reason = say(&scene, announce);
	assert_string_equal(reason, "does-not-listen");
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_type_that_is_not_for_the_monitor_is_refused),
		cmocka_unit_test(no_session_of_others_is_spoken_for),
		cmocka_unit_test(the_form_of_each_message_is_checked),
		cmocka_unit_test(a_worker_is_ready_once),
		cmocka_unit_test(a_user_logs_in_once_and_leaves_once),
		cmocka_unit_test(a_login_is_asked_for_once),
		cmocka_unit_test(a_source_is_named_once),
		cmocka_unit_test(a_probe_is_a_balancers),
		cmocka_unit_test(a_source_at_its_limit_is_refused),
		cmocka_unit_test(an_announcement_ends_with_its_session_or_worker),
		cmocka_unit_test(a_server_is_the_backends),
		cmocka_unit_test(a_worker_that_does_not_read_is_killed),
	};

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
