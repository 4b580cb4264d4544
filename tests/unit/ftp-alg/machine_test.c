/*
 * The machine's dialogues around login, TLS, refusals and the session's end.
 * Data connections and transfers have their own files.
 */
#include "tests/unit/machine-script.h"

static const struct ftp_action zos_strict = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.extensions = EXTENSION_AUTH_TLS,
	.secure_ftp = SECURE_FTP_REQUIRED,
	.secure_dataconn = SECURE_PRIVATE,
	.reply_style = REPLY_STYLE_ZOS,
};

static const struct ftp_action no_auth = { .secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
					   .unknown_commands = UNKNOWN_COMMANDS_PASS,
					   .secure_ftp = SECURE_FTP_ALLOWED,
					   .data_policy_scope = DATA_POLICY_PROTECTED };

static const struct ftp_action ccc_required = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.extensions = EXTENSION_AUTH_TLS,
	.secure_ftp = SECURE_FTP_REQUIRED,
	.secure_ctrlconn = SECURE_CLEAR,
	.secure_dataconn = SECURE_PRIVATE,
	.tlsrfclevel = TLSRFCLEVEL_RFC4217,
};

static const struct ftp_action ccc_silent = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.extensions = EXTENSION_AUTH_TLS,
	.secure_ctrlconn = SECURE_CLEAR,
	.secure_dataconn = SECURE_CLEAR,
	.tlsrfclevel = TLSRFCLEVEL_CCCNONOTIFY,
};

static const struct ftp_action implicit_zos = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.secure_dataconn = SECURE_PRIVATE,
	.secureimplicitzos = true,
};

static const struct script_case greeting[] = {
	{ "one line", { 0 }, NULL, "S 220 hello\n  c 220 hello\n" },
	{ "several lines", { 0 }, NULL, "S 220-a\n  c 220-a\nS  b\n  c  b\nS 220 c\n  c 220 c\n" },
	{ "commands wait for it",
	  { 0 },
	  NULL,
	  "C NOOP\n  hold\nS 220 hello\n  c 220 hello\nC NOOP\n  s NOOP\n" },
	{ "120 comes first",
	  { 0 },
	  NULL,
	  "S 120 wait\n  c 120 wait\nC NOOP\n  hold\nS 220 hello\n  c 220 hello\n" },
	{ "421", { 0 }, NULL, "S 421 full\n  c 421 full\n  close server-421\nS 220 x\n" },
	{ "421 of several lines",
	  { 0 },
	  NULL,
	  "S 421-full\n  c 421-full\nS 421 bye\n  c 421 bye\n  close server-421\n" },
	{ "530", { 0 }, NULL, "S 530 not you\n  c 530 not you\n  close server-refused\nC NOOP\n" },
	{ "a port instead",
	  { 0 },
	  NULL,
	  "S 227 (1,2,3,4,5,6)\n  stray 227 (1,2,3,4,5,6)\n  c 421 The FTP server sent an unexpected reply; closing.\n"
	  "  close unsolicited-data-port\n" },
	{ "never",
	  { 0 },
	  NULL,
	  "! down\n  c 421 The FTP server is not available, try again later.\n  close server-down\n! "
	  "lost\n" },
	{ "secure port, TLS before it", { .implicit = true }, "! tls\n", "S 220 hello\n  c 220 hello\n" },
	{ "secure port as z/OS has it",
	  { .implicit = true, .action = &implicit_zos },
	  NULL,
	  "S 120 wait\n  c 120 wait\nS 220 hello\n  c 220 hello\n  tls-start\n" },
};

/* The server is dialled when it is needed: for servers whose PROXY header tells of TLS. */
static const struct script_case lazy_dial[] = {
	{ "after AUTH",
	  { .lazy_dial = true },
	  NULL,
	  "G -\n  c 220 FTP server ready.\n"
	  "C FEAT\n  c 211-Extensions supported:\n  c  AUTH TLS\n  c  PBSZ\n  c  PROT\n  c  CCC\n  c  EPSV\n "
	  " c  EPRT\n"
	  "  c 211 End\n"
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n! tls\n"
	  "C PBSZ 0\n  c 200 PBSZ=0\n"
	  "C USER u\n  hold\n  renew\nC USER u\n  hold\nS 220-secret\nS 220 name\nC USER u\n  user u\n  s "
	  "USER u\n" },
	{ "FEAT after AUTH asks the server",
	  { .lazy_dial = true },
	  "G -\nC AUTH TLS\n! tls\n",
	  "C FEAT\n  hold\n  renew\nS 220 name\nC FEAT\n  s FEAT\n" },
	{ "in the clear, then AUTH: it must be told anew",
	  { .lazy_dial = true },
	  "G -\n",
	  "C NOOP\n  hold\n  renew\nS 220 name\nC NOOP\n  s NOOP\nS 200 ok\n  c 200 ok\n"
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n  "
	  "drop\n"
	  "! tls\nC USER u\n  hold\n  renew\n" },
	{ "REIN",
	  { .lazy_dial = true },
	  "G -\nC AUTH TLS\n! tls\nC USER u\nS 220 name\nC USER u\nS 331 password\nC PASS p\nS 230 in\n",
	  "C REIN\n  drop\n  c 220 FTP server ready.\n  tls-stop notify\nC USER u\n  hold\n  "
	  "renew\n" },
	{ "QUIT needs no server",
	  { .lazy_dial = true },
	  "G -\n",
	  "C QUIT\n  c 221 Goodbye.\n  close quit\n" },
	{ "what policy refuses needs none either",
	  { .lazy_dial = true, .action = &zos_strict },
	  "G -\n",
	  "C USER u\n  c 530 Server requires authentication\nC LIST\n  c 534 Server requires "
	  "authentication\n" },
	{ "the server refuses",
	  { .lazy_dial = true },
	  "G -\nC NOOP\n",
	  "S 530 not you\n  c 421 The FTP server is not available, try again later.\n  close "
	  "server-refused\n" },
	{ "a secure port as z/OS has it",
	  { .lazy_dial = true, .implicit = true, .action = &implicit_zos },
	  NULL,
	  "G -\n  c 220 FTP server ready.\n  tls-start\n! tls\nC USER u\n  hold\n  renew\n" },
};

