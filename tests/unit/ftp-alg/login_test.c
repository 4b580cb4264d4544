/*
 * The machine's dialogues around certificates, failed logins, lists of commands
 * and HOST: what policy says about who may log in and use which command.
 */
#include "tests/unit/machine-script.h"

#define UNDER_TLS                                                                                            \
	.unknown_commands = UNKNOWN_COMMANDS_PASS, .extensions = EXTENSION_AUTH_TLS,                         \
	.secure_ftp = SECURE_FTP_REQUIRED, .secure_dataconn = SECURE_PRIVATE

static const struct ftp_action nobody_asked = {
	UNDER_TLS, .secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.secure_password = SECURE_PASSWORD_OPTIONAL, /* z/OS: taken as REQUIRED (EZYFS16I) */
};
static const struct ftp_action required_required = {
	UNDER_TLS,
	.secure_login = SECURE_LOGIN_REQUIRED,
};
static const struct ftp_action required_optional = {
	UNDER_TLS,
	.secure_login = SECURE_LOGIN_REQUIRED,
	.secure_password = SECURE_PASSWORD_OPTIONAL,
};
static const struct ftp_action verify_required = { UNDER_TLS, .secure_login = SECURE_LOGIN_VERIFY_USER };
static const struct ftp_action verify_optional = {
	UNDER_TLS,
	.secure_login = SECURE_LOGIN_VERIFY_USER,
	.secure_password = SECURE_PASSWORD_OPTIONAL,
};
static const struct ftp_action verify_told = {
	UNDER_TLS,
	.secure_login = SECURE_LOGIN_VERIFY_USER,
	.secure_password = SECURE_PASSWORD_OPTIONAL,
	.accesserrormsgs = true,
};
static const struct ftp_action verify_zos = {
	UNDER_TLS,
	.secure_login = SECURE_LOGIN_VERIFY_USER,
	.secure_password = SECURE_PASSWORD_OPTIONAL,
	.reply_style = REPLY_STYLE_ZOS,
};
static const struct ftp_action verify_allowed = {
	.secure_login = SECURE_LOGIN_VERIFY_USER,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.extensions = EXTENSION_AUTH_TLS,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.secure_dataconn = SECURE_CLEAR,
};

#define AS(words) WITH_TLS "I " words "\n"
#define NOBODY	  AS("nobody")
#define STRANGER  AS("certificate")
#define MINE	  AS("certificate user=u service password=stored")
#define NO_STORED AS("certificate user=u service")

#define ASKED	"C USER u\n  user u\n  s USER u\nS 331 ok\n  c 331 ok\n"
#define MISSING "C USER u\n  user u\n  c 531 Policy requires a client certificate.\n"
#define DENIED	"C USER u\n  user u\n  c 530 Login denied.\n  login-failed\n"
#define LET_IN                                                                                               \
	"C USER u\n  user u\n  s USER u\nS 331 ok\n  s PASS stored\nS 230 in\n"                              \
	"  c 232 User logged in, authorized by client certificate.\n  logged-in\n"

static const struct ftp_action checked = { SCRIPT_LENIENT, .login_check = "socket" };
static const struct ftp_action checked_quietly = { UNDER_TLS, .secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
						   .login_check = "socket" };
static const struct ftp_action checked_stored = {
	UNDER_TLS,
	.secure_login = SECURE_LOGIN_REQUIRED,
	.secure_password = SECURE_PASSWORD_OPTIONAL,
	.login_check = "socket",
};
static const struct ftp_action checked_in_turn = { SCRIPT_LENIENT, .login_check = "socket",
						   .login_delay_ms = 1000, .login_attempts = 2 };

#define UNCHECKED GREETED "C USER u\nS 331 ok\n"

