/*
 * Transfers: the order of the server's words and of the data, how either may
 * fail, and what the client may say meanwhile.
 */
#include "tests/unit/machine-script.h"

static const struct ftp_action private_data = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.extensions = EXTENSION_AUTH_TLS,
	.secure_dataconn = SECURE_PRIVATE,
};

static const struct ftp_action private_data_zos = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.extensions = EXTENSION_AUTH_TLS,
	.secure_dataconn = SECURE_PRIVATE,
	.reply_style = REPLY_STYLE_ZOS,
};

static const struct ftp_action any_session = {
	SCRIPT_LENIENT,
	.secure_session_reuse = SESSION_REUSE_ALLOWED,
};

#define GOING	    PASSIVE "C RETR x\nS 150 go\n"
#define BLOCK_MODE  PASSIVE "C MODE B\nS 200 ok\n"
#define BLOCK_GOING BLOCK_MODE "C RETR x\nS 125 go\n"
#define NO_PLAN	    "  c 425 Use PASV, EPSV, PORT or EPRT first.\n"
#define NEW_PLAN    "C PASV\n  s EPSV\n"

static const struct script_case order[] = {
	{ "150, data, 226",
	  { 0 },
	  PASSIVE,
	  "C RETR x\n  s RETR x\n  start download clear\nS 150 go\n  c 150 go\n  go\nD ok\n"
	  "S 226 done\n  c 226 done\n  close-data\nC RETR x\n" NO_PLAN },
	{ "a data connection that outlives its file: the next transfers need no plan",
	  { 0 },
	  BLOCK_MODE,
	  "C RETR x\n  s RETR x\n  start download clear\nS 125 go\n  c 125 go\n  go\nS 110 MARK 1 = 2\n"
	  "  c 110 MARK 1 = 2\nS 250 done\n  hold\nD kept\nS 250 done\n  c 250 done\n"
	  "C STOR y\n  s STOR y\n  start upload clear\nS 550 no\n  c 550 no\n  refused\n"
	  "C STOR z\n  s STOR z\n  start upload clear\nS 125 go\n  c 125 go\n  go\nD kept\nS 250 done\n"
	  "  c 250 done\nC RETR x\n  s RETR x\n  start download clear\nS 125 go\n  c 125 go\n  go\nD ok\n"
	  "S 250 done\n  c 250 done\n  close-data\nC RETR x\n" NO_PLAN },
	{ "it ends between two transfers",
	  { 0 },
	  BLOCK_GOING,
	  "D kept\nS 250 done\n  c 250 done\nD over\n  close-data\nC RETR x\n" NO_PLAN },
	{ "it ends before the server's reply",
	  { 0 },
	  BLOCK_GOING,
	  "D kept\nD over\nS 250 done\n  c 250 done\n  close-data\nC RETR x\n" NO_PLAN },
	{ "it ends with a failure",
	  { 0 },
	  BLOCK_GOING,
	  "D kept\nS 451 disk full\n  c 451 disk full\n  close-data\nC RETR x\n" NO_PLAN },
	{ "a new plan ends it",
	  { 0 },
	  BLOCK_GOING,
	  "D kept\nS 250 done\n  c 250 done\nC PASV\n  close-data\n  s EPSV\n" },
	{ "another user ends it",
	  { 0 },
	  BLOCK_GOING,
	  "D kept\nS 250 done\n  c 250 done\nC USER other\n  close-data\n  user other\n  s USER other\n" },
	{ "a file without its last block",
	  { 0 },
	  BLOCK_GOING,
	  "D unfinished\nS 250 done\n  c 426 Connection closed; transfer aborted: the block that ends the file is "
	  "missing.\n  close-data\n" },
	{ "150, 226, data",
	  { 0 },
	  PASSIVE,
	  "C STOR x\n  s STOR x\n  start upload clear\nS 125 go\n  c 125 go\n  go\n"
	  "S 226 done\n  hold\nC PWD\n  hold\nS 226 done\n  hold\nD ok\nS 226 done\n  c 226 done\n  "
	  "close-data\n"
	  "C PWD\n  s PWD\n" },
	{ "no 1yz, data, 226",
	  { 0 },
	  PASSIVE,
	  "C LIST\n  s LIST\n  start download clear\nS 226 done\n  go\n  hold\nS 226 done\n  hold\nD ok\n"
	  "S 226 done\n  c 226 done\n  close-data\n" },
	{ "data before 150",
	  { 0 },
	  PASSIVE,
	  "C NLST\n  s NLST\n  start download clear\nD ok\nS 150 go\n  c 150 go\nS 250 done\n  c 250 done\n"
	  "  close-data\n" },
	{ "several 1yz",
	  { 0 },
	  PASSIVE,
	  "C APPE x\n  s APPE x\n  start upload clear\nS 125 a\n  c 125 a\n  go\nS 150 b\n  c 150 b\nD ok\n"
	  "S 110 c\n  c 110 c\nS 226 done\n  c 226 done\n  close-data\n" },
	{ "1yz of several lines is streamed",
	  { 0 },
	  PASSIVE,
	  "C RETR x\n  s RETR x\n  start download clear\nS 125-in use\n  c 125-in use\n"
	  "S 125-still\n  c 125-still\nS 226 text\n  c 226 text\nS 125 now\n  c 125 now\n  go\n" },
	{ "226 of several lines",
	  { 0 },
	  GOING,
	  "S 226-a\n  hold\nD ok\nS 226-a\n  c 226-a\nS 250 b\n  c 250 b\nS 226 c\n  c 226 c\n  "
	  "close-data\n" },
	{ "unique names",
	  { 0 },
	  PASSIVE,
	  "C STOU\n  s STOU\n  start upload clear\nS 125 FILE: a1\n  c 125 FILE: a1\n  go\nD ok\n"
	  "S 250 done\n  c 250 done\n  close-data\n" },
	{ "no plan", { 0 }, LOGGED_IN, "C RETR x\n" NO_PLAN "C MLSD\n" NO_PLAN },
};

