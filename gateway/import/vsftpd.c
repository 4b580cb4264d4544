/*
 * What the settings of vsftpd.conf become. The table has those that attlsd takes over; vsftpd
 * keeps all others.
 */
#include "gateway/import/vsftpd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/moved.h"
#include "gateway/import/text.h"
#include "gateway/import/vsftpd-file.h"

#define OLD_TLS "attlsd never uses SSL or TLS before 1.2. Which clients have nothing newer?"
#define ANON                                                                                                     \
	"vsftpd lets anonymous users log in without TLS, but no others. attlsd decides before the user's name: " \
	"may everybody (secure_ftp: allowed), or nobody?"
#define MOVED	 "attlsd takes its place, and vsftpd moves"
#define DSA	 "attlsd shows RSA and EC certificates only"
#define FULL_TLS "attlsd always tells a complete end from a cut one"

#define UNVERIFIED                                                                                                  \
	"Without validate_cert, vsftpd accepts any certificate of a client. attlsd verifies it: which authorities " \
	"issue the certificates?"
enum kind { YES_NO, NUMBER, TEXT };

struct vsftpd {
	struct moved moved;
	struct vsftpd_setting *first;
};

static bool is_yes(const struct statement *st)
{
	return text_is_word(st->value, "YES TRUE 1");
}

/* The value that counts, or vsftpd's default. */
static bool is_on(const struct vsftpd *conf, const char *name, bool instead)
{
	for (const struct vsftpd_setting *one = conf->first; one != NULL; one = one->next)
		if (text_is(one->st.keyword, name))
			instead = is_yes(&one->st);
	return instead;
}

static bool is_given(const struct vsftpd *conf, const char *name)
{
	for (const struct vsftpd_setting *one = conf->first; one != NULL; one = one->next)
		if (text_is(one->st.keyword, name))
			return true;
	return false;
}

static void take_certificate(struct vsftpd *conf, struct statement *st)
{
	conf->moved.certificates[0].chain = st;
}

static void take_key(struct vsftpd *conf, struct statement *st)
{
	conf->moved.certificates[0].key = st;
}

/* What moved.c makes the listener, the passive ports and the key ring of. */
static void take_for_later(struct vsftpd *conf, struct statement *st)
{
	struct moved *moved = &conf->moved;
	const struct {
		const char *name;
		struct statement **place;
	} places[] = { { "ca_certs_file", &moved->trust },
		       { "listen_port", &moved->port },
		       { "pasv_min_port", &moved->low },
		       { "pasv_max_port", &moved->high } };

	for (size_t i = 0; i < NELEM(places); i++)
		if (text_is(places[i].name, st->keyword))
			*places[i].place = st;
}

/* Without listen_ipv6, vsftpd listens to IPv4, and with it, to the address for IPv6. */
static void take_host(struct vsftpd *conf, struct statement *st)
{
	if (is_on(conf, "listen_ipv6", false) == text_is(st->keyword, "listen_address6"))
		conf->moved.host = st;
	else
		draft_drop(conf->moved.draft, st, NULL, "vsftpd listens to the other family");
}

static void take_ciphers(struct vsftpd *conf, struct statement *st)
{
	moved_ciphers(&conf->moved, st, st->value, false);
}

static void take_old_tls(struct vsftpd *conf, struct statement *st)
{
	if (is_yes(st))
		draft_decide(conf->moved.draft, st, moved_tls(&conf->moved, NULL, NULL), OLD_TLS,
			     "never in attlsd");
	else
		draft_drop(conf->moved.draft, st, conf->moved.tls, "attlsd never uses it");
}

static void take_new_tls(struct vsftpd *conf, struct statement *st)
{
	bool v12 = is_on(conf, "ssl_tlsv1_2", true) && is_on(conf, "ssl_tlsv12", true);
	bool v13 = is_on(conf, "ssl_tlsv1_3", true) && is_on(conf, "ssl_tlsv13", true);

	draft_carry(conf->moved.draft, st,
		    moved_tls(&conf->moved, "versions",
			      v12 == v13 ? "[tls1.2, tls1.3]"
			      : v12	 ? "[tls1.2]"
					 : "[tls1.3]"));
}

