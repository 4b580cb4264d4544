/* attlsctl's end of control_socket, against a process that answers what the row says. */
#include "gateway/view/client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/ctl-order.h"
#include "tests/unit/temporary.h"

#define SESSION 77u
#define WAIT_MS 10000
#define SAID	512

/* How the other end answers the question. */
enum script {
	ANSWERS_DONE,		 /* with the question that it has got, as text */
	ANSWERS_REFUSED,	 /* with "not now" */
	ANSWERS_ORDER,		 /* as any version does, with the question as text */
	REFUSES_ORDER,		 /* "not now", as any version does */
	ANSWERS_STATUS,		 /* the monitor and one worker, then more than was asked */
	ANSWERS_LONG,		 /* a byte more than a packet has */
	ANSWERS_SHORT,		 /* and less */
	ANSWERS_WITH_DESCRIPTOR, /* and "done" only if the kernel refuses that */
	CLOSES,
	STAYS_SILENT,
};

struct scene {
	char socket[TEMPORARY_PATH];
	pid_t server;
	FILE *said; /* what has been printed to stderr */
	int stderr_fd;
};

static void answer_done(int fd, const struct ask *ask)
{
	struct answer answer = ctl_proto_answer(ANSWER_DONE);

	(void)snprintf(answer.u.text, sizeof(answer.u.text), "version %d what %u session %u",
		       ask->version == CTL_VERSION, ask->what, (unsigned)ask->session);
	(void)ctl_proto_send(fd, &answer);
}

static void answer_status(int fd)
{
	struct answer answer = ctl_proto_answer(ANSWER_GATEWAY);

	answer.u.gateway.pid = (int32_t)getpid();
	answer.u.gateway.workers = 1;
	answer.u.gateway.generation = 5;
	(void)ctl_proto_send(fd, &answer);
	answer = ctl_proto_answer(ANSWER_WORKER);
	answer.u.worker.pid = 4242;
	answer.u.worker.sessions = 9;
	(void)ctl_proto_send(fd, &answer);
	answer.u.worker.pid = 4343;
	(void)ctl_proto_send(fd, &answer);
}

/* Since Linux 6.16. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

static bool kernel_can_refuse_descriptors(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	bool can = setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){ 0 }, sizeof(int)) == 0;

	(void)close(fd);
	return can;
}

static void answer_with_descriptor(int fd)
{
	struct answer answer = ctl_proto_answer(ANSWER_REFUSED);
	struct iovec iov = { .iov_base = &answer, .iov_len = sizeof(answer) };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct msghdr header = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};

	memcpy(CMSG_DATA(&control.header), &(int){ STDIN_FILENO }, sizeof(int));
	if (sendmsg(fd, &header, MSG_NOSIGNAL) == -1 && errno == EPERM)
		answer_done(fd, &(struct ask){ .version = CTL_VERSION });
}

static void play(int fd, enum script script)
{
	static const uint8_t bytes[sizeof(struct answer) + 1];
	struct answer answer = ctl_proto_answer(ANSWER_REFUSED);
	struct ask ask = { .version = 0 };
	char text[64];

	if (recv(fd, &ask, sizeof(ask), 0) != (ssize_t)(ctl_order_has(ask.what) ? 8 : sizeof(ask)))
		return;
	switch (script) {
	case ANSWERS_DONE:
		answer_done(fd, &ask);
		return;
	case ANSWERS_ORDER:
		(void)snprintf(text, sizeof(text), "version %x what %u", ask.version, ask.what);
		(void)ctl_order_answer(fd, true, ANSWER_DONE, text);
		return;
	case REFUSES_ORDER:
		(void)ctl_order_answer(fd, true, ANSWER_REFUSED, "not now");
		return;
	case ANSWERS_WITH_DESCRIPTOR:
		answer_with_descriptor(fd);
		return;
	case ANSWERS_REFUSED:
		(void)snprintf(answer.u.text, sizeof(answer.u.text), "not now");
		(void)ctl_proto_send(fd, &answer);
		return;
	case ANSWERS_STATUS:
		answer_status(fd);
		return;
	case ANSWERS_LONG:
		(void)send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
		return;
	case ANSWERS_SHORT:
		(void)send(fd, bytes, 1, MSG_NOSIGNAL);
		return;
	case CLOSES:
		return;
	case STAYS_SILENT:
		(void)recv(fd, &ask, sizeof(ask), 0); /* until attlsctl gives up */
		return;
	}
}

