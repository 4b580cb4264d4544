/*
 * The types of the tables that define the policy language: a row has a key, its
 * type, where its value is stored, and which values are allowed.
 */
#ifndef ATTLSD_POLICY_SCHEMA_TYPES_H
#define ATTLSD_POLICY_SCHEMA_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
	FIELD_NONE = 0,
	FIELD_UINT, /* min..max, or a word of `words` */
	FIELD_BOOL,
	FIELD_ENUM,	/* a word of `words` */
	FIELD_SET,	/* a list of words: the OR of their values */
	FIELD_DURATION, /* min..max in units of unit_ms */
	FIELD_STRING,	/* min..max bytes */
	FIELD_PATH, /* the same, relative to the policy's folder; a word of `words` is kept as it is, or means
		       NULL if its value is 0 */
	FIELD_KEY,  /* a path, or a URI of RFC 7512 ("pkcs11:...") */
	FIELD_TRUST,	  /* a path or a word, or the system's store (sets the flag) */
	FIELD_NAME,	  /* a name of at most max bytes, see value_is_name() */
	FIELD_PORT_RANGE, /* within min..max */
	FIELD_ADVERTISE,  /* an address, interface:NAME or a host name: into a struct policy_advertise */
	FIELD_ENDPOINT,	  /* address:port, or the first word, which leaves it empty: a struct ip_endpoint */
	FIELD_HTTP,	  /* address:port, the path of a socket, or a word: into a struct policy_http */
	FIELD_BACKEND,	  /* backend's address: into a struct policy_backend */
	FIELD_SERVER,	  /* the address of one of its servers: into a struct policy_server */
	FIELD_SOURCE,	  /* a word, an address or interface:NAME: into a struct policy_backend */
	FIELD_HOST,	  /* a host name or an address, as text */
	FIELD_HOSTS,	  /* a list of host names: struct policy_host (and their count) */
	FIELD_PINS,	  /* a list of SHA-256, as lower-case hex (and their count) */
	FIELD_PRINCIPALS, /* a list of names of Kerberos, as text (and their count) */
	FIELD_NETS,	  /* a list of struct ip_range (and their count) */
	FIELD_DAYS,	  /* a list of days of a month: the mask of struct policy_time */
	FIELD_TIMES,	  /* a list of struct time_of_day_range (and their count) */
	FIELD_PERIOD,	  /* a beginning and an end: into a struct policy_time */
	FIELD_ZONE,	  /* a time zone, as text of at most max bytes */
	FIELD_PATTERNS,	  /* a list of names with * and ?: struct name_list */
	FIELD_COMMANDS,	  /* a list of FTP commands: struct command_list */
	FIELD_ACCESS,	  /* a path at the FTP server: into a struct ftp_access */
	FIELD_WHO,	  /* a list of names of people, which may be empty: struct name_list */
	FIELD_CIPHERS,	  /* TLS 1.2: OpenSSL's colon list (flag: one does not encrypt) */
	FIELD_SUITES,	  /* TLS 1.3: the same */
	FIELD_GROUPS,	  /* of key exchanges: OpenSSL's colon list */
	FIELD_SIGNATURES, /* signature algorithms: the same */
	FIELD_REF,	  /* pointer to an object of `section` */
	FIELD_REFS,	  /* a list of these (and their count) */
	FIELD_GROUP,	  /* a mapping of `sub` fields, which lie in the same object at `offset` */
	FIELD_LIST,	  /* a list of `sub` structs (and their count) */
	FIELD_OBJECTS,	  /* a mapping of names to `sub` structs (and their count) */
};

struct word {
	const char *text; /* NULL ends the list */
	unsigned value;
	const char *refusal; /* why this word of z/OS is not accepted here; NULL: it is */
};

struct field {
	const char *key; /* NULL ends a table */
	enum field_type type;
	bool required;	     /* for FIELD_OBJECTS: with at least one entry */
	bool zero_ok;	     /* 0 is allowed although below min */
	bool mapping_ok;     /* of FIELD_LIST: a mapping is a list of one */
	uint8_t width;	     /* bytes of an integer to store; 0: checked, not stored */
	size_t offset;	     /* of the member in its struct */
	size_t count_offset; /* of the size_t that counts the elements, 0: none */
	size_t flag_offset;  /* of a bool that the type sets, 0: none */
	size_t mark_offset;  /* of the struct diag_mark of the value, 0: none */
	const struct word *words;
	uint64_t min, max;
	uint32_t unit_ms;	  /* of durations: the unit in which they are stored */
	uint32_t bare_unit_ms;	  /* of durations: the unit of a number without one */
	const char *default_text; /* as a user would write it (sets: words separated by spaces); NULL: none */
	const char *instead;	  /* a required key may be missing if this one is given, but not both */
	const char *section;	  /* of references: where the object is defined */
	const char
	    *scalar_key; /* of lists: a single value means an entry with only this key; NULL: not allowed */
	const struct schema *sub;
};

struct schema {
	const struct field *fields;
	size_t size;	     /* of one object */
	size_t name_offset;  /* of its const char *name (FIELD_OBJECTS) */
	size_t mark_offset;  /* of the struct diag_mark of its key, or of its place in a list; 0: none */
	size_t index_offset; /* of the size_t that is its index in its array, 0: none */
};

#endif
