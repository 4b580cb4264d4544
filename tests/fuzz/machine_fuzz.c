/*
 * The input is a session, one event a line, first a letter each for policy:
 *
 *	P letters	see set_policy(), set_login() and set_server(); only as the first line
 *	C text		the client sends a line        c text	or bytes without a line end
 *	S text		the server sends a line        s text	likewise
 *	D n		the data part ended            ! n	a signal; n is a letter from 'a'
 *	R		a pause is over                W	the wait for side commands is over
 *	N		no port for the next listening U	the server's data port is out of reach
 *	T n		an early dial has failed ('a') or succeeded
 *	G		another server takes the place of this one
 *
 * Whatever client and server do, the model's promises hold. When a session has
 * ended, nothing brings it back.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/machine-model.h"

static const char *denied_names[] = { "DELE", "RMD", "SITE EXEC", "XYZZY", "STAT", "MODE" };
static const char *allowed_names[] = { "USER", "PASS", "AUTH", "PBSZ", "PROT",	     "PASV",
				       "EPSV", "RETR", "STOR", "ABOR", "SITE CHMOD", "RMD" };

/* Logins, lists and the client's identity: capital letters. */
static void set_login(struct ftp_action *action, struct ftp_identity *identity, char letter)
{
	switch (letter) {
	case 'V':
		action->secure_login = SECURE_LOGIN_VERIFY_USER;
		break;
	case 'Q':
		action->secure_login = SECURE_LOGIN_REQUIRED;
		break;
	case 'O':
		action->secure_password = SECURE_PASSWORD_OPTIONAL;
		break;
	case 'M':
		action->accesserrormsgs = true;
		break;
	case 'D':
		action->commands_denied.n = sizeof(denied_names) / sizeof(denied_names[0]);
		break;
	case 'A':
		action->commands_allowed.n = sizeof(allowed_names) / sizeof(allowed_names[0]);
		break;
	case 'X':
		action->unknown_commands = UNKNOWN_COMMANDS_REFUSE;
		break;
	case 'C':
		identity->certificate = true;
		break;
	case 'U':
		identity->user = "u";
		break;
	case 'S':
		identity->service = true;
		break;
	case 'P':
		identity->password = "stored";
		break;
	case 'N':
		identity->server_name = "a.example";
		break;
	default:
		break;
	}
}

/* TLS with the server: digits. */
static void set_server(struct server_security *security, char letter)
{
	switch (letter) {
	case '4':
		security->tls = true;
		security->tlsrfclevel = TLSRFCLEVEL_RFC4217;
		break;
	case '5':
		security->mechanism = SECURE_MECHANISM_SSL;
		break;
	case '6':
		security->mechanism = SECURE_MECHANISM_IMPLICIT;
		break;
	case '7':
		security->secureimplicitzos = true;
		break;
	case '8':
		security->dataconn = SECURE_CLEAR;
		break;
	case '9':
		security->dataconn = SECURE_NEVER;
		break;
	case '+':
		security->ctrlconn = SECURE_CLEAR;
		security->ccc = SERVER_CCC_AFTER_LOGIN;
		break;
	default:
		break;
	}
}

static void set_policy(struct ftp_machine_setup *setup, struct ftp_action *action, const char *letters,
		       size_t len)
{
	for (size_t i = 0; i < len; i++)
		switch (letters[i]) {
		case 'a':
			action->extensions = EXTENSION_AUTH_TLS;
			break;
		case 'f':
			action->secure_ftp = SECURE_FTP_ALLOWED;
			break;
		case 'm':
			action->data_policy_scope = DATA_POLICY_PROTECTED;
			break;
		case 'c':
			action->secure_ctrlconn = SECURE_CLEAR;
			action->tlsrfclevel = TLSRFCLEVEL_RFC4217;
			break;
		case 'n':
			action->tlsrfclevel = TLSRFCLEVEL_CCCNONOTIFY;
			break;
		case 'd':
			action->secure_dataconn = SECURE_CLEAR;
			break;
		case 'e':
			action->secure_dataconn = SECURE_NEVER;
			break;
		case 'p':
			action->portcommand = PORTCOMMAND_ACCEPT;
			break;
		case 'r':
			action->portcommandipaddr = REDIRECT_UNRESTRICTED;
			break;
		case 'l':
			action->portcommandport = LOWPORTS_UNRESTRICTED;
			break;
		case 'w':
			action->dswaittime_min = 2;
			action->dswaitinterval_s = 60;
			break;
		case 'x':
			action->login_check = "socket";
			break;
		case 'y':
			action->login_delay_ms = 1000;
			action->login_attempts = 3;
			break;
		case 'k':
			action->replysecuritylevel = 1;
			break;
		case 'z':
			action->reply_style = REPLY_STYLE_ZOS;
			break;
		case 'i':
			setup->implicit = true;
			break;
		case 'j':
			action->secureimplicitzos = true;
			break;
		case 't':
			setup->drops_strays = true;
			break;
		case 'g':
			setup->lazy_dial = true;
			break;
		case 'o':
			setup->clear_only = true;
			break;
		case 'v':
			(void)ip_addr_parse("2001:db8::7", 11, &setup->client.addr);
			break;
		case 's':
			(void)ip_addr_parse("2001:db8:1::21", 14, &setup->server);
			break;
		case '0': /* modes that the server is known to refuse */
		case '1':
		case '2':
		case '3':
			setup->ways->refused |= (uint8_t)(1u << (letters[i] - '0'));
			break;
		default:
			break;
		}
}

