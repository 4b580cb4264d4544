/*
 * Reads vsftpd.conf: "setting=value" without blanks, '#' before comments. The table has the
 * settings that attlsd takes over; vsftpd keeps all others.
 */
#include "gateway/import/vsftpd.h"

#include <errno.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/moved.h"
#include "gateway/import/text.h"

#define OLD_TLS "attlsd never uses SSL or TLS before 1.2. Which clients have nothing newer?"
#define ANON                                                                                                     \
	"vsftpd lets anonymous users log in without TLS, but no others. attlsd decides before the user's name: " \
	"may everybody (secure_ftp: allowed), or nobody?"
#define MOVED	 "attlsd takes its place, and vsftpd moves"
#define FULL_TLS "attlsd always tells a complete end from a cut one"

/* A row of the file. */
struct setting {
	struct statement st;
	struct setting *next;
};

struct vsftpd {
	struct moved moved;
	struct setting *first;
};

static bool is_yes(const struct statement *st)
{
	return text_is_word(st->value, "YES TRUE 1");
}

/* The value that counts, or vsftpd's default. */
static bool is_on(const struct vsftpd *conf, const char *name, bool instead)
{
	for (const struct setting *one = conf->first; one != NULL; one = one->next)
		if (text_is(one->st.keyword, name))
			instead = is_yes(&one->st);
	return instead;
}

static void take_certificate(struct vsftpd *conf, struct statement *st)
{
	conf->moved.certificates[text_begins(st->keyword, "dsa")].chain = st;
}

static void take_key(struct vsftpd *conf, struct statement *st)
{
	conf->moved.certificates[text_begins(st->keyword, "dsa")].key = st;
}

static void take_trust(struct vsftpd *conf, struct statement *st)
{
	conf->moved.trust = st;
}

static void take_port(struct vsftpd *conf, struct statement *st)
{
	conf->moved.port = st;
}

static void take_low(struct vsftpd *conf, struct statement *st)
{
	conf->moved.low = st;
}

static void take_high(struct vsftpd *conf, struct statement *st)
{
	conf->moved.high = st;
}

