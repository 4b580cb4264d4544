/*
 * TLS toward the server. Before the handshake, an attacker on the path may have written what
 * the server seems to say: only the codes of the greeting and of the reply to AUTH count,
 * the client sees none of it, and no line of the client is sent.
 * There is no way back to the clear except CCC, after the login and by policy.
 */
#include "ftp-alg/server-tls.h"

/* 202 says that the command is not implemented (RFC 959 4.2). */
static bool is_agreed(const struct ftp_reply *reply)
{
	return ftp_reply_is_positive(reply->code) && reply->code != 202;
}

static void say(struct ftp_machine *machine, const char *command, enum ftp_pending pending,
		struct ftp_out *out)
{
	ftp_out_copy(out, FTP_DO_COMMAND, command);
	machine_expect(machine, pending);
}

/* command: static. */
static void log_refused(const char *command, const struct ftp_reply *reply, struct ftp_out *out)
{
	ftp_out_text(out, FTP_DO_LOG_SERVER_REFUSED, reply->line, reply->len)->verb = command;
}

void machine_server_tls_renew(struct ftp_machine *machine)
{
	const struct server_security *security = machine->server_tls.security;

	machine->server_tls = (struct ftp_server_tls){ .security = security };
	if (security == NULL)
		return;
	/* in the Netscape model, the gateway makes the handshake before the machine sees a line */
	if (security->mechanism == SECURE_MECHANISM_IMPLICIT && !security->secureimplicitzos)
		machine->server_tls.ctrl = FTP_CTRL_TLS;
	/*
	 * RFC 4217 9: clear until PROT says otherwise. After AUTH SSL and on secure ports some servers
	 * begin with P, others with C.
	 */
	machine->server_tls.prot_known = security->mechanism == SECURE_MECHANISM_TLS;
}

void machine_server_tls_init(struct ftp_machine *machine, const struct server_security *security)
{
	machine->server_tls.security = security != NULL && security->tls ? security : NULL;
	machine_server_tls_renew(machine);
}

static void handshake(struct ftp_machine *machine, struct ftp_out *out)
{
	ftp_out_add(out, FTP_DO_SERVER_TLS_START);
	machine_expect(machine, FTP_PENDING_SERVER_HANDSHAKE);
}

void machine_server_tls_begin(struct ftp_machine *machine, enum ftp_pending pending, struct ftp_out *out)
{
	static const char *const commands[] = {
		[SECURE_MECHANISM_TLS] = "AUTH TLS",
		[SECURE_MECHANISM_SSL] = "AUTH SSL",
		[SECURE_MECHANISM_IMPLICIT] = NULL,
	};
	const char *command = commands[machine->server_tls.security->mechanism];

	machine->server_tls.greeted = pending;
	if (command != NULL)
		say(machine, command, FTP_PENDING_SERVER_AUTH, out);
	else
		handshake(machine, out);
}

enum ftp_pending machine_server_tls_up(struct ftp_machine *machine)
{
	if (machine->pending != FTP_PENDING_SERVER_HANDSHAKE)
		return FTP_PENDING_NONE;
	machine->pending = FTP_PENDING_NONE;
	machine->server_tls.ctrl = FTP_CTRL_TLS;
	return machine->server_tls.greeted;
}

enum ftp_local machine_server_tls_reason(const struct ftp_machine *machine, enum ftp_local reason)
{
	return machine->action->replysecuritylevel == 0 ? reason : FTP_LOCAL_SERVER_DOWN;
}

bool machine_server_tls_is_injected(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->pending != FTP_PENDING_SERVER_HANDSHAKE)
		return false;
	machine_close(machine, machine_server_tls_reason(machine, FTP_LOCAL_SERVER_INJECTED),
		      "server-injected", out);
	return true;
}

static void auth_ends(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out)
{
	if (reply->code == 234) {
		handshake(machine, out);
		return;
	}
	log_refused("AUTH", reply, out);
	machine_close(machine, machine_server_tls_reason(machine, FTP_LOCAL_SERVER_WITHOUT_TLS),
		      "server-without-tls", out);
}

/* The level that policy and client want for data connections with the server. */
static enum ftp_prot wanted(const struct ftp_machine *machine)
{
	switch (machine->server_tls.security->dataconn) {
	case SECURE_PRIVATE:
	case SECURE_SAFE:
		return FTP_PROT_PRIVATE;
	case SECURE_NEVER:
		return FTP_PROT_CLEAR;
	case SECURE_CLEAR:
		break;
	}
	/* CCC freezes the level, and a client under TLS may still ask for P */
	if (machine->server_tls.leaving && ftp_security_is_protected(&machine->security))
		return FTP_PROT_PRIVATE;
	return machine->security.prot == FTP_PROT_CLEAR ? FTP_PROT_CLEAR : FTP_PROT_PRIVATE;
}

static uint8_t bit(enum ftp_prot prot)
{
	return (uint8_t)(1u << prot);
}

static void ask_prot(struct ftp_machine *machine, struct ftp_out *out)
{
	bool private = machine->server_tls.asked == FTP_PROT_PRIVATE;

	say(machine, private ? "PROT P" : "PROT C", FTP_PENDING_SERVER_PROT, out);
}

