/*
 * One event of the audit trail as text: a line of JSON, and a datagram for the journal.
 * docs/audit.schema.json and docs/AUDIT.md describe what is in it.
 */
#ifndef ATTLSD_GATEWAY_BASE_AUDIT_TEXT_H
#define ATTLSD_GATEWAY_BASE_AUDIT_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* Changes with the meaning of a field that there is; new fields and events do not change it. */
#define AUDIT_SCHEMA 1

enum audit_type { AUDIT_TYPE_TEXT = 0, AUDIT_TYPE_NUMBER, AUDIT_TYPE_BOOL };

/* A field without a text, or with the key "", is left out. */
struct audit_field {
	const char *key; /* NULL ends a list */
	enum audit_type type;
	const char *text; /* AUDIT_TYPE_TEXT: from the network, so any bytes */
	uint64_t number;
};

#define AUDIT_TEXT(key, value)                                                                               \
	{                                                                                                    \
		(key), AUDIT_TYPE_TEXT, (value), 0                                                           \
	}
#define AUDIT_NUMBER(key, value)                                                                             \
	{                                                                                                    \
		(key), AUDIT_TYPE_NUMBER, NULL, (uint64_t)(value)                                            \
	}
#define AUDIT_BOOL(key, value)                                                                               \
	{                                                                                                    \
		(key), AUDIT_TYPE_BOOL, NULL, (value) ? 1 : 0                                                \
	}
#define AUDIT_END                                                                                            \
	{                                                                                                    \
		NULL, AUDIT_TYPE_TEXT, NULL, 0                                                               \
	}

/* What each event begins with. */
struct audit_stamp {
	const char *boot; /* of this start of attlsd */
	const char *node; /* which gateway; "": left out */
	pid_t pid;
	uint64_t seq; /* of the process, from 1 on */
	struct timespec time;
	const char *event;
	uint64_t lost; /* events of this process that were lost before this one; 0: left out */
};

/* A value is cut after this many bytes, and the event then has "cut":true. No line of FTP is longer. */
#define AUDIT_VALUE_MAX 4096
/* Room for any line: two names of a rename, escaped, and the rest. */
#define AUDIT_LINE_MAX (64 * 1024)
/* Room for any datagram: the line, and each field once more. */
#define AUDIT_JOURNAL_MAX (128 * 1024)

/* Write the event as JSON, without a newline at the end. Returns its length. */
size_t audit_text_json(char buf[static AUDIT_LINE_MAX], const struct audit_stamp *stamp,
		       const struct audit_field *common, const struct audit_field *fields);

/*
 * Write the same for the journal's socket (systemd's native protocol): the line as MESSAGE, and
 * ATTLSD_KEY for each field, with its bytes as they are. Returns the length.
 */
size_t audit_text_journal(char buf[static AUDIT_JOURNAL_MAX], const char *json, size_t len,
			  const struct audit_stamp *stamp, const struct audit_field *common,
			  const struct audit_field *fields);

/*
 * Undo the escapes of a value, in place: "\x5c" is a backslash, "\xff" a byte that was not
 * UTF-8. Returns the length.
 */
size_t audit_text_unescape(char *text, size_t len);

#endif
