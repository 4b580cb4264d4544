/*
 * A server that did TLS itself and moves behind attlsd: what the importers of its
 * configuration share.
 */
#ifndef ATTLSD_GATEWAY_IMPORT_MOVED_H
#define ATTLSD_GATEWAY_IMPORT_MOVED_H

#include <stdbool.h>

#include "gateway/import/draft.h"

/* A pair of files, and the statements that name them. */
struct moved_certificate {
	struct statement *chain, *key; /* key NULL: it is in the file of the chain */
};

#define MOVED_CERTIFICATES 2 /* RSA and EC */

/* Lines of a configuration; comments do not count. */
#define MOVED_LINES_MAX 5000

struct moved {
	struct draft *draft;
	struct draft_object *tls, *ftp;
	const char *server;  /* "vsftpd" */
	const char *address; /* where the server will be; NULL: nobody has said */
	struct moved_certificate certificates[MOVED_CERTIFICATES];
	struct statement *trust, *crl;
	struct statement *port;	      /* NULL: 21 */
	struct statement *host;	      /* where the server listened; NULL: everywhere */
	struct statement *low, *high; /* of passive ports; both may be in low */
	bool implicit, ipv6;
	bool tls_on;
	bool verify;	     /* client certificates are asked for */
	unsigned per_source; /* sessions of one address; 0: no limit was found */
};

/* Where a setting goes. */
struct draft_place moved_ftp(const struct moved *moved, const char *key, const char *value);
struct draft_place moved_tls(const struct moved *moved, const char *key, const char *value);

void moved_begin(struct moved *moved, struct draft *draft, const char *server, const char *address);

/* OpenSSL's cipher string, the value of a statement or a part of it: carried over if it is a list of names.
 */
void moved_ciphers(struct moved *moved, struct statement *st, const char *value, bool tls13);
/* Asks what becomes of clients without TLS, which the server had only. */
void moved_without_tls(struct moved *moved, const char *setting);
/* An address or a name that clients get in replies to PASV. */
void moved_advertise(struct moved *moved, struct statement *st);
/* A number of seconds of this range. Returns false after reporting that it is none. */
bool moved_seconds(struct moved *moved, struct statement *st, const char *key, unsigned min, unsigned max);

/* A setting that admits or refuses clients by address, of which the server sees none any more. */
void moved_by_address(struct moved *moved, struct statement *st);
/* A limit of sessions for each address. */
void moved_per_source(struct moved *moved, struct statement *st);
/* Asks about a setting of TLS that attlsctl does not know. */
void moved_unknown_tls(struct moved *moved, struct statement *st);
/* Asks about commands that the server refuses, but attlsd answers itself. */
void moved_commands(struct moved *moved, struct statement *st);
/* Has the list, with commas or blanks, one of these? Or, of those that choose data connections, not all? */
bool moved_has_own(const char *list);
bool moved_lacks_own(const char *list);

/* Key rings, listener, backend and rule, from what the importer has found. */
void moved_finish(struct moved *moved);

/* The host and the port of the server's new address. */
void moved_address(const struct moved *moved, const char **ret_host, unsigned *ret_port);

#endif
