/*
 * The input is what a worker under an attacker's control reports to the monitor, one
 * message after the other, until one of them gets it killed. The first byte of each
 * message says whose session it names; the rest is the struct as it is. Whatever it
 * says, the other worker's session is not touched, nothing is done that the policy does
 * not permit, and the monitor's counts remain right.
 */
#include "gateway/monitor/requests.h"

#include <stdbool.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/monitor/addresses.h"

#define PASSIVE_LOW  50000
#define PASSIVE_HIGH 50100

static struct policy_listener listener = { .name = "plain" };
static struct policy_server named;
static struct policy_backend backend = { .name = "b", .servers = &named, .nservers = 1 };
static struct ftp_action action = { .name = "a",
				    .passivedataports = { PASSIVE_LOW, PASSIVE_HIGH },
				    .login_check = "/nonexistent/login-check" };
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

enum { DIRECT = 0, PROXIED, STRANGERS, NSESSIONS };

struct scene {
	struct admission admission;
	struct privileged privileged;
	struct loop loop;
	struct login_queue logins;
	struct client_table clients;
	struct data_share share;
	struct children children;
	struct backends backends;
	struct checks checks;
	struct login_checks login_checks;
	struct audit_source audit;
	struct generation *serving;
	struct requests requests;
	struct generation generation;
	struct child mine, other;
	int worker; /* the worker's end of the channel of `mine` */
	uint64_t sessions[NSESSIONS];
};

static uint64_t enter(struct scene *scene, struct child *child, const struct ip_addr *source)
{
	const struct ip_endpoint client = { CLIENT, 40000 }, server = { SERVER, 21 };
	const char *limit;
	uint64_t session;

	assert(admission_enter(&scene->admission, &policy.daemon, source, child, &session, &limit) == 0);
	admission_note(&scene->admission, session, &client, &server, 0, 0);
	child->nsessions++;
	return session;
}

static void scene_init(struct scene *scene)
{
	const struct ip_addr client = CLIENT, stranger = STRANGER;
	int fds[2];

	*scene = (struct scene){ .generation.policy = &policy };
	assert(loop_init(&scene->loop) == 0);
	login_queue_init(&scene->logins, &scene->loop, request_login_go);
	scene->requests = (struct requests){ .admission = &scene->admission,
					     .privileged = &scene->privileged,
					     .logins = &scene->logins,
					     .clients = &scene->clients,
					     .share = &scene->share,
					     .backends = &scene->backends,
					     .checks = &scene->checks,
					     .login_checks = &scene->login_checks,
					     .audit = &scene->audit };
	login_checks_init(&scene->login_checks, &scene->loop, request_login_checked);
	audit_source_init(&scene->audit, &scene->loop, &scene->children);
	data_share_init(&scene->share, &scene->loop, &scene->children);
	checks_init(&scene->checks, &scene->loop, &scene->backends, &scene->serving);
	scene->mine = (struct child){ .generation = &scene->generation };
	scene->other = scene->mine;
	assert(msg_channel(fds) == 0);
	scene->mine.channel.fd = fds[0];
	scene->worker = fds[1];
	scene->sessions[DIRECT] = enter(scene, &scene->mine, &client);
	scene->sessions[PROXIED] = enter(scene, &scene->mine, NULL);
	scene->sessions[STRANGERS] = enter(scene, &scene->other, &stranger);
}

static void scene_done(struct scene *scene)
{
	privileged_done(&scene->privileged);
	data_share_done(&scene->share);
	login_queue_done(&scene->logins);
	login_checks_done(&scene->login_checks);
	audit_source_done(&scene->audit);
	backends_done(&scene->backends);
	loop_done(&scene->loop);
	admission_done(&scene->admission);
	client_table_done(&scene->clients);
	(void)close(scene->mine.channel.fd);
	(void)close(scene->worker);
}

