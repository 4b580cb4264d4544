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
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/host/sandbox-key.h"
#include "gateway/keeper/gssapi-keeper.h"
#include "gateway/keeper/keeper-sandbox.h"
#include "gateway/keeper/offspring.h"
#include "gateway/keeper/quota.h"
#include "gateway/keeper/signer.h"
#include "gateway/key/provider.h"
#include "gateway/tls/certs.h"
#include "gateway/tls/fips.h"

struct keeper {
	const struct keeper_setup *setup;
	struct certs **rings; /* one for each key ring of the policy */
	struct signer_key *keys;
	size_t nkeys;
};

static size_t count_certificates(const struct policy *policy)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->nkeyrings; i++)
		n += policy->keyrings[i].ncertificates;
	return n;
}

/* Which sides of TLS use this ring? One that none uses counts as a server's. */
static unsigned roles_of(const struct policy *policy, const struct policy_keyring *ring)
{
	unsigned roles = KEY_ROLE_NONE;

	for (size_t i = 0; i < policy->ntls_actions; i++)
		if (policy->tls_actions[i].keyring == ring)
			roles |=
			    policy->tls_actions[i].role == ROLE_CLIENT ? KEY_ROLE_CLIENT : KEY_ROLE_SERVER;
	return roles != KEY_ROLE_NONE ? roles : KEY_ROLE_SERVER;
}

static int add_keys(struct keeper *keeper, const struct certs *certs, size_t n, unsigned roles)
{
	for (size_t i = 0; i < n; i++) {
		struct signer_key *key = &keeper->keys[keeper->nkeys];
		size_t known = 0;

		if (certs_key(certs, i, key->id, &key->key) < 0)
			return -EINVAL;
		while (memcmp(keeper->keys[known].id, key->id, KEY_ID_BYTES) != 0) /* itself at the latest */
			known++;
		keeper->keys[known].roles |= roles; /* of all rings that have it */
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
			r = add_keys(keeper, keeper->rings[i], policy->keyrings[i].ncertificates,
				     roles_of(policy, &policy->keyrings[i]));
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

static void run(void *owner, size_t i)
{
	const struct keeper *keeper = owner;
	const struct signer signer = { .fd = keeper->setup->fds[i],
				       .keys = keeper->keys,
				       .n = keeper->nkeys,
				       .counts = &keeper->setup->counts[i],
				       .per_second = QUOTA_PER_SECOND };
	int r;

	(void)prctl(PR_SET_NAME, "attlsd-signer", 0, 0, 0); /* only a name */
	signer_announce(&signer);
	r = sandbox_signer();
	if (r < 0) {
		log_event(LOG_LEVEL_ERROR, "sandbox-failed", LOG_TEXT("process", "signer"),
			  LOG_TEXT("error", strerror(-r)));
		_exit(EXIT_FAILURE);
	}
	signer_run(&signer);
	_exit(EXIT_SUCCESS);
}

static void log_death(void *owner, size_t i, pid_t pid, int status)
{
	const struct keeper *keeper = owner;

	log_event(LOG_LEVEL_ERROR, "signer-died", LOG_NUMBER("pid", pid),
		  LOG_NUMBER("worker", keeper->setup->counts[i].worker),
		  LOG_NUMBER("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
}

static void log_failure(void *owner, int r)
{
	(void)owner;
	log_event(LOG_LEVEL_ERROR, "signer-not-started", LOG_TEXT("error", strerror(-r)));
}

static void keeper_done(struct keeper *keeper)
{
	for (size_t i = 0; keeper->rings != NULL && i < keeper->setup->policy->nkeyrings; i++)
		certs_free(&keeper->rings[i]);
	free(keeper->rings);
	free(keeper->keys);
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

int keeper_run(const struct keeper_setup *setup)
{
	struct keeper keeper = { .setup = setup };
	struct offspring offspring = { .fds = setup->fds,
				       .n = setup->n,
				       .run = run,
				       .log_death = log_death,
				       .log_failure = log_failure,
				       .owner = &keeper };
	int r;

	(void)prctl(PR_SET_NAME, "attlsd-keeper", 0, 0, 0); /* only a name */
	(void)signal(SIGPIPE, SIG_IGN);
	r = offspring.other = fork_gssapi_keeper(setup);
	if (r >= 0)
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
