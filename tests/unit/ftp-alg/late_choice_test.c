/* A server that USER chooses: what the gateway answers before it, and when there is a new choice. */
#include "ftp-alg/late-choice.h"

#include "tests/unit/machine-script.h"

static const struct ftp_late_choice by_host = { .takes_host = true };
static const struct ftp_late_choice by_user = { .takes_host = false };
static const struct ftp_action both = { .secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
					.extensions = EXTENSION_AUTH_TLS | EXTENSION_AUTH_GSSAPI,
					.secure_ftp = SECURE_FTP_ALLOWED,
					.secure_ctrlconn = SECURE_CLEAR,
					.secure_dataconn = SECURE_CLEAR,
					.secure_pbsz = 16384 };

#define GREET "G -\n"
#define ODD                                                                                                  \
	"  c 501 USER needs a name without quotes, control characters, leading or trailing blanks, or words like -x.\n"
#define NOT_IN	"  c 530 Not logged in: send USER and PASS first.\n"
#define IN_AS_U GREET "C USER u\nS 220 one\nC USER u\nS 331 ok\nC PASS p\nS 230 in\n"

static const struct script_case rows[] = {
	{ "the name that is asked about is the one that the server gets",
	  { .lazy_dial = true, .late_choice = &by_user },
	  GREET,
	  "C USER AlIce\n  hold\n  renew AlIce\nC USER AlIce\n  hold\nS 220 one\nC USER AlIce\n  user AlIce\n  "
	  "s USER AlIce\nS 331 ok\n  c 331 ok\n" },
	{ "nothing else reaches a server before USER",
	  { .lazy_dial = true, .late_choice = &by_user },
	  GREET,
	  "C NOOP\n" NOT_IN "C OPTS UTF8 ON\n" NOT_IN "C ACCT x\n" NOT_IN
	  "C PASS p\n  c 503 Send USER before PASS.\n"
	  "C HOST h.example\n  c 502 Command is not available here.\n"
	  "C QUIT\n  c 221 Goodbye.\n  close quit\n" },
	{ "FEAT",
	  { .lazy_dial = true, .late_choice = &by_host },
	  GREET "C AUTH TLS\n! tls\n",
	  "C FEAT\n  c 211-Extensions supported:\n  c  AUTH TLS\n  c  PBSZ\n  c  PROT\n  c  CCC\n  c  EPSV\n"
	  "  c  EPRT\n  c  HOST\n  c 211 End\n" },
	{ "a server's own HOST is not announced twice",
	  { .lazy_dial = true, .late_choice = &by_host },
	  IN_AS_U "C FEAT\n",
	  "S 211-x\n  c 211-x\nS  HOST\nS  SIZE\n  c  SIZE\nS 211 End\n  c  AUTH TLS\n  c  PBSZ\n  c  PROT\n  c  "
	  "CCC\n  c  EPSV\n  c  EPRT\n  c  HOST\n  c 211 End\n" },
	{ "a server's HOST would not go there",
	  { .lazy_dial = true, .late_choice = &by_user },
	  IN_AS_U "C FEAT\n",
	  "S 211-x\n  c 211-x\nS  HOST\nS 211 End\n  c  AUTH TLS\n  c  PBSZ\n  c  PROT\n  c  CCC\n  c  EPSV\n"
	  "  c  EPRT\n  c 211 End\n" },
	{ "names that servers may read otherwise",
	  { .lazy_dial = true, .late_choice = &by_user },
	  GREET,
	  "C USER\n" ODD "C USER  u\n" ODD "C USER u \n" ODD "C USER u\tv\n" ODD "C USER u\x7f\n" ODD
	  "C USER u\xff\xff\n" ODD },
	{ "another user gets another connection",
	  { .lazy_dial = true, .late_choice = &by_user },
	  GREET "C USER u\nS 220 one\nC USER u\nS 331 ok\n",
	  "C USER U\n  hold\n  drop\n  renew U\nS 220 two\nC USER U\n  user U\n  s USER U\n" },
	{ "the same user does not",
	  { .lazy_dial = true, .late_choice = &by_user },
	  GREET "C USER u\nS 220 one\nC USER u\nS 331 ok\n",
	  "C USER u\n  user u\n  s USER u\nS 331 ok\n  c 331 ok\n" },
	{ "an odd name leaves the server as it is",
	  { .lazy_dial = true, .late_choice = &by_user },
	  GREET "C USER u\nS 220 one\nC USER u\nS 331 ok\n",
	  "C USER  v\n" ODD "C PASS p\n  s PASS p\n" },
	{ "a pipelined PASS goes with its USER",
	  { .lazy_dial = true, .late_choice = &by_user },
	  GREET "C USER u\nS 220 one\nC USER u\nS 331 ok\n",
	  "C USER v\n  hold\n  drop\n  renew v\nS 220 two\nC USER v\n  user v\n  s USER v\nC PASS p\n  hold\n"
	  "S 331 ok\n  c 331 ok\nC PASS p\n  s PASS p\n" },
	{ "no password goes to the server of another user",
	  { .lazy_dial = true, .late_choice = &by_user },
	  IN_AS_U,
	  "C USER v\n  hold\n  drop\n  renew v\nS 220 two\nC USER v\n  user v\n  s USER v\nS 530 no\n  c 530 "
	  "no\n  login-failed\nC PASS p\n  c 503 Send USER before PASS.\n" },
	{ "HOST",
	  { .lazy_dial = true, .late_choice = &by_host },
	  GREET,
	  "C HOST h.example\n  c 220 FTP server ready.\nC HOST i.example\n  c 220 FTP server ready.\n"
	  "C HOST\n  c 501 HOST needs a host name.\nC HOST a b\n  c 501 HOST needs a host name.\n"
	  "C HOST h\x01\n  c 501 HOST needs a host name.\n"
	  "C USER u\n  hold\n  renew u\nS 220 one\nC USER u\n  hold\n  s HOST i.example\nS 504 no\n"
	  "C USER u\n  user u\n  s USER u\nS 530 no\n  c 530 no\n  login-failed\n"
	  "C HOST h.example\n  c 503 HOST is only allowed before USER.\n" },
	{ "the gateway sends HOST to the server, and the client does not see the answer",
	  { .lazy_dial = true, .late_choice = &by_host },
	  GREET "C HOST h.example\n  c 220 FTP server ready.\nC USER u\nS 220 one\n",
	  "C USER u\n  hold\n  s HOST h.example\nC USER u\n  hold\nS 220-virtual\nS 220 host\nC USER u\n  user u\n"
	  "  s USER u\nS 331 ok\n  c 331 ok\nC USER u\n  user u\n  s USER u\nS 331 ok\n  c 331 ok\n"
	  "C USER v\n  hold\n  drop\n  renew v\nS 220 two\nC USER v\n  hold\n  s HOST h.example\nS 502 what\n"
	  "C USER v\n  user v\n  s USER v\n" },
	{ "a server that leaves at HOST",
	  { .lazy_dial = true, .late_choice = &by_host },
	  GREET "C HOST h.example\nC USER u\nS 220 one\nC USER u\n",
	  "S 421 no\n  c 421 no\n  close server-421\n" },
	{ "the gateway sends no HOST after REIN",
	  { .lazy_dial = true, .late_choice = &by_host },
	  GREET "C HOST h.example\nC REIN\nC USER u\nS 220 one\n",
	  "C USER u\n  user u\n  s USER u\n" },
	{ "HOST after login",
	  { .lazy_dial = true, .late_choice = &by_host },
	  IN_AS_U,
	  "C HOST h.example\n  c 503 HOST is only allowed before USER.\n" },
	{ "HOST must say what SNI has said",
	  { .lazy_dial = true, .late_choice = &by_host },
	  GREET "C AUTH TLS\nI sni=h.example\n! tls\n",
	  "C HOST i.example\n  c 504 HOST must match the host name that TLS was set up with (SNI).\n"
	  "C HOST H.example\n  c 220 FTP server ready.\n" },
	{ "after REIN there is no server",
	  { .lazy_dial = true, .late_choice = &by_host },
	  IN_AS_U,
	  "C REIN\n  drop\n  c 220 FTP server ready.\nC NOOP\n" NOT_IN
	  "C HOST h.example\n  c 220 FTP server ready.\nC USER u\n  hold\n  renew u\n" },
	{ "the server is another one, which `* balance` allows",
	  { .lazy_dial = true, .late_choice = &by_user },
	  GREET "C USER u\n",
	  "! again\nS 220 two\nC USER u\n  user u\n  s USER u\n" },
};

