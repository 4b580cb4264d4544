/*
 * Asks a running attlsd for what it has counted, and prints the report that the operand
 * names.
 */
#include "gateway/ctl/report-command.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/util.h"
#include "gateway/ctl/moment.h"
#include "gateway/view/session-choice.h"
#include "gateway/ctl/usage.h"
#include "gateway/view/client-report.h"
#include "gateway/view/client.h"
#include "gateway/view/shut-out-report.h"

/* Seconds since 1970. False: neither a duration nor a date. */
static bool parse_since(const char *text, uint64_t now_s, uint64_t *ret_s)
{
	uint32_t ago_s;
	int64_t at_s = 0;

	*ret_s = 0;
	if (text == NULL)
		return true;
	if (moment_parse(text, &at_s)) {
		*ret_s = (uint64_t)at_s;
		return true;
	}
	if (!session_choice_time(text, &ago_s))
		return false;
	*ret_s = ago_s < now_s ? now_s - ago_s : 0;
	return true;
}

static int report_clients(const struct answers *answers, uint64_t since_s, bool json)
{
	uint64_t now_s = (uint64_t)time(NULL);

	if (json)
		return client_report_json(answers, since_s, stdout);
	client_report_print(answers, since_s, now_s, stdout);
	return 0;
}

static int report_shut_out(const struct answers *answers, uint64_t since_s, bool json)
{
	if (json)
		return shut_out_report_json(answers, since_s, stdout);
	shut_out_report_print(answers, since_s, (uint64_t)time(NULL), stdout);
	return 0;
}

static const struct topic {
	const char *name;
	enum ctl_proto_what what;
	int (*print)(const struct answers *answers, uint64_t since_s, bool json);
} topics[] = {
	{ "clients", CTL_CLIENTS, report_clients },
	{ "shut-out", CTL_CLIENTS, report_shut_out },
};

static const struct topic *find_topic(const char *name)
{
	for (size_t i = 0; i < NELEM(topics); i++)
		if (strcmp(name, topics[i].name) == 0)
			return &topics[i];
	return NULL;
}

int report_command_check(const struct command_line *line)
{
	uint64_t since_s;

	if (find_topic(line->operand) == NULL)
		return usage_fault("there is no such report; use \"clients\" or \"shut-out\", not",
				   line->operand);
	if (!parse_since(line->options[OPTION_SINCE], (uint64_t)time(NULL), &since_s))
		return usage_fault("--since needs a duration such as 7d or 12h, or a date such as 2026-11-30 "
				   "or 2026-11-30T18:00, not",
				   line->options[OPTION_SINCE]);
	return 0;
}

int report_command(const struct command_line *line)
{
	const struct topic *topic = find_topic(line->operand);
	struct answers answers;
	uint64_t since_s = 0;
	int r = client_collect(&line->target, topic->what, NULL, &answers);

	(void)parse_since(line->options[OPTION_SINCE], (uint64_t)time(NULL), &since_s);
	if (r == 0)
		r = topic->print(&answers, since_s, line->options[OPTION_JSON] != NULL);
	if (r == 0 && !answers.list_complete)
		r = client_fault(&line->target, "some clients are missing above; try again");
	client_answers_done(&answers);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
