/*
 * Makes a TLS action of the parameters that are in force. The table says who takes each
 * parameter; those without a taker are accounted for with the text of their row.
 */
#include "gateway/import/attls-tls.h"

#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/attls-versions.h"
#include "gateway/import/text.h"
#include "gateway/import/tls-parts.h"

#define ROLE                                                                                                 \
	"FTP.DATA asks for client certificates (SECURE_LOGIN), but this rule of AT-TLS does not: which is meant?"
#define ROLE_CLIENT                                                                                          \
	"The rule is for connections that clients open, but its HandshakeRole is Client: should it be outbound?"
#define ROLE_SERVER                                                                                             \
	"The rule is for connections that z/OS opens, but its HandshakeRole is that of a server: should it be " \
	"inbound?"
#define USERS                                                                                                    \
	"Which certificates belong to which users, and which users may log in? RACF knows it; \"users\" of the " \
	"policy has only a placeholder"
#define CERTIFICATE_VERSION "Do the authorities in trust of the key ring issue certificates of version 1?"
#define UNVERIFIED	    "no certificate of a peer is verified"
#define HMAC		    "attlsd has no truncated HMAC. Which partners need it?"
#define REVOKED                                                                                                    \
	"z/OS fetches revocation lists or asks OCSP servers, attlsd reads a file: which file has the lists? Name " \
	"it in crl of the key ring"
#define STAPLE                                                                                                 \
	"z/OS staples OCSP responses to the certificate. Which file has the response? Name it in ocsp of the " \
	"certificate"
#define ENVIRONMENT                                                                                          \
	"Envfile names environment variables for System SSL. Do they change versions, cipher suites or key " \
	"files? attlsd does not read them"
#define CERTIFICATES                                                                                         \
	"z/OS limits the signatures of certificates. attlsd has one list for them and for handshakes, "      \
	"signature_algorithms: which ones belong in it?"

struct maker {
	struct zos *zos;
	const struct attls_merged *merged;
	struct draft_object *tls;
	struct tls_parts_ring ring;
	struct attls_versions versions;
	bool client;
};

typedef void take_fn(struct maker *maker, struct statement *st);

static bool is_on(const struct statement *st)
{
	return text_is(st->value, "On");
}

static struct draft_place at(const struct maker *maker, const char *key, const char *value)
{
	return (struct draft_place){ maker->tls, key, value };
}

static void take_role(struct maker *maker, struct statement *st)
{
	struct draft *draft = maker->zos->draft;

	if (maker->client && !text_is(st->value, "Client")) {
		draft_decide(draft, st, at(maker, "handshake_role", "client"), ROLE_SERVER,
			     "attlsd is the client of TLS here");
	} else if (maker->client) {
		draft_carry(draft, st, at(maker, "handshake_role", "client"));
	} else if (text_is(st->value, "ServerWithClientAuth")) {
		draft_carry(draft, st, at(maker, "handshake_role", "server_with_client_auth"));
	} else if (maker->zos->needs_certificates) {
		draft_decide(draft, st, at(maker, "handshake_role", "server_with_client_auth"), ROLE,
			     "as SECURE_LOGIN needs it");
		draft_set(draft, maker->tls, "client_auth_type", "full");
	} else if (text_is(st->value, "Client")) {
		draft_decide(draft, st, at(maker, "handshake_role", "server"), ROLE_CLIENT,
			     "attlsd is the server of TLS here");
	} else {
		draft_carry(draft, st, at(maker, "handshake_role", "server"));
	}
}