static const struct script_case required[] = {
	{ "USER and PASS",
	  { .action = &script_strict },
	  GREETED,
	  "C USER u\n  c 530 Server requires authentication: send AUTH TLS before USER.\n"
	  "C PASS p\n  c 534 Policy requires TLS: send AUTH TLS before PASS.\n"
	  "C ACCT a\n  c 534 Policy requires TLS: send AUTH TLS first.\n" },
	{ "z/OS' words",
	  { .action = &zos_strict },
	  GREETED,
	  "C USER u\n  c 530 Server requires authentication\n"
	  "C PASS p\n  c 534 Server requires authentication before PASS command\n"
	  "C CWD x\n  c 534 Server requires authentication\n"
	  "C XYZZY\n  c 534 Server requires authentication\n" },
	{ "what needs no TLS",
	  { .action = &script_strict },
	  GREETED,
	  "C NOOP\n  s NOOP\nS 200 ok\n  c 200 ok\n"
	  "C SYST\n  s SYST\nS 215 MVS\n  c 215 MVS\n"
	  "C HELP\n  s HELP\nS 214 no\n  c 214 no\n"
	  "C HOST h\n  s HOST h\nS 500 no\n  c 500 no\n"
	  "C STAT\n  c 534 Policy requires TLS: send AUTH TLS first.\n"
	  "C SITE x\n  c 534 Policy requires TLS: send AUTH TLS first.\n"
	  "C PASV\n  c 534 Policy requires TLS: send AUTH TLS first.\n"
	  "C RETR x\n  c 534 Policy requires TLS: send AUTH TLS first.\n" },
	{ "with TLS",
	  { .action = &script_strict },
	  WITH_TLS,
	  "C USER u\n  user u\n  s USER u\nS 331 ok\n  c 331 ok\n"
	  "C PASS p\n  s PASS p\nS 230 in\n  c 230 in\n  logged-in\n"
	  "C CWD x\n  s CWD x\n" },
};

static const struct script_case login[] = {
	{ "USER and PASS",
	  { 0 },
	  GREETED,
	  "C user u\n  user u\n  s user u\nS 331 ok\n  c 331 ok\n"
	  "C PASS a b \n  s PASS a b \nS 230-in\n  c 230-in\nS 230 now\n  c 230 now\n  logged-in\n" },
	{ "PASS first", { 0 }, GREETED, "C PASS p\n  c 503 Send USER before PASS.\n" },
	{ "no password needed",
	  { 0 },
	  GREETED,
	  "C USER u\n  user u\n  s USER u\nS 230 in\n  c 230 in\n  logged-in\n"
	  "C PWD\n  s PWD\nS 257 \"/\"\n  c 257 \"/\"\n" },
	{ "232 needs none either",
	  { 0 },
	  GREETED,
	  "C USER u\n  user u\n  s USER u\nS 232 in\n  c 232 in\n  logged-in\n" },
	{ "202 to PASS",
	  { 0 },
	  GREETED "C USER u\nS 331 ok\n",
	  "C PASS p\n  s PASS p\nS 202 superfluous\n  c 202 superfluous\n  logged-in\n" },
	{ "200 to PASS, as some servers have it",
	  { 0 },
	  GREETED "C USER u\nS 331 ok\n",
	  "C PASS p\n  s PASS p\nS 200 fine\n  c 200 fine\n  logged-in\n" },
	{ "a late answer to another command is no login",
	  { 0 },
	  GREETED,
	  "C USER u\n  user u\n  s USER u\nS 213-late\n  hidden 213-late\nS 213 status\n"
	  "  hidden 213 status\n  c 530 PASS command failed\n  login-failed\n"
	  "C PASS p\n  c 503 Send USER before PASS.\nC PWD\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "nor is it one to PASS",
	  { 0 },
	  GREETED "C USER u\nS 331 ok\n",
	  "C PASS p\n  s PASS p\nS 213 status\n  hidden 213 status\n  c 530 PASS command failed\n"
	  "  login-failed\nC PWD\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "200 is no login without a password",
	  { 0 },
	  GREETED,
	  "C USER u\n  user u\n  s USER u\nS 200 fine\n  hidden 200 fine\n  c 530 PASS command failed\n"
	  "  login-failed\n" },
	{ "after a late answer, nobody knows whether the user before is still in",
	  { 0 },
	  LOGGED_IN,
	  "C USER v\n  user v\n  s USER v\nS 213 status\n  hidden 213 status\n  c 530 PASS command failed\n"
	  "  login-failed\nC PWD\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "wrong password",
	  { 0 },
	  GREETED "C USER u\nS 331 ok\n",
	  "C PASS p\n  s PASS p\nS 530 no\n  c 530 no\n  login-failed\n"
	  "C CWD x\n  c 530 Not logged in: send USER and PASS first.\n"
	  "C PASS p\n  c 503 Send USER before PASS.\n" },
	{ "wrong user",
	  { 0 },
	  GREETED,
	  "C USER u\n  user u\n  s USER u\nS 530 no\n  c 530 no\n  login-failed\nC PASS p\n  c 503 Send USER "
	  "before "
	  "PASS.\n" },
	{ "account",
	  { 0 },
	  GREETED "C USER u\nS 331 ok\nC PASS p\nS 332 account?\n",
	  "C CWD x\n  c 530 Not logged in: send USER and PASS first.\n"
	  "C ACCT a\n  s ACCT a\nS 230 in\n  c 230 in\n  logged-in\nC CWD x\n  s CWD x\n" },
	{ "account refused",
	  { 0 },
	  GREETED "C USER u\nS 331 ok\nC PASS p\nS 332 account?\n",
	  "C ACCT a\n  s ACCT a\nS 530 no\n  c 530 no\n  login-failed\nC ACCT b\n  s ACCT b\nS 503 no\n  c "
	  "503 no\n"
	  "C CWD x\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "account later",
	  { 0 },
	  LOGGED_IN,
	  "C ACCT a\n  s ACCT a\nS 530 no\n  c 530 no\nC CWD x\n  s CWD x\nS 250 ok\n  c 250 ok\n"
	  "C ACCT b\n  s ACCT b\nS 230 ok\n  c 230 ok\n" },
	{ "account before USER",
	  { 0 },
	  GREETED,
	  "C ACCT a\n  s ACCT a\nS 202 ok\n  c 202 ok\n"
	  "C CWD x\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "a second USER",
	  { 0 },
	  LOGGED_IN,
	  "C USER v\n  user v\n  s USER v\nS 331 ok\n  c 331 ok\n"
	  "C CWD x\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "challenge",
	  { 0 },
	  GREETED,
	  "C USER u\n  user u\n  s USER u\nS 336 otp?\n  c 336 otp?\nC PASS p\n  s PASS p\n" },
	{ "before login",
	  { 0 },
	  GREETED,
	  "C CWD x\n  c 530 Not logged in: send USER and PASS first.\n"
	  "C XYZZY\n  c 530 Not logged in: send USER and PASS first.\n"
	  "C CPSV\n  c 530 Not logged in: send USER and PASS first.\n" },
};

