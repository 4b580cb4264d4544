/*
 * Logging in: SECURE_LOGIN and SECURE_PASSWORD, failed attempts, and what ends a
 * login at the server.
 */
#include "ftp-alg/login.h"

#include <string.h>
#include <strings.h>

#include "ftp-alg/access.h"
#include "ftp-alg/per-user.h"
#include "ftp-alg/reply.h"

#define FAILURES_MAX 100

/* The turn of this login is over, and nothing is decided. */
static void turn_over(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->login_turn == FTP_LOGIN_TURN_NONE)
		return;
	machine->login_turn = FTP_LOGIN_TURN_NONE;
	ftp_out_add(out, FTP_DO_LOGIN_OVER);
}

/* by: who did not let the user in; key: as in struct ftp_act. Both are for the log, and static. */
static void login_failed(struct ftp_machine *machine, const char *by, const char *key, struct ftp_out *out)
{
	if (machine->failures < FAILURES_MAX)
		machine->failures++;
	if (machine->failures_here < FAILURES_MAX)
		machine->failures_here++;
	machine->login_turn = FTP_LOGIN_TURN_NONE;
	ftp_out_text(out, FTP_DO_LOGIN_FAILED, by, strlen(by))->key = key;
	if (machine->action->login_attempts != 0 && machine->failures_here >= machine->action->login_attempts)
		machine_close(machine, FTP_LOCAL_TOO_MANY_LOGINS, "too-many-failed-logins", out);
}

/* Who did not let the user in. */
static const char *denied_by(const struct ftp_machine *machine, enum ftp_local why)
{
	static const struct {
		enum ftp_local why;
		const char *by;
	} rows[] = {
		{ FTP_LOCAL_WHY_CREDENTIAL, "stored-credential" },
		{ FTP_LOCAL_WHY_NOT_PERMITTED, "verifyuser" },
		{ FTP_LOCAL_WHY_CHECKED, "login-check" },
		{ FTP_LOCAL_WHY_UNCHECKED, "login-unchecked" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].why == why)
			return rows[i].by;
	return machine->security.gssapi ? "kerberos" : "certificate";
}

/* The client gets the reason only where policy allows that (ACCESSERRORMSGS). */
static void deny(struct ftp_machine *machine, enum ftp_local why, const struct ftp_action *said,
		 struct ftp_out *out)
{
	const char *key = ftp_local_key(why, said);

	machine->login = FTP_LOGIN_NONE;
	machine_answer(machine, machine->action->accesserrormsgs ? why : FTP_LOCAL_LOGIN_DENIED, out)->key =
	    key;
	login_failed(machine, denied_by(machine, why), key, out);
}

/* FTCHKPWD has refused, or not answered. */
static void deny_checked(struct ftp_machine *machine, struct ftp_out *out)
{
	enum ftp_local why =
	    machine->check == FTP_CHECK_DENIED ? FTP_LOCAL_WHY_CHECKED : FTP_LOCAL_WHY_UNCHECKED;
	const char *key = ftp_local_key(why, machine->action), *text = machine->check_text;
	struct ftp_act *act;

	if (!machine->action->accesserrormsgs || why != FTP_LOCAL_WHY_CHECKED || text == NULL ||
	    text[0] == '\0') {
		deny(machine, why, machine_said(machine), out);
		return;
	}
	machine->login = FTP_LOGIN_NONE;
	act = ftp_out_format(out, FTP_DO_REPLY, "530-%s\r\n%s", text,
			     ftp_local_text(FTP_LOCAL_LOGIN_DENIED, machine->action->reply_style));
	act->refusal = true;
	act->verb = out->verb != NULL ? out->verb : "";
	act->key = key;
	login_failed(machine, denied_by(machine, why), key, out);
}

/* Must somebody be asked about this user before the login can succeed? Asks, and says whether to wait. */
static bool waits_for_check(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->action->login_check == NULL)
		return false;
	if (machine->check == FTP_CHECK_NONE) {
		machine->check = FTP_CHECK_ASKED;
		ftp_out_add(out, FTP_DO_LOGIN_CHECK);
	}
	return machine->check == FTP_CHECK_ASKED;
}

static bool is_refused_by_check(const struct ftp_machine *machine)
{
	return machine->action->login_check != NULL && machine->check != FTP_CHECK_ALLOWED;
}

/* Would this command complete a login? */
static bool completes_login(const struct ftp_machine *machine, enum ftp_verb_kind kind)
{
	return (kind == FTP_KIND_PASS || kind == FTP_KIND_ACCT) && machine->login == FTP_LOGIN_NEED_PASS;
}

bool machine_login_is_denied(struct ftp_machine *machine, const struct ftp_command *command,
			     struct ftp_out *out)
{
	if (!completes_login(machine, command->verb->kind) || !is_refused_by_check(machine))
		return false;
	deny_checked(machine, out);
	return true;
}

