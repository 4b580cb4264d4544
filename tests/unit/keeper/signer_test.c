/* A real signer in a process of its own, asked through the worker's end, rightly and wrongly. */
#include "gateway/keeper/signer.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/keeper/quota.h"
#include "gateway/key/link.h"
#include "tests/unit/unit.h"

static const struct {
	const char *type;
	const char *curve; /* NULL: none */
	uint16_t scheme;
	const char *digest; /* NULL: none */
	bool pss;
} kinds[] = {
	{ "EC", "P-256", 0x0403, "SHA256", false }, { "EC", "P-384", 0x0503, "SHA384", false },
	{ "RSA", NULL, 0x0804, "SHA256", true },    { "RSA", NULL, 0x0401, "SHA256", false },
	{ "ED25519", NULL, 0x0807, NULL, false },   { "RSA-PSS", NULL, 0x0809, "SHA256", true },
};

#define CLIENTS_KEY	 100
#define FLOOD_PER_SECOND 50

struct scene {
	int fds[2];
	struct signer_key keys[NELEM(kinds) + 1]; /* the last one is the first, for clients */
	struct signer signer;
	struct key_counts *counts;
	struct key_link link;
	pid_t pid;
};

/* Made once, since RSA keys take long. */
static EVP_PKEY *keys[NELEM(kinds)];

static EVP_PKEY *new_key(const char *type, const char *curve)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	if (curve != NULL)
		assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, curve), 1);
	assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static int make_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(kinds); i++)
		keys[i] = new_key(kinds[i].type, kinds[i].curve);
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(kinds); i++)
		EVP_PKEY_free(keys[i]);
	return 0;
}

static void start_signer(struct scene *scene)
{
	scene->pid = fork();
	assert_int_not_equal(scene->pid, -1);
	if (scene->pid != 0)
		return;
	(void)close(scene->fds[0]);
	signer_announce(&scene->signer);
	signer_run(&scene->signer);
	_exit(EXIT_SUCCESS);
}

