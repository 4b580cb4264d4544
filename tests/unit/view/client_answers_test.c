/* What attlsctl takes from the processes of an attlsd: answers that lie, are cut off, or come out of order.
 */
#include "gateway/view/client-answers.h"
#include "gateway/view/client-check.h"
#include "gateway/view/client-events.h"

#include <stdio.h>
#include <time.h>

#include "policy/policy.h"
#include "tests/unit/unit.h"

enum { MONITOR = 100, FIRST = 101, SECOND = 102, STRANGER = 999, UNSEEN = 0 };

static const struct target target = { .socket = "test.sock" };

static struct answer from_monitor(uint32_t workers)
{
	struct answer answer = ctl_proto_answer(ANSWER_GATEWAY);

	answer.u.gateway.pid = MONITOR;
	answer.u.gateway.workers = workers;
	return answer;
}

static struct answer worker(pid_t pid, enum answer_worker_state state, uint64_t sessions)
{
	struct answer answer = ctl_proto_answer(ANSWER_WORKER);

	answer.u.worker.pid = pid;
	answer.u.worker.state = state;
	answer.u.worker.sessions = sessions;
	return answer;
}

/* claim: whose it says it is */
static struct answer session(uint64_t number, pid_t claim)
{
	struct answer answer = ctl_proto_answer(ANSWER_SESSION);

	answer.u.session.session = number;
	answer.u.session.worker = claim;
	return answer;
}

static struct answer server(uint8_t last, pid_t claim)
{
	const uint8_t bytes[4] = { 192, 0, 2, last };
	struct answer answer = ctl_proto_answer(ANSWER_SERVER);

	answer.u.server.server = (struct ip_endpoint){ .addr = ip_addr_make(IP_V4, bytes), .port = 21 };
	answer.u.server.ways[WAY_EPSV].state = WAY_REFUSED;
	answer.u.server.worker = claim;
	return answer;
}

static struct answer end(uint64_t sessions, pid_t claim)
{
	struct answer answer = ctl_proto_answer(ANSWER_LIST_END);

	answer.u.list_end.n = sessions;
	answer.u.list_end.pid = claim;
	return answer;
}

static int take(struct answers *answers, struct answer answer, pid_t sender)
{
	client_check_answer(&answer, sizeof(answer));
	return client_answers_take(&target, answers, &answer, sender);
}

/* An attlsd with two workers that serve, of which the monitor counts three sessions each. */
static void two_workers(struct answers *answers, pid_t sender)
{
	*answers = (struct answers){ .nworkers = 0 };
	assert_int_equal(take(answers, from_monitor(2), sender), 0);
	assert_int_equal(take(answers, worker(FIRST, WORKER_SERVES, 3), sender), 0);
	assert_int_equal(take(answers, worker(SECOND, WORKER_SERVES, 3), sender), 0);
	assert_int_equal(answers->nworkers, 2);
}

static void answers_of_two_workers_may_be_mixed(void **state)
{
	struct answers answers;

	(void)state;
	two_workers(&answers, MONITOR);
	assert_true(client_answers_are_all(&answers, CTL_STATUS));
	assert_false(client_answers_are_all(&answers, CTL_SESSIONS));
	assert_int_equal(take(&answers, session(7, FIRST), FIRST), 0);
	assert_int_equal(take(&answers, session(2, SECOND), SECOND), 0);
	assert_int_equal(take(&answers, session(5, FIRST), FIRST), 0);
	assert_int_equal(take(&answers, end(2, FIRST), FIRST), 0);
	assert_false(client_answers_are_all(&answers, CTL_SESSIONS));
	assert_int_equal(take(&answers, end(1, SECOND), SECOND), 0);
	assert_true(client_answers_are_all(&answers, CTL_SESSIONS));
	client_answers_sort(&answers);
	assert_int_equal(answers.nsessions, 3);
	assert_int_equal(answers.sessions[0].session, 2);
	assert_int_equal(answers.sessions[1].session, 5);
	assert_int_equal(answers.sessions[2].session, 7);
	assert_int_equal(answers.sessions[0].worker, SECOND);
	client_answers_done(&answers);
}