/* The client gets what the server has sent before it failed. */
#define FAILS(code) "S " code " broken\n  failed\n  side-wait 2000\n  hold\n"

static const struct script_case refused[] = {
	{ "550, then another on the same plan",
	  { 0 },
	  PASSIVE,
	  "C LIST x\n  s LIST x\n  start download clear\nS 550 no\n  c 550 no\n  refused\n"
	  "C NLST x\n  s NLST x\n  start download clear\nS 150 go\n  c 150 go\n  go\nD ok\n"
	  "S 226 done\n  c 226 done\n  close-data\n" },
	{ "several lines",
	  { 0 },
	  PASSIVE "C RETR x\n",
	  "S 550-no\n  c 550-no\nS 550 no\n  c 550 no\n  refused\nC PASV\n  close-data\n  s EPSV\n" },
	{ "the handshake ended meanwhile: an upload waits for nothing",
	  { 0 },
	  PASSIVE "H running\n",
	  "C STOR x\n  hold\nC RETR x\n  s RETR x\n  start download clear\nH -\nS 550 no\n  c 550 no\n"
	  "  refused\nC STOR x\n  s STOR x\n  start upload clear\n" },
	{ "425", { 0 }, PASSIVE "C RETR x\n", "S 425 no\n  c 425 no\n  refused\n" },
	{ "350 fits nothing", { 0 }, PASSIVE "C RETR x\n", "S 350 no\n  c 350 no\n  refused\n" },
	{ "421", { 0 }, PASSIVE "C RETR x\n", "S 421 bye\n  c 421 bye\n  close server-421\n" },
	{ "421 while data flow", { 0 }, GOING, "S 421 bye\n  c 421 bye\n  close server-421\nD ok\n" },
	{ "in the middle",
	  { 0 },
	  GOING,
	  FAILS("426") "D server-lost\nS 426 broken\n  c 426 broken\n  close-data\n" NEW_PLAN },
	{ "in the middle, and the server does not end its data",
	  { 0 },
	  GOING,
	  FAILS("426") "S 426 broken\n  hold\nT -\n  abort\nD aborted\nS 426 broken\n  c 426 broken\n"
		       "  close-data\n" },
	{ "in the middle, several lines",
	  { 0 },
	  GOING,
	  FAILS("551") "D server-lost\nS 551-bad\n  c 551-bad\nS 551 page\n  c 551 page\n"
		       "  close-data\n" },
	{ "after the data", { 0 }, GOING, "D ok\nS 451 disk\n  c 451 disk\n  close-data\n" },
};

static const struct script_case levels[] = {
	{ "no AUTH, not bound",
	  { .action = &private_data },
	  PASSIVE,
	  "C RETR x\n  s RETR x\n  start download clear\n" },
	{ "level C",
	  { .action = &private_data },
	  TLS_IN PASV_PLAN,
	  "C RETR x\n  c 521 Data connections must be protected: send PROT P first.\n"
	  "C PBSZ 0\n  c 200 PBSZ=0\nC PROT P\n  c 200 Data connection protection set to private.\n"
	  "C RETR x\n  s RETR x\n  start download private\n" },
	{ "level C as z/OS has it",
	  { .action = &private_data_zos },
	  TLS_IN PASV_PLAN,
	  "C STOR x\n  c 425-Server requires protected data connection.\n  c 425 Can't open data "
	  "connection.\n" },
	{ "level P where clear is allowed",
	  { .action = &any_session },
	  TLS_P_IN PASV_PLAN,
	  "C STOR x\n  s STOR x\n  start upload private\n" },
	{ "secure port",
	  { .action = &any_session, .implicit = true },
	  "! tls\n" LOGGED_IN PASV_PLAN,
	  "C STOR x\n  s STOR x\n  start upload private\n" },
};

#define OPENS "C STOR x\n  hold\n  c 150 Opening a protected data connection.\n  secure\n"

/* The data connection must resume a session (the zero of secure_session_reuse), so it may be refused. */
static const struct script_case securing[] = {
	{ "the handshake is over before the command",
	  { 0 },
	  TLS_P_IN PASV_PLAN "H decided\n",
	  "C STOR x\n  s STOR x\n  start upload private\nS 150 go\n  c 150 go\n  go\n" },
	{ "a 150 of the gateway's, and the server's is not shown",
	  { 0 },
	  TLS_P_IN PASV_PLAN,
	  OPENS
	  "C STOR x\n  hold\nH decided\nC STOR x\n  s STOR x\n  start upload private\n"
	  "S 150-go\nS 150 go\n  go\nS 110 mark\n  c 110 mark\nD ok\nS 226 done\n  c 226 done\n  close-data\n" },
	{ "it is one transfer's: the server's marks of the next ones on the same connection are shown",
	  { 0 },
	  TLS_P_IN "C MODE B\nS 200 ok\n" PASV_PLAN "C STOR x\nH decided\nC STOR x\nS 150 go\n",
	  "D kept\nS 250 done\n  c 250 done\n"
	  "C RETR y\n  s RETR y\n  start download private\nS 150 go\n  c 150 go\n  go\nD kept\n"
	  "S 250 done\n  c 250 done\n"
	  "C STOR z\n  s STOR z\n  start upload private\nS 553 no\n  c 553 no\n  refused\n"
	  "C STOR z\n  s STOR z\n  start upload private\nS 125 go\n  c 125 go\n  go\n" },
	{ "no 150 from the server",
	  { 0 },
	  TLS_P_IN PASV_PLAN,
	  OPENS "H decided\nC STOR x\n  s STOR x\n  start upload private\nS 226 done\n  go\n  hold\nD ok\n"
		"S 226 done\n  c 226 done\n  close-data\n" },
	{ "refused: the server never hears of it",
	  { 0 },
	  TLS_P_IN PASV_PLAN,
	  OPENS
	  "H refused\nC STOR x\n"
	  "  close-data\n  c 522 Policy requires the data connection to resume the TLS session of this control "
	  "connection: it offered no session.\n"
	  "C STOR x\n" NO_PLAN },
	{ "the server refuses after the gateway's 150",
	  { 0 },
	  TLS_P_IN PASV_PLAN,
	  OPENS "H decided\nC STOR x\n  s STOR x\n  start upload private\nS 553 no\n  c 553 no\n  dismiss\n"
		"  close-data\nC STOR x\n" NO_PLAN },
	{ "a running handshake holds without a 150",
	  { 0 },
	  TLS_P_IN PASV_PLAN "H running\n",
	  "C APPE x\n  hold\nH decided\nC APPE x\n  s APPE x\n  start upload private\n" },
	{ "the wait for it is over", { 0 }, TLS_P_IN PASV_PLAN "H running\nH -\n", OPENS },
	{ "STOU: its 150 names the file",
	  { 0 },
	  TLS_P_IN PASV_PLAN,
	  "C STOU\n  s STOU\n  start upload private\n" },
	{ "downloads change no file",
	  { 0 },
	  TLS_P_IN PASV_PLAN,
	  "C RETR x\n  s RETR x\n  start download private\n" },
	{ "in the clear nothing is refused", { 0 }, PASSIVE, "C STOR x\n  s STOR x\n  start upload clear\n" },
};