static void take_auth_type(struct maker *maker, struct statement *st)
{
	struct draft *draft = maker->zos->draft;

	if (maker->client ||
	    !text_is(attls_merged_value(maker->merged, "HandshakeRole", ""), "ServerWithClientAuth")) {
		draft_drop(draft, st, maker->tls,
			   "it has no effect unless HandshakeRole is ServerWithClientAuth");
	} else if (text_is(st->value, "PassThru") && maker->zos->needs_certificates) {
		draft_decide(draft, st, at(maker, "client_auth_type", "full"), ROLE,
			     "a certificate that counts for a login must be verified");
	} else if (text_is(st->value, "SAFCheck")) {
		draft_decide(draft, st, at(maker, "client_auth_type", "safcheck"), USERS,
			     "the section users takes the place of RACF");
		maker->zos->needs_users = true;
	} else {
		draft_carry(draft, st, at(maker, "client_auth_type", text_lower(&draft->arena, st->value)));
	}
}

static void take_ring(struct maker *maker, struct statement *st)
{
	maker->ring.ring = st; /* accounted for at the end, with its labels */
}

/* The password of a file; one for a key ring of RACF has no meaning. */
static void take_password(struct maker *maker, struct statement *st)
{
	if (attls_merged_value(maker->merged, "Keyring", "")[0] == '/')
		maker->ring.passwords[text_is(st->keyword, "KeyringStashFile")] = st;
	else
		draft_drop(maker->zos->draft, st, maker->tls, "only a file has a password");
}

static void take_label(struct maker *maker, struct statement *st)
{
	bool empty = st->value[0] == '\0';

	if (maker->client && text_is(st->keyword, "ServerCertificateLabel")) {
		draft_drop(maker->zos->draft, st, maker->tls, "it is for servers");
		return;
	}
	maker->ring.without = maker->ring.without || empty;
	if (!empty)
		maker->ring.labels[text_is(st->keyword, "ServerCertificateLabel")] = st;
	else
		draft_drop(maker->zos->draft, st, maker->tls,
			   maker->client
			       ? "no certificate is shown to the server"
			       : "attlsd shows the certificate of the key ring that fits the client");
}

static void take_tls12(struct maker *maker, struct statement *st)
{
	maker->versions.given[0] = st;
}

static void take_tls13(struct maker *maker, struct statement *st)
{
	maker->versions.given[1] = st;
}

static void take_old_tls(struct maker *maker, struct statement *st)
{
	if (is_on(st))
		draft_decide(maker->zos->draft, st, at(maker, "versions", NULL), ZOS_OLD_TLS,
			     "never in attlsd");
	else
		draft_drop(maker->zos->draft, st, maker->tls, "attlsd never uses it");
}

static void take_controlled(struct maker *maker, struct statement *st)
{
	draft_differ(maker->zos->draft, st, at(maker, NULL, NULL),
		     maker->client ? "secure_mechanism of the backend says when TLS starts: %s"
				   : "tls of the listener says when TLS starts: %s",
		     is_on(st) ? "with AUTH TLS" : "at once");
}

static void take_secondary(struct maker *maker, struct statement *st)
{
	if (is_on(st))
		draft_differ(maker->zos->draft, st, at(maker, NULL, NULL),
			     "data connections always have the policy of their control connection");
	else
		draft_drop(maker->zos->draft, st, maker->tls,
			   "data connections always have the policy of their control connection");
}

static const char *seconds(const struct maker *maker, const struct statement *st)
{
	return text_format(&maker->zos->draft->arena, "%ss", text_plain_number(st->value));
}

static void take_timeout(struct maker *maker, struct statement *st)
{
	struct draft *draft = maker->zos->draft;

	if (text_is(text_plain_number(st->value), "0"))
		draft_differ(draft, st, at(maker, "handshake_timeout", "600s"), "attlsd always has a limit");
	else
		draft_differ(draft, st, at(maker, "handshake_timeout", seconds(maker, st)),
			     "for the whole handshake; AT-TLS measures until the first secure data");
}

static void take_reset(struct maker *maker, struct statement *st)
{
	draft_drop(maker->zos->draft, st, maker->tls,
		   "attlsd does not change keys by time; TLS 1.3 does it when a peer asks");
}

static void take_hmac(struct maker *maker, struct statement *st)
{
	if (text_is(st->value, "Required"))
		draft_decide(maker->zos->draft, st, at(maker, NULL, NULL), HMAC, "never in attlsd");
	else
		draft_drop(maker->zos->draft, st, maker->tls, "attlsd never uses it");
}