enum { OLDER = 90, OLDERS_WORKER = 91 };

static struct answer older(uint32_t asked, uint64_t sessions)
{
	struct answer answer = ctl_proto_answer(ANSWER_OLDER);

	answer.u.older.pid = OLDER;
	answer.u.older.asked = asked;
	answer.u.older.sessions = sessions;
	return answer;
}

static struct answer from_older(void)
{
	struct answer answer = from_monitor(1);

	answer.u.gateway.pid = OLDER;
	return answer;
}

/* An attlsd that was replaced answers for its own sessions; nobody else may do so. */
static void a_replaced_attlsd_answers(void **state)
{
	static const struct {
		const char *name;
		uint32_t asked;
		pid_t gateway, worker; /* who sends its answers */
		size_t workers, sessions;
		bool silent, all;
	} rows[] = {
		{ "as it should", 1, OLDER, OLDER, 2, 1, false, true },
		{ "senders are not visible", 1, UNSEEN, UNSEEN, 2, 1, false, true },
		{ "a worker speaks for it", 1, FIRST, OLDER, 1, 0, true, false },
		{ "a stranger speaks for it", 1, STRANGER, OLDER, 1, 0, true, false },
		{ "a worker names a worker", 1, OLDER, FIRST, 1, 0, true, false },
		{ "it was not asked", 0, OLDER, OLDER, 1, 0, true, true },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		const pid_t monitor = rows[i].gateway == UNSEEN ? UNSEEN : MONITOR;
		struct answer first = from_monitor(1);
		struct answers answers = { .nworkers = 0 };

		first.u.gateway.older = 1;
		assert_int_equal(take(&answers, first, monitor), 0);
		assert_int_equal(take(&answers, older(rows[i].asked, 1), monitor), 0);
		assert_int_equal(take(&answers, worker(FIRST, WORKER_SERVES, 0), monitor), 0);
		assert_false(client_answers_are_all(&answers, CTL_SESSIONS));
		assert_int_equal(take(&answers, from_older(), rows[i].gateway), 0);
		assert_int_equal(take(&answers, worker(OLDERS_WORKER, WORKER_RETIRES, 1), rows[i].worker), 0);
		assert_int_equal(
		    take(&answers, session(7, OLDERS_WORKER), monitor == UNSEEN ? UNSEEN : OLDERS_WORKER), 0);
		assert_int_equal(
		    take(&answers, end(1, OLDERS_WORKER), monitor == UNSEEN ? UNSEEN : OLDERS_WORKER), 0);
		assert_int_equal(take(&answers, end(0, FIRST), monitor == UNSEEN ? UNSEEN : FIRST), 0);
		assert_int_equal(answers.nworkers, rows[i].workers);
		assert_int_equal(answers.nsessions, rows[i].sessions);
		assert_int_equal(client_older_is_silent(&answers.older[0]), rows[i].silent);
		assert_int_equal(client_answers_are_all(&answers, CTL_SESSIONS), rows[i].all);
		assert_int_equal(client_answers_sessions(&answers), 1);
		client_answers_done(&answers);
	}
}