#define LOST "  c 426 Connection closed; transfer aborted.\n  close-data\n"
#define CUT                                                                                                  \
	"  c 426 Connection closed; transfer aborted: the data ended without close_notify.\n  close-data\n"
#define NO_CLIENT  "  c 425 Can't open data connection to the client.\n  close-data\n"
#define TLS_FAILED "  c 522 TLS negotiation failed on the data connection.\n  close-data\n"
#define REUSE(why)                                                                                           \
	"  c 522 Policy requires the data connection to resume the TLS session of this control "             \
	"connection: " why ".\n  close-data\n"
#define STALLED	    "  c 426 Transfer aborted: the data connection stalled.\n  close-data\n"
#define SERVER_SAID "  c 426 reset\n  close-data\n"

/* What came of the data, times what the server says. */
static const struct script_case results[] = {
	{ "no client, 226", { 0 }, GOING, "D no-client\nS 226 done\n" NO_CLIENT },
	{ "no client, 426", { 0 }, GOING, "D no-client\nS 426 reset\n" NO_CLIENT },
	{ "no server, 226",
	  { 0 },
	  GOING,
	  "D no-server\nS 226 done\n  c 425 Can't open data connection to the FTP server.\n  close-data\n" },
	{ "no server, 426", { 0 }, GOING, "D no-server\nS 426 reset\n" SERVER_SAID },
	{ "TLS, 226", { 0 }, GOING, "D tls\nS 226 done\n" TLS_FAILED },
	{ "TLS, 426", { 0 }, GOING, "D tls\nS 426 reset\n" TLS_FAILED },
	{ "not resumed, 226", { 0 }, GOING, "D reuse\nS 226 done\n" REUSE("it offered no session") },
	{ "not resumed, 426", { 0 }, GOING, "D reuse\nS 426 reset\n" REUSE("it offered no session") },
	{ "unknown ticket",
	  { 0 },
	  GOING,
	  "D ticket-unknown\nS 226 done\n" REUSE("its session ticket is unknown here") },
	{ "foreign ticket",
	  { 0 },
	  GOING,
	  "D ticket-other\nS 226 done\n" REUSE("its session ticket belongs to another session") },
	{ "old ticket",
	  { 0 },
	  GOING,
	  "D ticket-expired\nS 226 done\n" REUSE("its session ticket has expired") },
	{ "unfit ticket",
	  { 0 },
	  GOING,
	  "D ticket-unfit\nS 226 done\n" REUSE("its session cannot be resumed") },
	{ "TLS 1.2 without extended master secret",
	  { 0 },
	  GOING,
	  "D no-ems\nS 226 done\n" REUSE("TLS 1.2 needs the extended master secret (RFC 7627) for that") },
	{ "another client certificate",
	  { 0 },
	  GOING,
	  "D certificate\nS 226 done\n"
	  "  c 522 The data connection must use the client certificate of this control connection.\n"
	  "  close-data\n" },
	{ "a cipher that does not encrypt",
	  { 0 },
	  GOING,
	  "D not-private\nS 226 done\n"
	  "  c 522 Policy requires a cipher that encrypts on the data connection.\n"
	  "  close-data\n" },
	{ "cut, 226", { 0 }, GOING, "D cut\nS 226-stored\nS 226 done\n" CUT },
	{ "cut, 426", { 0 }, GOING, "D cut\nS 426 reset\n" CUT },
	{ "client lost, 226", { 0 }, GOING, "D client-lost\nS 250 done\n" LOST },
	{ "client lost, 426", { 0 }, GOING, "D client-lost\nS 426 reset\n" SERVER_SAID },
	{ "client lost, 350", { 0 }, GOING, "D client-lost\nS 350 what?\n" LOST },
	{ "server lost, 226", { 0 }, GOING, "D server-lost\nS 226 done\n" LOST },
	{ "server lost, 426", { 0 }, GOING, "D server-lost\nS 426 reset\n" SERVER_SAID },
	{ "stalled, 226", { 0 }, GOING, "D stalled\nS 226 done\n" STALLED },
	{ "stalled, 426", { 0 }, GOING, "D stalled\nS 426 reset\n" STALLED },
	{ "aborted, 226", { 0 }, GOING, "D aborted\nS 226 done\n" LOST },
	{ "aborted, 426", { 0 }, GOING, "D aborted\nS 426 reset\n" SERVER_SAID },
	{ "226 first, then cut", { 0 }, GOING, "S 226 done\n  hold\nD cut\nS 226 done\n" CUT },
	{ "no 1yz, then cut",
	  { 0 },
	  PASSIVE "C STOR x\n",
	  "S 226 done\n  go\n  hold\nD cut\nS 226 done\n" CUT },
	{ "before 150",
	  { 0 },
	  PASSIVE "C STOR x\n",
	  "D server-lost\nS 150 go\n  c 150 go\nS 226 done\n" LOST },
	{ "before a refusal",
	  { 0 },
	  PASSIVE "C STOR x\n",
	  "D server-lost\nS 550 no\n  c 550 no\n  close-data\n" },
	{ "the next one starts anew",
	  { 0 },
	  GOING "D cut\nS 226 done\n" PASV_PLAN,
	  "C RETR y\n  s RETR y\n  start download clear\nS 150 go\n  c 150 go\n  go\nD ok\n"
	  "S 226 done\n  c 226 done\n  close-data\n" },
	{ "no transfer", { 0 }, LOGGED_IN, "D ok\nD cut\nC NOOP\n  s NOOP\n" },
};

