/*
 * Reads and compiles the files of `server_map`, and finds the entry of a login. Its certificates are
 * compared as those of users are.
 */
#include "gateway/tls/server-maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/host/owned-file.h"
#include "gateway/tls/identity-entry.h"
#include "gateway/tls/tlsctx.h"
#include "gateway/tls/trust.h"

struct compiled {
	struct server_map *map;		      /* NULL: the backend has none */
	struct identity_entry **certificates; /* by place in the map; NULL: the entry is of another kind */
};

struct server_maps {
	size_t n;
	struct compiled *all; /* by place in policy.backends */
};

static int read_file(const struct policy_backend *backend, struct diags *diags, char **ret_text,
		     size_t *ret_len)
{
	char why[OWNED_FILE_WHY_MAX];
	int r = owned_file_read(backend->server_map, SERVER_MAP_BYTES_MAX, ret_text, ret_len, why);

	if (r == 0 && memchr(*ret_text, '\0', *ret_len) != NULL) {
		free(*ret_text);
		*ret_text = NULL;
		server_map_fault(backend, diags, 0, "it has a NUL byte; it must be a text");
		return -EINVAL;
	}
	if (r < 0)
		server_map_fault(backend, diags, 0, "%s", why);
	return r < 0 ? -EINVAL : 0;
}

int server_maps_read(struct policy *policy, struct diags *diags)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < policy->nbackends; i++) {
		struct policy_backend *backend = &policy->backends[i];
		char *text = NULL;
		size_t len;

		if (backend->server_map == NULL)
			continue;
		r = read_file(backend, diags, &text, &len);
		if (r == 0) {
			backend->server_map_text = policy_keep(policy, text, len);
			r = backend->server_map_text != NULL ? 0 : -ENOMEM;
		}
		free(text);
	}
	return r;
}

/* 64 hex digits are the certificate's SHA-256, everything else is its subject. */
static enum certificate_part part_of(const char *value)
{
	size_t digits = strspn(value, "0123456789abcdefABCDEF:");

	return value[digits] == '\0' ? CERTIFICATE_SHA256 : CERTIFICATE_SUBJECT;
}

static int compile_entry(const struct policy_backend *backend, const struct server_map_entry *entry,
			 struct diags *diags, struct identity_entry **ret_entry)
{
	const struct policy_user nobody = { .name = "" };
	struct policy_user_certificate certificate = { .text = { NULL } };
	struct diags own;
	int r = diags_init(&own, "", NULL, 0);

	if (r < 0)
		return r;
	certificate.text[part_of(entry->value)] = entry->value;
	r = identity_entry_make(&nobody, &certificate, &own, ret_entry);
	diags_done(&own);
	if (r == 0 && *ret_entry == NULL)
		server_map_fault(backend, diags, entry->line,
				 "\"%.100s\" is neither a valid RFC 2253 name nor 64 hex digits; attlsctl "
				 "certificate FILE prints both",
				 entry->value);
	return r;
}

/* Two spellings of one name. */
static void refuse_twin(const struct policy_backend *backend, const struct compiled *compiled, size_t at,
			struct diags *diags)
{
	for (size_t i = 0; i < at; i++) {
		const struct identity_entry *other = compiled->certificates[i];

		if (other == NULL || !identity_entry_covers(other, compiled->certificates[at]))
			continue;
		server_map_fault(backend, diags, compiled->map->entries[at].line,
				 "the certificate is in line %u already; remove one",
				 (unsigned)compiled->map->entries[i].line);
		return;
	}
}

static int compile(const struct policy_backend *backend, struct compiled *compiled, struct diags *diags)
{
	int r = 0;

	compiled->certificates = calloc(compiled->map->n + 1, sizeof(struct identity_entry *));
	if (compiled->certificates == NULL)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < compiled->map->n; i++) {
		const struct server_map_entry *entry = &compiled->map->entries[i];

		if (entry->kind == SERVER_MAP_CERTIFICATE)
			r = compile_entry(backend, entry, diags, &compiled->certificates[i]);
		if (compiled->certificates[i] != NULL)
			refuse_twin(backend, compiled, i, diags);
	}
	return r;
}

static int load(const struct policy_backend *backend, struct diags *diags, struct compiled *compiled)
{
	const char *text = backend->server_map_text;
	char *own = NULL;
	size_t len = text != NULL ? strlen(text) : 0;
	int r = text == NULL ? read_file(backend, diags, &own, &len) : 0;

	if (r == 0)
		r = server_map_parse(text != NULL ? text : own, len, backend, diags, &compiled->map);
	if (r == 0)
		r = compile(backend, compiled, diags);
	free(own);
	return r == -EINVAL ? 0 : r; /* diags knows */
}

int server_maps_load(const struct policy *policy, struct diags *diags, struct server_maps **ret_maps)
{
	struct server_maps *maps = calloc(1, sizeof(*maps));
	size_t errors = diags->nerrors;
	int r = -ENOMEM;

	if (maps == NULL)
		return r;
	maps->n = policy->nbackends;
	maps->all = calloc(policy->nbackends + 1, sizeof(*maps->all));
	if (maps->all == NULL)
		goto out;
	r = 0;
	for (size_t i = 0; r == 0 && i < policy->nbackends; i++)
		if (policy->backends[i].server_map != NULL)
			r = load(&policy->backends[i], diags, &maps->all[i]);
	if (r == 0 && diags->nerrors > errors)
		r = -EINVAL;
	if (r == 0) {
		*ret_maps = maps;
		maps = NULL;
	}
out:
	server_maps_free(&maps);
	return r;
}

