/*
 * The policy that an import makes, and the account of each statement: what became of it,
 * where the difference is, what an administrator has to decide.
 *
 * Importers fill it in; write-policy.c and write-report.c print it.
 */
#ifndef ATTLSD_GATEWAY_IMPORT_DRAFT_H
#define ATTLSD_GATEWAY_IMPORT_DRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/import/source.h"
#include "policy/policy.h"

/* A statement of a file: a keyword and the rest of its line. */
struct statement {
	struct source *source; /* NULL: no file has it; it stands for a default */
	struct diag_mark mark;
	struct diag_mark value_mark;
	const char *keyword;
	const char *value;	/* "": none */
	const char *where;	/* the block that has it, such as "TTLSKeyringParms ring"; "": none */
	uint32_t last_line;	/* of a block; 0: it is one line */
	bool secret;		/* its value is a password */
	size_t naccounts;	/* that have been given */
	struct statement *next; /* of the same file */
};

enum fate {
	FATE_CARRIED = 1, /* the same in attlsd */
	FATE_DIFFERS,	  /* carried over, with a difference */
	FATE_NOTHING,	  /* it has no meaning for attlsd */
	FATE_DECIDE,	  /* an administrator has to answer a question */
	FATE_COUNT
};

/* What became of a statement. */
struct account {
	const struct statement *statement;
	enum fate fate;
	const char *text; /* what attlsd does, how it differs, or why it has no meaning; "": nothing to say */
	const char *question; /* FATE_DECIDE */
	unsigned number;      /* of the question, from 1 */
	const char *became;   /* "ftp_actions.zos.secure_ftp: required"; NULL: nothing */
	struct account *next_here;
	struct account *next;
};

struct draft_key {
	const char *name;
	const char *value; /* as it is written, in YAML; NULL: only accounts */
	struct account *accounts, *last;
	struct draft_key *next;
};

enum draft_section {
	DRAFT_DAEMON, /* one object, without a name */
	DRAFT_KEYRINGS,
	DRAFT_TLS_ACTIONS,
	DRAFT_FTP_ACTIONS,
	DRAFT_BACKENDS,
	DRAFT_LISTENERS,
	DRAFT_NAT, /* likewise */
	DRAFT_RULES,
	DRAFT_USERS,
	DRAFT_SECTIONS
};

struct draft_object {
	enum draft_section section;
	const char *name;
	const char *source; /* of a key ring: its name on z/OS; NULL: none */
	struct draft_key *keys;
	struct draft_object *next;
};

/* A question, with all accounts that raise it. */
struct draft_question {
	const char *text;
	unsigned number;
	struct draft_question *next;
};

struct draft {
	struct arena arena;
	struct draft_object *sections[DRAFT_SECTIONS];
	struct account *accounts, *last;  /* in the order in which they were given */
	struct draft_key elsewhere;	  /* has those that belong to no object */
	struct draft_question *questions; /* in the order of their numbers */
	const char *server_changes;	  /* lines for the server's own configuration; NULL: none */
	const char *server_file;	  /* whose they are */
};

const char *draft_section_name(enum draft_section section);
const char *draft_fate_name(enum fate fate);

struct draft_object *draft_find(const struct draft *draft, enum draft_section section, const char *name);
/* Finds or adds it. */
struct draft_object *draft_object(struct draft *draft, enum draft_section section, const char *name);
/* A name like this one that no object of the section has yet. */
const char *draft_free_name(struct draft *draft, enum draft_section section, const char *name);

/* The value of a key, or NULL. */
const char *draft_get(const struct draft_object *object, const char *key);
/* Give a key a value without an account. */
void draft_set(struct draft *draft, struct draft_object *object, const char *key, const char *value);

/* Where something goes; all may be NULL: nowhere, then the account is at the end of the policy. */
struct draft_place {
	struct draft_object *object;
	const char *key;
	const char *value;
};

/* Say what becomes of a statement, and set the value of its place, if it has one. */
void draft_carry(struct draft *draft, struct statement *statement, struct draft_place place);
void draft_differ(struct draft *draft, struct statement *statement, struct draft_place place, const char *fmt,
		  ...) __attribute__((format(printf, 4, 5)));
void draft_drop(struct draft *draft, struct statement *statement, struct draft_object *near, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));
void draft_decide(struct draft *draft, struct statement *statement, struct draft_place place,
		  const char *question, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* A statement that no file has, for what an import had to assume. */
struct statement *draft_assumed(struct draft *draft, const char *keyword, const char *value);

void draft_done(struct draft *draft);

#endif