static void take_secret(struct maker *maker, struct statement *st)
{
	attls_versions_secret(&maker->versions, maker->zos->draft, maker->tls, st, maker->client);
}

static void take_sni(struct maker *maker, struct statement *st)
{
	struct draft *draft = maker->zos->draft;

	if (maker->client)
		draft_drop(draft, st, maker->tls, "it is for servers");
	else
		draft_carry(draft, st,
			    at(maker, "server_handshake_sni", text_lower(&draft->arena, st->value)));
}

static bool verifies_peers(const struct maker *maker)
{
	return maker->client || maker->zos->needs_certificates ||
	       text_is(attls_merged_value(maker->merged, "HandshakeRole", ""), "ServerWithClientAuth");
}

static void take_key_size(struct maker *maker, struct statement *st)
{
	bool rsa = text_is(st->keyword, "PeerMinRsaKeySize");

	if (verifies_peers(maker))
		draft_carry(maker->zos->draft, st,
			    at(maker, rsa ? "peer_min_rsa_key_size" : "peer_min_ecc_key_size",
			       text_plain_number(st->value)));
	else
		draft_drop(maker->zos->draft, st, maker->tls, UNVERIFIED);
}

static void take_certificate_version(struct maker *maker, struct statement *st)
{
	if (text_is(st->value, "3") && verifies_peers(maker))
		draft_decide(maker->zos->draft, st, at(maker, NULL, NULL), CERTIFICATE_VERSION,
			     "certificates of version 1 are verified, too");
	else
		draft_drop(maker->zos->draft, st, maker->tls,
			   verifies_peers(maker) ? "attlsd takes all versions" : UNVERIFIED);
}

static void take_host(struct maker *maker, struct statement *st)
{
	if (!maker->client)
		draft_drop(maker->zos->draft, st, maker->tls, "it is for clients");
}

static void take_session(struct maker *maker, struct statement *st)
{
	draft_carry(maker->zos->draft, st, at(maker, "session_timeout", seconds(maker, st)));
}

static void take_rotation(struct maker *maker, struct statement *st)
{
	struct draft *draft = maker->zos->draft;

	if (maker->client || text_is(text_plain_number(st->value), "0"))
		draft_drop(draft, st, maker->tls, "attlsd changes the keys every hour by default");
	else
		draft_carry(draft, st, at(maker, "session_ticket_rotation", seconds(maker, st)));
}

/* Suite B has lists of its own. */
static bool drop_list(struct maker *maker, struct statement *st)
{
	if (maker->versions.suite_b)
		draft_drop(maker->zos->draft, st, maker->tls, "SuiteBProfile has lists of its own");
	return maker->versions.suite_b;
}

static void take_short_ids(struct maker *maker, struct statement *st)
{
	if (!drop_list(maker, st))
		tls_parts_ciphers(maker->zos->draft, maker->tls, st, 2, maker->versions.off);
}

static void take_long_ids(struct maker *maker, struct statement *st)
{
	if (!drop_list(maker, st))
		tls_parts_ciphers(maker->zos->draft, maker->tls, st, 4, maker->versions.off);
}

/* AT-TLS has lists for both roles in one block. */
static void take_groups(struct maker *maker, struct statement *st)
{
	if (drop_list(maker, st))
		return;
	if (text_is(st->value, "Any"))
		draft_drop(maker->zos->draft, st, maker->tls, "without a list, attlsd has that of OpenSSL");
	else if (text_begins(st->keyword, "Client") == maker->client)
		tls_parts_names(maker->zos->draft, maker->tls, st, "groups", true);
	else
		draft_drop(maker->zos->draft, st, maker->tls, "it is for the other role");
}

static void take_signatures(struct maker *maker, struct statement *st)
{
	if (!drop_list(maker, st))
		tls_parts_names(maker->zos->draft, maker->tls, st, "signature_algorithms", false);
}

