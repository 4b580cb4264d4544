/*
 * Plays one session on the FTP machine without sockets. A table has the replies of
 * a server that agrees to everything. Of the machine's actions it carries out those
 * that change what the client gets next.
 */
#include "gateway/ctl/simulate.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Replies of the server in the queue; more than any one command leads to. */
#define QUEUE_MAX 8

/* A command may wait for the server's connection, for PROT and for the server's data port. */
#define OFFERS_MAX 4

struct turn {
	struct simulation *simulation;
	struct simulation_answer *answer;
	const char *queue[QUEUE_MAX];
	size_t nqueue;
	struct ftp_out out;
};

/* The replies of the agreeable server. */
static const struct {
	const char *verb;
	const char *replies[2];
} server_replies[] = {
	{ "USER", { "331 Password required." } },
	{ "PASS", { "230 Logged in." } },
	{ "EPSV", { "229 Entering Extended Passive Mode (|||50000|)" } },
	{ "PASV", { "227 Entering Passive Mode (127,0,0,1,195,80)." } },
	{ "RETR", { "150 Opening data connection.", "226 Transfer complete." } },
	{ "STOR", { "150 Opening data connection.", "226 Transfer complete." } },
	{ "AUTH", { "234 Begin TLS." } },
	{ "PWD", { "257 \"/\" is the working directory." } },
	{ "", { "200 OK." } },
};

static void carry_out(struct turn *turn);

static void server_says(struct turn *turn, const char *text)
{
	assert(turn->nqueue < QUEUE_MAX);
	turn->queue[turn->nqueue++] = text;
}

static void server_hears(struct turn *turn, const struct ftp_act *heard)
{
	size_t row = 0, verb_len = 0;

	if (heard->forwarded)
		turn->answer->passed = true;
	while (verb_len < heard->len && heard->text[verb_len] != ' ')
		verb_len++;
	while (server_replies[row].verb[0] != '\0' &&
	       (verb_len != strlen(server_replies[row].verb) ||
		memcmp(heard->text, server_replies[row].verb, verb_len) != 0))
		row++;
	for (size_t i = 0; i < 2 && server_replies[row].replies[i] != NULL; i++)
		server_says(turn, server_replies[row].replies[i]);
}

/* Offer the next reply to the machine. False: there is none, or it has to wait. */
static bool client_is_told(struct turn *turn)
{
	struct ftp_reply_parser parser = { .code = 0 };
	char line[SIMULATION_TEXT_MAX];
	struct ftp_reply reply;
	int len;

	if (turn->nqueue == 0)
		return false;
	len = snprintf(line, sizeof(line), "%s\r\n", turn->queue[0]);
	assert(len > 0 && (size_t)len < sizeof(line));
	if (ftp_reply_take(&parser, (uint8_t *)line, (size_t)len, &reply) != FTP_REPLY_END)
		return false;
	if (ftp_machine_reply(&turn->simulation->machine, &reply, true, &turn->out) == FTP_HOLD)
		return turn->out.n > 0;
	turn->nqueue--;
	memmove(&turn->queue[0], &turn->queue[1], turn->nqueue * sizeof(turn->queue[0]));
	carry_out(turn); /* while `line` exists: the actions point to it */
	return true;
}

/* Only the gateway's own replies count as its answer. */
static void client_hears(struct turn *turn, const struct ftp_act *heard)
{
	struct simulation_answer *answer = turn->answer;
	const char *end = memchr(heard->text, '\r', heard->len);
	size_t len = end != NULL ? (size_t)(end - heard->text) : heard->len;

	if (answer->passed || answer->text[0] != '\0')
		return;
	answer->key = heard->key;
	answer->line = heard->line;
	if (len >= sizeof(answer->text))
		len = sizeof(answer->text) - 1;
	memcpy(answer->text, heard->text, len);
	answer->text[len] = '\0';
}

static void tls_is_up(struct turn *turn)
{
	struct simulation *simulation = turn->simulation;

	ftp_machine_identify(&simulation->machine, &simulation->identity);
	ftp_machine_signal(&simulation->machine, FTP_SIGNAL_TLS_UP, &turn->out);
}

