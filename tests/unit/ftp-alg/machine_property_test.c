/*
 * Random walks: a client and a server that say at random what such programs
 * say drive the machine through the model, which checks its promises at each
 * step. In half of the walks the server is honest, that is: it answers each
 * command in its own fashion, and the model then also checks that replies come
 * in order, and at the end that nothing is held for ever. In the other half
 * anything may come at any time.
 *
 * ATTLSD_SEED sets the first walk's seed (a failure prints the one it had),
 * ATTLSD_TRACE=1 prints the dialogues.
 */
#include <time.h>

#include "tests/machine-model.h"
#include "tests/unit/unit.h"

#define DEFAULT_SEED 20240607u
#define WALKS_MAX    40000
#define SECONDS_MAX  2
#define STEPS_MAX    120
#define FIFO_MAX     32
#define LINE_MAX     200

static uint64_t walk_seed;

static const char *whose(void)
{
	static char text[64];

	snprintf(text, sizeof(text), "ATTLSD_SEED=%llu", (unsigned long long)walk_seed);
	return text;
}

/* The server of the gateway, with its habits. */
struct peer {
	uint64_t random;
	bool honest;
	bool abor_once;	      /* answers ABOR and the transfer it ended in one */
	bool abor_last;	      /* answers both with 225 alone, as pyftpdlib does after an upload */
	bool concurrent;      /* reads commands while a transfer runs */
	bool busy;	      /* its files are much in use */
	bool deaf;	      /* never answers NOOP and STAT during a transfer */
	bool refuses;	      /* answers them with 450 */
	bool says_200;	      /* before its 1yz */
	bool says_1yz;	      /* before a transfer */
	unsigned unsupported; /* FTP_MODE_ bits */
	unsigned feat;
	bool logged_in;
	bool own_pass;	  /* was sent the gateway's own PASS */
	unsigned running; /* serial + 1 of the transfer that runs */
	char fifo[FIFO_MAX][LINE_MAX];
	size_t nfifo;
	bool greeting; /* is still to come */
	bool prot_c;   /* it agrees to PROT C, */
	bool prot_p;   /* and to PROT P */
	bool ccc;
	bool waits; /* the client sent what ends or starts TLS, and sends no more before the answer */
	unsigned serial;
};

static uint32_t pick(struct peer *peer, uint32_t n)
{
	uint64_t z = (peer->random += 0x9e3779b97f4a7c15u); /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ (z >> 31)) % n);
}

static bool one_in(struct peer *peer, uint32_t n)
{
	return pick(peer, n) == 0;
}

#define PICK(peer, list) (list)[pick(peer, NELEM(list))]

