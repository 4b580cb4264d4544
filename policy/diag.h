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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum diag_level { DIAG_ERROR = 0, DIAG_WARNING, DIAG_NOTE };

/* What kind of fault it is, for programs; see diag-codes.def. */
enum diag_code {
	DIAG_NO_CODE = 0,
#define DIAG_CODE(id, name, meaning) DIAG_##id,
#include "policy/diag-codes.def"
#undef DIAG_CODE
};

/*
 * A place in the source. All count from 1; columns count characters, not bytes. line 0: none.
 * The end is the first character that no longer belongs to the place; end_line 0: not known.
 */
struct diag_mark {
	uint32_t line, column;
	uint32_t end_line, end_column;
	uint32_t file; /* 0: the policy; DIAG_OWN: the file of a node */
};

#define DIAG_OWN 1

/* A second place that a fault has to do with. */
struct diag_place {
	char *file; /* owned; NULL: the file of the fault */
	struct diag_mark mark;
	char *message; /* owned; NULL: there is no such place */
};

struct diag {
	enum diag_level level;
	enum diag_code code;
	struct diag_mark mark;
	char *message; /* owned */
	char *fix;     /* owned; what should be at the mark instead, NULL: that is not known */
	struct diag_place other;
};

struct diags {
	char *file;   /* owned; the name as the user gave it */
	char *source; /* owned copy of the text */
	size_t source_len;
	struct {
		char *file, *source; /* owned; NULL: there is none */
		size_t len;
	} own;		    /* the file of a node, which belongs to the policy */
	uint32_t reading;   /* 0 or DIAG_OWN: the file of all faults that are added now */
	struct diag *items; /* owned */
	size_t nitems;
	size_t nerrors; /* all that were found, including those past DIAGS_MAX */
	bool kept;	/* was the last one kept? */
};

/* Faults past this number are counted but not kept. */
#define DIAGS_MAX 100

/* Start an empty collection about `file` with this text (may be NULL, 0). Returns 0 or -ENOMEM. */
int diags_init(struct diags *diags, const char *file, const char *source, size_t len);
void diags_done(struct diags *diags);

/* There is a file of this node, too. Returns 0 or -ENOMEM. */
int diags_add_own(struct diags *diags, const char *file, const char *source, size_t len);
/* The file of a mark. */
const char *diags_file(const struct diags *diags, struct diag_mark mark);
/* The text of that file. */
const char *diags_source(const struct diags *diags, struct diag_mark mark, size_t *ret_len);

/* Add one. The message contains no position, no level and no newline. */
void diags_add(struct diags *diags, enum diag_level level, enum diag_code code, struct diag_mark mark,
	       const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The one that was added last is also about this place: in its own file, or another one (line 0: the whole of
 * it). */
void diags_see(struct diags *diags, const char *file, struct diag_mark mark, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* What repairs the one that was added last, if it takes the place of the text at its mark. */
void diags_fix(struct diags *diags, const char *text);

/*
 * Print all in the order of their marks: "file:line:col: message" (with
 * "warning: " before the message of a warning), the source line made safe for a
 * terminal, and a caret under the column (tabs are copied from the source, so that
 * it is aligned). Prints no summary. Notes are for `attlsctl check` only: it prints
 * them ("note: ") after the rest.
 */
void diags_print(const struct diags *diags, FILE *out);
void diags_print_notes(const struct diags *diags, FILE *out);

/* The order in which they are printed: notes, or all others. Returns how many there are. */
size_t diags_sort(const struct diags *diags, bool notes, const struct diag *order[static DIAGS_MAX]);

/* A copy of the text as diags_print() prints it, without what a terminal might act on. NULL: no memory. */
char *diag_safe_text(const char *text);

/* "error", "warning" or "note". */
const char *diag_level_name(enum diag_level level);
/* Its name in diag-codes.def. */
const char *diag_code_name(enum diag_code code);

/*
 * The candidate nearest to `word` by edit distance, or NULL when each is more
 * than a third of its length away. candidates ends with NULL.
 */
const char *diag_suggest(const char *word, const char *const *candidates);

#endif
