/*
 * Turns a key and its value into a part of a filter. The filter has fields of a fixed size,
 * so values that no session can have are refused here, where a typing error is still a
 * message and not an empty list.
 */
#include "gateway/view/session-choice.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"
#include "policy/policy.h"

bool session_choice_time(const char *text, uint32_t *ret_s)
{
	static const struct {
		const char *unit;
		uint64_t seconds;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
	uint64_t n = 0;
	int end = 0;

	/* sscanf() would accept blanks and signs */
	if (text[0] < '0' || text[0] > '9' || sscanf(text, "%9" SCNu64 "%n", &n, &end) != 1)
		return false;
	for (size_t i = 0; i < NELEM(units); i++) {
		uint64_t seconds = n * units[i].seconds;

		if (strcmp(text + end, units[i].unit) != 0 || seconds == 0 || seconds > UINT32_MAX)
			continue;
		*ret_s = (uint32_t)seconds;
		return true;
	}
	return false;
}

static bool set_user(struct session_filter *filter, const char *value)
{
	if (value[0] == '\0' || strlen(value) >= sizeof(filter->user))
		return false;
	(void)snprintf(filter->user, sizeof(filter->user), "%s", value);
	return true;
}

static bool set_client(struct session_filter *filter, const char *value)
{
	struct ip_range range;

	if (ip_range_parse(value, strlen(value), &range) < 0)
		return false;
	filter->client = session_filter_clients(&range);
	return true;
}

static bool set_name(char to[static SESSION_FILTER_NAME_MAX], const char *value)
{
	if (!policy_is_name(value))
		return false;
	(void)snprintf(to, SESSION_FILTER_NAME_MAX, "%s", value);
	return true;
}

static bool set_rule(struct session_filter *filter, const char *value)
{
	return set_name(filter->rule, value);
}

static bool set_listener(struct session_filter *filter, const char *value)
{
	return set_name(filter->listener, value);
}

static bool set_backend(struct session_filter *filter, const char *value)
{
	return set_name(filter->backend, value);
}

static bool set_idle(struct session_filter *filter, const char *value)
{
	return session_choice_time(value, &filter->idle_s);
}

static const struct {
	const char *key;
	bool (*set)(struct session_filter *filter, const char *value);
	const char *needs;
} choices[] = {
	{ "user", set_user, "a name of 1 to 64 characters" },
	{ "client", set_client,
	  "an address, a network such as 192.0.2.0/24 without bits beyond the prefix, or a range "
	  "such as 192.0.2.5-192.0.2.9" },
	{ "rule", set_rule, "the name of a rule of the policy" },
	{ "listener", set_listener, "the name of a listener of the policy" },
	{ "backend", set_backend, "the name of a backend of the policy" },
	{ "idle", set_idle, "a number of seconds from 1, or a time such as 5m" },
};

const char *session_choice_set(struct session_filter *filter, const char *key, const char *value)
{
	for (size_t i = 0; i < NELEM(choices); i++)
		if (strcmp(choices[i].key, key) == 0)
			return choices[i].set(filter, value) ? NULL : choices[i].needs;
	return "a key that there is";
}