#define ABOR	   "C ABOR\n  s ABOR\n  side-wait 2000\n  doubt\n"
#define ABOR_AGAIN "C ABOR\n  s ABOR\n  doubt\n"
#define BROKEN	   "S 426 off\n  abort\n  hold\nD aborted\nS 426 off\n  c 426 off\n  close-data\n"
#define MOMENT	   "  side-wait 2000\n"
#define DONE	   "D ok\nS 226 done\n  c 226 done\n  close-data\n"
#define ABORT_DONE "S 226 abort\n  c 226 abort\n"

/* ABOR goes to the server alone and at once, and its answer is not mistaken for the transfer's. */
static const struct script_case abor[] = {
	{ "answered twice",
	  { 0 },
	  GOING,
	  ABOR BROKEN MOMENT "C PWD\n  hold\n" ABORT_DONE "C PWD\n  s PWD\n" },
	{ "answered once",
	  { 0 },
	  GOING,
	  ABOR BROKEN MOMENT "C PWD\n  hold\nT -\nC PWD\n  unanswered ABOR\n  s PWD\n" },
	{ "answered once, and nothing follows: a late answer still counts",
	  { 0 },
	  GOING,
	  ABOR BROKEN MOMENT "T -\n" ABORT_DONE "C PWD\n  s PWD\n" },
	{ "answered after the gateway stopped waiting",
	  { 0 },
	  GOING,
	  ABOR BROKEN MOMENT "T -\nC PWD\n  unanswered ABOR\n  s PWD\nS 226 abort\n  c 226 abort\n"
			     "S 257 /\n  c 257 /\nC PWD\n  s PWD\n" },
	{ "answered while the gateway asks for a port",
	  { 0 },
	  GOING,
	  ABOR BROKEN MOMENT "T -\nC PASV\n  unanswered ABOR\n  s EPSV\nS 225 abort\n  c 225 abort\n"
			     "S 229 x (|||2001|)\n  dial server 10.0.0.1:2001\n  listen client\n" },
	{ "answered before the next 150",
	  { 0 },
	  GOING,
	  ABOR BROKEN MOMENT "T -\nC PASV\n  unanswered ABOR\n  s EPSV\nS 229 x (|||2001|)\n"
			     "  dial server 10.0.0.1:2001\n  listen client\nL client 192.0.2.1:5002\n"
			     "  c 227 Entering Passive Mode (192,0,2,1,19,138).\n"
			     "C RETR y\n  s RETR y\n  start download clear\n"
			     "S 225 abort\n  c 225 abort\n"
			     "S 150 go\n  c 150 go\n  go\n" DONE },
	/* Pure-FTPd, when the client has closed its data connection */
	{ "a bare 150 for the transfer, then 226 for ABOR",
	  { 0 },
	  GOING "D client-lost\nS 150 0.3 seconds\n",
	  ABOR "S 226 Since you see this\n  c 226 Since you see this\nC PWD\n  close-data\n  s PWD\n" },
	{ "a bare 150 for the transfer, and no ABOR",
	  { 0 },
	  GOING "D client-lost\nS 150 0.3 seconds\n",
	  "C PWD\n  hold\n  side-wait 2000\nT -\n  close-data\n  unanswered transfer\nC PWD\n  s PWD\n" },
	{ "a bare 150 for the transfer, and then its 426",
	  { 0 },
	  GOING "D client-lost\nS 150 0.3 seconds\n",
	  ABOR "S 426 off\n  c 426 off\n  close-data\n" MOMENT ABORT_DONE "C PWD\n  s PWD\n" },
	{ "550 is the upload's: nothing refuses ABOR so",
	  { 0 },
	  GOING "D client-lost\n",
	  ABOR "S 550 reset\n  c 550 reset\n  close-data\n" MOMENT "S 225 no\n  c 225 no\nC PWD\n  s PWD\n" },
	{ "too late: the transfer was over",
	  { 0 },
	  GOING "D ok\n",
	  ABOR "S 226 done\n  c 226 done\n  close-data\n" MOMENT "S 225 no\n  c 225 no\nC PWD\n  s PWD\n" },
	{ "refused by the server",
	  { 0 },
	  GOING,
	  ABOR "S 502 what?\n  c 502 what?\n  trust\n" DONE "C PWD\n  s PWD\n" },
	{ "refused once, open once",
	  { 0 },
	  GOING,
	  ABOR ABOR_AGAIN
	  "S 502 what?\n  c 502 what?\nD client-lost\nS 426 off\n  c 426 off\n  close-data\n" MOMENT },
	/* The server has sent all and says so once; the client reads no more, so the data would never be
	   done. */
	{ "226 while the client does not read",
	  { 0 },
	  GOING,
	  "S 226 done\n  hold\n" ABOR "S 226 done\n  abort\n  hold\nD aborted\n"
	  "S 226 done\n" LOST MOMENT "S 225 no\n  c 225 no\nC PWD\n  s PWD\n" },
	{ "one 226 for both",
	  { 0 },
	  GOING,
	  ABOR "S 226 abort\n  abort\n  hold\nD aborted\nS 226 abort\n" LOST MOMENT
	       "C PWD\n  hold\nT -\nC PWD\n  unanswered ABOR\n  s PWD\n" },
	{ "one 225 for both",
	  { 0 },
	  GOING,
	  ABOR "S 225 abort\n  c 225 abort\nD client-lost\nC PASV\n  close-data\n  s EPSV\n"
	       "S 229 x (|||2001|)\n  dial server 10.0.0.1:2001\n  listen client\n" },
	{ "one 225 for both, and a late 426",
	  { 0 },
	  GOING,
	  ABOR "S 225 abort\n  c 225 abort\nD client-lost\nC PASV\n  close-data\n  s EPSV\nS 426 off\n"
	       "  c 426 off\nS 229 x (|||2001|)\n  dial server 10.0.0.1:2001\n  listen client\n" },
	{ "a server that reads only its data connection",
	  { 0 },
	  GOING,
	  ABOR "T -\n  abort\nD aborted\nS 426 broken\n  c 426 broken\n  close-data\n" MOMENT
	       "S 225 no\n  c 225 no\nC PWD\n  s PWD\n" },
	{ "ABOR before the 150 of such a server",
	  { 0 },
	  PASSIVE "C RETR x\n",
	  ABOR "T -\nS 150 go\n  c 150 go\n  side-wait 2000\n  go\nT -\n  abort\n" },
	{ "no TLS on the data connection: the client has aborted it",
	  { 0 },
	  GOING,
	  ABOR "D tls\nS 226 done\n" LOST MOMENT },
	{ "one 225 for both, and the data does not end",
	  { 0 },
	  GOING,
	  ABOR "S 225 abort\n  c 225 abort\nC PASV\n  hold\n"
	       "T -\n  abort\n  close-data\n  unanswered transfer\nC PASV\n  s EPSV\n" },
	{ "225, then 426",
	  { 0 },
	  GOING,
	  ABOR "S 225 abort\n  c 225 abort\nC PASV\n  hold\n" BROKEN "T -\nC PASV\n  s "
	       "EPSV\n" },
	{ "before 150",
	  { 0 },
	  PASSIVE "C RETR x\n",
	  ABOR "S 426 off\n  c 426 off\n  refused\n" MOMENT ABORT_DONE "C PWD\n  s PWD\n" },
	{ "twice, answered once each",
	  { 0 },
	  GOING,
	  ABOR ABOR_AGAIN "C NOOP\n  s NOOP\nD client-lost\nS 426 off\n  c 426 off\n  close-data\n" MOMENT
			  "C PWD\n  hold\n" ABORT_DONE
			  "S 225 no\n  c 225 no\nS 200 ok\n  c 200 ok\nC ABOR\n  s ABOR\n"
			  "S 225 no\n  c 225 no\nC PWD\n  s PWD\n" },
	{ "with NOOP and STAT around it",
	  { 0 },
	  GOING,
	  "C NOOP\n  s NOOP\n" ABOR "C STAT\n  s STAT\nS 200 ok\n  c 200 ok\n"
	  "D client-lost\nS 426 off\n  c 426 off\n  close-data\n" MOMENT
	  "S 211-idle\n  c 211-idle\nS 211 idle\n  c 211 idle\nC PWD\n  hold\n" ABORT_DONE
	  "C PWD\n  s PWD\n" },
	/* Pure-FTPd drops what comes with another command: the NOOPs are never answered */
	{ "however many NOOPs have no answer",
	  { 0 },
	  GOING,
	  "C NOOP\n  s NOOP\nC STAT\n  s STAT\nC NOOP\n  s NOOP\nC STAT\n  s STAT\nC NOOP\n  s NOOP\n"
	  "C STAT\n  s STAT\nC NOOP\n  s NOOP\nC STAT\n  s STAT\nC NOOP\n  s NOOP\nC STAT\n  s STAT\n"
	  "C NOOP\n  s NOOP\nC STAT\n  s STAT\nC NOOP\n  s NOOP\nC STAT\n  s STAT\nC NOOP\n  s NOOP\n"
	  "C NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC STAT\n  hold\n" ABOR ABOR_AGAIN BROKEN MOMENT ABORT_DONE
	  "S 225 no\n  c 225 no\nC PWD\n  hold\nT -\nC PWD\n  unanswered NOOP\n  unanswered STAT\n  s PWD\n" },
};

