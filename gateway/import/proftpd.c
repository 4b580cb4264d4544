/*
 * What the directives of proftpd.conf become. The main server and <Global> become the policy; a virtual host
 * is a server of its own, which an administrator has to decide about.
 */
#include "gateway/import/proftpd.h"

#include <errno.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/moved.h"
#include "gateway/import/proftpd-file.h"
#include "gateway/import/text.h"
#include "gateway/import/tls-parts.h"

#define OLD_TLS "attlsd never uses SSL or TLS before 1.2. Which clients have nothing newer?"
#define HOSTS                                                                                                      \
	"ProFTPD has virtual hosts. Which of them move behind attlsd? Each needs a listener and a backend of its " \
	"own"
#define INCLUDED "The file includes others. Do they have TLS, ports or addresses?"
#define PARTLY                                                                                               \
	"ProFTPD demands TLS for a part of the session only. attlsd demands it as the policy says: is that right?"
#define MOVED "attlsd takes its place, and ProFTPD moves"
#define OPTIONS                                                                                               \
	"TLSOptions say who may log in: AllowDotLogin and AllowPerUser by user, ...Required by a name or an " \
	"address in the certificate. attlsd does not. Do clients need it?"
#define USERS                                                                                                \
	"ProFTPD lets users log in with a certificate and no password. attlsd knows users by \"users\" and " \
	"secure_password: which certificates belong to whom?"
#define CHAIN                                                                                                     \
	"ProFTPD also sends the certificates of TLSCertificateChainFile: append them to the file that \"chain\" " \
	"names. Is this done?"
#define PKCS12                                                                                                    \
	"ProFTPD reads certificates and keys from a PKCS #12 file. Name it in \"pkcs12\" of the key ring, and a " \
	"file with its password in \"password_file\", in place of \"certificates\". Is this done?"
#define PASSWORDS                                                                                                 \
	"A program gives ProFTPD the passwords of its keys. Write each into a file that only root can read, and " \
	"name it in \"password_file\", beside \"key\" or \"pkcs12\" of the key ring. Is this done?"
#define KEYS "ProFTPD takes certificates or keys from elsewhere than PEM files. Where does attlsd find them?"
#define STAPLE                                                                                               \
	"ProFTPD staples OCSP responses. Which file has the response? Name it in ocsp of the certificate"
#define REVOKED                                                                                                 \
	"ProFTPD has revocation lists in a folder, or asks OCSP servers. Which file has the lists? Name it in " \
	"crl of the key ring"
#define BOTH   "ProFTPD trusts the authorities of a file and of a folder. Which of them does \"trust\" name?"
#define PSK    "attlsd has no pre-shared keys. Which clients use them?"
#define GROUPS "attlsd does not know some of the curves. Which clients need them?"
#define LOGS   "attlsd has one log: daemon.log"
#define TIMED  "ocsp of the certificate names a file with a response"

struct proftpd {
	struct moved moved;
	struct proftpd_file file;
};

static bool is_on(const struct statement *st)
{
	return text_is_word(st->value, "on yes true 1");
}

static void take_certificate(struct proftpd *conf, struct statement *st)
{
	conf->moved
	    .certificates[text_begins(st->keyword, "TLSRSA")  ? 0
			  : text_begins(st->keyword, "TLSEC") ? 1
							      : 2]
	    .chain = st;
}

static void take_key(struct proftpd *conf, struct statement *st)
{
	conf->moved
	    .certificates[text_begins(st->keyword, "TLSRSA")  ? 0
			  : text_begins(st->keyword, "TLSEC") ? 1
							      : 2]
	    .key = st;
}

static void take_trust(struct proftpd *conf, struct statement *st)
{
	if (conf->moved.trust == NULL)
		conf->moved.trust = st;
	else
		draft_decide(conf->moved.draft, st, moved_tls(&conf->moved, NULL, NULL), BOTH, "%s, now",
			     conf->moved.trust->keyword);
}

static void take_crl(struct proftpd *conf, struct statement *st)
{
	conf->moved.crl = st;
}

static void take_port(struct proftpd *conf, struct statement *st)
{
	conf->moved.port = st;
}

static void take_ports(struct proftpd *conf, struct statement *st)
{
	conf->moved.low = st;
}

/* "TLSv1.3 LIST": a list for one version. */
static void take_ciphers(struct proftpd *conf, struct statement *st)
{
	const char *blank = strpbrk(st->value, " \t");
	const char *list = blank != NULL ? blank + strspn(blank, " \t") : st->value;
	bool tls13 = blank != NULL && text_begins(st->value, "TLSv1.3");

	if (blank != NULL && !tls13 && !text_begins(st->value, "TLSv1.2"))
		draft_drop(conf->moved.draft, st, conf->moved.tls, "attlsd never uses this version");
	else
		moved_ciphers(&conf->moved, st, list, tls13);
}