static void take_login(struct vsftpd *conf, struct statement *st)
{
	draft_carry(conf->moved.draft, st,
		    moved_ftp(&conf->moved, "secure_ftp", is_yes(st) ? "required" : "allowed"));
	if (!is_yes(st))
		draft_set(conf->moved.draft, conf->moved.ftp, "secure_ctrlconn", "clear");
}

static void take_switch(struct vsftpd *conf, struct statement *st)
{
	static const struct {
		const char *name, *key, *yes, *no;
	} switches[] = {
		{ "force_local_data_ssl", "secure_dataconn", "private", "clear" },
		{ "require_ssl_reuse", "secure_session_reuse", "required", "allowed" },
		{ "port_enable", "portcommand", "accept", "reject" },
		{ "pasv_promiscuous", "passivedataconn", "unrestricted", "noredirect" },
		{ "connect_from_port_20", "data_port", "lower", "any" },
	};

	for (size_t i = 0; i < NELEM(switches); i++)
		if (text_is(switches[i].name, st->keyword))
			draft_carry(conf->moved.draft, st,
				    moved_ftp(&conf->moved, switches[i].key,
					      is_yes(st) ? switches[i].yes : switches[i].no));
}

static void take_anon(struct vsftpd *conf, struct statement *st)
{
	if (is_on(conf, "anonymous_enable", false) && !is_yes(st))
		draft_decide(conf->moved.draft, st, moved_ftp(&conf->moved, NULL, NULL), ANON, "nobody, now");
	else
		draft_drop(conf->moved.draft, st, conf->moved.ftp, "secure_ftp and secure_dataconn decide");
}

static void take_require(struct vsftpd *conf, struct statement *st)
{
	if (!is_yes(st)) {
		draft_drop(conf->moved.draft, st, conf->moved.tls, "clients need no certificate");
		return;
	}
	conf->moved.verify = true;
	draft_set(conf->moved.draft, conf->moved.tls, "handshake_role", "server_with_client_auth");
	if (is_on(conf, "validate_cert", false))
		draft_carry(conf->moved.draft, st, moved_tls(&conf->moved, "client_auth_type", "required"));
	else
		draft_decide(conf->moved.draft, st, moved_tls(&conf->moved, "client_auth_type", "required"),
			     UNVERIFIED, "attlsd verifies what it asks for");
}

static void take_validate(struct vsftpd *conf, struct statement *st)
{
	if (!is_yes(st) || is_on(conf, "require_cert", false)) {
		draft_drop(conf->moved.draft, st, conf->moved.tls,
			   "client_auth_type decides: attlsd verifies what it asks for");
		return;
	}
	conf->moved.verify = true;
	draft_set(conf->moved.draft, conf->moved.tls, "handshake_role", "server_with_client_auth");
	draft_carry(conf->moved.draft, st, moved_tls(&conf->moved, "client_auth_type", "full"));
}

static void take_implicit(struct vsftpd *conf, struct statement *st)
{
	conf->moved.implicit = is_yes(st);
	draft_differ(conf->moved.draft, st, moved_tls(&conf->moved, NULL, NULL), "tls of the listener: %s",
		     is_yes(st) ? "implicit" : "explicit");
}

static void take_ipv6(struct vsftpd *conf, struct statement *st)
{
	conf->moved.ipv6 = is_yes(st);
	draft_drop(conf->moved.draft, st, NULL, "%s",
		   is_yes(st) ? "a listener of its own for IPv6" : "attlsd listens to IPv4 only");
}

static void take_advertise(struct vsftpd *conf, struct statement *st)
{
	moved_advertise(&conf->moved, st);
}

static void take_passive(struct vsftpd *conf, struct statement *st)
{
	if (is_yes(st))
		draft_drop(conf->moved.draft, st, conf->moved.ftp, "PASV and EPSV are always allowed");
	else
		draft_carry(conf->moved.draft, st,
			    moved_ftp(&conf->moved, "commands_denied", "[PASV, EPSV]"));
}

