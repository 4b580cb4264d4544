/*
 * Checks of backends with several servers: how many there are, that none is there
 * twice, that keys about the choice among them have one, and that health checks have what they need.
 */
#include "policy/rule-balance.h"

#include <strings.h>

#include "policy/nelem.h"
#include "policy/rule-check.h"

static void check_single(const struct check *c, const struct policy_backend *backend)
{
	static const char *const keys[] = { "balance", "health", "server_map" };

	for (size_t i = 0; i < NELEM(keys); i++)
		if (check_is_given(c, backend, keys[i]))
			check_error(c, DIAG_NO_EFFECT, backend, keys[i],
				    "\"%s\" of backends \"%s\" has no effect with \"address\"; use "
				    "\"addresses\", also for a single server",
				    keys[i], backend->name);
}

/* The same text twice; that two names lead to one server only the DNS knows. */
static bool is_twice(const struct policy_backend *backend, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (backend->servers[i].text != NULL && backend->servers[index].text != NULL &&
		    strcasecmp(backend->servers[i].text, backend->servers[index].text) == 0)
			return true;
	return false;
}

static void check_several(const struct check *c, const struct policy_backend *backend)
{
	if (backend->nservers == 0 || backend->nservers > POLICY_SERVERS_MAX)
		check_error(c, backend->nservers == 0 ? DIAG_EMPTY_LIST : DIAG_TOO_MANY_NAMES, backend,
			    "addresses", "\"addresses\" of backends \"%s\" needs 1 to %d entries",
			    backend->name, POLICY_SERVERS_MAX);
	for (size_t i = 1; i < backend->nservers; i++)
		if (is_twice(backend, i))
			diags_add(c->diags, DIAG_ERROR, DIAG_SAME_ADDRESS, backend->servers[i].mark,
				  "\"%s\" is in \"addresses\" of backends \"%s\" already; remove one",
				  backend->servers[i].text, backend->name);
}

/* Who logs in is not known before USER. */
static void check_map(const struct check *c, const struct policy_backend *backend)
{
	if (check_is_given(c, backend, "server_map") && !backend->greet_first)
		check_error(
		    c, DIAG_MISSING_KEY, backend, "server_map",
		    "\"server_map\" of backends \"%s\" needs \"greet_first: true\": before USER, nobody "
		    "knows which server the client gets",
		    backend->name);
}

static void check_login(const struct check *c, const struct policy_backend *backend)
{
	static const char *const keys[] = { "user", "password_file" };
	bool logs_in = backend->health.check == HEALTH_CHECK_LOGIN;

	for (size_t i = 0; i < NELEM(keys); i++)
		if (check_is_given(c, backend, keys[i]) != logs_in)
			check_error(c, logs_in ? DIAG_MISSING_KEY : DIAG_NO_EFFECT, backend,
				    logs_in ? "check" : keys[i],
				    logs_in ? "\"check: login\" of backends \"%s\" needs \"%s\""
					    : "\"health\" of backends \"%s\": \"%s\" has no effect without "
					      "\"check: login\"",
				    backend->name, keys[i]);
}

/* A check that cannot do what it says would pass for one that did. */
static void check_health(const struct check *c, const struct policy_backend *backend)
{
	enum health_check check = backend->health.check;

	check_login(c, backend);
	if (check == HEALTH_CHECK_AUTH && backend->tls == NULL)
		check_error(c, DIAG_NO_EFFECT, backend, "check",
			    "\"check: auth\" of backends \"%s\" needs \"tls\"; use greeting or login",
			    backend->name);
	if (check == HEALTH_CHECK_NONE && check_is_given(c, backend, "timeout"))
		check_error(c, DIAG_NO_EFFECT, backend, "timeout",
			    "\"timeout\" of backends \"%s\" has no effect without \"check\"", backend->name);
}

void rule_balance_check(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->nbackends; i++) {
		const struct policy_backend *backend = &policy->backends[i];

		if (!check_is_valid(&c, backend))
			continue;
		if (check_is_given(&c, backend, "addresses"))
			check_several(&c, backend);
		else
			check_single(&c, backend);
		check_map(&c, backend);
		check_health(&c, backend);
	}
}
