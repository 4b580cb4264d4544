/*
 * Dialogues with the machine, as text: what goes in at the start of a line,
 * and indented below it what must come out.
 *
 *	C RETR x	a command line of the client
 *	S 150 go	a line of the server
 *	B nul		a refused line: nul, cr, lf, long
 *	! shutdown	a signal, see script_signals; ! again: the server is another one
 *	L client A:P	a port was opened (or "-": none could be had)
 *	P up		the server's port was dialled ("down": it could not be reached)
 *	H running	a TLS handshake of the data connection, before the transfer ("-": it is over)
 *	R -		the pause is over
 *	O -		it is the session's turn to log in
 *	K allow		the answer about a user: allow, deny, "deny TEXT", or none
 *	T -		the time of side-wait is over
 *	D ok		the data part ended, see script_results; "kept": well, and its connection is open
 *	D over		such a connection has ended
 *	A done T	the exchange of ADAT: done, more, bad, refused; a token for the client
 *	E PWD		a command line in ENC; M: in MIC, N: in CONF
 *	X refused	such a command that cannot be read: bad, refused, sequence
 *	I certificate user=u service password=p sni=h
 *			who the client is, as far as TLS tells; any of these words
 *
 *	  c 150 go	to the client; with a security context "cP" (632), "cE" (633), "cS" (631), or
 *			"c!" in the clear
 *	  s RETR x	to the server ("s!": after urgent data)
 *	  hold		the line was not taken
 *	  and the other actions by their names, see script_action()
 *
 * A row starts with a preamble, whose output is not compared.
 */
#ifndef ATTLSD_TESTS_UNIT_MACHINE_SCRIPT_H
#define ATTLSD_TESTS_UNIT_MACHINE_SCRIPT_H

#include <stdio.h>

#include "ftp-alg/change.h"
#include "ftp-alg/machine.h"

#include "tests/unit/unit.h"

#define SCRIPT_TEXT_MAX 16384
#define SCRIPT_LINE_MAX 256

/* What a row may say about policy and peers; all zero is the setup of most rows. */
struct script_setup {
	const struct ftp_action *action; /* NULL: script_lenient */
	const char *client;		 /* NULL: 192.0.2.7:40000 */
	const char *server;		 /* NULL: 10.0.0.1 */
	uint8_t modes;			 /* 0: all */
	uint8_t modes_refused;
	uint8_t failures; /* recent failed logins */
	const struct name_list *permitted;
	const struct server_security *security;
	enum ftp_abort abort;
	bool implicit;
	bool clear_only;
	bool lazy_dial;
	const struct ftp_late_choice *late_choice; /* copied; NULL: none */
	bool drops_strays;
	bool low_ports;
	uint32_t command_line_max;
	const struct ftp_action *audited; /* NULL: `action` is what policy says */
	bool dials; /* FTP_DO_DATA_DIAL is shown, and the script says what comes of it */
};

struct script_case {
	const char *name;
	struct script_setup setup;
	const char *preamble; /* NULL: none */
	const char *script;
};

struct script {
	struct ftp_machine machine;
	struct ftp_ways ways;
	struct ftp_late_choice late_choice;
	struct ftp_out out;
	struct ftp_reply_parser parser;
	char identity[SCRIPT_LINE_MAX]; /* what the machine's identity points into */
	char denial[SCRIPT_LINE_MAX];	/* the same of its text */
	bool log;			/* after the preamble */
	bool dials;
	char text[SCRIPT_TEXT_MAX];
	size_t len;
};

/* TLS is optional, and all is allowed that can be. */
#define SCRIPT_LENIENT                                                                                       \
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH, .unknown_commands = UNKNOWN_COMMANDS_PASS,              \
	.extensions = EXTENSION_AUTH_TLS, .secure_ftp = SECURE_FTP_ALLOWED, .secure_ctrlconn = SECURE_CLEAR, \
	.secure_dataconn = SECURE_CLEAR, .tlsrfclevel = TLSRFCLEVEL_RFC4217,                                 \
	.portcommand = PORTCOMMAND_ACCEPT, .accesserrormsgs = true