/* FTCHKPWD: when somebody is asked, and what becomes of the answer. */
static const struct script_case checks[] = {
	{ "PASS waits, and goes on",
	  { .action = &checked },
	  UNCHECKED,
	  "C PASS p\n  hold\n  check\nC PASS p\n  hold\nK allow\nC PASS p\n  s PASS p\nS 230 in\n  c 230 in\n"
	  "  logged-in\n" },
	{ "denied",
	  { .action = &checked },
	  UNCHECKED,
	  "C PASS p\n  hold\n  check\nK deny\nC PASS p\n"
	  "  c 530-The login check does not permit this login.\n  c 530 Login denied.\n  login-failed\n"
	  "C PASS p\n  c 503 Send USER before PASS.\nC PWD\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "denied with a text",
	  { .action = &checked },
	  UNCHECKED,
	  "C PASS p\n  hold\n  check\nK deny Not now\nC PASS p\n  c 530-Not now\n  c 530 Login denied.\n"
	  "  login-failed\n" },
	{ "the text is not for everybody",
	  { .action = &checked_quietly },
	  WITH_TLS "C USER u\nS 331 ok\n",
	  "C PASS p\n  hold\n  check\nK deny Not now\nC PASS p\n  c 530 Login denied.\n  login-failed\n" },
	{ "no answer",
	  { .action = &checked },
	  UNCHECKED,
	  "C PASS p\n  hold\n  check\nK none\nC PASS p\n"
	  "  c 530-The login cannot be checked now, try again later.\n  c 530 Login denied.\n  login-failed\n" },
	{ "an answer that nobody waits for",
	  { .action = &checked },
	  UNCHECKED,
	  "K allow\nC PASS p\n  hold\n  check\nK deny\nK allow\nC PASS p\n"
	  "  c 530-The login check does not permit this login.\n  c 530 Login denied.\n  login-failed\n" },
	{ "another user is asked about anew",
	  { .action = &checked },
	  UNCHECKED "C PASS p\nK allow\nC PASS p\nS 530 no\n",
	  "C USER v\n  user v\n  s USER v\nS 331 ok\n  c 331 ok\nC PASS p\n  hold\n  check\n" },
	{ "ACCT alone completes a login",
	  { .action = &checked },
	  GREETED "C USER u\nS 332 account\n",
	  "C ACCT a\n  hold\n  check\nK deny\nC ACCT a\n"
	  "  c 530-The login check does not permit this login.\n  c 530 Login denied.\n  login-failed\n" },
	{ "ACCT after PASS asks no more",
	  { .action = &checked },
	  UNCHECKED "C PASS p\nK allow\nC PASS p\nS 332 account\n",
	  "C ACCT a\n  s ACCT a\nS 230 in\n  c 230 in\n  logged-in\n" },
	{ "no password needed",
	  { .action = &checked },
	  GREETED "C USER u\n",
	  "S 230 in\n  check\n  hold\nS 230 in\n  hold\nK allow\nS 230 in\n  c 230 in\n  logged-in\n" },
	{ "no password needed, and denied: the server forgets the user",
	  { .action = &checked },
	  GREETED "C USER u\n",
	  "S 230-in\n  check\n  hold\nK deny Not now\nS 230-in\nS  indeed\nS 230 in\n  c 530-Not now\n"
	  "  c 530 Login denied.\n  login-failed\n  renew\nS 220 hello\nC PWD\n"
	  "  c 530 Not logged in: send USER and PASS first.\n" },
	{ "a stored password waits",
	  { .action = &checked_stored },
	  MINE "C USER u\n",
	  "S 331 ok\n  check\n  hold\nK allow\nS 331 ok\n  s PASS stored\nS 230 in\n"
	  "  c 232 User logged in, authorized by client certificate.\n  logged-in\n" },
	{ "a stored password stays here",
	  { .action = &checked_stored },
	  MINE "C USER u\n",
	  "S 331 ok\n  check\n  hold\nK deny\nS 331 ok\n  c 530 Login denied.\n  login-failed\n" },
	{ "the server greets with 230",
	  { .action = &checked },
	  NULL,
	  "S 230 in\n  c 220 in\nC PWD\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "its turn comes first, and a denial is a failure",
	  { .action = &checked_in_turn },
	  UNCHECKED,
	  "C PASS p\n  hold\n  ask \nO -\nC PASS p\n  hold\n  check\nK deny\nC PASS p\n"
	  "  c 530-The login check does not permit this login.\n  c 530 Login denied.\n  login-failed\n"
	  "C USER u\n  hold\n  ask u\nO -\nC USER u\n  user u\n  s USER u\nS 331 ok\n  c 331 ok\n  over\n"
	  "C PASS p\n  hold\n  ask \nO -\nC PASS p\n  hold\n  check\nK deny\nC PASS p\n"
	  "  c 530-The login check does not permit this login.\n  c 530 Login denied.\n  login-failed\n"
	  "  c 421 Too many failed logins; closing.\n  close too-many-failed-logins\n" },
	{ "the session ends while somebody is asked",
	  { .action = &checked },
	  UNCHECKED "C PASS p\n",
	  "! shutdown\n  c 421 Service is shutting down, try again later.\n  close shutdown\nK allow\n" },
	{ "the server ends it",
	  { .action = &checked },
	  UNCHECKED "C PASS p\n",
	  "S 421 bye\n  c 421 bye\n  close server-421\nK allow\n" },
};