/* Which level to have, of those that the server has not refused? False: none that policy accepts. */
static bool choose(struct ftp_machine *machine, enum ftp_prot *ret_prot)
{
	struct ftp_server_tls *tls = &machine->server_tls;
	enum ftp_prot want = wanted(machine);
	enum ftp_prot other = want == FTP_PROT_PRIVATE ? FTP_PROT_CLEAR : FTP_PROT_PRIVATE;

	if (tls->refused & bit(want)) {
		if (tls->security->dataconn != SECURE_CLEAR || (tls->refused & bit(other)))
			return false;
		want = other;
	}
	*ret_prot = want;
	return true;
}

/* As machine_server_tls_settle(), but the caller tells the client. MACHINE_ANSWERED: refused. */
static enum machine_step settle(struct ftp_machine *machine, struct ftp_out *out)
{
	struct ftp_server_tls *tls = &machine->server_tls;
	enum ftp_prot prot;

	if (tls->security == NULL || tls->ctrl == FTP_CTRL_CLEARED) /* RFC 4217 12.3: CCC freezes it */
		return MACHINE_RUNS;
	if (!choose(machine, &prot)) {
		tls->refused = 0; /* the next command tries again */
		return MACHINE_ANSWERED;
	}
	if (tls->prot_known && tls->prot == prot)
		return MACHINE_RUNS;
	tls->asked = prot;
	if (tls->pbsz)
		ask_prot(machine, out);
	else
		say(machine, "PBSZ 0", FTP_PENDING_SERVER_PBSZ, out);
	return MACHINE_WAITS;
}

enum machine_step machine_server_tls_settle(struct ftp_machine *machine, struct ftp_out *out)
{
	enum machine_step step = settle(machine, out);

	if (step == MACHINE_ANSWERED)
		machine_answer(machine,
			       wanted(machine) == FTP_PROT_PRIVATE ? FTP_LOCAL_SERVER_PROT_P
								   : FTP_LOCAL_SERVER_PROT_C,
			       out);
	return step;
}

bool machine_server_tls_protects(const struct ftp_machine *machine)
{
	return machine->server_tls.security != NULL && machine->server_tls.prot == FTP_PROT_PRIVATE;
}

/* The level is settled before CCC, since it cannot change afterwards. */
static void leave_goes_on(struct ftp_machine *machine, struct ftp_out *out)
{
	switch (settle(machine, out)) {
	case MACHINE_WAITS:
		return;
	case MACHINE_RUNS:
		say(machine, "CCC", FTP_PENDING_SERVER_CCC, out);
		break;
	case MACHINE_ANSWERED: /* not with a level that policy does not accept */
		break;
	}
	machine->server_tls.leaving = false;
}

bool machine_server_tls_leave(struct ftp_machine *machine, struct ftp_out *out)
{
	struct ftp_server_tls *tls = &machine->server_tls;

	if (tls->security == NULL || tls->ctrl != FTP_CTRL_TLS || tls->ccc_tried ||
	    machine->login != FTP_LOGIN_DONE || machine->pending != FTP_PENDING_NONE)
		return false;
	if (tls->security->ccc != SERVER_CCC_AFTER_LOGIN || tls->security->ctrlconn != SECURE_CLEAR ||
	    tls->security->tlsrfclevel == TLSRFCLEVEL_DRAFT)
		return false;
	tls->ccc_tried = tls->leaving = true;
	leave_goes_on(machine, out);
	return machine->pending != FTP_PENDING_NONE;
}

static void prot_ends(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out)
{
	struct ftp_server_tls *tls = &machine->server_tls;

	if (is_agreed(reply)) {
		tls->prot = tls->asked;
		tls->prot_known = true;
	} else {
		tls->refused |= bit(tls->asked);
		log_refused(tls->asked == FTP_PROT_PRIVATE ? "PROT P" : "PROT C", reply, out);
	}
	if (tls->leaving)
		leave_goes_on(machine, out);
}

static void ccc_ends(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out)
{
	struct ftp_server_tls *tls = &machine->server_tls;

	if (!is_agreed(reply)) {
		log_refused("CCC", reply, out);
		return;
	}
	tls->ctrl = FTP_CTRL_CLEARED;
	ftp_out_add(out, FTP_DO_SERVER_TLS_STOP)->notify =
	    tls->security->tlsrfclevel != TLSRFCLEVEL_CCCNONOTIFY;
	/*
	 * A firewall's FTP helper reads a segment only if the one before it ended in a newline, and before
	 * CCC it has seen none. So the first line in the clear is one that it need not read.
	 */
	say(machine, "NOOP", FTP_PENDING_SERVER_NOOP, out);
}

void machine_server_tls_reply(struct ftp_machine *machine, enum ftp_pending pending,
			      const struct ftp_reply *reply, struct ftp_out *out)
{
	switch (pending) {
	case FTP_PENDING_SERVER_AUTH:
		auth_ends(machine, reply, out);
		break;
	case FTP_PENDING_SERVER_PBSZ: /* RFC 4217 8 wants it; servers that do without refuse it */
		machine->server_tls.pbsz = true;
		ask_prot(machine, out);
		break;
	case FTP_PENDING_SERVER_PROT:
		prot_ends(machine, reply, out);
		break;
	case FTP_PENDING_SERVER_CCC:
		ccc_ends(machine, reply, out);
		break;
	default: /* Not by rule 11: no other command is this module's, and NOOP's answer says nothing. */
		break;
	}
}
