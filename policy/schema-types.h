/*
 * What a row of the policy language's tables says: a key, its type, where its
 * value goes, and what it may be. The tables themselves: schema.h.
 */
#ifndef ATTLSD_POLICY_SCHEMA_TYPES_H
#define ATTLSD_POLICY_SCHEMA_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
	FIELD_NONE = 0,
	FIELD_UINT,	  /* min..max, or a word of `words` */
	FIELD_BOOL,	  /* */
	FIELD_ENUM,	  /* a word of `words` */
	FIELD_SET,	  /* a list of words: the OR of their values */
	FIELD_DURATION,	  /* min..max in units of store_ms */
	FIELD_STRING,	  /* min..max bytes */
	FIELD_PATH,	  /* the same, relative to the policy's folder; words: those that mean none, a NULL */
	FIELD_TRUST,	  /* a path, or the system's store (also: its bool) */
	FIELD_NAME,	  /* a name as value_is_name() has it */
	FIELD_PORT_RANGE, /* within min..max */
	FIELD_ADVERTISE,  /* an address, interface:NAME or a host name: into a struct policy_advertise */
	FIELD_ENDPOINT,	  /* struct ip_endpoint */
	FIELD_BACKEND,	  /* backend's address: into a struct policy_backend */
	FIELD_NETS,	  /* a list of struct ip_net (also: their number) */
	FIELD_COMMANDS,	  /* a list of FTP commands: struct command_list */
	FIELD_CIPHERS,	  /* TLS 1.2: OpenSSL's colon list (also: bool, does one encrypt nothing) */
	FIELD_SUITES,	  /* TLS 1.3: the same */
	FIELD_REF,	  /* pointer to an object of `section` */
	FIELD_REFS,	  /* a list of these (also: their number) */
	FIELD_GROUP,	  /* a mapping of `sub` fields, which lie in the same object at `offset` */
	FIELD_LIST,	  /* a list of `sub` structs (also: their number) */
	FIELD_OBJECTS,	  /* a mapping of names to `sub` structs (also: their number) */
};

struct word {
	const char *text; /* NULL ends the list */
	unsigned value;
	const char *refusal; /* NULL, or why this word of z/OS is not accepted here */
};

struct field {
	const char *key; /* NULL ends a table */
	enum field_type type;
	bool required; /* for FIELD_OBJECTS: with one entry at least */
	bool zero_ok;  /* 0 is allowed though below min */
	uint8_t width; /* bytes of an integer to store; 0: checked, not stored */
	size_t offset; /* in the struct */
	size_t also;   /* offset of a second member that the type fills (counts are size_t), 0: none */
	size_t mark;   /* offset of a struct diag_mark for the value's place, 0: none */
	const struct word *words;
	uint64_t min, max;
	uint32_t store_ms;    /* of durations: the unit in which they are kept */
	uint32_t plain_ms;    /* of durations: the unit of a number without one */
	const char *standard; /* the default as a user would write it (of a set: words with blanks between);
				 NULL: none */
	const char *section;  /* of references: where the object is defined */
	const char *scalar; /* of lists: a single value stands for an entry with this key alone; NULL: it is a
			       fault */
	const struct schema *sub;
};

struct schema {
	const struct field *fields;
	size_t size;  /* of one object */
	size_t name;  /* offsets: const char *name (of FIELD_OBJECTS), */
	size_t mark;  /* struct diag_mark of the object's key, 0: none, */
	size_t index; /* size_t place in its array, 0: none */
};

#endif