/* SECURE_LOGIN, SECURE_PASSWORD, a certificate or none, the user's own or not: what USER comes to. */
static const struct script_case matrix[] = {
	{ "NO_CLIENT_AUTH, none", { .action = &nobody_asked }, NOBODY, ASKED },
	{ "NO_CLIENT_AUTH, another user's", { .action = &nobody_asked }, STRANGER, ASKED },
	{ "NO_CLIENT_AUTH, the user's own", { .action = &nobody_asked }, MINE, ASKED },
	{ "REQUIRED, REQUIRED, none", { .action = &required_required }, NOBODY, MISSING },
	{ "REQUIRED, REQUIRED, another user's", { .action = &required_required }, STRANGER, ASKED },
	{ "REQUIRED, REQUIRED, the user's own", { .action = &required_required }, MINE, ASKED },
	{ "REQUIRED, OPTIONAL, none", { .action = &required_optional }, NOBODY, MISSING },
	{ "REQUIRED, OPTIONAL, another user's", { .action = &required_optional }, STRANGER, ASKED },
	{ "REQUIRED, OPTIONAL, of another user",
	  { .action = &required_optional },
	  AS("certificate user=v service password=stored"),
	  ASKED },
	{ "REQUIRED, OPTIONAL, the user's own", { .action = &required_optional }, MINE, LET_IN },
	{ "REQUIRED, OPTIONAL, the user's own, not for this service",
	  { .action = &required_optional },
	  AS("certificate user=u password=stored"),
	  ASKED },
	{ "REQUIRED, OPTIONAL, nothing stored", { .action = &required_optional }, NO_STORED, ASKED },
	{ "VERIFY_USER, REQUIRED, none", { .action = &verify_required }, NOBODY, MISSING },
	{ "VERIFY_USER, REQUIRED, another user's", { .action = &verify_required }, STRANGER, DENIED },
	{ "VERIFY_USER, REQUIRED, the user's own", { .action = &verify_required }, MINE, ASKED },
	{ "VERIFY_USER, OPTIONAL, none", { .action = &verify_optional }, NOBODY, MISSING },
	{ "VERIFY_USER, OPTIONAL, another user's", { .action = &verify_optional }, STRANGER, DENIED },
	{ "VERIFY_USER, OPTIONAL, of another user",
	  { .action = &verify_optional },
	  AS("certificate user=uu service password=stored"),
	  DENIED },
	{ "VERIFY_USER, OPTIONAL, the user's own", { .action = &verify_optional }, MINE, LET_IN },
	{ "VERIFY_USER, OPTIONAL, nothing stored", { .action = &verify_optional }, NO_STORED, ASKED },
	{ "VERIFY_USER, not for this service",
	  { .action = &verify_optional },
	  AS("certificate user=u password=stored"),
	  DENIED },
	{ "nobody was ever identified", { .action = &verify_optional }, WITH_TLS, MISSING },
	{ "a session in the clear is SECURE_FTP's business", { .action = &verify_allowed }, GREETED, ASKED },
};

static const struct ftp_action permitted_only = {
	UNDER_TLS,
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.verifyuser = true,
};
static const struct ftp_action permitted_told = {
	UNDER_TLS,
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.verifyuser = true,
	.accesserrormsgs = true,
};
static const struct ftp_action permitted_clear = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.extensions = EXTENSION_AUTH_TLS,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.secure_ctrlconn = SECURE_CLEAR,
	.secure_dataconn = SECURE_CLEAR,
	.verifyuser = true,
};
static const struct ftp_action permitted_and_mine = {
	UNDER_TLS,
	.secure_login = SECURE_LOGIN_VERIFY_USER,
	.secure_password = SECURE_PASSWORD_OPTIONAL,
	.verifyuser = true,
};

static const char *two_names[] = { "other", "U" };
static const char *one_name[] = { "other" };
static const struct name_list two_users = { two_names, 2 };
static const struct name_list one_user = { one_name, 1 };

