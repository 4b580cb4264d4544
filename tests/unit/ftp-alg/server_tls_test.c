/*
 * The machine's dialogues with servers that speak TLS: AUTH and implicit, PBSZ and
 * PROT before data connections, CCC after the login, and what the client hears when
 * the server refuses one of these or somebody else speaks in its place.
 */
#include "tests/unit/machine-script.h"

#define PRIVATE .tls = true, .tlsrfclevel = TLSRFCLEVEL_RFC4217
#define MIRROR	PRIVATE, .ctrlconn = SECURE_CLEAR, .dataconn = SECURE_CLEAR
#define LEAVES	PRIVATE, .ctrlconn = SECURE_CLEAR, .ccc = SERVER_CCC_AFTER_LOGIN

static const struct server_security strict = { PRIVATE };
static const struct server_security ssl = { PRIVATE, .mechanism = SECURE_MECHANISM_SSL };
static const struct server_security implicit = { PRIVATE, .mechanism = SECURE_MECHANISM_IMPLICIT };
static const struct server_security implicit_zos = { PRIVATE, .mechanism = SECURE_MECHANISM_IMPLICIT,
						     .secureimplicitzos = true };
static const struct server_security safe = { PRIVATE, .dataconn = SECURE_SAFE };
static const struct server_security never = { PRIVATE, .dataconn = SECURE_NEVER };
static const struct server_security never_ssl = { PRIVATE, .dataconn = SECURE_NEVER,
						  .mechanism = SECURE_MECHANISM_SSL };
static const struct server_security mirror = { MIRROR };
static const struct server_security mirror_ssl = { MIRROR, .mechanism = SECURE_MECHANISM_SSL };
static const struct server_security leaves = { LEAVES };
static const struct server_security leaves_never = { LEAVES, .dataconn = SECURE_NEVER };
static const struct server_security leaves_mirror = { LEAVES, .dataconn = SECURE_CLEAR };
static const struct server_security leaves_silently = { .tls = true,
							.ctrlconn = SECURE_CLEAR,
							.ccc = SERVER_CCC_AFTER_LOGIN,
							.tlsrfclevel = TLSRFCLEVEL_CCCNONOTIFY };
static const struct server_security leaves_draft = { .tls = true,
						     .ctrlconn = SECURE_CLEAR,
						     .ccc = SERVER_CCC_AFTER_LOGIN };
static const struct server_security leaves_private = { PRIVATE, .ccc = SERVER_CCC_AFTER_LOGIN };
static const struct server_security leaves_implicit = { LEAVES, .mechanism = SECURE_MECHANISM_IMPLICIT };
static const struct server_security no_tls = { .mechanism = SECURE_MECHANISM_SSL };

static const struct ftp_action quiet = { SCRIPT_LENIENT, .replysecuritylevel = 1 };
static const struct ftp_action zos = { SCRIPT_LENIENT, .reply_style = REPLY_STYLE_ZOS };
static const struct ftp_action zos_implicit = { SCRIPT_LENIENT, .secureimplicitzos = true };
static const struct ftp_action client_private = { .secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
						  .unknown_commands = UNKNOWN_COMMANDS_PASS,
						  .extensions = EXTENSION_AUTH_TLS,
						  .secure_dataconn = SECURE_PRIVATE };
static const struct ftp_action rejects_port = { .secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
						.secure_ftp = SECURE_FTP_ALLOWED,
						.secure_ctrlconn = SECURE_CLEAR,
						.secure_dataconn = SECURE_CLEAR };

#define UP	GREETED "S 234 go\n! server-tls\n"
#define IN	UP "C USER u\nS 331 ok\nC PASS p\nS 230 in\n"
#define PROT_P	"C PASV\nS 200 PBSZ=0\nS 200 P\n"
#define PLANNED IN PROT_P PASV_PLAN
#define READY	"  c 220 FTP server ready.\n"
#define NO_TLS	"  c 421 The FTP server offers no TLS, which policy requires; closing.\n"
#define FAILED	"  c 421 TLS negotiation with the FTP server failed; closing.\n"
#define INJECTED                                                                                             \
	"  c 421 The FTP server sent bytes in the clear before TLS; closing.\n  close server-injected\n"
#define DOWN "  c 421 The FTP server is not available, try again later.\n"

