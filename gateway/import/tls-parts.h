/* Parts of a policy's TLS that FTP.DATA and AT-TLS share: key rings and cipher suites. */
#ifndef ATTLSD_GATEWAY_IMPORT_TLS_PARTS_H
#define ATTLSD_GATEWAY_IMPORT_TLS_PARTS_H

#include <stdbool.h>

#include "gateway/import/draft.h"

/* What a key ring is for. */
struct tls_parts_ring {
	struct statement *ring;		/* KEYRING or Keyring; its value is the ring's name */
	struct statement *labels[2];	/* of certificates; NULL: the ring's default */
	struct statement *passwords[2]; /* of a file: KeyringPw and KeyringStashFile; NULL: not given */
	bool certificate;		/* a server shows one */
	bool without;			/* a client shows none, by an empty label */
	bool trust;			/* certificates of the other side are verified */
};

/* Makes the key ring, and gives the object of tls_actions its keyring. */
void tls_parts_keyring(struct draft *draft, struct draft_object *tls, const struct tls_parts_ring *ring);

/*
 * Adds the cipher suites of a statement to ciphers and ciphersuites of the object. digits is how many
 * hexadecimal digits an id has; a value that is not made of them is one name. off: TLS 1.2 and 1.3 that are
 * not used, so that their suites have no effect.
 */
void tls_parts_ciphers(struct draft *draft, struct draft_object *tls, struct statement *st, unsigned digits,
		       const bool off[2]);

/* Adds ids of groups (4 decimal digits) or signature algorithms (4 hexadecimal digits) to a key. */
void tls_parts_names(struct draft *draft, struct draft_object *tls, struct statement *st, const char *key,
		     bool groups);

/* Adds one value to a list of YAML, "[A, B]"; list may be NULL. */
const char *tls_parts_append(struct draft *draft, const char *list, const char *value);

#endif
