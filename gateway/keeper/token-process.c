/*
 * Reads the PINs while it is still privileged, becomes the keys' user, and only then loads the
 * module. Each process logs in by itself: what a module has before a fork is of no use after it.
 */
#include "gateway/keeper/token-process.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/ask-link.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/keeper/keeper-sandbox.h"
#include "gateway/keeper/quota.h"
#include "gateway/keeper/signer.h"
#include "gateway/key/provider.h"
#include "gateway/tls/certs-file.h"
#include "gateway/tls/password-file.h"
#include "gateway/tls/token.h"

/* A login at a device in the network. */
#define START_MAX_MS 30000

struct opened {
	const struct policy_certificate *from;
	unsigned roles;
	X509 *leaf;
	char *pin;
	struct token *token;
};

static size_t count(const struct policy *policy)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->nkeyrings; i++)
		for (size_t j = 0; j < policy->keyrings[i].ncertificates; j++)
			n += policy_key_is_in_token(&policy->keyrings[i].certificates[j]);
	return n;
}

static int read_files(struct opened *one, struct diags *diags)
{
	BIO *bio =
	    certs_file_open(one->from->chain, one->from->chain_mark, "certificate chain", DIAG_ERROR, diags);

	if (bio != NULL)
		one->leaf = PEM_read_bio_X509_AUX(bio, NULL, certs_file_passphrase, NULL);
	BIO_free(bio);
	if (one->leaf == NULL)
		return -EINVAL;
	return one->from->password_file == NULL
		   ? 0
		   : password_file_read(one->from->password_file, one->from->password_file_mark, diags,
					&one->pin);
}

static void say_failed(const struct policy_certificate *from, const char *error)
{
	log_event(LOG_LEVEL_ERROR, "token-failed", LOG_TEXT("key", from->key), LOG_TEXT("error", error));
}

static int open_all(struct opened *all, size_t n)
{
	char why[TOKEN_WHY_MAX];
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		r = token_open(all[i].from->key, all[i].pin, all[i].leaf, &all[i].token, why);
		if (r < 0)
			say_failed(all[i].from, why);
		password_file_free(&all[i].pin);
	}
	return r;
}

/* One for each key, although several key rings may have its certificate. */
static size_t take_keys(const struct opened *all, size_t n, struct signer_key *keys)
{
	size_t taken = 0;

	for (size_t i = 0; i < n; i++) {
		struct signer_key *key = &keys[taken];
		size_t known = 0;

		if (key_provider_id(all[i].leaf, key->id) < 0)
			continue;
		while (memcmp(keys[known].id, key->id, KEY_ID_BYTES) != 0) /* itself at the latest */
			known++;
		keys[known].roles |= all[i].roles;
		key->key = token_key(all[i].token);
		key->libctx = token_libctx(all[i].token);
		taken += known == taken;
	}
	return taken;
}

static int run(const struct keeper_setup *setup, int fd)
{
	size_t n = count(setup->policy), at = 0;
	struct opened *all = calloc(n, sizeof(*all));
	struct signer_key *keys = calloc(n + 1, sizeof(*keys));
	struct key_counts counts = { .worker = (int32_t)getppid() }; /* the signer has those that are shown */
	struct signer signer = { .fd = fd, .token = -1, .counts = &counts, .per_second = QUOTA_PER_SECOND };
	struct diags diags;
	int r = all == NULL || keys == NULL ? -ENOMEM : diags_init(&diags, "", NULL, 0);

	if (r < 0)
		return r;
	for (size_t i = 0; i < setup->policy->nkeyrings; i++)
		for (size_t j = 0; j < setup->policy->keyrings[i].ncertificates; j++)
			if (policy_key_is_in_token(&setup->policy->keyrings[i].certificates[j])) {
				all[at].roles = signer_roles(setup->policy, &setup->policy->keyrings[i]);
				all[at++].from = &setup->policy->keyrings[i].certificates[j];
			}
	for (size_t i = 0; i < n && r == 0; i++) {
		r = read_files(&all[i], &diags);
		if (r < 0)
			say_failed(all[i].from, diags.nitems > 0 ? diags.items[0].message
								 : "its certificate is not readable");
	}
	diags_done(&diags);
	if (r == 0)
		r = keeper_sandbox_token(setup);
	if (r == 0)
		r = open_all(all, n);
	if (r == 0) {
		signer.keys = keys;
		signer.n = take_keys(all, n, keys);
		signer_announce(&signer);
		signer_run(&signer);
	}
	for (size_t i = 0; i < n; i++) {
		token_close(&all[i].token);
		password_file_free(&all[i].pin);
		X509_free(all[i].leaf);
	}
	free(all);
	free(keys);
	return r;
}

int token_process_start(const struct keeper_setup *setup, const int *others, size_t nothers, int *ret_fd,
			pid_t *ret_pid)
{
	int ends[2];
	pid_t pid;
	int r = ask_link_pair(ends, SIGNER_TOKEN_MAX_MS, true);

	if (r < 0)
		return r;
	pid = fork();
	if (pid == -1)
		r = -errno;
	if (pid == 0) {
		(void)close(ends[0]);
		for (size_t i = 0; i < nothers; i++)
			if (others[i] != -1)
				(void)close(others[i]); /* of signers, and of processes like this one */
		(void)prctl(PR_SET_NAME, "attlsd-token", 0, 0, 0); /* only a name */
		_exit(run(setup, ends[1]) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	fd_close(&ends[1]);
	if (r == 0) {
		*ret_pid = pid;
		*ret_fd = fd_take(&ends[0]);
	}
	fd_close(&ends[0]);
	return r;
}

int token_process_wait(int fd)
{
	struct pollfd look = { .fd = fd, .events = POLLIN };
	struct key_answer answer;
	ssize_t n;

	if (poll(&look, 1, START_MAX_MS) != 1)
		return -EIO;
	n = read(fd, &answer, sizeof(answer));
	return n > 0 && answer.status == KEY_STATUS_STARTED ? 0 : -EIO;
}
