/*
 * Keeps the keys, and a signer for each worker alive. It reads nothing from anybody:
 * it waits for a signer to die, checks that the worker's end is still open, and
 * forks the next one, which needs no file.
 */
#include "gateway/keeper/keeper.h"

#include <errno.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/keeper/gssapi-keeper.h"
#include "gateway/keeper/keeper-sandbox.h"
#include "gateway/keeper/offspring.h"
#include "gateway/keeper/quota.h"
#include "gateway/keeper/signer.h"
#include "gateway/keeper/token-process.h"
#include "gateway/key/provider.h"
#include "gateway/tls/certs.h"
#include "gateway/tls/fips.h"

struct keeper {
	const struct keeper_setup *setup;
	struct certs **rings; /* one for each key ring of the policy */
	struct signer_key *keys;
	size_t nkeys;
	pid_t gssapi;	/* the keeper of the keytab; 0: there is none */
	pid_t *tokens;	/* one for each signer, if keys are in tokens; NULL: they are not */
	int *token_fds; /* the signers' ends of the sockets to those; -1: closed */
};

static size_t count_certificates(const struct policy *policy)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->nkeyrings; i++)
		n += policy->keyrings[i].ncertificates;
	return n;
}

static int add_keys(struct keeper *keeper, const struct certs *certs, const struct policy_keyring *ring)
{
	unsigned roles = signer_roles(keeper->setup->policy, ring);

	for (size_t i = 0; i < ring->ncertificates; i++) {
		struct signer_key *key = &keeper->keys[keeper->nkeys];
		size_t known = 0;

		if (certs_key(certs, i, key->id, &key->key) < 0)
			return -EINVAL;
		while (memcmp(keeper->keys[known].id, key->id, KEY_ID_BYTES) != 0) /* itself at the latest */
			known++;
		keeper->keys[known].roles |= roles; /* of all rings that have it */
		if (policy_key_is_in_token(&ring->certificates[i]))
			keeper->keys[known].uri = ring->certificates[i].key;
		keeper->nkeys += known == keeper->nkeys;
	}
	return 0;
}

static int load_keys(struct keeper *keeper, struct diags *diags)
{
	const struct policy *policy = keeper->setup->policy;
	int r = 0;

	keeper->rings = calloc(policy->nkeyrings + 1, sizeof(struct certs *));
	keeper->keys = calloc(count_certificates(policy) + 1, sizeof(*keeper->keys));
	if (keeper->rings == NULL || keeper->keys == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < policy->nkeyrings && r == 0; i++) {
		r = certs_load(&policy->keyrings[i], NULL, diags, &keeper->rings[i]);
		if (r == 0 && diags->nerrors > 0)
			r = -EINVAL;
		if (r == 0)
			r = add_keys(keeper, keeper->rings[i], &policy->keyrings[i]);
	}
	return r;
}

static const char *first_error(const struct diags *diags, int r)
{
	for (size_t i = 0; i < diags->nitems; i++)
		if (diags->items[i].level == DIAG_ERROR)
			return diags->items[i].message;
	return strerror(-r);
}

static int read_files(struct keeper *keeper)
{
	struct diags diags;
	int r = diags_init(&diags, "", NULL, 0);

	if (r < 0)
		return r;
	r = fips_check(&keeper->setup->policy->daemon, &diags);
	if (r == 0)
		r = load_keys(keeper, &diags);
	if (r < 0) /* the monitor has just checked these files, so they have changed since */
		log_event(LOG_LEVEL_ERROR, "keys-unreadable", LOG_TEXT("error", first_error(&diags, r)));
	diags_done(&diags);
	return r;
}

static struct signer signer_of(const struct keeper *keeper, size_t i)
{
	return (struct signer){ .fd = keeper->setup->fds[i],
				.token = keeper->tokens != NULL ? keeper->token_fds[i] : -1,
				.keys = keeper->keys,
				.n = keeper->nkeys,
				.counts = &keeper->setup->counts[i],
				.per_second = QUOTA_PER_SECOND };
}

static void begin(void *owner, size_t i)
{
	const struct keeper *keeper = owner;
	const struct signer signer = signer_of(keeper, i);

	for (size_t j = 0; keeper->tokens != NULL && j < keeper->setup->n; j++) /* the other signers' */
		if (j != i)
			fd_close(&keeper->token_fds[j]);
	signer_announce(&signer);
}

