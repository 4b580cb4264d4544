/* The answers of a process to `attlsctl events`. */
#include "gateway/base/event-list.h"

#include <string.h>
#include <unistd.h>

#include "gateway/base/log-memory.h"

_Static_assert(LOG_MEMORY_LINES <= ANSWER_EVENTS_MAX, "attlsctl rejects more events than this");
_Static_assert(sizeof(((struct log_line *)0)->text) == sizeof(((struct answer_event *)0)->text),
	       "not cut again");

bool event_list_next(uint64_t *number, struct answer *ret_answer)
{
	const struct log_line *line = log_memory_after(*number);
	struct answer_event *event = &ret_answer->u.event;

	if (line == NULL)
		return false;
	*ret_answer = ctl_proto_answer(ANSWER_EVENT);
	event->process = (int32_t)getpid();
	event->level = line->level;
	event->time_s = line->time_s;
	memcpy(event->event, line->event, sizeof(event->event));
	memcpy(event->text, line->text, sizeof(event->text));
	memcpy(event->fix, line->fix, sizeof(event->fix));
	*number = line->number;
	return true;
}