/* Nothing goes on after a first answer like these. */
static void the_first_answer_is_the_monitors(void **state)
{
	static const struct {
		const char *name;
		uint32_t version, kind;
		int32_t pid;
		uint32_t workers;
		size_t received;
	} rows[] = {
		{ "a worker", CTL_VERSION, ANSWER_WORKER, MONITOR, 1, sizeof(struct answer) },
		{ "a session", CTL_VERSION, ANSWER_SESSION, MONITOR, 1, sizeof(struct answer) },
		{ "a refusal", CTL_VERSION, ANSWER_REFUSED, MONITOR, 1, sizeof(struct answer) },
		{ "kind 0", CTL_VERSION, 0, MONITOR, 1, sizeof(struct answer) },
		{ "a kind that does not exist", CTL_VERSION, 77, MONITOR, 1, sizeof(struct answer) },
		{ "no process", CTL_VERSION, ANSWER_GATEWAY, 0, 1, sizeof(struct answer) },
		{ "more workers than hosts run", CTL_VERSION, ANSWER_GATEWAY, MONITOR, UINT32_MAX,
		  sizeof(struct answer) },
		{ "another version", CTL_VERSION + 1, ANSWER_GATEWAY, MONITOR, 1, sizeof(struct answer) },
		{ "cut off", CTL_VERSION, ANSWER_GATEWAY, MONITOR, 1, sizeof(struct answer) - 1 },
		{ "cut off early", CTL_VERSION, ANSWER_GATEWAY, MONITOR, 1, 1 },
		{ "too long", CTL_VERSION, ANSWER_GATEWAY, MONITOR, 1, sizeof(struct answer) + 1 },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct answers answers = { .nworkers = 0 };
		struct answer answer = from_monitor(rows[i].workers);

		answer.version = rows[i].version;
		answer.kind = rows[i].kind;
		answer.u.gateway.pid = rows[i].pid;
		client_check_answer(&answer, rows[i].received);
		if (client_answers_take(&target, &answers, &answer, MONITOR) != -1)
			fail_msg("taken: %s", rows[i].name);
		assert_null(answers.workers);
		client_answers_done(&answers);
	}
}

/* The policy given to attlsctl must be the one that attlsd serves. */
static void the_attlsd_that_serves_the_policy_is_meant(void **state)
{
	const struct target mine = { .socket = "test.sock", .policy = "tests/none/mine.yaml" };
	struct answer answer = from_monitor(0);
	struct answers answers = { .nworkers = 0 };

	(void)state;
	(void)snprintf(answer.u.gateway.policy, sizeof(answer.u.gateway.policy), "tests/none/other.yaml");
	assert_int_equal(client_answers_take(&mine, &answers, &answer, MONITOR), -1);
	(void)snprintf(answer.u.gateway.policy, sizeof(answer.u.gateway.policy), "%s", mine.policy);
	assert_int_equal(client_answers_take(&mine, &answers, &answer, MONITOR), 0);
	client_answers_done(&answers);
	/* one that was cut off cannot be compared */
	answers = (struct answers){ .nworkers = 0 };
	memset(answer.u.gateway.policy, 'x', sizeof(answer.u.gateway.policy));
	client_check_answer(&answer, sizeof(answer));
	assert_int_equal(client_answers_take(&mine, &answers, &answer, MONITOR), 0);
	client_answers_done(&answers);
}

static void texts_end_and_cannot_write_on_a_terminal(void **state)
{
	struct answer answer = from_monitor(1);

	(void)state;
	memset(answer.u.gateway.version, 'v', sizeof(answer.u.gateway.version));
	memcpy(answer.u.gateway.failure, "\x1b[2J\x7f\n", 7);
	client_check_answer(&answer, sizeof(answer));
	assert_int_equal(strlen(answer.u.gateway.version), sizeof(answer.u.gateway.version) - 1);
	assert_string_equal(answer.u.gateway.failure, "?[2J??");
	answer = session(1, FIRST);
	memset(answer.u.session.user, 'u', sizeof(answer.u.session.user));
	memset(answer.u.session.transfer, 't', sizeof(answer.u.session.transfer));
	client_check_answer(&answer, sizeof(answer));
	assert_int_equal(strlen(answer.u.session.user), sizeof(answer.u.session.user) - 1);
	assert_int_equal(strlen(answer.u.session.transfer), sizeof(answer.u.session.transfer) - 1);
}