/* VERIFYUSER: who may log in at all, with a certificate or without. */
static const struct script_case permitted[] = {
	{ "a user of the policy, in its spelling",
	  { .action = &permitted_only, .permitted = &two_users },
	  NOBODY,
	  "C USER u\n  user u\n  s USER U\nS 331 ok\n  c 331 ok\n" },
	{ "another one", { .action = &permitted_only, .permitted = &one_user }, NOBODY, DENIED },
	{ "a part of a name",
	  { .action = &permitted_only, .permitted = &one_user },
	  NOBODY,
	  "C USER othe\n  user othe\n  c 530 Login denied.\n  login-failed\n"
	  "C USER others\n  user others\n  c 530 Login denied.\n  login-failed\n" },
	{ "why",
	  { .action = &permitted_told, .permitted = &one_user },
	  NOBODY,
	  "C USER u\n  user u\n  c 530-The policy does not permit this user.\n  c 530 Login denied.\n  login-failed\n" },
	{ "no list, nobody",
	  { .action = &permitted_only, .permitted = &(struct name_list){ 0 } },
	  NOBODY,
	  DENIED },
	{ "in the clear as well", { .action = &permitted_clear, .permitted = &one_user }, GREETED, DENIED },
	{ "a greeting logs nobody in",
	  { .action = &permitted_clear, .permitted = &one_user },
	  NULL,
	  "S 230 come in\n  c 220 come in\nC PWD\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "a certificate does not replace it",
	  { .action = &permitted_and_mine, .permitted = &one_user },
	  MINE,
	  DENIED },
	{ "both", { .action = &permitted_and_mine, .permitted = &two_users }, MINE, LET_IN },
};

static const struct script_case certificate[] = {
	{ "user ids know no case, but the server may: it gets the policy's spelling",
	  { .action = &verify_optional },
	  AS("certificate user=U service password=stored"),
	  "C USER u\n  user u\n  s USER U\nS 331 ok\n  s PASS stored\nS 230 in\n"
	  "  c 232 User logged in, authorized by client certificate.\n  logged-in\n" },
	{ "also where any user may log in",
	  { .action = &required_optional },
	  AS("certificate user=U service password=stored"),
	  "C USER u\n  user u\n  s USER U\nS 331 ok\n  s PASS stored\nS 230 in\n"
	  "  c 232 User logged in, authorized by client certificate.\n  logged-in\n" },
	{ "also without a stored password: to the server, u may be another user than U",
	  { .action = &verify_required },
	  AS("certificate user=U service"),
	  "C USER u\n  user u\n  s USER U\nS 331 ok\n  c 331 ok\n" },
	{ "not the name of another login",
	  { .action = &required_required },
	  AS("certificate user=U service"),
	  ASKED },
	{ "also at a second login",
	  { .action = &verify_optional },
	  AS("certificate user=U service password=stored"),
	  "C USER u\n  user u\n  s USER U\nS 331 ok\n  s PASS stored\nS 230 in\n"
	  "  c 232 User logged in, authorized by client certificate.\n  logged-in\n"
	  "C USER U\n  user U\n  s USER U\nS 331 ok\n  s PASS stored\nS 230 in\n"
	  "  c 232 User logged in, authorized by client certificate.\n  logged-in\n" },
	{ "but blanks",
	  { .action = &verify_optional },
	  MINE,
	  "C USER  u\n  user  u\n  c 530 Login denied.\n  login-failed\n"
	  "C USER u \n  user u \n  c 530 Login denied.\n  login-failed\n"
	  "C USER\n  user \n  c 530 Login denied.\n  login-failed\n" },
	{ "no way back to a password",
	  { .action = &verify_optional },
	  MINE,
	  "C USER u\n  user u\n  s USER u\nC PASS p\n  hold\nS 331-ok\nS 331 ok\n  s PASS stored\nC PASS "
	  "p\n  hold\n"
	  "S 530-no\nS 530 no\n  c 530 Login denied.\n  login-failed\n"
	  "C PASS p\n  c 503 Send USER before PASS.\nC PWD\n  c 530 Not logged in: send USER and PASS "
	  "first.\n" },
	{ "the server knows no such user",
	  { .action = &verify_optional },
	  MINE,
	  "C USER u\n  user u\n  s USER u\nS 530 no\n  c 530 Login denied.\n  login-failed\n" },
	{ "the server wants no password",
	  { .action = &verify_optional },
	  MINE,
	  "C USER u\n  user u\n  s USER u\nS 230 in\n"
	  "  c 232 User logged in, authorized by client certificate.\n  logged-in\nC PWD\n  s PWD\n" },
	{ "the server wants an account, too",
	  { .action = &verify_optional },
	  MINE,
	  "C USER u\n  user u\n  s USER u\nS 331 ok\n  s PASS stored\nS 332 account?\n"
	  "  c 530 Login denied.\n  login-failed\nC ACCT a\n  s ACCT a\nS 230 in\n  c 230 in\n"
	  "C PWD\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "the server wants an account at once",
	  { .action = &verify_optional },
	  MINE,
	  "C USER u\n  user u\n  s USER u\nS 332 account?\n  c 530 Login denied.\n  login-failed\n" },
	{ "the server is full",
	  { .action = &verify_optional },
	  MINE "C USER u\n",
	  "S 421 full\n  c 421 full\n  close server-421\n" },
	{ "the server is lost",
	  { .action = &verify_optional },
	  MINE "C USER u\nS 331 ok\n",
	  "! lost\n  c 421 The FTP server closed the connection.\n  close server-lost\n" },
	{ "a preliminary reply is not the end",
	  { .action = &verify_optional },
	  MINE "C USER u\nS 331 ok\n",
	  "S 120 wait\nS 230 in\n  c 232 User logged in, authorized by client certificate.\n  logged-in\n" },
	{ "reasons",
	  { .action = &verify_told },
	  STRANGER,
	  "C USER u\n  user u\n  c 530-The client certificate is not assigned to a user.\n  c 530 Login denied.\n"
	  "  login-failed\nI certificate user=v\nC USER u\n  user u\n"
	  "  c 530-The client certificate belongs to another user.\n  c 530 Login denied.\n  login-failed\n"
	  "C USER v\n  user v\n  c 530-This user may not use this service.\n  c 530 Login denied.\n"
	  "  login-failed\nI certificate user=u service password=stored\nC USER u\n  user u\n  s USER u\n"
	  "S 331 ok\n  s PASS stored\nS 530 no\n"
	  "  c 530-The server rejected the user's stored credential.\n  c 530 Login denied.\n"
	  "  login-failed\n" },
	{ "z/OS' words",
	  { .action = &verify_zos },
	  MINE,
	  "C USER u\n  user u\n  s USER u\nS 331 ok\n  s PASS stored\nS 230 in\n"
	  "  c 230-User is an authorized user\n  c 230 User is logged on\n  logged-in\n"
	  "I nobody\nC USER u\n  user u\n  c 531 Server requires client certificate\n" },
	{ "another USER after a login is denied",
	  { .action = &verify_optional },
	  MINE "C USER u\nS 331 ok\nS 230 in\n",
	  "C USER v\n  user v\n  c 530 Login denied.\n  login-failed\n"
	  "C PWD\n  c 530 Not logged in: send USER and PASS first.\n"
	  "C PASS p\n  c 503 Send USER before PASS.\n" LET_IN },
	{ "REIN takes the identity away",
	  { .action = &verify_optional },
	  MINE "C USER u\nS 331 ok\nS 230 in\nC REIN\nS 220 new\nC AUTH TLS\n! tls\n",
	  MISSING },
};

