/*
 * The machine's dialogues under AUTH GSSAPI: the exchange, protected commands and the
 * protection of their replies, PBSZ and PROT, logins, CCC and REIN.
 */
#include "tests/unit/machine-script.h"

#define GSSAPI_LENIENT_BUT_DATA                                                                              \
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH, .unknown_commands = UNKNOWN_COMMANDS_PASS,              \
	.extensions = EXTENSION_AUTH_TLS | EXTENSION_AUTH_GSSAPI, .secure_ftp = SECURE_FTP_ALLOWED,          \
	.portcommand = PORTCOMMAND_ACCEPT, .secure_pbsz = 16384, .accesserrormsgs = true
#define GSSAPI_LENIENT GSSAPI_LENIENT_BUT_DATA, .secure_dataconn = SECURE_CLEAR

static const struct ftp_action lenient = { GSSAPI_LENIENT, .secure_ctrlconn = SECURE_CLEAR };
static const struct ftp_action safe = { GSSAPI_LENIENT, .secure_ctrlconn = SECURE_SAFE };
static const struct ftp_action zos = { GSSAPI_LENIENT, .secure_ctrlconn = SECURE_CLEAR,
				       .reply_style = REPLY_STYLE_ZOS };
static const struct ftp_action draft = { GSSAPI_LENIENT, .secure_ctrlconn = SECURE_CLEAR,
					 .tlsrfclevel = TLSRFCLEVEL_DRAFT };
/* As a policy without any of these keys. */
static const struct ftp_action strict = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.extensions = EXTENSION_AUTH_GSSAPI,
	.secure_ftp = SECURE_FTP_REQUIRED,
	.secure_ctrlconn = SECURE_PRIVATE,
	.secure_dataconn = SECURE_PRIVATE,
	.secure_pbsz = 4096,
};
static const struct ftp_action data_safe = { .secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
					     .extensions = EXTENSION_AUTH_GSSAPI,
					     .secure_ctrlconn = SECURE_PRIVATE,
					     .secure_dataconn = SECURE_SAFE,
					     .secure_pbsz = 4096 };
static const struct ftp_action data_never = { .secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
					      .extensions = EXTENSION_AUTH_GSSAPI,
					      .secure_ctrlconn = SECURE_PRIVATE,
					      .secure_dataconn = SECURE_NEVER,
					      .secure_pbsz = 4096 };
static const struct ftp_action optional = { GSSAPI_LENIENT, .secure_ctrlconn = SECURE_CLEAR,
					    .secure_password_kerberos = SECURE_PASSWORD_OPTIONAL };
/* SECURE_PASSWORD is about certificates: it must not matter here. */
static const struct ftp_action only_certificates = { GSSAPI_LENIENT, .secure_ctrlconn = SECURE_CLEAR,
						     .secure_password = SECURE_PASSWORD_OPTIONAL };
static const struct ftp_action verify = { .secure_login = SECURE_LOGIN_VERIFY_USER,
					  .unknown_commands = UNKNOWN_COMMANDS_PASS,
					  .extensions = EXTENSION_AUTH_GSSAPI,
					  .secure_ctrlconn = SECURE_PRIVATE,
					  .secure_password_kerberos = SECURE_PASSWORD_OPTIONAL,
					  .accesserrormsgs = true };

/* Levels that USER raises. */
static const char *bob[] = { "bob" };
static const struct ftp_action some_strict;
static const struct ftp_action data_private = { GSSAPI_LENIENT_BUT_DATA, .secure_ctrlconn = SECURE_CLEAR,
						.secure_dataconn = SECURE_PRIVATE, .usual = &some_strict };
static const char *eve[] = { "eve" };
static const struct ftp_action ctrl_private = { GSSAPI_LENIENT, .secure_ctrlconn = SECURE_PRIVATE,
						.usual = &some_strict };
static struct ftp_per_user strict_entries[] = { { .users = { bob, 1 }, .action = &data_private },
						{ .users = { eve, 1 }, .action = &ctrl_private } };
static const struct ftp_action some_strict = { GSSAPI_LENIENT_BUT_DATA, .secure_ctrlconn = SECURE_CLEAR,
					       .secure_dataconn = SECURE_SAFE, .per_user = strict_entries,
					       .nper_user = 2 };

