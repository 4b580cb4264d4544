/*
 * Agreeing on a data connection with both sides.
 *
 * The client asks (PASV, EPSV, PORT, EPRT). The gateway then asks the server, in
 * the best way that this server understands, and finally answers the client. The
 * two legs are independent: each may be active or passive, IPv4 or IPv6.
 */
#include "ftp-alg/plan.h"

#include <errno.h>
#include <strings.h>

#include "ftp-alg/endpoint.h"
#include "ftp-alg/reply-filter.h"
#include "ftp-alg/server-tls.h"

#define PORT_LOW_LIMIT 1024

void machine_plan_drop(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->plan != FTP_PLAN_NONE)
		ftp_out_add(out, FTP_DO_DATA_CLOSE);
	machine->plan = FTP_PLAN_NONE;
	machine->client_mode = FTP_CLIENT_NONE;
	machine->server_mode = 0;
	machine->tried = 0;
	machine->no_port = false;
	machine->replacing = machine->dialling = machine->unreached = machine->no_server = false;
	machine->kept = false;
	machine->handshake = FTP_HANDSHAKE_NONE;
	machine->opened = false;
	machine->result = FTP_DATA_PENDING;
}

/* A transfer that waited gets no further attempt: the refused plan ends it. */
static void replanning_fails(struct ftp_machine *machine, struct ftp_out *out)
{
	if (!machine->retry.replanning)
		return;
	machine->retry.replanning = false;
	machine->transfer = FTP_TRANSFER_NONE;
	machine_close_125(machine, out);
}

/* End the plan with a refusal. If the client waits for no reply now, its next transfer command gets it. */
static void plan_fail(struct ftp_machine *machine, enum ftp_local answer, struct ftp_out *out)
{
	if (machine->replacing) {
		machine->replacing = false;
		machine->plan = FTP_PLAN_READY;
		machine->no_server = true;
		return;
	}
	replanning_fails(machine, out);
	machine_plan_drop(machine, out);
	machine_answer(machine, answer, out);
}

static struct ftp_ways *ways_of(struct ftp_machine *machine)
{
	return machine->shared_ways != NULL ? machine->shared_ways : &machine->own_ways;
}

/* The ways to ask a server, best first. PASV and PORT cannot express an IPv6 address. */
static const struct {
	uint8_t mode;
	bool v4_only;
	bool active;
	const char *command;
} ways[] = {
	{ FTP_MODE_EPSV, false, false, "EPSV" },
	{ FTP_MODE_PASV, true, false, "PASV" },
	{ FTP_MODE_EPRT, false, true, NULL },
	{ FTP_MODE_PORT, true, true, NULL },
};

static void ask_passive(struct ftp_machine *machine, const char *command, struct ftp_out *out)
{
	machine->plan = FTP_PLAN_ASKED;
	ftp_out_copy(out, FTP_DO_COMMAND, command);
	machine_expect(machine, FTP_PENDING_PLAN);
}

bool machine_plan_again(struct ftp_machine *machine, struct ftp_out *out)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (machine->server_mode != ways[i].mode || ways[i].active)
			continue;
		ask_passive(machine, ways[i].command, out);
		return true;
	}
	return false;
}

static bool is_passive(const struct ftp_machine *machine)
{
	return (machine->server_mode & (FTP_MODE_EPSV | FTP_MODE_PASV)) != 0;
}

/* The ways that policy allows and that can carry the server's address: PASV and PORT have IPv4 only. */
static uint8_t usable_modes(const struct ftp_machine *machine)
{
	uint8_t modes = machine->modes;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (ways[i].v4_only && machine->server_addr.family != IP_V4)
			modes &= (uint8_t)~ways[i].mode;
	return modes;
}

static void ask_server(struct ftp_machine *machine, struct ftp_out *out)
{
	uint8_t modes = ftp_ways_best(ways_of(machine), usable_modes(machine) & (uint8_t)~machine->tried);

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!(modes & ways[i].mode))
			continue;
		machine->server_mode = ways[i].mode;
		if (ways[i].active) {
			machine->plan = FTP_PLAN_LISTENING_SERVER;
			ftp_out_add(out, FTP_DO_LISTEN_SERVER);
		} else {
			ask_passive(machine, ways[i].command, out);
		}
		return;
	}
	plan_fail(machine, machine->no_port ? FTP_LOCAL_BAD_DATA_REPLY : FTP_LOCAL_NO_DATA_WAY, out);
}

/* EPSV's argument: FTP_LOCAL_NONE to go on, or the answer. */
static enum ftp_local check_epsv(struct ftp_machine *machine, const struct ftp_command *command)
{
	bool v6 = machine->client.addr.family == IP_V6;