static bool is_mine(const struct scene *scene, uint64_t session)
{
	return session == scene->sessions[DIRECT] || session == scene->sessions[PROXIED];
}

/* The rules of an announcement, written down once more. */
static void check_announcement(const struct msg *msg, const struct admission_facts *facts)
{
	assert(facts->logged_in && ip_addr_equal(&msg->local.addr, &facts->local.addr));
	assert(ip_addr_equal(&msg->remote.addr, &facts->remote.addr));
	if (msg->active)
		assert(msg->remote.port >= IP_PORT_LOW_LIMIT);
	else
		assert(msg->local.port >= PASSIVE_LOW && msg->local.port <= PASSIVE_HIGH);
}

static void check_answers(const struct scene *scene)
{
	struct msg answer;
	int fd;

	while (msg_receive(scene->worker, &answer, &fd) == 1) {
		assert(fd == -1); /* no listener here is transparent, no port 20 is in this policy */
		assert(msg_is_for(MSG_TO_WORKER, &answer, -1));
		assert(is_mine(scene, answer.session));
		assert(answer.type == MSG_LOGIN_GO || answer.type == MSG_ANNOUNCED ||
		       answer.type == MSG_SESSION_ADMITTED || answer.type == MSG_SESSION_REFUSED ||
		       answer.type == MSG_LOGIN_CHECKED || answer.type == MSG_SERVER ||
		       answer.type == MSG_PLAN);
	}
}

static void check_scene(const struct scene *scene)
{
	struct admission_facts facts;
	size_t n = 0;

	for (size_t i = DIRECT; i <= PROXIED; i++)
		n += admission_facts(&scene->admission, scene->sessions[i], &scene->mine, &facts);
	assert(scene->mine.nsessions == n && scene->admission.nsessions == n + 1);
	assert(admission_facts(&scene->admission, scene->sessions[STRANGERS], &scene->other, &facts));
	assert(!facts.logged_in && scene->other.nsessions == 1 && !scene->other.ready);
	assert(scene->privileged.conntrack == NULL && !scene->privileged.failure_logged);
}

static bool names_no_session(enum msg_type type)
{
	return type == MSG_CHECK_FAILED || type == MSG_CHECK_WORKS || type == MSG_AUDIT_FAILED;
}

/* Returns whether the worker lives on. */
static bool say(struct scene *scene, const struct msg *msg)
{
	struct admission_facts facts = { .logged_in = false };
	bool known = admission_facts(&scene->admission, msg->session, &scene->mine, &facts);
	bool taken = request_take(&scene->requests, &scene->mine, msg, 1000) == NULL;

	if (taken) {
		assert(msg_is_for(MSG_TO_MONITOR, msg, -1) && msg->type != MSG_SOCKET);
		if (msg->type == MSG_READY)
			assert(scene->mine.ready);
		else if (!names_no_session(msg->type))
			assert(known && is_mine(scene, msg->session));
		if (msg->type == MSG_SESSION_LOGIN)
			assert(!facts.logged_in);
		if (msg->type == MSG_ANNOUNCE)
			check_announcement(msg, &facts);
	}
	check_answers(scene);
	check_scene(scene);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scene scene;
	bool alive = true;

	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	scene_init(&scene);
	while (alive && size >= 1 + sizeof(struct msg)) {
		struct msg msg;

		memcpy(&msg, data + 1, sizeof(msg));
		if (data[0] < NSESSIONS)
			msg.session = scene.sessions[data[0]];
		alive = say(&scene, &msg);
		data += 1 + sizeof(msg);
		size -= 1 + sizeof(msg);
	}
	/* killed, or dead by itself: nothing of it is left */
	assert(request_forget_worker(&scene.requests, &scene.mine) == scene.mine.nsessions);
	assert(scene.admission.nsessions == 1 && scene.privileged.announced == NULL);
	assert(scene.logins.attempts == NULL);
	scene_done(&scene);
	return 0;
}