static int scene_start_with(void **state, uint32_t per_second)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	(void)alarm(60); /* when the test hangs */
	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	assert_int_equal(key_link_pair(scene->fds), 0);
	for (size_t i = 0; i < NELEM(kinds); i++) {
		scene->keys[i].id[0] = (uint8_t)(i + 1);
		scene->keys[i].roles = KEY_ROLE_SERVER;
		scene->keys[i].key = keys[i];
	}
	scene->keys[NELEM(kinds)] =
	    (struct signer_key){ .id = { CLIENTS_KEY }, .roles = KEY_ROLE_CLIENT, .key = keys[0] };
	scene->counts =
	    mmap(NULL, sizeof(*scene->counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	scene->signer = (struct signer){ .fd = scene->fds[1],
					 .token = -1,
					 .keys = scene->keys,
					 .n = NELEM(scene->keys),
					 .counts = scene->counts,
					 .per_second = per_second };
	assert_int_equal(key_link_init(&scene->link, scene->fds[0]), 0);
	start_signer(scene);
	assert_true(recv(scene->fds[0], &scene->link.packet.answer, sizeof(scene->link.packet.answer), 0) >
		    0);
	assert_int_equal(scene->link.packet.answer.status, KEY_STATUS_STARTED);
	*state = scene;
	return 0;
}

static int scene_start(void **state)
{
	return scene_start_with(state, QUOTA_PER_SECOND);
}

static int flood_start(void **state)
{
	return scene_start_with(state, FLOOD_PER_SECOND);
}

static int scene_end(void **state)
{
	struct scene *scene = *state;
	int status;

	(void)close(scene->fds[0]);
	assert_int_equal(waitpid(scene->pid, &status, 0), scene->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
	(void)close(scene->fds[1]);
	(void)munmap(scene->counts, sizeof(*scene->counts));
	free(scene);
	return 0;
}

static struct key_request request_for(size_t kind, bool tls13)
{
	static const char transcript[] = "TLS 1.3, server CertificateVerify";
	static const uint8_t x25519[] = { 3, 0, 29, 32 };
	struct key_request request = { .ask = KEY_ASK_SIGN, .scheme = kinds[kind].scheme };

	request.key[0] = (uint8_t)(kind + 1);
	memset(request.content, ' ', 64);
	memcpy(request.content + 64, tls13 ? (const void *)transcript : x25519,
	       tls13 ? sizeof(transcript) : sizeof(x25519));
	request.len = (uint16_t)(64 + 32 + (tls13 ? sizeof(transcript) : sizeof(x25519)));
	return request;
}

/* Does the signature verify, with OpenSSL's own code and the public key? */
static bool verifies(const struct scene *scene, size_t kind, const struct key_request *request)
{
	const struct key_answer *answer = &scene->link.packet.answer;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	bool ok = EVP_DigestVerifyInit_ex(ctx, &pctx, kinds[kind].digest, NULL, NULL, scene->keys[kind].key,
					  NULL) == 1;

	if (ok && kinds[kind].pss)
		ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
	ok = ok && EVP_DigestVerify(ctx, answer->signature, answer->len, request->content, request->len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static void test_signs(void **state)
{
	struct scene *scene = *state;
	uint64_t n = 0;

	for (size_t i = 0; i < NELEM(kinds); i++)
		for (int tls13 = 0; tls13 <= 1; tls13++) {
			struct key_request request = request_for(i, tls13);
			bool may = !tls13 || kinds[i].pss || strcmp(kinds[i].type, "RSA") != 0;
			const char *fault = key_link_ask(&scene->link, &request);

			if (may) {
				assert_null(fault);
				assert_true(verifies(scene, i, &request));
				n++;
			} else {
				assert_string_equal(fault, key_status_text(KEY_STATUS_SCHEME));
			}
		}
	assert_int_equal(scene->counts->signatures, n);
	assert_int_equal(scene->counts->refused, 1);
}

static void expect(struct scene *scene, const struct key_request *request, enum key_status want)
{
	struct key_request copy = *request;
	uint64_t refused = scene->counts->refused;
	const char *fault = key_link_ask(&scene->link, &copy);

	if (want == KEY_STATUS_DONE)
		assert_null(fault);
	else
		assert_string_equal(fault, key_status_text(want));
	assert_int_equal(scene->link.packet.answer.len, 0);
	assert_int_equal(scene->counts->refused, refused + (want != KEY_STATUS_DONE));
}

static void test_refuses(void **state)
{
	struct scene *scene = *state;
	struct key_request request = request_for(0, true);

	request.key[1] = 1;
	expect(scene, &request, KEY_STATUS_UNKNOWN);
	request = request_for(0, true);
	request.scheme = 0x0804; /* of an RSA key */
	expect(scene, &request, KEY_STATUS_SCHEME);
	request = request_for(2, true);
	request.scheme = 0x0809; /* of an RSA-PSS key */
	expect(scene, &request, KEY_STATUS_SCHEME);
	request = request_for(0, true);
	request.content[70] ^= 1;
	expect(scene, &request, KEY_STATUS_CONTENT);
	request = (struct key_request){ .ask = KEY_ASK_KNOWN };
	expect(scene, &request, KEY_STATUS_UNKNOWN);
	request.key[0] = 1;
	expect(scene, &request, KEY_STATUS_DONE);
	request.ask = 77;
	expect(scene, &request, KEY_STATUS_MALFORMED);
}

/* A server's key signs nothing of a client, and the other way round. */
static void test_roles(void **state)
{
	struct scene *scene = *state;
	struct key_request servers = request_for(0, true), clients = request_for(0, true);

	memcpy(strstr((char *)clients.content, "server"), "client", strlen("client"));
	expect(scene, &clients, KEY_STATUS_ROLE);
	clients.key[0] = servers.key[0] = CLIENTS_KEY;
	expect(scene, &servers, KEY_STATUS_ROLE);
	assert_null(key_link_ask(&scene->link, &clients));
	assert_true(verifies(scene, 0, &clients));
}

/* Packets that are no requests: each gets one refusal, and the signer goes on. */
static void test_garbage(void **state)
{
	struct scene *scene = *state;
	struct key_request request = request_for(0, true);
	uint8_t garbage[sizeof(request) + 100];

	memset(garbage, 0xA5, sizeof(garbage));
	for (size_t n = 1; n <= sizeof(garbage); n += 7) {
		struct key_answer answer;

		assert_int_equal(send(scene->fds[0], garbage, n, 0), n);
		assert_int_equal(recv(scene->fds[0], &answer, sizeof(answer), 0),
				 offsetof(struct key_answer, signature));
		assert_int_equal(answer.status, KEY_STATUS_MALFORMED);
	}
	assert_null(key_link_ask(&scene->link, &request));
	assert_true(verifies(scene, 0, &request));
}

/* A signer that dies with a request in hand: the next one gets the request again. */
static void test_replaced(void **state)
{
	struct scene *scene = *state;
	struct key_request request = request_for(0, true);
	pid_t first = scene->pid;
	int status;

	assert_null(key_link_ask(&scene->link, &request));
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_int_equal(waitpid(first, &status, 0), first);
	/* what the dead one has read */
	assert_int_equal(send(scene->fds[0], &request, key_request_bytes(&request), 0),
			 key_request_bytes(&request));
	assert_true(recv(scene->fds[1], &request, sizeof(request), 0) > 0);
	start_signer(scene);
	for (int i = 0; i < 3; i++) {
		request = request_for(0, i & 1);
		assert_null(key_link_ask(&scene->link, &request));
		assert_true(verifies(scene, 0, &request));
	}
}

/* A second's worth of requests, and more: the limit is met, and is over with the second. */
static void test_quota(void **state)
{
	struct key_counts counts = { .worker = 1 };

	(void)state;
	for (int second = 5; second < 8; second++) {
		for (int i = 0; i < QUOTA_PER_SECOND; i++)
			assert_true(quota_take(&counts, QUOTA_PER_SECOND,
					       (uint64_t)second * 1000 + (uint64_t)i % 1000));
		assert_false(quota_take(&counts, QUOTA_PER_SECOND, (uint64_t)second * 1000 + 999));
	}
}

/* A worker that ends its signers, with empty packets, gets no more from the next one. */
static void test_quota_outlives_the_signer(void **state)
{
	struct scene *scene = *state;
	const char *fault;
	uint64_t second;
	int status;

	do {
		struct key_request request = { .ask = KEY_ASK_KNOWN, .key = { 1 } };

		second = loop_clock_ms() / 1000;
		while ((fault = key_link_ask(&scene->link, &request)) == NULL)
			;
		assert_string_equal(fault, key_status_text(KEY_STATUS_RATE));
		assert_int_equal(send(scene->fds[0], &request, 0, 0), 0);
		assert_int_equal(waitpid(scene->pid, &status, 0), scene->pid);
		start_signer(scene);
		fault = key_link_ask(&scene->link, &request);
	} while (loop_clock_ms() / 1000 != second);
	assert_string_equal(fault, key_status_text(KEY_STATUS_RATE));
}

/* The signer applies it, and asking whether a key is there counts. The limit is one that every machine
 * reaches within a second. */
static void test_flood(void **state)
{
	struct scene *scene = *state;
	const char *fault = NULL;

	for (int i = 0; fault == NULL && i < 1000 * FLOOD_PER_SECOND; i++) {
		struct key_request request = { .ask = KEY_ASK_KNOWN, .key = { 1 } };

		fault = key_link_ask(&scene->link, &request);
	}
	assert_string_equal(fault, key_status_text(KEY_STATUS_RATE));
}

static int64_t clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A link to a process that behaves as `signer` says. */
struct fake {
	struct key_link link;
	int fds[2];
	pid_t pid;
};

static void fake_start(struct fake *fake, void (*signer)(int fd))
{
	(void)alarm(60);
	assert_int_equal(key_link_pair(fake->fds), 0);
	assert_int_equal(key_link_init(&fake->link, fake->fds[0]), 0);
	fake->pid = fork();
	assert_int_not_equal(fake->pid, -1);
	if (fake->pid == 0) {
		(void)close(fake->fds[0]);
		signer(fake->fds[1]);
		_exit(EXIT_SUCCESS);
	}
}

static void fake_end(struct fake *fake)
{
	(void)close(fake->fds[0]);
	(void)close(fake->fds[1]);
	assert_int_equal(waitpid(fake->pid, NULL, 0), fake->pid);
}

static void answers_wrongly(int fd)
{
	const struct key_answer wrong = { .status = KEY_STATUS_DONE };
	const struct timespec pause = { .tv_nsec = 100 * 1000000 };

	while (send(fd, &wrong, key_answer_bytes(&wrong), MSG_NOSIGNAL) != -1)
		(void)nanosleep(&pause, NULL);
}

/* A signer in an attacker's hands sends answers without end, but never the right one. */
static void test_wrong_answers(void **state)
{
	struct key_request request = request_for(0, true);
	int64_t begin_ms = clock_ms();
	struct fake fake;

	(void)state;
	fake_start(&fake, answers_wrongly);
	assert_non_null(strstr(key_link_ask(&fake.link, &request), "does not answer"));
	assert_true(clock_ms() - begin_ms < 3 * KEY_LINK_MAX_MS);
	fake_end(&fake);
}

static void logs_in_slowly(int fd)
{
	const struct timespec login = { .tv_sec = KEY_LINK_MAX_MS / 1000, .tv_nsec = 500000000 };
	struct key_answer answer = { .status = KEY_STATUS_DONE };
	struct key_request asked;

	(void)nanosleep(&login, NULL); /* at its token */
	(void)!read(fd, &asked, sizeof(asked));
	answer.serial = asked.serial;
	(void)!write(fd, &answer, key_answer_bytes(&answer));
}

/* Where keys are in tokens, a worker at its start waits for a signer that takes longer than usual. */
static void test_a_slow_start(void **state)
{
	struct key_request request = { .ask = KEY_ASK_KNOWN };
	struct fake fake;

	(void)state;
	fake_start(&fake, logs_in_slowly);
	fake.link.start_ms = KEY_LINK_START_MS;
	assert_null(key_link_ask(&fake.link, &request));
	fake_end(&fake);
}

/* A signer that stands still costs one wait, not one for each handshake; what it says at last is a sign of
 * life. */
static void test_silent(void **state)
{
	struct scene *scene = *state;
	struct key_request request = request_for(0, true);
	struct key_answer late;
	int64_t begin_ms;

	assert_int_equal(kill(scene->pid, SIGSTOP), 0);
	assert_non_null(strstr(key_link_ask(&scene->link, &request), "does not answer"));
	begin_ms = clock_ms();
	for (int i = 0; i < 100; i++)
		assert_non_null(strstr(key_link_ask(&scene->link, &request), "does not answer"));
	assert_true(clock_ms() - begin_ms < KEY_LINK_MAX_MS);
	assert_int_equal(kill(scene->pid, SIGCONT), 0);
	assert_true(recv(scene->fds[0], &late, sizeof(late), MSG_PEEK) > 0);
	assert_null(key_link_ask(&scene->link, &request));
	assert_true(verifies(scene, 0, &request));
}

static void test_gone(void **state)
{
	struct key_request request = request_for(0, true);
	struct key_link link;
	int fds[2];

	(void)state;
	assert_int_equal(key_link_pair(fds), 0);
	assert_int_equal(key_link_init(&link, fds[0]), 0);
	(void)close(fds[1]);
	assert_non_null(strstr(key_link_ask(&link, &request), "have ended"));
	(void)close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_signs, scene_start, scene_end),
		cmocka_unit_test_setup_teardown(test_refuses, scene_start, scene_end),
		cmocka_unit_test_setup_teardown(test_roles, scene_start, scene_end),
		cmocka_unit_test_setup_teardown(test_garbage, scene_start, scene_end),
		cmocka_unit_test_setup_teardown(test_silent, scene_start, scene_end),
		cmocka_unit_test(test_a_slow_start),
		cmocka_unit_test(test_wrong_answers),
		cmocka_unit_test_setup_teardown(test_replaced, scene_start, scene_end),
		cmocka_unit_test(test_quota),
		cmocka_unit_test_setup_teardown(test_flood, flood_start, scene_end),
		cmocka_unit_test_setup_teardown(test_quota_outlives_the_signer, flood_start, scene_end),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