static const struct ftp_action three = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.login_attempts = 3,
	.accesserrormsgs = true,
};
static const struct ftp_action quiet = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.login_attempts = 3,
};
static const struct ftp_action slow = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.extensions = EXTENSION_AUTH_TLS,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.login_delay_ms = 1000,
	.accesserrormsgs = true,
};
static const struct ftp_action verify_three = {
	UNDER_TLS,
	.secure_login = SECURE_LOGIN_VERIFY_USER,
	.secure_password = SECURE_PASSWORD_OPTIONAL,
	.login_attempts = 2,
	.login_delay_ms = 1000,
};

#define FAILS	 "C USER u\nS 331 ok\nC PASS p\nS 530 no\n"
#define TOO_MANY "  c 421 Too many failed logins; closing.\n  close too-many-failed-logins\n"

static const struct script_case failures[] = {
	{ "any number",
	  { 0 },
	  GREETED FAILS FAILS FAILS FAILS FAILS,
	  "C USER u\n  user u\n  s USER u\nS 530 no\n  c 530 no\n  login-failed\nC NOOP\n  s NOOP\n" },
	{ "the third ends it",
	  { .action = &three },
	  GREETED FAILS FAILS,
	  "C USER u\n  user u\n  s USER u\nS 331 ok\n  c 331 ok\nC PASS p\n  s PASS p\nS 530-no\n  c "
	  "530-no\n"
	  "S 530 no\n  c 530 no\n  login-failed\n" TOO_MANY "C NOOP\nS 200 x\n" },
	{ "USER and ACCT count as well",
	  { .action = &three },
	  GREETED "C USER a\nS 530 no\nC USER b\nS 331 ok\nC PASS p\nS 332 account?\nC ACCT a\nS 530 no\n",
	  "C USER c\n  user c\n  s USER c\nS 500 no\n  c 500 no\n  login-failed\n" TOO_MANY },
	{ "a login between them",
	  { .action = &three },
	  GREETED FAILS FAILS "C USER u\nS 331 ok\nC PASS p\nS 230 in\n" FAILS,
	  "C USER u\n  user u\n  s USER u\nS 530 no\n  c 530 no\n  login-failed\nC NOOP\n  s NOOP\n" },
	{ "those of earlier sessions do not",
	  { .action = &three, .failures = 100 },
	  GREETED FAILS,
	  "C USER u\n  user u\n  s USER u\nS 530 no\n  c 530 no\n  login-failed\nC NOOP\n  s NOOP\n" },
	{ "the password waits, and what comes after it",
	  { .action = &slow },
	  GREETED,
	  "C USER u\n  user u\n  s USER u\nS 331 ok\n  c 331 ok\nC PASS p\n  hold\n  ask \nC PASS p\n  hold\n"
	  "O -\nC PASS p\n  s PASS p\nS 530-no\n  c 530-no\nC NOOP\n  hold\n"
	  "S 530 no\n  c 530 no\n  login-failed\nC NOOP\n  s NOOP\n" },
	{ "a right one waits as well",
	  { .action = &slow },
	  GREETED "C USER u\nS 331 ok\n",
	  "C PASS p\n  hold\n  ask \nO -\nC PASS p\n  s PASS p\nS 230 in\n  c 230 in\n  logged-in\n"
	  "C CWD x\n  s CWD x\n" },
	{ "after a failure USER waits, too",
	  { .action = &slow },
	  GREETED "C USER a\nS 530 no\n",
	  "C USER b\n  hold\n  ask b\nO -\nC USER b\n  user b\n  s USER b\nS 331 ok\n  c 331 ok\n  over\n"
	  "C PASS p\n  hold\n  ask \nO -\nC PASS p\n  s PASS p\nS 332 ok\n  c 332 ok\n  over\n"
	  "C ACCT a\n  hold\n  ask \nO -\nC ACCT a\n  s ACCT a\nS 530 no\n  c 530 no\n  login-failed\n" },
	{ "also with a new connection",
	  { .action = &slow, .failures = 3 },
	  GREETED,
	  "C USER a\n  hold\n  ask a\nO -\nC USER a\n  user a\n  s USER a\nS 530 no\n  c 530 no\n"
	  "  login-failed\n" },
	{ "without a password nothing waits",
	  { .action = &slow },
	  GREETED,
	  "C PASS p\n  c 503 Send USER before PASS.\nC ACCT a\n  s ACCT a\nS 503 no\n  c 503 no\n" },
	{ "a turn that nobody asked for means nothing",
	  { .action = &slow },
	  GREETED "O -\nC USER a\nS 331 ok\nO -\n",
	  "C PASS p\n  hold\n  ask \nR -\nC PASS p\n  hold\n" },
	{ "lost while it waits",
	  { .action = &slow },
	  GREETED "C USER a\nS 331 ok\nC PASS p\n",
	  "! lost\n  c 421 The FTP server closed the connection.\n  close server-lost\nO -\nC PASS p\n" },
	{ "a logged-in user who stays in gives the turn back",
	  { .action = &slow, .failures = 1 },
	  GREETED "C USER u\nO -\nC USER u\nS 331 ok\nC PASS p\nO -\nC PASS p\nS 230 in\n",
	  "C USER b\n  hold\n  ask b\nO -\nC USER b\n  user b\n  s USER b\nS 530 no\n  c 530 no\n  still-in\n"
	  "  over\n" },
	{ "the server's reason is for the log",
	  { .action = &quiet },
	  GREETED "C USER u\nS 331 ok\n",
	  "C PASS p\n  s PASS p\nS 530 Account u is locked.\n  hidden 530 Account u is locked.\n"
	  "  c 530 PASS command failed\n  login-failed\nC USER u\n  user u\n  s USER u\nS 331 ok\n  c 331 ok\n" },
	{ "of a long one its first and its last line",
	  { .action = &quiet },
	  GREETED "C USER u\nS 331 ok\nC PASS p\n",
	  "S 530-Locked\n  hidden 530-Locked\nS 530-since Monday\nS  530 more\nS 530 Login failed.\n"
	  "  hidden 530 Login failed.\n  c 530 PASS command failed\n  login-failed\n" },
	{ "whatever its code is, and to USER and ACCT as well",
	  { .action = &quiet },
	  GREETED,
	  "C USER a\n  user a\n  s USER a\nS 550 No user a.\n  hidden 550 No user a.\n"
	  "  c 530 PASS command failed\n  login-failed\n"
	  "C USER b\n  user b\n  s USER b\nS 331 ok\n  c 331 ok\nC PASS p\n  s PASS p\nS 332 account?\n"
	  "  c 332 account?\nC ACCT a\n  s ACCT a\nS 430 no\n  hidden 430 no\n  c 530 PASS command failed\n"
	  "  login-failed\n" },
	{ "421 passes, and so does what is no refusal",
	  { .action = &quiet },
	  GREETED "C USER u\n",
	  "S 331 u, your password\n  c 331 u, your password\nC PASS p\n  s PASS p\nS 421 Too many users.\n"
	  "  c 421 Too many users.\n  close server-421\n" },
	{ "an end inside a hidden reply is answered with 421 alone",
	  { .action = &quiet },
	  GREETED "C USER u\nS 331 ok\nC PASS p\n",
	  "S 530-Locked\n  hidden 530-Locked\n! lost\n  c 421 The FTP server closed the connection.\n"
	  "  close reply-cut\n" },
	{ "ACCT that is no login is the server's business",
	  { .action = &quiet },
	  GREETED "C USER u\nS 230 in\n",
	  "C ACCT a\n  s ACCT a\nS 532 need it\n  c 532 need it\n" },
	{ "a stored credential counts and waits like any other",
	  { .action = &verify_three },
	  MINE,
	  "C USER v\n  hold\n  ask v\n" },
	{ "what policy denies counts, too",
	  { .action = &verify_three },
	  STRANGER "C USER v\nO -\nC USER v\n",
	  "C USER v\n  hold\n  ask v\nO -\nC USER v\n  user v\n  c 530 Login denied.\n  login-failed\n" TOO_MANY
	  "C NOOP\n" },
};

