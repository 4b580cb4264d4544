/*
 * Recognises FTP servers for `attlsctl doctor`. The table, known-servers.def, says
 * what the tests observed when each server ran behind attlsd.
 */
#include "gateway/ctl/known-servers.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "gateway/base/util.h"

static const struct known_server known_servers[] = {
#define KNOWN_SERVER(name, greeting, syst, line_max, seen) { name, greeting, syst, line_max, seen },
#include "gateway/ctl/known-servers.def"
#undef KNOWN_SERVER
};

static bool has(const char *text, const char *part)
{
	return part[0] != '\0' && strstr(text, part) != NULL;
}

const struct known_server *known_server_find(const char *greeting, const char *syst)
{
	for (size_t i = 0; i < NELEM(known_servers); i++)
		if (has(greeting, known_servers[i].greeting) || has(syst, known_servers[i].syst))
			return &known_servers[i];
	return NULL;
}