static bool is_user(const char *name, const char *arg, size_t len)
{
	/* user IDs of security products are case-insensitive */
	return name != NULL && strlen(name) == len && strncasecmp(name, arg, len) == 0;
}

/* VERIFYUSER: the policy's spelling of a user that may use this service, or NULL. */
static const char *find_permitted(const struct ftp_machine *machine, const char *arg, size_t len)
{
	for (size_t i = 0; i < machine->permitted->n; i++)
		if (is_user(machine->permitted->names[i], arg, len))
			return machine->permitted->names[i];
	return NULL;
}

/* May this user log in with this certificate? FTP_LOCAL_NONE, or why not. */
static enum ftp_local check_certificate(const struct ftp_machine *machine, const struct ftp_action *said,
					const char *arg, size_t len)
{
	const struct ftp_identity *identity = &machine->identity;

	if (!identity->certificate)
		return FTP_LOCAL_CERTIFICATE_MISSING;
	if (said->secure_login != SECURE_LOGIN_VERIFY_USER)
		return FTP_LOCAL_NONE;
	if (identity->user == NULL)
		return FTP_LOCAL_WHY_UNMAPPED;
	if (!is_user(identity->user, arg, len))
		return FTP_LOCAL_WHY_OTHER_USER;
	return identity->service ? FTP_LOCAL_NONE : FTP_LOCAL_WHY_SERVICE;
}

/* The same with a Kerberos ticket, whose principal is known. */
static enum ftp_local check_principal(const struct ftp_machine *machine, const struct ftp_action *said,
				      const char *arg, size_t len)
{
	const struct ftp_identity *identity = &machine->identity;

	if (said->secure_login != SECURE_LOGIN_VERIFY_USER)
		return FTP_LOCAL_NONE;
	if (identity->user == NULL)
		return FTP_LOCAL_WHY_NO_PRINCIPAL;
	if (!is_user(identity->user, arg, len))
		return FTP_LOCAL_WHY_OTHER_PRINCIPAL;
	return identity->service ? FTP_LOCAL_NONE : FTP_LOCAL_WHY_SERVICE;
}

/* Does SECURE_LOGIN apply to this session? SECURE_FTP says whether others are allowed. */
static bool is_identified(const struct ftp_machine *machine, const struct ftp_action *said)
{
	return machine->security.ctrl == FTP_CTRL_GSSAPI ||
	       (machine->security.ctrl == FTP_CTRL_TLS && said->secure_login != SECURE_LOGIN_NO_CLIENT_AUTH);
}

/* SECURE_PASSWORD or SECURE_PASSWORD_KERBEROS: may the gateway send the password in the client's place? */
static bool may_replace_password(const struct ftp_machine *machine, const struct ftp_action *said)
{
	return is_identified(machine, said) &&
	       (machine->security.gssapi ? said->secure_password_kerberos : said->secure_password) ==
		   SECURE_PASSWORD_OPTIONAL;
}

/*
 * SECURE_LOGIN: the policy's spelling of the user, NULL if it has none, and how the login goes
 * on. Returns FTP_LOCAL_NONE, or why the user may not log in.
 */
static enum ftp_local judge_identity(const struct ftp_machine *machine, const struct ftp_action *said,
				     const struct ftp_command *command, const char **ret_name,
				     enum ftp_pending *ret_pending)
{
	const struct ftp_identity *identity = &machine->identity;
	enum ftp_local why;

	if (!is_identified(machine, said))
		return FTP_LOCAL_NONE;
	why = machine->security.gssapi ? check_principal(machine, said, command->arg, command->arg_len)
				       : check_certificate(machine, said, command->arg, command->arg_len);
	if (why != FTP_LOCAL_NONE)
		return why;
	if (may_replace_password(machine, said) && identity->password != NULL && identity->service &&
	    is_user(identity->user, command->arg, command->arg_len))
		*ret_pending = FTP_PENDING_USER_CERTIFICATE;
	if (*ret_pending == FTP_PENDING_USER_CERTIFICATE || said->secure_login == SECURE_LOGIN_VERIFY_USER)
		*ret_name = identity->user;
	return FTP_LOCAL_NONE;
}

/* What would have been refused here or by the gate. */
static void note_refusals(struct ftp_machine *machine, const struct ftp_action *said,
			  const struct ftp_command *command, enum ftp_local why, struct ftp_out *out)
{
	if (!ftp_per_user_takes(machine->usual, command->arg, command->arg_len))
		machine_note(machine, FTP_LOCAL_USER_NAME, said, out);
	if (ftp_security_needs_tls(&machine->security, said))
		machine_note(machine, FTP_LOCAL_LOGIN_NEEDS_TLS, said, out);
	if (why != FTP_LOCAL_NONE)
		machine_note(machine, why, said, out);
}

