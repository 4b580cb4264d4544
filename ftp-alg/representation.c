/*
 * Keeps TYPE, STRU and MODE: a command asks for one of them, and the server's reply
 * decides. Only the first letter of an argument matters here (TYPE A N, TYPE L 8).
 */
#include "ftp-alg/representation.h"

#include <string.h>

void ftp_representation_ask(struct ftp_representation *representation, const struct ftp_command *command)
{
	static const char *const verbs[] = {
		[FTP_PARAMETER_TYPE] = "TYPE", [FTP_PARAMETER_STRU] = "STRU", [FTP_PARAMETER_MODE] = "MODE"
	};
	char value = command->arg_len > 0 ? command->arg[0] : '\0';

	representation->asked = FTP_PARAMETER_NONE;
	for (enum ftp_parameter p = FTP_PARAMETER_TYPE; p < FTP_PARAMETER_COUNT; p++)
		if (strcmp(command->verb->name, verbs[p]) == 0)
			representation->asked = p;
	representation->value = value >= 'a' && value <= 'z' ? (char)(value - 'a' + 'A') : value;
}

void ftp_representation_agree(struct ftp_representation *representation)
{
	if (representation->asked != FTP_PARAMETER_NONE)
		representation->values[representation->asked] = representation->value;
	representation->asked = FTP_PARAMETER_NONE;
}

/* Any other structure and mode adds bytes, and compression takes some away. */
bool ftp_representation_is_exact(const struct ftp_representation *representation)
{
	char stru = representation->values[FTP_PARAMETER_STRU];

	return representation->values[FTP_PARAMETER_TYPE] == 'I' && (stru == '\0' || stru == 'F') &&
	       ftp_representation_mode(representation) == 'S';
}