/* The sender counts that the kernel names, not the one that the packet claims. */
static void a_worker_cannot_speak_for_another(void **state)
{
	struct answers answers;

	(void)state;
	two_workers(&answers, MONITOR);
	assert_int_equal(take(&answers, session(1, SECOND), FIRST), 0);
	assert_int_equal(answers.sessions[0].worker, FIRST);
	assert_int_equal(answers.workers[0].sessions, 1);
	assert_int_equal(answers.workers[1].sessions, 0);
	assert_int_equal(take(&answers, end(0, SECOND), FIRST), 0);
	assert_true(answers.workers[0].invalid);
	assert_false(answers.workers[1].complete || answers.workers[1].invalid);
	/* and the other worker is still believed */
	assert_int_equal(take(&answers, end(0, SECOND), SECOND), 0);
	assert_true(answers.workers[1].complete);
	assert_true(client_is_silent(&answers.workers[0]));
	assert_false(client_is_silent(&answers.workers[1]));
	client_answers_done(&answers);
}

static void a_worker_cannot_speak_for_the_monitor(void **state)
{
	static const enum answer_kind kinds[] = { ANSWER_DONE,	 ANSWER_REFUSED,      ANSWER_GATEWAY,
						  ANSWER_WORKER, (enum answer_kind)0, (enum answer_kind)77 };

	(void)state;
	for (size_t i = 0; i < NELEM(kinds); i++) {
		struct answers answers;

		two_workers(&answers, MONITOR);
		assert_int_equal(take(&answers, ctl_proto_answer(kinds[i]), SECOND), 0);
		assert_int_equal(answers.nworkers, 2);
		assert_int_equal(answers.gateway.pid, MONITOR);
		if (!answers.workers[1].invalid || answers.workers[0].invalid)
			fail_msg("kind %d", kinds[i]);
		client_answers_done(&answers);
	}
}

static void nobody_adds_workers_but_the_monitor(void **state)
{
	struct answers answers = { .nworkers = 0 };

	(void)state;
	assert_int_equal(take(&answers, from_monitor(2), MONITOR), 0);
	assert_int_equal(take(&answers, worker(STRANGER, WORKER_SERVES, 1), STRANGER), 0);
	assert_int_equal(answers.nworkers, 0);
	assert_int_equal(take(&answers, worker(FIRST, WORKER_SERVES, 1), MONITOR), 0);
	assert_int_equal(take(&answers, worker(SECOND, WORKER_SERVES, 1), MONITOR), 0);
	assert_int_equal(take(&answers, worker(STRANGER, WORKER_SERVES, 1), MONITOR), 0); /* one too many */
	assert_int_equal(answers.nworkers, 2);
	client_answers_done(&answers);
}

/* A session is ignored if it comes before its worker, or from a process that is not a worker. */
static void a_session_needs_a_worker(void **state)
{
	struct answers answers = { .nworkers = 0 };

	(void)state;
	assert_int_equal(take(&answers, from_monitor(1), MONITOR), 0);
	assert_int_equal(take(&answers, session(1, FIRST), FIRST), 0);
	assert_int_equal(answers.nsessions, 0);
	assert_int_equal(take(&answers, worker(FIRST, WORKER_SERVES, 1), MONITOR), 0);
	assert_int_equal(take(&answers, session(1, FIRST), STRANGER), 0);
	assert_int_equal(take(&answers, session(1, FIRST), MONITOR), 0);
	assert_int_equal(answers.nsessions, 0);
	assert_false(client_answers_are_all(&answers, CTL_SESSIONS));
	client_answers_done(&answers);
}

/* The count at the end tells whether a packet was lost. */
static void a_count_that_is_wrong_is_no_end(void **state)
{
	struct answers answers;

	(void)state;
	two_workers(&answers, MONITOR);
	assert_int_equal(take(&answers, session(1, FIRST), FIRST), 0);
	assert_int_equal(take(&answers, end(2, FIRST), FIRST), 0);
	assert_true(answers.workers[0].invalid);
	assert_true(client_is_silent(&answers.workers[0]));
	/* and gets no second chance */
	assert_int_equal(take(&answers, session(2, FIRST), FIRST), 0);
	assert_int_equal(take(&answers, end(1, FIRST), FIRST), 0);
	assert_false(answers.workers[0].complete);
	assert_int_equal(answers.nsessions, 1);
	client_answers_done(&answers);
}