	if (command->arg_len == 0)
		return FTP_LOCAL_NONE;
	if (command->arg_len == 3 && strncasecmp(command->arg, "ALL", 3) == 0) {
		machine->epsv_all = true; /* the server's leg is another one, so it need not know */
		return FTP_LOCAL_OK_EPSV_ALL;
	}
	if (command->arg_len != 1 || command->arg[0] < '0' || command->arg[0] > '9')
		return FTP_LOCAL_EPSV_SYNTAX;
	if (command->arg[0] == (v6 ? '2' : '1'))
		return FTP_LOCAL_NONE;
	return v6 ? FTP_LOCAL_FAMILY_V6 : FTP_LOCAL_FAMILY_V4;
}

/* PORT and EPRT: the bounce rules (RFC 2577 3, z/OS PORTCOMMAND*). */
static enum ftp_local check_port(struct ftp_machine *machine, const struct ftp_command *command)
{
	const struct ftp_action *action = machine->action;
	bool eprt = command->verb->kind == FTP_KIND_EPRT;
	struct ip_endpoint target;
	int r;

	if (action->portcommand == PORTCOMMAND_REJECT)
		return FTP_LOCAL_PORT_REJECTED;
	r = eprt ? ftp_eprt_parse(command->arg, command->arg_len, &target)
		 : ftp_port_parse(command->arg, command->arg_len, &target);
	if (r == 0 && target.addr.family != machine->client.addr.family && eprt)
		r = -EAFNOSUPPORT;
	if (r == -EAFNOSUPPORT)
		return machine->client.addr.family == IP_V6 ? FTP_LOCAL_FAMILY_V6 : FTP_LOCAL_FAMILY_V4;
	if (r < 0)
		return eprt ? FTP_LOCAL_EPRT_SYNTAX : FTP_LOCAL_PORT_SYNTAX;
	if (action->portcommandipaddr == NOREDIRECT && !ip_addr_equal(&target.addr, &machine->client.addr))
		return FTP_LOCAL_PORT_ADDRESS;
	if (target.port == 0 || (action->portcommandport == NOLOWPORTS && target.port < PORT_LOW_LIMIT))
		return FTP_LOCAL_PORT_LOW;
	machine->client_target = target;
	return FTP_LOCAL_NONE;
}

enum machine_step machine_plan_command(struct ftp_machine *machine, const struct ftp_command *command,
				       struct ftp_out *out)
{
	enum ftp_local refusal = FTP_LOCAL_NONE;
	enum ftp_client_mode mode = FTP_CLIENT_NONE;
	enum machine_step step;

	if (command->verb->kind == FTP_KIND_EPSV) {
		mode = FTP_CLIENT_EPSV;
		refusal = check_epsv(machine, command);
	} else if (machine->epsv_all) { /* RFC 2428 4 */
		refusal = FTP_LOCAL_AFTER_EPSV_ALL;
	} else if (command->verb->kind == FTP_KIND_PASV) {
		mode = FTP_CLIENT_PASV;
		if (machine->client.addr.family != IP_V4)
			refusal = FTP_LOCAL_PASV_NEEDS_V4;
	} else {
		mode = command->verb->kind == FTP_KIND_EPRT ? FTP_CLIENT_EPRT : FTP_CLIENT_PORT;
		refusal = check_port(machine, command);
	}
	if (refusal != FTP_LOCAL_NONE) {
		machine_answer(machine, refusal, out);
		return MACHINE_ANSWERED;
	}
	step = machine_server_tls_settle(machine, out);
	if (step != MACHINE_RUNS)
		return step;
	machine_plan_drop(machine, out);
	machine->client_mode = mode;
	ask_server(machine, out);
	return MACHINE_ANSWERED;
}

void machine_plan_tell_client(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->replacing) { /* it has its port already */
		machine->replacing = false;
		return;
	}
	if (machine->client_mode == FTP_CLIENT_PASV || machine->client_mode == FTP_CLIENT_EPSV) {
		machine->plan = FTP_PLAN_LISTENING_CLIENT;
		ftp_out_add(out, FTP_DO_LISTEN_CLIENT);
		return;
	}
	ftp_out_add(out, FTP_DO_DIAL_CLIENT)->endpoint = machine->client_target;
	machine_answer(machine,
		       machine->client_mode == FTP_CLIENT_EPRT ? FTP_LOCAL_OK_EPRT : FTP_LOCAL_OK_PORT, out);
}

