/*
 * A gateway without sockets around the machine: it feeds the machine and
 * carries its actions out as gateway/worker/control.c does, and checks after each of
 * them what must hold whatever client and server do. A broken promise prints
 * where and ends the process.
 *
 * The caller plays the client and the server: model_client() and
 * model_server() take bytes as they come in, model_data_done() and
 * model_signal() the rest.
 */
#ifndef ATTLSD_TESTS_MACHINE_MODEL_H
#define ATTLSD_TESTS_MACHINE_MODEL_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ftp-alg/endpoint.h"
#include "ftp-alg/ftp-alg.h"

#define MODEL_WINDOW 8192 /* longer than any line */
#define MODEL_ASKED  256  /* more commands than any caller sends */

/* A command of the client's that has no final reply yet. */
struct model_asked {
	unsigned serial; /* the number after '#' in its line, 0: none */
	enum ftp_verb_kind kind;
	bool beside; /* a side command: may be answered before earlier commands */
};

struct model {
	struct ftp_machine machine;
	struct ftp_out out;
	struct ftp_action action;
	struct ip_endpoint client;
	struct ip_addr server;
	struct ftp_identity identity; /* the caller's, told with each handshake */
	bool identified;	      /* in this TLS session */
	char user[64];		      /* as USER had it, cut off at this length */

	uint8_t client_in[MODEL_WINDOW];
	size_t client_len;
	bool skipping;
	bool holding;
	bool paused;	  /* until model_resume() */
	bool waits;	  /* for its turn to log in, likewise */
	bool wants_check; /* the answer about its user, likewise */
	bool may_log_in;  /* which was that it may */
	unsigned nchecks;
	bool side_wait; /* until model_side_due() */
	struct ftp_line held;
	size_t held_at;

	uint8_t server_in[MODEL_WINDOW];
	size_t server_len;
	struct ftp_reply_parser parser;

	bool lazy_dial;	 /* see model_greet() */
	size_t line_max; /* command_line_max */
	bool told_clear; /* the server was told something in the clear that may stay in force */
	bool handshake;
	bool tls;
	bool logged_in;
	bool ended;	/* nothing may come any more */
	bool violation; /* ended by the gateway, not by the machine */
	bool frozen;	/* after CCC */
	enum ftp_prot frozen_prot;

	/* TLS with the server */
	const struct server_security *security; /* NULL: it speaks none */
	bool server_handshake;
	bool server_tls;
	bool server_cleared; /* after CCC */
	bool server_private; /* it has agreed to PROT P */
	bool prot_pending;
	bool prot_private;  /* the level of the PROT that is pending */
	bool server_agrees; /* the caller's server: it agrees to each PROT */

	bool no_ports;	  /* the next listening fails */
	bool unreachable; /* the next FTP_DO_DATA_DIAL fails */
	struct ip_endpoint listen[2];
	bool leg[2]; /* by ftp_side: agreed on */
	bool started;
	bool going;
	enum ftp_data_result result; /* of the transfer that is under way */
	char transfer[64];	     /* its command, cut off at this length */

	/* what the client sees */
	bool strict; /* the server is honest: replies come in order */
	struct ftp_reply_parser view;
	char piece[FTP_REPLY_LINE_MAX + 1]; /* the beginning of a line that comes in pieces */
	size_t piece_len;
	bool in_line;
	bool wait_open; /* a 125- reply that says that a file is in use */
	struct model_asked asked[MODEL_ASKED];
	size_t nasked;
	unsigned event_code; /* first final code of the event */

	/* the caller's server: told each command, and that its connection is a new one */
	void *peer;
	void (*on_command)(struct model *model, const char *line, size_t len);
	void (*on_renew)(struct model *model);
	void (*on_drop)(struct model *model);
	bool trace;
	const char *(*whose)(void); /* what to print when a promise is broken */
};