static void nothing_comes_after_the_end(void **state)
{
	struct answers answers;

	(void)state;
	two_workers(&answers, MONITOR);
	assert_int_equal(take(&answers, end(0, FIRST), FIRST), 0);
	assert_int_equal(take(&answers, session(1, FIRST), FIRST), 0);
	assert_int_equal(answers.nsessions, 0);
	assert_true(answers.workers[0].complete);
	client_answers_done(&answers);
}

/* A worker that reports endless sessions must not use up attlsctl's memory. */
static void a_worker_has_as_many_sessions_as_there_can_be(void **state)
{
	struct answers answers;

	(void)state;
	two_workers(&answers, MONITOR);
	for (uint64_t i = 0; i < 20000; i++)
		assert_int_equal(take(&answers, session(i, FIRST), FIRST), 0);
	assert_true(answers.workers[0].invalid);
	assert_int_equal(answers.nsessions,
			 3 + 10000); /* that the monitor counted, and some that came since */
	assert_true(answers.sessions_cap < 20000);
	client_answers_done(&answers);
}

/*
 * From a container the kernel shows no process numbers. Then each sender is
 * believed, within the same bounds.
 */
static void without_senders_the_claim_counts(void **state)
{
	struct answers answers;

	(void)state;
	two_workers(&answers, UNSEEN);
	assert_int_equal(take(&answers, session(1, FIRST), UNSEEN), 0);
	assert_int_equal(take(&answers, session(2, STRANGER), UNSEEN), 0);
	assert_int_equal(take(&answers, end(1, FIRST), UNSEEN), 0);
	assert_int_equal(take(&answers, end(0, SECOND), UNSEEN), 0);
	assert_int_equal(answers.nsessions, 1);
	assert_true(client_answers_are_all(&answers, CTL_SESSIONS));
	client_answers_done(&answers);
}

static void what_workers_know_of_servers_is_sorted(void **state)
{
	struct answers answers;

	(void)state;
	two_workers(&answers, MONITOR);
	assert_false(client_answers_are_all(&answers, CTL_SERVERS));
	assert_int_equal(take(&answers, end(0, MONITOR), MONITOR), 0); /* no backend has several servers */
	assert_int_equal(take(&answers, server(7, SECOND), SECOND), 0);
	assert_int_equal(take(&answers, server(7, FIRST), FIRST), 0);
	assert_int_equal(take(&answers, server(2, SECOND), SECOND), 0);
	assert_int_equal(take(&answers, end(1, FIRST), FIRST), 0);
	assert_int_equal(take(&answers, end(2, SECOND), SECOND), 0);
	assert_true(client_answers_are_all(&answers, CTL_SERVERS));
	client_answers_sort(&answers);
	assert_int_equal(answers.nservers, 3);
	assert_int_equal(answers.servers[0].server.addr.bytes[3], 2);
	assert_int_equal(answers.servers[1].worker, FIRST);
	assert_int_equal(answers.servers[2].worker, SECOND);
	client_answers_done(&answers);
}

static struct answer backend(const char *address)
{
	struct answer answer = ctl_proto_answer(ANSWER_BACKEND);

	(void)snprintf(answer.u.backend.backend, sizeof(answer.u.backend.backend), "legacy");
	(void)snprintf(answer.u.backend.address, sizeof(answer.u.backend.address), "%s", address);
	answer.u.backend.state = BACKEND_STATE_DOWN;
	return answer;
}

