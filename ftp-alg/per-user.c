/*
 * Finds a user in per_user. A name counts without the blanks around it and in any case: many
 * servers take all of these for the same user, and a name that slips through would get the
 * laxer levels.
 */
#include "ftp-alg/per-user.h"

#include <ctype.h>

#include "ftp-alg/plain-name.h"

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* A star stands for any characters, a question mark for one. Steps back to the last star only. */
static bool fits(const char *pattern, const char *name, size_t len)
{
	const char *star = NULL;
	size_t at = 0, from = 0;

	while (at < len) {
		if (*pattern == '*') {
			star = pattern++;
			from = at;
		} else if (*pattern != '\0' && (*pattern == '?' || is_same(*pattern, name[at]))) {
			pattern++;
			at++;
		} else if (star != NULL) {
			pattern = star + 1;
			at = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

const struct ftp_action *ftp_per_user_find(const struct ftp_action *action, const char *name, size_t len)
{
	while (len > 0 && is_blank(name[len - 1]))
		len--;
	for (; len > 0 && is_blank(name[0]); len--)
		name++;
	for (size_t i = 0; i < action->nper_user; i++)
		for (size_t j = 0; j < action->per_user[i].users.n; j++)
			if (fits(action->per_user[i].users.names[j], name, len))
				return action->per_user[i].action;
	return action;
}

bool ftp_per_user_takes(const struct ftp_action *action, const char *name, size_t len)
{
	return action->nper_user == 0 || ftp_name_is_plain(name, len);
}