static const struct tls_name *find_curve(struct arena *arena, const char *name, size_t len)
{
	const char *curve = text_copy(arena, name, len);

	return tls_name_find(TLS_NAME_GROUP, text_is(curve, "prime256v1") ? "secp256r1" : curve);
}

static void take_curves(struct proftpd *conf, struct statement *st)
{
	struct draft *draft = conf->moved.draft;
	const char *list = NULL;

	for (const char *at = st->value; *at != '\0'; at += *at == ':') {
		const struct tls_name *name = find_curve(&draft->arena, at, strcspn(at, ":"));

		if (name == NULL || name->refusal != NULL) {
			draft_decide(draft, st, moved_tls(&conf->moved, "groups", NULL), GROUPS,
				     "the default of attlsd");
			return;
		}
		list = tls_parts_append(draft, list, name->iana);
		at += strcspn(at, ":");
	}
	draft_carry(draft, st, moved_tls(&conf->moved, "groups", list));
}

static void take_masquerade(struct proftpd *conf, struct statement *st)
{
	for (const struct proftpd_directive *one = conf->file.first; one != NULL; one = one->next)
		if (one->applies && text_is(one->st.keyword, "TLSMasqueradeAddress") && &one->st != st) {
			draft_drop(conf->moved.draft, st, NULL, "TLSMasqueradeAddress counts with TLS");
			return;
		}
	moved_advertise(&conf->moved, st);
}

static void take_host(struct proftpd *conf, struct statement *st)
{
	conf->moved.host = st;
}

static void take_stapling(struct proftpd *conf, struct statement *st)
{
	if (is_on(st))
		draft_decide(conf->moved.draft, st, moved_tls(&conf->moved, NULL, NULL), STAPLE,
			     "no response, now");
	else
		draft_drop(conf->moved.draft, st, conf->moved.tls, TIMED);
}

static void take_engine(struct proftpd *conf, struct statement *st)
{
	conf->moved.tls_on = is_on(st);
	draft_differ(conf->moved.draft, st, moved_tls(&conf->moved, NULL, NULL),
		     "attlsd does TLS; ProFTPD gets TLSEngine off");
}

/* "TLSv1.2 TLSv1.3", "ALL -SSLv3 -TLSv1" */
static void take_versions(struct proftpd *conf, struct statement *st)
{
	bool all = text_begins(st->value, "ALL");
	bool v12 = all ? strstr(st->value, "-TLSv1.2") == NULL : strstr(st->value, "TLSv1.2") != NULL;
	bool v13 = all ? strstr(st->value, "-TLSv1.3") == NULL : strstr(st->value, "TLSv1.3") != NULL;
	bool old = all ? !text_is_word("-TLSv1", st->value) || !text_is_word("-TLSv1.1", st->value)
		       : text_is_word("TLSv1.1", st->value) || text_is_word("TLSv1", st->value) ||
			     text_is_word("SSLv3", st->value) || text_is_word("SSLv23", st->value);
	struct draft_place place = moved_tls(&conf->moved, "versions",
					     v12 == v13 ? "[tls1.2, tls1.3]"
					     : v12	? "[tls1.2]"
							: "[tls1.3]");

	if (old || (!v12 && !v13))
		draft_decide(conf->moved.draft, st, place, OLD_TLS, "TLS 1.2 or 1.3 only");
	else
		draft_carry(conf->moved.draft, st, place);
}

static void require(struct proftpd *conf, struct statement *st, const char *login, const char *data,
		    bool exact)
{
	struct draft *draft = conf->moved.draft;

	if (text_is(login, "allowed"))
		draft_set(draft, conf->moved.ftp, "secure_ctrlconn", "clear");
	draft_set(draft, conf->moved.ftp, "secure_dataconn", data);
	if (exact)
		draft_carry(draft, st, moved_ftp(&conf->moved, "secure_ftp", login));
	else
		draft_decide(draft, st, moved_ftp(&conf->moved, "secure_ftp", login), PARTLY,
			     "secure_dataconn: %s", data);
}