/* Only the monitor says how they are, and nothing is missing when the answer is complete. */
static void servers_of_backends_are_the_monitor_s(void **state)
{
	static const pid_t senders[] = { MONITOR, UNSEEN };

	(void)state;
	for (size_t i = 0; i < NELEM(senders); i++) {
		const bool unseen = senders[i] == UNSEEN;
		struct answers answers = { .nworkers = 0 };

		assert_int_equal(take(&answers, from_monitor(0), senders[i]), 0);
		assert_false(client_answers_are_all(&answers, CTL_SERVERS)); /* even without workers */
		assert_int_equal(take(&answers, backend("a:21"), senders[i]), 0);
		if (!unseen)
			assert_int_equal(take(&answers, backend("lie:21"), STRANGER), 0);
		assert_int_equal(take(&answers, backend("b:21\x1b[2J"), senders[i]), 0);
		assert_false(client_answers_are_all(&answers, CTL_SERVERS));
		assert_int_equal(take(&answers, end(2, MONITOR), senders[i]), 0);
		assert_true(client_answers_are_all(&answers, CTL_SERVERS));
		/* who it is from may not be visible, but workers are asked after the end of this list */
		assert_int_equal(take(&answers, backend("late:21"), unseen ? UNSEEN : FIRST), 0);
		assert_int_equal(take(&answers, end(7, MONITOR), unseen ? UNSEEN : FIRST), 0);
		assert_true(client_answers_are_all(&answers, CTL_SERVERS));
		assert_int_equal(answers.nbackends, 2);
		assert_string_equal(answers.backends[0].address, "a:21");
		assert_string_equal(answers.backends[1].address, "b:21?[2J");
		client_answers_done(&answers);
	}
}

static void a_list_of_the_monitor_may_be_cut_off(void **state)
{
	struct answers answers = { .nworkers = 0 };

	(void)state;
	assert_int_equal(take(&answers, from_monitor(0), MONITOR), 0);
	assert_int_equal(take(&answers, backend("a:21"), MONITOR), 0);
	assert_int_equal(take(&answers, end(2, MONITOR), MONITOR), 0);
	assert_false(client_answers_are_all(&answers, CTL_BACKENDS));
	client_answers_done(&answers);
}

static struct answer event(uint64_t time_s, uint32_t level, pid_t claim)
{
	struct answer answer = ctl_proto_answer(ANSWER_EVENT);

	answer.u.event.time_s = time_s;
	answer.u.event.level = level;
	answer.u.event.process = claim;
	memset(answer.u.event.text, '\x9b', sizeof(answer.u.event.text)); /* drives some terminals */
	return answer;
}

/* The monitor has some, too, and nobody may have more than a process remembers. */
static void events_are_those_of_their_senders(void **state)
{
	struct answers answers;

	(void)state;
	two_workers(&answers, MONITOR);
	assert_int_equal(take(&answers, event(9, LOG_LEVEL_ERROR, FIRST), MONITOR), 0);
	assert_int_equal(take(&answers, event(5, LOG_LEVEL_WARNING, MONITOR), FIRST), 0);
	assert_int_equal(take(&answers, event(7, LOG_LEVEL_WARNING, STRANGER), STRANGER), 0);
	assert_int_equal(take(&answers, event(7, LOG_LEVEL_INFO, MONITOR), MONITOR), 0);
	assert_int_equal(take(&answers, end(1, FIRST), FIRST), 0);
	for (int i = 0; i < ANSWER_EVENTS_MAX; i++)
		assert_int_equal(take(&answers, event(6, LOG_LEVEL_ERROR, SECOND), SECOND), 0);
	assert_int_equal(take(&answers, end(0, MONITOR), MONITOR), 0);
	assert_false(client_answers_are_all(&answers, CTL_EVENTS));
	assert_int_equal(take(&answers, event(6, LOG_LEVEL_ERROR, SECOND), SECOND), 0);
	assert_true(answers.workers[1].invalid);
	client_answers_sort(&answers);
	assert_int_equal(answers.nevents, 2 + ANSWER_EVENTS_MAX);
	assert_int_equal(answers.events[0].process, FIRST);
	assert_int_equal(answers.events[answers.nevents - 1].process, MONITOR);
	assert_int_equal(answers.events[0].text[0], '?');
	client_answers_done(&answers);
}

