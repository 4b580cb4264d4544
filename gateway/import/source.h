/*
 * A file to import, as lines of UTF-8: EBCDIC and fixed-length records are converted, and
 * sequence numbers are blank. It collects the messages about the file.
 */
#ifndef ATTLSD_GATEWAY_IMPORT_SOURCE_H
#define ATTLSD_GATEWAY_IMPORT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

#define SOURCE_MAX_BYTES (8 * 1024 * 1024)
#define SOURCE_HOW_MAX	 96

struct source {
	struct diags diags;	  /* has the name and the text */
	char how[SOURCE_HOW_MAX]; /* what was converted; "": nothing */
};

/* A line, without its end. */
struct source_line {
	const char *text; /* not terminated */
	size_t len;
	uint32_t number; /* from 1 */
};

/* The line after this one; a zero line gives the first. False: there is none. */
bool source_next_line(const struct source *source, struct source_line *line);

/* The place of a byte of a line. */
struct diag_mark source_mark(const struct source_line *line, size_t at);

/* Take these bytes as the file's. Faults are in its diags. Returns 0 or -ENOMEM. */
int source_take(const char *name, const uint8_t *bytes, size_t len, struct source *ret);

/* Read a file. Prints why it cannot, and returns a negative errno. */
int source_read(const char *path, struct source *ret);

void source_done(struct source *source);

#endif
