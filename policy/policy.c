/*
 * Parses a whole policy, in this order: YAML tree (node.c), structs (walk.c), checks
 * across objects (rule.c), sorted rules, warnings (rule-warn.c) and notes (changed.c).
 * Each check runs even if an earlier step reported faults, so that a user sees all of
 * them at once; only the warnings and notes need a policy without errors.
 */
#include "policy/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/arena.h"
#include "policy/changed.h"
#include "policy/locations.h"
#include "policy/levels.h"
#include "policy/node.h"
#include "policy/own-values.h"
#include "policy/parse-context.h"
#include "policy/rule-access.h"
#include "policy/rule-balance.h"
#include "policy/rule-effect.h"
#include "policy/rule-fips.h"
#include "policy/rule-http.h"
#include "policy/rule-keyring.h"
#include "policy/rule-share.h"
#include "policy/rule-server.h"
#include "policy/rule-kerberos.h"
#include "policy/rule-time.h"
#include "policy/rule-users.h"
#include "policy/rule.h"
#include "policy/value.h"
#include "policy/walk.h"

#define FTPS_PORT 990 /* of implicit TLS */

/* Callers get the first member, so policy_free() can get back from it to the arena. */
struct policy_store {
	struct policy policy;
	struct arena arena;
};

/* z/OS TTLSRule: largest priority first, then by name. */
static int compare_rules(const void *a, const void *b)
{
	const struct policy_rule *x = a;
	const struct policy_rule *y = b;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Only values that the file gives have a mark. */
static void finish_daemon(struct policy_daemon *daemon)
{
	daemon->user_given = daemon->user_mark.line > 0;
	daemon->control_socket_given = daemon->control_socket_mark.line > 0;
}

/* Of a key ring with pkcs12, certificates are in that file; without "certificates", it has one. */
static void finish_keyring(const struct policy *policy, struct policy_keyring *ring, struct arena *arena)
{
	ring->trust_pkcs12 = ring->trust != NULL && strcmp(ring->trust, "pkcs12") == 0;
	if (ring->pkcs12 == NULL)
		return;
	if (ring->trust_pkcs12)
		ring->trust = ring->pkcs12;
	if (locations_find(policy->locations, ring, "certificates") == NULL) {
		ring->certificates = arena_alloc(arena, 1, sizeof(*ring->certificates));
		ring->ncertificates = ring->certificates != NULL;
	}
	for (size_t i = 0; i < ring->ncertificates; i++) {
		struct policy_certificate *certificate = &ring->certificates[i];

		if (certificate->chain != NULL || certificate->key != NULL)
			continue; /* rule_keyring_check() complains */
		certificate->chain = certificate->key = ring->pkcs12;
		certificate->chain_mark = certificate->key_mark = ring->pkcs12_mark;
	}
}

static bool may_use(const struct policy_user *user, const struct policy_backend *backend)
{
	for (size_t i = 0; i < user->nservices; i++)
		if (user->services[i] == backend)
			return true;
	return user->nservices == 0;
}

static void finish_permitted(const struct policy *policy, struct policy_backend *backend, struct arena *arena)
{
	struct name_list *permitted = &backend->permitted;

	permitted->names = arena_alloc(arena, policy->nusers, sizeof(*permitted->names));
	for (size_t i = 0; i < policy->nusers && permitted->names != NULL; i++)
		if (may_use(&policy->users[i], backend))
			permitted->names[permitted->n++] = policy->users[i].name;
}

static void finish_backend(const struct policy *policy, struct policy_backend *backend, struct arena *arena)
{
	backend->balanced = locations_find(policy->locations, backend, "addresses") != NULL;
	backend->security.tls = backend->tls != NULL;
	for (size_t i = 0; i < backend->nservers; i++)
		if (backend->servers[i].endpoint.port == 0 && backend->tls != NULL &&
		    backend->security.mechanism == SECURE_MECHANISM_IMPLICIT)
			backend->servers[i].endpoint.port = FTPS_PORT;
	finish_permitted(policy, backend, arena);
}

static void finish_access(const struct policy *policy, struct ftp_access *access)
{
	const struct location *path = locations_find(policy->locations, access, "path");

	if (path != NULL && path->mark.file == 0)
		access->line = path->mark.line;
	for (size_t i = 0; i < access->users.n; i++)
		access->everyone |=
		    access->users.names[i] != NULL && strcmp(access->users.names[i], "*") == 0;
}

static void read_tree(const struct node *root, struct policy_store *store, const char *folder,
		      struct arena *scratch, struct diags *diags)
{
	struct locations *locations = arena_alloc(&store->arena, 1, sizeof(*locations));
	struct policy *policy = &store->policy;
	struct parse_context ctx = { .policy = policy,
				     .arena = &store->arena,
				     .scratch = scratch,
				     .locations = locations,
				     .diags = diags,
				     .folder = folder };

	if (locations == NULL)
		return;
	policy->locations = locations;
	walk_policy(&ctx, root);
	if (scratch->failed || store->arena.failed)
		return; /* the checks rely on whole objects */
	finish_daemon(&policy->daemon);
	for (size_t i = 0; i < policy->nkeyrings; i++)
		finish_keyring(policy, &policy->keyrings[i], &store->arena);
	if (store->arena.failed)
		return;
	for (size_t i = 0; i < policy->nbackends; i++)
		finish_backend(policy, &policy->backends[i], &store->arena);
	for (size_t i = 0; i < policy->nftp_actions; i++)
		for (size_t j = 0; j < policy->ftp_actions[i].naccess; j++)
			finish_access(policy, &policy->ftp_actions[i].access[j]);
	levels_finish(policy, locations, &store->arena, diags);
	if (store->arena.failed)
		return;
	rule_check(policy, locations, diags);
	rule_keyring_check(policy, locations, diags);
	rule_server_check(policy, locations, diags);
	rule_balance_check(policy, locations, diags);
	rule_fips_check(policy, locations, diags);
	rule_http_check(policy, locations, diags);
	rule_share_check(policy, locations, diags);
	rule_users_check(policy, locations, diags);
	rule_kerberos_check(policy, locations, diags);
	rule_access_check(policy, locations, diags);
	if (diags->nerrors > 0)
		return;
	/* After the checks: a location names a rule by its address. */
	if (policy->nrules > 0)
		qsort(policy->rules, policy->nrules, sizeof(policy->rules[0]), compare_rules);
	rule_warn(policy, locations, diags);
	rule_server_warn(policy, locations, diags);
	rule_http_warn(policy, locations, diags);
	rule_share_warn(policy, locations, diags);
	rule_effect_warn(policy, locations, diags);
	rule_time_warn(policy, locations, diags);
	rule_access_warn(policy, locations, diags);
	levels_warn(policy, locations, diags);
	changed_note(policy, locations, diags);
}

static void merge_own(struct node *root, const struct policy_own_text *own, struct policy_store *store,
		      struct arena *scratch, struct diags *diags)
{
	struct node *tree;

	diags->reading = DIAG_OWN;
	tree = node_parse(own->text, own->len, scratch, diags);
	if (tree != NULL)
		own_values_merge(root, tree, &store->policy, &store->arena, diags);
	diags->reading = 0;
}

int policy_parse(const char *text, size_t len, const char *folder, struct diags *diags,
		 struct policy **ret_policy)
{
	return policy_parse_own(text, len, folder, NULL, diags, ret_policy);
}

int policy_parse_own(const char *text, size_t len, const char *folder, const struct policy_own_text *own,
		     struct diags *diags, struct policy **ret_policy)
{
	struct policy_store *store = calloc(1, sizeof(*store));
	struct policy *policy = store != NULL ? &store->policy : NULL;
	struct arena scratch = { 0 };
	struct node *root;
	int r = -ENOMEM;

	if (store == NULL)
		goto out;
	root = node_parse(text, len, &scratch, diags);
	if (root != NULL && own != NULL && own->text != NULL)
		merge_own(root, own, store, &scratch, diags);
	if (root != NULL)
		read_tree(root, store, folder, &scratch, diags);
	if (scratch.failed || store->arena.failed)
		goto out;
	r = -EINVAL;
	if (root == NULL || diags->nerrors > 0)
		goto out;
	*ret_policy = policy;
	policy = NULL;
	r = 0;
out:
	policy_free(&policy);
	arena_done(&scratch);
	return r;
}

int policy_peek_control_socket(const char *text, size_t len, const char *folder, char *buf, size_t size)
{
	struct policy_store *store = calloc(1, sizeof(*store));
	struct policy *policy = store != NULL ? &store->policy : NULL;
	struct arena scratch = { 0 };
	struct node *root = NULL;
	struct diags diags;
	int r = store == NULL ? -ENOMEM : diags_init(&diags, "", NULL, 0);

	if (r < 0)
		goto out;
	root = node_parse(text, len, &scratch, &diags);
	if (root != NULL)
		read_tree(root, store, folder, &scratch, &diags);
	r = scratch.failed || store->arena.failed ? -ENOMEM : root == NULL ? -EINVAL : 0;
	if (r == 0)
		(void)snprintf(buf, size, "%s",
			       policy->daemon.control_socket != NULL ? policy->daemon.control_socket : "");
	diags_done(&diags);
out:
	policy_free(&policy);
	arena_done(&scratch);
	return r;
}

const char *policy_keep(struct policy *policy, const char *text, size_t len)
{
	return arena_strndup(&((struct policy_store *)(void *)policy)->arena, text, len);
}

bool policy_isolates_keys(const struct policy *policy, bool root)
{
	enum key_isolation isolation = policy->daemon.key_isolation;

	return isolation == KEY_ISOLATION_TRUE || (isolation == KEY_ISOLATION_AUTO && root);
}

bool policy_offers_gssapi(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nftp_actions; i++)
		if ((policy->ftp_actions[i].extensions & EXTENSION_AUTH_GSSAPI) != 0)
			return true;
	return false;
}