/* A worker that lies about the time neither stands above all others nor pushes them out. */
static void events_of_a_liar(void **state)
{
	const uint64_t now_s = (uint64_t)time(NULL);
	struct answers answers;
	size_t others = 0, i;
	json_t *list, *one;

	(void)state;
	two_workers(&answers, MONITOR);
	assert_int_equal(take(&answers, event(9, LOG_LEVEL_ERROR, MONITOR), MONITOR), 0);
	assert_int_equal(take(&answers, event(8, LOG_LEVEL_ERROR, FIRST), FIRST), 0);
	for (i = 0; i < ANSWER_EVENTS_MAX; i++)
		assert_int_equal(take(&answers, event(9000000000000u - i, LOG_LEVEL_ERROR, SECOND), SECOND),
				 0);
	client_answers_sort(&answers);
	assert_in_range(answers.events[answers.nevents - 1].time_s, now_s, now_s + 600);
	list = client_events_json(&answers, 8);
	json_array_foreach (list, i, one)
		others += json_integer_value(json_object_get(one, "process")) != SECOND;
	assert_int_equal(others, 2);
	assert_int_equal(json_array_size(list), 2 + 4);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "time")), 8);
	json_decref(list);
	list = client_events_json(&answers, answers.nevents);
	assert_int_equal(json_array_size(list), 2 + ANSWER_EVENTS_MAX);
	json_decref(list);
	client_answers_done(&answers);
}

/* A server of which a worker reports what cannot be. */
static void a_server_that_cannot_be_is_no_answer(void **state)
{
	static const struct {
		const char *name;
		uint16_t port;
		uint32_t family;
		uint8_t way_state;
		bool want;
	} rows[] = {
		{ "possible", 21, IP_V4, WAY_WORKS, true },
		{ "over IPv6", 65535, IP_V6, WAY_FAILED, true },
		{ "no port", 0, IP_V4, WAY_WORKS, false },
		{ "no address", 21, IP_NONE, WAY_WORKS, false },
		{ "a family that does not exist", 21, 5, WAY_WORKS, false },
		{ "a state that does not exist", 21, IP_V4, WAY_STATES, false },
		{ "another one", 21, IP_V4, 255, false },
	};

	(void)state;
	for (size_t way = 0; way < ANSWER_WAYS; way++)
		for (size_t i = 0; i < NELEM(rows); i++) {
			struct answers answers;
			struct answer answer = server(1, FIRST);

			two_workers(&answers, MONITOR);
			answer.u.server.server.port = rows[i].port;
			memcpy(&answer.u.server.server.addr.family, &rows[i].family, sizeof(rows[i].family));
			answer.u.server.ways[way].state = rows[i].way_state;
			answer.u.server.ways[way].minutes = 255;
			assert_int_equal(take(&answers, answer, FIRST), 0);
			if (answers.nservers != rows[i].want || answers.workers[0].invalid == rows[i].want)
				fail_msg("%s, way %zu", rows[i].name, way);
			assert_false(answers.workers[1].invalid);
			client_answers_done(&answers);
		}
}

static void a_worker_cannot_say_what_another_one_knows(void **state)
{
	struct answers answers;
	struct answer answer = server(1, SECOND);

	(void)state;
	two_workers(&answers, MONITOR);
	memset(answer.u.server.backend, 'b', sizeof(answer.u.server.backend));
	assert_int_equal(take(&answers, answer, FIRST), 0);
	assert_int_equal(answers.servers[0].worker, FIRST);
	assert_int_equal(strlen(answers.servers[0].backend), sizeof(answer.u.server.backend) - 1);
	assert_int_equal(answers.workers[1].servers, 0);
	/* nor may anybody who is no worker */
	assert_int_equal(take(&answers, answer, STRANGER), 0);
	assert_int_equal(take(&answers, answer, MONITOR), 0);
	assert_int_equal(answers.nservers, 1);
	/* without senders, the claim counts */
	assert_int_equal(take(&answers, answer, UNSEEN), 0);
	assert_int_equal(answers.servers[1].worker, SECOND);
	/* a wrong count is no end */
	assert_int_equal(take(&answers, end(0, SECOND), SECOND), 0);
	assert_true(answers.workers[1].invalid);
	client_answers_done(&answers);
}

