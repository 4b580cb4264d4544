/*
 * FTP.DATA and AT-TLS policies of z/OS to a draft: what the steps share.
 */
#ifndef ATTLSD_GATEWAY_IMPORT_ZOS_H
#define ATTLSD_GATEWAY_IMPORT_ZOS_H

#include "gateway/import/attls-parse.h"
#include "gateway/import/draft.h"
#include "gateway/import/ftp-data.h"

/* Names of what an import makes. */
#define ZOS_SERVER  "zos"	   /* of ftp_actions and tls_actions, for the server's FTP.DATA */
#define ZOS_CLIENT  "zos_client"   /* the same for the client's */
#define ZOS_CLEAR   "in_the_clear" /* of ftp_actions, for clients that AT-TLS exempts */
#define ZOS_BACKEND "ftpd"

/* Questions that several steps ask. */
#define ZOS_UNKNOWN                                                                                          \
	"attlsctl does not know some statements or parameters: do they change TLS, the network or logins?"
#define ZOS_OLD_TLS "attlsd never uses SSL or TLS before 1.2. Which partners have nothing newer?"

/* A TLS action, and the actions of AT-TLS that it was made of. */
struct zos_made {
	const struct attls_block *group, *environment, *connection;
	struct draft_object *tls;
	bool client;
	struct zos_made *next;
};

struct zos {
	struct draft *draft;
	const struct ftp_data *server; /* NULL: no FTP.DATA of a server */
	const struct ftp_data *client;
	const struct attls *attls; /* NULL: no policy of AT-TLS */
	const char *address;	   /* of the FTP server; NULL: not given */
	bool has_inbound;	   /* AT-TLS has a rule for the server */
	bool left_out;		   /* a rule that exempts clients */
	bool needs_certificates;   /* SECURE_LOGIN asks for client certificates */
	bool needs_users;	   /* the policy needs entries of users */
	bool implicit_at_once;	   /* AT-TLS starts TLS on an implicit port before z/OS could greet */
	unsigned outbound;	   /* listeners for clients in the clear, so far */
	struct zos_made *made;
};

void zos_remember(struct zos *zos, const struct attls_block *group, const struct attls_block *environment,
		  const struct attls_block *connection, bool client, struct draft_object *tls);

/* z/OS does TLS in the FTP program itself: KEYRING and its like are in force. */
bool zos_is_native(const struct ftp_data *data);

/* TLSPORT: 990 unless the file has another; 0: none. */
unsigned zos_tlsport(const struct ftp_data *data);

/* Give a key the value of a statement, within the range that attlsd has. */
void zos_carry(struct zos *zos, struct ftp_data_statement *one, struct draft_object *object, const char *key);

/* Account for a statement that does not count, or has no meaning for either side. True: done. */
bool zos_skip(struct zos *zos, struct ftp_data_statement *one, struct draft_object *near);

#endif
