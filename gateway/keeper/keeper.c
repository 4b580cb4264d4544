/*
 * Keeps the keys, and a signer for each worker alive. It reads nothing from anybody:
 * it waits for a signer to die, checks that the worker's end is still open, and
 * forks the next one, which needs no file.
 */
#include "gateway/keeper/keeper.h"

#include <errno.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/host/sandbox-key.h"
#include "gateway/keeper/quota.h"
#include "gateway/keeper/signer.h"
#include "gateway/key/provider.h"
#include "gateway/tls/certs.h"
#include "gateway/tls/fips.h"

/* So many signers may die at once; after that, each waits, so that one that always dies costs little. */
#define QUICK_MAX     10
#define QUICK_MS      1000
#define QUICK_WAIT_MS 100

struct keeper {
	const struct keeper_setup *setup;
	struct certs **rings; /* one for each key ring of the policy */
	struct signer_key *keys;
	size_t nkeys;
	pid_t *signers; /* one for each worker; 0: has ended with it */
	uint64_t quick_since_ms;
	size_t quick; /* signers that died since then */
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
	keeper->signers = calloc(keeper->setup->n, sizeof(*keeper->signers));
	if (keeper->rings == NULL || keeper->keys == NULL || keeper->signers == NULL)
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

static int drop_privileges(const struct keeper_setup *setup)
{
	const char *step = "";
	int r = sandbox_keeper(setup->root, setup->uid, setup->gid, &step);

	if (r == -EINVAL && setup->root != -1 && setup->uid != setup->worker_uid) {
		log_event(LOG_LEVEL_WARNING, "key-user-missing", LOG_NUMBER("uid", setup->uid),
			  LOG_NUMBER("instead", setup->worker_uid));
		r = sandbox_keeper(setup->root, setup->worker_uid, setup->worker_gid, &step);
	}
	if (r < 0)
		log_event(LOG_LEVEL_ERROR, "sandbox-failed", LOG_TEXT("process", "keeper"),
			  LOG_TEXT("step", step), LOG_TEXT("error", strerror(-r)));
	return r;
}

static void become_signer(const struct keeper_setup *setup, const struct signer *signer)
    __attribute__((noreturn));
static void become_signer(const struct keeper_setup *setup, const struct signer *signer)
{
	int r;

	for (size_t i = 0; i < setup->n; i++)
		if (setup->fds[i] != signer->fd)
			(void)close(setup->fds[i]); /* the other workers' */

	(void)prctl(PR_SET_NAME, "attlsd-signer", 0, 0, 0); /* only a name */
	signer_announce(signer);
	r = sandbox_signer();
	if (r < 0) {
		log_event(LOG_LEVEL_ERROR, "sandbox-failed", LOG_TEXT("process", "signer"),
			  LOG_TEXT("error", strerror(-r)));
		_exit(EXIT_FAILURE);
	}
	signer_run(signer);
	_exit(EXIT_SUCCESS);
}

static int start_signer(struct keeper *keeper, size_t i)
{
	const struct signer signer = { .fd = keeper->setup->fds[i],
				       .keys = keeper->keys,
				       .n = keeper->nkeys,
				       .counts = &keeper->setup->counts[i],
				       .per_second = QUOTA_PER_SECOND };
	pid_t pid = fork();

	if (pid == -1)
		return -errno;
	if (pid == 0)
		become_signer(keeper->setup, &signer);
	keeper->signers[i] = pid;
	return 0;
}

/* Has every process closed the worker's end? An empty packet ends a signer, too, but not this. */
static bool is_over(int fd)
{
	struct pollfd look = { .fd = fd };

	return poll(&look, 1, 0) == 1 && (look.revents & POLLHUP) != 0;
}

static void pause_ms(long ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&time, NULL); /* a signal only makes it shorter */
}

static void pause_if_quick(struct keeper *keeper)
{
	uint64_t now = loop_clock_ms();

	if (now - keeper->quick_since_ms > QUICK_MS) {
		keeper->quick_since_ms = now;
		keeper->quick = 0;
	}
	if (++keeper->quick > QUICK_MAX)
		pause_ms(QUICK_WAIT_MS);
}

/* A signer has ended. Replace it if its worker may still ask. */
static void replace_signer(struct keeper *keeper, size_t i, int status)
{
	pid_t pid = keeper->signers[i];
	int r;

	keeper->signers[i] = 0;
	if (is_over(keeper->setup->fds[i]))
		return;
	log_event(LOG_LEVEL_ERROR, "signer-died", LOG_NUMBER("pid", pid),
		  LOG_NUMBER("worker", keeper->setup->counts[i].worker),
		  LOG_NUMBER("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	pause_if_quick(keeper);
	while ((r = start_signer(keeper, i)) < 0) {
		log_event(LOG_LEVEL_ERROR, "signer-not-started", LOG_TEXT("error", strerror(-r)));
		if (is_over(keeper->setup->fds[i]))
			return;
		pause_ms(QUICK_MS);
	}
}

static int keep(struct keeper *keeper)
{
	int status;
	pid_t pid;

	while ((pid = wait(&status)) != -1 || errno == EINTR)
		for (size_t i = 0; pid != -1 && i < keeper->setup->n; i++)
			if (keeper->signers[i] == pid) {
				replace_signer(keeper, i, status);
				break;
			}
	return errno == ECHILD ? 0 : -errno;
}

static void keeper_done(struct keeper *keeper)
{
	for (size_t i = 0; keeper->rings != NULL && i < keeper->setup->policy->nkeyrings; i++)
		certs_free(&keeper->rings[i]);
	free(keeper->rings);
	free(keeper->keys);
	free(keeper->signers);
}

int keeper_run(const struct keeper_setup *setup)
{
	struct keeper keeper = { .setup = setup };
	int r;

	(void)prctl(PR_SET_NAME, "attlsd-keeper", 0, 0, 0); /* only a name */
	(void)signal(SIGPIPE, SIG_IGN);
	r = read_files(&keeper);
	if (r == 0)
		r = drop_privileges(setup);
	for (size_t i = 0; r == 0 && i < setup->n; i++)
		r = start_signer(&keeper, i);
	if (r == 0)
		r = keep(&keeper);
	keeper_done(&keeper);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