void machine_login_user(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	const struct ftp_action *said = ftp_per_user_find(machine->usual, command->arg, command->arg_len);
	enum ftp_pending pending = FTP_PENDING_USER;
	/*
	 * The policy's spelling of a user that it has let in. The server gets this one: to
	 * a server that knows case, the client's may be another user.
	 */
	const char *name = NULL;
	enum ftp_local why = judge_identity(machine, said, command, &name, &pending);

	ftp_out_text(out, FTP_DO_USER, command->arg, command->arg_len);
	machine_access_user(machine, command->arg, command->arg_len);
	if (machine->audited == NULL && why == FTP_LOCAL_CERTIFICATE_MISSING) {
		machine_answer(machine, why, out)->key = ftp_local_key(why, said);
		turn_over(machine, out);
		machine_login_user_refused(machine);
		return;
	}
	if (machine->audited == NULL && why != FTP_LOCAL_NONE) {
		deny(machine, why, said, out);
		return;
	}
	if (machine->action->verifyuser) {
		const char *permitted = find_permitted(machine, command->arg, command->arg_len);

		if (permitted == NULL) {
			deny(machine, FTP_LOCAL_WHY_NOT_PERMITTED, said, out);
			return;
		}
		name = name != NULL ? name : permitted;
	}
	if (machine->audited != NULL)
		note_refusals(machine, said, command, why, out);
	machine->former = machine_said(machine);
	machine_say(machine, said);
	machine->was_in = machine->login == FTP_LOGIN_DONE;
	machine->login = FTP_LOGIN_USER;
	machine->user_seen = true;
	machine->check = FTP_CHECK_NONE;
	/* what TLS or Kerberos has shown is no proof of a user who comes in the clear */
	if (machine->security.ctrl == FTP_CTRL_CLEARED)
		machine->identity.user = NULL;
	if (name == NULL || memcmp(name, command->arg, command->arg_len) == 0) {
		machine_pass_on(machine, command, pending, out);
		return;
	}
	ftp_out_format(out, FTP_DO_COMMAND, "USER %s", name)->forwarded = true;
	machine_expect(machine, pending);
}

void machine_login_user_refused(struct ftp_machine *machine)
{
	if (machine->login == FTP_LOGIN_NEED_PASS)
		machine->login = FTP_LOGIN_NONE;
}

bool machine_login_may_be_greeted(const struct ftp_machine *machine)
{
	const struct ftp_action *action = machine->action;

	/* Nobody knows which user that is. The levels of one that was named have no per_user of their own. */
	return !ftp_security_needs_tls(&machine->security, action) && machine->usual->nper_user == 0 &&
	       action->secure_login == SECURE_LOGIN_NO_CLIENT_AUTH && !action->verifyuser &&
	       action->login_check == NULL; /* which is asked about a user */
}

/* Called at the first command that needs a login, not at the greeting: the client may still send AUTH or
 * USER. */
void machine_login_take_greeted(struct ftp_machine *machine, struct ftp_out *out)
{
	if (!machine->greeted_in || machine->login != FTP_LOGIN_NONE ||
	    !machine_login_may_be_greeted(machine))
		return;
	if (machine->user_seen) { /* and refused: the login is not that user's */
		ftp_out_text(out, FTP_DO_USER, "", 0);
		machine_access_user(machine, "", 0);
	}
	if (machine->audited != NULL && ftp_security_needs_tls(&machine->security, machine->audited))
		machine_note(machine, FTP_LOCAL_LOGIN_NEEDS_TLS, machine->audited, out);
	machine->login = FTP_LOGIN_DONE;
	machine_access_logged_in(machine);
	machine->user_seen = true; /* AUTH and REIN need a fresh connection */
	ftp_out_add(out, FTP_DO_LOGGED_IN);
}

/* Is the user of this login in, as the server says? */
static bool is_login(enum ftp_pending pending, uint16_t code)
{
	return ftp_reply_is_login(code,
				  pending == FTP_PENDING_PASS || pending == FTP_PENDING_PASS_CERTIFICATE);
}

/* ACCESSERRORMSGS: the server's reasons may tell whether a user exists, or that it is locked. */
enum ftp_take machine_login_gate(struct ftp_machine *machine, uint16_t code, struct ftp_out *out)
{
	bool certificate = machine->pending == FTP_PENDING_USER_CERTIFICATE;
	bool user = machine->pending == FTP_PENDING_USER || certificate;
	bool shown = machine->pending == FTP_PENDING_USER || machine->pending == FTP_PENDING_PASS;
	bool login = is_login(machine->pending, code);

