/* Dates and times as people type them. */
#ifndef ATTLSD_GATEWAY_CTL_MOMENT_H
#define ATTLSD_GATEWAY_CTL_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * "2026-11-30", "2026-11-30T18:00" or "2026-11-30T18:00:00", in the time zone of this process, or
 * in UTC with a Z at the end. Returns false, and leaves *ret_s alone, if it is none of these.
 */
bool moment_parse(const char *text, int64_t *ret_s);

#define MOMENT_TEXT_MAX 48
/* "2026-11-30 18:00:00 +0100", in the time zone of this process. Returns buf. */
const char *moment_text(int64_t at_s, char buf[static MOMENT_TEXT_MAX]);

#endif
