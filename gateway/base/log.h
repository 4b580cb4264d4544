/*
 * Log lines: an event and its fields, as text or JSON, one write(2) a line to
 * stderr. Never blocks: a line that the reader of stderr has no room for is
 * counted and reported with the next line that gets through.
 *
 * Values may come from the network: everything unprintable is escaped, so no
 * user name can forge a line or drive a terminal.
 */
#ifndef ATTLSD_GATEWAY_BASE_LOG_H
#define ATTLSD_GATEWAY_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct log_field {
	const char *key;  /* NULL ends a list; a field with "" is left out */
	const char *text; /* NULL: the number counts */
	uint64_t number;
};

#define LOG_TEXT(key, value)                                                                                 \
	{                                                                                                    \
		(key), (value), 0                                                                            \
	}
#define LOG_NUMBER(key, value)                                                                               \
	{                                                                                                    \
		(key), NULL, (uint64_t)(value)                                                               \
	}

#define LOG_END                                                                                              \
	{                                                                                                    \
		NULL, NULL, 0                                                                                \
	}

/* log_event(LOG_LEVEL_ERROR, "accept-paused", LOG_TEXT("error", "...")); workers have session_log(), too */
#define log_event(level, event, ...)                                                                         \
	do {                                                                                                 \
		if (log_enabled(level))                                                                      \
			log_write(level, event, (const struct log_field[]){ __VA_ARGS__, LOG_END });         \
	} while (0)

/*
 * Faults of a policy, with their lines, as diags_print() has them. Like everything here it
 * never blocks, and what the reader has no room for counts as lost.
 */
void log_diags(const struct diags *diags);
/* The same for text, which may have several lines. */
void log_text(const char *text, size_t len);

/* How many lines were lost since the last one that got through. */
uint64_t log_lost(void);
/* Lines that a process lost which has ended since count here. */
void log_count_lost(uint64_t lines);

void log_setup(enum log_level level, enum log_format format);
/* Each line of this process names this gateway from now on (daemon.node). NULL or "": no line does. */
void log_set_node(const char *node);
/* "": none was set. */
const char *log_node(void);
/* Both of them, as a policy has them. */
void log_follow(const struct policy_daemon *daemon);
/*
 * In a new process: close every descriptor above `last`, the log's among them,
 * and open the log's anew.
 */
void log_reopen_after(int last);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *event, const struct log_field *fields);
/* The same, with `common` before the other fields. */
void log_write_after(enum log_level level, const char *event, const struct log_field *common,
		     const struct log_field *fields);

#endif