static const char *const denied_names[] = { "DELE", "RMD", "SITE EXEC", "FEAT", "XYZZY", "STAT", "PASV" };
static const char *const allowed_names[] = { "USER", "PASS", "PWD", "SITE CHMOD", "EPSV", "RETR", "QUIT" };
#define LIST(list)                                                                                           \
	{                                                                                                    \
		.names = (const char **)(uintptr_t)(list), .n = NELEM(list)                                  \
	}

static const struct ftp_action denied = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.secure_dataconn = SECURE_CLEAR,
	.commands_denied = LIST(denied_names),
};
static const struct ftp_action allowed = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.extensions = EXTENSION_AUTH_TLS,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.secure_dataconn = SECURE_CLEAR,
	.commands_allowed = LIST(allowed_names),
};
static const struct ftp_action both = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.secure_dataconn = SECURE_CLEAR,
	.commands_allowed = LIST(allowed_names),
	.commands_denied = LIST(denied_names),
};
static const struct ftp_action known_only = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.secure_dataconn = SECURE_CLEAR,
};

#define NOT_ALLOWED "  c 502 Policy does not allow this command.\n"

static const struct script_case lists[] = {
	{ "denied",
	  { .action = &denied },
	  LOGGED_IN,
	  "C DELE x\n" NOT_ALLOWED "C dele x\n" NOT_ALLOWED "C RMD d\n" NOT_ALLOWED "C XRMD d\n" NOT_ALLOWED
	  "C FEAT\n" NOT_ALLOWED "C xyzzy\n" NOT_ALLOWED "C PASV\n" NOT_ALLOWED
	  "C MKD d\n  s MKD d\nS 257 ok\n  c 257 ok\n  changed\n" },
	{ "denied sub-commands, however they are written",
	  { .action = &denied },
	  LOGGED_IN,
	  "C SITE EXEC ls\n" NOT_ALLOWED "C SITE   EXEC   ls\n" NOT_ALLOWED "C site \texec\tls\n" NOT_ALLOWED
	  "C SITE \vEXEC\fls\n" NOT_ALLOWED
	  "C SITE\tEXEC ls\n  c 500 A command name may contain only letters and digits.\n"
	  "C SITE LRECL=80 exec=x\n" NOT_ALLOWED
	  "C SITE CHMOD 600 EXECS\n  s SITE CHMOD 600 EXECS\nS 200 ok\n  c 200 ok\n  changed\n"
	  "C SITE\n  s SITE\nS 501 what?\n  c 501 what?\n" },
	{ "the gateway's own commands are no client's",
	  { .action = &denied, .modes = FTP_MODE_PASV },
	  LOGGED_IN,
	  "C EPSV\n  s PASV\nS 227 (10,0,0,1,8,0)\n  dial server 10.0.0.1:2048\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 229 Entering Extended Passive Mode (|||5001|)\n" },
	{ "denied during a transfer",
	  { .action = &denied },
	  LOGGED_IN "C EPSV\nS 229 x (|||2000|)\nL client 192.0.2.1:5001\nC RETR x\nS 150 go\n",
	  "C STAT\n  hold\nC NOOP\n  s NOOP\nS 200 ok\n  c 200 ok\nD ok\nC STAT\n  hold\n"
	  "S 226 done\n  c 226 done\n  close-data\nC STAT\n" NOT_ALLOWED },
	{ "login comes first",
	  { .action = &denied },
	  GREETED,
	  "C DELE x\n  c 530 Not logged in: send USER and PASS first.\nC FEAT\n" NOT_ALLOWED },
	{ "allowed",
	  { .action = &allowed },
	  LOGGED_IN,
	  "C PWD\n  s PWD\nS 257 ok\n  c 257 ok\nC XPWD\n  s XPWD\nS 257 ok\n  c 257 ok\n"
	  "C SITE CHMOD 600 x\n  s SITE CHMOD 600 x\nS 200 ok\n  c 200 ok\n  changed\n"
	  "C SITE EXEC\n" NOT_ALLOWED "C SITE\n" NOT_ALLOWED "C NOOP\n" NOT_ALLOWED "C AUTH TLS\n" NOT_ALLOWED
	  "C XYZZY\n" NOT_ALLOWED "C QUIT\n  s QUIT\n" },
	{ "both",
	  { .action = &both },
	  LOGGED_IN,
	  "C SITE CHMOD\n  s SITE CHMOD\nS 200 ok\n  c 200 ok\n  changed\nC DELE x\n" NOT_ALLOWED
	  "C NOOP\n" NOT_ALLOWED },
	{ "unknown verbs are refused",
	  { .action = &known_only },
	  LOGGED_IN,
	  "C XYZZY\n  c 500 Unknown command.\nC TYPE I\n  s TYPE I\nS 200 ok\n  c 200 ok\n"
	  "C XPWD\n  s XPWD\nS 257 ok\n  c 257 ok\nC XPSV\n  c 500 Unknown command.\n"
	  "C REST 0\n  s REST 0\nS 350 ok\n  c 350 ok\n" },
	{ "before login not even that is said",
	  { .action = &known_only },
	  GREETED,
	  "C XYZZY\n  c 530 Not logged in: send USER and PASS first.\n" },
};

