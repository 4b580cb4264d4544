/*
 * The last lines of this process's log that say something is wrong, for operators who look
 * later: `attlsctl events` and the page.
 */
#ifndef ATTLSD_GATEWAY_BASE_LOG_MEMORY_H
#define ATTLSD_GATEWAY_BASE_LOG_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

#define LOG_MEMORY_LINES 64

struct log_line {
	uint64_t number; /* from 1 */
	uint64_t time_s; /* since 1970 */
	enum log_level level;
	char event[32];
	char text[256]; /* the fields as in the log, cut if they are longer */
	char fix[192];	/* what to do about it; "": the line does not say */
};

/* Remember a line, in place of the oldest. */
void log_memory_keep(enum log_level level, const char *event, const char *text, size_t len, const char *fix);

/* The oldest line with a greater number; NULL: there is none. */
const struct log_line *log_memory_after(uint64_t number);

/* In a new process: the lines are its parent's. */
void log_memory_forget(void);

#endif