static void send_line(struct model *model, void (*to)(struct model *, const void *, size_t), const char *text,
		      size_t len, bool line)
{
	char wire[MODEL_WINDOW];

	if (len + 2 > sizeof(wire))
		return;
	memcpy(wire, text, len);
	memcpy(wire + len, "\r\n", 2);
	to(model, wire, line ? len + 2 : len);
}

/* By letter. New ones come last, so that seeds keep their meaning. */
static const enum ftp_signal signals[] = {
	FTP_SIGNAL_SERVER_DOWN,	  FTP_SIGNAL_SERVER_LOST,	FTP_SIGNAL_SERVER_UNFINISHED,
	FTP_SIGNAL_TLS_UP,	  FTP_SIGNAL_LOGIN_TIMEOUT,	FTP_SIGNAL_IDLE_TIMEOUT,
	FTP_SIGNAL_SHUTDOWN,	  FTP_SIGNAL_STOPPED,		FTP_SIGNAL_DISMISSED,
	FTP_SIGNAL_TLS_UNBOUND,	  FTP_SIGNAL_TLS_SAFE,		FTP_SIGNAL_SERVER_SILENT,
	FTP_SIGNAL_SERVER_TLS_UP, FTP_SIGNAL_SERVER_TLS_FAILED, FTP_SIGNAL_SERVER_INJECTED,
};
static const enum ftp_data_result results[] = {
	FTP_DATA_OK,	      FTP_DATA_NO_CLIENT,
	FTP_DATA_NO_SERVER,   FTP_DATA_TLS,
	FTP_DATA_NOT_REUSED,  FTP_DATA_CUT,
	FTP_DATA_CLIENT_LOST, FTP_DATA_SERVER_LOST,
	FTP_DATA_STALLED,     FTP_DATA_TICKET_UNKNOWN,
	FTP_DATA_NOT_PRIVATE, FTP_DATA_CERTIFICATE,
	FTP_DATA_SERVER_TLS,  FTP_DATA_SERVER_NOT_REUSED,
	FTP_DATA_SERVER_CUT,
};

#define NELEM(array) (sizeof(array) / sizeof((array)[0]))

static void event(struct model *model, char what, const char *arg, size_t len)
{
	unsigned n = len > 0 ? (unsigned char)arg[0] - (unsigned)'a' : 0;

	switch (what) {
	case 'C':
	case 'c':
		send_line(model, model_client, arg, len, what == 'C');
		break;
	case 'S':
	case 's':
		send_line(model, model_server, arg, len, what == 'S');
		break;
	case 'N':
		model->no_ports = true;
		break;
	case 'U':
		model->unreachable = true;
		break;
	case 'T':
		model_dialled(model, n != 0);
		break;
	case 'D':
		if (n < NELEM(results))
			model_data_done(model, results[n]);
		break;
	case 'R':
		model_resume(model);
		break;
	case 'G':
		model_server_again(model);
		break;
	case 'W':
		model_side_due(model);
		break;
	case '!':
		if (n < NELEM(signals))
			model_signal(model, signals[n]);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ftp_action action = { .extensions = 0,
				     .secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
				     .unknown_commands = UNKNOWN_COMMANDS_PASS,
				     .commands_denied.names = denied_names,
				     .commands_allowed.names = allowed_names };
	struct ftp_identity identity = { .certificate = false };
	struct ftp_ways ways = { .refused = 0 };
	struct server_security security = { .tls = false };
	struct ftp_machine_setup setup = {
		.action = &action, .modes = FTP_MODE_ALL, .ways = &ways, .server_security = &security
	};
	static struct model model; /* large, and set anew for each input */
	const char *at = (const char *)data, *end = at + size;

	(void)ip_addr_parse("192.0.2.7", 9, &setup.client.addr);
	(void)ip_addr_parse("10.0.0.1", 8, &setup.server);
	setup.client.port = 40000;
	if (size > 0 && at[0] == 'P') {
		const char *lf = memchr(at, '\n', size);

		set_policy(&setup, &action, at, lf != NULL ? (size_t)(lf - at) : size);
		for (const char *letter = at + 1; letter < (lf != NULL ? lf : end); letter++)
			set_login(&action, &identity, *letter);
		for (const char *letter = at + 1; letter < (lf != NULL ? lf : end); letter++)
			set_server(&security, *letter);
		at = lf != NULL ? lf + 1 : end;
	}
	model_init(&model, &setup);
	model.identity = identity;
	model_greet(&model);
	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((lf != NULL ? lf : end) - at);

		if (len > 0)
			event(&model, at[0], len > 2 ? at + 2 : "", len > 2 ? len - 2 : 0);
		at = lf != NULL ? lf + 1 : end;
	}
	model_check_end(&model);
	return 0;
}