/* Until TLS is up, nothing that seems to come from the server reaches the client. */
static const struct script_case greeting[] = {
	{ "AUTH TLS",
	  { .security = &strict },
	  NULL,
	  "S 220 hello\n  s AUTH TLS\nS 234 go\n  server-tls-start\n! server-tls\n" READY },
	{ "AUTH SSL",
	  { .security = &ssl },
	  NULL,
	  "S 220 hello\n  s AUTH SSL\nS 234 go\n  server-tls-start\n! server-tls\n" READY },
	{ "implicit, TLS before it", { .security = &implicit }, NULL, "S 220 hello\n  c 220 hello\n" },
	{ "implicit as z/OS has it",
	  { .security = &implicit_zos },
	  NULL,
	  "S 220 hello\n  server-tls-start\n! server-tls\n" READY },
	{ "a backend without TLS", { .security = &no_tls }, NULL, "S 220 hello\n  c 220 hello\n" },
	{ "another server instead of one that says nothing",
	  { .security = &no_tls },
	  NULL,
	  "! again\nS 220 hello\n  c 220 hello\n" },
	{ "another server after the first one's greeting in the clear",
	  { .security = &strict },
	  "S 220 hello\n",
	  "! again\nS 220 other\n  s AUTH TLS\nS 234 go\n  server-tls-start\n! server-tls\n" READY },
	{ "another server instead of one whose handshake fails",
	  { .security = &strict },
	  "S 220 hello\nS 234 go\n",
	  "! again\nS 220 other\n  s AUTH TLS\nS 234 go\n  server-tls-start\n! server-tls\n" READY },
	{ "each of them may refuse AUTH",
	  { .security = &strict },
	  "S 220 hello\n! again\n",
	  "S 220 other\n  s AUTH TLS\nS 500 what?\n  log AUTH: 500 what?\n" NO_TLS
	  "  close server-without-tls\n" },
	{ "another server with TLS before its greeting",
	  { .security = &implicit },
	  "! again\n",
	  "S 220 other\n  c 220 other\n" },
	{ "another server as z/OS has it",
	  { .security = &implicit_zos },
	  "S 220 hello\n",
	  "! again\nS 220 other\n  server-tls-start\n! server-tls\n" READY },
	{ "of several lines",
	  { .security = &strict },
	  NULL,
	  "S 220-hello\nS 234 go\nS  227 (1,2,3,4,5,6)\nS 220 hello\n  s AUTH TLS\n" },
	{ "120 comes first", { .security = &strict }, NULL, "S 120 wait\nS 220 hello\n  s AUTH TLS\n" },
	{ "120 of several lines",
	  { .security = &strict },
	  NULL,
	  "S 120-wait\nS 120 a minute\nS 220 hello\n  s AUTH TLS\n" },
	{ "230 logs nobody in",
	  { .security = &strict },
	  "S 230 in already\nS 234 go\n! server-tls\n",
	  "C PWD\n  c 530 Not logged in: send USER and PASS first.\nC USER u\n  user u\n  s USER u\n" },
	{ "230 under TLS does",
	  { .security = &implicit },
	  "S 230 in already\n",
	  "C PWD\n  logged-in\n  s PWD\n" },
	{ "421", { .security = &strict }, NULL, "S 421 full\n" DOWN "  close server-421\n" },
	{ "421 of several lines",
	  { .security = &strict },
	  NULL,
	  "S 421-full of 10.0.0.1\nS 421 bye\n" DOWN "  close server-421\n" },
	{ "421 under TLS is the server's",
	  { .security = &implicit },
	  NULL,
	  "S 421 full\n  c 421 full\n  close server-421\n" },
	{ "530", { .security = &strict }, NULL, "S 530 not you\n" DOWN "  close server-refused\n" },
	{ "331", { .security = &strict }, NULL, "S 331 password?\n" DOWN "  close server-refused\n" },
	{ "234 goes before AUTH",
	  { .security = &strict },
	  NULL,
	  "S 234 go\n  s AUTH TLS\nS 234 go\n  server-tls-start\n" },
	{ "a port instead",
	  { .security = &strict },
	  NULL,
	  "S 227 (1,2,3,4,5,6)\n  stray 227 (1,2,3,4,5,6)\n"
	  "  c 421 The FTP server sent an unexpected reply; closing.\n  close unsolicited-data-port\n" },
	{ "text before it",
	  { .security = &strict, .drops_strays = true },
	  NULL,
	  "S hello\n  stray hello\nS \n  stray \nS 220 hello\n  s AUTH TLS\n" },
	{ "text before it, strictly",
	  { .security = &strict },
	  NULL,
	  "S hello\n  stray hello\n  c 421 The FTP server sent an unexpected reply; closing.\n"
	  "  close reply-without-code\n" },
	{ "never", { .security = &strict }, NULL, "! down\n" DOWN "  close server-down\n" },
	{ "handshake before it fails",
	  { .security = &implicit },
	  NULL,
	  "! server-tls-failed\n" FAILED "  close server-tls-failed\n" },
	{ "client on the secure port",
	  { .security = &strict, .implicit = true },
	  "! tls\n",
	  "S 220 hello\n  s AUTH TLS\nS 234 go\n  server-tls-start\n! server-tls\n" READY },
	{ "client on the secure port as z/OS has it",
	  { .security = &strict, .implicit = true, .action = &zos_implicit },
	  NULL,
	  "S 220 hello\n  s AUTH TLS\nS 234 go\n  server-tls-start\n! server-tls\n" READY "  tls-start\n" },
};

static const struct script_case auth[] = {
	{ "234 of several lines",
	  { .security = &strict },
	  GREETED,
	  "S 234-go\nS 220 not yet\nS 234 go\n  server-tls-start\n" },
	{ "200",
	  { .security = &strict },
	  GREETED,
	  "S 200 ok\n  log AUTH: 200 ok\n" NO_TLS "  close server-without-tls\n" },
	{ "334",
	  { .security = &strict },
	  GREETED,
	  "S 334 ADAT\n  log AUTH: 334 ADAT\n" NO_TLS "  close server-without-tls\n" },
	{ "230",
	  { .security = &strict },
	  GREETED,
	  "S 230 in\n  log AUTH: 230 in\n" NO_TLS "  close server-without-tls\n" },
	{ "120 is not the end",
	  { .security = &strict },
	  GREETED,
	  "S 120 wait\nS 234 go\n  server-tls-start\n" },
	{ "431",
	  { .security = &strict },
	  GREETED,
	  "S 431 no certificate\n  log AUTH: 431 no certificate\n" NO_TLS "  close server-without-tls\n" },
	{ "500",
	  { .security = &strict },
	  GREETED,
	  "S 500 what?\n  log AUTH: 500 what?\n" NO_TLS "  close server-without-tls\n" },
	{ "502 of several lines",
	  { .security = &strict },
	  GREETED,
	  "S 502-no\nS 234 go\nS 502 TLS\n  log AUTH: 502 TLS\n" NO_TLS "  close server-without-tls\n" },
	{ "504: no other mechanism is tried",
	  { .security = &ssl },
	  GREETED,
	  "S 504 no SSL\n  log AUTH: 504 no SSL\n" NO_TLS "  close server-without-tls\n" },
	{ "530",
	  { .security = &strict },
	  GREETED,
	  "S 530 log in\n  log AUTH: 530 log in\n" NO_TLS "  close server-without-tls\n" },
	{ "534",
	  { .security = &strict },
	  GREETED,
	  "S 534 no\n  log AUTH: 534 no\n" NO_TLS "  close server-without-tls\n" },
	{ "the reason is hidden at level 1",
	  { .security = &strict, .action = &quiet },
	  GREETED,
	  "S 534 no\n  log AUTH: 534 no\n" DOWN "  close server-without-tls\n" },
	{ "421", { .security = &strict }, GREETED, "S 421 of 10.0.0.1\n" DOWN "  close server-421\n" },
	{ "a port",
	  { .security = &strict },
	  GREETED,
	  "S 229 x (|||2000|)\n  stray 229 x (|||2000|)\n"
	  "  c 421 The FTP server sent an unexpected reply; closing.\n  close unsolicited-data-port\n" },
	{ "no reply at all",
	  { .security = &strict, .drops_strays = true },
	  GREETED,
	  "S \n  stray \nS text\n  stray text\n  c 421 The FTP server sent an unexpected reply; closing.\n"
	  "  close reply-without-code\n" },
	{ "nothing",
	  { .security = &strict },
	  GREETED,
	  "! silent\n  c 421 The FTP server does not answer; closing.\n  close server-silent\n" },
	{ "the end",
	  { .security = &strict },
	  GREETED,
	  "! lost\n  c 421 The FTP server closed the connection.\n  close server-lost\n" },
};