static const struct script_case beside[] = {
	{ "STAT",
	  { 0 },
	  GOING,
	  "C STAT\n  s STAT\nS 211-a\n  c 211-a\nS  b\n  c  b\nS 211 c\n  c 211 c\n" DONE },
	{ "STAT, answered after the transfer",
	  { 0 },
	  GOING,
	  "C STAT x\n  s STAT x\n" DONE MOMENT "C PWD\n  hold\nS 450 no\n  c 450 no\nC PWD\n  s PWD\n" },
	{ "STAT, refused",
	  { 0 },
	  GOING,
	  "C STAT\n  s STAT\nS 502-no\n  c 502-no\nS 502 no\n  c 502 no\n" DONE "C PWD\n  s PWD\n" },
	{ "STAT, refused after the data",
	  { 0 },
	  GOING "D ok\n",
	  "C STAT\n  s STAT\nS 530 no\n  c 530 no\nS 226 done\n  c 226 done\n  close-data\n" },
	{ "STAT, refused for the time of the transfer",
	  { 0 },
	  GOING,
	  "C STAT\n  s STAT\nS 450 Transfer in progress\n  c 450 Transfer in progress\n" DONE },
	{ "NOOP",
	  { 0 },
	  GOING,
	  "C NOOP\n  s NOOP\nS 200 ok\n  c 200 ok\nC noop x\n  s noop x\n" DONE MOMENT
	  "S 200 ok\n  c 200 ok\nC PWD\n  s PWD\n" },
	{ "NOOP, refused for the time of the transfer",
	  { 0 },
	  GOING,
	  "C NOOP\n  s NOOP\nS 450 Transfer in progress\n  c 450 Transfer in progress\nC NOOP\n  s NOOP\n"
	  "S 450-Transfer\n  c 450-Transfer\nS 450 in progress\n  c 450 in progress\n" DONE
	  "C PWD\n  s PWD\n" },
	{ "NOOP, never answered",
	  { 0 },
	  GOING,
	  "C NOOP\n  s NOOP\nC NOOP\n  s NOOP\n" DONE MOMENT "C PWD\n  hold\nT -\nC PWD\n  unanswered NOOP\n"
	  "  s PWD\nS 257 /\n  c 257 /\nS 200 late\n  c 200 late\nS 200 late\n  c 200 late\n" },
	{ "a refusal that was the transfer's, and no answer to NOOP",
	  { 0 },
	  GOING,
	  "C NOOP\n  s NOOP\nD server-lost\nS 550 disk\n  c 550 disk\nC PWD\n  hold\n  side-wait 2000\n"
	  "T -\n  close-data\n  unanswered transfer\nC PWD\n  s PWD\n" },
	{ "a refusal that was the transfer's, then the answer to NOOP",
	  { 0 },
	  GOING,
	  "C NOOP\n  s NOOP\nD ok\nS 550 disk\n  c 550 disk\nS 200 ok\n  c 200 ok\n  close-data\n"
	  "C PWD\n  s PWD\n" },
	/* the server may still be writing to its disk: wait until the client sends its next command */
	{ "a refused NOOP, and a long wait for the 226",
	  { 0 },
	  GOING,
	  "C NOOP\n  s NOOP\nS 450 busy\n  c 450 busy\nC PWD\n  hold\n" DONE "C PWD\n  s PWD\n" },
	{ "codes that end a transfer end it, even if side commands are unanswered",
	  { 0 },
	  GOING,
	  "C NOOP\n  s NOOP\nS 451 disk\n  failed\n  side-wait 2000\n  hold\nD server-lost\nS 451 disk\n  c 451 disk\n  close-data\n" MOMENT
	  "S 200 ok\n  c 200 ok\nC PWD\n  s PWD\n" },
	{ "NOOP is answered in the next transfer",
	  { 0 },
	  GOING,
	  "C NOOP\n  s NOOP\n" DONE MOMENT "T -\nC PASV\n  unanswered NOOP\n  s EPSV\nS 200 ok\n  c 200 ok\n"
	  "S 229 x (|||2001|)\n  dial server 10.0.0.1:2001\n  listen client\n" },
	{ "NOOP is refused in the next transfer",
	  { 0 },
	  GOING "C NOOP\n" DONE "T -\n" PASV_PLAN "C RETR x\nS 150 go\n",
	  "S 500 what?\n  c 500 what?\n" DONE },
	{ "as many as the client likes",
	  { 0 },
	  GOING,
	  "C NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC NOOP\n  s NOOP\n"
	  "C NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC NOOP\n  s NOOP\n"
	  "C NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC NOOP\n  s NOOP\n"
	  "C NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC NOOP\n  s NOOP\nC NOOP\n  s NOOP\n"
	  "S 200 ok\n  c 200 ok\n" },
	{ "before 150",
	  { 0 },
	  PASSIVE "C RETR x\n",
	  "C NOOP\n  s NOOP\nS 200 ok\n  c 200 ok\nS 150 go\n  c 150 go\n  go\n" },
	{ "before 150, and unknown to the server",
	  { 0 },
	  PASSIVE "C RETR x\n",
	  "C NOOP\n  s NOOP\nS 502 what?\n  c 502 what?\nS 150 go\n  c 150 go\n  go\n" DONE },
	{ "before 150, and the transfer is unknown",
	  { 0 },
	  PASSIVE "C MLSD\n",
	  "C NOOP\n  s NOOP\nS 502 what?\n  c 502 what?\nS 200 ok\n  c 200 ok\nC PWD\n  hold\n"
	  "  side-wait 2000\nT -\n  abort\n  close-data\n  unanswered transfer\nC PWD\n  s PWD\n" },
	{ "200 before 150",
	  { 0 },
	  PASSIVE "C RETR x\n",
	  "S 200 ok\n  c 200 ok\nS 150 go\n  c 150 go\n  go\nC PWD\n  hold\n" DONE },
	{ "200 in place of all else",
	  { 0 },
	  PASSIVE "C LIST\n",
	  "S 200 nothing\n  c 200 nothing\nC PWD\n  hold\n  side-wait 2000\nT -\n  abort\n  close-data\n"
	  "  unanswered transfer\nC PWD\n  s PWD\n" },
	{ "200, and the 150 comes late: the server has not got the end of an empty file",
	  { 0 },
	  PASSIVE "C STOR x\n",
	  "S 200 soon\n  c 200 soon\nC PWD\n  hold\n  side-wait 2000\nT -\n  abort\n  close-data\n"
	  "  unanswered transfer\nC PWD\n  s PWD\nS 150 go\n  c 150 go\nS 226 done\n"
	  "  c 426 Connection closed; transfer aborted.\nS 257 /\n  c 257 /\n" },
	{ "ABOR succeeds before the 150, which never comes",
	  { 0 },
	  PASSIVE "C STOR x\n" ABOR,
	  "S 225 abort\n  c 225 abort\nC PWD\n  hold\nT -\n  abort\n  close-data\n  unanswered transfer\n"
	  "C PWD\n  s PWD\n" },
	{ "nothing gets between the lines of a late answer",
	  { 0 },
	  GOING "C STAT\n" DONE "T -\nC PWD\n",
	  "S 257 /\n  c 257 /\nS 211-a\n  c 211-a\nC PROT C\n  hold\nS 211 b\n  c 211 b\n" },
	{ "others wait",
	  { 0 },
	  GOING,
	  "C QUIT\n  hold\nC AUTH TLS\n  hold\nC REIN\n  hold\nC PASV\n  hold\nC PROT C\n  hold\nC RETR y\n"
	  "  hold\nC FEAT\n  hold\nC XYZZY\n  hold\nD ok\nC QUIT\n  hold\nS 226 done\n  c 226 done\n"
	  "  close-data\nC QUIT\n  s QUIT\nS 221 bye\n  c 221 bye\n  close quit\n" },
	{ "the server goes",
	  { 0 },
	  GOING,
	  "! lost\n  c 421 The FTP server closed the connection.\n  close server-lost\nD server-lost\n" },
};