static void take_required(struct proftpd *conf, struct statement *st)
{
	/* after "auth", clients may send CCC */
	static const struct {
		const char *value, *login, *data;
		bool exact;
	} levels[] = {
		{ "both", "required", "private", true },      { "control", "required", "clear", true },
		{ "on", "required", "private", true },	      { "off", "allowed", "clear", true },
		{ "auth", "required", "clear", true },	      { "auth+data", "required", "private", true },
		{ "ctrl", "required", "clear", true },	      { "data", "required", "private", false },
		{ "ctrl+data", "required", "private", true }, { "ctrl+!data", "required", "never", true },
		{ "auth+!data", "required", "never", true },  { "!data", "allowed", "never", true },
	};
	const char *value = st->value;

	if (is_on(st))
		value = "on";
	else if (text_is_word(st->value, "off no false 0"))
		value = "off";
	if (text_begins(value, "auth"))
		draft_set(conf->moved.draft, conf->moved.ftp, "secure_ctrlconn", "clear");
	for (size_t i = 0; i < NELEM(levels); i++)
		if (text_is(value, levels[i].value)) {
			require(conf, st, levels[i].login, levels[i].data, levels[i].exact);
			return;
		}
	diags_add(&st->source->diags, DIAG_ERROR, DIAG_IMPORT_VALUE, st->value_mark,
		  "\"%.40s\" is not a value of TLSRequired", text_safe(&conf->moved.draft->arena, st->value));
}

static void take_verify(struct proftpd *conf, struct statement *st)
{
	bool optional = text_is(st->value, "optional");

	if (!is_on(st) && !optional) {
		draft_drop(conf->moved.draft, st, conf->moved.tls, "clients need no certificate");
		return;
	}
	conf->moved.verify = true;
	draft_set(conf->moved.draft, conf->moved.tls, "handshake_role", "server_with_client_auth");
	draft_carry(conf->moved.draft, st,
		    moved_tls(&conf->moved, "client_auth_type", optional ? "full" : "required"));
}

/* Options of all lines add up. */
static bool has_option(const struct proftpd *conf, const char *option)
{
	for (const struct proftpd_directive *one = conf->file.first; one != NULL; one = one->next)
		if (one->applies && text_is(one->st.keyword, "TLSOptions") &&
		    text_is_word(option, one->st.value))
			return true;
	return false;
}

/* Without NoSessionReuseRequired, ProFTPD demands that data connections resume. */
static void take_options(struct proftpd *conf, struct statement *st)
{
	static const char *const logins[] = { "AllowDotLogin", "AllowPerUser", "CommonNameRequired",
					      "dNSNameRequired", "iPAddressRequired" };
	const char *reuse = has_option(conf, "NoSessionReuseRequired") ? "allowed" : "required";
	struct draft_place place = moved_ftp(&conf->moved, "secure_session_reuse", reuse);

	conf->moved.implicit = has_option(conf, "UseImplicitSSL");
	for (size_t i = 0; i < NELEM(logins); i++)
		if (text_is_word(logins[i], st->value)) {
			draft_decide(conf->moved.draft, st, place, OPTIONS, "not in attlsd: %s", logins[i]);
			return;
		}
	draft_differ(conf->moved.draft, st, place,
		     "other options have no counterpart; tls of the listener is %s",
		     conf->moved.implicit ? "implicit" : "explicit");
}

static void take_handshake(struct proftpd *conf, struct statement *st)
{
	uint64_t number;

	proftpd_duration(&conf->moved.draft->arena, st);

	if (text_number(st->value, 1, 600, &number))
		draft_carry(conf->moved.draft, st,
			    moved_tls(&conf->moved, "handshake_timeout",
				      text_format(&conf->moved.draft->arena, "%us", (unsigned)number)));
	else
		draft_differ(conf->moved.draft, st, moved_tls(&conf->moved, "handshake_timeout", "600s"),
			     "attlsd allows 1s to 600s");
}

static void take_foreign(struct proftpd *conf, struct statement *st)
{
	const char *value = is_on(st) ? "unrestricted" : "noredirect";

	draft_set(conf->moved.draft, conf->moved.ftp, "passivedataconn", value);
	if (is_on(st) || text_is_word(st->value, "off no false 0"))
		draft_carry(conf->moved.draft, st, moved_ftp(&conf->moved, "portcommandipaddr", value));
	else
		draft_differ(conf->moved.draft, st, moved_ftp(&conf->moved, "portcommandipaddr", value),
			     "attlsd has no classes of clients");
}

static void take_idle(struct proftpd *conf, struct statement *st)
{
	proftpd_duration(&conf->moved.draft->arena, st);
	(void)moved_seconds(&conf->moved, st, "inactive", 0, 86400);
}