static void dialogues(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++)
		script_check(&rows[i]);
}

/* What HOST has said counts until AUTH or REIN, and not for a second connection only. */
static void hosts(void **state)
{
	static const struct {
		const char *script, *host;
	} cases[] = {
		{ GREET "C HOST h.example\n", "h.example" },
		{ GREET "C HOST h.example\nC HOST i.example\n", "i.example" },
		{ GREET "C HOST h.example\nC HOST\n", "h.example" },
		{ GREET "C HOST h.example\nC AUTH TLS\n! tls\n", "" },
		{ GREET "C HOST h.example\nC REIN\n", "" },
		{ GREET "C HOST h.example\nC AUTH GSSAPI\nA done T\n", "" },
		/* in the clear anybody can have said that */
		{ GREET "C AUTH GSSAPI\nC HOST h.example\nA done T\n", "" },
		{ GREET "C AUTH GSSAPI\nA done T\nE HOST h.example\n", "h.example" },
		{ GREET "C HOST h.example\nC USER u\nS 220 one\nC USER u\nS 331 ok\nC USER v\n",
		  "h.example" },
		{ GREET "C HOST h.example\nC USER u\nS 220 one\nC USER u\nS 331 ok\nC HOST i.example\n",
		  "h.example" },
	};
	const struct script_setup setup = { .action = &both, .lazy_dial = true, .late_choice = &by_host };

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct script *script = calloc(1, sizeof(*script));

		assert_non_null(script);
		script_begin(script, &setup);
		script_run(script, cases[i].script);
		assert_string_equal(script->late_choice.host, cases[i].host);
		free(script);
	}
}

/* One server's greeting and FEAT say nothing about the next one. */
static void what_is_known(void **state)
{
	static const struct {
		const char *script;
		bool known;
	} cases[] = {
		{ "C NOOP\n", true },
		{ "C USER u\nS 331 ok\n", true },
		{ "C USER v\nS 220 two\nC USER v\n", false },
		{ "C REIN\nC USER v\nS 220 two\nC USER v\n", false },
	};
	const struct script_setup setup = { .action = &both, .lazy_dial = true, .late_choice = &by_user };

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct script *script = calloc(1, sizeof(*script));

		assert_non_null(script);
		script_begin(script, &setup);
		script_run(script,
			   GREET "C USER u\nS 220 h FTP server (Version 6.4) ready.\nC USER u\nS 331 ok\n"
				 "C PASS p\nS 230 in\nC FEAT\nS 211-x\nS  ODD\nS 211 End\n");
		script_run(script, cases[i].script);
		assert_int_equal(script->machine.bsd, cases[i].known);
		assert_int_equal(ftp_offered_has(&script->machine.offered, "ODD", 3), cases[i].known);
		free(script);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialogues),
		cmocka_unit_test(hosts),
		cmocka_unit_test(what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
