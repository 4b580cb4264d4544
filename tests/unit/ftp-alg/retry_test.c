/*
 * The machine's dialogues while a file is in use (DSWAITTIME). Towards the client
 * one 125- reply stands open from the first refusal to the end of the wait, so
 * each of them ends with "125 " before anything else is said.
 */
#include "tests/unit/machine-script.h"

#define WAITS(minutes, seconds)                                                                              \
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH, .unknown_commands = UNKNOWN_COMMANDS_PASS,              \
	.extensions = EXTENSION_AUTH_TLS, .secure_ftp = SECURE_FTP_ALLOWED, .secure_ctrlconn = SECURE_CLEAR, \
	.secure_dataconn = SECURE_CLEAR, .portcommand = PORTCOMMAND_ACCEPT, .dswaittime_min = (minutes),     \
	.dswaitinterval_s = (seconds)

static const struct ftp_action three = { WAITS(3, 60) };
static const struct ftp_action talks = { WAITS(3, 60), .dswaittimereply_s = 25 };
static const struct ftp_action twice = { WAITS(1, 30) };
static const struct ftp_action seldom = { WAITS(1, 90) };
static const struct ftp_action hidden = { WAITS(3, 60), .replysecuritylevel = 1 };
static const struct ftp_action never = { WAITS(0, 60) };

#define LEFT(n, every)                                                                                       \
	"  c 125-Data set access will be retried in " every " intervals - " n " attempts remaining\n"
#define BUSY(n)	 "  c 125-busy\n" LEFT(n, "1 minute") "  refused\n  pause 60000\n"
#define OVER	 "  c 125 The wait has ended.\n"
#define ASKED	 PASSIVE "C RETR x\n"
#define WAITING	 ASKED "S 450 busy\n"
#define AGAIN	 "R -\n  s EPSV\nS 229 x (|||2001|)\n  dial server 10.0.0.1:2001\n  retry\n"
#define RETRYING WAITING "R -\nS 229 x (|||2001|)\n"
#define DONE	 "D ok\nS 226 done\n  c 226 done\n  close-data\n"

static const struct script_case begins[] = {
	{ "not when policy has no time for it",
	  { .action = &never },
	  ASKED,
	  "S 450 busy\n  c 450 busy\n  refused\n" },
	{ "nor when the interval is longer",
	  { .action = &seldom },
	  ASKED,
	  "S 450 busy\n  c 450 busy\n  refused\nR -\n" },
	{ "450", { .action = &three }, ASKED, "S 450 busy\n" BUSY("3") },
	{ "450 of several lines",
	  { .action = &three },
	  ASKED,
	  "S 450-held by\nS  JOB1\nS 226 not the end\nS 450 busy\n" BUSY("3") },
	{ "450 without a word",
	  { .action = &three },
	  ASKED,
	  "S 450\n  c 125-\n" LEFT("3", "1 minute") "  refused\n  pause 60000\n" },
	{ "550 in use",
	  { .action = &three },
	  ASKED,
	  "S 550 A.B is In Use\n  c 125-A.B is In Use\n" LEFT("3", "1 minute") "  refused\n  pause 60000\n" },
	{ "550 used exclusively",
	  { .action = &three },
	  ASKED,
	  "S 550 used exclusively by X\n  c 125-used exclusively by X\n" LEFT(
	      "3", "1 minute") "  refused\n  pause 60000\n" },
	{ "another 550",
	  { .action = &three },
	  ASKED,
	  "S 550 no such file\n  c 550 no such file\n  refused\n" },
	{ "425 busy", { .action = &three }, ASKED, "S 425 busy\n  c 425 busy\n  refused\n" },
	{ "451 in use", { .action = &three }, ASKED, "S 451 in use\n  c 451 in use\n  refused\n" },
	{ "lines between two attempts",
	  { .action = &talks },
	  ASKED,
	  "S 450 busy\n  c 125-busy\n" LEFT(
	      "3", "1 minute") "  refused\n  pause 25000\n"
			       "R -\n  c 125-Seconds until the next attempt: 35\n  pause 25000\n"
			       "R -\n  c 125-Seconds until the next attempt: 10\n  pause 10000\n" AGAIN
			       "S 450 busy\n  c 125-busy\n" LEFT("2",
								 "1 minute") "  refused\n  pause 25000\n" },
	{ "seconds",
	  { .action = &twice },
	  ASKED,
	  "S 450 busy\n  c 125-busy\n" LEFT("2", "30 second") "  refused\n  pause 30000\n" },
	{ "an upload",
	  { .action = &three },
	  PASSIVE "C STOR x\n",
	  "S 450 busy\n" BUSY("3") AGAIN "S 150 go\n  c 125 go\n  go\n" DONE },
	{ "appending", { .action = &three }, PASSIVE "C APPE x\n", "S 450 busy\n" BUSY("3") },
	/* Many servers answer so when no file matches. */
	{ "no listing",
	  { .action = &three },
	  PASSIVE,
	  "C NLST *.x\n  s NLST *.x\n  start download clear\nS 450 No files found\n  c 450 No files found\n"
	  "  refused\nC LIST\n  s LIST\n  start download clear\nS 450 none\n  c 450 none\n  refused\n"
	  "C MLSD\n  s MLSD\n  start download clear\nS 550 busy\n  c 550 busy\n  refused\n" },
	/* Another attempt would begin with the first byte. */
	{ "not after REST",
	  { .action = &three },
	  LOGGED_IN "C REST 4096\nS 350 ok\n" PASV_PLAN "C RETR x\n",
	  "S 450 busy\n  c 450 busy\n  refused\nC RETR x\n  s RETR x\n  start download clear\n"
	  "S 450 busy\n" BUSY("3") },
	{ "but after REST 0",
	  { .action = &three },
	  LOGGED_IN "C REST 10\nS 350 ok\nC REST 0\nS 350 ok\n" PASV_PLAN "C RETR x\n",
	  "S 450 busy\n" BUSY("3") },
	{ "not when it has begun",
	  { .action = &three },
	  ASKED "S 150 go\nD ok\n",
	  "S 450 busy\n  c 450 busy\n  close-data\n" },
	{ "not when the data was lost meanwhile",
	  { .action = &three },
	  ASKED "D no-client\n",
	  "S 450 busy\n  c 425 Can't open data connection to the client.\n"
	  "  close-data\n" },
	{ "not for other commands",
	  { .action = &three },
	  LOGGED_IN "C DELE x\n",
	  "S 450 busy\n  c 450 busy\nC RNFR x\n  s RNFR x\nS 550 in use\n  c 550 in use\n" },
	{ "who holds it is not told at level 1",
	  { .action = &hidden },
	  ASKED,
	  "S 450 held by JOB1 of 192.0.2.9\n  c 125-The file is in use.\n" LEFT(
	      "3", "1 minute") "  refused\n  pause 60000\n" AGAIN
			       "S 150 go to 192.0.2.7:4000\n  c 125 go to -\n  go\n" DONE },
};