/* One setting for addresses and for ports below 1024. */
static void take_bounce(struct vsftpd *conf, struct statement *st)
{
	draft_set(conf->moved.draft, conf->moved.ftp, "portcommandport",
		  is_yes(st) ? "unrestricted" : "nolowports");
	draft_carry(conf->moved.draft, st,
		    moved_ftp(&conf->moved, "portcommandipaddr", is_yes(st) ? "unrestricted" : "noredirect"));
}

static void take_time(struct vsftpd *conf, struct statement *st)
{
	static const struct {
		const char *name, *key;
		unsigned min;
	} times[] = { { "idle_session_timeout", "inactive", 0 },
		      { "data_connection_timeout", "datacttime", 1 },
		      { "accept_timeout", "datatimeout", 1 },
		      { "connect_timeout", "datatimeout", 1 } };

	if (text_is(st->keyword, "connect_timeout") && is_given(conf, "accept_timeout"))
		draft_drop(conf->moved.draft, st, conf->moved.ftp,
			   "accept_timeout is the time for both ways");
	else
		for (size_t i = 0; i < NELEM(times); i++)
			if (text_is(times[i].name, st->keyword))
				(void)moved_seconds(&conf->moved, st, times[i].key, times[i].min, 86400);
}

static void take_data_port(struct vsftpd *conf, struct statement *st)
{
	if (is_on(conf, "connect_from_port_20", false))
		draft_differ(conf->moved.draft, st, moved_ftp(&conf->moved, NULL, NULL),
			     "with data_port: lower, it is the port below that of the listener");
	else
		draft_drop(conf->moved.draft, st, conf->moved.ftp, "connect_from_port_20 is off");
}

static void take_fails(struct vsftpd *conf, struct statement *st)
{
	uint64_t number;

	if (text_number(st->value, 1, 100, &number))
		draft_carry(conf->moved.draft, st, moved_ftp(&conf->moved, "login_attempts", st->value));
	else
		draft_differ(conf->moved.draft, st, moved_ftp(&conf->moved, "login_attempts", "100"),
			     "attlsd allows 1 to 100");
}

static void take_ssl(struct vsftpd *conf, struct statement *st)
{
	conf->moved.tls_on = is_yes(st);
	draft_differ(conf->moved.draft, st, moved_tls(&conf->moved, NULL, NULL),
		     "attlsd does TLS; vsftpd gets ssl_enable=NO");
}

static void take_per_ip(struct vsftpd *conf, struct statement *st)
{
	moved_per_source(&conf->moved, st);
}

/* hosts.allow and hosts.deny */
static void take_wrappers(struct vsftpd *conf, struct statement *st)
{
	if (is_yes(st))
		moved_by_address(&conf->moved, st);
	else
		draft_drop(conf->moved.draft, st, NULL, "clients are not told apart by address");
}

static void take_commands(struct vsftpd *conf, struct statement *st)
{
	bool denied = text_is(st->keyword, "cmds_denied");

	if (denied ? moved_has_own(st->value) : moved_lacks_own(st->value))
		moved_commands(&conf->moved, st);
	else
		draft_drop(conf->moved.draft, st, NULL, "vsftpd keeps it");
}

