/*
 * Where a name decides something, the name that is judged must be the one that the server
 * reads. Servers disagree about leading and trailing blanks and about control characters. Those
 * that speak Telnet drop 0xFF with the byte after it, and ftp-srv drops quotes and words such as -x.
 */
#include "ftp-alg/plain-name.h"

#define TELNET_IAC 0xff

bool ftp_name_is_plain(const char *name, size_t len)
{
	if (len == 0 || name[0] == ' ' || name[len - 1] == ' ')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)name[i];

		if (byte < 0x20 || byte == 0x7f || byte == TELNET_IAC || byte == '"')
			return false;
		if (byte == '-' && (i == 0 || name[i - 1] == ' '))
			return false;
	}
	return true;
}