static const struct script_case handshake[] = {
	{ "the client's lines wait, whatever they are",
	  { .security = &strict },
	  NULL,
	  "C USER u\n  hold\nS 220 hello\n  s AUTH TLS\nC USER u\n  hold\nC PASS p\n  hold\nB long\n  hold\n"
	  "S 234 go\n  server-tls-start\nC USER u\n  hold\nC AUTH TLS\n  hold\nC QUIT\n  hold\nC ABOR\n  hold\n"
	  "! server-tls\n" READY "C USER u\n  user u\n  s USER u\n" },
	{ "it fails",
	  { .security = &strict },
	  GREETED "S 234 go\n",
	  "! server-tls-failed\n" FAILED "  close server-tls-failed\nC USER u\n" },
	{ "it fails, at level 1",
	  { .security = &strict, .action = &quiet },
	  GREETED "S 234 go\n",
	  "! server-tls-failed\n" DOWN "  close server-tls-failed\n" },
	{ "bytes in the clear came with the 234",
	  { .security = &strict },
	  GREETED "S 234 go\n",
	  "! injected\n" INJECTED },
	{ "the same at level 1",
	  { .security = &strict, .action = &quiet },
	  GREETED "S 234 go\n",
	  "! injected\n" DOWN "  close server-injected\n" },
	{ "bytes in the clear came with the 220",
	  { .security = &implicit_zos },
	  GREETED,
	  "! injected\n" INJECTED },
	{ "a line comes although there is no TLS",
	  { .security = &strict },
	  GREETED "S 234 go\n",
	  "S 220 welcome\n" INJECTED },
	{ "421 likewise", { .security = &strict }, GREETED "S 234 go\n", "S 421 bye\n" INJECTED },
	{ "text likewise",
	  { .security = &strict, .drops_strays = true },
	  GREETED "S 234 go\n",
	  "S \n" INJECTED },
	{ "a second reply to AUTH, under TLS",
	  { .security = &strict },
	  UP,
	  "S 234 go\n  stray 234 go\n  c 421 The FTP server sent an unexpected reply; closing.\n"
	  "  close unsolicited-reply\n" },
	{ "the server goes",
	  { .security = &strict },
	  GREETED "S 234 go\n",
	  "! lost\n  c 421 The FTP server closed the connection.\n  close server-lost\n" },
	{ "a second handshake is not taken for one", { .security = &strict }, UP, "! server-tls\n" },
	{ "nor one that nobody wanted", { .security = &strict }, GREETED, "! server-tls\nC NOOP\n  hold\n" },
	{ "login takes too long",
	  { .security = &strict },
	  GREETED "S 234 go\n",
	  "! login\n  c 421 Login took too long; closing.\n  close login-timeout\n" },
	{ "idle in AUTH",
	  { .security = &strict },
	  GREETED,
	  "! idle\n  c 421 Idle for too long; closing.\n  close inactive\n" },
	{ "shutdown before the greeting",
	  { .security = &strict },
	  NULL,
	  "! shutdown\n  c 421 Service is shutting down, try again later.\n  close shutdown\n" },
	{ "shutdown in AUTH",
	  { .security = &strict },
	  GREETED,
	  "! shutdown\n  c 421 Service is shutting down, try again later.\n  close shutdown\n" },
	{ "shutdown in the handshake",
	  { .security = &strict },
	  GREETED "S 234 go\n",
	  "! shutdown\n  c 421 Service is shutting down, try again later.\n  close shutdown\n! server-tls\n" },
	{ "dismissed in the handshake",
	  { .security = &strict },
	  GREETED "S 234 go\n",
	  "! dismissed\n  c 421 The operator has ended this session.\n  close operator\n" },
};