	/* a server that wants no password, or one that gets the stored one next */
	if (user && (login || (certificate && code == 331))) {
		if (waits_for_check(machine, out))
			return FTP_HOLD;
		if (is_refused_by_check(machine))
			machine->instead = FTP_LOCAL_WHY_CHECKED;
	}
	if (shown && code >= 400 && !machine->action->accesserrormsgs)
		machine->instead = FTP_LOCAL_LOGIN_REFUSED;
	/* the client would think that it is logged in */
	if (shown && ftp_reply_is_positive(code) && !login)
		machine->instead = FTP_LOCAL_LOGIN_REFUSED;
	return FTP_TAKEN;
}

/* It is the server that has refused, so this counts as its reply, not as one of the gateway's refusals. */
static void answer_instead(struct ftp_machine *machine, struct ftp_out *out)
{
	const char *text = ftp_local_text(machine->instead, machine->action->reply_style);

	machine->instead = FTP_LOCAL_NONE;
	ftp_out_text(out, FTP_DO_REPLY, text, strlen(text));
}

bool machine_login_reply(struct ftp_machine *machine, enum ftp_pending pending, uint16_t code,
			 struct ftp_out *out)
{
	bool certificate = pending == FTP_PENDING_USER_CERTIFICATE || pending == FTP_PENDING_PASS_CERTIFICATE;

	if (machine->instead == FTP_LOCAL_WHY_CHECKED) {
		machine->instead = FTP_LOCAL_NONE;
		deny_checked(machine, out);
		return is_login(pending, code) && !machine->closing;
	}
	if (machine->instead != FTP_LOCAL_NONE)
		answer_instead(machine, out);
	if (is_login(pending, code)) {
		machine->was_in = false;
		machine->login = FTP_LOGIN_DONE;
		machine_access_logged_in(machine);
		machine->failures_here = 0;
		machine->login_turn = FTP_LOGIN_TURN_NONE;
		if (certificate)
			machine_answer(
			    machine,
			    machine->security.gssapi ? FTP_LOCAL_OK_KERBEROS : FTP_LOCAL_OK_CERTIFICATE, out);
		ftp_out_add(out, FTP_DO_LOGGED_IN);
	} else if (pending == FTP_PENDING_USER_CERTIFICATE && code == 331) {
		machine->was_in = false;
		ftp_out_format(out, FTP_DO_COMMAND, "PASS %s", machine->identity.password);
		machine_expect(machine, FTP_PENDING_PASS_CERTIFICATE);
	} else if (certificate) {
		/* z/OS: once a certificate has replaced the password, the client may not send one instead */
		deny(machine, FTP_LOCAL_WHY_CREDENTIAL, machine_said(machine), out);
	} else if (code == 331 || code == 332 || code == 336) {
		machine->was_in = false;
		machine->login = FTP_LOGIN_NEED_PASS;
		turn_over(machine, out);
	} else if (machine->was_in && pending == FTP_PENDING_USER && code >= 400) {
		/* "Can't change to another user": the first user stays logged in, at the server and here */
		machine->login = FTP_LOGIN_DONE;
		machine_say(machine, machine->former);
		ftp_out_add(out, FTP_DO_STILL_IN);
		turn_over(machine, out);
	} else {
		machine->login = FTP_LOGIN_NONE;
		login_failed(machine, "server", NULL, out);
	}
	return false;
}

/*
 * May the server's answer to this command tell whether a name or a password is right? It may for every
 * password. A USER alone counts only if the source has failed before, or if the gateway sends the password.
 */
static bool tries_login(const struct ftp_machine *machine, enum ftp_verb_kind kind)
{
	if (kind == FTP_KIND_USER)
		return machine->failures > 0 || may_replace_password(machine, machine_said(machine));
	return completes_login(machine, kind);
}

/*
 * The delay comes before the next password of the source goes to the server, right or wrong: a delayed
 * answer would cost nothing to a client that does not wait for it (RFC 2577 5).
 */
static bool waits_for_turn(struct ftp_machine *machine, const struct ftp_command *command,
			   struct ftp_out *out)
{
	bool user = command->verb->kind == FTP_KIND_USER;

	if (machine->login_turn != FTP_LOGIN_TURN_NONE)
		return machine->login_turn == FTP_LOGIN_TURN_ASKED;
	if (machine->action->login_delay_ms == 0 || !tries_login(machine, command->verb->kind))
		return false;
	machine->login_turn = FTP_LOGIN_TURN_ASKED;
	ftp_out_text(out, FTP_DO_LOGIN_ASK, command->arg, user ? command->arg_len : 0);
	return true;
}

/* Its turn comes first, so that guesses cost the program that is asked no more than the server. */
bool machine_login_waits(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	return waits_for_turn(machine, command, out) ||
	       (completes_login(machine, command->verb->kind) && waits_for_check(machine, out));
}