static void take_stall(struct proftpd *conf, struct statement *st)
{
	proftpd_duration(&conf->moved.draft->arena, st);
	(void)moved_seconds(&conf->moved, st, "datacttime", 1, 86400);
}

static void take_ipv6(struct proftpd *conf, struct statement *st)
{
	conf->moved.ipv6 = is_on(st);
	draft_drop(conf->moved.draft, st, NULL, "%s",
		   is_on(st) ? "a listener of its own for IPv6" : "attlsd listens to IPv4 only");
}

static void take_include(struct proftpd *conf, struct statement *st)
{
	draft_decide(conf->moved.draft, st, (struct draft_place){ 0 }, INCLUDED, "not read");
}

static void take_per_host(struct proftpd *conf, struct statement *st)
{
	moved_per_source(&conf->moved, st);
}

/* The parser keeps only those with commands that attlsd answers. */
static void take_limit(struct proftpd *conf, struct statement *st)
{
	moved_commands(&conf->moved, st);
}

/* Of several lines in one context, ProFTPD takes the first for most directives. */
enum which { FIRST = 0, LAST, EACH };

#define TAKE(name, function)                                                                                 \
	{                                                                                                    \
		(name), (function), NULL, NULL, FIRST                                                        \
	}
#define TAKE_BY(name, function, which)                                                                       \
	{                                                                                                    \
		(name), (function), NULL, NULL, which                                                        \
	}
#define KEPT(name, why)                                                                                      \
	{                                                                                                    \
		(name), NULL, (why), NULL, EACH                                                              \
	}
#define ASK(name, question, why)                                                                             \
	{                                                                                                    \
		(name), NULL, (why), (question), EACH                                                        \
	}

static const struct {
	const char *name;
	void (*take)(struct proftpd *conf, struct statement *st); /* NULL: only the text */
	const char *text;
	const char *question; /* NULL: none */
	enum which which;
} directives[] = {
	TAKE("TLSEngine", take_engine),
	TAKE("TLSProtocol", take_versions),
	TAKE_BY("TLSCipherSuite", take_ciphers, EACH),
	TAKE("TLSECDHCurve", take_curves),
	TAKE("TLSRSACertificateFile", take_certificate),
	TAKE("TLSRSACertificateKeyFile", take_key),
	TAKE("TLSECCertificateFile", take_certificate),
	TAKE("TLSECCertificateKeyFile", take_key),
	KEPT("TLSDSACertificateFile", "attlsd shows RSA and EC certificates only"),
	KEPT("TLSDSACertificateKeyFile", "attlsd shows RSA and EC certificates only"),
	TAKE("TLSCACertificateFile", take_trust),
	TAKE("TLSCACertificatePath", take_trust),
	TAKE("TLSCARevocationFile", take_crl),
	ASK("TLSCARevocationPath", REVOKED, "attlsd reads one file"),
	TAKE("TLSVerifyClient", take_verify),
	KEPT("TLSVerifyDepth", "attlsd has the limit of OpenSSL, and max_client_chain"),
	KEPT("TLSVerifyServer", "attlsd passes no FXP with TLS on"),
	ASK("TLSVerifyOrder", REVOKED, "attlsd asks no OCSP server"),
	TAKE("TLSRequired", take_required),
	TAKE_BY("TLSOptions", take_options, EACH),
	TAKE("TLSTimeoutHandshake", take_handshake),
	ASK("TLSCertificateChainFile", CHAIN, "a part of the chain"),
	ASK("TLSPKCS12File", PKCS12, "not read"),
	ASK("TLSPassPhraseProvider", PASSWORDS, "not started"),
	ASK("TLSCryptoDevice", KEYS, "attlsd uses no engine"),
	ASK("TLSPreSharedKey", PSK, "not in attlsd"),
	ASK("TLSUserName", USERS, "passwords, now"),
	TAKE("TLSStapling", take_stapling),
	KEPT("TLSStaplingCache", TIMED),
	KEPT("TLSStaplingOptions", TIMED),
	KEPT("TLSStaplingResponder", TIMED),
	KEPT("TLSStaplingTimeout", TIMED),
	KEPT("TLSLog", LOGS),
	KEPT("TLSRenegotiate", "attlsd always refuses renegotiation"),
	KEPT("TLSServerCipherPreference", "the order of attlsd's list always counts"),
	KEPT("TLSNextProtocol", "attlsd always answers ALPN with ftp"),
	KEPT("TLSSessionCache", "attlsd keeps its TLS sessions in tickets; see session_timeout"),
	KEPT("TLSSessionTickets", "attlsd keeps its TLS sessions in tickets; see session_timeout"),
	KEPT("TLSSessionTicketKeys", "see session_ticket_rotation"),
	KEPT("TLSDHParamFile", "attlsd has the groups of RFC 7919"),
	KEPT("TLSRandomSeed", "OpenSSL takes its random numbers from the kernel"),
	TAKE("TLSMasqueradeAddress", take_masquerade),
	TAKE("PassivePorts", take_ports),
	TAKE("MasqueradeAddress", take_masquerade),
	TAKE_BY("Port", take_port, LAST),
	TAKE_BY("DefaultAddress", take_host, LAST),
	TAKE_BY("UseIPv6", take_ipv6, LAST),
	TAKE("AllowForeignAddress", take_foreign),
	TAKE("TimeoutIdle", take_idle),
	TAKE("TimeoutStalled", take_stall),
	TAKE_BY("Include", take_include, EACH),
	TAKE("MaxClientsPerHost", take_per_host),
	TAKE("MaxConnectionsPerHost", take_per_host),
	TAKE_BY("Limit", take_limit, EACH),
};

