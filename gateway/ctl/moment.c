/* Reads and prints moments for options such as --since and --at. */
#include "gateway/ctl/moment.h"

#include <string.h>
#include <time.h>

#include "gateway/base/util.h"

bool moment_parse(const char *text, int64_t *ret_s)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S" };

	for (size_t i = 0; i < NELEM(forms); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, forms[i], &tm);
		bool utc = end != NULL && strcmp(end, "Z") == 0;
		time_t at = end == NULL || (!utc && *end != '\0') ? -1 : utc ? timegm(&tm) : mktime(&tm);

		if (at < 0)
			continue;
		*ret_s = at;
		return true;
	}
	return false;
}

const char *moment_text(int64_t at_s, char buf[static MOMENT_TEXT_MAX])
{
	time_t at = (time_t)at_s;
	struct tm tm;

	buf[0] = '\0';
	if (localtime_r(&at, &tm) != NULL)
		(void)strftime(buf, MOMENT_TEXT_MAX, "%Y-%m-%d %H:%M:%S %z", &tm);
	return buf;
}
