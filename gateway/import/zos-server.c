/*
 * The server's FTP.DATA. Where it says nothing and z/OS's default is weaker than that of
 * attlsd, the policy gets z/OS's, so that clients see no change, and a question.
 */
#include "gateway/import/zos-server.h"

#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/text.h"
#include "gateway/import/tls-parts.h"

#define DEFAULTS                                                                                                 \
	"FTP.DATA leaves these statements out, and z/OS's defaults are weaker than those of attlsd. The policy " \
	"has z/OS's. Which of them may become stricter?"
#define USERS                                                                                                    \
	"Which certificates belong to which users, and which users may log in? RACF knows it; \"users\" of the " \
	"policy has only a placeholder"
#define PASSWORDS                                                                                                 \
	"On z/OS, a client with a certificate needs no password. attlsd needs one for the FTP server: give each " \
	"user a password_file and set secure_password to optional, or let clients send it"
#define NO_TLS                                                                                               \
	"FTP.DATA does not have EXTENSIONS AUTH_TLS, so z/OS offers no TLS. attlsd does: is that what you want?"
#define KEYTAB                                                                                               \
	"attlsd needs the keys of the services that clients get tickets for: put those of ftp/HOST and "     \
	"host/HOST into daemon.keytab, and each user's principals into users"
#define TICKETS                                                                                              \
	"On z/OS, a client with a ticket needs no password. attlsd needs one for the FTP server: give each " \
	"user principals and a password_file and set secure_password_kerberos to optional, or let clients send it"
#define NO_GSSAPI "z/OS reads it only with EXTENSIONS AUTH_GSSAPI"
#define SCOPE                                                                                                   \
	"On z/OS, clients that do not start TLS are exempt from SECURE_CTRLCONN and SECURE_DATACONN. May such " \
	"clients still log in?"
#define RING "FTP.DATA names no key ring: which certificate does the server have?"
#define RING_ATTLS                                                                                               \
	"With TLSMECHANISM ATTLS, the policy of AT-TLS names the key ring: import it with --attls. Without it: " \
	"which certificate does the server have?"
#define SOME_KEYTAB "/etc/attlsd/krb5.keytab"
/* The default of z/OS, which counts only beside DSWAITTIME; that of attlsd is shorter, not weaker. */
#define DSWAITTIMEREPLY_ZOS "60"
#define IN_ATTLS	    "z/OS ignores it with TLSMECHANISM ATTLS; the policy of AT-TLS decides"

/* A statement that may be there several times. */
static bool has_extension(const struct ftp_data *data, const char *value)
{
	const struct ftp_data_statement *one = data->first;

	while (one != NULL && !(text_is(one->st.keyword, "EXTENSIONS") && text_is(one->st.value, value)))
		one = one->next;
	return one != NULL;
}

static void extension(struct zos *zos, struct ftp_data_statement *one, struct draft_object *ftp)
{
	bool tls = has_extension(zos->server, "AUTH_TLS"), gssapi = has_extension(zos->server, "AUTH_GSSAPI");
	struct draft_place place = { ftp, "extensions",
				     !gssapi ? "[auth_tls]"
				     : tls   ? "[auth_tls, auth_gssapi]"
					     : "[auth_gssapi]" };

	if (text_is(one->st.value, "AUTH_TLS")) {
		draft_carry(zos->draft, &one->st, place);
	} else if (text_is(one->st.value, "AUTH_GSSAPI")) {
		draft_decide(zos->draft, &one->st, place, KEYTAB, "offered with the keys of daemon.keytab");
		draft_set(zos->draft, draft_object(zos->draft, DRAFT_DAEMON, ""), "keytab", SOME_KEYTAB);
	} else {
		draft_drop(zos->draft, &one->st, ftp,
			   "attlsd passes on what the FTP server says in its reply to FEAT");
	}
}

static void kerberos(struct zos *zos, struct ftp_data_statement *one, struct draft_object *ftp)
{
	struct draft_place place = { ftp, "secure_password_kerberos", "required" };

	if (!has_extension(zos->server, "AUTH_GSSAPI"))
		draft_drop(zos->draft, &one->st, ftp, NO_GSSAPI);
	else if (text_is(one->st.value, "OPTIONAL"))
		draft_decide(zos->draft, &one->st, place, TICKETS, "required until each user has a file");
	else
		zos_carry(zos, one, ftp, one->row->server_key);
}

static void mechanism(struct zos *zos, struct ftp_data_statement *one, struct draft_object *ftp)
{
	struct draft_place place = { ftp, "tlsmechanism", "attls" };

	if (text_is(one->st.value, "ATTLS"))
		draft_carry(zos->draft, &one->st, place);
	else
		draft_differ(zos->draft, &one->st, place, "attlsd does TLS in front of the FTP server");
}

