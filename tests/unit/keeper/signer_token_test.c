/* A signer whose key is in a token. The test is both its worker and the process with the token. */
#include "gateway/keeper/signer.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/keeper/quota.h"
#include "gateway/key/link.h"
#include "tests/unit/unit.h"

struct scene {
	int worker[2], token[2]; /* the test has the first ends */
	struct key_counts *counts;
	pid_t pid;
};

static int start(void **state)
{
	static const struct timeval wait = { .tv_usec = 50000 };
	const struct signer_key key = { .id = { 1 }, .roles = KEY_ROLE_SERVER, .uri = "pkcs11:token=t" };
	struct scene *scene = calloc(1, sizeof(*scene));
	struct signer signer = { .keys = &key, .n = 1, .per_second = QUOTA_PER_SECOND };

	(void)alarm(60); /* when the test hangs */
	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	assert_int_equal(key_link_pair(scene->worker), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, scene->token), 0);
	assert_int_equal(setsockopt(scene->token[1], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	signer.counts = scene->counts =
	    mmap(NULL, sizeof(*scene->counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	signer.fd = scene->worker[1];
	signer.token = scene->token[1];
	scene->pid = fork();
	assert_int_not_equal(scene->pid, -1);
	if (scene->pid == 0) {
		(void)close(scene->worker[0]);
		(void)close(scene->token[0]);
		signer_run(&signer);
		_exit(EXIT_SUCCESS);
	}
	(void)close(scene->worker[1]);
	(void)close(scene->token[1]);
	*state = scene;
	return 0;
}

static int end(void **state)
{
	struct scene *scene = *state;
	int status;

	(void)close(scene->worker[0]);
	assert_int_equal(waitpid(scene->pid, &status, 0), scene->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
	(void)close(scene->token[0]);
	(void)munmap(scene->counts, sizeof(*scene->counts));
	free(scene);
	return 0;
}

static void ask(const struct scene *scene, uint64_t serial, uint8_t content)
{
	static const char transcript[] = "TLS 1.3, server CertificateVerify";
	struct key_request request = {
		.ask = KEY_ASK_SIGN, .scheme = 0x0403, .serial = serial, .key = { 1 }
	};

	memset(request.content, content, 64);
	memcpy(request.content + 64, transcript, sizeof(transcript));
	request.len = 64 + 32 + sizeof(transcript);
	assert_int_equal(send(scene->worker[0], &request, key_request_bytes(&request), 0),
			 key_request_bytes(&request));
}

/* What the signer tells the worker. */
static struct key_answer answer_of(const struct scene *scene)
{
	struct key_answer answer;

	memset(&answer, 0, sizeof(answer));
	assert_true(recv(scene->worker[0], &answer, sizeof(answer), 0) > 0);
	return answer;
}

static void say(const struct scene *scene, uint32_t status, uint64_t serial, char signature)
{
	struct key_answer answer = { .status = status, .serial = serial, .len = 1 };

	answer.signature[0] = (uint8_t)signature;
	assert_int_equal(send(scene->token[0], &answer, key_answer_bytes(&answer), 0),
			 key_answer_bytes(&answer));
}

/* The worker gets the answer to its own request, not one that was late, nor what is no answer. */
static void test_the_right_answer(void **state)
{
	const struct scene *scene = *state;
	struct key_request request;
	struct key_answer answer;

	say(scene, KEY_STATUS_STARTED, 7, 's');
	say(scene, KEY_STATUS_DONE, 6, 'l');
	assert_int_equal(send(scene->token[0], "garbage", 7, 0), 7);
	say(scene, KEY_STATUS_DONE, 7, 'r');
	ask(scene, 7, ' ');
	answer = answer_of(scene);
	assert_int_equal(answer.status, KEY_STATUS_DONE);
	assert_int_equal(answer.serial, 7);
	assert_int_equal(answer.len, 1);
	assert_int_equal(answer.signature[0], 'r');
	assert_int_equal(scene->counts->signatures, 1);
	assert_true(recv(scene->token[0], &request, sizeof(request), MSG_DONTWAIT) > 0);
	assert_int_equal(request.serial, 7);
	say(scene, KEY_STATUS_SCHEME, 8, 'x');
	ask(scene, 8, ' ');
	assert_int_equal(answer_of(scene).status, KEY_STATUS_SCHEME);
	assert_int_equal(scene->counts->signatures, 1);
	assert_int_equal(scene->counts->refused, 1);
}

/* The token never sees what a signer refuses. */
static void test_judges_first(void **state)
{
	const struct scene *scene = *state;
	struct key_request request;

	say(scene, KEY_STATUS_DONE, 7, 'r');
	ask(scene, 7, 'x');
	assert_int_equal(answer_of(scene).status, KEY_STATUS_CONTENT);
	assert_int_equal(recv(scene->token[0], &request, sizeof(request), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

/* A token that is silent, or talks nonsense without end, is asked once, and then left alone for a while. */
static void expect_silence(const struct scene *scene)
{
	struct key_request request;

	for (uint64_t serial = 1; serial <= 3; serial++) {
		ask(scene, serial, ' ');
		assert_int_equal(answer_of(scene).status,
				 serial == 1 ? KEY_STATUS_SILENT : KEY_STATUS_LEFT_ALONE);
	}
	assert_true(recv(scene->token[0], &request, sizeof(request), MSG_DONTWAIT) > 0);
	assert_int_equal(request.serial, 1);
	assert_int_equal(recv(scene->token[0], &request, sizeof(request), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(scene->counts->signatures, 0);
	assert_int_equal(scene->counts->failed, 3); /* not the worker's fault */
	assert_int_equal(scene->counts->refused, 0);
}

static void test_silent(void **state)
{
	expect_silence(*state);
}

static void test_nonsense(void **state)
{
	const struct scene *scene = *state;

	while (send(scene->token[0], "nonsense", 8, MSG_DONTWAIT) == 8)
		;
	expect_silence(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_right_answer, start, end),
		cmocka_unit_test_setup_teardown(test_judges_first, start, end),
		cmocka_unit_test_setup_teardown(test_silent, start, end),
		cmocka_unit_test_setup_teardown(test_nonsense, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