static void say(struct model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct model *model, const char *format, ...)
{
	char text[2 * LINE_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	assert_true(n > 0 && (size_t)n < sizeof(text));
	model_server(model, text, (size_t)n);
}

static void on_command(struct model *model, const char *line, size_t len)
{
	struct peer *peer = model->peer;

	assert_true(len < LINE_MAX);
	peer->own_pass |= len == 11 && memcmp(line, "PASS stored", 11) == 0;
	if (peer->nfifo == FIFO_MAX)
		return; /* a server that has stopped to listen */
	memcpy(peer->fifo[peer->nfifo], line, len);
	peer->fifo[peer->nfifo++][len] = '\0';
}

static void on_renew(struct model *model)
{
	struct peer *peer = model->peer;

	peer->nfifo = 0;
	peer->running = 0;
	peer->logged_in = false;
	peer->greeting = true;
}

static void on_drop(struct model *model)
{
	struct peer *peer = model->peer;

	peer->nfifo = 0;
	peer->running = 0;
	peer->logged_in = false;
	peer->greeting = false;
}

/* One final reply in one or several lines, with the serial at its end. */
static void reply(struct model *model, unsigned code, const char *line)
{
	struct peer *peer = model->peer;
	unsigned serial = model_serial(line, strlen(line));
	char tag[16] = "";

	if (serial != 0)
		snprintf(tag, sizeof(tag), " #%u", serial);
	if (one_in(peer, 6))
		say(model, "%u-first\r\n227 (10,0,0,1,9,9)\r\n%u last%s\r\n", code, code, tag);
	else
		say(model, "%u text%s\r\n", code, tag);
}

static void reply_mode(struct model *model, unsigned mode)
{
	struct peer *peer = model->peer;
	unsigned port = one_in(peer, 20) ? pick(peer, 1024) : 1024 + pick(peer, 60000);

	if (peer->unsupported & mode)
		reply(model, one_in(peer, 2) ? 500 : 550, "");
	else if (one_in(peer, 20))
		reply(model, 425, "");
	else if (mode == FTP_MODE_EPSV)
		say(model, "229 Entering Extended Passive Mode (|||%u|)\r\n", port);
	else if (mode == FTP_MODE_PASV)
		say(model, "227 Entering Passive Mode (10,0,0,1,%u,%u)\r\n", port / 256, port % 256);
	else
		reply(model, 200, "");
}

static void reply_busy(struct model *model, const char *line)
{
	struct peer *peer = model->peer;
	unsigned serial = model_serial(line, strlen(line));

	if (one_in(peer, 3))
		say(model, "550-it is in use\r\n by 192.0.2.9\r\n226 not the end\r\n550 sorry #%u\r\n",
		    serial);
	else
		say(model, "550 used exclusively #%u\r\n", serial);
}

static void transfer_begins(struct model *model, const char *line)
{
	struct peer *peer = model->peer;

	if (one_in(peer, 6)) {
		reply(model, one_in(peer, 2) ? 450 : one_in(peer, 2) ? 550 : 425, line);
		return;
	}
	if (peer->busy && one_in(peer, 2)) {
		reply_busy(model, line);
		return;
	}
	peer->running = model_serial(line, strlen(line)) + 1;
	if (!peer->says_1yz)
		return;
	if (peer->says_200 && peer->nfifo == 0) /* otherwise it could be the answer to a NOOP */
		say(model, "200 first\r\n");
	if (one_in(peer, 4))
		say(model, "125-in use\r\n226 not yet\r\n125 now\r\n");
	if (one_in(peer, 4))
		say(model, "125 soon\r\n");
	say(model, "150 go\r\n");
}

static void transfer_ends(struct model *model, unsigned code)
{
	struct peer *peer = model->peer;
	char line[16];

	snprintf(line, sizeof(line), "#%u", peer->running - 1);
	peer->running = 0;
	reply(model, code, line);
}

static void reply_abor(struct model *model, const char *line)
{
	struct peer *peer = model->peer;

	if (peer->running == 0) {
		reply(model, peer->abor_last || one_in(peer, 2) ? 225 : 226, line);
		return;
	}
	if (peer->abor_last && peer->says_1yz) {
		peer->running = 0;
		say(model, "225 both #%u\r\n", model_serial(line, strlen(line)));
		return;
	}
	transfer_ends(model, peer->abor_once && one_in(peer, 2) ? 226 : 426);
	if (!peer->abor_once)
		reply(model, 226, line);
}

static void reply_feat(struct model *model)
{
	struct peer *peer = model->peer;

	if (peer->feat == 0)
		say(model, "211-Features:\r\n MDTM\r\n AUTH TLS\r\n EPSV\r\n211 End\r\n");
	else
		say(model, "%u no\r\n", peer->feat);
}

/* NOOP or STAT during a transfer. */
static bool reply_beside(struct model *model, const struct ftp_command *command)
{
	struct peer *peer = model->peer;
	enum ftp_verb_kind kind = command->verb->kind;

	if (peer->running == 0 || (kind != FTP_KIND_STAT && kind != FTP_KIND_NOOP))
		return false;
	if (peer->refuses && peer->says_1yz)
		reply(model, 450, command->line);
	return peer->deaf || (peer->refuses && peer->says_1yz);
}

/* The server reads its next command and answers it in order. */
static void server_reads(struct model *model)
{
	struct peer *peer = model->peer;
	static const unsigned any[] = { 200, 250, 257, 350, 450, 550, 500 };
	char line[LINE_MAX];
	struct ftp_command command;
	bool needs_login;

	if (peer->greeting) {
		if (model->server_handshake || model->handshake)
			return;
		peer->greeting = false;
		say(model, one_in(peer, 8) ? "120 wait\r\n220-new\r\n220 server\r\n" : "220 new server\r\n");
		return;
	}
	if (peer->nfifo == 0)
		return;
	memcpy(line, peer->fifo[0], LINE_MAX);
	command = ftp_command_parse(line, strlen(line));
	if (peer->running != 0 && !peer->concurrent && command.verb->kind != FTP_KIND_ABOR)
		return;
	peer->nfifo--;
	memmove(peer->fifo[0], peer->fifo[1], peer->nfifo * LINE_MAX);
	needs_login = !(command.verb->flags & FTP_VERB_BEFORE_LOGIN);
	if (needs_login && peer->honest && !peer->logged_in)
		model_broken(model, "a command before login", __LINE__);
	if (reply_beside(model, &command))
		return;
	switch (command.verb->kind) {
	case FTP_KIND_USER: {
		unsigned code = one_in(peer, 8) ? 230 : one_in(peer, 8) ? 530 : 331;

		if (code != 530) /* "Can't change to another user" changes nothing */
			peer->logged_in = code == 230;
		reply(model, code, line);
		break;
	}
	case FTP_KIND_PASS:
	case FTP_KIND_ACCT: {
		unsigned code = one_in(peer, 8) ? 530 : one_in(peer, 8) ? 332 : 230;

		peer->logged_in |= code == 230;
		reply(model, code, line);
		break;
	}
	case FTP_KIND_AUTH:
		say(model, one_in(peer, 12)  ? "502 no TLS\r\n"
			   : one_in(peer, 4) ? "234-go\r\n234 on\r\n"
					     : "234 go on\r\n");
		break;
	case FTP_KIND_PBSZ:
		say(model, one_in(peer, 8) ? "500 no\r\n" : "200 PBSZ=0\r\n");
		break;
	case FTP_KIND_PROT:
		say(model,
		    (command.arg[0] == 'P' ? peer->prot_p : peer->prot_c) ? "200 ok\r\n" : "534 no\r\n");
		break;
	case FTP_KIND_CCC:
		say(model, peer->ccc ? "200 ok\r\n" : "534 no\r\n");
		break;
	case FTP_KIND_FEAT:
		reply_feat(model);
		break;
	case FTP_KIND_EPSV:
		reply_mode(model, FTP_MODE_EPSV);
		break;
	case FTP_KIND_PASV:
		reply_mode(model, FTP_MODE_PASV);
		break;
	case FTP_KIND_EPRT:
		reply_mode(model, FTP_MODE_EPRT);
		break;
	case FTP_KIND_PORT:
		reply_mode(model, FTP_MODE_PORT);
		break;
	case FTP_KIND_DOWNLOAD:
	case FTP_KIND_UPLOAD:
		transfer_begins(model, line);
		break;
	case FTP_KIND_ABOR:
		reply_abor(model, line);
		break;
	case FTP_KIND_QUIT:
		reply(model, 221, line);
		break;
	case FTP_KIND_STAT:
		reply(model,
		      one_in(peer, 4) && (peer->running == 0 || peer->says_1yz) ? 502 : 211 + pick(peer, 3),
		      line);
		break;
	case FTP_KIND_NOOP:
		reply(model, 200, line);
		break;
	default:
		reply(model, PICK(peer, any), line);
		break;
	}
}

static void server_hostile(struct model *model)
{
	struct peer *peer = model->peer;
	static const char *const texts[] = {
		"227 (10,0,0,1,0,22)\r\n",
		"227 (192,0,2,9,8,0)\r\n",
		"229 (|||21|)\r\n",
		"229 (|||2000|)\r\n",
		"230 in\r\n",
		"200 ok\r\n",
		"220 again\r\n",
		"226 done\r\n",
		"226-a\r\n",
		"226 b\r\n",
		"150 go\r\n",
		"125-x\r\n",
		"125 y\r\n",
		"211-a\r\n",
		"211 b\r\n",
		"421 bye\r\n",
		"421-bye\r\n",
		"500 no\r\n",
		"331 ok\r\n",
		"332 acct\r\n",
		"350 more\r\n",
		"631 x\r\n",
		"junk\r\n",
		"2",
		"\r\n",
		"425 no\r\n",
		"426 off\r\n",
		"120 wait\r\n",
		"234 go on\r\n",
		"534 no\r\n",
	};
	const char *text = PICK(peer, texts);

	if (model_server_has_room(model, strlen(text)))
		model_server(model, text, strlen(text));
}

/* What a client says; %u is the serial. */
static const char *const client_lines[] = {
	"USER #%u\r\n",
	"USER #%u\r\n",
	"PASS #%u\r\n",
	"PASS #%u\r\n",
	"ACCT #%u\r\n",
	"AUTH TLS\r\n",
	"AUTH SSL\r\n",
	"PBSZ 0\r\n",
	"PROT P\r\n",
	"PROT C\r\n",
	"CCC\r\n",
	"REIN\r\n",
	"FEAT\r\n",
	"PASV\r\n",
	"PASV\r\n",
	"EPSV\r\n",
	"EPSV\r\n",
	"EPSV 1\r\n",
	"EPSV 2\r\n",
	"EPSV ALL\r\n",
	"RETR #%u\r\n",
	"RETR #%u\r\n",
	"STOR #%u\r\n",
	"LIST #%u\r\n",
	"RETR #%u\r\n",
	"ABOR #%u\r\n",
	"STAT #%u\r\n",
	"NOOP #%u\r\n",
	"CWD #%u\r\n",
	"XYZZY #%u\r\n",
	"USER u\r\n",
	"USER u\r\n",
	"USER V\r\n",
	"RMD #%u\r\n",
	"XRMD #%u\r\n",
	"SITE EXEC #%u\r\n",
	"site  \t exec\t#%u\r\n",
	"SITE \vEXEC #%u\r\n",
	"SITE CHMOD #%u\r\n",
	"HOST a.example\r\n",
	"HOST b.example\r\n",
	"REST 10\r\n",
	"MODE B\r\n",
	"SITE #%u\r\n",
	"QUIT #%u\r\n",
	"ADAT x\r\n",
	"MIC x\r\n",
	"\tPORT 1\r\n",
	"CWD a\rb\r\n",
	" \r\n",
	"\r\n",
	"CPSV\r\n",
	("\xff\xf4"
	 "ABOR #%u\r\n"),
	"PORT 192,0,2,7,156,65\r\n",
	"PORT 192,0,2,7,0,22\r\n",
	"PORT 10,0,0,1,156,65\r\n",
	"EPRT |1|192.0.2.7|40001|\r\n",
	"EPRT |2|2001:db8::7|40001|\r\n",
	"EPRT |2|2001:db8::8|40001|\r\n",
};

static void client_says(struct model *model)
{
	struct peer *peer = model->peer;
	char text[LINE_MAX];
	const char *format = PICK(peer, client_lines);
	const char *mark = strstr(format, "%u");

	bool tls = strncmp(format, "AUTH", 4) == 0 || strncmp(format, "CCC", 3) == 0 ||
		   strncmp(format, "REIN", 4) == 0;

	if (model->client_len > 0 && (tls || peer->waits) && !one_in(peer, 50))
		return;
	if (strncmp(format, "QUIT", 4) == 0 && !one_in(peer, 8))
		return;
	peer->waits = tls;
	if (mark != NULL)
		snprintf(text, sizeof(text), "%.*s%u\r\n", (int)(mark - format), format, ++peer->serial);
	else
		snprintf(text, sizeof(text), "%s", format);
	model_client(model, text, strlen(text));
}

static void client_hostile(struct model *model)
{
	struct peer *peer = model->peer;
	static const char *const texts[] = {
		"GET / HTTP/1.1\r\n", "NOOP\n", "NO\0OP\r\n", "NOOP", "\xff", "\r"
	};
	size_t i = pick(peer, NELEM(texts));

	model_client(model, texts[i], i == 2 ? 7 : strlen(texts[i]));
}

/* The handshake with the server, and its answers to what the gateway asks first (PBSZ, PROT, CCC, NOOP). */
static void server_tls_comes_up(struct model *model)
{
	if (model->security == NULL)
		return;
	server_reads(model);
	model_signal(model, FTP_SIGNAL_SERVER_TLS_UP);
	for (int i = 0; i < 4; i++)
		server_reads(model);
}

/* Most walks begin with what most sessions begin with, or they would seldom get far. */
static void log_in(struct model *model, bool tls)
{
	static const char *const texts[] = { "AUTH TLS\r\n", "PBSZ 0\r\n", "PROT P\r\n", "USER u\r\n",
					     "PASS p\r\n" };

	for (size_t i = tls ? 0 : 3; i < NELEM(texts); i++) {
		server_reads(model);
		server_tls_comes_up(model);
		model_client(model, texts[i], strlen(texts[i]));
		model_signal(model, FTP_SIGNAL_TLS_UP);
		server_reads(model);
		server_tls_comes_up(model);
	}
}

/* As clients do it: a plan, and once it is there, the transfer. */
static void client_transfers(struct model *model)
{
	struct peer *peer = model->peer;
	char text[LINE_MAX];

	if (model->client_len > 0)
		return;
	snprintf(text, sizeof(text), "%s\r\n", one_in(peer, 2) ? "EPSV" : "PASV");
	model_client(model, text, strlen(text));
	for (int i = 0; i < (model->security != NULL ? 6 : 4); i++)
		server_reads(model);
	snprintf(text, sizeof(text), "%s #%u\r\n", one_in(peer, 2) ? "RETR" : "STOR", ++peer->serial);
	model_client(model, text, strlen(text));
}

/* An honest server answers in time, but it may answer ABOR long after it has closed the data connection. */
static bool may_be_due(const struct model *model)
{
	const struct peer *peer = model->peer;

	return (peer->nfifo == 0 && peer->running == 0) ||
	       (ftp_machine_in_transfer(&model->machine) && model->machine.side.doubt == FTP_SIDE_DOUBT_NONE);
}

static void step(struct model *model)
{
	struct peer *peer = model->peer;

	switch (pick(peer, 9)) {
	case 0:
	case 1:
	case 2:
		client_says(model);
		break;
	case 8:
		client_transfers(model);
		break;
	case 3:
	case 4:
		server_reads(model);
		break;
	case 5:
		if (peer->running != 0)
			transfer_ends(model, one_in(peer, 4) ? 426 : 226);
		break;
	case 6:
		model_data_done(model, one_in(peer, 3) ? (enum ftp_data_result)(FTP_DATA_OK +
										pick(peer, FTP_DATA_ABORTED))
						       : FTP_DATA_OK);
		break;
	default:
		model_signal(model, FTP_SIGNAL_TLS_UP);
		model_signal(model, FTP_SIGNAL_SERVER_TLS_UP);
		model_resume(model);
		if (!peer->honest || may_be_due(model))
			model_side_due(model);
		if (one_in(peer, 8))
			model->no_ports = true;
		if (one_in(peer, 8))
			model->unreachable = true;
		if (one_in(peer, 8))
			model_dialled(model, one_in(peer, 2));
		if (one_in(peer, 4))
			model_server_again(model);
		if (one_in(peer, 60))
			model_signal(model, (enum ftp_signal)pick(peer, FTP_SIGNAL_DISMISSED + 1));
		if (!peer->honest && one_in(peer, 10))
			server_hostile(model);
		if (!peer->honest && one_in(peer, 40))
			client_hostile(model);
		break;
	}
}

/* The server answers everything, the data arrive: then nothing may be left. */
static void check_nothing_is_held(struct model *model)
{
	struct peer *peer = model->peer;

	if (model->client_len == 0)
		model_client(model, "SYST\r\n", 6);
	for (int round = 0; round < 10 * FIFO_MAX && !model->ended; round++) {
		model_signal(model, FTP_SIGNAL_TLS_UP);
		model_signal(model, FTP_SIGNAL_SERVER_TLS_UP);
		model_resume(model);
		server_reads(model);
		if (peer->running != 0)
			transfer_ends(model, 226);
		model_data_done(model, FTP_DATA_OK);
		if (peer->nfifo == 0 && peer->running == 0)
			model_side_due(model);
	}
	if (model->ended)
		return;
	MODEL_CHECK(model, peer->nfifo == 0);
	MODEL_CHECK(model, ftp_machine_is_idle(&model->machine));
	MODEL_CHECK(model, model->nasked == 0 || model_is_next(model, model->nasked));
	MODEL_CHECK(model, model->client_len == 0);
	MODEL_CHECK(model, model->server_len == 0);
	MODEL_CHECK(model, !model->started && !model->going);
}

static const char *denied_names[] = { "RMD", "SITE EXEC", "XYZZY", "STAT", "MODE", "NOOP", "EPSV" };
static const char *allowed_names[] = { "USER", "PASS", "AUTH", "PBSZ",	     "PROT", "PASV", "EPSV",
				       "RETR", "STOR", "ABOR", "SITE CHMOD", "RMD",  "CWD" };

/* The client's identity, and what policy wants of the client. */
static void set_login(struct peer *peer, struct ftp_action *action, struct ftp_identity *identity)
{
	action->secure_login =
	    one_in(peer, 2) ? SECURE_LOGIN_NO_CLIENT_AUTH : (enum secure_login)pick(peer, 2);
	action->secure_password = (enum secure_password)pick(peer, 2);
	action->accesserrormsgs = one_in(peer, 2);
	action->unknown_commands = one_in(peer, 2) ? UNKNOWN_COMMANDS_PASS : UNKNOWN_COMMANDS_REFUSE;
	action->login_delay_ms = one_in(peer, 2) ? 1000 : 0;
	action->login_attempts = one_in(peer, 2) ? 3 : 0;
	action->login_check = one_in(peer, 4) ? "socket" : NULL;
	if (one_in(peer, 4))
		action->commands_denied =
		    (struct command_list){ denied_names, pick(peer, NELEM(denied_names) + 1) };
	if (one_in(peer, 8))
		action->commands_allowed = (struct command_list){ allowed_names, NELEM(allowed_names) };
	identity->certificate = !one_in(peer, 4);
	if (identity->certificate && !one_in(peer, 4)) {
		identity->user = one_in(peer, 4) ? "v" : "U";
		identity->service = !one_in(peer, 4);
		identity->password = one_in(peer, 4) ? NULL : "stored";
	}
	identity->server_name = one_in(peer, 2) ? "a.example" : NULL;
}

/* How far walks get, so that a test which no longer tests anything is seen. */
struct reach {
	unsigned walks;
	unsigned logins;
	unsigned certificates; /* logins without a password */
	unsigned transfers;
	unsigned waits;	     /* for a file */
	unsigned server_tls; /* transfers that TLS protects on the server's leg */
	unsigned cleared;    /* sessions that had CCC with the server */
	unsigned through;    /* honest walks that came to their end */
};

/* What policy wants of the connections to the server, and what the server agrees to. */
static void set_server_tls(struct peer *peer, struct server_security *security)
{
	security->tls = true;
	security->mechanism = (enum secure_mechanism)pick(peer, 3);
	security->secureimplicitzos = one_in(peer, 2);
	security->ctrlconn = one_in(peer, 4) ? SECURE_PRIVATE : SECURE_CLEAR;
	security->dataconn = (enum secure_level)pick(peer, 4);
	security->ccc = one_in(peer, 2) ? SERVER_CCC_AFTER_LOGIN : SERVER_CCC_NEVER;
	security->tlsrfclevel = (enum tls_rfc_level)pick(peer, 3);
	peer->prot_p = !one_in(peer, 4);
	peer->prot_c = !one_in(peer, 4);
	peer->ccc = !one_in(peer, 4);
}

static void walk(struct model *model, struct reach *reach)
{
	struct peer peer = { .random = walk_seed, .greeting = true };
	struct ftp_action action = { .extensions = one_in(&peer, 8) ? 0 : EXTENSION_AUTH_TLS };
	struct ftp_machine_setup setup = { .action = &action };
	struct ftp_identity identity = { .certificate = false };
	struct ftp_ways ways = { .refused = 0 };
	struct server_security security = { .tls = false };
	bool client_v6 = one_in(&peer, 4), server_v6 = one_in(&peer, 4);

	set_login(&peer, &action, &identity);
	action.dswaittime_min = one_in(&peer, 2) ? 3 : 0;
	action.dswaitinterval_s = 60;
	action.secure_ftp = (enum secure_ftp)pick(&peer, 2);
	action.data_policy_scope = (enum data_policy_scope)pick(&peer, 2);
	action.secure_ctrlconn = one_in(&peer, 2) ? SECURE_CLEAR : (enum secure_level)pick(&peer, 3);
	action.secure_dataconn = (enum secure_level)pick(&peer, 4);
	action.tlsrfclevel = (enum tls_rfc_level)pick(&peer, 3);
	action.secureimplicitzos = one_in(&peer, 2);
	action.portcommand = one_in(&peer, 4) ? PORTCOMMAND_REJECT : PORTCOMMAND_ACCEPT;
	action.portcommandipaddr = one_in(&peer, 4) ? REDIRECT_UNRESTRICTED : NOREDIRECT;
	action.portcommandport = one_in(&peer, 4) ? LOWPORTS_UNRESTRICTED : NOLOWPORTS;
	action.reply_style = (enum reply_style)pick(&peer, 2);
	setup.implicit = one_in(&peer, 8);
	setup.lazy_dial = one_in(&peer, 4);
	setup.modes = one_in(&peer, 2) ? FTP_MODE_ALL : (uint8_t)(1 + pick(&peer, FTP_MODE_ALL));
	ways.refused = one_in(&peer, 2) ? 0 : (uint8_t)pick(&peer, FTP_MODE_ALL);
	setup.ways = &ways;
	setup.client.port = 40000;
	assert_int_equal(
	    ip_addr_parse(client_v6 ? "2001:db8::7" : "192.0.2.7", client_v6 ? 11 : 9, &setup.client.addr),
	    0);
	assert_int_equal(
	    ip_addr_parse(server_v6 ? "2001:db8:1::21" : "10.0.0.1", server_v6 ? 14 : 8, &setup.server), 0);
	peer.honest = one_in(&peer, 2);
	if (one_in(&peer, 2))
		set_server_tls(&peer, &security);
	setup.server_security = &security;
	setup.clear_only = one_in(&peer, 8);
	if (!peer.honest) /* an honest walk knows replies by their texts, which level 1 hides */
		action.replysecuritylevel = pick(&peer, 2);
	peer.abor_once = one_in(&peer, 2);
	peer.abor_last = one_in(&peer, 4);
	peer.concurrent = one_in(&peer, 2);
	peer.busy = one_in(&peer, 2);
	peer.deaf = one_in(&peer, 4);
	peer.refuses = one_in(&peer, 4);
	peer.says_200 = one_in(&peer, 4);
	peer.says_1yz = !one_in(&peer, 6);
	peer.unsupported = one_in(&peer, 2) ? 0 : pick(&peer, FTP_MODE_ALL + 1);
	if (one_in(&peer, 2))
		peer.feat = one_in(&peer, 2) ? 211 : one_in(&peer, 2) ? 500 : 530;

	model_init(model, &setup);
	model->peer = &peer;
	model->identity = identity;
	model->strict = peer.honest;
	model->server_agrees = peer.honest && peer.prot_c && peer.prot_p;
	model->on_command = on_command;
	model->on_renew = on_renew;
	model->on_drop = on_drop;
	model->whose = whose;
	model->trace = getenv("ATTLSD_TRACE") != NULL;
	model_trace(model, "--- %s", whose());
	peer.greeting = !model->lazy_dial;
	model_greet(model);
	if (!one_in(&peer, 4))
		log_in(model, one_in(&peer, 2));
	for (int i = 0; i < STEPS_MAX && !model->ended; i++) {
		bool was_started = model->started, was_open = model->wait_open;

		step(model);
		reach->transfers += !was_started && model->started;
		reach->waits += !was_open && model->wait_open;
		reach->server_tls += !was_started && model->started && model->server_private;
	}
	reach->cleared += model->server_cleared;
	reach->walks++;
	reach->logins += model->logged_in;
	reach->certificates += peer.own_pass;
	if (peer.honest) {
		check_nothing_is_held(model);
		reach->through += !model->ended;
	}
	model_check_end(model);
}

static void walks_keep_every_promise(void **state)
{
	const char *text = getenv("ATTLSD_SEED");
	struct model *model = malloc(sizeof(*model));
	struct reach reach = { 0 };
	clock_t end = clock() + SECONDS_MAX * CLOCKS_PER_SEC;

	(void)state;
	assert_non_null(model);
	walk_seed = text != NULL ? strtoull(text, NULL, 10) : DEFAULT_SEED;
	while (reach.walks < WALKS_MAX && (reach.walks == 0 || clock() < end)) {
		walk(model, &reach);
		walk_seed++;
	}
	free(model);
	print_message("%u walks, %u logins (%u by certificate), %u transfers (%u under TLS with the server), "
		      "%u waits, %u server connections after CCC, %u to the end\n",
		      reach.walks, reach.logins, reach.certificates, reach.transfers, reach.server_tls,
		      reach.waits, reach.cleared, reach.through);
	if (reach.walks >= 1000) {
		assert_true(reach.logins > reach.walks / 10);
		assert_true(reach.transfers > reach.walks / 10);
		assert_true(reach.through > reach.walks / 20);
		assert_true(reach.certificates > reach.walks / 200);
		assert_true(reach.waits > reach.walks / 100);
		assert_true(reach.server_tls > reach.walks / 50);
		assert_true(reach.cleared > reach.walks / 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(walks_keep_every_promise) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
