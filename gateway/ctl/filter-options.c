/* Turns the options that choose sessions into a filter; view/session-choice.c judges their values. */
#include "gateway/ctl/filter-options.h"

#include <stdio.h>

#include "gateway/base/util.h"
#include "gateway/ctl/usage.h"
#include "gateway/view/session-choice.h"

bool filter_options_given(const struct command_line *line)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if ((TAKES_FILTER & (UINT64_C(1) << i)) != 0 && line->options[i] != NULL)
			return true;
	return false;
}

static int set(struct session_filter *filter, const char *key, const char *value)
{
	const char *needs = session_choice_set(filter, key, value);
	char fault[160];

	if (needs == NULL)
		return 0;
	(void)snprintf(fault, sizeof(fault), "--%s needs %s, not", key, needs);
	return usage_fault(fault, value[0] != '\0' ? value : "\"\"");
}

int filter_options_parse(const struct command_line *line, struct session_filter *ret)
{
	static const struct {
		enum command_option option;
		const char *key;
	} keys[] = {
		{ OPTION_USER, "user" },	 { OPTION_CLIENT, "client" },	{ OPTION_RULE, "rule" },
		{ OPTION_LISTENER, "listener" }, { OPTION_BACKEND, "backend" }, { OPTION_IDLE, "idle" },
	};
	struct session_filter filter = { .transfers = line->options[OPTION_TRANSFERS] != NULL };
	int status = 0;

	for (size_t i = 0; i < NELEM(keys) && status == 0; i++)
		if (line->options[keys[i].option] != NULL)
			status = set(&filter, keys[i].key, line->options[keys[i].option]);
	if (status == 0)
		*ret = filter;
	return status;
}
