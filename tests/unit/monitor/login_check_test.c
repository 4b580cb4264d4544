/* FTCHKPWD in the monitor: queues, limits, and who may answer. The socket is in the same process. */
#include "gateway/monitor/login-check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/host/bounded-close.h"
#include "gateway/host/login-socket.h"
#include "tests/unit/temporary.h"

#define ASKERS (LOGIN_CHECKS_OPEN_MAX + 3)

static struct scene {
	struct loop loop;
	struct login_checks checks;
	const char *folder;
	char path[TEMPORARY_PATH];
	int listener;
	int peers[ASKERS]; /* connections that the program holds */
	size_t npeers;
	size_t answered;
	enum login_verdict last;
	char why[64], text[LOGIN_TEXT_MAX];
	struct timer end;
} scene;

static void on_checked(void *owner, uint64_t session, enum login_verdict verdict, const char *why,
		       const struct login_answer *answer)
{
	(void)session;
	assert_ptr_equal(owner, &scene);
	scene.answered++;
	scene.last = verdict;
	(void)snprintf(scene.why, sizeof(scene.why), "%s", verdict == LOGIN_NO_ANSWER ? why : "");
	(void)snprintf(scene.text, sizeof(scene.text), "%s", answer != NULL ? answer->text : "");
}

static void on_end(struct timer *timer)
{
	(void)timer;
	loop_stop(&scene.loop);
}

/* Let the events happen that are there, and the timers of the next `ms`. */
static void turn(uint64_t ms)
{
	scene.loop.stopped = false;
	assert_int_equal(loop_timer(&scene.loop, &scene.end, ms), 0);
	assert_int_equal(loop_run(&scene.loop), 0);
}

static void listen_at(int backlog)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	assert_non_null(memccpy(at.sun_path, scene.path, '\0', sizeof(at.sun_path)));
	scene.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_not_equal(scene.listener, -1);
	assert_int_equal(bind(scene.listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(scene.listener, backlog), 0);
}

/* The program takes what waits for it. */
static void take(void)
{
	int fd;

	while ((fd = accept(scene.listener, NULL, NULL)) != -1) {
		assert_in_range(scene.npeers, 0, ASKERS - 1);
		scene.peers[scene.npeers++] = fd;
	}
}

static int setup(void **state)
{
	(void)state;
	scene = (struct scene){ .listener = -1 };
	assert_int_equal(bounded_close_init(), 0);
	assert_int_equal(loop_init(&scene.loop), 0);
	login_checks_init(&scene.checks, &scene.loop, on_checked);
	timer_init(&scene.end, on_end);
	scene.folder = temporary_folder();
	assert_int_equal(chmod(scene.folder, 0755), 0);
	(void)temporary_path(scene.path, "socket");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	login_checks_done(&scene.checks);
	assert_null(scene.checks.services);
	assert_int_equal(scene.checks.nopen, 0);
	for (size_t i = 0; i < scene.npeers; i++)
		(void)close(scene.peers[i]);
	if (scene.listener != -1)
		(void)close(scene.listener);
	loop_timer_stop(&scene.loop, &scene.end);
	loop_done(&scene.loop);
	(void)unlink(scene.path);
	return 0;
}

static const char *ask(uint64_t session)
{
	const struct login_facts facts = { session, "192.0.2.7", "ftp", "r", "b" };
	const struct login_part part = { .last = 1, .len = 3, .text = "u\0" };

	return login_checks_take(&scene.checks, &scene, &facts, scene.path, &part);
}

static void an_answer(void **state)
{
	char packet[LOGIN_JSON_MAX];
	ssize_t n;

	(void)state;
	listen_at(5);
	assert_null(ask(1));
	take();
	assert_int_equal(scene.npeers, 1);
	n = recv(scene.peers[0], packet, sizeof(packet), 0);
	assert_true(n > 2 && packet[0] == '{' && packet[n - 1] == '}');
	assert_int_equal(send(scene.peers[0], "deny Not now", 12, 0), 12);
	assert_int_equal(send(scene.peers[0], "allow", 5, 0), 5);
	turn(1);
	assert_int_equal(scene.answered, 1);
	assert_int_equal(scene.last, LOGIN_DENIED);
	assert_string_equal(scene.text, "Not now");
	assert_true(recv(scene.peers[0], packet, sizeof(packet), 0) <= 0); /* a packet was left */
}

static void one_question_at_a_time(void **state)
{
	const struct login_facts facts = { 1, "192.0.2.7", "ftp", "r", "b" };
	const struct login_part odd = { .last = 1, .len = 1, .text = "u" };

	(void)state;
	listen_at(5);
	assert_null(ask(1));
	assert_string_equal(ask(1), "asked-twice");
	login_checks_forget(&scene.checks, 1);
	assert_string_equal(login_checks_take(&scene.checks, &scene, &facts, scene.path, &odd),
			    "malformed-question");
	assert_int_equal(scene.answered, 0);
	assert_null(ask(1)); /* the piece before it is forgotten */
}