static const struct ftp_action primes = { SCRIPT_LENIENT, .ccc_prime = true };

/* Rare replies during a transfer. */
static const struct script_case side_by_side[] = {
	{ "225 is not the last reply while NOOP has no answer",
	  { 0 },
	  GOING,
	  "C NOOP\n  s NOOP\n" ABOR
	  "T -\n  abort\nD aborted\nS 225 abort\n  c 225 abort\nC PWD\n  hold\n" MOMENT
	  "T -\n  close-data\n  unanswered transfer\nC PWD\n  unanswered NOOP\n  s PWD\n" },
	{ "a transfer that fails after one whose NOOP had no answer",
	  { 0 },
	  GOING "C NOOP\n" DONE "T -\n" PASV_PLAN "C STOR x\nS 150 go\nD server-lost\n",
	  "S 452 full\n  c 452 full\nC PWD\n  hold\n" MOMENT "T -\n  close-data\n  unanswered transfer\n"
	  "C PWD\n  s PWD\n" },
	{ "225 for both after an ABOR that had no answer",
	  { 0 },
	  GOING ABOR BROKEN "T -\n" PASV_PLAN "C STOR x\nS 150 go\n",
	  ABOR "S 225 abort\n  c 225 abort\nD client-lost\nC PWD\n  close-data\n  s PWD\n" },
	{ "the transfer's last reply is open when the next command comes",
	  { 0 },
	  GOING,
	  ABOR
	  "S 225 abort\n  c 225 abort\nD ok\nS 226-done\n  c 226-done\nC PWD\n  hold\nT -\nC PWD\n  hold\n" MOMENT
	  "S 226 done\n  c 226 done\n  close-data\nC PWD\n  s PWD\n" },
	{ "a drain waits for the end of a reply",
	  { 0 },
	  GOING "! shutdown\nC STAT\n" DONE "S 211-a\n",
	  "T -\nS 211 b\n  c 211 b\n  c 421 Service is shutting down, try again later.\n  close shutdown\n" },
	{ "a late 226 for data that was aborted",
	  { 0 },
	  GOING,
	  ABOR "S 225 abort\n  c 225 abort\nT -\n  abort\n  close-data\n  unanswered transfer\nS 226-done\n"
	       "S 226 done\n  c 426 Connection closed; transfer aborted.\nC PWD\n  s PWD\n" },
	{ "a late 226 for data that was cut",
	  { 0 },
	  PASSIVE "C STOR x\nS 150 go\nC NOOP\nS 450 busy\nD cut\n",
	  "C PWD\n  hold\n" MOMENT "T -\n  close-data\n  unanswered transfer\nC PWD\n  s PWD\nS 226 done\n"
	  "  c 426 Connection closed; transfer aborted: the data ended without close_notify.\n"
	  "S 257 /\n  c 257 /\n" },
	{ "a late 226 while the gateway asks for a port",
	  { 0 },
	  GOING "C NOOP\nS 450 busy\nD ok\nC PWD\nT -\n",
	  "C PASV\n  s EPSV\nS 226 done\n  c 226 done\nS 229 x (|||2001|)\n  dial server 10.0.0.1:2001\n"
	  "  listen client\n" },
	{ "after one 225 for both, another command fails",
	  { 0 },
	  GOING ABOR "S 225 abort\nD client-lost\n",
	  "C DELE x\n  close-data\n  s DELE x\nS 451 no\n  c 451 no\nC PWD\n  s PWD\n" },
	{ "after one 225 for both, there is no port",
	  { 0 },
	  GOING ABOR "S 225 abort\nD client-lost\n",
	  "C PASV\n  close-data\n  s EPSV\nS 425 no\n  close-data\n  c 425 no\nC PWD\n  s PWD\n" },
	{ "two late 226",
	  { 0 },
	  GOING "C NOOP\nS 450 busy\nC ABOR\nD server-lost\nC PWD\nT -\n",
	  "C PWD\n  unanswered ABOR\n  s PWD\nS 226 done\n  c 426 Connection closed; transfer aborted.\n"
	  "S 226 abort\n  c 226 abort\nS 257 /\n  c 257 /\n" },
	{ "a late 426, and ABOR once more",
	  { 0 },
	  GOING ABOR "S 225 abort\nD client-lost\nC PWD\nS 257 /\n",
	  "C ABOR\n  s ABOR\nS 426 off\n  c 426 off\nS 226 abort\n  c 226 abort\n"
	  "C PWD\n  s PWD\n" },
	{ "unsolicited answers abort nothing",
	  { 0 },
	  GOING,
	  "S 211 hm\n  c 211 hm\nC PWD\n  hold\nS 226 done\n  hold\nD ok\nS 226 done\n  c 226 done\n"
	  "  close-data\nC PWD\n  s PWD\n" },
	{ "200 in place of 150",
	  { 0 },
	  PASSIVE "C RETR x\n",
	  "S 200 ok\n  c 200 ok\nS 226 done\n  go\n  hold\nC PWD\n  hold\nS 226 done\n  hold\nD ok\nS 226 done\n"
	  "  c 226 done\n  close-data\n" },
	{ "one ABOR succeeded, the other was refused",
	  { 0 },
	  GOING,
	  ABOR ABOR_AGAIN "S 225 abort\n  c 225 abort\nS 502 what?\n  c 502 what?\n" },
	{ "a late answer while a port is opened for the client",
	  { 0 },
	  GOING ABOR BROKEN "T -\nC PASV\nS 229 x (|||2001|)\n",
	  "S 225-late\n  hold\nL client 192.0.2.1:5002\n  c 227 Entering Passive Mode (192,0,2,1,19,138).\n"
	  "S 225-late\n  c 225-late\nS 225 abort\n  c 225 abort\n" },
	{ "a late answer between the halves of a 227",
	  { .action = &primes },
	  TLS_IN PASV_PLAN "C RETR x\nS 150 go\n" ABOR BROKEN "T -\nC CCC\nC PASV\nS 229 x (|||2001|)\n",
	  "L client 192.0.2.1:5002\n  c 227-Entering Passive Mode\n  segment\nS 225 abort\n  hold\nR -\n"
	  "  c 227 Entering Passive Mode (192,0,2,1,19,138).\nS 225 abort\n  c 225 abort\n" },
	{ "a late answer that was matched to a later command",
	  { 0 },
	  GOING "C NOOP\n" DONE "T -\n",
	  "C PWD\n  unanswered NOOP\n  s PWD\nS 200 ok\n  c 200 ok\nS 257 /\n  c 257 /\nC PWD\n  s PWD\nS 257 /\n"
	  "  c 257 /\nS 257 /\n  stray 257 /\n  c 421 The FTP server sent an unexpected reply; closing.\n"
	  "  close unsolicited-reply\n" },
};

