/*
 * Diagnostics with a place: "policy.yaml:14:5: unknown key ...", the source
 * line and a caret under the fault.
 *
 * A struct diags collects every fault of one policy file, so that a user fixes
 * them all in one go. It keeps a copy of the source, so that faults found after
 * parsing (a key file that cannot be read) point at their line as well.
 */
#ifndef ATTLSD_POLICY_DIAG_H
#define ATTLSD_POLICY_DIAG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum diag_level { DIAG_ERROR = 0, DIAG_WARNING };

/* A place in the source: both count from 1; columns count characters, not bytes. line 0: no place. */
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
	size_t nerrors; /* of all found, also of those past DIAGS_MAX */
};

/* Past this many, faults are counted but no longer kept. */
#define DIAGS_MAX 100

/* Start an empty collection about `file` with this text (may be NULL, 0). Returns 0 or -ENOMEM. */
int diags_init(struct diags *diags, const char *file, const char *source, size_t len);
void diags_done(struct diags *diags);

/* Add one; the message has no place, no level and no newline in it. */
void diags_add(struct diags *diags, enum diag_level level, struct diag_mark mark, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Print all, in order of place: "file:line:col: message" (warnings say
 * "warning: " before the message), the source line made safe for a terminal,
 * a caret under the column (tabs of the source are copied, so that it stands
 * right). Prints no summary.
 */
void diags_print(const struct diags *diags, FILE *out);

/*
 * The candidate nearest to `word` by edit distance, or NULL when none is near
 * (more than a third of its length away). candidates ends with NULL.
 */
const char *diag_suggest(const char *word, const char *const *candidates);

#endif