static void a_worker_has_as_many_servers_as_it_can_remember(void **state)
{
	struct answers answers;

	(void)state;
	two_workers(&answers, MONITOR);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(take(&answers, server((uint8_t)i, FIRST), FIRST), 0);
	assert_true(answers.workers[0].invalid);
	assert_int_equal(answers.nservers, ANSWER_SERVERS_MAX);
	for (size_t i = 0; i < ANSWER_SERVERS_MAX; i++)
		assert_int_equal(take(&answers, server((uint8_t)i, SECOND), SECOND), 0);
	assert_int_equal(take(&answers, end(ANSWER_SERVERS_MAX, SECOND), SECOND), 0);
	assert_true(answers.workers[1].complete);
	client_answers_done(&answers);
}

/* Which workers have not reported all sessions. */
static void silence_depends_on_the_state(void **state)
{
	static const struct {
		const char *name;
		uint32_t state;
		uint64_t sessions;
		bool complete, want;
	} rows[] = {
		{ "starting", WORKER_STARTS, 0, false, false },
		{ "killed", WORKER_ENDS, 5, false, false },
		{ "serving", WORKER_SERVES, 0, false, true },
		{ "serving and complete", WORKER_SERVES, 2, true, false },
		{ "backlogged", WORKER_BACKLOGGED, 0, false, true },
		{ "retiring with sessions", WORKER_RETIRES, 1, false, true },
		{ "retiring without", WORKER_RETIRES, 0, false, false },
		{ "draining with sessions", WORKER_DRAINS, 1, false, true },
		{ "a state that does not exist", 77, 0, false, true },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		const struct worker_heard heard = { .worker = { .state = rows[i].state,
								.sessions = rows[i].sessions },
						    .complete = rows[i].complete };

		if (client_is_silent(&heard) != rows[i].want)
			fail_msg("%s", rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_of_two_workers_may_be_mixed),
		cmocka_unit_test(a_replaced_attlsd_answers),
		cmocka_unit_test(the_first_answer_is_the_monitors),
		cmocka_unit_test(the_attlsd_that_serves_the_policy_is_meant),
		cmocka_unit_test(texts_end_and_cannot_write_on_a_terminal),
		cmocka_unit_test(a_worker_cannot_speak_for_another),
		cmocka_unit_test(a_worker_cannot_speak_for_the_monitor),
		cmocka_unit_test(nobody_adds_workers_but_the_monitor),
		cmocka_unit_test(a_session_needs_a_worker),
		cmocka_unit_test(a_count_that_is_wrong_is_no_end),
		cmocka_unit_test(nothing_comes_after_the_end),
		cmocka_unit_test(a_worker_has_as_many_sessions_as_there_can_be),
		cmocka_unit_test(without_senders_the_claim_counts),
		cmocka_unit_test(what_workers_know_of_servers_is_sorted),
		cmocka_unit_test(servers_of_backends_are_the_monitor_s),
		cmocka_unit_test(a_list_of_the_monitor_may_be_cut_off),
		cmocka_unit_test(events_are_those_of_their_senders),
		cmocka_unit_test(events_of_a_liar),
		cmocka_unit_test(a_server_that_cannot_be_is_no_answer),
		cmocka_unit_test(a_worker_cannot_say_what_another_one_knows),
		cmocka_unit_test(a_worker_has_as_many_servers_as_it_can_remember),
		cmocka_unit_test(silence_depends_on_the_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