enum audit_kind policy_audit_kind(const struct policy_daemon *daemon)
{
	if (daemon->audit == NULL)
		return AUDIT_NONE;
	if (strcmp(daemon->audit, "syslog") == 0)
		return AUDIT_SYSLOG;
	return strcmp(daemon->audit, "journal") == 0 ? AUDIT_JOURNAL : AUDIT_FILE;
}

int policy_set_zone(struct policy *policy, struct policy_time *time, const struct zone_span *spans, size_t n)
{
	struct policy_store *store = (struct policy_store *)(void *)policy;
	struct zone_span *own = arena_alloc(&store->arena, n, sizeof(*own));

	if (own == NULL)
		return -ENOMEM;
	memcpy(own, spans, n * sizeof(*own));
	time->spans = own;
	time->nspans = n;
	return 0;
}

struct diag_mark policy_mark(const struct policy *policy, const void *object, const char *key)
{
	return locations_mark(policy->locations, object, key);
}

void policy_free(struct policy **policy)
{
	struct policy_store *store = (struct policy_store *)(void *)*policy;

	if (store == NULL)
		return;
	arena_done(&store->arena);
	free(store);
	*policy = NULL;
}

bool policy_is_name(const char *text)
{
	return value_is_name(text, strlen(text));
}

bool policy_is_host_name(const char *text)
{
	return value_is_host(text, strlen(text));
}

bool policy_node_may_have(const char *section, const char *key)
{
	return own_values_allow(section, key, NULL);
}