#define OTHER "  c 504 HOST must match the host name that TLS was set up with (SNI).\n"

static const struct script_case host[] = {
	{ "in the clear", { 0 }, GREETED, "C HOST a.example\n  s HOST a.example\nS 220 ok\n  c 220 ok\n" },
	{ "with SNI",
	  { 0 },
	  AS("sni=a.example"),
	  "C HOST b.example\n" OTHER "C HOST a.exampl\n" OTHER "C HOST a.example.\n" OTHER
	  "C HOST A.Example\n  s HOST A.Example\nS 220 ok\n  c 220 ok\nC HOST a.example\n  s HOST "
	  "a.example\n" },
	{ "without SNI", { 0 }, NOBODY, "C HOST b.example\n  s HOST b.example\n" },
	{ "syntax",
	  { 0 },
	  AS("sni=a.example"),
	  "C HOST\n  c 501 HOST needs a host name.\nC HOST \n  c 501 HOST needs a host name.\n"
	  "C HOST a.example b\n  c 501 HOST needs a host name.\nC HOST a.example\t\n" OTHER },
	{ "after USER",
	  { 0 },
	  AS("sni=a.example") "C USER u\nS 331 ok\n",
	  "C HOST a.example\n  c 503 HOST is only allowed before USER.\n" },
	{ "after REIN SNI is gone",
	  { 0 },
	  AS("sni=a.example") "C USER u\nS 331 ok\nC REIN\nS 220 new\n",
	  "C HOST b.example\n  s HOST b.example\n" },
};

