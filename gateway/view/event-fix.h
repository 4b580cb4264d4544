/* What an operator can do about an event of the log. */
#ifndef ATTLSD_GATEWAY_VIEW_EVENT_FIX_H
#define ATTLSD_GATEWAY_VIEW_EVENT_FIX_H

/*
 * What to do about a warning or an error (attlsd.8, Events) whose line has no field `fix`. `text` has its
 * other fields, as in the log. NULL: not known.
 */
const char *event_fix(const char *event, const char *text);

#endif
