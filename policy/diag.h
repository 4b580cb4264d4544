/*
 * Diagnostics with their position: "policy.yaml:14:5: unknown key ...", the
 * source line, and a caret under the fault.
 *
 * A struct diags collects every fault of one policy file, so that a user can
 * fix them all at once. It keeps a copy of the source, so that faults found after
 * parsing (a key file that cannot be read) point at their line as well.
 */
#ifndef ATTLSD_POLICY_DIAG_H
#define ATTLSD_POLICY_DIAG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum diag_level { DIAG_ERROR = 0, DIAG_WARNING, DIAG_NOTE };

/* A position in the source. Both count from 1; columns count characters, not bytes. line 0: none. */
struct diag_mark {
	uint32_t line;
	uint32_t column;
};

struct diag {
	enum diag_level level;
	struct diag_mark mark;
	char *message; /* owned */
};

struct diags {
	char *file;   /* owned; the name as the user gave it */
	char *source; /* owned copy of the text */
	size_t source_len;
	struct diag *items; /* owned */
	size_t nitems;
	size_t nerrors; /* all that were found, including those past DIAGS_MAX */
};

/* Faults past this number are counted but not kept. */
#define DIAGS_MAX 100

/* Start an empty collection about `file` with this text (may be NULL, 0). Returns 0 or -ENOMEM. */
int diags_init(struct diags *diags, const char *file, const char *source, size_t len);
void diags_done(struct diags *diags);

/* Add one. The message contains no position, no level and no newline. */
void diags_add(struct diags *diags, enum diag_level level, struct diag_mark mark, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Print all in the order of their marks: "file:line:col: message" (with
 * "warning: " before the message of a warning), the source line made safe for a
 * terminal, and a caret under the column (tabs are copied from the source, so that
 * it is aligned). Prints no summary. Notes are for `attlsctl check` only: it prints
 * them ("note: ") after the rest.
 */
void diags_print(const struct diags *diags, FILE *out);
void diags_print_notes(const struct diags *diags, FILE *out);

/* "error", "warning" or "note". */
const char *diag_level_name(enum diag_level level);

/*
 * The candidate nearest to `word` by edit distance, or NULL when each is more
 * than a third of its length away. candidates ends with NULL.
 */
const char *diag_suggest(const char *word, const char *const *candidates);

#endif