static const struct script_case renewals[] = {
	{ "AUTH before any command keeps the connection",
	  { .security = &strict },
	  UP,
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n! tls\n"
	  "C USER u\n  user u\n  s USER u\n" },
	{ "AUTH after one needs a new connection and new TLS",
	  { .security = &strict },
	  UP "C HOST a\nS 220 ok\n",
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n  renew\n"
	  "! tls\nC USER u\n  hold\nS 220 again\n  s AUTH TLS\nC USER u\n  hold\nS 234 go\n  server-tls-start\n"
	  "C USER u\n  hold\n! server-tls\nC USER u\n  user u\n  s USER u\n" },
	{ "REIN",
	  { .security = &strict },
	  PLANNED,
	  "C REIN\n  close-data\n  renew\nC USER u\n  hold\nS 220 again\n  s AUTH TLS\nS 234 go\n"
	  "  server-tls-start\n! server-tls\n" READY "C USER u\n  user u\n  s USER u\nS 230 in\n  c 230 in\n"
	  "  logged-in\nC PASV\n  hold\n  s PBSZ 0\n" },
	{ "REIN under TLS",
	  { .security = &strict },
	  UP "C AUTH TLS\n! tls\nC USER u\nS 230 in\n",
	  "C REIN\n  renew\nS 220 again\n  s AUTH TLS\nS 234 go\n  server-tls-start\n! server-tls\n" READY
	  "  tls-stop notify\n" },
	{ "REIN, and the server refuses TLS this time",
	  { .security = &strict },
	  IN,
	  "C REIN\n  renew\nS 220 again\n  s AUTH TLS\nS 500 no\n  log AUTH: 500 no\n" NO_TLS
	  "  close server-without-tls\n" },
	{ "REIN, and the server refuses the client",
	  { .security = &strict },
	  IN,
	  "C REIN\n  renew\nS 530 no\n" DOWN "  close server-refused\n" },
	{ "REIN with an implicit server",
	  { .security = &implicit },
	  "S 220 hello\nC USER u\nS 230 in\n",
	  "C REIN\n  renew\nS 220 again\n  c 220 again\n" },
	{ "REIN with an implicit server of z/OS",
	  { .security = &implicit_zos },
	  "S 220 hello\n! server-tls\nC USER u\nS 230 in\n",
	  "C REIN\n  renew\nS 220 again\n  server-tls-start\n! server-tls\n" READY },
	{ "a server that is dialled late",
	  { .security = &strict, .lazy_dial = true },
	  "G -\n",
	  "C USER u\n  hold\n  renew\nS 220 hello\n  s AUTH TLS\nC USER u\n  hold\nS 234 go\n  server-tls-start\n"
	  "C USER u\n  hold\n! server-tls\nC USER u\n  user u\n  s USER u\n" },
	{ "a server that is dialled late has none",
	  { .security = &strict, .lazy_dial = true },
	  "G -\nC USER u\n",
	  "S 220 hello\n  s AUTH TLS\nS 502 no\n  log AUTH: 502 no\n" NO_TLS "  close server-without-tls\n" },
	{ "its handshake fails before it greets",
	  { .security = &implicit, .lazy_dial = true },
	  "G -\nC USER u\n",
	  "! server-tls-failed\n" FAILED "  close server-tls-failed\n" },
};