static const struct {
	const char *name;
	enum kind kind;
	void (*take)(struct vsftpd *conf, struct statement *st); /* NULL: only the text */
	const char *text;
} settings[] = {
	{ "ssl_enable", YES_NO, take_ssl, NULL },
	{ "rsa_cert_file", TEXT, take_certificate, NULL },
	{ "rsa_private_key_file", TEXT, take_key, NULL },
	{ "dsa_cert_file", TEXT, NULL, DSA },
	{ "dsa_private_key_file", TEXT, NULL, DSA },
	{ "ca_certs_file", TEXT, take_for_later, NULL },
	{ "ssl_ciphers", TEXT, take_ciphers, NULL },
	{ "ssl_sslv2", YES_NO, take_old_tls, NULL },
	{ "ssl_sslv3", YES_NO, take_old_tls, NULL },
	{ "ssl_tlsv1", YES_NO, take_old_tls, NULL },
	{ "ssl_tlsv1_1", YES_NO, take_old_tls, NULL },
	{ "ssl_tlsv11", YES_NO, take_old_tls, NULL },
	{ "ssl_tlsv1_2", YES_NO, take_new_tls, NULL },
	{ "ssl_tlsv12", YES_NO, take_new_tls, NULL },
	{ "ssl_tlsv1_3", YES_NO, take_new_tls, NULL },
	{ "ssl_tlsv13", YES_NO, take_new_tls, NULL },
	{ "force_local_logins_ssl", YES_NO, take_login, NULL },
	{ "force_local_data_ssl", YES_NO, take_switch, NULL },
	{ "force_anon_logins_ssl", YES_NO, take_anon, NULL },
	{ "force_anon_data_ssl", YES_NO, take_anon, NULL },
	{ "allow_anon_ssl", YES_NO, NULL, "every client may use TLS" },
	{ "require_ssl_reuse", YES_NO, take_switch, NULL },
	{ "require_cert", YES_NO, take_require, NULL },
	{ "validate_cert", YES_NO, take_validate, NULL },
	{ "ssl_request_cert", YES_NO, NULL, "client_auth_type decides" },
	{ "implicit_ssl", YES_NO, take_implicit, NULL },
	{ "strict_ssl_read_eof", YES_NO, NULL, FULL_TLS },
	{ "strict_ssl_write_shutdown", YES_NO, NULL, FULL_TLS },
	{ "debug_ssl", YES_NO, NULL, "daemon.log.level: debug logs the handshakes" },
	{ "listen", YES_NO, NULL, MOVED },
	{ "listen_ipv6", YES_NO, take_ipv6, NULL },
	{ "listen_address", TEXT, take_host, NULL },
	{ "listen_address6", TEXT, take_host, NULL },
	{ "listen_port", NUMBER, take_for_later, NULL },
	{ "pasv_min_port", NUMBER, take_for_later, NULL },
	{ "pasv_max_port", NUMBER, take_for_later, NULL },
	{ "pasv_address", TEXT, take_advertise, NULL },
	{ "pasv_addr_resolve", YES_NO, NULL, "attlsd looks names up by itself" },
	{ "pasv_enable", YES_NO, take_passive, NULL },
	{ "pasv_promiscuous", YES_NO, take_switch, NULL },
	{ "port_promiscuous", YES_NO, take_bounce, NULL },
	{ "port_enable", YES_NO, take_switch, NULL },
	{ "connect_from_port_20", YES_NO, take_switch, NULL },
	{ "idle_session_timeout", NUMBER, take_time, NULL },
	{ "data_connection_timeout", NUMBER, take_time, NULL },
	{ "accept_timeout", NUMBER, take_time, NULL },
	{ "max_per_ip", NUMBER, take_per_ip, NULL },
	{ "tcp_wrappers", YES_NO, take_wrappers, NULL },
	{ "connect_timeout", NUMBER, take_time, NULL },
	{ "ftp_data_port", NUMBER, take_data_port, NULL },
	{ "max_login_fails", NUMBER, take_fails, NULL },
	{ "cmds_allowed", TEXT, take_commands, NULL },
	{ "cmds_denied", TEXT, take_commands, NULL },
};

/* Numbers that begin with 0 are octal. */
static void normalize(struct arena *arena, struct statement *st)
{
	if (st->value[0] == '0' && st->value[1] != '\0' && strspn(st->value, "01234567") == strlen(st->value))
		st->value = text_format(arena, "%lu", strtoul(st->value, NULL, 8));
}