/* Its session is over: the connection ends, and an answer finds nobody. */
static void forgotten(void **state)
{
	char packet[LOGIN_JSON_MAX];

	(void)state;
	listen_at(5);
	assert_null(ask(1));
	take();
	login_checks_forget(&scene.checks, 1);
	login_checks_forget(&scene.checks, 1);
	assert_true(recv(scene.peers[0], packet, sizeof(packet), 0) > 0);
	assert_int_equal(recv(scene.peers[0], packet, sizeof(packet), 0), 0);
	turn(1);
	assert_int_equal(scene.answered, 0);
}

static void a_full_queue(void **state)
{
	(void)state;
	listen_at(0);
	for (uint64_t session = 1; session <= 4; session++)
		assert_null(ask(session));
	assert_int_equal(scene.answered, 0);
	assert_in_range(scene.checks.nopen, 1, 3);
	for (int i = 0; i < 10 && scene.npeers < 4; i++) {
		take();
		turn(25);
	}
	assert_int_equal(scene.npeers, 4);
	assert_int_equal(scene.answered, 0);
}

/* As many as may be are open; one that ends lets the next go. */
static void too_many_at_once(void **state)
{
	struct rlimit limit = { 2 * ASKERS + 64, 2 * ASKERS + 64 };

	(void)state;
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 2 * ASKERS + 64) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur < 2 * ASKERS + 64)
		skip();
	listen_at(4096);
	for (uint64_t session = 1; session <= ASKERS; session++) {
		assert_null(ask(session));
		take();
	}
	assert_int_equal(scene.checks.nopen, LOGIN_CHECKS_OPEN_MAX);
	assert_int_equal(send(scene.peers[7], "allow", 5, 0), 5);
	turn(1);
	assert_int_equal(scene.answered, 1);
	assert_int_equal(scene.last, LOGIN_ALLOWED);
	assert_int_equal(scene.checks.nopen, LOGIN_CHECKS_OPEN_MAX);
	take();
	assert_int_equal(scene.npeers, LOGIN_CHECKS_OPEN_MAX + 1);
}

static void questions_of_a_session(void **state)
{
	(void)state;
	for (int i = 0; i < LOGIN_CHECKS_PER_SESSION; i++) {
		assert_null(ask(1));
		assert_string_equal(scene.why, "no-socket");
	}
	listen_at(5);
	assert_null(ask(1));
	assert_string_equal(scene.why, "too-many-logins");
	take();
	assert_int_equal(scene.npeers, 0);
	assert_null(ask(2));
	take();
	assert_int_equal(scene.npeers, 1);
}

/* What keeps a socket from being trusted. */
static void exposed(void **state)
{
	char buf[LOGIN_SOCKET_WHY_MAX], deeper[TEMPORARY_PATH];
	uid_t owner;

	(void)state;
	listen_at(5);
	assert_null(login_socket_exposed(scene.path, &owner, buf));
	assert_int_equal(owner, geteuid());
	assert_null(login_socket_fault(scene.path, buf));
	assert_int_equal(chmod(scene.folder, 0775), 0);
	assert_non_null(
	    strstr(login_socket_exposed(scene.path, &owner, buf), "can be written by other users"));
	assert_int_equal(chmod(scene.folder, 01777), 0); /* the last folder may not even be sticky */
	assert_non_null(login_socket_exposed(scene.path, &owner, buf));
	assert_null(ask(1));
	assert_string_equal(scene.why, "folder-exposed");
	(void)temporary_path(deeper, "sub");
	assert_int_equal(mkdir(deeper, 0755), 0);
	(void)temporary_path(deeper, "sub/socket");
	assert_null(login_socket_exposed(deeper, &owner, buf));
	assert_int_equal(chmod(scene.folder, 0777), 0);
	assert_non_null(login_socket_exposed(deeper, &owner, buf));
	assert_int_equal(chmod(scene.folder, 0755), 0);
	deeper[strlen(deeper) - strlen("/socket")] = '\0';
	if (geteuid() == 0) {
		assert_int_equal(chown(deeper, 1234, 0), 0);
		deeper[strlen(deeper)] = '/';
		assert_null(login_socket_exposed(deeper, &owner, buf));
		assert_int_equal(owner, 1234);
		assert_int_equal(chmod(scene.folder, 01777), 0); /* anybody could have made it */
		assert_non_null(strstr(login_socket_exposed(deeper, &owner, buf), "belongs to another user"));
		deeper[strlen(deeper) - strlen("/socket")] = '\0';
	}
	assert_int_equal(rmdir(deeper), 0);
}

/* The path is right, and the program that listens there runs as somebody else. */
static void another_user(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(memccpy(at.sun_path, scene.path, '\0', sizeof(at.sun_path)));
	scene.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(scene.listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(seteuid(1234), 0);
	assert_int_equal(listen(scene.listener, 5), 0);
	assert_int_equal(seteuid(0), 0);
	assert_null(ask(1));
	assert_string_equal(scene.why, "other-user");
	assert_int_equal(chown(scene.path, 1234, 0), 0);
	assert_int_equal(chmod(scene.path, 0666), 0);
	assert_null(ask(2));
	assert_int_equal(scene.answered, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(one_question_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(questions_of_a_session, setup, teardown),
		cmocka_unit_test_setup_teardown(exposed, setup, teardown),
		cmocka_unit_test_setup_teardown(another_user, setup, teardown),
	};

	return cmocka_run_group_tests_name("login_check", tests, NULL, NULL);
}
