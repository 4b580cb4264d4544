/* Remembers a session's last command for `attlsctl sessions`; progress.c reads sizes. */
#include "gateway/worker/latest.h"

#include <string.h>

void latest_command(struct latest *latest, const char *line, size_t len)
{
	const struct ftp_command command = ftp_command_parse(line, len);
	size_t shown = ftp_command_shown(&command);

	if (shown >= sizeof(latest->command))
		shown = sizeof(latest->command) - 1;
	memcpy(latest->command, line, shown);
	latest->command[shown] = '\0';
}

void latest_forward(struct latest *latest, const char *line, size_t len, bool exact)
{
	const struct ftp_command command = ftp_command_parse(line, len);

	ftp_progress_command(&latest->progress, &command, exact);
}