static const struct ftp_action waits = {
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.dswaittime_min = 2,
	.dswaitinterval_s = 60,
};

static const struct ftp_action waits_securing = {
	SCRIPT_LENIENT,
	.dswaittime_min = 2,
	.dswaitinterval_s = 60,
};

#define WAITS(attempts)                                                                                      \
	"  c 125-busy\n  c 125-Data set access will be retried in 1 minute intervals - " attempts            \
	" attempts remaining\n  refused\n  pause 60000\n"
#define SILENT	   "S 450 busy\n  refused\n  pause 60000\n"
#define WAIT_ENDS  "  c 125 The wait has ended.\n"
#define RETRY_PLAN "R -\n  s EPSV\nS 229 x (|||2001|)\n  dial server 10.0.0.1:2001\n  retry\n"

static const struct script_case waiting[] = {
	{ "until the file is free",
	  { .action = &waits },
	  PASSIVE "C RETR x\n",
	  "S 450 busy\n" WAITS("2") "C STAT\n  hold\n" RETRY_PLAN "C STAT\n  hold\n"
				    "S 150 go\n  c 125 go\n  go\nC STAT\n  s STAT\n" DONE MOMENT },
	/* Whatever else has to be answered would be lost between the 125- lines, and the retry with it. */
	{ "not while side commands are unanswered",
	  { .action = &waits },
	  PASSIVE "C RETR x\nC STAT\n",
	  "S 450 busy\n  c 450 busy\n  refused\n" MOMENT "S 211 ok\n  c 211 ok\nC PWD\n  s PWD\n" },
	{ "not after ABOR",
	  { .action = &waits },
	  PASSIVE "C RETR x\nC ABOR\n",
	  "S 450 busy\n  c 450 busy\n  refused\n" MOMENT "S 225 no\n  c 225 no\nC PWD\n  s PWD\n" },
	{ "421 is not lost in the open reply",
	  { .action = &waits },
	  PASSIVE "C RETR x\nS 450 busy\n",
	  "S 421 bye\n" WAIT_ENDS "  c 421 bye\n  close server-421\n" },
	{ "nor are our own last words",
	  { .action = &waits },
	  PASSIVE "C RETR x\nS 450 busy\n",
	  "! shutdown\n" WAIT_ENDS "  c 421 Service is shutting down, try again later.\n  close shutdown\n" },
	{ "after the gateway's 150, without a word",
	  { .action = &waits_securing },
	  TLS_P_IN PASV_PLAN "C STOR x\nH decided\nC STOR x\n",
	  SILENT "C PWD\n  hold\n" RETRY_PLAN SILENT RETRY_PLAN
		 "S 150 go\n  go\nD ok\nS 226 done\n  c 226 done\n  close-data\nC PWD\n  s PWD\n" },
	{ "until no attempt is left",
	  { .action = &waits_securing },
	  TLS_P_IN PASV_PLAN "C STOR x\nH decided\nC STOR x\n",
	  SILENT RETRY_PLAN SILENT RETRY_PLAN
	  "S 450-busy\n  c 450-busy\nS 450 still\n  c 450 still\n  dismiss\n"
	  "  close-data\nC STOR x\n" NO_PLAN },
	{ "or until ABOR",
	  { .action = &waits_securing },
	  TLS_P_IN PASV_PLAN "C STOR x\nH decided\nC STOR x\n",
	  SILENT "C ABOR\n  c 426 Connection closed; transfer aborted.\n"
		 "  c 226 Abort successful.\n  close-data\n" },
	{ "not into a shutdown",
	  { .action = &waits },
	  PASSIVE "C RETR x\n! shutdown\n",
	  "S 450 busy\n  c 450 busy\n  refused\n  c 421 Service is shutting down, try again later.\n"
	  "  close shutdown\n" },
};

#define TEST(cases)                                                                                          \
	static void cases##_dialogues(void **state)                                                          \
	{                                                                                                    \
		(void)state;                                                                                 \
		SCRIPT_CHECK_ALL(cases);                                                                     \
	}
TEST(order)
TEST(refused)
TEST(levels)
TEST(securing)
TEST(results)
TEST(abor)
TEST(beside)
TEST(side_by_side)
TEST(waiting)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_dialogues),   cmocka_unit_test(refused_dialogues),
		cmocka_unit_test(levels_dialogues),  cmocka_unit_test(securing_dialogues),
		cmocka_unit_test(results_dialogues), cmocka_unit_test(abor_dialogues),
		cmocka_unit_test(beside_dialogues),  cmocka_unit_test(side_by_side_dialogues),
		cmocka_unit_test(waiting_dialogues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