static const struct ftp_action script_lenient = { SCRIPT_LENIENT };

/* TLS for everything. */
static const struct ftp_action script_strict __attribute__((unused)) = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.extensions = EXTENSION_AUTH_TLS,
	.secure_ftp = SECURE_FTP_REQUIRED,
	.secure_dataconn = SECURE_PRIVATE,
};

#define GREETED	  "S 220 hello\n"
#define LOGGED_IN GREETED "C USER u\nS 331 ok\nC PASS p\nS 230 in\n"
#define WITH_TLS  GREETED "C AUTH TLS\n! tls\n"
#define TLS_IN	  WITH_TLS "C USER u\nS 331 ok\nC PASS p\nS 230 in\n"
#define TLS_P_IN  TLS_IN "C PBSZ 0\nC PROT P\n"
#define PASV_PLAN "C PASV\nS 229 x (|||2000|)\nL client 192.0.2.1:5001\n"
#define PASSIVE	  LOGGED_IN PASV_PLAN

static void script_add(struct script *script, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void script_add(struct script *script, const char *format, ...)
{
	va_list args;
	int n;

	if (!script->log)
		return;
	va_start(args, format);
	n = vsnprintf(script->text + script->len, sizeof(script->text) - script->len, format, args);
	va_end(args);
	assert_true(n >= 0 && (size_t)n < sizeof(script->text) - script->len);
	script->len += (size_t)n;
}

/* Every line of a text, CRLF between them. */
static void script_lines(struct script *script, const char *prefix, const struct ftp_act *act)
{
	const char *at = act->text, *end = act->text + act->len;

	for (;;) {
		const char *cr = memchr(at, '\r', (size_t)(end - at));
		size_t len = cr != NULL ? (size_t)(cr - at) : (size_t)(end - at);

		script_add(script, "  %s%.*s\n", prefix, (int)len, at);
		if (cr == NULL)
			return;
		at = cr + 2;
	}
}

/* As the worker protects it. */
static const char *script_protection(const struct script *script, const struct ftp_act *act)
{
	static const char *const levels[] = { [FTP_PROT_CLEAR] = "c! ",
					      [FTP_PROT_SAFE] = "cS ",
					      [FTP_PROT_CONFIDENTIAL] = "cE ",
					      [FTP_PROT_PRIVATE] = "cP " };

	if (!ftp_machine_has_gssapi(&script->machine))
		return "c ";
	return act->clear ? "c! " : levels[ftp_machine_reply_level(&script->machine)];
}

static void script_action(struct script *script, const struct ftp_act *act)
{
	char text[IP_TEXT_MAX];

	switch (act->what) {
	case FTP_DO_NOTHING:
		fail_msg("an empty action");
		return;
	case FTP_DO_REPLY:
		script_lines(script, script_protection(script, act), act);
		return;
	case FTP_DO_COMMAND:
		script_lines(script, act->urgent ? "s! " : "s ", act);
		return;
	case FTP_DO_TLS_START:
		script_add(script, "  tls-start\n");
		return;
	case FTP_DO_TLS_STOP:
		script_add(script, "  tls-stop%s\n", act->notify ? " notify" : "");
		return;
	case FTP_DO_GSSAPI_BEGIN:
		script_add(script, "  gssapi\n");
		return;
	case FTP_DO_GSSAPI_ACCEPT:
		script_add(script, "  accept %.*s\n", (int)act->len, act->text);
		return;
	case FTP_DO_GSSAPI_STOP:
		script_add(script, "  gssapi-stop\n");
		return;
	case FTP_DO_SERVER_TLS_START:
		script_add(script, "  server-tls-start\n");
		return;
	case FTP_DO_SERVER_TLS_STOP:
		script_add(script, "  server-tls-stop%s\n", act->notify ? " notify" : "");
		return;
	case FTP_DO_SERVER_RENEW:
		script->parser = (struct ftp_reply_parser){ 0 };
		script_add(script, "  renew%s%.*s\n", act->len > 0 ? " " : "", (int)act->len, act->text);
		return;
	case FTP_DO_SERVER_DROP:
		script->parser = (struct ftp_reply_parser){ 0 };
		script_add(script, "  drop\n");
		return;
	case FTP_DO_LISTEN_CLIENT:
		script_add(script, "  listen client\n");
		return;
	case FTP_DO_LISTEN_SERVER:
		script_add(script, "  listen server\n");
		return;
	case FTP_DO_DIAL_CLIENT:
		script_add(script, "  dial client %s\n", ip_endpoint_format(&act->endpoint, text));
		return;
	case FTP_DO_DIAL_SERVER:
		script_add(script, "  dial server %s\n", ip_endpoint_format(&act->endpoint, text));
		return;
	case FTP_DO_DATA_DIAL:
		script_add(script, "  dial now\n");
		return;
	case FTP_DO_DATA_SECURE:
		script_add(script, "  secure\n");
		return;
	case FTP_DO_DATA_DISMISS:
		script_add(script, "  dismiss\n");
		return;
	case FTP_DO_DATA_START:
		script_add(script, "  start %s %s%s", act->upload ? "upload" : "download",
			   act->protect ? "private" : "clear", act->protect_server ? " server" : "");
		if (act->gssapi != FTP_PROT_CLEAR)
			script_add(script, " gssapi %c %u", "CSEP"[act->gssapi], (unsigned)act -> number);
		script_add(script, "\n");
		return;
	case FTP_DO_DATA_GO:
		script_add(script, "  go\n");
		return;
	case FTP_DO_DATA_REFUSED:
		script_add(script, "  refused\n");
		return;
	case FTP_DO_DATA_DOUBT:
		script_add(script, "  doubt\n");
		return;
	case FTP_DO_DATA_TRUST:
		script_add(script, "  trust\n");
		return;
	case FTP_DO_DATA_FAILED:
		script_add(script, "  failed\n");
		return;
	case FTP_DO_DATA_AGREED:
		script_add(script, "  agreed\n");
		return;
	case FTP_DO_DATA_ABORT:
		script_add(script, "  abort\n");
		return;
	case FTP_DO_DATA_CLOSE:
		script_add(script, "  close-data\n");
		return;
	case FTP_DO_RETRY:
		script_add(script, "  retry\n");
		return;
	case FTP_DO_SEGMENT:
		script_add(script, "  segment\n");
		return;
	case FTP_DO_PAUSE:
		script_add(script, "  pause %u\n", (unsigned)act->number);
		return;
	case FTP_DO_SIDE_WAIT:
		script_add(script, "  side-wait %u\n", (unsigned)act->number);
		return;
	case FTP_DO_LOG_SERVER_REFUSED:
		script_add(script, "  log %s: %.*s\n", act->verb, (int)act->len, act->text);
		return;
	case FTP_DO_LOG_UNANSWERED:
		script_add(script, "  unanswered %.*s\n", (int)act->len, act->text);
		return;
	case FTP_DO_STRAY:
		script_add(script, "  stray %.*s\n", (int)act->len, act->text);
		return;
	case FTP_DO_STILL_IN:
		script_add(script, "  still-in\n");
		return;
	case FTP_DO_LOGIN_ASK:
		script_add(script, "  ask %.*s\n", (int)act->len, act->text);
		return;
	case FTP_DO_LOGIN_CHECK:
		script_add(script, "  check\n");
		return;
	case FTP_DO_LOGIN_OVER:
		script_add(script, "  over\n");
		return;
	case FTP_DO_WOULD_REFUSE:
		script_add(script, "  would-refuse %s\n", act->key);
		return;
	case FTP_DO_CHANGED:
		if (act->number == FTP_CHANGE_SERVER) /* the others are only for the audit trail */
			script_add(script, "  changed\n");
		return;
	case FTP_DO_LOGIN_HIDDEN:
		script_add(script, "  hidden %.*s\n", (int)act->len, act->text);
		return;
	case FTP_DO_LOGIN_FAILED:
		script_add(script, "  login-failed\n");
		return;
	case FTP_DO_USER:
		script_add(script, "  user %.*s\n", (int)act->len, act->text);
		return;
	case FTP_DO_LOGGED_IN:
		script_add(script, "  logged-in\n");
		return;
	case FTP_DO_CLOSE:
		script_add(script, "  close %.*s\n", (int)act->len, act->text);
		return;
	}
	fail_msg("an unknown action");
}

/* The number of a word in a list of words. */
static unsigned script_word(const char *word, const char *const *words, size_t nwords)
{
	for (unsigned i = 0; i < nwords; i++)
		if (words[i] != NULL && strcmp(word, words[i]) == 0)
			return i;
	fail_msg("unknown word: %s", word);
	return 0;
}

static struct ip_endpoint script_endpoint(const char *text)
{
	const char *colon = strrchr(text, ':');
	struct ip_endpoint ep = { .port = 0 };
	size_t len;

	assert_non_null(colon);
	len = (size_t)(colon - text);
	if (text[0] == '[') {
		text++;
		len -= 2;
	}
	assert_int_equal(ip_addr_parse(text, len, &ep.addr), 0);
	ep.port = (uint16_t)strtoul(colon + 1, NULL, 10);
	return ep;
}

static enum ftp_take script_server(struct script *script, const char *line)
{
	struct ftp_reply_parser parser = script->parser;
	char wire[SCRIPT_LINE_MAX + 3];
	int len = snprintf(wire, sizeof(wire), "%s\r\n", line);
	struct ftp_reply reply;
	enum ftp_reply_status status = ftp_reply_take(&parser, (uint8_t *)wire, (size_t)len, &reply);
	enum ftp_take take;

	assert_int_not_equal(status, FTP_REPLY_MORE);
	if (status == FTP_REPLY_MALFORMED) {
		ftp_machine_stray_line(&script->machine, &reply, &script->out);
		take = FTP_TAKEN;
	} else {
		take = ftp_machine_reply(&script->machine, &reply, status == FTP_REPLY_END, &script->out);
	}
	/* printed before the parser moves: a renewal resets it */
	if (take == FTP_TAKEN)
		script->parser = parser;
	for (size_t i = 0; i < script->out.n; i++)
		script_action(script, &script->out.acts[i]);
	ftp_out_reset(&script->out);
	return take;
}

static const char *const script_signals[] = {
	[FTP_SIGNAL_SERVER_DOWN] = "down",
	[FTP_SIGNAL_SERVER_LOST] = "lost",
	[FTP_SIGNAL_SERVER_UNFINISHED] = "unfinished",
	[FTP_SIGNAL_TLS_UP] = "tls",
	[FTP_SIGNAL_TLS_UNBOUND] = "unbound",
	[FTP_SIGNAL_TLS_SAFE] = "safe",
	[FTP_SIGNAL_SERVER_TLS_UP] = "server-tls",
	[FTP_SIGNAL_SERVER_TLS_FAILED] = "server-tls-failed",
	[FTP_SIGNAL_SERVER_INJECTED] = "injected",
	[FTP_SIGNAL_LOGIN_TIMEOUT] = "login",
	[FTP_SIGNAL_IDLE_TIMEOUT] = "idle",
	[FTP_SIGNAL_SHUTDOWN] = "shutdown",
	[FTP_SIGNAL_STOPPED] = "stopped",
	[FTP_SIGNAL_DISMISSED] = "dismissed",
	[FTP_SIGNAL_SERVER_SILENT] = "silent",
};
static const char *const script_results[] = {
	[FTP_DATA_OK] = "ok",
	[FTP_DATA_NO_CLIENT] = "no-client",
	[FTP_DATA_NO_SERVER] = "no-server",
	[FTP_DATA_TLS] = "tls",
	[FTP_DATA_NOT_REUSED] = "reuse",
	[FTP_DATA_TICKET_UNKNOWN] = "ticket-unknown",
	[FTP_DATA_TICKET_OTHER] = "ticket-other",
	[FTP_DATA_TICKET_EXPIRED] = "ticket-expired",
	[FTP_DATA_TICKET_UNFIT] = "ticket-unfit",
	[FTP_DATA_NO_EXTENDED_SECRET] = "no-ems",
	[FTP_DATA_NOT_PRIVATE] = "not-private",
	[FTP_DATA_CERTIFICATE] = "certificate",
	[FTP_DATA_SERVER_TLS] = "server-tls",
	[FTP_DATA_SERVER_NOT_REUSED] = "server-reuse",
	[FTP_DATA_CUT] = "cut",
	[FTP_DATA_SERVER_CUT] = "server-cut",
	[FTP_DATA_UNFINISHED] = "unfinished",
	[FTP_DATA_GSSAPI] = "gssapi",
	[FTP_DATA_GSSAPI_CUT] = "gssapi-cut",
	[FTP_DATA_CLIENT_LOST] = "client-lost",
	[FTP_DATA_SERVER_LOST] = "server-lost",
	[FTP_DATA_STALLED] = "stalled",
	[FTP_DATA_ABORTED] = "aborted",
};
static const char *const script_adats[] = { [FTP_ADAT_REFUSED] = "refused",
					    [FTP_ADAT_BAD] = "bad",
					    [FTP_ADAT_MORE] = "more",
					    [FTP_ADAT_DONE] = "done" };
static const char *const script_envelopes[] = {
	[FTP_ENVELOPE_BAD] = "bad", [FTP_ENVELOPE_REFUSED] = "refused", [FTP_ENVELOPE_SEQUENCE] = "sequence"
};
static const char *const script_bad[] = { [FTP_LINE_NUL] = "nul",
					  [FTP_LINE_BARE_CR] = "cr",
					  [FTP_LINE_BARE_LF] = "lf",
					  [FTP_LINE_TOO_LONG] = "long" };

static void script_identify(struct script *script, const char *words)
{
	struct ftp_identity identity = { .certificate = false };
	char *at = script->identity;

	(void)snprintf(script->identity, sizeof(script->identity), "%s", words);
	while (at != NULL && *at != '\0') {
		char *blank = strchr(at, ' ');

		if (blank != NULL)
			*blank = '\0';
		if (strcmp(at, "certificate") == 0)
			identity.certificate = true;
		else if (strcmp(at, "service") == 0)
			identity.service = true;
		else if (strncmp(at, "user=", 5) == 0)
			identity.user = at + 5;
		else if (strncmp(at, "password=", 9) == 0)
			identity.password = at + 9;
		else if (strncmp(at, "sni=", 4) == 0)
			identity.server_name = at + 4;
		else if (strcmp(at, "nobody") != 0)
			fail_msg("unknown word: %s", at);
		at = blank != NULL ? blank + 1 : NULL;
	}
	ftp_machine_identify(&script->machine, &identity);
}

/* Most rows are of servers whose port is there. */
static enum ftp_take script_client(struct script *script, enum ftp_prot level, const char *line)
{
	struct ftp_machine *machine = &script->machine;
	size_t len = strlen(line);
	enum ftp_take take = level == FTP_PROT_CLEAR
				 ? ftp_machine_command(machine, line, len, &script->out)
				 : ftp_machine_protected(machine, level, line, len, &script->out);

	if (take != FTP_HOLD || script->dials || script->out.n != 1 ||
	    script->out.acts[0].what != FTP_DO_DATA_DIAL)
		return take;
	ftp_out_reset(&script->out);
	ftp_machine_dialled(machine, true, &script->out);
	return level == FTP_PROT_CLEAR ? ftp_machine_command(machine, line, len, &script->out)
				       : ftp_machine_protected(machine, level, line, len, &script->out);
}

static void script_adat(struct script *script, const char *arg)
{
	char word[SCRIPT_LINE_MAX];
	size_t len = strcspn(arg, " ");

	memcpy(word, arg, len);
	word[len] = '\0';
	ftp_machine_adat(&script->machine,
			 (enum ftp_adat)script_word(word, script_adats, NELEM(script_adats)),
			 arg[len] == ' ' ? arg + len + 1 : "", &script->out);
}

static enum ftp_take script_event(struct script *script, char what, const char *arg)
{
	struct ftp_machine *machine = &script->machine;
	struct ip_endpoint endpoint;

	switch (what) {
	case 'C':
		return script_client(script, FTP_PROT_CLEAR, arg);
	case 'S':
		return script_server(script, arg);
	case 'A':
		script_adat(script, arg);
		return FTP_TAKEN;
	case 'E':
		return script_client(script, FTP_PROT_PRIVATE, arg);
	case 'M':
		return script_client(script, FTP_PROT_SAFE, arg);
	case 'N':
		return script_client(script, FTP_PROT_CONFIDENTIAL, arg);
	case 'X':
		return ftp_machine_bad_envelope(
		    machine, (enum ftp_envelope)script_word(arg, script_envelopes, NELEM(script_envelopes)),
		    &script->out);
	case 'B':
		return ftp_machine_bad_line(
		    machine, (enum ftp_line_status)script_word(arg, script_bad, NELEM(script_bad)),
		    &script->out);
	case '!':
		if (strcmp(arg, "again") == 0) {
			ftp_machine_server_again(machine);
			script->parser = (struct ftp_reply_parser){ 0 };
			return FTP_TAKEN;
		}
		ftp_machine_signal(machine,
				   (enum ftp_signal)script_word(arg, script_signals, NELEM(script_signals)),
				   &script->out);
		return FTP_TAKEN;
	case 'D':
		if (strcmp(arg, "over") == 0) {
			ftp_machine_data_over(machine, &script->out);
			return FTP_TAKEN;
		}
		if (strcmp(arg, "kept") == 0) {
			ftp_machine_data_done(machine, FTP_DATA_OK, &script->out);
			ftp_machine_data_kept(machine);
			return FTP_TAKEN;
		}
		ftp_machine_data_done(
		    machine, (enum ftp_data_result)script_word(arg, script_results, NELEM(script_results)),
		    &script->out);
		return FTP_TAKEN;
	case 'O':
		ftp_machine_login_go(machine);
		return FTP_TAKEN;
	case 'K':
		(void)snprintf(script->denial, sizeof(script->denial), "%s",
			       strncmp(arg, "deny ", 5) == 0 ? arg + 5 : "");
		ftp_machine_login_checked(machine,
					  strcmp(arg, "allow") == 0	 ? FTP_CHECK_ALLOWED
					  : strncmp(arg, "deny", 4) == 0 ? FTP_CHECK_DENIED
									 : FTP_CHECK_FAILED,
					  script->denial);
		return FTP_TAKEN;
	case 'R':
		ftp_machine_resume(machine, &script->out);
		return FTP_TAKEN;
	case 'T':
		ftp_machine_side_due(machine, &script->out);
		return FTP_TAKEN;
	case 'P':
		ftp_machine_dialled(machine, strcmp(arg, "up") == 0, &script->out);
		return FTP_TAKEN;
	case 'H':
		if (strcmp(arg, "refused") == 0)
			ftp_machine_data_handshake(machine, FTP_HANDSHAKE_NONE, FTP_DATA_NOT_REUSED);
		else
			ftp_machine_data_handshake(machine,
						   strcmp(arg, "running") == 0	 ? FTP_HANDSHAKE_RUNNING
						   : strcmp(arg, "decided") == 0 ? FTP_HANDSHAKE_DECIDED
										 : FTP_HANDSHAKE_NONE,
						   FTP_DATA_PENDING);
		return FTP_TAKEN;
	case 'G':
		ftp_machine_greet(machine, &script->out);
		return FTP_TAKEN;
	case 'I':
		script_identify(script, arg);
		return FTP_TAKEN;
	case 'L':
		assert_true(strlen(arg) > 7);
		if (arg[7] != '-')
			endpoint = script_endpoint(arg + 7);
		ftp_machine_listening(machine,
				      strncmp(arg, "client", 6) == 0 ? FTP_SIDE_CLIENT : FTP_SIDE_SERVER,
				      arg[7] != '-' ? &endpoint : NULL, &script->out);
		return FTP_TAKEN;
	default:
		fail_msg("unknown event: %c %s", what, arg);
		return FTP_TAKEN;
	}
}

/* Run the events of a text; its indented lines are only expectations. */
static void script_run(struct script *script, const char *text)
{
	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, "\n");
		char line[SCRIPT_LINE_MAX];

		assert_true(len >= 2 && len < sizeof(line));
		memcpy(line, text, len);
		line[len] = '\0';
		text += len + (text[len] == '\n');
		if (line[0] == ' ')
			continue;
		script_add(script, "%s\n", line);
		if (script_event(script, line[0], line + 2) == FTP_HOLD)
			script_add(script, "  hold\n");
		for (size_t i = 0; i < script->out.n; i++)
			script_action(script, &script->out.acts[i]);
		ftp_out_reset(&script->out);
	}
}