static bool is_for_tls(const char *keyword)
{
	return text_begins(keyword, "TLS") ||
	       text_is_word(keyword, "Port PassivePorts MasqueradeAddress DefaultAddress VirtualHost");
}

static void take(struct proftpd *conf, struct proftpd_directive *one)
{
	struct draft *draft = conf->moved.draft;

	if (one->of_host && is_for_tls(one->st.keyword)) {
		draft_decide(draft, &one->st, (struct draft_place){ 0 }, HOSTS, "of a virtual host");
		return;
	}
	if (proftpd_is_by_address(&one->st)) {
		moved_by_address(&conf->moved, &one->st);
		return;
	}
	for (size_t i = 0; i < NELEM(directives) && one->applies; i++) {
		if (!text_is(directives[i].name, one->st.keyword))
			continue;
		if (directives[i].question != NULL)
			draft_decide(draft, &one->st, (struct draft_place){ 0 }, directives[i].question, "%s",
				     directives[i].text);
		else if (directives[i].take == NULL)
			draft_drop(draft, &one->st, NULL, "%s", directives[i].text);
		else if (directives[i].which == EACH ||
			 proftpd_find(&conf->file, directives[i].name, directives[i].which == LAST) == one)
			directives[i].take(conf, &one->st);
		else
			draft_drop(draft, &one->st, NULL, "%s",
				   directives[i].which == LAST ? "a later line has it again"
							       : "another line has it, too, and that counts");
		return;
	}
	if (text_begins(one->st.keyword, "TLS")) {
		moved_unknown_tls(&conf->moved, &one->st);
		return;
	}
	/* what ProFTPD keeps may be a password: SQLConnectInfo, LDAPBindDN, RadiusServer, UserPassword */
	one->st.secret = true;
	draft_drop(draft, &one->st, NULL, "ProFTPD keeps it");
}

int import_proftpd(struct draft *draft, struct source *source, const char *address)
{
	struct proftpd conf = { .file = { 0 } };
	const char *host;
	unsigned port;

	moved_begin(&conf.moved, draft, "proftpd", address);
	conf.moved.ipv6 = true;
	proftpd_parse(draft, source, &conf.file);
	for (struct proftpd_directive *one = conf.file.first; one != NULL; one = one->next)
		take(&conf, one);
	if (conf.moved.tls_on && draft_get(conf.moved.ftp, "secure_session_reuse") == NULL)
		draft_carry(draft, draft_assumed(draft, "TLSOptions", "session reuse required (the default)"),
			    moved_ftp(&conf.moved, "secure_session_reuse", "required"));
	if (draft_get(conf.moved.ftp, "secure_ftp") == NULL && conf.moved.tls_on)
		require(&conf, draft_assumed(draft, "TLSRequired", "off"), "allowed", "clear", true);
	if (!conf.moved.tls_on)
		moved_without_tls(&conf.moved, "TLSEngine off");
	moved_finish(&conf.moved);
	moved_address(&conf.moved, &host, &port);
	draft->server_file = "proftpd.conf";
	draft->server_changes =
	    text_format(&draft->arena,
			"DefaultAddress %s\nPort %u\nSocketBindTight on\nUseIPv6 off\nTLSEngine off\n"
			"(remove) PassivePorts\n(remove) MasqueradeAddress\n(remove) MaxClientsPerHost\n"
			"(remove) MaxConnectionsPerHost\n",
			host, port);
	return source->diags.nerrors > 0 ? -EINVAL : 0;
}