static const struct script_case levels[] = {
	{ "P before the first plan",
	  { .security = &strict },
	  IN,
	  "C PASV\n  hold\n  s PBSZ 0\nC PASV\n  hold\nS 200 PBSZ=0\n  s PROT P\nC PASV\n  hold\nS 200 P\n"
	  "C PASV\n  s EPSV\nS 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 227 Entering Passive Mode (192,0,2,1,19,137).\n"
	  "C RETR x\n  s RETR x\n  start download clear server\n" },
	{ "and only once",
	  { .security = &strict },
	  PLANNED "C RETR x\nS 150 go\nD ok\nS 226 done\n",
	  "C EPSV\n  s EPSV\nS 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 229 Entering Extended Passive Mode (|||5001|)\n"
	  "C STOR x\n  s STOR x\n  start upload clear server\n" },
	{ "safe is as private",
	  { .security = &safe },
	  IN,
	  "C EPSV\n  hold\n  s PBSZ 0\nS 200 0\n  s PROT P\n" },
	{ "before PORT",
	  { .security = &strict },
	  IN,
	  "C PORT 192,0,2,7,156,65\n  hold\n  s PBSZ 0\nS 200 0\n  s PROT P\nS 200 P\n"
	  "C PORT 192,0,2,7,156,65\n  s EPSV\n" },
	{ "before EPRT",
	  { .security = &strict },
	  IN,
	  "C EPRT |1|192.0.2.7|40001|\n  hold\n  s PBSZ 0\nS 200 0\n  s PROT P\nS 200 P\n"
	  "C EPRT |1|192.0.2.7|40001|\n  s EPSV\n" },
	{ "after AUTH SSL",
	  { .security = &ssl },
	  IN,
	  "C PASV\n  hold\n  s PBSZ 0\nS 200 0\n  s PROT P\nS 200 P\nC PASV\n  s EPSV\n" },
	{ "on the secure port",
	  { .security = &implicit },
	  LOGGED_IN,
	  "C PASV\n  hold\n  s PBSZ 0\nS 200 0\n  s PROT P\nS 200 P\nC PASV\n  s EPSV\n" },
	{ "a plan that policy refuses asks for nothing",
	  { .security = &strict, .action = &rejects_port },
	  IN,
	  "C PORT 192,0,2,7,156,65\n  c 504 Policy rejects PORT and EPRT: use PASV or EPSV.\n"
	  "C EPSV ALL\n  c 200 EPSV ALL ok.\n" },
	{ "nor does a transfer without a plan",
	  { .security = &strict },
	  IN,
	  "C RETR x\n  c 425 Use PASV, EPSV, PORT or EPRT first.\n" },
	{ "nor one that the client may not have in the clear",
	  { .security = &strict, .action = &client_private },
	  UP "C AUTH TLS\n! tls\nC USER u\nS 230 in\n",
	  "C RETR x\n  c 521 Data connections must be protected: send PROT P first.\n" },
	{ "never, after AUTH TLS: it begins with C",
	  { .security = &never },
	  IN,
	  "C PASV\n  s EPSV\nS 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 227 Entering Passive Mode (192,0,2,1,19,137).\n"
	  "C RETR x\n  s RETR x\n  start download clear\n" },
	{ "never, after AUTH SSL: it may begin with P",
	  { .security = &never_ssl },
	  IN,
	  "C PASV\n  hold\n  s PBSZ 0\nS 200 0\n  s PROT C\nS 200 C\nC PASV\n  s EPSV\n" },
	{ "never, whatever the client's level is",
	  { .security = &never },
	  UP "C AUTH TLS\n! tls\nC USER u\nS 230 in\nC PBSZ 0\nC PROT P\n" PASV_PLAN,
	  "C RETR x\n  s RETR x\n  start download private\n" },
	{ "private, whatever the client's level is",
	  { .security = &strict },
	  UP "C AUTH TLS\n! tls\nC USER u\nS 230 in\nC PBSZ 0\nC PROT C\n" PROT_P PASV_PLAN,
	  "C RETR x\n  s RETR x\n  start download clear server\n" },
	{ "the client's level where policy leaves the choice",
	  { .security = &mirror },
	  UP "C AUTH TLS\n! tls\nC USER u\nS 230 in\nC PBSZ 0\n",
	  "C PROT P\n  c 200 Data connection protection set to private.\n"
	  "C PASV\n  hold\n  s PBSZ 0\nS 200 0\n  s PROT P\nS 200 P\n"
	  "C PASV\n  s EPSV\nS 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 227 Entering Passive Mode (192,0,2,1,19,137).\n"
	  "C PROT C\n  c 200 Data connection protection set to clear.\n"
	  "C RETR x\n  hold\n  s PROT C\nS 200 C\nC RETR x\n  s RETR x\n  start download clear\n"
	  "S 150 go\n  c 150 go\n  go\nD ok\nS 226 done\n  c 226 done\n  close-data\n"
	  "C PROT P\n  c 200 Data connection protection set to private.\n"
	  "C PASV\n  hold\n  s PROT P\nS 200 P\nC PASV\n  s EPSV\n" },
	{ "a client in the clear, where policy leaves the choice",
	  { .security = &mirror },
	  IN PASV_PLAN,
	  "C RETR x\n  s RETR x\n  start download clear\n" },
	{ "the client's lines wait meanwhile",
	  { .security = &strict },
	  IN "C PASV\n",
	  "C NOOP\n  hold\nC QUIT\n  hold\nC ABOR\n  hold\nB nul\n  hold\nS 200 0\n  s PROT P\nC NOOP\n  hold\n"
	  "S 200 P\nC NOOP\n  s NOOP\n" },
	{ "a transfer waits with its 150 of the gateway's",
	  { .security = &mirror, .action = &script_lenient },
	  UP "C AUTH TLS\n! tls\nI certificate user=u\nC USER u\nS 230 in\nC PBSZ 0\n" PASV_PLAN,
	  "C PROT P\n  c 200 Data connection protection set to private.\n"
	  "C STOR x\n  hold\n  s PBSZ 0\nS 200 0\n  s PROT P\nS 200 P\n"
	  "C STOR x\n  hold\n  c 150 Opening a protected data connection.\n  secure\nH decided\n"
	  "C STOR x\n  s STOR x\n  start upload private server\n" },
};

#define NEEDS_P "  c 521 The FTP server refuses PROT P, which policy requires for data connections.\n"
#define NEEDS_C "  c 521 The FTP server refuses PROT C, which policy requires for data connections.\n"