static void script_begin(struct script *script, const struct script_setup *setup)
{
	const char *server = setup->server != NULL ? setup->server : "10.0.0.1";
	struct ftp_machine_setup machine_setup = {
		.action = setup->action != NULL ? setup->action : &script_lenient,
		.audited = setup->audited,
		.permitted = setup->permitted,
		.client = script_endpoint(setup->client != NULL ? setup->client : "192.0.2.7:40000"),
		.implicit = setup->implicit,
		.abort = setup->abort,
		.clear_only = setup->clear_only,
		.server_security = setup->security,
		.modes = setup->modes != 0 ? setup->modes : FTP_MODE_ALL,
		.low_ports = setup->low_ports,
		.command_line_max = setup->command_line_max,
		.ways = &script->ways,
		.failures = setup->failures,
		.side_reply_ms = 2000,
		.lazy_dial = setup->lazy_dial,
		.drops_strays = setup->drops_strays,
	};

	if (setup->late_choice != NULL) {
		script->late_choice = *setup->late_choice;
		machine_setup.late_choice = &script->late_choice;
	}
	script->dials = setup->dials;
	script->ways = (struct ftp_ways){ .refused = setup->modes_refused };
	assert_int_equal(ip_addr_parse(server, strlen(server), &machine_setup.server), 0);
	ftp_machine_init(&script->machine, &machine_setup);
}

static void script_check(const struct script_case *row)
{
	struct script *script = calloc(1, sizeof(*script));

	assert_non_null(script);
	script_begin(script, &row->setup);
	script_run(script, row->preamble);
	script->log = true;
	script_run(script, row->script);
	if (strcmp(script->text, row->script) != 0)
		fail_msg("%s\n--- wanted\n%s--- came\n%s---", row->name, row->script, script->text);
	free(script);
}

#define SCRIPT_CHECK_ALL(cases)                                                                              \
	do {                                                                                                 \
		for (size_t row_ = 0; row_ < NELEM(cases); row_++)                                           \
			script_check(&(cases)[row_]);                                                        \
	} while (0)

#endif