/*
 * Is this "I do not speak that" (try another way, and remember), rather than
 * "not now" (tell the client)? 550 is vsftpd's answer to a forbidden PASV.
 */
static bool means_unsupported(uint16_t code)
{
	return code >= 500 && code != 530 && code != 503;
}

void machine_plan_line(struct ftp_machine *machine, const struct ftp_reply *reply)
{
	const char *text = reply->line + reply->text;
	size_t len = reply->len - reply->text;
	struct ip_endpoint endpoint;

	if (reply->first) {
		machine->server_port = 0;
		machine->server_named = (struct ip_addr){ .family = IP_NONE };
	}
	/*
	 * The address is ignored: the gateway dials the host of the control connection
	 * (CVE-2020-8284 and similar). The code of the reply decides how to read the port,
	 * even if it does not match the command: some servers answer EPSV with 227.
	 */
	if (reply->code == 229) {
		(void)ftp_229_parse(text, len, &machine->server_port); /* a line without a port is text */
	} else if (reply->code == 227 && ftp_227_parse(text, len, &endpoint) == 0) {
		machine->server_port = endpoint.port;
		machine->server_named = endpoint.addr;
	}
}

/* Does this reply to PASV or EPSV, which is no refusal, name a port that may be dialled? */
static bool names_usable_port(struct ftp_machine *machine, const struct ftp_reply *reply)
{
	if (!ftp_reply_is_positive(reply->code) || machine->server_port == 0)
		return false;
	if (machine->server_mode != FTP_MODE_EPSV || reply->code != 227)
		return true;
	/* The server treats EPSV as PASV: send PASV from now on, if it is usable. */
	if (!(usable_modes(machine) & FTP_MODE_PASV))
		return false;
	ftp_ways_refused(ways_of(machine), FTP_MODE_EPSV);
	machine->tried |= FTP_MODE_EPSV;
	machine->server_mode = FTP_MODE_PASV;
	return true;
}

/* Does the client get this refusal, instead of another attempt? */
static bool is_for_client(const struct ftp_machine *machine, uint16_t code)
{
	uint8_t used = machine->tried | machine->server_mode;

	if (!means_unsupported(code) || machine->retry.replanning)
		return true;
	/* wrong at this moment, in every way: the client can only know why from the server's words */
	return code == 501 && !machine->replacing && (usable_modes(machine) & (uint8_t)~used) == 0;
}

/* This way has failed: try the next one. */
static void try_another_way(struct ftp_machine *machine, struct ftp_out *out)
{
	machine->tried |= machine->server_mode;
	if (!is_passive(machine) && !machine->replacing)
		ftp_out_add(out, FTP_DO_DATA_CLOSE);
	ask_server(machine, out);
}

bool machine_plan_reply(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out)
{
	bool passive = is_passive(machine);
	struct ip_endpoint target = { .addr = machine->server_addr };

	if (reply->code >= 400) {
		if (!means_unsupported(reply->code) && machine->replacing) {
			plan_fail(machine, FTP_LOCAL_NO_SERVER, out);
			return false;
		}
		if (is_for_client(machine, reply->code)) {
			replanning_fails(machine, out);
			machine_plan_drop(machine, out);
			machine_relay_reply(machine, FTP_PENDING_PLAIN, reply, true, out);
			return false;
		}
		/* 501 may concern this session only: ProFTPD sends it to all four commands after RNFR */
		if (reply->code != 501)
			ftp_ways_refused(ways_of(machine), machine->server_mode);
		try_another_way(machine, out);
		return false;
	}
	/* These are ports of other services on the server's host: treat this as an attack, try no other way.
	 */
	if (passive && machine->server_port > 0 && machine->server_port < PORT_LOW_LIMIT &&
	    !machine->low_ports) {
		plan_fail(machine, FTP_LOCAL_BAD_DATA_REPLY, out);
		return false;
	}
	if (passive ? !names_usable_port(machine, reply) : !ftp_reply_is_positive(reply->code)) {
		ftp_ways_failed(ways_of(machine), machine->server_mode);
		machine->no_port = true;
		if (machine->retry.replanning)
			plan_fail(machine, FTP_LOCAL_BAD_DATA_REPLY, out);
		else
			try_another_way(machine, out);
		return false;
	}
	if (passive) {
		target.port = machine->server_port;
		ftp_out_add(out, FTP_DO_DIAL_SERVER)->endpoint = target;
	}
	machine->plan = FTP_PLAN_READY;
	return true;
}

/* The server's port cannot be reached: try another way. The client does not notice. */
static void replace_way(struct ftp_machine *machine, struct ftp_out *out)
{
	machine->unreached = false;
	machine->replacing = true;
	try_another_way(machine, out);
}

