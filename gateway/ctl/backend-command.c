/* Tells apart what attlsctl can do with the servers of a backend: list, disable, enable. */
#include "gateway/ctl/backend-command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/util.h"
#include "gateway/ctl/client-commands.h"
#include "gateway/ctl/usage.h"
#include "gateway/view/client-backends.h"

static const struct verb {
	const char *name;
	enum ctl_proto_what order; /* 0: none */
} verbs[] = {
	{ "list", 0 },
	{ "disable", CTL_DISABLE },
	{ "enable", CTL_ENABLE },
};

static const struct verb *verb_of(const struct command_line *line)
{
	const char *name = line->nrest > 0 ? line->rest[0] : "list";

	for (size_t i = 0; i < NELEM(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

int backend_command_check(const struct command_line *line)
{
	const struct verb *verb = verb_of(line);
	size_t wanted = verb != NULL && verb->order != 0 ? 2 : 1;

	if (verb == NULL)
		return usage_fault("a backend's servers can be listed, disabled and enabled: list, disable "
				   "ADDRESS or enable ADDRESS, not",
				   line->rest[0]);
	if (line->nrest > wanted)
		return usage_fault("unexpected argument", line->rest[wanted]);
	if (verb->order != 0 && line->nrest < wanted)
		return usage_fault("which server? Give its address as the policy writes it", "");
	if (verb->order != 0 && strlen(line->operand) >= SESSION_FILTER_NAME_MAX)
		return usage_fault("no backend has a name that long:", line->operand);
	if (verb->order != 0 && strlen(line->rest[1]) >= CTL_SERVER_MAX)
		return usage_fault("attlsctl can name servers of at most 71 characters, not", line->rest[1]);
	return 0;
}

int backend_command(const struct command_line *line)
{
	const struct verb *verb = verb_of(line);

	if (verb->order != 0)
		return client_backend_order(&line->target, verb->order, line->operand, line->rest[1]);
	return client_backend_list(&line->target, line->operand, line->options[OPTION_JSON] != NULL);
}