static int listen_at(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_non_null(memccpy(address.sun_path, path, '\0', sizeof(address.sun_path)));
	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void scene_init(struct scene *scene)
{
	char said[TEMPORARY_PATH];

	*scene = (struct scene){ .server = 0 };
	(void)temporary_path(scene->socket, "socket");
	scene->said = fopen(temporary_path(said, "said"), "w+");
	assert_non_null(scene->said);
	(void)fflush(stderr);
	scene->stderr_fd = dup(STDERR_FILENO);
	assert_int_not_equal(dup2(fileno(scene->said), STDERR_FILENO), -1);
}

static void scene_serve(struct scene *scene, enum script script)
{
	int fd = listen_at(scene->socket, SOCK_SEQPACKET);

	scene->server = fork();
	assert_int_not_equal(scene->server, -1);
	if (scene->server == 0) {
		(void)alarm(60); /* when the test hangs */
		play(accept(fd, NULL, NULL), script);
		_exit(EXIT_SUCCESS);
	}
	(void)close(fd);
}

/* Ends it all; returns what has been printed. */
static void scene_done(struct scene *scene, char said[static SAID])
{
	size_t len;

	assert_int_not_equal(dup2(scene->stderr_fd, STDERR_FILENO), -1);
	(void)close(scene->stderr_fd);
	rewind(scene->said);
	len = fread(said, 1, SAID - 1, scene->said);
	said[len] = '\0';
	(void)fclose(scene->said);
	if (scene->server != 0)
		assert_int_equal(waitpid(scene->server, NULL, 0), scene->server);
	(void)unlink(scene->socket);
}

static void orders(void **state)
{
	static const struct {
		const char *name;
		enum ctl_proto_what what;
		enum script script;
		int wait_ms, want;
		const char *want_text, *want_said;
	} rows[] = {
		{ "done", CTL_END, ANSWERS_DONE, WAIT_MS, 0, "version 1 what 3 session 77", "" },
		{ "refused", CTL_END, ANSWERS_REFUSED, WAIT_MS, 1, NULL, "not now\n" },
		{ "an answer to another question", CTL_END, ANSWERS_STATUS, WAIT_MS, -1, NULL,
		  "different versions" },
		{ "too long", CTL_END, ANSWERS_LONG, WAIT_MS, -1, NULL, "different versions" },
		{ "too short", CTL_END, ANSWERS_SHORT, WAIT_MS, -1, NULL, "different versions" },
		{ "closed", CTL_END, CLOSES, WAIT_MS, -1, NULL, "closed the connection without an answer" },
		{ "silent", CTL_END, STAYS_SILENT, 20, -1, NULL, "does not answer in time" },
		/* these bytes are those of all versions */
		{ "reload", CTL_RELOAD, ANSWERS_ORDER, WAIT_MS, 0, "version 61746f31 what 4", "" },
		{ "drain", CTL_DRAIN, ANSWERS_ORDER, WAIT_MS, 0, "version 61746f31 what 5", "" },
		{ "make way", CTL_MAKE_WAY, ANSWERS_ORDER, WAIT_MS, 0, "version 61746f31 what 7", "" },
		{ "audit reopen", CTL_AUDIT_REOPEN, ANSWERS_ORDER, WAIT_MS, 0, "version 61746f31 what 13",
		  "" },
		{ "upgrade", CTL_UPGRADE, ANSWERS_ORDER, WAIT_MS, 0, "version 61746f31 what 14", "" },
		{ "reload only", CTL_RELOAD_ONLY, ANSWERS_ORDER, WAIT_MS, 0, "version 61746f31 what 15", "" },
		{ "policy", CTL_POLICY, ANSWERS_ORDER, WAIT_MS, 0, "version 61746f31 what 16", "" },
		{ "refused order", CTL_UPGRADE, REFUSES_ORDER, WAIT_MS, 1, NULL, "not now\n" },
		{ "order, too short", CTL_UPGRADE, ANSWERS_SHORT, WAIT_MS, -1, NULL, "different versions" },
		{ "order, silent", CTL_UPGRADE, STAYS_SILENT, 20, -1, NULL, "does not answer in time" },
		{ "policy, silent", CTL_POLICY, STAYS_SILENT, 20, -1, NULL, "its monitor hangs" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct scene scene;
		struct target target = { .socket = scene.socket };
		struct answer answer;
		char said[SAID];
		int r;

		scene_init(&scene);
		scene_serve(&scene, rows[i].script);
		r = client_order(&target, rows[i].what, &(struct session_filter){ .session = SESSION },
				 rows[i].wait_ms, &answer);
		scene_done(&scene, said);
		if (r != rows[i].want || strstr(said, rows[i].want_said) == NULL ||
		    (said[0] == '\0') != (rows[i].want == 0))
			fail_msg("%s: result %d, \"%s\"", rows[i].name, r, said);
		if (rows[i].want_text != NULL)
			assert_string_equal(answer.u.text, rows[i].want_text);
	}
}

/* Closing a descriptor that a worker has passed can wait for ever. */
static void no_descriptor_comes_along(void **state)
{
	struct scene scene;
	struct target target = { .socket = scene.socket };
	struct answer answer;
	char said[SAID];
	int r;

	(void)state;
	if (!kernel_can_refuse_descriptors())
		skip();
	scene_init(&scene);
	scene_serve(&scene, ANSWERS_WITH_DESCRIPTOR);
	r = client_order(&target, CTL_END, &(struct session_filter){ .session = SESSION }, WAIT_MS, &answer);
	scene_done(&scene, said);
	assert_string_equal(said, "");
	assert_int_equal(r, 0);
}

/* All that was announced is read, and no more is waited for. */
static void status(void **state)
{
	struct scene scene;
	struct target target = { .socket = scene.socket };
	struct answers answers;
	char said[SAID];
	int r;

	(void)state;
	scene_init(&scene);
	scene_serve(&scene, ANSWERS_STATUS);
	r = client_collect(&target, CTL_STATUS, NULL, &answers);
	assert_int_equal(answers.gateway.pid, scene.server);
	scene_done(&scene, said);
	assert_string_equal(said, "");
	assert_int_equal(r, 0);
	assert_int_equal(answers.gateway.generation, 5);
	assert_int_equal(answers.nworkers, 1);
	assert_int_equal(answers.workers[0].worker.pid, 4242);
	assert_int_equal(answers.workers[0].worker.sessions, 9);
	client_answers_done(&answers);
}

static void no_status(void **state)
{
	static const struct {
		enum script script;
		const char *want_said;
	} rows[] = {
		{ CLOSES, "closed the connection without an answer" },
		{ ANSWERS_DONE, "different versions" },
		{ ANSWERS_LONG, "different versions" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct scene scene;
		struct target target = { .socket = scene.socket };
		struct answers answers;
		char said[SAID];
		int r;

		scene_init(&scene);
		scene_serve(&scene, rows[i].script);
		r = client_collect(&target, CTL_STATUS, NULL, &answers);
		client_answers_done(&answers);
		scene_done(&scene, said);
		if (r != -1 || strstr(said, rows[i].want_said) == NULL)
			fail_msg("%zu: result %d, \"%s\"", i, r, said);
	}
}

enum there { NOTHING, A_FILE, A_DEAD_SOCKET, A_STREAM_SOCKET };

static void reaching_nobody(void **state)
{
	static const struct {
		const char *name;
		enum there there;
		const char *want_said;
	} rows[] = {
		{ "nothing", NOTHING, "there is no such socket" },
		{ "a file", A_FILE, "this is not a socket" },
		{ "the socket of a dead process", A_DEAD_SOCKET, "no program listens" },
		{ "another program's socket", A_STREAM_SOCKET, "another program's socket" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct scene scene;
		struct target target = { .socket = scene.socket };
		struct answer answer;
		char said[SAID];
		int fd = -1;
		int r;

		scene_init(&scene);
		if (rows[i].there == A_FILE)
			(void)fclose(fopen(scene.socket, "w"));
		if (rows[i].there == A_DEAD_SOCKET)
			(void)close(listen_at(scene.socket, SOCK_SEQPACKET));
		if (rows[i].there == A_STREAM_SOCKET)
			fd = listen_at(scene.socket, SOCK_STREAM);
		r = client_order(&target, CTL_DRAIN, NULL, WAIT_MS, &answer);
		if (fd != -1)
			(void)close(fd);
		scene_done(&scene, said);
		if (r != -1 || strstr(said, rows[i].want_said) == NULL)
			fail_msg("%s: result %d, \"%s\"", rows[i].name, r, said);
	}
}

/* A longer path would be cut, and name another socket. */
static void the_longest_path(void **state)
{
	static const struct {
		size_t len;
		const char *want_said;
	} rows[] = { { sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1, "there is no such socket" },
		     { sizeof(((struct sockaddr_un *)NULL)->sun_path), "too long for a socket" } };

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		char *path = bytes_repeat('x', rows[i].len, "", 1);
		const struct target target = { .socket = path };
		struct scene scene;
		struct answer answer;
		char said[SAID];
		int r;

		scene_init(&scene);
		r = client_order(&target, CTL_DRAIN, NULL, WAIT_MS, &answer);
		scene_done(&scene, said);
		if (r != -1 || strstr(said, rows[i].want_said) == NULL)
			fail_msg("%zu: result %d, \"%s\"", rows[i].len, r, said);
		free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),	    cmocka_unit_test(status),
		cmocka_unit_test(no_status),	    cmocka_unit_test(reaching_nobody),
		cmocka_unit_test(the_longest_path), cmocka_unit_test(no_descriptor_comes_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
