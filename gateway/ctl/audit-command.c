/* Tells the two things apart that attlsctl can do with an audit trail. */
#include "gateway/ctl/audit-command.h"

#include <string.h>

#include "gateway/ctl/audit-verify.h"
#include "gateway/ctl/client-commands.h"
#include "gateway/ctl/usage.h"

static bool is_verify(const struct command_line *line)
{
	return strcmp(line->operand, "verify") == 0;
}

int audit_command_check(const struct command_line *line)
{
	if (is_verify(line))
		return line->nrest > 0
			   ? 0
			   : usage_fault("audit verify needs the files of the trail, oldest first", "");
	if (strcmp(line->operand, "reopen") != 0)
		return usage_fault("audit does not know", line->operand);
	return line->nrest == 0 ? 0 : usage_fault("unexpected argument", line->rest[0]);
}

int audit_command(const struct command_line *line)
{
	int status;

	if (is_verify(line))
		return audit_verify(line->rest, line->nrest, line->options[OPTION_JSON] != NULL);
	status = command_line_find_target((struct command_line *)(uintptr_t)line);
	return status != 0 ? status : client_audit_reopen(&line->target);
}
