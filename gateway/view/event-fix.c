/*
 * Advice for events. Most lines of the log say what has happened, but not what to do: the
 * log is for programs, too, and would repeat the same sentence. `attlsctl events` and the
 * page add it.
 */
#include "gateway/view/event-fix.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *event, *text, *fix;
} fixes[] = {
#define FIX(event, text, fix) { event, text, fix },
#include "gateway/view/event-fix.def"
#undef FIX
};

const char *event_fix(const char *event, const char *text)
{
	for (size_t i = 0; i < sizeof(fixes) / sizeof(fixes[0]); i++)
		if (strcmp(fixes[i].event, event) == 0 &&
		    (fixes[i].text == NULL || strstr(text, fixes[i].text) != NULL))
			return fixes[i].fix;
	return NULL;
}