static void take_certificate_signatures(struct maker *maker, struct statement *st)
{
	if (drop_list(maker, st))
		return;
	if (attls_merged_find(maker->merged, "SignaturePairs") != NULL)
		draft_drop(maker->zos->draft, st, maker->tls,
			   "signature_algorithms also applies to the signatures of certificates");
	else
		draft_decide(maker->zos->draft, st, at(maker, NULL, NULL), CERTIFICATES, "all that are safe");
}

/* Lists or answers that tell whether the certificate of the peer is revoked. */
static void take_revocation(struct maker *maker, struct statement *st)
{
	bool verifies = verifies_peers(maker);

	if (text_is(st->value, "Off") || !verifies)
		draft_drop(maker->zos->draft, st, maker->tls,
			   verifies ? "attlsd fetches no lists" : UNVERIFIED);
	else
		draft_decide(maker->zos->draft, st, at(maker, NULL, NULL), REVOKED, "no list, now");
}

static void take_stapling(struct maker *maker, struct statement *st)
{
	if (maker->client || text_is(st->value, "Off"))
		draft_drop(maker->zos->draft, st, maker->tls, "attlsd staples nothing without a file");
	else
		draft_decide(maker->zos->draft, st, at(maker, NULL, NULL), STAPLE, "no response, now");
}

static void take_environment(struct maker *maker, struct statement *st)
{
	draft_decide(maker->zos->draft, st, at(maker, NULL, NULL), ENVIRONMENT, "not read");
}

static void take_fips(struct maker *maker, struct statement *st)
{
	struct draft *draft = maker->zos->draft;

	if (text_is(st->value, "Off"))
		draft_drop(draft, st, maker->tls, "it is off by default, for all of attlsd");
	else
		draft_differ(draft, st,
			     (struct draft_place){ draft_object(draft, DRAFT_DAEMON, ""), "fips140", "true" },
			     "it applies to all of attlsd, and OpenSSL's module sets the level");
}

static void take_suite_b(struct maker *maker, struct statement *st)
{
	struct draft *draft = maker->zos->draft;

	draft_carry(draft, st, at(maker, "suite_b_profile", text_lower(&draft->arena, st->value)));
}

static void take_enabled(struct maker *maker, struct statement *st)
{
	draft_carry(maker->zos->draft, st, at(maker, NULL, NULL));
}

static const struct {
	const char *keyword;
	take_fn *take;
} takers[] = {
	{ "TTLSEnabled", take_enabled },
	{ "HandshakeRole", take_role },
	{ "ClientAuthType", take_auth_type },
	{ "Keyring", take_ring },
	{ "KeyringPw", take_password },
	{ "KeyringStashFile", take_password },
	{ "CertificateLabel", take_label },
	{ "ServerCertificateLabel", take_label },
	{ "SSLv2", take_old_tls },
	{ "SSLv3", take_old_tls },
	{ "TLSv1", take_old_tls },
	{ "TLSv1.1", take_old_tls },
	{ "TLSv1.2", take_tls12 },
	{ "TLSv1.3", take_tls13 },
	{ "ApplicationControlled", take_controlled },
	{ "SecondaryMap", take_secondary },
	{ "HandshakeTimeout", take_timeout },
	{ "ResetCipherTimer", take_reset },
	{ "TruncatedHMAC", take_hmac },
	{ "ServerHandshakeSNI", take_sni },
	{ "HostReferenceIdDNS", take_host },
	{ "PeerMinRsaKeySize", take_key_size },
	{ "PeerMinECCKeySize", take_key_size },
	{ "PeerMinCertVersion", take_certificate_version },
	{ "ClientExtendedMasterSecret", take_secret },
	{ "ServerExtendedMasterSecret", take_secret },
	{ "GSK_V3_SESSION_TIMEOUT", take_session },
	{ "GSK_SESSION_TICKET_SERVER_KEY_REFRESH", take_rotation },
	{ "V3CipherSuites", take_short_ids },
	{ "V3CipherSuites4Char", take_long_ids },
	{ "ClientECurves", take_groups },
	{ "ServerKexECurves", take_groups },
	{ "ServerKeyShareGroups", take_groups },
	{ "ClientKeyShareGroups", take_groups },
	{ "SignaturePairs", take_signatures },
	{ "SignaturePairsCert", take_certificate_signatures },
	{ "Envfile", take_environment },
	{ "SuiteBProfile", take_suite_b },
	{ "FIPS140", take_fips },
	{ "OcspUrl", take_revocation },
	{ "OcspAiaEnable", take_revocation },
	{ "HttpCdpEnable", take_revocation },
	{ "GSK_LDAP_SERVER", take_revocation },
	{ "OcspServerStapling", take_stapling },
};