static void model_trace(const struct model *model, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void model_trace(const struct model *model, const char *format, ...)
{
	va_list args;

	if (!model->trace)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static void model_broken(const struct model *model, const char *what, int line)
{
	fprintf(stderr, "machine-model.h:%d: broken: %s%s%s\n", line, what, model->whose != NULL ? ", " : "",
		model->whose != NULL ? model->whose() : "");
	abort();
}

#define MODEL_CHECK(model, what)                                                                             \
	do {                                                                                                 \
		if (!(what))                                                                                 \
			model_broken(model, #what, __LINE__);                                                \
	} while (0)

/* In the Netscape model, TLS comes before the greeting. */
static void model_server_is_new(struct model *model)
{
	const struct server_security *security = model->security;

	model->server_handshake = model->server_cleared = model->server_private = model->prot_pending = false;
	model->server_tls = security != NULL && security->mechanism == SECURE_MECHANISM_IMPLICIT &&
			    !security->secureimplicitzos;
	model->logged_in = false;
	model->told_clear = false;
	model->server_len = 0;
	model->parser = (struct ftp_reply_parser){ 0 };
}

static void model_init(struct model *model, const struct ftp_machine_setup *setup)
{
	struct ftp_machine_setup mine = *setup;

	*model = (struct model){ .action = *setup->action, .client = setup->client, .server = setup->server };
	mine.action = &model->action;
	if (setup->implicit && !setup->action->secureimplicitzos)
		mine.lazy_dial = false; /* nothing may be said before the handshake */
	ftp_machine_init(&model->machine, &mine);
	/* the greeting answers no command */
	model->asked[model->nasked++] = (struct model_asked){ .kind = FTP_KIND_COUNT };
	if (setup->implicit && !model->action.secureimplicitzos)
		model->handshake = true;
	model->lazy_dial = mine.lazy_dial;
	if (setup->server_security != NULL && setup->server_security->tls)
		model->security = setup->server_security;
	model_server_is_new(model);
	model->line_max = setup->command_line_max != 0 ? setup->command_line_max : 510;
}

static unsigned model_serial(const char *line, size_t len)
{
	const char *mark = memchr(line, '#', len);
	unsigned serial = 0;

	if (mark == NULL)
		return 0;
	for (mark++; mark < line + len && *mark >= '0' && *mark <= '9' && serial < 100000000; mark++)
		serial = serial * 10 + (unsigned)(*mark - '0');
	return serial;
}

static void model_answered(struct model *model, size_t place)
{
	model->nasked--;
	memmove(&model->asked[place], &model->asked[place + 1],
		(model->nasked - place) * sizeof(model->asked[0]));
}

static bool model_is_closing_now(const struct model *model)
{
	for (size_t i = 0; i < model->out.n; i++)
		if (model->out.acts[i].what == FTP_DO_CLOSE)
			return true;
	return false;
}

static size_t model_first(const struct model *model, enum ftp_verb_kind kind)
{
	size_t place = 0;

	while (place < model->nasked && model->asked[place].kind != kind)
		place++;
	return place;
}

/* Is this the oldest command that must have an answer? Side commands may never get one. */
static bool model_is_next(const struct model *model, size_t place)
{
	for (size_t i = 0; i < place; i++)
		if (!model->asked[i].beside)
			return false;
	return true;
}

/* A final reply reached the client: what does it answer, and may it do so now? */
static void model_final(struct model *model, const struct ftp_reply *reply)
{
	unsigned serial = model_serial(reply->line, reply->len);
	size_t place = 0;

	if (model->event_code == 0)
		model->event_code = reply->code;
	if (reply->code == 421 || (model_is_closing_now(model) && serial == 0))
		return; /* the session's last words answer nothing */
	if (!model->strict) {
		/* a server that lies may answer a side command twice */
		if (model->nasked > 0)
			model_answered(model, 0);
		return;
	}
	MODEL_CHECK(model, model->nasked > 0);
	if (memcmp(reply->line, "225 both", 8) == 0) { /* answers the transfer and its ABOR */
		while (place < model->nasked && model->asked[place].beside)
			place++;
		MODEL_CHECK(model, place < model->nasked);
		model_answered(model, place);
		place = 0;
	}
	while (place + 1 < model->nasked && model->asked[place].beside)
		place++;
	if (serial != 0) {
		place = 0;
		while (place < model->nasked && model->asked[place].serial != serial)
			place++;
		MODEL_CHECK(model, place < model->nasked);
		MODEL_CHECK(model, model->asked[place].beside || model_is_next(model, place));
	} else if (memcmp(reply->line, "200 first", 9) == 0) {
		return; /* some servers send this before 150: it answers no command */
	} else if (memcmp(reply->line, "226 Abort", 9) == 0) {
		place = model_first(model, FTP_KIND_ABOR);
		MODEL_CHECK(model, place < model->nasked && model_is_next(model, place));
	} else if (memcmp(reply->line, "211 Status", 10) == 0) {
		place = model_first(model, FTP_KIND_STAT);
		MODEL_CHECK(model, place < model->nasked &&
				       (model->asked[place].beside || model_is_next(model, place)));
	}
	model_answered(model, place);
}

static bool model_is_of(const char *text, const void *buffer, size_t len)
{
	const char *begin = buffer;

	return text >= begin && text < begin + len;
}

/* A reply text of one line or more. */
static void model_reply(struct model *model, const struct ftp_act *act)
{
	const char *at = act->text, *end = act->text + act->len;

	model_trace(model, "    c %.*s", (int)act->len, act->text);
	/* the server is not verified yet: the client gets no byte of what it seems to say */
	if (model->security != NULL && !model->server_tls && !model->server_cleared)
		MODEL_CHECK(model, !model_is_of(act->text, model->server_in, sizeof(model->server_in)) &&
				       !model_is_of(act->text, model->out.text, sizeof(model->out.text)));
	if (act->goes_on && !model->in_line) {
		MODEL_CHECK(model, act->len <= FTP_REPLY_LINE_MAX);
		memcpy(model->piece, at, act->len);
		model->piece_len = act->len;
	}
	if (model->in_line && !act->goes_on) { /* its beginning says what it is */
		at = model->piece;
		end = at + model->piece_len;
	}
	model->in_line = act->goes_on;
	if (model->in_line)
		return;
	while (at != NULL) {
		const char *cr = memchr(at, '\r', (size_t)(end - at));
		size_t len = (size_t)((cr != NULL ? cr : end) - at);
		uint8_t wire[FTP_REPLY_LINE_MAX + 2];
		enum ftp_reply_status status;
		struct ftp_reply reply;

		MODEL_CHECK(model, len <= FTP_REPLY_LINE_MAX);
		memcpy(wire, at, len);
		memcpy(wire + len, "\r\n", 2);
		if (model->machine.retry.open && len > 12 && memcmp(at, "125-Data set", 12) == 0)
			model->wait_open = true;
		status = ftp_reply_take(&model->view, wire, len + 2, &reply);
		if (model->view.code == 0)
			model->wait_open = false;
		MODEL_CHECK(model, status == FTP_REPLY_PART || status == FTP_REPLY_END);
		if (status == FTP_REPLY_END && !ftp_reply_is_preliminary(reply.code))
			model_final(model, &reply);
		at = cr != NULL ? cr + 2 : NULL;
	}
}

/* The gateway's own PORT or EPRT names its own port, never what a client wrote. */
static void model_check_port(const struct model *model, const struct ftp_command *command)
{
	struct ip_endpoint named;
	int r = command->verb->kind == FTP_KIND_EPRT ? ftp_eprt_parse(command->arg, command->arg_len, &named)
						     : ftp_port_parse(command->arg, command->arg_len, &named);

	MODEL_CHECK(model, r == 0);
	MODEL_CHECK(model, ip_endpoint_equal(&named, &model->listen[FTP_SIDE_SERVER]));
}

/* Does the user that was named have the certificate that was shown? */
static bool model_is_user(const struct model *model)
{
	return model->identified && model->identity.certificate && model->identity.user != NULL &&
	       model->identity.service && strcasecmp(model->identity.user, model->user) == 0;
}

/* What policy says of certificates. */
static void model_check_login(const struct model *model)
{
	const struct ftp_action *action = &model->action;

	if (!model->tls || action->secure_login == SECURE_LOGIN_NO_CLIENT_AUTH)
		return;
	MODEL_CHECK(model, model->identified && model->identity.certificate);
	if (action->secure_login == SECURE_LOGIN_VERIFY_USER)
		MODEL_CHECK(model, model_is_user(model));
}

/*
 * Servers that read a part of a verb: its last four letters (busybox's ftpd), or its
 * first four or three. No reading of an unknown verb is a command that matters.
 */
static void model_check_readings(const struct model *model, const struct ftp_command *command)
{
	size_t len = command->verb_len;
	const struct {
		const char *text;
		size_t len;
	} readings[] = {
		{ command->line + (len > 4 ? len - 4 : 0), len > 4 ? 4 : len },
		{ command->line, len > 4 ? 4 : len },
		{ command->line, len > 3 ? 3 : len },
	};

	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		struct ftp_command read = ftp_command_parse(readings[i].text, readings[i].len);
		enum ftp_verb_kind kind = read.verb->kind;

		if (command->verb->name[0] != '\0' || read.verb->name[0] == '\0')
			continue;
		MODEL_CHECK(model, !ftp_command_is_denied(&read, &model->action.commands_denied));
		MODEL_CHECK(model, kind != FTP_KIND_PORT && kind != FTP_KIND_EPRT && kind != FTP_KIND_PASV &&
				       kind != FTP_KIND_EPSV && kind != FTP_KIND_UNAVAILABLE);
		MODEL_CHECK(model, kind != FTP_KIND_DOWNLOAD && kind != FTP_KIND_UPLOAD &&
				       kind != FTP_KIND_USER && kind != FTP_KIND_PASS);
	}
}

/* A command that goes on as the client wrote it. */
static void model_check_passed_on(const struct model *model, const struct ftp_command *command)
{
	const struct ftp_action *action = &model->action;
	enum ftp_verb_kind kind = command->verb->kind;

	MODEL_CHECK(model, !ftp_command_is_denied(command, &action->commands_denied));
	MODEL_CHECK(model, action->commands_allowed.n == 0 ||
			       ftp_command_is_allowed(command, &action->commands_allowed));
	MODEL_CHECK(model, command->verb->name[0] != '\0' ||
			       action->unknown_commands == UNKNOWN_COMMANDS_PASS ||
			       action->commands_allowed.n > 0 ||
			       ftp_offered_has(&model->machine.offered, command->line, command->verb_len));
	model_check_readings(model, command);
	MODEL_CHECK(model, !model->wait_open || kind == FTP_KIND_ABOR);
	if (kind == FTP_KIND_USER)
		model_check_login(model);
	if (kind == FTP_KIND_HOST && model->tls && model->identified && model->identity.server_name != NULL)
		MODEL_CHECK(
		    model, strlen(model->identity.server_name) == command->arg_len &&
			       strncasecmp(model->identity.server_name, command->arg, command->arg_len) == 0);
}

/* The gateway's own PASS: only where a certificate takes the place of a password. */
static void model_check_own_pass(const struct model *model, const struct ftp_command *command)
{
	const char *password = model->identity.password;

	MODEL_CHECK(model, model->tls && model_is_user(model));
	MODEL_CHECK(model, model->action.secure_login != SECURE_LOGIN_NO_CLIENT_AUTH);
	MODEL_CHECK(model, model->action.secure_password == SECURE_PASSWORD_OPTIONAL);
	MODEL_CHECK(model, password != NULL && strlen(password) == command->arg_len &&
			       memcmp(password, command->arg, command->arg_len) == 0);
}

static bool model_is_clients(const struct model *model, const char *text)
{
	return model_is_of(text, model->client_in, sizeof(model->client_in));
}

/* The client's USER, with the name as policy spells it. */
static bool model_is_respelt(const struct model *model, const struct ftp_command *command)
{
	return command->verb->kind == FTP_KIND_USER && model_is_user(model) &&
	       strlen(model->identity.user) == command->arg_len &&
	       memcmp(model->identity.user, command->arg, command->arg_len) == 0;
}

/* Which policies let no client log in without TLS. */
static bool model_wants_tls(const struct model *model)
{
	const struct ftp_action *action = &model->action;

	if (action->secure_ftp == SECURE_FTP_REQUIRED)
		return true;
	return action->secure_ctrlconn != SECURE_CLEAR && action->data_policy_scope == DATA_POLICY_ALL;
}

/* The only commands that may have been sent in the clear on a connection that is used under TLS. */
static bool model_leaves_nothing(const struct ftp_command *command)
{
	static const char *const names[] = { "FEAT", "HELP", "NOOP", "SYST", "QUIT" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(command->verb->name, names[i]) == 0)
			return true;
	return false;
}

static bool model_prot_fits(const struct model *model, bool private)
{
	enum secure_level least = model->security->dataconn;

	return least == SECURE_CLEAR || private == (least != SECURE_NEVER);
}

/* Of a server with TLS: what goes out before it is up, and the gateway's own commands. */
static void model_check_server_tls(struct model *model, const struct ftp_act *act,
				   const struct ftp_command *command)
{
	const struct server_security *security = model->security;
	enum ftp_verb_kind kind = command->verb->kind;
	bool of_tls =
	    kind == FTP_KIND_AUTH || kind == FTP_KIND_PBSZ || kind == FTP_KIND_PROT || kind == FTP_KIND_CCC;

	MODEL_CHECK(model, !of_tls || (security != NULL && !act->forwarded));
	if (security == NULL)
		return;
	MODEL_CHECK(model, !model->server_handshake);
	if (!model->server_tls && !model->server_cleared) {
		MODEL_CHECK(model, kind == FTP_KIND_AUTH && security->mechanism != SECURE_MECHANISM_IMPLICIT);
		return;
	}
	MODEL_CHECK(model, kind != FTP_KIND_AUTH);
	if (model->server_cleared) {
		MODEL_CHECK(model, !of_tls && kind != FTP_KIND_USER && kind != FTP_KIND_PASS &&
				       kind != FTP_KIND_ACCT);
		/* CCC has frozen a level that policy accepts */
		MODEL_CHECK(model, model_prot_fits(model, model->server_private));
	}
	if (kind == FTP_KIND_CCC)
		MODEL_CHECK(model, model->logged_in && model_prot_fits(model, model->server_private));
	if (kind == FTP_KIND_PASV || kind == FTP_KIND_EPSV || kind == FTP_KIND_PORT || kind == FTP_KIND_EPRT)
		MODEL_CHECK(model, model_prot_fits(model, model->server_private));
	if (kind != FTP_KIND_PROT)
		return;
	model->prot_pending = true;
	model->prot_private = memcmp(command->arg, "P", 1) == 0;
	MODEL_CHECK(model, model_prot_fits(model, model->prot_private));
}

static void model_command(struct model *model, const struct ftp_act *act)
{
	struct ftp_command command = ftp_command_parse(act->text, act->len);
	enum ftp_verb_kind kind = command.verb->kind;

	model_trace(model, "    s %.*s", (int)act->len, act->text);
	MODEL_CHECK(model, act->len > 0 && act->len <= model->line_max);
	for (size_t i = 0; i < act->len; i++)
		MODEL_CHECK(model, act->text[i] != '\r' && act->text[i] != '\n' && act->text[i] != '\0');
	for (size_t i = 0; i < command.verb_len; i++)
		MODEL_CHECK(model, act->text[i] > ' ' && act->text[i] < 0x7f);
	MODEL_CHECK(model, command.verb_len > 0);
	if (model_wants_tls(model) && !model->tls) {
		MODEL_CHECK(model, kind != FTP_KIND_USER && kind != FTP_KIND_PASS);
		MODEL_CHECK(model, model->frozen || (command.verb->flags & FTP_VERB_BEFORE_TLS));
	}
	if (!model->logged_in)
		MODEL_CHECK(model, command.verb->flags & FTP_VERB_BEFORE_LOGIN);
	model_check_server_tls(model, act, &command);
	MODEL_CHECK(model, kind != FTP_KIND_ADAT && kind != FTP_KIND_ENVELOPE);
	MODEL_CHECK(model, kind != FTP_KIND_UNAVAILABLE && kind != FTP_KIND_FOREIGN && kind != FTP_KIND_REIN);
	if (kind == FTP_KIND_PORT || kind == FTP_KIND_EPRT)
		model_check_port(model, &command);
	if (!model->tls && !model->frozen && !model_leaves_nothing(&command) && kind != FTP_KIND_AUTH &&
	    kind != FTP_KIND_PBSZ && kind != FTP_KIND_PROT)
		model->told_clear = true;
	MODEL_CHECK(model, act->forwarded ==
			       (model_is_clients(model, act->text) || model_is_respelt(model, &command)));
	if (act->forwarded)
		model_check_passed_on(model, &command);
	else if (kind == FTP_KIND_PASS)
		model_check_own_pass(model, &command);
	else if (model->security == NULL)
		MODEL_CHECK(model, kind == FTP_KIND_PASV || kind == FTP_KIND_EPSV || kind == FTP_KIND_PORT ||
				       kind == FTP_KIND_EPRT);
	if (model->on_command != NULL)
		model->on_command(model, act->text, act->len);
}

static void model_dial(struct model *model, enum ftp_side side, const struct ip_endpoint *endpoint)
{
	const struct ftp_action *action = &model->action;

	MODEL_CHECK(model, endpoint->port != 0);
	if (side == FTP_SIDE_SERVER) {
		MODEL_CHECK(model, ip_addr_equal(&endpoint->addr, &model->server));
		MODEL_CHECK(model, endpoint->port >= 1024);
	} else {
		MODEL_CHECK(model, action->portcommand == PORTCOMMAND_ACCEPT);
		MODEL_CHECK(model, action->portcommandipaddr != NOREDIRECT ||
				       ip_addr_equal(&endpoint->addr, &model->client.addr));
		MODEL_CHECK(model, action->portcommandport != NOLOWPORTS || endpoint->port >= 1024);
	}
	model->leg[side] = true;
}

static void model_listen(struct model *model, enum ftp_side side)
{
	static const uint8_t v4[4] = { 198, 51, 100, 1 };
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, 9, [15] = 1 };
	enum ip_family family = side == FTP_SIDE_CLIENT ? model->client.addr.family : model->server.family;
	bool none = model->no_ports;

	model->no_ports = false;
	model->leg[side] = !none;
	model->listen[side].addr = ip_addr_make(family, family == IP_V4 ? v4 : v6);
	model->listen[side].port = side == FTP_SIDE_CLIENT ? 5001 : 6001;
	ftp_machine_listening(&model->machine, side, none ? NULL : &model->listen[side], &model->out);
}

static void model_data_forget(struct model *model)
{
	model->leg[FTP_SIDE_CLIENT] = model->leg[FTP_SIDE_SERVER] = false;
	model->started = model->going = false;
}

static void model_data_start(struct model *model, const struct ftp_act *act)
{
	enum secure_level level = model->action.secure_dataconn;

	MODEL_CHECK(model, !model->started);
	MODEL_CHECK(model, model->leg[FTP_SIDE_CLIENT] && model->leg[FTP_SIDE_SERVER]);
	MODEL_CHECK(model, model->logged_in);
	/* every session is bound to the policy's level, unless it never had TLS and policy exempts such */
	if ((model->tls || model->frozen || model->action.data_policy_scope == DATA_POLICY_ALL) &&
	    (level == SECURE_PRIVATE || level == SECURE_SAFE))
		MODEL_CHECK(model, act->protect);
	if (level == SECURE_NEVER || (!model->tls && !model->frozen))
		MODEL_CHECK(model, !act->protect);
	MODEL_CHECK(model, act->protect_server == model->server_private);
	if (model->security != NULL) {
		MODEL_CHECK(model, model_prot_fits(model, act->protect_server));
		/* a client may choose where policy leaves the choice, and the server refuses nothing */
		MODEL_CHECK(model, !model->server_agrees || model->server_cleared ||
				       model->security->dataconn != SECURE_CLEAR ||
				       act->protect_server == act->protect);
	}
	model->started = true;
	model->result = FTP_DATA_PENDING;
	snprintf(model->transfer, sizeof(model->transfer), "%.*s", (int)act->len, act->text);
}

/* In the order of control.c: what is left in the window after the line ends the session. */
static void model_tls(struct model *model, bool start)
{
	if (model->client_len > 0) {
		model->ended = model->violation = true;
		return;
	}
	MODEL_CHECK(model, model->tls != start);
	model->handshake = start;
	model->tls = false;
	model->identified = false;
}

/* As the worker: what the server has sent already cannot be TLS. */
static void model_server_tls_start(struct model *model)
{
	MODEL_CHECK(model, model->security != NULL && !model->server_tls && !model->server_cleared);
	model->server_handshake = true;
	if (model->server_len == 0)
		return;
	model->server_handshake = false;
	ftp_machine_signal(&model->machine, FTP_SIGNAL_SERVER_INJECTED, &model->out);
}

/* FTCHKPWD: no password goes to the server before somebody was asked about the user. */
static void model_check_password(struct model *model, const struct ftp_act *act)
{
	const struct ftp_command command = ftp_command_parse(act->text, act->len);

	if (command.verb->kind == FTP_KIND_PASS && model->action.login_check != NULL)
		MODEL_CHECK(model, model->may_log_in);
}

static void model_act(struct model *model, const struct ftp_act *act)
{
	MODEL_CHECK(model, !model->ended);
	switch (act->what) {
	case FTP_DO_NOTHING:
		MODEL_CHECK(model, act->what != FTP_DO_NOTHING);
		break;
	case FTP_DO_REPLY:
		model_reply(model, act);
		break;
	case FTP_DO_COMMAND:
		model_check_password(model, act);
		model_command(model, act);
		break;
	case FTP_DO_TLS_START:
		model_tls(model, true);
		break;
	case FTP_DO_TLS_STOP:
		model_tls(model, false);
		break;
	case FTP_DO_GSSAPI_BEGIN: /* policy offers it nowhere here */
	case FTP_DO_GSSAPI_ACCEPT:
	case FTP_DO_GSSAPI_STOP:
		MODEL_CHECK(model, act->what == FTP_DO_NOTHING);
		break;
	case FTP_DO_SERVER_TLS_START:
		model_server_tls_start(model);
		break;
	case FTP_DO_SERVER_TLS_STOP:
		MODEL_CHECK(model, model->server_tls && model->logged_in);
		MODEL_CHECK(model, model->security->ccc == SERVER_CCC_AFTER_LOGIN &&
				       model->security->ctrlconn == SECURE_CLEAR);
		model->server_tls = false;
		model->server_cleared = true;
		break;
	case FTP_DO_LOG_SERVER_REFUSED:
		MODEL_CHECK(model, model->security != NULL);
		break;
	case FTP_DO_SERVER_RENEW:
		model_trace(model, "    renew");
		MODEL_CHECK(model, !model->leg[FTP_SIDE_CLIENT] && !model->leg[FTP_SIDE_SERVER]);
		model_server_is_new(model);
		if (model->on_renew != NULL)
			model->on_renew(model);
		break;
	case FTP_DO_SERVER_DROP:
		model_trace(model, "    drop");
		MODEL_CHECK(model, !model->leg[FTP_SIDE_CLIENT] && !model->leg[FTP_SIDE_SERVER]);
		model_server_is_new(model);
		if (model->on_drop != NULL)
			model->on_drop(model);
		break;
	case FTP_DO_LISTEN_CLIENT:
		model_listen(model, FTP_SIDE_CLIENT);
		break;
	case FTP_DO_LISTEN_SERVER:
		model_listen(model, FTP_SIDE_SERVER);
		break;
	case FTP_DO_DIAL_CLIENT:
		model_dial(model, FTP_SIDE_CLIENT, &act->endpoint);
		break;
	case FTP_DO_DIAL_SERVER:
		model_dial(model, FTP_SIDE_SERVER, &act->endpoint);
		break;
	case FTP_DO_DATA_DIAL:
		MODEL_CHECK(model, model->leg[FTP_SIDE_SERVER] && !model->started);
		ftp_machine_dialled(&model->machine, !model->unreachable, &model->out);
		model->unreachable = false;
		break;
	case FTP_DO_DATA_SECURE:
		MODEL_CHECK(model, model->leg[FTP_SIDE_CLIENT] && !model->started);
		ftp_machine_data_handshake(&model->machine, FTP_HANDSHAKE_DECIDED, FTP_DATA_PENDING);
		break;
	case FTP_DO_DATA_DISMISS: /* FTP_DO_DATA_CLOSE follows */
		MODEL_CHECK(model, model->started && !model->going);
		model->started = false;
		break;
	case FTP_DO_DATA_START:
		model_data_start(model, act);
		break;
	case FTP_DO_DATA_GO:
		MODEL_CHECK(model, model->started && !model->going);
		model->going = true;
		break;
	case FTP_DO_DATA_REFUSED:
		MODEL_CHECK(model, model->started && !model->going);
		model->started = false;
		break;
	case FTP_DO_DATA_DOUBT: /* also when the data has ended already */
	case FTP_DO_DATA_TRUST:
		break;
	case FTP_DO_DATA_AGREED: /* also when the data has ended already */
		MODEL_CHECK(model, model->machine.security.gssapi);
		break;
	case FTP_DO_DATA_FAILED: /* a download of which the server has sent more */
		MODEL_CHECK(model, model->going);
		break;
	case FTP_DO_DATA_ABORT:
		MODEL_CHECK(model, model->started);
		model_data_forget(model);
		model->result = FTP_DATA_ABORTED;
		ftp_machine_data_done(&model->machine, FTP_DATA_ABORTED, &model->out);
		break;
	case FTP_DO_DATA_CLOSE: /* in order: the server must not be waiting for a file */
		MODEL_CHECK(model, !model->started);
		model_data_forget(model);
		break;
	case FTP_DO_RETRY:
		model_trace(model, "    s %s", model->transfer);
		MODEL_CHECK(model, !model->started);
		MODEL_CHECK(model, model->leg[FTP_SIDE_CLIENT] && model->leg[FTP_SIDE_SERVER]);
		model->started = true;
		model->result = FTP_DATA_PENDING;
		if (model->on_command != NULL)
			model->on_command(model, model->transfer, strlen(model->transfer));
		break;
	case FTP_DO_SEGMENT:
		model->paused = true;
		break;
	case FTP_DO_PAUSE:
		MODEL_CHECK(model, act->number > 0);
		model->paused = true;
		break;
	case FTP_DO_SIDE_WAIT:
		model->side_wait = true;
		break;
	case FTP_DO_LOG_UNANSWERED:
		model_trace(model, "    unanswered %.*s", (int)act->len, act->text);
		break;
	case FTP_DO_STRAY:
		break;
	case FTP_DO_STILL_IN:
		model->logged_in = true;
		break;
	case FTP_DO_WOULD_REFUSE:
		MODEL_CHECK(model, model->machine.audited != NULL);
		MODEL_CHECK(model, ftp_would_of(act->key) == act->number && act->number != FTP_WOULD_NONE);
		break;
	case FTP_DO_CHANGED:
		MODEL_CHECK(model, model->logged_in || act->number != FTP_CHANGE_SERVER);
		break;
	case FTP_DO_LOGIN_HIDDEN:
		/* or it would look like a login, and is none */
		MODEL_CHECK(model, !model->action.accesserrormsgs || act->text[0] == '2');
		break;
	case FTP_DO_LOGIN_ASK:
		MODEL_CHECK(model, !model->waits);
		model->waits = true;
		break;
	case FTP_DO_LOGIN_CHECK:
		MODEL_CHECK(model, model->action.login_check != NULL && !model->wants_check);
		model->wants_check = true;
		model->may_log_in = false;
		break;
	case FTP_DO_LOGIN_OVER:
		MODEL_CHECK(model, !model->waits);
		break;
	case FTP_DO_LOGIN_FAILED:
		MODEL_CHECK(model, !model->waits);
		model->logged_in = false;
		break;
	case FTP_DO_USER:
		model->logged_in = model->may_log_in = false;
		snprintf(model->user, sizeof(model->user), "%.*s", (int)act->len, act->text);
		break;
	case FTP_DO_LOGGED_IN:
		model_check_login(model);
		MODEL_CHECK(model, model->action.login_check == NULL || model->may_log_in);
		model->logged_in = true;
		break;
	case FTP_DO_CLOSE:
		model_trace(model, "    close %.*s", (int)act->len, act->text);
		MODEL_CHECK(model, !model->wait_open);
		/* no reply is left open as if it were whole */
		MODEL_CHECK(model, (model->view.code == 0 && !model->in_line) ||
				       ftp_machine_is_replying(&model->machine));
		model->ended = true;
		break;
	}
}

static void model_check_state(struct model *model)
{
	const struct ftp_machine *machine = &model->machine;
	bool cleared = machine->security.ctrl == FTP_CTRL_CLEARED;

	MODEL_CHECK(model, machine->side.nruns <= FTP_SIDE_RUNS);
	MODEL_CHECK(model, model->side_wait || !machine->side.waiting);
	MODEL_CHECK(model, model->nasked < MODEL_ASKED);
	if (cleared && model->frozen)
		MODEL_CHECK(model, machine->security.prot == model->frozen_prot);
	model->frozen = cleared;
	model->frozen_prot = machine->security.prot;
	MODEL_CHECK(model,
		    machine->plan != FTP_PLAN_LISTENING_CLIENT && machine->plan != FTP_PLAN_LISTENING_SERVER);
}

/* The list grows while it is walked, as in the gateway. */
static void model_carry_out(struct model *model)
{
	for (size_t i = 0; i < model->out.n; i++) {
		struct ftp_act act = model->out.acts[i];

		if (model->violation)
			break;
		model_act(model, &act);
	}
	ftp_out_reset(&model->out);
	if (!model->violation)
		model_check_state(model);
}

static void model_asks(struct model *model, const char *line, size_t len, bool beside)
{
	struct ftp_command command = ftp_command_parse(line, len);
	enum ftp_verb_kind kind = command.verb->kind;

	MODEL_CHECK(model, model->nasked < MODEL_ASKED);
	model->asked[model->nasked++] = (struct model_asked){
		.serial = model_serial(line, len),
		.kind = kind,
		.beside = beside && (kind == FTP_KIND_STAT || kind == FTP_KIND_NOOP || kind == FTP_KIND_ABOR),
	};
}

static void model_use(uint8_t *window, size_t *len, size_t used)
{
	*len -= used;
	memmove(window, window + used, *len);
}

static bool model_client_line(struct model *model)
{
	bool beside = ftp_machine_in_transfer(&model->machine);
	enum ftp_line_status status = FTP_LINE_OK;
	enum ftp_take take;
	struct ftp_line line;
	int done;

	if (model->skipping) {
		model_use(model->client_in, &model->client_len,
			  ftp_line_skip(model->client_in, model->client_len, &done));
		model->skipping = !done;
		return done != 0;
	}
	if (model->holding) {
		line = model->held;
		line.text = (const char *)model->client_in + model->held_at;
	} else {
		status = ftp_line_take(model->client_in, model->client_len, &line);
	}
	if (status == FTP_LINE_MORE)
		return false;
	take = status == FTP_LINE_OK ? ftp_machine_command(&model->machine, line.text, line.len, &model->out)
				     : ftp_machine_bad_line(&model->machine, status, &model->out);
	if (take == FTP_HOLD) {
		bool moved = model->out.n > 0;
		bool opens = moved && model->out.acts[model->out.n - 1].what == FTP_DO_DATA_SECURE;
		bool asks = moved && (model->out.acts[model->out.n - 1].what == FTP_DO_LOGIN_ASK ||
				      model->out.acts[model->out.n - 1].what == FTP_DO_LOGIN_CHECK);

		for (size_t i = 0; i < model->out.n; i++) {
			enum ftp_do what = model->out.acts[i].what;

			MODEL_CHECK(model,
				    what == FTP_DO_DATA_DIAL || what == FTP_DO_SIDE_WAIT ||
					what == FTP_DO_LISTEN_SERVER ||
					(opens && (what == FTP_DO_REPLY || what == FTP_DO_DATA_SECURE)) ||
					(asks && what != FTP_DO_REPLY && what != FTP_DO_COMMAND) ||
					(what == FTP_DO_COMMAND && !model->out.acts[i].forwarded) ||
					(model->security != NULL && what == FTP_DO_LOGGED_IN) ||
					(model->security != NULL && what == FTP_DO_USER) ||
					(what == FTP_DO_SERVER_RENEW && model->lazy_dial));
		}
		model->holding = status == FTP_LINE_OK;
		model->held = line;
		model->held_at = (size_t)((const uint8_t *)line.text - model->client_in);
		if (moved)
			model_carry_out(model);
		return moved;
	}
	model->holding = false;
	model->skipping = status == FTP_LINE_TOO_LONG;
	model_trace(model, "C %.*s", status == FTP_LINE_OK ? (int)line.len : 0,
		    status == FTP_LINE_OK ? line.text : "");
	model_asks(model, status == FTP_LINE_OK ? line.text : "", status == FTP_LINE_OK ? line.len : 0,
		   beside);
	/* texts of actions point into the window: it is moved only after them, but counts as used up before
	 */
	{
		size_t left = model->client_len - line.consumed;

		model->client_len = left;
		model_carry_out(model);
		memmove(model->client_in, model->client_in + line.consumed, left);
	}
	return true;
}

static bool model_server_line(struct model *model)
{
	bool transfer = ftp_machine_in_transfer(&model->machine);
	struct ftp_reply_parser parser = model->parser;
	enum ftp_reply_status status;
	struct ftp_reply reply;
	bool moved;

	if (model->server_len == 0 || model->paused)
		return false;
	status = ftp_reply_take(&parser, model->server_in, model->server_len, &reply);
	if (status == FTP_REPLY_MORE)
		return false;
	if (status == FTP_REPLY_MALFORMED) {
		size_t left = model->server_len - reply.consumed;

		model_trace(model, "S %.*s", (int)reply.len, reply.line);
		ftp_machine_stray_line(&model->machine, &reply, &model->out);
		model->parser = parser;
		model->server_len = left;
		model_carry_out(model);
		memmove(model->server_in, model->server_in + reply.consumed, left);
		return true;
	}
	model->event_code = 0;
	if (ftp_machine_reply(&model->machine, &reply, status == FTP_REPLY_END, &model->out) == FTP_HOLD) {
		moved = model->out.n > 0;
		for (size_t i = 0; i < model->out.n; i++)
			MODEL_CHECK(model, model->out.acts[i].what == FTP_DO_PAUSE ||
					       model->out.acts[i].what == FTP_DO_DATA_GO ||
					       model->out.acts[i].what == FTP_DO_DATA_FAILED ||
					       model->out.acts[i].what == FTP_DO_DATA_AGREED ||
					       model->out.acts[i].what == FTP_DO_SIDE_WAIT ||
					       model->out.acts[i].what == FTP_DO_LOGIN_CHECK ||
					       model->out.acts[i].what == FTP_DO_DATA_ABORT);
		model_carry_out(model);
		return moved;
	}
	model_trace(model, "S %.*s", (int)reply.len, reply.line);
	model->parser = parser;
	if (model->prot_pending && model->machine.pending != FTP_PENDING_SERVER_PROT) {
		model->prot_pending = false;
		if (ftp_reply_is_positive(reply.code) && reply.code != 202)
			model->server_private = model->prot_private;
	}
	{
		size_t left = model->server_len - reply.consumed;

		model->server_len = left;
		model_carry_out(model);
		/* a renewal has emptied it */
		if (model->server_len == left)
			memmove(model->server_in, model->server_in + reply.consumed, left);
	}
	/* A transfer has ended in this event: never well when its data did not arrive. */
	if (transfer && !model->ended && !ftp_machine_in_transfer(&model->machine) &&
	    model->result != FTP_DATA_OK)
		MODEL_CHECK(model, !ftp_reply_is_positive((uint16_t)model->event_code));
	return true;
}

/* Whatever can move moves. */
static void model_run(struct model *model)
{
	bool moved = true;

	while (moved && !model->ended) {
		moved = !model->handshake && model_server_line(model);
		if (!moved && !model->ended && !model->handshake && model->client_len > 0)
			moved = model_client_line(model);
	}
}

/* Call it right after model_init(): the gateway's own greeting, if it greets. */
static void model_greet(struct model *model)
{
	if (!model->lazy_dial)
		return;
	ftp_machine_greet(&model->machine, &model->out);
	model_carry_out(model);
}

/* The time of a pause is over. */
static void model_resume(struct model *model)
{
	if (model->ended || (!model->paused && !model->waits && !model->wants_check))
		return;
	model_trace(model, "resume");
	if (model->waits)
		ftp_machine_login_go(&model->machine);
	if (model->wants_check) { /* each kind of answer in its turn, most often the one that lets in */
		static const enum ftp_check answers[] = { FTP_CHECK_ALLOWED, FTP_CHECK_DENIED,
							  FTP_CHECK_ALLOWED, FTP_CHECK_FAILED };
		enum ftp_check answer = answers[model->nchecks++ % 4];

		ftp_machine_login_checked(&model->machine, answer, "no");
		model->may_log_in = answer == FTP_CHECK_ALLOWED;
	}
	model->paused = model->waits = model->wants_check = false;
	ftp_machine_resume(&model->machine, &model->out);
	model_carry_out(model);
	model_run(model);
}

/* The wait for answers to side commands is over. */
static void model_side_due(struct model *model)
{
	if (!model->side_wait || model->ended)
		return;
	model_trace(model, "side due");
	model->side_wait = false;
	ftp_machine_side_due(&model->machine, &model->out);
	model_carry_out(model);
	model_run(model);
}

/* Bytes from the client; what does not fit is lost, which ends nothing. Under a handshake nothing is read. */
static void model_client(struct model *model, const void *bytes, size_t len)
{
	if (model->ended || model->handshake || len > MODEL_WINDOW - model->client_len)
		return;
	memcpy(model->client_in + model->client_len, bytes, len);
	model->client_len += len;
	model_run(model);
}

static bool model_server_has_room(const struct model *model, size_t len)
{
	return len <= MODEL_WINDOW - model->server_len;
}

static void model_signal(struct model *model, enum ftp_signal signal);

static void model_server(struct model *model, const void *bytes, size_t len)
{
	if (model->ended || !model_server_has_room(model, len))
		return;
	if (model->server_handshake) { /* this is no TLS */
		model_signal(model, FTP_SIGNAL_SERVER_TLS_FAILED);
		return;
	}
	memcpy(model->server_in + model->server_len, bytes, len);
	model->server_len += len;
	model_run(model);
}

static void model_data_done(struct model *model, enum ftp_data_result result)
{
	bool kept;

	if (model->ended || !model->going)
		return;
	model_trace(model, "D %d", (int)result);
	/* in block mode, the connection outlives its file */
	kept = result == FTP_DATA_OK &&
	       ftp_representation_mode(ftp_machine_representation(&model->machine)) == 'B';
	if (kept)
		model->started = model->going = false;
	else
		model_data_forget(model);
	model->result = result;
	ftp_machine_data_done(&model->machine, result, &model->out);
	if (kept)
		ftp_machine_data_kept(&model->machine);
	model_carry_out(model);
	model_run(model);
}

/* The client was there, so the server was dialled before the transfer. */
static void model_dialled(struct model *model, bool up)
{
	if (model->ended || model->started || !model->leg[FTP_SIDE_SERVER])
		return;
	model_trace(model, "dialled %d", up);
	ftp_machine_dialled(&model->machine, up, &model->out);
	model_carry_out(model);
	model_run(model);
}

static void model_signal(struct model *model, enum ftp_signal signal)
{
	bool server = signal == FTP_SIGNAL_SERVER_TLS_UP || signal == FTP_SIGNAL_SERVER_TLS_FAILED ||
		      signal == FTP_SIGNAL_SERVER_INJECTED;

	if (model->ended || (signal == FTP_SIGNAL_TLS_UP && !model->handshake) ||
	    (server && !model->server_handshake))
		return;
	model_trace(model, "! %d", (int)signal);
	if (server)
		model->server_handshake = false;
	if (signal == FTP_SIGNAL_SERVER_TLS_UP)
		model->server_tls = true;
	if (signal == FTP_SIGNAL_TLS_UP) {
		MODEL_CHECK(model, !model->told_clear);
		model->handshake = false;
		model->tls = true;
		model->identified = true;
		ftp_machine_identify(&model->machine, &model->identity);
	}
	ftp_machine_signal(&model->machine, signal, &model->out);
	model_carry_out(model);
	model_run(model);
}

/* Another server takes the place of one whose greeting does not count, and of which the client has no line.
 */
static void model_server_again(struct model *model)
{
	enum ftp_pending pending = model->machine.pending;

	if (model->ended || model->parser.code != 0 || model->parser.in_line ||
	    (pending != FTP_PENDING_GREETING && pending != FTP_PENDING_SERVER_AUTH &&
	     pending != FTP_PENDING_SERVER_HANDSHAKE))
		return;
	model_trace(model, "again");
	model_server_is_new(model);
	ftp_machine_server_again(&model->machine);
	if (model->on_renew != NULL)
		model->on_renew(model);
	model_run(model);
}

/* After its end the machine is deaf. */
static void model_check_end(struct model *model)
{
	struct ftp_machine *machine = &model->machine;
	struct ftp_reply reply = { .code = 220, .first = true, .line = "220 x", .len = 5, .text = 4 };
	struct ftp_out *out = &model->out;

	if (!model->ended || model->violation)
		return;
	MODEL_CHECK(model, ftp_machine_command(machine, "NOOP", 4, out) == FTP_TAKEN);
	MODEL_CHECK(model, ftp_machine_bad_line(machine, FTP_LINE_NUL, out) == FTP_TAKEN);
	MODEL_CHECK(model, ftp_machine_reply(machine, &reply, true, out) == FTP_TAKEN);
	ftp_machine_signal(machine, FTP_SIGNAL_SHUTDOWN, out);
	ftp_machine_signal(machine, FTP_SIGNAL_SERVER_TLS_UP, out);
	ftp_machine_listening(machine, FTP_SIDE_CLIENT, NULL, out);
	ftp_machine_data_done(machine, FTP_DATA_OK, out);
	ftp_machine_dialled(machine, false, out);
	ftp_machine_resume(machine, out);
	ftp_machine_side_due(machine, out);
	MODEL_CHECK(model, out->n == 0);
}

#endif