#define UP	    GREETED "C AUTH GSSAPI\nA done T\n"
#define IN	    UP "E USER u\nS 331 ok\nE PASS p\nS 230 in\n"
#define PASV_PLAN_E "E PASV\nS 229 x (|||2000|)\nL client 192.0.2.1:5001\n"
#define KNOWN	    GREETED "C AUTH GSSAPI\nI user=U service password=stored\nA done T\n"

static const struct script_case cases[] = {
	{ "the exchange",
	  { .action = &lenient },
	  GREETED,
	  "C AUTH GSSAPI\n  c 334 Using AUTH type GSSAPI; ADAT must follow.\n  gssapi\n"
	  "C ADAT abcd\n  accept abcd\nA done VG9r\n  c! 235 ADAT=VG9r\n" },
	{ "in small letters",
	  { .action = &lenient },
	  GREETED,
	  "C auth gssapi\n  c 334 Using AUTH type GSSAPI; ADAT must follow.\n  gssapi\n" },
	{ "two tokens",
	  { .action = &lenient },
	  GREETED "C AUTH GSSAPI\n",
	  "C ADAT a\n  accept a\nA more T\n  c 335 ADAT=T\nC ADAT b\n  accept b\nA done U\n  c! 235 ADAT=U\n" },
	{ "a token that is refused, and another exchange",
	  { .action = &lenient },
	  GREETED "C AUTH GSSAPI\n",
	  "C ADAT a\n  accept a\nA refused\n  c 535 The Kerberos ticket was not accepted.\n"
	  "C ADAT a\n  c 503 Must issue AUTH command before ADAT command.\n"
	  "C AUTH GSSAPI\n  c 334 Using AUTH type GSSAPI; ADAT must follow.\n  gssapi\n" },
	{ "a token not in base 64",
	  { .action = &lenient },
	  GREETED "C AUTH GSSAPI\n",
	  "C ADAT ?\n  accept ?\nA bad\n  c 501 ADAT needs a token in base64.\n" },
	{ "TLS after all",
	  { .action = &lenient },
	  GREETED "C AUTH GSSAPI\n",
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n"
	  "! tls\nC ADAT a\n  c 503 ADAT is not used with TLS.\nC MIC a\n"
	  "  c 537 Not used with TLS: the control connection is already protected.\n" },
	{ "what came in the clear does not count",
	  { .action = &lenient },
	  LOGGED_IN "C AUTH GSSAPI\n",
	  "A done T\n  c! 235 ADAT=T\n  renew\nS 220 again\nE PWD\n  cP 530 Not logged in: send USER and PASS first.\n" },
	{ "not even between AUTH and ADAT",
	  { .action = &lenient },
	  GREETED "C AUTH GSSAPI\nC USER evil\nS 331 x\n",
	  "A done T\n  c! 235 ADAT=T\n  renew\nS 220 again\nE PASS p\n  cP 503 Send USER before PASS.\n" },
	{ "nor its data connection",
	  { .action = &lenient },
	  PASSIVE "C AUTH GSSAPI\n",
	  "A done T\n  c! 235 ADAT=T\n  close-data\n  renew\n" },
	{ "twice",
	  { .action = &lenient },
	  UP,
	  "E AUTH GSSAPI\n  cP 503 Authentication already established.\n"
	  "E ADAT a\n  cP 503 Authentication already established.\n"
	  "E AUTH TLS\n  cP 503 Authentication already established.\n"
	  "E MIC a\n  cP 503 A protected command cannot hold another one.\n" },
	{ "where it is not offered",
	  { .action = NULL },
	  GREETED,
	  "C AUTH GSSAPI\n  c 504 Unknown mechanism: use AUTH TLS.\n"
	  "C ADAT a\n  c 503 Must issue AUTH command before ADAT command.\n" },
	{ "where TLS is not offered",
	  { .action = &strict },
	  GREETED,
	  "C AUTH TLS\n  c 504 Unknown mechanism: use AUTH GSSAPI.\n"
	  "C USER u\n  c 530 Server requires authentication: send AUTH GSSAPI before USER.\n"
	  "C PASS p\n  c 534 Policy requires protection: send AUTH GSSAPI before PASS.\n"
	  "C PWD\n  c 534 Policy requires protection: send AUTH GSSAPI first.\n" },
	{ "a listener in the clear",
	  { .action = &strict, .clear_only = true },
	  GREETED,
	  "C AUTH GSSAPI\n  c 502 AUTH is not offered here.\n" },
	{ "a secure port",
	  { .action = &lenient, .implicit = true },
	  "! tls\n" GREETED,
	  "C AUTH GSSAPI\n  c 503 Server on the TLS secure port does not accept the AUTH command.\n" },

	{ "replies have the level of their command",
	  { .action = &lenient },
	  IN,
	  "E PWD\n  s PWD\nS 257 /\n  cP 257 /\nM PWD\n  s PWD\nS 257-a\n  cS 257-a\nS 257 b\n  cS 257 b\n"
	  "N PWD\n  s PWD\nS 257 /\n  cE 257 /\n" },
	{ "in the clear",
	  { .action = &lenient },
	  IN,
	  "C PWD\n  c! 533 All commands must be protected: use MIC, CONF or ENC.\n"
	  "C AUTH TLS\n  c! 533 All commands must be protected: use MIC, CONF or ENC.\n"
	  "C QUIT\n  c! 533 All commands must be protected: use MIC, CONF or ENC.\n" },
	{ "in the clear, z/OS", { .action = &zos }, IN, "C PWD\n  c! 533 All commands must be protected\n" },
	{ "injected before the answer",
	  { .action = &lenient },
	  IN "E PWD\n",
	  "C NOOP\n  hold\nS 257 /\n  cP 257 /\n" },
	{ "injected during a transfer",
	  { .action = &lenient },
	  IN PASV_PLAN_E "E RETR x\nS 150 go\n",
	  "C ABOR\n  hold\nD ok\nS 226 done\n  cP 226 done\n  close-data\n"
	  "C ABOR\n  c! 533 All commands must be protected: use MIC, CONF or ENC.\n" },
	{ "a side command does not weaken the transfer's reply",
	  { .action = &lenient },
	  IN PASV_PLAN_E "E RETR x\nS 150 go\n",
	  "M NOOP\n  s NOOP\nS 200 ok\n  cP 200 ok\nD ok\nS 226 done\n  cP 226 done\n  close-data\n" },
	{ "the end of a download waits for success",
	  { .action = &lenient },
	  IN "E PBSZ 512\nE PROT P\n" PASV_PLAN_E "E RETR x\nS 150 go\n",
	  "S 226 done\n  agreed\n  hold\nS 226 done\n  hold\nD ok\nS 226 done\n  cP 226 done\n  close-data\n" },
	{ "which may come without a 150",
	  { .action = &lenient },
	  IN "E PBSZ 512\nE PROT P\n" PASV_PLAN_E "E RETR x\n",
	  "S 226 done\n  go\n  agreed\n  hold\nD ok\nS 226 done\n  cP 226 done\n  close-data\n" },
	{ "and not for failure",
	  { .action = &lenient },
	  IN "E PBSZ 512\nE PROT P\n" PASV_PLAN_E "E RETR x\nS 150 go\n",
	  "S 451 no\n  failed\n  side-wait 2000\n  hold\nD server-lost\nS 451 no\n  cP 451 no\n  close-data\n" },
	{ "block mode is not protected",
	  { .action = &lenient },
	  IN "E PBSZ 512\nE PROT P\n" PASV_PLAN_E "E MODE B\nS 200 ok\n",
	  "E RETR x\n  cP 504 Only MODE S can be protected under GSSAPI.\n" },
	{ "nobody waits for it in the clear",
	  { .action = &lenient },
	  IN PASV_PLAN_E "E RETR x\nS 150 go\n",
	  "S 226 done\n  hold\nD ok\nS 226 done\n  cP 226 done\n  close-data\n" },
	{ "safe commands are not enough",
	  { .action = &strict },
	  UP,
	  "M NOOP\n  cS 533 Policy requires encrypted commands: use ENC.\n"
	  "N NOOP\n  s NOOP\n" },
	{ "safe commands are enough, but not for a password",
	  { .action = &safe },
	  UP,
	  "M USER u\n  user u\n  s USER u\nS 331 ok\n  cS 331 ok\n"
	  "M PASS p\n  cS 533 Policy requires encrypted passwords: use ENC.\nE PASS p\n  s PASS p\n" },
	{ "unless it could come in the clear as well",
	  { .action = &lenient },
	  UP "M USER u\nS 331 ok\n",
	  "M PASS p\n  s PASS p\n" },
	{ "of the gateway's own accord",
	  { .action = &strict },
	  UP,
	  "! idle\n  cP 421 Idle for too long; closing.\n  close inactive\n" },
	{ "of its own accord, safe",
	  { .action = &safe },
	  UP,
	  "! idle\n  cS 421 Idle for too long; closing.\n  close inactive\n" },
	{ "not base 64",
	  { .action = &lenient },
	  IN,
	  "X bad\n  c! 501 The command needs a token in base64.\n" },
	{ "not a token",
	  { .action = &lenient },
	  IN,
	  "X refused\n  c! 535 The command failed the security check.\n" },
	{ "not the next one",
	  { .action = &lenient },
	  IN,
	  "X sequence\n  cP 535 The command is out of sequence; closing.\n  close out-of-sequence\n" },
	{ "not before the reply", { .action = &lenient }, IN "E PWD\n", "X refused\n  hold\n" },
	{ "too often",
	  { .action = &lenient },
	  IN "X refused\nX refused\nX refused\nX refused\nX refused\nX refused\n"
	     "X refused\nX refused\nX refused\n",
	  "X refused\n  c! 535 The command failed the security check.\n"
	  "  cP 421 Too many errors; closing.\n  close bad-tokens\n" },
	{ "malformed, in the clear",
	  { .action = &lenient },
	  IN,
	  "B nul\n  c! 501 NUL and CR are not allowed inside a command.\n" },

	{ "the client's PBSZ", { .action = &strict }, UP, "E PBSZ 1000\n  cP 200 PBSZ=1000\n" },
	{ "policy's PBSZ", { .action = &strict }, UP, "E PBSZ 4294967295\n  cP 200 PBSZ=4096\n" },
	{ "PBSZ too small",
	  { .action = &strict },
	  UP,
	  "E PBSZ 511\n  cP 501 PBSZ needs a number from 512 on.\nE PBSZ 0\n  cP 501 PBSZ needs a number from 512 on.\n"
	  "E PBSZ\n  cP 501 PBSZ needs a number: PBSZ 0.\nE PBSZ 4294967296\n  cP 501 PBSZ needs a number: PBSZ 0.\n"
	  "E PROT P\n  cP 503 Must first issue PBSZ.\n" },
	{ "levels, clear",
	  { .action = &lenient },
	  UP "E PBSZ 512\n",
	  "E PROT P\n  cP 200 Data connection protection set to private.\n"
	  "E PROT E\n  cP 200 Data connection protection set to confidential.\n"
	  "E PROT S\n  cP 200 Data connection protection set to safe.\n"
	  "E PROT C\n  cP 200 Data connection protection set to clear.\n"
	  "E PROT X\n  cP 504 PROT needs one of the levels C, S, E or P.\n" },
	{ "levels, safe",
	  { .action = &data_safe },
	  UP "E PBSZ 512\n",
	  "E PROT C\n  cP 534 Policy requires protected data connections: use PROT P.\n"
	  "E PROT S\n  cP 200 Data connection protection set to safe.\n" },
	{ "levels, private",
	  { .action = &strict },
	  UP "E PBSZ 512\n",
	  "E PROT C\n  cP 534 Policy requires protected data connections: use PROT P.\n"
	  "E PROT S\n  cP 534 Policy requires encrypted data connections: use PROT P.\n"
	  "E PROT E\n  cP 200 Data connection protection set to confidential.\n"
	  "E PROT P\n  cP 200 Data connection protection set to private.\n" },
	{ "levels, never",
	  { .action = &data_never },
	  UP "E PBSZ 512\n",
	  "E PROT C\n  cP 200 Data connection protection set to clear.\n"
	  "E PROT S\n  cP 534 Policy does not allow protected data connections: use PROT C.\n"
	  "E PROT P\n  cP 534 Policy does not allow protected data connections: use PROT C.\n" },
	{ "a transfer without PROT",
	  { .action = &strict },
	  IN PASV_PLAN_E,
	  "E RETR x\n  cP 521 Data connections must be protected: send PROT P first.\n" },
	{ "a transfer",
	  { .action = &strict },
	  IN "E PBSZ 512\nE PROT P\n" PASV_PLAN_E,
	  "E STOR x\n  s STOR x\n  start upload clear gssapi P 512\nS 150 go\n  cP 150 go\n  go\n"
	  "D ok\nS 226 ok\n  cP 226 ok\n  close-data\n" },
	{ "in the clear, between protected commands",
	  { .action = &lenient },
	  IN "E PBSZ 512\nE PROT C\n" PASV_PLAN_E,
	  "E RETR x\n  s RETR x\n  start download clear\n" },
	{ "a level from before USER, which is too low for this user",
	  { .action = &some_strict },
	  UP "E PBSZ 512\nE PROT S\nE USER bob\nS 331 ok\nE PASS p\nS 230 in\n" PASV_PLAN_E,
	  "E RETR x\n  cP 534 Policy requires encrypted data connections: use PROT P.\n"
	  "E PROT P\n  cP 200 Data connection protection set to private.\n"
	  "E RETR x\n  s RETR x\n  start download clear gssapi P 512\n" },
	{ "the same level for another user",
	  { .action = &some_strict },
	  UP "E PBSZ 512\nE PROT S\nE USER u\nS 331 ok\nE PASS p\nS 230 in\n" PASV_PLAN_E,
	  "E RETR x\n  s RETR x\n  start download clear gssapi S 512\n" },
	{ "the level of USER itself",
	  { .action = &some_strict },
	  UP,
	  "M USER eve\n  cS 533 Policy requires encrypted commands: use ENC.\n"
	  "M USER u\n  user u\n  s USER u\nS 331 ok\n  cS 331 ok\n"
	  "M USER eve\n  cS 533 Policy requires encrypted commands: use ENC.\n"
	  "E USER eve\n  user eve\n  s USER eve\nS 331 ok\n  cP 331 ok\n"
	  "M PASS p\n  cS 533 Policy requires encrypted commands: use ENC.\nE PASS p\n  s PASS p\n" },
	{ "data that was cut",
	  { .action = &lenient },
	  IN "E PBSZ 512\nE PROT S\n" PASV_PLAN_E "E STOR x\nS 150 go\n",
	  "D gssapi-cut\nS 226 ok\n"
	  "  cP 426 Connection closed; transfer aborted: the data ended without an empty token.\n  close-data\n" },
	{ "data that fails the check",
	  { .action = &lenient },
	  IN "E PBSZ 512\nE PROT P\n" PASV_PLAN_E "E STOR x\nS 150 go\n",
	  "D gssapi\nS 451 lost\n  cP 535 Transfer aborted: the data failed the security check.\n  close-data\n" },

	{ "a password is needed",
	  { .action = &lenient },
	  KNOWN,
	  "E USER u\n  user u\n  s USER u\nS 331 ok\n  cP 331 ok\n" },
	{ "SECURE_PASSWORD is for certificates",
	  { .action = &only_certificates },
	  KNOWN,
	  "E USER u\n  user u\n  s USER u\nS 331 ok\n  cP 331 ok\n" },
	{ "the stored credential",
	  { .action = &optional },
	  KNOWN,
	  "E USER u\n  user u\n  s USER U\nS 331 ok\n  s PASS stored\n"
	  "S 230 in\n  cP 232 User logged in, authorized by security data exchange.\n  logged-in\n" },
	{ "the server does not accept it",
	  { .action = &optional },
	  KNOWN "E USER u\nS 331 ok\n",
	  "S 530 no\n  cP 530-The server rejected the user's stored credential.\n  cP 530 Login denied.\n"
	  "  login-failed\nE PASS guess\n  cP 503 Send USER before PASS.\n" },
	{ "another user's ticket",
	  { .action = &optional },
	  KNOWN,
	  "E USER v\n  user v\n  s USER v\nS 331 ok\n  cP 331 ok\n" },
	{ "no stored credential",
	  { .action = &optional },
	  GREETED "C AUTH GSSAPI\nI user=U service\nA done T\n",
	  "E USER u\n  user u\n  s USER u\nS 331 ok\n  cP 331 ok\n" },
	{ "another service",
	  { .action = &optional },
	  GREETED "C AUTH GSSAPI\nI user=U password=stored\nA done T\n",
	  "E USER u\n  user u\n  s USER u\nS 331 ok\n  cP 331 ok\n" },
	{ "verify_user",
	  { .action = &verify },
	  KNOWN,
	  "E USER u\n  user u\n  s USER U\nS 331 ok\n  s PASS stored\n" },
	{ "verify_user, another user",
	  { .action = &verify },
	  KNOWN,
	  "E USER v\n  user v\n  cP 530-The Kerberos principal belongs to another user.\n  cP 530 Login denied.\n"
	  "  login-failed\n" },
	{ "verify_user, nobody",
	  { .action = &verify },
	  UP,
	  "E USER v\n  user v\n  cP 530-The Kerberos principal is not assigned to a user.\n  cP 530 Login denied.\n"
	  "  login-failed\n" },
	{ "verify_user, another service",
	  { .action = &verify },
	  GREETED "C AUTH GSSAPI\nI user=U password=stored\nA done T\n",
	  "E USER u\n  user u\n  cP 530-This user may not use this service.\n  cP 530 Login denied.\n  login-failed\n" },

	{ "CCC",
	  { .action = &lenient },
	  IN "E PBSZ 512\nE PROT P\n",
	  "E CCC\n  cP 200 CCC command successful.\nC PWD\n  s PWD\nS 257 /\n  c! 257 /\n"
	  "E PWD\n  s PWD\nS 257 /\n  cP 257 /\nC PROT C\n  c! 503 PROT rejected, not allowed after CCC.\n"
	  "C AUTH GSSAPI\n  c! 503 AUTH is not allowed after CCC.\n" },
	{ "CCC does not depend on TLSRFCLEVEL",
	  { .action = &draft },
	  IN,
	  "M CCC\n  cS 200 CCC command successful.\n" },
	{ "CCC in the clear",
	  { .action = &lenient },
	  IN,
	  "C CCC\n  c! 533 All commands must be protected: use MIC, CONF or ENC.\n" },
	{ "CCC that policy refuses",
	  { .action = &safe },
	  IN,
	  "E CCC\n  cP 534 Policy requires a protected control connection: CCC not supported.\n" },
	{ "CCC before the login",
	  { .action = &lenient },
	  UP,
	  "E CCC\n  cP 534 CCC is not allowed before login.\n" },
	{ "REIN",
	  { .action = &lenient },
	  IN,
	  "E REIN\n  renew\nS 220 new\n  c 220 new\n  gssapi-stop\nC PWD\n  c 530 Not logged in: send USER and PASS first.\n"
	  "C AUTH GSSAPI\n  c 334 Using AUTH type GSSAPI; ADAT must follow.\n  gssapi\n" },
	{ "FEAT",
	  { .action = &strict },
	  UP,
	  "E FEAT\n  s FEAT\nS 500 what\n  cP 211-Extensions supported:\n  cP  AUTH GSSAPI\n  cP  PBSZ\n  cP  PROT\n"
	  "  cP  EPSV\n  cP 211 End\n" },
};