static void login(struct zos *zos, struct ftp_data_statement *one, struct draft_object *ftp)
{
	if (text_is(one->st.value, "VERIFY_USER")) {
		draft_decide(zos->draft, &one->st, (struct draft_place){ ftp, "secure_login", "verify_user" },
			     USERS, "the section users takes the place of RACF");
		zos->needs_users = true;
	} else {
		zos_carry(zos, one, ftp, "secure_login");
	}
	zos->needs_certificates = !text_is(one->st.value, "NO_CLIENT_AUTH");
}

static void password(struct zos *zos, struct ftp_data_statement *one, struct draft_object *ftp)
{
	const struct ftp_data_statement *login_level = ftp_data_find(zos->server, "SECURE_LOGIN");
	struct draft_place place = { ftp, "secure_password", "required" };

	if (text_is(one->st.value, "REQUIRED"))
		draft_carry(zos->draft, &one->st, place);
	else if (login_level == NULL || text_is(login_level->st.value, "NO_CLIENT_AUTH"))
		draft_differ(zos->draft, &one->st, place,
			     "without SECURE_LOGIN, z/OS takes it for REQUIRED, too (EZYFS16I)");
	else
		draft_decide(zos->draft, &one->st, place, PASSWORDS, "required until each user has a file");
}

static void logging(struct zos *zos, struct ftp_data_statement *one, struct draft_object *ftp)
{
	if (text_is(one->st.value, "TRUE"))
		draft_differ(zos->draft, &one->st, (struct draft_place){ ftp, "ftplogging", "truenodns" },
			     "attlsd asks no name server for the names of clients");
	else
		zos_carry(zos, one, ftp, "ftplogging");
}

static void old_tls(struct zos *zos, struct ftp_data_statement *one, struct draft_object *ftp)
{
	if (text_is(one->st.value, "TRUE"))
		draft_decide(zos->draft, &one->st, (struct draft_place){ .object = ftp }, ZOS_OLD_TLS,
			     "never in attlsd");
	else
		draft_drop(zos->draft, &one->st, ftp, "attlsd never uses SSL 3.0");
}

/* The makers of tls_actions and listeners account for it, if it counts. */
static void for_tls(struct zos *zos, struct ftp_data_statement *one, struct draft_object *ftp)
{
	if (!zos_is_native(zos->server))
		draft_drop(zos->draft, &one->st, ftp, IN_ATTLS);
	else if (zos->has_inbound && !text_is(one->st.keyword, "TLSPORT"))
		draft_drop(zos->draft, &one->st, ftp, "the policy of AT-TLS that was imported counts");
}

static void port(struct zos *zos, struct ftp_data_statement *one, struct draft_object *ftp)
{
	if (zos_tlsport(zos->server) == 0)
		draft_drop(zos->draft, &one->st, ftp, "no listener has implicit TLS");
}

static const struct {
	const char *statement;
	void (*take)(struct zos *zos, struct ftp_data_statement *one, struct draft_object *ftp);
} specials[] = {
	{ "EXTENSIONS", extension },
	{ "TLSMECHANISM", mechanism },
	{ "SECURE_LOGIN", login },
	{ "SECURE_PASSWORD", password },
	{ "FTPLOGGING", logging },
	{ "SSLV3", old_tls },
	{ "KEYRING", for_tls },
	{ "CIPHERSUITE", for_tls },
	{ "TLSTIMEOUT", for_tls },
	{ "TLSPORT", port },
	{ "SECURE_PASSWORD_KERBEROS", kerberos },
	{ "SECURE_PBSZ", kerberos },
};

static void take(struct zos *zos, struct ftp_data_statement *one, struct draft_object *ftp)
{
	for (size_t i = 0; i < NELEM(specials); i++)
		if (strcmp(one->row->statement, specials[i].statement) == 0) {
			specials[i].take(zos, one, ftp);
			return;
		}
	if (one->row->kind == FTP_DATA_SPECIAL) /* of the client */
		return;
	if (strcmp(one->row->statement, "VERIFYUSER") == 0 && text_is(one->st.value, "TRUE")) {
		draft_decide(zos->draft, &one->st, (struct draft_place){ ftp, "verifyuser", "true" }, USERS,
			     "the section users takes the place of RACF");
		zos->needs_users = true;
		return;
	}
	zos_carry(zos, one, ftp, one->row->server_key);
}

/* Does the server try again if a data set is in use? */
static bool retries(const struct ftp_data *data)
{
	const struct ftp_data_statement *one = ftp_data_find(data, "DSWAITTIME");

	return one != NULL && !text_is(one->st.value, "0");
}