static const struct script_case refusals[] = {
	{ "PBSZ is not known: PROT decides",
	  { .security = &strict },
	  IN "C PASV\n",
	  "S 500 what?\n  s PROT P\nS 200 P\nC PASV\n  s EPSV\n" },
	{ "PBSZ of several lines",
	  { .security = &strict },
	  IN "C PASV\n",
	  "S 200-a\nS 534 b\nS 200 c\n  s PROT P\n" },
	{ "PBSZ of another size", { .security = &strict }, IN "C PASV\n", "S 200 PBSZ=1024\n  s PROT P\n" },
	{ "PROT P, which policy requires",
	  { .security = &strict },
	  IN "C PASV\nS 200 0\n",
	  "S 534 no\n  log PROT P: 534 no\nC PASV\n" NEEDS_P "C NOOP\n  s NOOP\nS 200 ok\n  c 200 ok\n" },
	{ "the next command tries again",
	  { .security = &strict },
	  IN "C PASV\nS 200 0\nS 431 not now\nC PASV\n",
	  "C PASV\n  hold\n  s PROT P\nS 200 P\nC PASV\n  s EPSV\n" },
	{ "in the style of z/OS",
	  { .security = &strict, .action = &zos },
	  IN "C PASV\nS 200 0\n",
	  "S 534-no\nS 534 P\n  log PROT P: 534 P\nC PASV\n  c 425-The FTP server refuses protected data connections.\n"
	  "  c 425 Can't open data connection.\n" },
	{ "536 of several lines",
	  { .security = &strict },
	  IN "C EPSV\nS 200 0\n",
	  "S 536-no\nS 200 ok\nS 536 no\n  log PROT P: 536 no\nC EPSV\n" NEEDS_P },
	{ "202 is no agreement",
	  { .security = &strict },
	  IN "C PASV\nS 200 0\n",
	  "S 202 superfluous\n  log PROT P: 202 superfluous\nC PASV\n" NEEDS_P },
	{ "331 neither",
	  { .security = &strict },
	  IN "C PASV\nS 200 0\n",
	  "S 331 what?\n  log PROT P: 331 what?\nC PASV\n" NEEDS_P },
	{ "PROT P, where policy allows C",
	  { .security = &mirror },
	  UP "C AUTH TLS\n! tls\nC USER u\nS 230 in\nC PBSZ 0\nC PROT P\nC PASV\nS 200 0\n",
	  "S 534 no\n  log PROT P: 534 no\nC PASV\n  s EPSV\nS 229 x (|||2000|)\n"
	  "  dial server 10.0.0.1:2000\n  listen client\nL client 192.0.2.1:5001\n"
	  "  c 227 Entering Passive Mode (192,0,2,1,19,137).\nC RETR x\n  s RETR x\n  start download private\n" },
	{ "and no later command asks again",
	  { .security = &mirror },
	  UP
	  "C AUTH TLS\n! tls\nC USER u\nS 230 in\nC PBSZ 0\nC PROT P\nC PASV\nS 200 0\nS 534 no\n" PASV_PLAN
	  "C RETR x\nS 550 no\n",
	  "C PASV\n  close-data\n  s EPSV\n" },
	{ "but a new connection does",
	  { .security = &mirror },
	  UP
	  "C AUTH TLS\n! tls\nC USER u\nS 230 in\nC PBSZ 0\nC PROT P\nC PASV\nS 200 0\nS 534 no\n"
	  "C REIN\nS 220 x\nS 234 go\n! server-tls\nC AUTH TLS\n! tls\nC USER u\nS 230 in\nC PBSZ 0\nC PROT P\n",
	  "C PASV\n  hold\n  s PBSZ 0\nS 200 0\n  s PROT P\n" },
	{ "PROT C, where policy allows P",
	  { .security = &mirror_ssl },
	  IN "C PASV\nS 200 0\n",
	  "S 534 no\n  log PROT C: 534 no\nC PASV\n  hold\n  s PROT P\nS 200 P\nC PASV\n  s EPSV\n"
	  "S 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\nL client 192.0.2.1:5001\n"
	  "  c 227 Entering Passive Mode (192,0,2,1,19,137).\nC RETR x\n  s RETR x\n"
	  "  start download clear server\n" },
	{ "both",
	  { .security = &mirror_ssl },
	  IN "C PASV\nS 200 0\nS 534 no\nC PASV\n",
	  "S 534 no\n  log PROT P: 534 no\nC PASV\n" NEEDS_C "C PASV\n  hold\n  s PROT C\n" },
	{ "PROT C, where policy allows nothing else",
	  { .security = &never_ssl },
	  IN "C PASV\nS 200 0\n",
	  "S 534 no\n  log PROT C: 534 no\nC PASV\n" NEEDS_C },
	{ "of PROT C, in the style of z/OS",
	  { .security = &never_ssl, .action = &zos },
	  IN "C PASV\nS 200 0\n",
	  "S 534 no\n  log PROT C: 534 no\nC PASV\n  c 425-The FTP server requires protected data connections.\n"
	  "  c 425 Can't open data connection.\n" },
	{ "421 to PBSZ is the server's",
	  { .security = &strict },
	  IN "C PASV\n",
	  "S 421 bye\n  c 421 bye\n  close server-421\n" },
	{ "421 to PROT",
	  { .security = &strict },
	  IN "C PASV\nS 200 0\n",
	  "S 421 bye\n  c 421 bye\n  close server-421\n" },
	{ "a port in reply to PROT",
	  { .security = &strict },
	  IN "C PASV\nS 200 0\n",
	  "S 227 (1,2,3,4,5,6)\n  stray 227 (1,2,3,4,5,6)\n"
	  "  c 421 The FTP server sent an unexpected reply; closing.\n  close unsolicited-data-port\n" },
	{ "between plan and transfer",
	  { .security = &mirror },
	  UP "C AUTH TLS\n! tls\nC USER u\nS 230 in\nC PBSZ 0\n" PASV_PLAN "C PROT P\n",
	  "C RETR x\n  hold\n  s PBSZ 0\nS 200 0\n  s PROT P\nS 534 no\n  log PROT P: 534 no\n"
	  "C RETR x\n  s RETR x\n  start download private\n" },
	{ "the server goes meanwhile",
	  { .security = &strict },
	  IN "C PASV\nS 200 0\n",
	  "! lost\n  c 421 The FTP server closed the connection.\n  close server-lost\n" },
	{ "shutdown meanwhile",
	  { .security = &strict },
	  IN "C PASV\nS 200 0\n",
	  "! shutdown\n  c 421 Service is shutting down, try again later.\n  close shutdown\n" },
};