static void dialogues(void **state)
{
	(void)state;
	SCRIPT_CHECK_ALL(cases);
}

/* Lines are as long as tokens only where tokens may come. */
static void long_lines(void **state)
{
	char line[9000] = "ADAT ";
	struct script script = { .log = true };
	const struct script_setup setup = { .action = &strict };

	(void)state;
	memset(line + 5, 'a', sizeof(line) - 5);
	script_begin(&script, &setup);
	script_run(&script, GREETED);
	assert_false(ftp_machine_takes_tokens(&script.machine));
	assert_int_equal(ftp_machine_command(&script.machine, line, sizeof(line), &script.out), FTP_TAKEN);
	assert_memory_equal(script.out.acts[0].text, "500 ", 4);
	ftp_out_reset(&script.out);
	script_run(&script, "C AUTH GSSAPI\n");
	assert_true(ftp_machine_takes_tokens(&script.machine));
	assert_int_equal(ftp_machine_command(&script.machine, line, sizeof(line), &script.out), FTP_TAKEN);
	assert_int_equal(script.out.acts[0].what, FTP_DO_GSSAPI_ACCEPT);
	assert_int_equal(script.out.acts[0].len, sizeof(line) - 5);
	ftp_out_reset(&script.out);
	memcpy(line, "NOOP", 4);
	assert_int_equal(ftp_machine_command(&script.machine, line, sizeof(line), &script.out), FTP_TAKEN);
	assert_memory_equal(script.out.acts[0].text, "500 ", 4);
	ftp_out_reset(&script.out);
	script_run(&script, "A done T\n");
	assert_int_equal(
	    ftp_machine_protected(&script.machine, FTP_PROT_PRIVATE, line, sizeof(line), &script.out),
	    FTP_TAKEN);
	assert_memory_equal(script.out.acts[0].text, "500 ", 4);
	ftp_out_reset(&script.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(dialogues), cmocka_unit_test(long_lines) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
