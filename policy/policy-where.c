/*
 * Looks a key up in the objects that apply to a session. Locations are found by object
 * and key, so this only has to know which objects those are.
 */
#include "policy/policy-where.h"

#include <stddef.h>
#include <string.h>

#include "policy/locations.h"

static uint32_t line_of(const struct policy *policy, const void *object, const char *key)
{
	const struct location *location =
	    object != NULL ? locations_find(policy->locations, object, key) : NULL;

	return location != NULL && location->mark.file == 0 ? location->mark.line : 0;
}

/* The part of a key after this kind and a dot; NULL: it is of another kind. */
static const char *of_kind(const char *key, const char *kind)
{
	size_t len = strlen(kind);

	return strncmp(key, kind, len) == 0 && key[len] == '.' ? key + len + 1 : NULL;
}

uint32_t policy_where(const struct policy *policy, const struct policy_place *place, const char *key)
{
	const struct policy_rule *rule = place->rule;
	const struct tls_action *tls = rule != NULL ? rule->tls : NULL;
	const struct policy_backend *backend = rule != NULL ? rule->backend : NULL;
	const struct tls_action *server_tls = backend != NULL ? backend->tls : NULL;
	const struct {
		const char *kind;
		const void *object;
	} objects[] = {
		{ "listener", place->listener },
		{ "backend", backend },
		{ "keyring", tls != NULL ? tls->keyring : NULL },
		{ "user", place->user },
		{ "server_tls", server_tls },
		{ "server_keyring", server_tls != NULL ? server_tls->keyring : NULL },
	};
	const void *const own[] = { rule != NULL ? rule->ftp : NULL, tls, &policy->daemon };
	uint32_t line = 0;

	if (policy->locations == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		const char *rest = of_kind(key, objects[i].kind);

		if (rest != NULL)
			return line_of(policy, objects[i].object, rest);
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && line == 0; i++)
		line = line_of(policy, own[i], key);
	return line;
}