static void serve(void *owner, size_t i)
{
	const struct signer signer = signer_of(owner, i);

	signer_run(&signer);
}

/* The signer has gone for good: the end of the socket ends the process with its token. */
static void end_token(void *owner, size_t i)
{
	struct keeper *keeper = owner;

	if (keeper->tokens != NULL)
		fd_close(&keeper->token_fds[i]);
}

/* Has one ended that should not have? Only a new keeper can start another. */
static bool lost(void *owner, pid_t pid, int status)
{
	const struct keeper *keeper = owner;

	for (size_t i = 0; keeper->tokens != NULL && i < keeper->setup->n; i++)
		if (keeper->tokens[i] == pid && keeper->token_fds[i] != -1) {
			offspring_log_death("token-died", pid, keeper->setup->counts[i].worker, status);
			return true;
		}
	return pid == keeper->gssapi && status != 0;
}

static const struct offspring_kind signers = { .process = "signer",
					       .name = "attlsd-signer",
					       .died = "signer-died",
					       .not_started = "signer-not-started",
					       .begin = begin,
					       .serve = serve,
					       .gone = end_token,
					       .lost = lost };

static void keeper_done(struct keeper *keeper)
{
	for (size_t i = 0; keeper->rings != NULL && i < keeper->setup->policy->nkeyrings; i++)
		certs_free(&keeper->rings[i]);
	free(keeper->rings);
	free(keeper->keys);
	free(keeper->tokens);
	free(keeper->token_fds);
}

/*
 * The keytab goes to a process of its own, before this one has read a key. Each keeps its
 * own ends of the sockets. Returns the process, 0 (there is no keytab) or a negative errno.
 */
static pid_t fork_gssapi_keeper(const struct keeper_setup *setup)
{
	pid_t pid = setup->gssapi == NULL ? 0 : fork();

	if (setup->gssapi == NULL)
		return 0;
	if (pid == -1)
		return -errno;
	for (size_t i = 0; i < setup->n; i++)
		(void)close(pid == 0 ? setup->fds[i] : setup->gssapi[i]);
	if (pid == 0)
		_exit(gssapi_keeper_run(setup));
	return pid;
}

/*
 * Before any private key is read, so that what the module of a token does to its process cannot touch those
 * in files. If one fails, it says why itself.
 */
static int start_tokens(struct keeper *keeper)
{
	const struct keeper_setup *setup = keeper->setup;
	size_t n = setup->n;
	int *others, r = 0;

	if (!policy_has_token_keys(setup->policy))
		return 0;
	others = malloc(2 * n * sizeof(*others));
	keeper->tokens = calloc(n, sizeof(*keeper->tokens));
	keeper->token_fds = malloc(n * sizeof(*keeper->token_fds));
	if (others == NULL || keeper->tokens == NULL || keeper->token_fds == NULL)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < n; i++)
		keeper->token_fds[i] = -1;
	for (size_t i = 0; r == 0 && i < n; i++) {
		memcpy(others, setup->fds, n * sizeof(*others));
		memcpy(others + n, keeper->token_fds, n * sizeof(*others));
		r = token_process_start(setup, others, 2 * n, &keeper->token_fds[i], &keeper->tokens[i]);
		/* one login at a time: SoftHSM loses keys otherwise, and tokens count wrong PINs */
		if (r == 0)
			r = token_process_wait(keeper->token_fds[i]);
	}
	free(others);
	return r;
}

int keeper_run(const struct keeper_setup *setup)
{
	struct keeper keeper = { .setup = setup };
	struct offspring offspring = {
		.kind = &signers, .owner = &keeper, .fds = setup->fds, .n = setup->n, .counts = setup->counts
	};
	int r;

	(void)prctl(PR_SET_NAME, "attlsd-keeper", 0, 0, 0); /* only a name */
	(void)signal(SIGPIPE, SIG_IGN);
	r = keeper.gssapi = fork_gssapi_keeper(setup);
	if (r >= 0)
		r = start_tokens(&keeper);
	if (r == 0)
		r = read_files(&keeper);
	if (r == 0)
		r = keeper_sandbox(setup, "keeper");
	if (r == 0)
		r = offspring_start(&offspring);
	if (r == 0)
		r = offspring_keep(&offspring);
	offspring_done(&offspring);
	keeper_done(&keeper);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