/* What vsftpd refuses to start with. */
static const char *fault_of(const struct statement *st, enum kind kind)
{
	uint64_t number;

	if (st->value[0] == '\0')
		return "needs a value";
	if (kind == YES_NO && !text_is_word(st->value, "YES NO TRUE FALSE 1 0"))
		return "is YES or NO";
	if (kind == NUMBER && !text_number(st->value, 0, UINT32_MAX, &number))
		return "needs a number";
	return NULL;
}

static void check(struct draft *draft, struct statement *st)
{
	for (size_t i = 0; i < NELEM(settings); i++) {
		const char *fault;

		if (!text_is(settings[i].name, st->keyword) || settings[i].kind == TEXT)
			continue;
		fault = fault_of(st, settings[i].kind);
		if (fault != NULL)
			diags_add(&st->source->diags, DIAG_ERROR, DIAG_IMPORT_VALUE, st->value_mark, "%s %s",
				  settings[i].name, fault);
		else if (settings[i].kind == NUMBER)
			normalize(&draft->arena, st);
	}
}

static bool is_last(const struct vsftpd_setting *one)
{
	for (const struct vsftpd_setting *later = one->next; later != NULL; later = later->next)
		if (text_is(later->st.keyword, one->st.keyword))
			return false;
	return true;
}

static void take(struct vsftpd *conf, struct vsftpd_setting *one)
{
	for (size_t i = 0; i < NELEM(settings); i++) {
		if (!text_is(settings[i].name, one->st.keyword))
			continue;
		if (!is_last(one))
			draft_drop(conf->moved.draft, &one->st, NULL, "a later line has it again");
		else if (one->st.value[0] == '\0')
			draft_drop(conf->moved.draft, &one->st, NULL,
				   "it is empty, which is vsftpd's default");
		else if (settings[i].take != NULL)
			settings[i].take(conf, &one->st);
		else
			draft_drop(conf->moved.draft, &one->st, NULL, "%s", settings[i].text);
		return;
	}
	if (text_begins(one->st.keyword, "ssl_"))
		moved_unknown_tls(&conf->moved, &one->st);
	else
		draft_drop(conf->moved.draft, &one->st, NULL, "vsftpd keeps it");
}

/* vsftpd's defaults that are not attlsd's. */
static void take_defaults(struct vsftpd *conf)
{
	struct draft *draft = conf->moved.draft;

	if (conf->moved.tls_on && draft_get(conf->moved.ftp, "secure_session_reuse") == NULL)
		draft_carry(draft, draft_assumed(draft, "require_ssl_reuse", "YES (the default)"),
			    moved_ftp(&conf->moved, "secure_session_reuse", "required"));
	if (is_on(conf, "anonymous_enable", false) && !is_given(conf, "force_anon_logins_ssl"))
		draft_decide(draft, draft_assumed(draft, "force_anon_logins_ssl", "NO (the default)"),
			     moved_ftp(&conf->moved, NULL, NULL), ANON, "nobody, now");
	if (!conf->moved.tls_on)
		moved_without_tls(&conf->moved, "ssl_enable=NO");
}

int import_vsftpd(struct draft *draft, struct source *source, const char *address)
{
	struct vsftpd conf = { .first = NULL };
	const char *host;
	unsigned port;

	moved_begin(&conf.moved, draft, "vsftpd", address);
	conf.first = vsftpd_parse(draft, source);
	for (struct vsftpd_setting *one = conf.first; one != NULL; one = one->next)
		check(draft, &one->st);
	for (struct vsftpd_setting *one = conf.first; one != NULL; one = one->next)
		take(&conf, one);
	take_defaults(&conf);
	moved_finish(&conf.moved);
	moved_address(&conf.moved, &host, &port);
	draft->server_file = "vsftpd.conf";
	draft->server_changes =
	    text_format(&draft->arena,
			"listen=YES\nlisten_ipv6=NO\nlisten_address=%s\nlisten_port=%u\nssl_enable=NO\n"
			"implicit_ssl=NO\npasv_min_port=0\npasv_max_port=0\npasv_address=\nmax_per_ip=0\n"
			"connect_from_port_20=NO\n",
			host, port);
	return source->diags.nerrors > 0 ? -EINVAL : 0;
}
