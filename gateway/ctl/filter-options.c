/*
 * Turns the options that choose sessions into a filter. The filter has fields of a fixed
 * size, so values that no session can have are refused here, where a typing error is
 * still a message and not an empty list.
 */
#include "gateway/ctl/filter-options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/usage.h"
#include "policy/policy.h"

bool filter_options_given(const struct command_line *line)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if ((TAKES_FILTER & (UINT64_C(1) << i)) != 0 && line->options[i] != NULL)
			return true;
	return false;
}

static int parse_user(const char *text, struct session_filter *filter)
{
	if (text[0] == '\0' || strlen(text) >= sizeof(filter->user))
		return usage_fault("--user needs a name of 1 to 64 characters, not", text[0] ? text : "\"\"");
	(void)snprintf(filter->user, sizeof(filter->user), "%s", text);
	return 0;
}

static int parse_client(const char *text, struct session_filter *filter)
{
	int r = ip_net_parse(text, strlen(text), &filter->client);

	if (r == -ERANGE)
		return usage_fault(
		    "--client: the address has bits beyond the prefix, so it is not a network:", text);
	return r < 0 ? usage_fault("--client needs an address, or a network such as 192.0.2.0/24, not", text)
		     : 0;
}

static const struct {
	enum command_option option;
	const char *fault;
	size_t at; /* in the filter */
} names[] = {
	{ OPTION_RULE, "--rule needs the name of a rule of the policy, not",
	  offsetof(struct session_filter, rule) },
	{ OPTION_LISTENER, "--listener needs the name of a listener of the policy, not",
	  offsetof(struct session_filter, listener) },
	{ OPTION_BACKEND, "--backend needs the name of a backend of the policy, not",
	  offsetof(struct session_filter, backend) },
};

static int parse_names(const struct command_line *line, struct session_filter *filter)
{
	for (size_t i = 0; i < NELEM(names); i++) {
		const char *text = line->options[names[i].option];

		if (text == NULL)
			continue;
		if (!policy_is_name(text))
			return usage_fault(names[i].fault, text[0] ? text : "\"\"");
		(void)snprintf((char *)filter + names[i].at, SESSION_FILTER_NAME_MAX, "%s", text);
	}
	return 0;
}

/* A number of seconds, or one with a unit as in a policy. */
bool filter_options_time(const char *text, uint32_t *ret_s)
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

static int parse_idle(const char *text, struct session_filter *filter)
{
	return filter_options_time(text, &filter->idle_s)
		   ? 0
		   : usage_fault("--idle needs a number of seconds from 1, or a time such as 5m, not",
				 text[0] ? text : "\"\"");
}

int filter_options_parse(const struct command_line *line, struct session_filter *ret)
{
	const char *const *options = line->options;
	struct session_filter filter = { .transfers = options[OPTION_TRANSFERS] != NULL };
	int status = options[OPTION_USER] != NULL ? parse_user(options[OPTION_USER], &filter) : 0;

	if (status == 0 && options[OPTION_CLIENT] != NULL)
		status = parse_client(options[OPTION_CLIENT], &filter);
	if (status == 0)
		status = parse_names(line, &filter);
	if (status == 0 && options[OPTION_IDLE] != NULL)
		status = parse_idle(options[OPTION_IDLE], &filter);
	if (status == 0)
		*ret = filter;
	return status;
}
