/*
 * Reads proftpd.conf: directives, sections in angle brackets, lines continued with a backslash, quotes.
 * The main server and <Global> become the policy; a virtual host is a server of its own, which an
 * administrator has to decide about.
 */
#include "gateway/import/proftpd.h"

#include <errno.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/moved.h"
#include "gateway/import/text.h"
#include "gateway/import/tls-parts.h"

#define BLANKS	  " \t"
#define DEPTH_MAX 16

#define OLD_TLS "attlsd never uses SSL or TLS before 1.2. Which clients have nothing newer?"
#define HOSTS                                                                                                      \
	"ProFTPD has virtual hosts. Which of them move behind attlsd? Each needs a listener and a backend of its " \
	"own"
#define INCLUDED "The file includes others. Do they have TLS, ports or addresses?"
#define PARTLY                                                                                               \
	"ProFTPD demands TLS for a part of the session only. attlsd demands it as the policy says: is that right?"
#define MOVED "attlsd takes its place, and ProFTPD moves"

struct directive {
	struct statement st;
	bool of_host; /* in a virtual host */
	bool applies; /* to the main server */
	struct directive *next;
};

struct proftpd {
	struct moved moved;
	struct directive *first, **last;
	size_t n;
	struct {
		const char *name;
		struct diag_mark mark;
		bool of_host, applies;
	} open[DEPTH_MAX];
	size_t depth;
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
	conf->moved.trust = st;
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

static void take_ciphers(struct proftpd *conf, struct statement *st)
{
	moved_ciphers(&conf->moved, st);
}

static void take_advertise(struct proftpd *conf, struct statement *st)
{
	moved_advertise(&conf->moved, st);
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
	bool old = text_is_word("TLSv1.1", st->value) || text_is_word("TLSv1", st->value) ||
		   text_is_word("SSLv3", st->value) || text_is_word("SSLv23", st->value) || all;
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
	static const struct {
		const char *value, *login, *data;
		bool exact;
	} levels[] = {
		{ "on", "required", "private", true },	      { "off", "allowed", "clear", true },
		{ "auth", "required", "clear", false },	      { "auth+data", "required", "private", false },
		{ "ctrl", "required", "clear", true },	      { "data", "required", "private", false },
		{ "ctrl+data", "required", "private", true }, { "ctrl+!data", "required", "never", true },
		{ "auth+!data", "required", "never", false }, { "!data", "allowed", "never", true },
	};

	for (size_t i = 0; i < NELEM(levels); i++)
		if (text_is(st->value, levels[i].value)) {
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

/* Without NoSessionReuseRequired, ProFTPD demands that data connections resume. */
static void take_options(struct proftpd *conf, struct statement *st)
{
	bool reuse = !text_is_word("NoSessionReuseRequired", st->value);

	conf->moved.implicit = text_is_word("UseImplicitSSL", st->value);
	draft_differ(conf->moved.draft, st,
		     moved_ftp(&conf->moved, "secure_session_reuse", reuse ? "required" : "allowed"),
		     "other options have no counterpart; tls of the listener is %s",
		     conf->moved.implicit ? "implicit" : "explicit");
}

static void take_handshake(struct proftpd *conf, struct statement *st)
{
	uint64_t number;

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
	draft_carry(conf->moved.draft, st, moved_ftp(&conf->moved, "portcommandipaddr", value));
}

static void take_idle(struct proftpd *conf, struct statement *st)
{
	(void)moved_seconds(&conf->moved, st, "inactive", 0, 86400);
}

static void take_stall(struct proftpd *conf, struct statement *st)
{
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

static const struct {
	const char *name;
	void (*take)(struct proftpd *conf, struct statement *st); /* NULL: only the text */
	const char *text;
} directives[] = {
	{ "TLSEngine", take_engine, NULL },
	{ "TLSProtocol", take_versions, NULL },
	{ "TLSCipherSuite", take_ciphers, NULL },
	{ "TLSRSACertificateFile", take_certificate, NULL },
	{ "TLSRSACertificateKeyFile", take_key, NULL },
	{ "TLSECCertificateFile", take_certificate, NULL },
	{ "TLSECCertificateKeyFile", take_key, NULL },
	{ "TLSDSACertificateFile", take_certificate, NULL },
	{ "TLSDSACertificateKeyFile", take_key, NULL },
	{ "TLSCACertificateFile", take_trust, NULL },
	{ "TLSCACertificatePath", take_trust, NULL },
	{ "TLSCARevocationFile", take_crl, NULL },
	{ "TLSVerifyClient", take_verify, NULL },
	{ "TLSRequired", take_required, NULL },
	{ "TLSOptions", take_options, NULL },
	{ "TLSTimeoutHandshake", take_handshake, NULL },
	{ "TLSCertificateChainFile", NULL, "append these certificates to the file that chain names" },
	{ "TLSMasqueradeAddress", take_advertise, NULL },
	{ "PassivePorts", take_ports, NULL },
	{ "MasqueradeAddress", take_advertise, NULL },
	{ "Port", take_port, NULL },
	{ "DefaultAddress", NULL, MOVED },
	{ "UseIPv6", take_ipv6, NULL },
	{ "AllowForeignAddress", take_foreign, NULL },
	{ "TimeoutIdle", take_idle, NULL },
	{ "TimeoutStalled", take_stall, NULL },
	{ "Include", take_include, NULL },
	{ "MaxClientsPerHost", NULL,
	  "all clients come from attlsd, so remove it; daemon.limits has a number" },
	{ "MaxConnectionsPerHost", NULL,
	  "all clients come from attlsd, so remove it; daemon.limits has a number" },
};

static bool is_for_tls(const char *keyword)
{
	return text_begins(keyword, "TLS") ||
	       text_is_word(keyword, "Port PassivePorts MasqueradeAddress DefaultAddress VirtualHost");
}

/* The value without quotes around it. */
static const char *unquote(struct arena *arena, const char *text)
{
	size_t len = strlen(text);

	return len >= 2 && text[0] == '"' && text[len - 1] == '"' ? text_copy(arena, text + 1, len - 2)
								  : text;
}

static struct directive *add(struct proftpd *conf, const struct statement *st)
{
	struct directive *one = text_alloc(&conf->moved.draft->arena, 1, sizeof(*one));

	if (++conf->n == MOVED_LINES_MAX)
		diags_add(&st->source->diags, DIAG_ERROR, DIAG_IMPORT_TOO_LONG, st->mark,
			  "the file has too many directives");
	one->st = *st;
	one->applies = true;
	if (conf->depth > 0) {
		one->of_host = conf->open[conf->depth - 1].of_host;
		one->applies = conf->open[conf->depth - 1].applies;
		one->st.where = conf->open[conf->depth - 1].name;
	}
	*conf->last = one;
	conf->last = &one->next;
	return one;
}

/* "<Global>", "</Global>" */
static void section(struct proftpd *conf, struct statement *st)
{
	struct diags *diags = &st->source->diags;
	const char *name = st->keyword + 1;
	bool outer = conf->depth == 0 || conf->open[conf->depth - 1].applies;

	if (name[0] == '/') {
		if (conf->depth == 0 || !text_is(conf->open[conf->depth - 1].name, name + 1))
			diags_add(diags, DIAG_ERROR, DIAG_IMPORT_SYNTAX, st->mark,
				  "this closes no section that is open");
		else
			conf->depth--;
		return;
	}
	if (conf->depth == DEPTH_MAX) {
		diags_add(diags, DIAG_ERROR, DIAG_IMPORT_SYNTAX, st->mark, "sections are nested too deeply");
		return;
	}
	if (text_is(name, "VirtualHost")) {
		struct directive *one = add(conf, st);

		one->of_host = true;
		one->st.keyword = name;
	}
	conf->open[conf->depth].name = name;
	conf->open[conf->depth].mark = st->mark;
	conf->open[conf->depth].of_host =
	    text_is(name, "VirtualHost") || (conf->depth > 0 && conf->open[conf->depth - 1].of_host);
	conf->open[conf->depth].applies = outer && (text_is_word(name, "Global IfDefine") ||
						    (text_is(name, "IfModule") && st->value[0] != '!'));
	conf->depth++;
}

/* One directive, whose lines are joined already. */
static void take_line(struct proftpd *conf, struct source *source, const struct source_line *line,
		      const char *text)
{
	struct arena *arena = &conf->moved.draft->arena;
	size_t start = strspn(text, BLANKS);
	size_t end = strlen(text);
	struct statement st = { .source = source, .mark = source_mark(line, start), .where = "" };
	size_t at = start;

	while (end > start && strchr(BLANKS, text[end - 1]) != NULL)
		end--;
	if (start == end || text[start] == '#')
		return;
	if (text[start] == '<' && text[end - 1] == '>')
		end--;
	at += strcspn(text + at, BLANKS);
	if (at > end)
		at = end;
	st.keyword = text_copy(arena, text + start, at - start);
	at += strspn(text + at, BLANKS);
	st.value_mark = source_mark(line, at);
	st.value = at < end ? unquote(arena, text_copy(arena, text + at, end - at)) : "";
	if (st.keyword[0] == '<')
		section(conf, &st);
	else
		(void)add(conf, &st);
}

static void parse(struct proftpd *conf, struct source *source)
{
	struct source_line line = { 0 };
	struct source_line first = { 0 };
	struct arena *arena = &conf->moved.draft->arena;
	const char *text = "";
	unsigned joined = 0;

	while (conf->n < MOVED_LINES_MAX && source_next_line(source, &line)) {
		bool more = line.len > 0 && line.text[line.len - 1] == '\\' && joined < 64;

		if (joined == 0)
			first = line;
		text = text_format(arena, "%s%.*s", text, (int)(line.len - more), line.text);
		joined++;
		if (more)
			continue;
		take_line(conf, source, &first, text);
		text = "";
		joined = 0;
	}
	if (joined > 0)
		take_line(conf, source, &first, text);
	for (size_t i = 0; i < conf->depth; i++)
		diags_add(&source->diags, DIAG_ERROR, DIAG_IMPORT_SYNTAX, conf->open[i].mark,
			  "<%.40s> is not closed", text_safe(arena, conf->open[i].name));
}

static bool is_last(const struct directive *one)
{
	for (const struct directive *later = one->next; later != NULL; later = later->next)
		if (later->applies && text_is(later->st.keyword, one->st.keyword))
			return false;
	return true;
}

static void take(struct proftpd *conf, struct directive *one)
{
	struct draft *draft = conf->moved.draft;

	if (one->of_host && is_for_tls(one->st.keyword)) {
		draft_decide(draft, &one->st, (struct draft_place){ 0 }, HOSTS, "of a virtual host");
		return;
	}
	for (size_t i = 0; i < NELEM(directives) && one->applies; i++) {
		if (!text_is(directives[i].name, one->st.keyword))
			continue;
		if (directives[i].take == take_include || (directives[i].take != NULL && is_last(one)))
			directives[i].take(conf, &one->st);
		else
			draft_drop(draft, &one->st, NULL, "%s",
				   directives[i].take != NULL ? "a later line has it again"
							      : directives[i].text);
		return;
	}
	/* what ProFTPD keeps may be a password: SQLConnectInfo, LDAPBindDN, RadiusServer, UserPassword */
	one->st.secret = !text_begins(one->st.keyword, "TLS");
	draft_drop(draft, &one->st, NULL,
		   text_begins(one->st.keyword, "TLS") ? "attlsd has no counterpart" : "ProFTPD keeps it");
}

int import_proftpd(struct draft *draft, struct source *source, const char *address)
{
	struct proftpd conf = { .depth = 0 };
	const char *host;
	unsigned port;

	moved_begin(&conf.moved, draft, "proftpd", address);
	conf.last = &conf.first;
	parse(&conf, source);
	for (struct directive *one = conf.first; one != NULL; one = one->next)
		take(&conf, one);
	if (conf.moved.tls_on && draft_get(conf.moved.ftp, "secure_session_reuse") == NULL)
		draft_carry(draft, draft_assumed(draft, "TLSOptions", "session reuse required (the default)"),
			    moved_ftp(&conf.moved, "secure_session_reuse", "required"));
	if (draft_get(conf.moved.ftp, "secure_ftp") == NULL && conf.moved.tls_on)
		require(&conf, draft_assumed(draft, "TLSRequired", "off"), "allowed", "clear", true);
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