static const struct script_case ccc[] = {
	{ "after the login",
	  { .security = &leaves },
	  UP "C USER u\nS 331 ok\nC PASS p\n",
	  "S 230 in\n  c 230 in\n  logged-in\n  s PBSZ 0\nC PWD\n  hold\nS 200 0\n  s PROT P\nC PWD\n  hold\n"
	  "S 200 P\n  s CCC\nC PWD\n  hold\nS 200 ok\n  server-tls-stop notify\n  s NOOP\nC PWD\n  hold\n"
	  "S 200 noop\nC PWD\n  s PWD\n" },
	{ "the level is settled before it",
	  { .security = &leaves },
	  IN "S 200 0\nS 200 P\nS 200 ok\nS 200 noop\n",
	  "C PASV\n  s EPSV\nS 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 227 Entering Passive Mode (192,0,2,1,19,137).\n"
	  "C RETR x\n  s RETR x\n  start download clear server\n" },
	{ "after USER alone",
	  { .security = &leaves_never },
	  UP "C USER u\n",
	  "S 230 in\n  c 230 in\n  logged-in\n  s CCC\n" },
	{ "not while the login lacks something",
	  { .security = &leaves },
	  UP "C USER u\nS 331 ok\nC PASS p\n",
	  "S 332 account?\n  c 332 account?\nC ACCT a\n  s ACCT a\nS 230 in\n  c 230 in\n  logged-in\n  s PBSZ 0\n" },
	{ "not after a refused login",
	  { .security = &leaves },
	  UP "C USER u\nS 331 ok\nC PASS p\n",
	  "S 530 no\n  c 530 no\n  login-failed\nC NOOP\n  s NOOP\n" },
	{ "after a login by the greeting, before the first command",
	  { .security = &leaves_implicit },
	  "S 230 in\n",
	  "C PWD\n  hold\n  logged-in\n  s PBSZ 0\nS 200 0\n  s PROT P\nS 200 P\n  s CCC\nS 200 ok\n"
	  "  server-tls-stop notify\n  s NOOP\nS 500 what?\nC PWD\n  s PWD\n" },
	{ "without close_notify",
	  { .security = &leaves_silently },
	  IN "S 200 0\nS 200 P\n",
	  "S 200 ok\n  server-tls-stop\n  s NOOP\n" },
	{ "the draft has none", { .security = &leaves_draft }, IN, "C PWD\n  s PWD\n" },
	{ "nor a policy that wants a private connection",
	  { .security = &leaves_private },
	  IN,
	  "C PWD\n  s PWD\n" },
	{ "refused: the session stays under TLS",
	  { .security = &leaves },
	  IN "S 200 0\nS 200 P\n",
	  "S 534 no\n  log CCC: 534 no\nC USER u\n  user u\n  s USER u\nS 230 in\n  c 230 in\n  logged-in\nC PASV\n"
	  "  s EPSV\n" },
	{ "not known, in several lines",
	  { .security = &leaves },
	  IN "S 200 0\nS 200 P\n",
	  "S 500-what\nS 500 ?\n  log CCC: 500 ?\nC PWD\n  s PWD\n" },
	{ "202 is no agreement",
	  { .security = &leaves },
	  IN "S 200 0\nS 200 P\n",
	  "S 202 superfluous\n  log CCC: 202 superfluous\nC PWD\n  s PWD\n" },
	{ "not with a level that policy does not accept",
	  { .security = &leaves },
	  IN "S 200 0\n",
	  "S 534 no\n  log PROT P: 534 no\nC PWD\n  s PWD\nS 257 /\n  c 257 /\nC PASV\n  hold\n  s PROT P\n"
	  "S 200 P\nC PASV\n  s EPSV\n" },
	{ "P for a client that may still ask for it",
	  { .security = &leaves_mirror },
	  UP "C AUTH TLS\n! tls\nC USER u\n",
	  "S 230 in\n  c 230 in\n  logged-in\n  s PBSZ 0\nS 200 0\n  s PROT P\nS 200 P\n  s CCC\nS 200 ok\n"
	  "  server-tls-stop notify\n  s NOOP\nS 200 noop\nC PBSZ 0\n  c 200 PBSZ=0\n"
	  "C PROT C\n  c 200 Data connection protection set to clear.\nC PASV\n  s EPSV\n" },
	{ "or C, if the server has no other",
	  { .security = &leaves_mirror },
	  UP "C AUTH TLS\n! tls\nC USER u\nS 230 in\nS 200 0\n",
	  "S 534 no\n  log PROT P: 534 no\n  s CCC\n" },
	{ "C for a client in the clear",
	  { .security = &leaves_mirror },
	  UP "C USER u\n",
	  "S 230 in\n  c 230 in\n  logged-in\n  s CCC\n" },
	{ "no other password goes out in the clear",
	  { .security = &leaves },
	  IN "S 200 0\nS 200 P\nS 200 ok\nS 200 noop\n",
	  "C USER v\n  c 503 A new login would not be protected: send REIN, or connect again.\n"
	  "C PASS q\n  c 202 Already logged in.\n"
	  "C ACCT q\n  c 503 A new login would not be protected: send REIN, or connect again.\n"
	  "C PWD\n  s PWD\n" },
	{ "REIN begins anew",
	  { .security = &leaves },
	  IN "S 200 0\nS 200 P\nS 200 ok\nS 200 noop\nC REIN\n",
	  "S 220 again\n  s AUTH TLS\nS 234 go\n  server-tls-start\n! server-tls\n" READY
	  "C USER v\n  user v\n  s USER v\nS 230 in\n  c 230 in\n  logged-in\n  s PBSZ 0\n" },
	{ "421 to it is the server's",
	  { .security = &leaves },
	  IN "S 200 0\nS 200 P\n",
	  "S 421 bye\n  c 421 bye\n  close server-421\n" },
	{ "421 to the first line after it",
	  { .security = &leaves },
	  IN "S 200 0\nS 200 P\nS 200 ok\n",
	  "S 421 bye\n  c 421 bye\n  close server-421\n" },
	{ "the answer to that line may be anything else",
	  { .security = &leaves },
	  IN "S 200 0\nS 200 P\nS 200 ok\n",
	  "S 530-no\nS 530 no\nC PWD\n  s PWD\n" },
	{ "except a port",
	  { .security = &leaves },
	  IN "S 200 0\nS 200 P\nS 200 ok\n",
	  "S 227 (1,2,3,4,5,6)\n  stray 227 (1,2,3,4,5,6)\n"
	  "  c 421 The FTP server sent an unexpected reply; closing.\n  close unsolicited-data-port\n" },
	{ "shutdown meanwhile",
	  { .security = &leaves },
	  IN "S 200 0\n",
	  "! shutdown\n  c 421 Service is shutting down, try again later.\n  close shutdown\n" },
};