void machine_plan_dialled(struct ftp_machine *machine, bool up, struct ftp_out *out)
{
	machine->dialling = false;
	if (machine->plan != FTP_PLAN_READY || machine->transfer != FTP_TRANSFER_NONE || !is_passive(machine))
		return;
	if (up) {
		machine->unreached = machine->no_server = false;
		ftp_ways_worked(ways_of(machine), machine->server_mode);
		return;
	}
	ftp_ways_failed(ways_of(machine), machine->server_mode);
	machine->unreached = true;
	if (machine->pending == FTP_PENDING_NONE && machine->side.nruns == 0 && !machine->reply_open &&
	    machine->login == FTP_LOGIN_DONE)
		replace_way(machine, out);
}

/*
 * A transfer command cannot be taken back after the server has received it. So the
 * gateway dials the server's port first, unless this server's ports are known to be
 * reachable.
 */
bool machine_plan_must_dial(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->plan != FTP_PLAN_READY || machine->no_server || !is_passive(machine) ||
	    machine->result != FTP_DATA_PENDING ||
	    ftp_security_transfer(&machine->security, machine->action) != FTP_LOCAL_NONE)
		return false;
	if (machine->unreached) { /* the server was busy when the dial failed */
		replace_way(machine, out);
		return !machine->no_server;
	}
	if (ways_of(machine)->worked & machine->server_mode)
		return false;
	if (!machine->dialling)
		ftp_out_add(out, FTP_DO_DATA_DIAL);
	machine->dialling = true;
	return true;
}

void machine_plan_learn(struct ftp_machine *machine, enum ftp_data_result result, uint16_t code)
{
	if (result == FTP_DATA_OK)
		ftp_ways_worked(ways_of(machine), machine->server_mode);
	else if (result == FTP_DATA_NO_SERVER || (code == 425 && !is_passive(machine)))
		ftp_ways_failed(ways_of(machine), machine->server_mode);
}

/*
 * A firewall's FTP helper reads a segment only if the one before it ended in a
 * newline, and before CCC it has seen none. So it would miss a 227 that is the
 * first reply in the clear: its first line is sent ahead in a segment of its own.
 */
static void prime(struct ftp_machine *machine, struct ftp_out *out)
{
	bool extended = machine->client_mode == FTP_CLIENT_EPSV;

	machine->plan = FTP_PLAN_PRIMING;
	ftp_out_copy(out, FTP_DO_REPLY,
		     extended ? "229-Entering Extended Passive Mode" : "227-Entering Passive Mode");
	ftp_out_add(out, FTP_DO_SEGMENT);
}

static void tell_port(struct ftp_machine *machine, struct ftp_out *out)
{
	char text[FTP_ENDPOINT_TEXT_MAX];

	machine->plan = FTP_PLAN_READY;
	machine->clear_spoken = true;
	ftp_out_copy(out, FTP_DO_REPLY,
		     machine->client_mode == FTP_CLIENT_EPSV ? ftp_229_format(machine->advertised.port, text)
							     : ftp_227_format(&machine->advertised, text));
}

bool machine_plan_primed(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->plan != FTP_PLAN_PRIMING)
		return false;
	tell_port(machine, out);
	return true;
}

void machine_plan_listening(struct ftp_machine *machine, enum ftp_side side,
			    const struct ip_endpoint *endpoint, struct ftp_out *out)
{
	char text[FTP_ENDPOINT_TEXT_MAX];

	if (side == FTP_SIDE_SERVER && machine->plan == FTP_PLAN_LISTENING_SERVER) {
		if (endpoint == NULL) {
			plan_fail(machine, FTP_LOCAL_NO_DATA_PORT, out);
			return;
		}
		machine->plan = FTP_PLAN_ASKED;
		ftp_out_copy(out, FTP_DO_COMMAND,
			     machine->server_mode == FTP_MODE_EPRT ? ftp_eprt_format(endpoint, text)
								   : ftp_port_format(endpoint, text));
		machine_expect(machine, FTP_PENDING_PLAN);
	} else if (side == FTP_SIDE_CLIENT && machine->plan == FTP_PLAN_LISTENING_CLIENT) {
		if (endpoint == NULL) {
			plan_fail(machine, FTP_LOCAL_NO_DATA_PORT, out);
			return;
		}
		machine->advertised = *endpoint;
		if (machine->security.ctrl == FTP_CTRL_CLEARED && !machine->clear_spoken &&
		    machine->action->ccc_prime)
			prime(machine, out);
		else
			tell_port(machine, out);
	}
}