static void carry_out_one(struct turn *turn, const struct ftp_act *one)
{
	struct ftp_machine *machine = &turn->simulation->machine;
	struct ip_endpoint ours = { .addr = turn->simulation->server, .port = 50000 };

	switch (one->what) {
	case FTP_DO_REPLY:
		client_hears(turn, one);
		break;
	case FTP_DO_COMMAND:
		server_hears(turn, one);
		break;
	case FTP_DO_TLS_START:
		tls_is_up(turn);
		break;
	case FTP_DO_GSSAPI_ACCEPT:
		ftp_machine_identify(machine, &turn->simulation->identity);
		ftp_machine_adat(machine, FTP_ADAT_DONE, "", &turn->out);
		break;
	case FTP_DO_WOULD_REFUSE:
		turn->answer->would_refuse = one->key;
		break;
	case FTP_DO_SERVER_TLS_START:
		ftp_machine_signal(machine, FTP_SIGNAL_SERVER_TLS_UP, &turn->out);
		break;
	case FTP_DO_SERVER_RENEW:
		turn->nqueue = 0;
		server_says(turn, "220 Ready.");
		break;
	case FTP_DO_LISTEN_CLIENT:
		ftp_machine_listening(machine, FTP_SIDE_CLIENT, &turn->simulation->offered, &turn->out);
		break;
	case FTP_DO_LOGIN_ASK:
		ftp_machine_login_go(machine);
		break;
	case FTP_DO_SEGMENT:
	case FTP_DO_PAUSE: /* a simulation does not wait */
		ftp_machine_resume(machine, &turn->out);
		break;
	case FTP_DO_LISTEN_SERVER:
		ftp_machine_listening(machine, FTP_SIDE_SERVER, &ours, &turn->out);
		break;
	case FTP_DO_DATA_DIAL:
		ftp_machine_dialled(machine, true, &turn->out);
		break;
	case FTP_DO_DATA_SECURE:
		ftp_machine_data_handshake(machine, FTP_HANDSHAKE_DECIDED, FTP_DATA_PENDING);
		break;
	case FTP_DO_DATA_START:
		turn->answer->transfer = true;
		turn->answer->protect = one->protect;
		turn->answer->protect_server = one->protect_server;
		break;
	case FTP_DO_DATA_GO:
		ftp_machine_data_done(machine, FTP_DATA_OK, &turn->out);
		break;
	case FTP_DO_DATA_ABORT:
		ftp_machine_data_done(machine, FTP_DATA_ABORTED, &turn->out);
		break;
	case FTP_DO_CLOSE:
		turn->answer->closed = true;
		break;
	default:
		/*
		 * Breaks rule 11: all other actions concern sockets, clocks and the log,
		 * which are not simulated.
		 */
		break;
	}
}

/* Actions may add actions, so the list grows during the loop. */
static void carry_out(struct turn *turn)
{
	for (size_t i = 0; i < turn->out.n; i++) {
		struct ftp_act one = turn->out.acts[i];

		carry_out_one(turn, &one);
	}
	ftp_out_reset(&turn->out);
}

static void play(struct turn *turn)
{
	do
		carry_out(turn);
	while (client_is_told(turn));
}

void simulation_start(struct simulation *simulation, const struct ftp_machine_setup *setup, bool tls_first,
		      const struct ip_endpoint *offered, const struct ftp_identity *identity)
{
	struct simulation_answer nobody = { .passed = false };
	struct turn turn = { .simulation = simulation, .answer = &nobody };
	struct ftp_machine_setup mine = *setup;

	*simulation =
	    (struct simulation){ .server = setup->server, .offered = *offered, .identity = *identity };
	mine.access = &simulation->access;
	if (setup->late_choice != NULL) {
		simulation->late_choice = *setup->late_choice;
		mine.late_choice = &simulation->late_choice;
	}
	ftp_machine_init(&simulation->machine, &mine);
	if (setup->implicit && tls_first)
		tls_is_up(&turn);
	if (setup->lazy_dial)
		ftp_machine_greet(&simulation->machine, &turn.out);
	else
		server_says(&turn, "220 Ready.");
	play(&turn);
}

void simulation_command(struct simulation *simulation, const char *command,
			struct simulation_answer *ret_answer)
{
	struct turn turn = { .simulation = simulation, .answer = ret_answer };
	enum ftp_take take = FTP_HOLD;
	/* with a security context, commands come as encrypted as they can be */
	enum ftp_prot level =
	    ftp_machine_has_gssapi(&simulation->machine) ? FTP_PROT_PRIVATE : FTP_PROT_CLEAR;

	*ret_answer = (struct simulation_answer){ .passed = false };
	for (int offers = 0; offers < OFFERS_MAX && take == FTP_HOLD; offers++) {
		take =
		    ftp_machine_protected(&simulation->machine, level, command, strlen(command), &turn.out);
		play(&turn); /* or what it waits for */
	}
}