/* The client's own AUTH, PBSZ, PROT and CCC. */
static const struct script_case clients[] = {
	{ "never reach the server",
	  { .security = &strict },
	  UP "C AUTH TLS\n! tls\nC USER u\nS 230 in\n",
	  "C PBSZ 0\n  c 200 PBSZ=0\nC PROT P\n  c 200 Data connection protection set to private.\n"
	  "C AUTH TLS\n  c 503 Authentication already established.\nC CCC\n  c 200 CCC command successful.\n"
	  "  tls-stop notify\n" },
	{ "FEAT shows the gateway's",
	  { .security = &strict },
	  UP,
	  "C FEAT\n  s FEAT\nS 211-x\n  c 211-x\nS  AUTH SSL\nS  CCC\nS  MDTM\n  c  MDTM\nS  PROT\nS 211 End\n"
	  "  c  AUTH TLS\n  c  PBSZ\n  c  PROT\n  c  CCC\n  c  EPSV\n  c  EPRT\n  c 211 End\n" },
	{ "are not offered on a listener without TLS",
	  { .security = &strict, .clear_only = true },
	  UP,
	  "C AUTH TLS\n  c 502 AUTH is not offered here.\n"
	  "C PBSZ 0\n  c 503 Must first establish authentication: send AUTH TLS.\n"
	  "C PROT P\n  c 503 Must first establish authentication: send AUTH TLS.\n"
	  "C CCC\n  c 533 CCC: the control connection is not protected.\n"
	  "C FEAT\n  s FEAT\nS 211-x\n  c 211-x\nS  AUTH SSL\nS  CCC\nS  MDTM\n  c  MDTM\nS  PROT\nS 211 End\n"
	  "  c  EPSV\n  c  EPRT\n  c 211 End\n" },
	{ "nor before a server is dialled late",
	  { .security = &strict, .clear_only = true, .lazy_dial = true },
	  "G -\n",
	  "C FEAT\n  hold\n  renew\n" },
	{ "and REIN changes nothing in that",
	  { .security = &strict, .clear_only = true },
	  UP "C REIN\nS 220 x\nS 234 go\n! server-tls\n",
	  "C AUTH TLS\n  c 502 AUTH is not offered here.\n" },
};

#define GOING PLANNED "C RETR x\nS 150 go\n"

static const struct script_case results[] = {
	{ "no handshake",
	  { .security = &strict },
	  GOING "D server-tls\n",
	  "S 226 done\n  c 425 TLS negotiation with the FTP server failed on the data connection.\n  close-data\n" },
	{ "no handshake, and the server says why",
	  { .security = &strict },
	  GOING "D server-tls\n",
	  "S 522 reuse the session\n  c 522 reuse the session\n  close-data\n" },
	{ "no handshake after ABOR",
	  { .security = &strict },
	  GOING "C ABOR\nD server-tls\n",
	  "S 226 closed\n  c 426 Connection closed; transfer aborted.\n  close-data\n  side-wait 2000\n" },
	{ "not resumed, whatever the server says",
	  { .security = &strict },
	  GOING "D server-reuse\n",
	  "S 426 off\n  c 425 Policy requires the FTP server to resume the TLS session on data connections: it did not.\n"
	  "  close-data\n" },
	{ "without close_notify",
	  { .security = &strict },
	  GOING "D server-cut\n",
	  "S 226 done\n  c 426 Connection closed; transfer aborted: the FTP server's data ended without close_notify.\n"
	  "  close-data\n" },
	{ "without close_notify, and the server knows",
	  { .security = &strict },
	  GOING "D server-cut\n",
	  "S 451 disk\n  c 451 disk\n  close-data\n" },
};

/* Urgent data cannot pass TLS. */
static const struct script_case urgent[] = {
	{ "no urgent data under TLS",
	  { .security = &strict, .abort = FTP_ABORT_URGENT },
	  GOING,
	  "C ABOR\n  s ABOR\n  side-wait 2000\n  doubt\n" },
	{ "but after CCC",
	  { .security = &leaves, .abort = FTP_ABORT_URGENT },
	  IN "S 200 0\nS 200 P\nS 200 ok\nS 200 noop\n" PASV_PLAN "C RETR x\nS 150 go\n",
	  "C ABOR\n  s! ABOR\n  side-wait 2000\n  doubt\n" },
};

static void greeting_dialogues(void **state)
{
	(void)state;
	SCRIPT_CHECK_ALL(greeting);
}

static void auth_dialogues(void **state)
{
	(void)state;
	SCRIPT_CHECK_ALL(auth);
}

static void handshake_dialogues(void **state)
{
	(void)state;
	SCRIPT_CHECK_ALL(handshake);
}

static void renewal_dialogues(void **state)
{
	(void)state;
	SCRIPT_CHECK_ALL(renewals);
}

static void level_dialogues(void **state)
{
	(void)state;
	SCRIPT_CHECK_ALL(levels);
}

static void refusal_dialogues(void **state)
{
	(void)state;
	SCRIPT_CHECK_ALL(refusals);
}

static void ccc_dialogues(void **state)
{
	(void)state;
	SCRIPT_CHECK_ALL(ccc);
}

static void clients_dialogues(void **state)
{
	(void)state;
	SCRIPT_CHECK_ALL(clients);
}

static void result_dialogues(void **state)
{
	(void)state;
	SCRIPT_CHECK_ALL(results);
}

static void urgent_dialogues(void **state)
{
	(void)state;
	SCRIPT_CHECK_ALL(urgent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(greeting_dialogues),  cmocka_unit_test(auth_dialogues),
		cmocka_unit_test(handshake_dialogues), cmocka_unit_test(renewal_dialogues),
		cmocka_unit_test(level_dialogues),     cmocka_unit_test(refusal_dialogues),
		cmocka_unit_test(ccc_dialogues),       cmocka_unit_test(clients_dialogues),
		cmocka_unit_test(result_dialogues),    cmocka_unit_test(urgent_dialogues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
