/*
 * A ring of the last lines of the log that are warnings or errors. Its memory is there
 * from the start, and a line is a copy of a few hundred bytes.
 */
#include "gateway/base/log-memory.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Like the state of log.c, one for each process. */
static struct {
	struct log_line lines[LOG_MEMORY_LINES];
	uint64_t last; /* number */
} memory;

void log_memory_keep(enum log_level level, const char *event, const char *text, size_t len, const char *fix)
{
	struct log_line *line = &memory.lines[memory.last % LOG_MEMORY_LINES];

	*line = (struct log_line){ .number = ++memory.last, .time_s = (uint64_t)time(NULL), .level = level };
	(void)snprintf(line->event, sizeof(line->event), "%s", event);
	(void)snprintf(line->text, sizeof(line->text), "%.*s", (int)len, text);
	(void)snprintf(line->fix, sizeof(line->fix), "%s", fix);
}

const struct log_line *log_memory_after(uint64_t number)
{
	uint64_t oldest = memory.last < LOG_MEMORY_LINES ? 1 : memory.last - LOG_MEMORY_LINES + 1;

	if (number >= memory.last)
		return NULL;
	return &memory.lines[((number + 1 > oldest ? number + 1 : oldest) - 1) % LOG_MEMORY_LINES];
}

void log_memory_forget(void)
{
	memset(&memory, 0, sizeof(memory));
}