static void take_defaults(struct zos *zos, struct draft_object *ftp)
{
	const struct ftp_data_row *row;

	for (size_t i = 0; (row = ftp_data_row_at(i)) != NULL; i++) {
		const char *value;

		if (row->zos_default == NULL || ftp_data_find(zos->server, row->statement) != NULL)
			continue;
		value = text_lower(&zos->draft->arena, row->zos_default);
		draft_decide(zos->draft, draft_assumed(zos->draft, row->statement, row->zos_default),
			     (struct draft_place){ ftp, row->server_key, value }, DEFAULTS,
			     "not in FTP.DATA; z/OS's default");
	}
	if (retries(zos->server) && ftp_data_find(zos->server, "DSWAITTIMEREPLY") == NULL)
		draft_carry(zos->draft, draft_assumed(zos->draft, "DSWAITTIMEREPLY", DSWAITTIMEREPLY_ZOS),
			    (struct draft_place){ ftp, "dswaittimereply", DSWAITTIMEREPLY_ZOS "s" });
	if (draft_get(ftp, "extensions") == NULL)
		draft_decide(zos->draft, draft_assumed(zos->draft, "EXTENSIONS", "AUTH_TLS"),
			     (struct draft_place){ ftp, "extensions", "[auth_tls]" }, NO_TLS,
			     "not in FTP.DATA");
}

static bool is_value(const struct draft_object *object, const char *key, const char *words)
{
	const char *value = draft_get(object, key);

	return value != NULL && text_is_word(value, words);
}

void zos_server_ftp(struct zos *zos)
{
	struct draft_object *ftp = draft_object(zos->draft, DRAFT_FTP_ACTIONS, ZOS_SERVER);

	if (zos->server != NULL) {
		for (struct ftp_data_statement *one = zos->server->first; one != NULL; one = one->next)
			if (!zos_skip(zos, one, ftp) && (one->row->sides & FTP_DATA_SERVER) != 0)
				take(zos, one, ftp);
		take_defaults(zos, ftp);
		if (is_value(ftp, "secure_ftp", "allowed") &&
		    (!is_value(ftp, "secure_ctrlconn", "clear") ||
		     !is_value(ftp, "secure_dataconn", "clear never")))
			draft_decide(zos->draft,
				     draft_assumed(zos->draft, "SECURE_FTP", "ALLOWED without TLS"),
				     (struct draft_place){ ftp, "data_policy_scope", "protected" }, SCOPE,
				     "as on z/OS");
	}
	draft_differ(zos->draft, draft_assumed(zos->draft, "Reply codes", "of z/OS"),
		     (struct draft_place){ ftp, "reply_style", "zos" },
		     "attlsd's default is the reply codes of the RFCs");
}

/* A key ring that no statement names. */
static void assume_ring(struct zos *zos, struct draft_object *tls)
{
	bool native = zos->server == NULL || zos_is_native(zos->server);

	draft_decide(zos->draft, draft_assumed(zos->draft, "KEYRING", "none"),
		     (struct draft_place){ tls, "keyring", "ftpd" }, native ? RING : RING_ATTLS,
		     "not in the files");
	draft_set(zos->draft, draft_object(zos->draft, DRAFT_KEYRINGS, "ftpd"), "certificates",
		  "[{ chain: keyrings/ftpd/server.pem, key: keyrings/ftpd/server.key }]");
	if (zos->needs_certificates)
		draft_set(zos->draft, draft_object(zos->draft, DRAFT_KEYRINGS, "ftpd"), "trust",
			  "keyrings/ftpd/trust.pem");
}

void zos_server_tls(struct zos *zos)
{
	struct draft_object *tls = draft_object(zos->draft, DRAFT_TLS_ACTIONS, ZOS_SERVER);
	bool native = zos->server != NULL && zos_is_native(zos->server);

	draft_set(zos->draft, tls, "handshake_role",
		  zos->needs_certificates ? "server_with_client_auth" : "server");
	if (zos->needs_certificates) /* so that a client without one gets 531 to USER */
		draft_set(zos->draft, tls, "client_auth_type", "full");
	for (struct ftp_data_statement *one = native ? zos->server->first : NULL; one != NULL;
	     one = one->next) {
		if (one->row == NULL || one->replaced != NULL)
			continue;
		if (strcmp(one->row->statement, "CIPHERSUITE") == 0)
			tls_parts_ciphers(zos->draft, tls, &one->st, 0, (const bool[2]){ false });
		else if (strcmp(one->row->statement, "TLSTIMEOUT") == 0)
			draft_carry(
			    zos->draft, &one->st,
			    (struct draft_place){ tls, "session_timeout",
						  text_format(&zos->draft->arena, "%ss", one->st.value) });
		else if (strcmp(one->row->statement, "KEYRING") == 0)
			tls_parts_keyring(zos->draft, tls,
					  &(struct tls_parts_ring){ .ring = &one->st,
								    .certificate = true,
								    .trust = zos->needs_certificates });
	}
	if (draft_get(tls, "keyring") == NULL)
		assume_ring(zos, tls);
}
