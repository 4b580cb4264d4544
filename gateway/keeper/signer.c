/*
 * Reads requests of one worker and answers each. It trusts none: request.c judges
 * form and content, the table of schemes says what a key may do, and a quota limits
 * how often. What is refused is counted and logged.
 */
#include "gateway/keeper/signer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/ask-link.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/keeper/quota.h"

/* A worker that asks for nonsense cannot fill the log with it. */
#define LOG_EVERY_MS 1000

struct state {
	const struct signer *signer;
	uint64_t logged_ms, unlogged;
	const char *uri; /* of the key that the request at hand asks a token for; NULL: none */
	struct ask_link token;
};

unsigned signer_roles(const struct policy *policy, const struct policy_keyring *ring)
{
	unsigned roles = KEY_ROLE_NONE;

	for (size_t i = 0; i < policy->ntls_actions; i++)
		if (policy->tls_actions[i].keyring == ring)
			roles |=
			    policy->tls_actions[i].role == ROLE_CLIENT ? KEY_ROLE_CLIENT : KEY_ROLE_SERVER;
	return roles != KEY_ROLE_NONE ? roles : KEY_ROLE_SERVER;
}

static const struct signer_key *find_key(const struct signer *signer, const uint8_t id[static KEY_ID_BYTES])
{
	for (size_t i = 0; i < signer->n; i++)
		if (memcmp(signer->keys[i].id, id, KEY_ID_BYTES) == 0)
			return &signer->keys[i];
	return NULL;
}

static bool set_padding(EVP_PKEY_CTX *ctx, const struct key_scheme *scheme)
{
	return !scheme->pss || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
				EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

static enum key_status sign(const struct signer_key *with, const struct key_scheme *scheme,
			    const struct key_request *request, struct key_answer *answer)
{
	EVP_PKEY *key = with->key;
	size_t len = sizeof(answer->signature);
	EVP_PKEY_CTX *pctx = NULL;
	EVP_MD_CTX *ctx;
	bool ok;

	if (EVP_PKEY_is_a(key, scheme->type) != 1)
		return KEY_STATUS_SCHEME;
	ctx = EVP_MD_CTX_new();
	ok = ctx != NULL &&
	     EVP_DigestSignInit_ex(ctx, &pctx, scheme->digest, with->libctx, NULL, key, NULL) == 1 &&
	     set_padding(pctx, scheme) &&
	     EVP_DigestSign(ctx, answer->signature, &len, request->content, request->len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	answer->len = ok ? (uint32_t)len : 0;
	return ok ? KEY_STATUS_DONE : KEY_STATUS_FAILED;
}

/* Earlier answers may come first, if they were late. What is no answer is passed over as they are. */
static enum ask_heard judge_token(const void *answer, size_t n, uint64_t serial)
{
	const struct key_answer *heard = answer;

	return key_answer_is_whole(heard, n) && heard->status != KEY_STATUS_STARTED && heard->serial == serial
		   ? ASK_HEARD_ANSWER
		   : ASK_HEARD_LATE;
}

/* This process has judged the request, and the other one judges it again. */
static enum key_status ask_token(struct state *state, const struct key_request *request,
				 struct key_answer *answer)
{
	struct {
		struct key_answer answer;
		uint8_t more; /* so that a longer packet is seen to be longer */
	} packet;
	const struct ask_question ask = { .request = request,
					  .request_bytes = key_request_bytes(request),
					  .answer = &packet,
					  .answer_size = sizeof(packet),
					  .judge = judge_token,
					  .attempts = 1 };

	if (state->token.fd == -1)
		return KEY_STATUS_FAILED;
	state->token.serial = request->serial;
	switch (ask_link_ask(&state->token, &ask)) {
	case ASK_ANSWERED:
		*answer = packet.answer;
		return answer->status;
	case ASK_SILENT:
		return KEY_STATUS_SILENT;
	case ASK_LEFT_ALONE:
		return KEY_STATUS_LEFT_ALONE;
	default:
		return KEY_STATUS_FAILED;
	}
}

static enum key_status carry_out(struct state *state, const struct key_request *request, size_t n,
				 struct key_answer *answer)
{
	const struct key_scheme *scheme;
	enum key_role role;
	enum key_status status = key_request_judge(request, n, &scheme, &role);
	const struct signer_key *key;

	if (status != KEY_STATUS_DONE)
		return status;
	if (!quota_take(state->signer->counts, state->signer->per_second, loop_clock_ms()))
		return KEY_STATUS_RATE;
	key = find_key(state->signer, request->key);
	if (key == NULL)
		return KEY_STATUS_UNKNOWN;
	if (scheme == NULL) /* it only asks whether the key is there */
		return KEY_STATUS_DONE;
	if ((key->roles & role) == 0)
		return KEY_STATUS_ROLE;
	state->uri = key->uri;
	status = key->uri != NULL ? ask_token(state, request, answer) : sign(key, scheme, request, answer);
	if (status == KEY_STATUS_DONE)
		state->signer->counts->signatures++;
	return status;
}

/* Is it the fault of the key or its token, and not of the worker? */
static bool is_failure(enum key_status status)
{
	return status == KEY_STATUS_FAILED || status == KEY_STATUS_SILENT || status == KEY_STATUS_LEFT_ALONE;
}

static void refused(struct state *state, enum key_status status)
{
	struct key_counts *counts = state->signer->counts;
	uint64_t now = loop_clock_ms();

	if (is_failure(status))
		counts->failed++;
	else
		counts->refused++;
	state->unlogged++;
	if (state->logged_ms != 0 && now - state->logged_ms < LOG_EVERY_MS)
		return;
	log_event(LOG_LEVEL_ERROR, "signature-refused", LOG_NUMBER("worker", counts->worker),
		  LOG_TEXT(state->uri != NULL ? "key" : "", state->uri),
		  LOG_TEXT("reason", key_status_text(status)), LOG_NUMBER("requests", state->unlogged));
	state->logged_ms = now;
	state->unlogged = 0;
}

/* Returns false when the worker's end is closed. */
static bool serve(struct state *state, const struct key_request *request, size_t n)
{
	/* all of it, so that nothing of an earlier answer or of the stack goes out */
	struct key_answer answer = { .status = KEY_STATUS_MALFORMED };

	state->uri = NULL;
	if (n >= offsetof(struct key_request, content))
		answer.serial = request->serial;
	answer.status = carry_out(state, request, n, &answer);
	if (answer.status != KEY_STATUS_DONE)
		refused(state, answer.status);
	return packet_write(state->signer->fd, &answer, key_answer_bytes(&answer)) != -1;
}

void signer_announce(const struct signer *signer)
{
	const struct key_answer started = { .status = KEY_STATUS_STARTED };

	/* the socket is full only if the worker has not read for long, and then it does not wait for an
	 * answer */
	(void)send(signer->fd, &started, key_answer_bytes(&started), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void signer_run(const struct signer *signer)
{
	struct state state = { .signer = signer,
			       .token = { .fd = signer->token, .ms = SIGNER_TOKEN_MAX_MS, .plain = true } };
	struct {
		struct key_request request;
		uint8_t more; /* so that a longer packet is seen to be longer */
	} packet;
	ssize_t n;

	do {
		n = packet_read(signer->fd, &packet, sizeof(packet));
	} while (n > 0 && serve(&state, &packet.request, (size_t)n));
}