static const struct script_case auth[] = {
	{ "before USER",
	  { 0 },
	  GREETED,
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n"
	  "! tls\nC AUTH TLS\n  c 503 Authentication already established.\n"
	  "C USER u\n  user u\n  s USER u\n" },
	{ "refusals",
	  { 0 },
	  GREETED,
	  "C AUTH\n  c 501 AUTH needs a mechanism: AUTH TLS.\n"
	  "C AUTH GSSAPI\n  c 504 Unknown mechanism: use AUTH TLS.\n" },
	{ "not offered", { .action = &no_auth }, GREETED, "C AUTH TLS\n  c 502 AUTH is not offered here.\n" },
	{ "secure port",
	  { .implicit = true },
	  "! tls\n" GREETED,
	  "C AUTH TLS\n  c 503 Server on the TLS secure port does not accept the AUTH command.\n" },
	{ "HOST in the clear does not stay in force",
	  { 0 },
	  GREETED,
	  "C HOST evil.example\n  s HOST evil.example\nC AUTH TLS\n  hold\nS 220 ok\n  c 220 ok\n"
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n  renew\n"
	  "! tls\nS 220 new\nC USER u\n  user u\n  s USER u\n" },
	{ "what leaves nothing in force renews nothing",
	  { 0 },
	  GREETED "C FEAT\nS 500 ?\nC SYST\nS 215 x\nC NOOP\nS 200 ok\nC HELP SITE\nS 214 x\n",
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n" },
	{ "after USER the server is renewed",
	  { 0 },
	  GREETED "C USER u\nS 331 ok\n",
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n  "
	  "renew\n"
	  "! tls\nC PASS p\n  hold\nS 120 wait\nS 220-new\nS 220 server\n"
	  "C PASS p\n  c 503 Send USER before PASS.\n" },
	{ "after login with a plan",
	  { 0 },
	  PASSIVE "C EPSV ALL\n",
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n"
	  "  close-data\n  renew\n! tls\nS 220 new\nC PASV\n"
	  "  c 530 Not logged in: send USER and PASS first.\n"
	  "C USER u\n  user u\n  s USER u\nS 230 in\n  c 230 in\n  logged-in\nC PASV\n  s EPSV\n" },
	{ "the renewed server refuses",
	  { 0 },
	  LOGGED_IN "C AUTH TLS\n! tls\n",
	  "S 530 no\n  c 421 The FTP server is not available, try again later.\n  close server-refused\n" },
	{ "the renewed server is full",
	  { 0 },
	  LOGGED_IN "C AUTH TLS\n! tls\n",
	  "S 421 full\n  c 421 full\n  close server-421\n" },
	{ "the renewed server is down",
	  { 0 },
	  LOGGED_IN "C AUTH TLS\n! tls\n",
	  "! down\n  c 421 The FTP server is not available, try again later.\n  close server-down\n" },
	{ "ADAT and envelopes in the clear",
	  { 0 },
	  GREETED,
	  "C ADAT x\n  c 503 Must issue AUTH command before ADAT command.\n"
	  "C MIC x\n  c 503 Must issue AUTH command first.\n"
	  "C ENC x\n  c 503 Must issue AUTH command first.\n"
	  "C CONF x\n  c 503 Must issue AUTH command first.\n"
	  "C PBSZ 0\n  c 503 Must first establish authentication: send AUTH TLS.\n"
	  "C PROT P\n  c 503 Must first establish authentication: send AUTH TLS.\n"
	  "C CCC\n  c 533 CCC: the control connection is not protected.\n" },
	{ "and under TLS",
	  { 0 },
	  WITH_TLS,
	  "C ADAT x\n  c 503 ADAT is not used with TLS.\n"
	  "C MIC x\n  c 537 Not used with TLS: the control connection is already protected.\n"
	  "C PROT P\n  c 503 Must first issue PBSZ.\n"
	  "C PBSZ 0\n  c 200 PBSZ=0\n"
	  "C PROT P\n  c 200 Data connection protection set to private.\n"
	  "C PROT C\n  c 200 Data connection protection set to clear.\n"
	  "C PROT S\n  c 536 Protection level is not supported under TLS: use PROT P.\n" },
};

static const struct script_case ccc[] = {
	{ "notify", { 0 }, TLS_IN, "C CCC\n  c 200 CCC command successful.\n  tls-stop notify\n" },
	{ "without notify",
	  { .action = &ccc_silent },
	  TLS_IN,
	  "C CCC\n  c 200 CCC command successful.\n  tls-stop\n" },
	{ "before login", { 0 }, WITH_TLS, "C CCC\n  c 534 CCC is not allowed before login.\n" },
	{ "not allowed", { .action = &script_strict }, TLS_IN, "C CCC\n  c 500 CCC is not supported.\n" },
	{ "secure port",
	  { .implicit = true },
	  "! tls\n" LOGGED_IN,
	  "C CCC\n  c 534 Command CCC not allowed for connection to secure port.\n" },
	{ "frozen afterwards",
	  { .action = &ccc_required },
	  TLS_P_IN "C CCC\n",
	  "C PROT C\n  c 503 PROT rejected, not allowed after CCC.\n"
	  "C PBSZ 0\n  c 503 PBSZ rejected, not allowed after CCC.\n"
	  "C AUTH TLS\n  c 503 AUTH is not allowed after CCC.\n"
	  "C CCC\n  c 533 CCC: the control connection is not protected.\n"
	  "C USER u\n  c 530 Server requires authentication: send AUTH TLS before USER.\n"
	  "C PASS p\n  c 534 Policy requires TLS: send AUTH TLS before PASS.\n"
	  "C CWD x\n  s CWD x\nS 250 ok\n  c 250 ok\n"
	  "C PASV\n  s EPSV\nS 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 227 Entering Passive Mode (192,0,2,1,19,137).\n"
	  "C RETR x\n  s RETR x\n  start download private\n" },
	{ "data stay refused",
	  { .action = &ccc_required },
	  TLS_IN "C CCC\n" PASV_PLAN,
	  "C RETR x\n  c 521 Data connections must be protected: send PROT P first.\n" },
	{ "REIN ends it",
	  { .action = &ccc_required },
	  TLS_P_IN "C CCC\n",
	  "C REIN\n  renew\nS 220 new\n  c 220 new\n"
	  "C CWD x\n  c 534 Policy requires TLS: send AUTH TLS first.\n"
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n" },
};

static const struct script_case rein[] = {
	{ "in the clear",
	  { 0 },
	  LOGGED_IN,
	  "C REIN\n  renew\nC NOOP\n  hold\nS 120 wait\n  c 120 wait\nS 220 new\n  c 220 new\n"
	  "C CWD x\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "TLS ends after the 220",
	  { 0 },
	  TLS_P_IN PASV_PLAN,
	  "C REIN\n  close-data\n  renew\nS 220-new\n  c 220-new\nS 220 server\n  c 220 server\n"
	  "  tls-stop notify\nC PROT P\n  c 503 Must first establish authentication: send AUTH TLS.\n"
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n" },
	{ "on the secure port TLS stays",
	  { .implicit = true },
	  "! tls\n" LOGGED_IN,
	  "C REIN\n  renew\nS 220 new\n  c 220 new\nC USER u\n  user u\n  s USER u\n" },
	{ "the server is gone",
	  { 0 },
	  TLS_IN "C REIN\n",
	  "! down\n  c 421 The FTP server is not available, try again later.\n  close server-down\n" },
	{ "the server refuses", { 0 }, TLS_IN "C REIN\n", "S 530 no\n  c 530 no\n  close server-refused\n" },
};

#define OWN_FEAT "  c  AUTH TLS\n  c  PBSZ\n  c  PROT\n  c  CCC\n  c  EPSV\n  c  EPRT\n  c 211 End\n"

static const struct script_case feat[] = {
	{ "several lines",
	  { 0 },
	  GREETED,
	  "C FEAT\n  s FEAT\nS 211-Features:\n  c 211-Features:\nS  MDTM\n  c  MDTM\nS  EPSV\nS  AUTH TLS\n"
	  "S  REST STREAM\n  c  REST STREAM\nS  PBSZ\nS 211 done\n" OWN_FEAT },
	{ "no feature, several lines",
	  { 0 },
	  GREETED,
	  "C FEAT\n  s FEAT\nS 211-Features:\n  c 211-Features:\nS 211 done\n" OWN_FEAT },
	{ "one line",
	  { 0 },
	  GREETED,
	  "C FEAT\n  s FEAT\nS 211 none\n  c 211-Extensions supported:\n" OWN_FEAT },
	{ "500", { 0 }, GREETED, "C FEAT\n  s FEAT\nS 500 what?\n  c 211-Extensions supported:\n" OWN_FEAT },
	{ "530 of several lines",
	  { 0 },
	  GREETED,
	  "C FEAT\n  s FEAT\nS 530-log in\nS  first\nS 530 please\n  c 211-Extensions "
	  "supported:\n" OWN_FEAT },
	{ "200 of several lines",
	  { 0 },
	  GREETED,
	  "C FEAT\n  s FEAT\nS 200-a\nS  MDTM\nS 200 b\n  c 211-Extensions supported:\n" OWN_FEAT },
	{ "nothing allowed",
	  { .action = &no_auth },
	  GREETED,
	  "C FEAT\n  s FEAT\nS 500 what?\n  c 211-Extensions supported:\n  c  EPSV\n  c 211 End\n" },
	{ "secure port",
	  { .action = &implicit_zos, .implicit = true },
	  GREETED "! tls\n",
	  "C FEAT\n  s FEAT\nS 500 what?\n  c 211-Extensions supported:\n  c  PBSZ\n  c  PROT\n  c  EPSV\n"
	  "  c 211 End\n" },
};

static const struct script_case plain[] = {
	{ "one at a time",
	  { 0 },
	  LOGGED_IN,
	  "C CWD a\n  s CWD a\nC CWD b\n  hold\nS 250-a\n  c 250-a\nC CWD b\n  hold\nS 250 a\n  c 250 a\n"
	  "C CWD b\n  s CWD b\nS 550 b\n  c 550 b\n" },
	{ "1yz is not the end",
	  { 0 },
	  LOGGED_IN,
	  "C SITE x\n  s SITE x\nS 125-wait\n  c 125-wait\nS 125 wait\n  c 125 wait\nC NOOP\n  hold\n"
	  "S 200 ok\n  c 200 ok\n  changed\n" },
	{ "unknown verbs",
	  { 0 },
	  LOGGED_IN,
	  "C XMKD d\n  s XMKD d\nS 257 ok\n  c 257 ok\n  changed\nC MD5 f\n  s MD5 f\nS 500 no\n  c 500 no\n" },
	{ "no verb at all", { 0 }, LOGGED_IN, "C  PORT 1,2,3,4,5,6\n  c 500 Empty command.\n" },
	/* Some servers skip or split at any white space: they would read the verb that the gateway did not.
	 */
	{ "no verb hides behind other white space",
	  { 0 },
	  LOGGED_IN,
	  "C \tPORT 1,2,3,4,5,6\n  c 500 A command name may contain only letters and digits.\n"
	  "C PORT\t1,2,3,4,5,6\n  c 500 A command name may contain only letters and digits.\n"
	  "C \vPASV\n  c 500 A command name may contain only letters and digits.\n"
	  "C PASV\f\n  c 500 A command name may contain only letters and digits.\n"
	  "C \xffPASV\n  c 500 A command name may contain only letters and digits.\n"
	  "C P@SW\n  c 500 A command name may contain only letters and digits.\n" },
	{ "never offered",
	  { 0 },
	  LOGGED_IN,
	  "C CPSV\n  c 502 Command is not available here.\nC SSCN\n  c 502 Command is not available here.\n"
	  "C LPSV\n  c 502 Command is not available here.\nC lprt 6\n  c 502 Command is not available "
	  "here.\n" },
	{ "MODE",
	  { 0 },
	  LOGGED_IN,
	  "C MODE S\n  s MODE S\nS 200 ok\n  c 200 ok\nC MODE z\n  s MODE z\nS 504 no\n  c 504 no\n"
	  "C MODE B\n  s MODE B\nS 200 ok\n  c 200 ok\nC MODE c\n  s MODE c\nS 504 no\n  c 504 no\n"
	  "C MODE E\n  c 504 Only MODE S, B, C and Z are supported.\n"
	  "C MODE\n  c 504 Only MODE S, B, C and Z are supported.\n"
	  "C MODE SS\n  c 504 Only MODE S, B, C and Z are supported.\n" },
	{ "ABOR, STAT and NOOP without a transfer",
	  { 0 },
	  LOGGED_IN,
	  "C ABOR\n  s ABOR\nC STAT\n  hold\nS 225 nothing\n  c 225 nothing\nC STAT x\n  s STAT x\n"
	  "S 213-a\n  c 213-a\nS 213 b\n  c 213 b\nC NOOP\n  s NOOP\nS 200 ok\n  c 200 ok\n" },
	{ "QUIT",
	  { 0 },
	  LOGGED_IN,
	  "C QUIT\n  s QUIT\nC NOOP\n  hold\nS 221-bye\n  c 221-bye\nS 221 bye\n  c 221 bye\n  close quit\n"
	  "C NOOP\n" },
	{ "QUIT before login",
	  { .action = &script_strict },
	  GREETED,
	  "C QUIT\n  s QUIT\nS 221 bye\n  c 221 bye\n  close quit\n" },
	{ "QUIT refused", { 0 }, LOGGED_IN, "C QUIT\n  s QUIT\nS 500 no\n  c 500 no\n  close quit\n" },
};

#define CONFUSED(line, why)                                                                                  \
	"  stray " line "\n  c 421 The FTP server sent an unexpected reply; closing.\n  close " why "\n"

static const struct script_case unsolicited[] = {
	{ "227",
	  { 0 },
	  LOGGED_IN,
	  "S 227 (10,0,0,1,8,0)\n" CONFUSED("227 (10,0,0,1,8,0)", "unsolicited-reply") },
	{ "220", { 0 }, LOGGED_IN, "S 220 again\n" CONFUSED("220 again", "unsolicited-reply") },
	{ "200", { 0 }, LOGGED_IN, "S 200-a\n" CONFUSED("200-a", "unsolicited-reply") "S 200 b\n" },
	{ "150", { 0 }, LOGGED_IN, "S 150 a\n" CONFUSED("150 a", "unsolicited-reply") },
	{ "421", { 0 }, LOGGED_IN, "S 421 idle\n  c 421 idle\n  close server-421\n" },
	{ "421 of several lines",
	  { 0 },
	  LOGGED_IN,
	  "S 421-idle\n  c 421-idle\nS  so\n  c  so\nC NOOP\n  hold\nC PBSZ\n  hold\nS 421 bye\n  c 421 bye\n"
	  "  close server-421\n" },
	{ "421 instead of an answer",
	  { 0 },
	  LOGGED_IN "C CWD x\n",
	  "S 421 a\n  c 421 a\n  close server-421\n" },
	{ "227 to NOOP",
	  { 0 },
	  LOGGED_IN "C NOOP\n",
	  "S 227 (10,0,0,1,8,0)\n" CONFUSED("227 (10,0,0,1,8,0)", "unsolicited-data-port") },
	{ "229 to an unknown verb",
	  { 0 },
	  LOGGED_IN "C XPSV\n",
	  "S 229 (|||2000|)\n" CONFUSED("229 (|||2000|)", "unsolicited-data-port") },
	{ "227 inside another reply is text",
	  { 0 },
	  LOGGED_IN "C STAT\n",
	  "S 211-a\n  c 211-a\nS 227 (10,0,0,1,8,0)\n  c 227 (10,0,0,1,8,0)\nS 211 b\n  c 211 b\n" },
};

static const struct script_case foreign[] = {
	{ "GET",
	  { 0 },
	  GREETED,
	  "C GET / HTTP/1.1\n  c 500 This is an FTP server.\n  close foreign-protocol\nC Host: x\nS 220 "
	  "x\n" },
	{ "POST before the greeting",
	  { 0 },
	  NULL,
	  "C POST /x HTTP/1.1\n  c 500 This is an FTP server.\n  close foreign-protocol\n" },
	{ "EHLO under TLS",
	  { 0 },
	  TLS_IN,
	  "C ehlo me\n  c 500 This is an FTP server.\n  close foreign-protocol\n" },
	{ "a command during a transfer",
	  { 0 },
	  PASSIVE "C RETR x\nS 150 go\n",
	  "C CONNECT h:1\n  c 500 This is an FTP server.\n  close foreign-protocol\nD ok\nS 226 x\n" },
};

#define BAD_BYTES "  c 501 NUL and CR are not allowed inside a command.\n"

static const struct script_case bad_lines[] = {
	{ "each kind",
	  { 0 },
	  GREETED,
	  "B nul\n" BAD_BYTES "B cr\n" BAD_BYTES "B long\n  c 500 Command line too long.\n"
	  "B lf\n  c 500 Command lines must end with CR LF.\n  close bare-lf\nB nul\n" },
	{ "ten in a row",
	  { 0 },
	  GREETED "B nul\nB cr\nB long\nB nul\nB nul\nB nul\nB nul\nB nul\n",
	  "B nul\n" BAD_BYTES "B nul\n" BAD_BYTES "  c 421 Too many errors; closing.\n"
	  "  close malformed-lines\nC NOOP\n" },
	{ "refused lines before the login end it, too",
	  { 0 },
	  GREETED "C PWD\nC XYZZY\nC ADAT x\nC PASS p\nB nul\nC PWD\nC PWD\nC PWD\n",
	  "C PWD\n  c 530 Not logged in: send USER and PASS first.\n"
	  "C PWD\n  c 530 Not logged in: send USER and PASS first.\n  c 421 Too many errors; closing.\n"
	  "  close refused-lines\nC NOOP\n" },
	{ "but not in a row",
	  { 0 },
	  GREETED "C PWD\nC PWD\nC PWD\nC PWD\nC PWD\nC PWD\nC PWD\nC PWD\nC PWD\nC NOOP\nS 200 ok\n",
	  "C PWD\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "and not after the login",
	  { 0 },
	  LOGGED_IN "C ADAT x\nC ADAT x\nC ADAT x\nC ADAT x\nC ADAT x\nC ADAT x\nC ADAT x\nC ADAT x\n"
		    "C ADAT x\nC ADAT x\nC ADAT x\n",
	  "C NOOP\n  s NOOP\n" },
	{ "they overtake nothing",
	  { 0 },
	  LOGGED_IN,
	  "C CWD x\n  s CWD x\nB nul\n  hold\nB long\n  hold\nS 250 ok\n  c 250 ok\nB nul\n" BAD_BYTES },
	{ "not even during a transfer, except a bare LF",
	  { 0 },
	  PASSIVE "C RETR x\nS 150 go\n",
	  "B cr\n  hold\nB lf\n  c 500 Command lines must end with CR LF.\n  close bare-lf\n" },
	{ "a good one between",
	  { 0 },
	  GREETED "B nul\nB nul\nB nul\nB nul\nB nul\nB nul\nB nul\nB nul\nB nul\n",
	  "C NOOP\n  s NOOP\nS 200 ok\n  c 200 ok\nB nul\n" BAD_BYTES },
};

static const struct ftp_action verifies = {
	.secure_login = SECURE_LOGIN_REQUIRED,
	.extensions = EXTENSION_AUTH_TLS,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.secure_dataconn = SECURE_CLEAR,
};

static const struct script_case greeted_in[] = {
	{ "in the clear",
	  { 0 },
	  NULL,
	  "S 230 in\n  c 230 in\nC NOOP\n  s NOOP\nS 200 ok\n  c 200 ok\nC PWD\n  logged-in\n  s PWD\n" },
	{ "TLS first",
	  { .action = &script_strict },
	  NULL,
	  "S 230-a\n  c 220-a\nS  b\n  c  b\nS 230 in\n  c 220 in\n"
	  "C PWD\n  c 534 Policy requires TLS: send AUTH TLS first.\n"
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n"
	  "! tls\nC PWD\n  logged-in\n  s PWD\n" },
	{ "its text does not end the 220, or the next line would be the reply to AUTH",
	  { .action = &script_strict },
	  NULL,
	  "S 230-a\n  c 220-a\nS 220 b\n  c  220 b\nS 234 go\n  c 234 go\nS 230-c\n  c 220-c\n"
	  "S 230 in\n  c 220 in\n" },
	{ "on the secure port",
	  { .implicit = true },
	  "! tls\n",
	  "S 230 in\n  c 230 in\nC PWD\n  logged-in\n  s PWD\n" },
	{ "a certificate is wanted",
	  { .action = &verifies, .implicit = true },
	  "! tls\n",
	  "S 230 in\n  c 220 in\nC PWD\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "USER all the same",
	  { 0 },
	  "S 230 in\n",
	  "C USER u\n  user u\n  s USER u\nS 230 ok\n  c 230 ok\n  logged-in\nC PWD\n  s PWD\n" },
	{ "a user that was refused has not logged in",
	  { 0 },
	  "S 230 in\n",
	  "C USER u\n  user u\n  s USER u\nS 530 no\n  c 530 no\n  login-failed\n"
	  "C PWD\n  user \n  logged-in\n  s PWD\n" },
	{ "a server that sees TLS in its header",
	  { .lazy_dial = true },
	  "G -\nC SYST\nS 230 in\nC SYST\nS 215 x\n",
	  "C PWD\n  logged-in\n  s PWD\n" },
	{ "AUTH afterwards makes it new",
	  { 0 },
	  "S 230 in\nC PWD\nS 257 x\n",
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n  renew\n"
	  "! tls\nS 220 hi\nC PWD\n  c 530 Not logged in: send USER and PASS first.\n" },
};

static const struct script_case strays[] = {
	{ "replies to nothing are dropped",
	  { .drops_strays = true },
	  LOGGED_IN,
	  "S 200 a\n  stray 200 a\nS 550 b\n  stray 550 b\nS 150 c\n  stray 150 c\n"
	  "C NOOP\n  s NOOP\nS 200 d\n  c 200 d\n" },
	{ "one of several lines",
	  { .drops_strays = true },
	  LOGGED_IN,
	  "S 200-a\n  stray 200-a\nS 227 (10,0,0,1,8,0)\nS 200 b\nS 201 c\n  stray 201 c\n" },
	{ "a command while one is open",
	  { .drops_strays = true },
	  LOGGED_IN "S 200-a\n",
	  "C NOOP\n  s NOOP\nS 200 b\nS 200 c\n  c 200 c\n" },
	{ "text and blank lines",
	  { .drops_strays = true },
	  LOGGED_IN,
	  "S hello\n  stray hello\nS   \n  stray   \nS 20 x\n  stray 20 x\nS 631 x\n  stray 631 x\n" },
	{ "421 is not one",
	  { .drops_strays = true },
	  LOGGED_IN,
	  "S 421 idle\n  c 421 idle\n  close server-421\n" },
	{ "a port",
	  { .drops_strays = true },
	  LOGGED_IN,
	  "S 227 (10,0,0,1,8,0)\n" CONFUSED("227 (10,0,0,1,8,0)", "unsolicited-reply") },
	{ "before the login",
	  { .drops_strays = true },
	  GREETED,
	  "S 230 in\n" CONFUSED("230 in", "unsolicited-reply") },
	{ "under TLS before the login",
	  { .drops_strays = true },
	  WITH_TLS,
	  "S 331 go on\n" CONFUSED("331 go on", "unsolicited-reply") },
	{ "text before the login",
	  { .drops_strays = true },
	  GREETED,
	  "S hello\n  stray hello\nC NOOP\n  s NOOP\n" },
	{ "text before the greeting",
	  { .drops_strays = true },
	  NULL,
	  "S ld.so: cannot preload\n  stray ld.so: cannot preload\nS   \n  stray   \nS 220 hello\n  c 220 hello\n" },
	{ "and before that of a renewed server",
	  { .drops_strays = true },
	  LOGGED_IN "C REIN\n",
	  "S hello\n  stray hello\nS 220 hello\n  c 220 hello\n" },
	{ "a blank line in front of a reply",
	  { .drops_strays = true },
	  LOGGED_IN "C NOOP\n",
	  "S  \t\n  stray  \t\nS 200 ok\n  c 200 ok\n" },
	{ "text in place of a reply",
	  { .drops_strays = true },
	  LOGGED_IN "C NOOP\n",
	  "S hello\n" CONFUSED("hello", "reply-without-code") },
	{ "during a transfer",
	  { .drops_strays = true },
	  PASSIVE "C RETR x\nS 150 go\n",
	  "S hello\n" CONFUSED("hello", "reply-without-code") },
	{ "close: text", { 0 }, LOGGED_IN, "S hello\n" CONFUSED("hello", "stray-text") },
	{ "close: a blank line", { 0 }, LOGGED_IN "C NOOP\n", "S  \n" CONFUSED(" ", "reply-without-code") },
	{ "close: text before the greeting",
	  { 0 },
	  NULL,
	  "S hello\n" CONFUSED("hello", "reply-without-code") },
};

/* Text before the greeting has a limit, in lines or in pieces of one. */
static void preface_is_bounded(void **state)
{
	(void)state;
	for (int pieces = 0; pieces < 2; pieces++) {
		const struct script_setup setup = { .drops_strays = true };
		struct script *script = calloc(1, sizeof(*script));
		struct ftp_reply line = { .line = "x", .len = 1, .consumed = 1000, .goes_on = pieces != 0 };
		size_t bytes = 0;

		assert_non_null(script);
		script_begin(script, &setup);
		for (; bytes <= 70000 && !script->machine.closing; bytes += line.consumed) {
			ftp_machine_stray_line(&script->machine, &line, &script->out);
			line.continues = pieces != 0;
			ftp_out_reset(&script->out);
		}
		assert_true(bytes > 65536 && bytes < 68000);
		free(script);
	}
}

static const struct script_case ends[] = {
	{ "lost",
	  { 0 },
	  LOGGED_IN "C CWD x\n",
	  "! lost\n  c 421 The FTP server closed the connection.\n  close server-lost\n! idle\n! lost\n" },
	{ "inside a listing: no 421", { 0 }, LOGGED_IN "C STAT x\nS 213-a\n", "! lost\n  close reply-cut\n" },
	{ "inside a greeting", { 0 }, "S 220-a\n", "! login\n  close login-timeout\n" },
	{ "inside a 331", { 0 }, GREETED "C USER u\nS 331-a\n", "! shutdown\n  close shutdown\n" },
	{ "inside a list of features",
	  { 0 },
	  GREETED "C FEAT\nS 211-a\nS  SIZE\n",
	  "! lost\n  close reply-cut\n" },
	{ "before a list of features is shown",
	  { 0 },
	  GREETED "C FEAT\nS 500-a\n",
	  "! lost\n  c 421 The FTP server closed the connection.\n  close reply-cut\n" },
	{ "inside a refusal",
	  { 0 },
	  LOGGED_IN "C CWD x\nS 550-a\n",
	  "! lost\n  c 550 The FTP server did not complete this reply.\n"
	  "  c 421 The FTP server closed the connection.\n  close reply-cut\n" },
	{ "inside a preliminary reply",
	  { 0 },
	  PASSIVE "C RETR x\nS 125-a\n",
	  "! lost\n  c 125 The FTP server did not complete this reply.\n"
	  "  c 421 The FTP server closed the connection.\n  close reply-cut\n" },
	{ "inside a reply that the client does not see",
	  { 0 },
	  LOGGED_IN "C PASV\nS 229-a\n",
	  "! lost\n  c 421 The FTP server closed the connection.\n  close reply-cut\n" },
	{ "after a reply",
	  { 0 },
	  LOGGED_IN "C STAT x\nS 213-a\nS 213 b\n",
	  "! lost\n  c 421 The FTP server closed the connection.\n  close server-lost\n" },
	{ "an end that does not come",
	  { 0 },
	  LOGGED_IN "C STAT x\nS 211-a\nS 200 b\n",
	  "! unfinished\n  close reply-unfinished\n" },
	{ "login timeout",
	  { 0 },
	  GREETED,
	  "! login\n  c 421 Login took too long; closing.\n  close login-timeout\nC NOOP\n" },
	{ "idle", { 0 }, LOGGED_IN, "! idle\n  c 421 Idle for too long; closing.\n  close inactive\n" },
	{ "shutdown",
	  { 0 },
	  LOGGED_IN,
	  "! shutdown\n  c 421 Service is shutting down, try again later.\n  close shutdown\n" },
	{ "shutdown as z/OS has it",
	  { .action = &zos_strict },
	  GREETED,
	  "! shutdown\n  c 503 command terminated due to server shutdown in progress\n  close shutdown\n" },
	{ "shutdown waits for a transfer",
	  { 0 },
	  PASSIVE "C RETR x\nS 150 go\n",
	  "! shutdown\nC NOOP\n  s NOOP\nD ok\nS 226 done\n  c 226 done\n  close-data\n"
	  "  side-wait 2000\nS 200 ok\n  c 200 ok\n  c 421 Service is shutting down, try again later.\n  close shutdown\n" },
	{ "shutdown and a refused transfer",
	  { 0 },
	  PASSIVE "C RETR x\n",
	  "! shutdown\nS 550 no\n  c 550 no\n  refused\n"
	  "  c 421 Service is shutting down, try again later.\n  close shutdown\n" },
};

#define TEST(cases)                                                                                          \
	static void cases##_dialogues(void **state)                                                          \
	{                                                                                                    \
		(void)state;                                                                                 \
		SCRIPT_CHECK_ALL(cases);                                                                     \
	}
TEST(greeting)
TEST(lazy_dial)
TEST(required)
TEST(login)
TEST(auth)
TEST(ccc)
TEST(rein)
TEST(feat)
TEST(plain)
TEST(unsolicited)
TEST(greeted_in)
TEST(strays)
TEST(foreign)
TEST(bad_lines)
TEST(ends)

static const struct {
	const char *preamble;
	const char *line; /* NULL: a line with a NUL */
	const char *verb; /* NULL: no refusal for the log */
} refusals[] = {
	{ GREETED, "pasv", "PASV" },
	{ GREETED, "hunter2", "" },
	{ GREETED, "GET / HTTP/1.1", "GET" },
	{ GREETED "C NOOP\nS 200 ok\n", NULL, "" },
	{ LOGGED_IN, "RETR x", "RETR" },
	{ LOGGED_IN, "PBSZ", "PBSZ" },
	{ GREETED, "NOOP", NULL },
	{ WITH_TLS, "PBSZ 0", NULL },
};

/* The log names the verb, and no word that may be a password sent as a line of its own. */
static void refusals_carry_the_verb(void **state)
{
	struct script *script = calloc(1, sizeof(*script));

	(void)state;
	assert_non_null(script);
	for (size_t i = 0; i < NELEM(refusals); i++) {
		const char *line = refusals[i].line;
		const struct ftp_act *act = &script->out.acts[0];

		script_begin(script, &(struct script_setup){ 0 });
		script_run(script, refusals[i].preamble);
		if (line != NULL)
			ftp_machine_command(&script->machine, line, strlen(line), &script->out);
		else
			ftp_machine_bad_line(&script->machine, FTP_LINE_NUL, &script->out);
		assert_int_not_equal(script->out.n, 0);
		assert_int_equal(act->refusal, refusals[i].verb != NULL);
		if (refusals[i].verb != NULL)
			assert_string_equal(act->verb, refusals[i].verb);
		else
			assert_null(act->verb);
		ftp_out_reset(&script->out);
	}
	free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(greeting_dialogues),	   cmocka_unit_test(lazy_dial_dialogues),
		cmocka_unit_test(required_dialogues),	   cmocka_unit_test(login_dialogues),
		cmocka_unit_test(auth_dialogues),	   cmocka_unit_test(ccc_dialogues),
		cmocka_unit_test(rein_dialogues),	   cmocka_unit_test(feat_dialogues),
		cmocka_unit_test(plain_dialogues),	   cmocka_unit_test(unsolicited_dialogues),
		cmocka_unit_test(strays_dialogues),	   cmocka_unit_test(greeted_in_dialogues),
		cmocka_unit_test(preface_is_bounded),	   cmocka_unit_test(foreign_dialogues),
		cmocka_unit_test(bad_lines_dialogues),	   cmocka_unit_test(ends_dialogues),
		cmocka_unit_test(refusals_carry_the_verb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