void attls_tls_account_head(struct zos *zos, struct attls_block *block, struct draft_object *object)
{
	if (block->outer == NULL && block->head.naccounts == 0)
		draft_carry(zos->draft, &block->head, (struct draft_place){ .object = object });
}

static void take_use(struct maker *maker, struct attls_use *use)
{
	struct attls_item *item = use->item;
	struct draft *draft = maker->zos->draft;

	if (item->block != NULL)
		attls_tls_account_head(maker->zos, item->block, maker->tls);
	if (use->by != NULL) {
		draft_drop(draft, &item->st, maker->tls, "line %u, in %s %s, overrides it",
			   use->by->head.mark.line, attls_kind_name(use->by->kind), use->by->name);
		return;
	}
	if (item->block != NULL) {
		draft_carry(draft, &item->st, at(maker, NULL, NULL));
		return;
	}
	if (item->row == NULL) {
		draft_decide(draft, &item->st, at(maker, NULL, NULL), ZOS_UNKNOWN, "unknown to attlsctl");
		return;
	}
	for (size_t i = 0; i < NELEM(takers); i++)
		if (strcmp(takers[i].keyword, item->row->keyword) == 0) {
			takers[i].take(maker, &item->st);
			return;
		}
	draft_drop(draft, &item->st, maker->tls, "%s", item->row->text != NULL ? item->row->text : "");
}

struct draft_object *attls_tls(struct zos *zos, const struct attls_merged *merged, bool client)
{
	struct arena *arena = &zos->draft->arena;
	const char *environment = merged->environment->name;
	/* a block inside a rule has no name, but a line */
	const char *base =
	    text_name(arena, environment, text_format(arena, "line%u", merged->environment->head.mark.line));
	const char *key =
	    merged->connection == NULL
		? base
		: text_format(arena, "%.16s.%.15s", base,
			      text_name(arena, merged->connection->name,
					text_format(arena, "line%u", merged->connection->head.mark.line)));
	struct maker maker = { .zos = zos, .merged = merged, .client = client };

	for (struct zos_made *made = zos->made; made != NULL; made = made->next)
		if (made->group == merged->group && made->environment == merged->environment &&
		    made->connection == merged->connection && made->client == client)
			return made->tls;
	maker.tls =
	    draft_object(zos->draft, DRAFT_TLS_ACTIONS, draft_free_name(zos->draft, DRAFT_TLS_ACTIONS, key));
	zos_remember(zos, merged->group, merged->environment, merged->connection, client, maker.tls);
	for (struct attls_block *const *level =
		 (struct attls_block *const[]){ merged->group, merged->environment, merged->connection,
						NULL };
	     *level != NULL; level++)
		attls_tls_account_head(zos, *level, maker.tls);
	attls_versions_find(&maker.versions, merged);
	for (struct attls_use *use = merged->uses; use != NULL; use = use->next)
		take_use(&maker, use);
	maker.ring.certificate = !client;
	maker.ring.trust = verifies_peers(&maker);
	tls_parts_keyring(zos->draft, maker.tls, &maker.ring);
	attls_versions_finish(&maker.versions, zos->draft, maker.tls);
	return maker.tls;
}