static void take_ciphers(struct vsftpd *conf, struct statement *st)
{
	moved_ciphers(&conf->moved, st);
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

static void take_data(struct vsftpd *conf, struct statement *st)
{
	draft_carry(conf->moved.draft, st,
		    moved_ftp(&conf->moved, "secure_dataconn", is_yes(st) ? "private" : "clear"));
}

static void take_anon(struct vsftpd *conf, struct statement *st)
{
	if (is_on(conf, "anonymous_enable", false) && !is_yes(st))
		draft_decide(conf->moved.draft, st, moved_ftp(&conf->moved, NULL, NULL), ANON, "nobody, now");
	else
		draft_drop(conf->moved.draft, st, conf->moved.ftp, "secure_ftp and secure_dataconn decide");
}

static void take_reuse(struct vsftpd *conf, struct statement *st)
{
	draft_carry(conf->moved.draft, st,
		    moved_ftp(&conf->moved, "secure_session_reuse", is_yes(st) ? "required" : "allowed"));
}

static void take_require(struct vsftpd *conf, struct statement *st)
{
	if (!is_yes(st)) {
		draft_drop(conf->moved.draft, st, conf->moved.tls, "clients need no certificate");
		return;
	}
	conf->moved.verify = true;
	draft_set(conf->moved.draft, conf->moved.tls, "handshake_role", "server_with_client_auth");
	draft_carry(conf->moved.draft, st, moved_tls(&conf->moved, "client_auth_type", "required"));
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

static void take_active(struct vsftpd *conf, struct statement *st)
{
	draft_carry(conf->moved.draft, st,
		    moved_ftp(&conf->moved, "portcommand", is_yes(st) ? "accept" : "reject"));
}

static void take_redirect(struct vsftpd *conf, struct statement *st)
{
	draft_carry(conf->moved.draft, st,
		    moved_ftp(&conf->moved,
			      text_begins(st->keyword, "port") ? "portcommandipaddr" : "passivedataconn",
			      is_yes(st) ? "unrestricted" : "noredirect"));
}

static void take_port_20(struct vsftpd *conf, struct statement *st)
{
	draft_carry(conf->moved.draft, st,
		    moved_ftp(&conf->moved, "data_port", is_yes(st) ? "lower" : "any"));
}

static void take_idle(struct vsftpd *conf, struct statement *st)
{
	(void)moved_seconds(&conf->moved, st, "inactive", 0, 86400);
}

static void take_stall(struct vsftpd *conf, struct statement *st)
{
	(void)moved_seconds(&conf->moved, st, "datacttime", 1, 86400);
}

static void take_accept(struct vsftpd *conf, struct statement *st)
{
	(void)moved_seconds(&conf->moved, st, "datatimeout", 1, 86400);
}

static void take_ssl(struct vsftpd *conf, struct statement *st)
{
	conf->moved.tls_on = is_yes(st);
	draft_differ(conf->moved.draft, st, moved_tls(&conf->moved, NULL, NULL),
		     "attlsd does TLS; vsftpd gets ssl_enable=NO");
}

static const struct {
	const char *name;
	void (*take)(struct vsftpd *conf, struct statement *st); /* NULL: only the text */
	const char *text;
} settings[] = {
	{ "ssl_enable", take_ssl, NULL },
	{ "rsa_cert_file", take_certificate, NULL },
	{ "rsa_private_key_file", take_key, NULL },
	{ "dsa_cert_file", take_certificate, NULL },
	{ "dsa_private_key_file", take_key, NULL },
	{ "ca_certs_file", take_trust, NULL },
	{ "ssl_ciphers", take_ciphers, NULL },
	{ "ssl_sslv2", take_old_tls, NULL },
	{ "ssl_sslv3", take_old_tls, NULL },
	{ "ssl_tlsv1", take_old_tls, NULL },
	{ "ssl_tlsv1_1", take_old_tls, NULL },
	{ "ssl_tlsv11", take_old_tls, NULL },
	{ "ssl_tlsv1_2", take_new_tls, NULL },
	{ "ssl_tlsv12", take_new_tls, NULL },
	{ "ssl_tlsv1_3", take_new_tls, NULL },
	{ "ssl_tlsv13", take_new_tls, NULL },
	{ "force_local_logins_ssl", take_login, NULL },
	{ "force_local_data_ssl", take_data, NULL },
	{ "force_anon_logins_ssl", take_anon, NULL },
	{ "force_anon_data_ssl", take_anon, NULL },
	{ "allow_anon_ssl", NULL, "every client may use TLS" },
	{ "require_ssl_reuse", take_reuse, NULL },
	{ "require_cert", take_require, NULL },
	{ "validate_cert", take_validate, NULL },
	{ "ssl_request_cert", NULL, "client_auth_type decides" },
	{ "implicit_ssl", take_implicit, NULL },
	{ "strict_ssl_read_eof", NULL, FULL_TLS },
	{ "strict_ssl_write_shutdown", NULL, FULL_TLS },
	{ "debug_ssl", NULL, "daemon.log.level: debug logs the handshakes" },
	{ "listen", NULL, MOVED },
	{ "listen_ipv6", take_ipv6, NULL },
	{ "listen_address", NULL, MOVED },
	{ "listen_address6", NULL, MOVED },
	{ "listen_port", take_port, NULL },
	{ "pasv_min_port", take_low, NULL },
	{ "pasv_max_port", take_high, NULL },
	{ "pasv_address", take_advertise, NULL },
	{ "pasv_addr_resolve", NULL, "attlsd looks names up by itself" },
	{ "pasv_promiscuous", take_redirect, NULL },
	{ "port_promiscuous", take_redirect, NULL },
	{ "port_enable", take_active, NULL },
	{ "connect_from_port_20", take_port_20, NULL },
	{ "idle_session_timeout", take_idle, NULL },
	{ "data_connection_timeout", take_stall, NULL },
	{ "accept_timeout", take_accept, NULL },
	{ "max_per_ip", NULL, "all clients come from attlsd, so vsftpd gets 0; daemon.limits has a number" },
	{ "tcp_wrappers", NULL, "vsftpd sees the address of attlsd; rules decide who may connect" },
	{ "userlist_log", NULL, "vsftpd keeps it" },
};

/* vsftpd accepts no blanks around '=', and nothing else on a line. */
static void parse(struct vsftpd *conf, struct source *source)
{
	struct source_line line = { 0 };
	struct setting **last = &conf->first;
	size_t n = 0;
	struct arena *arena = &conf->moved.draft->arena;

	while (source_next_line(source, &line)) {
		const char *equals;
		size_t end = line.len;
		struct setting *one;

		while (end > 0 && strchr(" \t", line.text[end - 1]) != NULL)
			end--;
		if (end == 0 || line.text[0] == '#')
			continue;
		equals = memchr(line.text, '=', end);
		if (equals == NULL || equals == line.text) {
			diags_add(&source->diags, DIAG_ERROR, DIAG_IMPORT_SYNTAX, source_mark(&line, 0),
				  "expected setting=value, as vsftpd does");
			continue;
		}
		if (++n > MOVED_LINES_MAX) {
			diags_add(&source->diags, DIAG_ERROR, DIAG_IMPORT_TOO_LONG, source_mark(&line, 0),
				  "the file has too many settings");
			return;
		}
		one = text_alloc(arena, 1, sizeof(*one));
		one->st = (struct statement){
			.source = source,
			.mark = source_mark(&line, 0),
			.value_mark = source_mark(&line, (size_t)(equals + 1 - line.text)),
			.keyword = text_copy(arena, line.text, (size_t)(equals - line.text)),
			.value = text_copy(arena, equals + 1, (size_t)(line.text + end - equals - 1)),
			.where = "",
		};
		*last = one;
		last = &one->next;
	}
}

static bool is_last(const struct setting *one)
{
	for (const struct setting *later = one->next; later != NULL; later = later->next)
		if (text_is(later->st.keyword, one->st.keyword))
			return false;
	return true;
}

static void take(struct vsftpd *conf, struct setting *one)
{
	for (size_t i = 0; i < NELEM(settings); i++) {
		if (!text_is(settings[i].name, one->st.keyword))
			continue;
		if (!is_last(one))
			draft_drop(conf->moved.draft, &one->st, NULL, "a later line has it again");
		else if (settings[i].take != NULL)
			settings[i].take(conf, &one->st);
		else
			draft_drop(conf->moved.draft, &one->st, NULL, "%s", settings[i].text);
		return;
	}
	draft_drop(conf->moved.draft, &one->st, NULL, "vsftpd keeps it");
}

/* vsftpd's defaults that are not attlsd's. */
static void take_defaults(struct vsftpd *conf)
{
	struct draft *draft = conf->moved.draft;

	if (conf->moved.tls_on && draft_get(conf->moved.ftp, "secure_session_reuse") == NULL)
		draft_carry(draft, draft_assumed(draft, "require_ssl_reuse", "YES (the default)"),
			    moved_ftp(&conf->moved, "secure_session_reuse", "required"));
	if (draft_get(conf->moved.ftp, "data_port") == NULL && is_on(conf, "connect_from_port_20", false))
		draft_set(draft, conf->moved.ftp, "data_port", "lower");
}

int import_vsftpd(struct draft *draft, struct source *source, const char *address)
{
	struct vsftpd conf = { .first = NULL };
	const char *host;
	unsigned port;

	moved_begin(&conf.moved, draft, "vsftpd", address);
	parse(&conf, source);
	for (struct setting *one = conf.first; one != NULL; one = one->next)
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