static const struct script_case ends[] = {
	{ "150",
	  { .action = &three },
	  WAITING,
	  AGAIN "S 150 go\n  c 125 go\n  go\n" DONE "C PWD\n  s PWD\n" },
	{ "150 of several lines",
	  { .action = &three },
	  WAITING,
	  AGAIN "S 150-now\n  c 150-now\nS  go\n  c  go\nS 150 go\n  c 125 go\n  go\n" DONE },
	{ "150 without a word", { .action = &three }, WAITING, AGAIN "S 150\n  c 125\n  go\n" DONE },
	{ "125 and 150",
	  { .action = &three },
	  WAITING,
	  AGAIN "S 125 soon\n  c 125 soon\n  go\nS 150 go\n  c 150 go\n" DONE },
	{ "no 1yz",
	  { .action = &three },
	  WAITING,
	  AGAIN "S 226 done\n  go\n  hold\nC NOOP\n  hold\nD ok\nS 226 done\n" OVER
		"  c 226 done\n  close-data\n" },
	{ "no 1yz and the data is lost",
	  { .action = &three },
	  WAITING,
	  AGAIN "S 226 done\n  go\n  hold\nD client-lost\nS 226 done\n" OVER
		"  c 426 Connection closed; transfer aborted.\n  close-data\n" },
	{ "another refusal",
	  { .action = &three },
	  WAITING,
	  AGAIN "S 550-no\n" OVER "  c 550-no\nS 550 no\n  c 550 no\n  refused\nC RETR y\n  s RETR y\n"
		"  start download clear\n" },
	{ "attempts run out",
	  { .action = &twice },
	  ASKED "S 450 busy\nR -\nS 229 x (|||2001|)\n",
	  "S 450-still\nS 450 busy\n  c 125-busy\n" LEFT(
	      "1", "30 second") "  refused\n  pause 30000\n" AGAIN "S 450-still\n" OVER
				"  c 450-still\nS 450 busy\n  c 450 busy\n  refused\nR -\n"
				"C PWD\n  s PWD\n" },
	{ "the next transfer has its own",
	  { .action = &twice },
	  ASKED "S 450 busy\nR -\nS 229 x (|||2001|)\nS 450 busy\nR -\nS 229 x (|||2001|)\nS 450 busy\n"
		"C RETR y\n",
	  "S 450 busy\n  c 125-busy\n" LEFT("2", "30 second") "  refused\n  pause 30000\n" },
	{ "the data was lost before the second answer",
	  { .action = &three },
	  RETRYING "D client-lost\n",
	  "S 450 busy\n" OVER "  c 450 busy\n  close-data\n" },
	{ "the data is lost while nothing runs: that is the gateway's to fix",
	  { .action = &three },
	  WAITING,
	  "D client-lost\n" AGAIN "S 150 go\n  c 125 go\n  go\n" DONE },
	{ "another user's certificate",
	  { .action = &three },
	  RETRYING "S 150 go\n",
	  "D certificate\nS 226 done\n"
	  "  c 522 The data connection must use the client certificate of this control connection.\n"
	  "  close-data\n" },
};