void server_maps_free(struct server_maps **maps)
{
	if (*maps == NULL)
		return;
	for (size_t i = 0; (*maps)->all != NULL && i < (*maps)->n; i++) {
		struct compiled *compiled = &(*maps)->all[i];

		for (size_t j = 0; compiled->certificates != NULL && j < compiled->map->n; j++)
			identity_entry_free(&compiled->certificates[j]);
		free(compiled->certificates);
		server_map_free(&compiled->map);
	}
	free((*maps)->all);
	free(*maps);
	*maps = NULL;
}

/* Each of several authorities can make a certificate with any subject. */
static void check_subjects(const struct policy_backend *backend, const struct server_map *map,
			   const struct policy_keyring *ring, struct diags *diags)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct server_map_entry *entry = &map->entries[i];

		if (entry->kind != SERVER_MAP_CERTIFICATE || part_of(entry->value) == CERTIFICATE_SHA256)
			continue;
		server_map_fault(
		    backend, diags, entry->line,
		    "\"trust\" of keyrings \"%s\" has more than one authority, and each can make "
		    "a certificate with this subject; write the certificate's SHA-256 (attlsctl "
		    "certificate FILE prints it)",
		    ring->name);
		return;
	}
}

void server_maps_check(const struct server_maps *maps, const struct policy *policy,
		       const struct tlsctx_set *set, struct diags *diags)
{
	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		const struct server_map *map = maps->all[rule->backend->index].map;
		const struct policy_keyring *ring = rule->tls != NULL ? rule->tls->keyring : NULL;

		if (map != NULL && ring != NULL && rule->tls->role == ROLE_SERVER_WITH_CLIENT_AUTH &&
		    trust_has_several(tlsctx_set_trust(set, (size_t)(ring - policy->keyrings))))
			check_subjects(rule->backend, map, ring, diags);
	}
}

/* Write to buf if it is not NULL. Returns the bytes. */
static size_t put_all(const struct policy *policy, char *buf)
{
	size_t at = 0;

	for (size_t i = 0; i < policy->nbackends; i++) {
		const char *text = policy->backends[i].server_map_text;
		size_t len = text != NULL ? strlen(text) + 1 : 0;

		if (buf != NULL && text != NULL)
			memcpy(buf + at, text, len);
		at += len;
	}
	return at;
}

size_t server_maps_size(const struct policy *policy)
{
	return put_all(policy, NULL);
}

void server_maps_get(const struct policy *policy, char *buf)
{
	(void)put_all(policy, buf); /* the size is known */
}

int server_maps_set(struct policy *policy, const char *buf, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < policy->nbackends; i++) {
		struct policy_backend *backend = &policy->backends[i];
		const char *end;

		if (backend->server_map == NULL)
			continue;
		end = at < len ? memchr(buf + at, '\0', len - at) : NULL;
		if (end == NULL)
			return -EPROTO;
		backend->server_map_text = policy_keep(policy, buf + at, (size_t)(end - (buf + at)));
		if (backend->server_map_text == NULL)
			return -ENOMEM;
		at = (size_t)(end - buf) + 1;
	}
	return at == len ? 0 : -EPROTO;
}

int server_maps_copy(const struct policy *from, struct policy *to)
{
	size_t size = server_maps_size(from);
	char *buf = malloc(size + 1);
	int r = -ENOMEM;

	if (buf != NULL) {
		server_maps_get(from, buf);
		r = server_maps_set(to, buf, size);
	}
	free(buf);
	return r;
}

bool server_maps_take_host(const struct server_maps *maps, const struct policy_backend *backend)
{
	const struct server_map *map = maps->all[backend->index].map;

	return map != NULL && map->has[SERVER_MAP_HOST];
}

static bool fits(const struct compiled *compiled, size_t at, const struct server_map_client *client)
{
	const struct server_map_entry *entry = &compiled->map->entries[at];
	const struct identity *identity = client->identity;

	switch (entry->kind) {
	case SERVER_MAP_USER:
		return client->user != NULL && server_map_fits(entry, client->user, client->user_len);
	case SERVER_MAP_HOST:
		return client->host != NULL && server_map_fits(entry, client->host, strlen(client->host));
	case SERVER_MAP_SNI:
		return client->sni != NULL && server_map_fits(entry, client->sni, strlen(client->sni));
	case SERVER_MAP_CERTIFICATE:
		return identity != NULL && identity->present && identity->verified &&
		       identity_entry_matches(compiled->certificates[at], identity);
	case SERVER_MAP_OTHERS:
	case SERVER_MAP_KINDS:
		break;
	}
	return true;
}

const struct server_map_entry *server_maps_find(const struct server_maps *maps,
						const struct policy_backend *backend,
						const struct server_map_client *client)
{
	const struct compiled *compiled = &maps->all[backend->index];
	size_t at = 0;

	while (at + 1 < compiled->map->n && !fits(compiled, at, client))
		at++; /* the last one is for all others */
	return &compiled->map->entries[at];
}
