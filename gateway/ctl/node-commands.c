/*
 * Orders with a deadline, and the question of load balancers and keepalived. The question needs
 * only the monitor, so a worker that hangs does not delay it.
 */
#include "gateway/ctl/node-commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/ctl/client-commands.h"
#include "gateway/ctl/usage.h"
#include "gateway/view/client-ready.h"
#include "gateway/view/client.h"
#include "gateway/view/session-choice.h"

#define DEADLINE_MAX_S (30 * 24 * 3600)
/* keepalived and others run this often, and want an answer soon. */
#define READY_WAIT_MS 1500

static bool is_given(const struct command_line *line, enum command_option option)
{
	return line->options[option] != NULL;
}

/* Returns 0 or the exit status; *ret 0: the option is not given. */
static int parse_deadline(const struct command_line *line, enum command_option option, const char *name,
			  uint32_t *ret)
{
	const char *text = line->options[option];
	char fault[100];
	uint32_t seconds;

	*ret = 0;
	if (text == NULL)
		return 0;
	if (!session_choice_time(text, &seconds) || seconds == 0 || seconds > DEADLINE_MAX_S) {
		(void)snprintf(fault, sizeof(fault),
			       "--%s needs a time from 1s to 30d, such as 90s or 30m, not", name);
		return usage_fault(fault, text);
	}
	*ret = seconds;
	return 0;
}

int maintenance_command_check(const struct command_line *line)
{
	bool off = strcmp(line->operand, "off") == 0;
	uint32_t seconds;

	if (!off && strcmp(line->operand, "on") != 0)
		return usage_fault("maintenance needs on or off, not", line->operand);
	if (off && (is_given(line, OPTION_REFUSE) || is_given(line, OPTION_END_AFTER)))
		return usage_fault("--refuse and --end-after are for maintenance on", "");
	return parse_deadline(line, OPTION_END_AFTER, "end-after", &seconds);
}

int maintenance_command(const struct command_line *line)
{
	struct ask question = { .what =
				    strcmp(line->operand, "on") == 0 ? CTL_MAINTENANCE : CTL_MAINTENANCE_END,
				.refuse = is_given(line, OPTION_REFUSE) };

	(void)parse_deadline(line, OPTION_END_AFTER, "end-after", &question.seconds);
	return client_give(&line->target, &question);
}

int drain_command_check(const struct command_line *line)
{
	uint32_t seconds;

	return parse_deadline(line, OPTION_DEADLINE, "deadline", &seconds);
}

int drain_command(const struct command_line *line)
{
	struct ask question = { .what = is_given(line, OPTION_RESTART) ? CTL_MAKE_WAY : CTL_DRAIN };

	(void)parse_deadline(line, OPTION_DEADLINE, "deadline", &question.seconds);
	return client_give(&line->target, &question);
}

int ready_command(const struct command_line *line)
{
	struct target target = line->target;
	struct answers answers;
	enum readiness readiness;
	int r;

	target.patience_ms = READY_WAIT_MS;
	r = client_collect(&target, CTL_STATUS, NULL, &answers);
	readiness = client_ready_judge(r == 0 ? &answers : NULL);
	client_answers_done(&answers);
	(void)printf("%s\n", readiness_word(readiness));
	return readiness == READINESS_READY ? EXIT_SUCCESS : EXIT_FAILURE;
}