static const struct script_case replan[] = {
	{ "with PASV",
	  { .action = &three, .modes_refused = FTP_MODE_EPSV },
	  LOGGED_IN "C PASV\nS 227 (10,0,0,1,8,0)\nL client 192.0.2.1:5001\nC RETR x\nS 450 busy\n",
	  "R -\n  s PASV\nS 227 (10,0,0,9,8,1)\n  dial server 10.0.0.1:2049\n  retry\nS 150 go\n  c 125 go\n "
	  " go\n" },
	{ "an active server needs none",
	  { .action = &three, .modes = FTP_MODE_PORT },
	  LOGGED_IN
	  "C PASV\nL server 10.0.0.2:6001\nS 200 ok\nL client 192.0.2.1:5001\nC RETR x\nS 450 busy\n",
	  "R -\n  retry\nS 150 go\n  c 125 go\n  go\n" DONE },
	{ "an active client",
	  { .action = &three },
	  LOGGED_IN "C PORT 192,0,2,7,156,65\nS 229 x (|||2000|)\nC RETR x\nS 450 busy\n",
	  AGAIN "S 150 go\n  c 125 go\n  go\n" DONE },
	{ "refused for good",
	  { .action = &three },
	  WAITING "R -\n",
	  "S 502-no\nS 502 no\n" OVER "  close-data\n  c 502 no\nC PWD\n  s PWD\n" },
	{ "refused for now",
	  { .action = &three },
	  WAITING "R -\n",
	  "S 425 no\n" OVER "  close-data\n  c 425 no\n" },
	{ "no port in it",
	  { .action = &three },
	  WAITING "R -\n",
	  "S 229 x\n" OVER
	  "  close-data\n  c 425 The FTP server named no usable data port.\nC PWD\n  s PWD\n" },
	{ "350",
	  { .action = &three },
	  WAITING "R -\n",
	  "S 350 x\n" OVER "  close-data\n  c 425 The FTP server named no usable data port.\n" },
	{ "421",
	  { .action = &three },
	  WAITING "R -\n",
	  "S 421 bye\n" OVER "  c 421 bye\n  close server-421\n" },
	{ "refused, it is forgotten for this time only",
	  { .action = &three },
	  WAITING "R -\nS 502 no\n",
	  "C EPSV\n  s EPSV\n" },
	{ "a second resume asks no second time",
	  { .action = &three },
	  WAITING "R -\n",
	  "R -\nS 120 wait\nR -\n" },
	{ "level 1",
	  { .action = &hidden },
	  WAITING "R -\n",
	  "S 425 not from 192.0.2.7\n" OVER "  close-data\n  c 425 not from -\n" },
};