#define TEST(cases)                                                                                          \
	static void cases##_dialogues(void **state)                                                          \
	{                                                                                                    \
		(void)state;                                                                                 \
		SCRIPT_CHECK_ALL(cases);                                                                     \
	}
TEST(checks)
TEST(matrix)
TEST(certificate)
TEST(permitted)
TEST(failures)
TEST(lists)
TEST(host)

/* The list of actions belongs to all sessions of a worker: a stored password must not stay in it. */
static void stored_passwords_are_wiped(void **state)
{
	struct script *script = calloc(1, sizeof(*script));

	(void)state;
	assert_non_null(script);
	script_begin(script, &(struct script_setup){ .action = &verify_optional });
	script->log = true;
	script_run(script, MINE "C USER u\nS 331 ok\n");
	assert_non_null(strstr(script->text, "  s PASS stored\n"));
	for (size_t i = 0; i < sizeof(script->out.text); i++)
		assert_int_equal(script->out.text[i], '\0');
	free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_dialogues),	 cmocka_unit_test(matrix_dialogues),
		cmocka_unit_test(certificate_dialogues), cmocka_unit_test(permitted_dialogues),
		cmocka_unit_test(failures_dialogues),	 cmocka_unit_test(lists_dialogues),
		cmocka_unit_test(host_dialogues),	 cmocka_unit_test(stored_passwords_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