static const struct script_case beside[] = {
	{ "commands wait",
	  { .action = &three },
	  WAITING,
	  "C PWD\n  hold\nC NOOP\n  hold\nC STAT\n  hold\nC QUIT\n  hold\nC REIN\n  hold\nC AUTH TLS\n  "
	  "hold\n"
	  "C DELE x\n  hold\nC XYZZY\n  hold\nB nul\n  hold\nB long\n  hold\n" AGAIN
	  "C NOOP\n  hold\nC STAT\n  hold\nC QUIT\n  hold\nS 150 go\n  c 125 go\n  go\nC NOOP\n  s NOOP\nS "
	  "200 ok\n  c 200 ok\n"
	  "C QUIT\n  hold\n" DONE "C QUIT\n  s QUIT\n" },
	{ "ABOR",
	  { .action = &three },
	  WAITING,
	  "C ABOR\n" OVER
	  "  c 426 Connection closed; transfer aborted.\n  c 226 Abort successful.\n  close-data\n"
	  "R -\nC PWD\n  s PWD\n" },
	{ "nothing goes to the server between the lines of its refusal",
	  { .action = &three },
	  ASKED "S 450-busy\n",
	  "C NOOP\n  hold\nC ABOR\n  hold\nS 450 busy\n" BUSY(
	      "3") "C NOOP\n  hold\nC ABOR\n" OVER
		   "  c 426 Connection closed; transfer aborted.\n  c 226 Abort successful.\n  close-data\n" },
	{ "ABOR waits for a new port",
	  { .action = &three },
	  WAITING "R -\n",
	  "C ABOR\n  hold\nS 229 x (|||2001|)\n  dial server 10.0.0.1:2001\n  retry\n"
	  "C ABOR\n  s ABOR\n  side-wait 2000\n  doubt\nC NOOP\n  hold\nS 450 busy\n" OVER
	  "  c 450 busy\n  refused\n"
	  "  side-wait 2000\nS 225 no\n  c 225 no\nC NOOP\n  s NOOP\n" },
	{ "ABOR during another attempt that succeeds",
	  { .action = &three },
	  RETRYING,
	  "C ABOR\n  s ABOR\n  side-wait 2000\n  doubt\nS 150 go\n  c 125 go\n  go\nS 426 off\n  abort\n  hold\n"
	  "D aborted\nS 426 off\n  c 426 off\n  close-data\n  side-wait 2000\nS 226 abort\n  c 226 abort\n" },
	{ "ABOR during another attempt, answered before it",
	  { .action = &three },
	  RETRYING "C ABOR\n",
	  "S 225 abort\n" OVER
	  "  c 225 abort\nC PWD\n  hold\nT -\n  abort\n  close-data\n  unanswered transfer\n"
	  "C PWD\n  s PWD\n" },
	{ "ABOR during another attempt, unknown to the server",
	  { .action = &three },
	  RETRYING "C ABOR\n",
	  "S 502-what?\n" OVER "  c 502-what?\nS 502 what?\n  c 502 what?\n  trust\nS 450 busy\n"
	  "  c 450 busy\n  refused\n" },
	{ "ABOR, and the next transfer waits anew",
	  { .action = &three },
	  WAITING "C ABOR\n" PASV_PLAN "C RETR y\n",
	  "S 450 busy\n" BUSY("3") },
	{ "foreign protocol",
	  { .action = &three },
	  WAITING,
	  "C GET / HTTP/1.1\n" OVER "  c 500 This is an FTP server.\n  close foreign-protocol\n" },
	{ "a bare LF",
	  { .action = &three },
	  WAITING,
	  "B lf\n" OVER "  c 500 Command lines must end with CR LF.\n  close bare-lf\n" },
	{ "421 of several lines",
	  { .action = &three },
	  WAITING,
	  "S 421-idle\n" OVER
	  "  c 421-idle\nR -\nC ABOR\n  hold\nS 421 bye\n  c 421 bye\n  close server-421\nR -\n" },
	{ "421 to another attempt",
	  { .action = &three },
	  RETRYING,
	  "S 421 bye\n" OVER "  c 421 bye\n  close server-421\n" },
	{ "anything else unasked for",
	  { .action = &three },
	  WAITING,
	  "S 226 done\n  stray 226 done\n" OVER "  c 421 The FTP server sent an unexpected reply; closing.\n"
	  "  close unsolicited-reply\nR -\n" },
	{ "inside the last reply",
	  { .action = &three },
	  RETRYING "S 150 go\nD ok\n",
	  "S 250-done\n  c 250-done\n! lost\n  close reply-cut\n" },
	{ "or it is dropped",
	  { .action = &three, .drops_strays = true },
	  WAITING,
	  "S 226-done\n  stray 226-done\nR -\n  s EPSV\nS 226 done\n" },
	{ "lost",
	  { .action = &three },
	  WAITING,
	  "! lost\n" OVER "  c 421 The FTP server closed the connection.\n  close server-lost\nR -\n" },
	{ "lost with another attempt",
	  { .action = &three },
	  RETRYING,
	  "! lost\n" OVER "  c 421 The FTP server closed the connection.\n  close server-lost\n" },
	{ "shutdown with another attempt",
	  { .action = &three },
	  RETRYING,
	  "! shutdown\nS 450 busy\n" OVER "  c 450 busy\n  refused\n"
	  "  c 421 Service is shutting down, try again later.\n  close shutdown\n" },
	{ "shutdown while the port is asked for",
	  { .action = &three },
	  WAITING "R -\n",
	  "! shutdown\n" OVER
	  "  c 421 Service is shutting down, try again later.\n  close shutdown\nS 229 x (|||2001|)\n" },
};

#define TEST(cases)                                                                                          \
	static void cases##_dialogues(void **state)                                                          \
	{                                                                                                    \
		(void)state;                                                                                 \
		SCRIPT_CHECK_ALL(cases);                                                                     \
	}
TEST(begins)
TEST(ends)
TEST(replan)
TEST(beside)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_dialogues),
		cmocka_unit_test(ends_dialogues),
		cmocka_unit_test(replan_dialogues),
		cmocka_unit_test(beside_dialogues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
