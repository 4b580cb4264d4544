/*
 * `access`: which commands reach the server. Policies are texts, and folders what the server says
 * to PWD, so that a row shows all that decides.
 */
#include "tests/unit/access-stage.h"

struct row {
	const char *entries;
	const char *folder; /* NULL: the server has not been asked */
	const char *command;
	const char *want;
};

static void check_rows(const struct row *rows, size_t n, const char *user)
{
	for (size_t i = 0; i < n; i++) {
		struct stage *stage = stage_begin(rows[i].entries, user, rows[i].folder);
		const char *got = stage_line(stage, rows[i].command);

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s, in %s, %s: wanted %s, got %s", rows[i].entries,
				 rows[i].folder != NULL ? rows[i].folder : "no folder", rows[i].command,
				 rows[i].want, got);
		stage_end(stage);
	}
}

#define PAYROLL "{ path: /payroll, users: [pay] }"
#define HOME	"257 \"/u/bob\" is current"
#define ROOT	"257 \"/\" is current"
#define YES	"server"
#define NO	"path"
#define MAYBE	"may-be-the-path"
#define UNCLEAR "unclear-name"

/* bob is in no list */
static const struct row files[] = {
	{ PAYROLL, HOME, "SIZE /payroll/x", NO },
	{ PAYROLL, HOME, "SIZE /payroll", NO },
	{ PAYROLL, HOME, "SIZE /payroll2", YES },
	{ PAYROLL, HOME, "SIZE /pub/payroll", YES },
	{ PAYROLL, HOME, "SIZE //payroll//x", NO },
	{ PAYROLL, HOME, "SIZE /./payroll/./x", NO },
	{ PAYROLL, HOME, "SIZE /../payroll/x", NO },
	/* another session may have renamed the folder, but commands that move are followed by PWD */
	{ PAYROLL, HOME, "SIZE ../../payroll/x", UNCLEAR },
	{ PAYROLL, HOME, "SIZE ../x", UNCLEAR },
	{ PAYROLL, HOME, "SIZE ..", UNCLEAR },
	{ PAYROLL, HOME, "MLST ..", UNCLEAR },
	{ PAYROLL, HOME, "STAT -a ../..", UNCLEAR },
	{ PAYROLL, HOME, "SIZE ..x", YES },
	{ PAYROLL, HOME, "CWD ..", YES },
	{ PAYROLL, HOME, "CWD ../x", YES },
	{ PAYROLL, HOME, "CWD ../../payroll", NO },
	{ PAYROLL, HOME, "SIZE x", YES },
	{ PAYROLL, HOME, "SIZE payroll", YES },
	{ PAYROLL, ROOT, "SIZE payroll", NO },
	{ PAYROLL, ROOT, "SIZE ./payroll/x", NO },
	/* the server may follow a link */
	{ PAYROLL, HOME, "SIZE /pub/../payroll/x", UNCLEAR },
	{ PAYROLL, HOME, "SIZE link/../x", UNCLEAR },
	/* case, and what Windows leaves out */
	{ PAYROLL, HOME, "SIZE /PayRoll/x", MAYBE },
	{ PAYROLL, HOME, "SIZE /payroll./x", MAYBE },
	{ PAYROLL, HOME, "SIZE /payroll ", MAYBE },
	{ PAYROLL, HOME, "SIZE /payroll::$DATA", MAYBE },
	{ PAYROLL, HOME, "SIZE /payrol~1/x", MAYBE },
	{ PAYROLL, HOME, "SIZE /x~", YES },
	{ PAYROLL, HOME, "SIZE \\payroll\\x", UNCLEAR },
	{ PAYROLL, HOME, "SIZE /pub\\..\\payroll", UNCLEAR },
	{ PAYROLL, HOME, "SIZE C:/payroll", UNCLEAR },
	{ PAYROLL, HOME, "SIZE log_12:30.txt", YES },
	{ PAYROLL, HOME, "SIZE ~pay/x", UNCLEAR },
	{ PAYROLL, HOME, "SIZE .../x", UNCLEAR },
	{ PAYROLL, HOME, "SIZE .. /x", UNCLEAR },
	/* bytes that servers disagree about */
	{ PAYROLL, HOME, "SIZE /pay\xffroll/x", UNCLEAR },
	{ PAYROLL, HOME, "SIZE /pub\t/x", UNCLEAR },
	{ PAYROLL, HOME, "SIZE /pub\xc0\xaf..\xc0\xafpayroll", UNCLEAR },
	{ PAYROLL, HOME, "SIZE /pub\xef\xbc\x8f..", UNCLEAR },
	{ PAYROLL, HOME, "SIZE /payrol\xc5\x82/x", MAYBE },
	{ PAYROLL, HOME,
	  "SIZE /\xc3\x9c"
	  "bersicht",
	  YES },
	{ "{ path: /geh\xc3\xa4lter, users: [pay] }", HOME, "SIZE /geh\xc3\xa4lter", NO },
	{ "{ path: /geh\xc3\xa4lter, users: [pay] }", HOME, "SIZE /geh\xe4lter", MAYBE },
	{ "{ path: /geh\xc3\xa4lter, users: [pay] }", HOME, "SIZE /geha\xcc\x88lter", MAYBE },
	{ "{ path: /geh\xc3\xa4lter, users: [pay] }", HOME, "SIZE /gesamt", YES },
	/* blanks and quotes */
	{ PAYROLL, HOME, "SIZE  /payroll/x", NO },
	{ PAYROLL, HOME, "SIZE \"/payroll/x\"", NO },
	{ PAYROLL, ROOT, "SIZE \"payroll\"", NO },
	{ PAYROLL, HOME, "SIZE '/payroll/x'", NO },
	{ PAYROLL, ROOT, "SIZE 'payroll'", NO },
	{ PAYROLL, HOME, "SIZE 'x y'", YES },
	/* wildcards */
	{ PAYROLL, HOME, "DELE /pay*", MAYBE },
	{ PAYROLL, HOME, "DELE /p?yroll/x", MAYBE },
	{ PAYROLL, HOME, "DELE /[op]ayroll/x", MAYBE },
	{ PAYROLL, HOME, "DELE /{x,payroll}/x", UNCLEAR },
	{ PAYROLL, HOME, "DELE /pub/{.,x}./payroll", UNCLEAR },
	{ PAYROLL, HOME, "DELE /pub/.*/payroll", UNCLEAR },
	{ PAYROLL, HOME, "DELE /pub/.[a.]/payroll", UNCLEAR },
	{ PAYROLL, HOME, "DELE /pub/.[!x]/payroll", UNCLEAR },
	{ PAYROLL, HOME, "DELE /pub/.?*/payroll", UNCLEAR },
	{ PAYROLL, HOME, "DELE /pub/{.}[a.]/payroll", UNCLEAR },
	{ PAYROLL, HOME, "DELE /pub/.[a.]b*/payroll", YES },
	{ PAYROLL, HOME, "DELE /pub/.bash*", YES },
	{ PAYROLL, HOME, "DELE /pub/[a-z]*", YES },
	{ PAYROLL, HOME, "DELE /pub/a,b", YES },
	{ PAYROLL, HOME, "DELE /pub/a}b", YES },
	{ PAYROLL, HOME, "DELE /[[:alpha:]]ayroll", MAYBE },
	{ PAYROLL, HOME, "DELE /[]p]ayroll", MAYBE },
	{ PAYROLL, HOME, "DELE /p{a{y}r}oll", MAYBE },
	{ PAYROLL, HOME, "DELE /[p{]a}yroll", MAYBE },
	{ PAYROLL, HOME, "DELE /[p]{ay}roll", MAYBE },
	{ PAYROLL, HOME, "DELE /[r]eports", YES },
	{ PAYROLL, HOME, "DELE x/{y/z,/payroll}", UNCLEAR },
	{ PAYROLL, HOME, "DELE /{pub/x,payroll}", UNCLEAR },
	{ PAYROLL, HOME, "DELE /pub/{x{y/z},x}", UNCLEAR },
	{ PAYROLL, HOME, "DELE /p{/}..{/}payroll", UNCLEAR },
	{ PAYROLL, HOME, "DELE /**/x", MAYBE },
	{ PAYROLL, HOME, "DELE /*.txt", YES },
	{ PAYROLL, HOME, "DELE /pub/*", YES },
	{ PAYROLL, HOME, "DELE *", YES },
	{ PAYROLL, ROOT, "DELE *", MAYBE },
	/* the folder */
	{ PAYROLL, NULL, "SIZE x", "ask" },
	{ PAYROLL, NULL, "SIZE /x", YES },
	{ PAYROLL, NULL, "SIZE /payroll", NO },
	{ PAYROLL, "550 no", "SIZE x", "ask" },
	{ PAYROLL, "257 \"DISK:[BOB]\" is current", "SIZE x", "folder-unknown" },
	{ PAYROLL, "257 \"C:\\\\x\" is current", "SIZE x", "folder-unknown" },
	{ PAYROLL, "257 /u/bob", "SIZE x", "folder-unknown" },
	{ PAYROLL, "257 \"/a\" \"/b\"", "SIZE x", "folder-unknown" },
	{ PAYROLL, "257 \"/a", "SIZE x", "folder-unknown" },
	{ PAYROLL, "257 \"\"", "SIZE x", "folder-unknown" },
	{ PAYROLL, "257 \"/a\"\"b\" x", "SIZE x", YES },
	{ PAYROLL, "257 \"/payroll\" x", "SIZE x", NO },
	{ PAYROLL, "257 \"/payroll\" x", "SIZE ../x", UNCLEAR },
	{ PAYROLL, "257 \"/payroll\" x", "CWD ../x", YES },
	{ PAYROLL, "257 \"/payroll/\" x", "SIZE x", NO },
	{ PAYROLL, "257 \"/payroll/../u\" x", "SIZE x", "folder-unknown" },
	{ PAYROLL, "257 \"/payroll/a\" x", "CDUP", NO },
	{ PAYROLL, "257 \"/payroll\" x", "CDUP", YES },
	{ PAYROLL, "257 \"/payroll\" x", "XCUP", YES },
	/* which verbs have a path, and what they do with it */
	{ PAYROLL, HOME, "CWD /payroll", NO },
	{ PAYROLL, HOME, "XCWD /payroll", NO },
	{ PAYROLL, HOME, "MKD /payroll/x", NO },
	{ PAYROLL, HOME, "XMKD /payroll/x", NO },
	{ PAYROLL, HOME, "RMD /", MAYBE },
	{ PAYROLL, HOME, "RNFR /", MAYBE },
	{ "{ path: /a/b/c, users: [pay] }", HOME, "RNFR /a", MAYBE },
	{ "{ path: /a/b/c, users: [pay] }", HOME, "RNTO /a", MAYBE },
	{ "{ path: /a/b/c, users: [pay] }", HOME, "CWD /a", YES },
	{ PAYROLL, HOME, "MDTM 20200101000000 /payroll/x", NO },
	{ PAYROLL, HOME, "MFMT 20200101000000 /payroll/x", NO },
	{ PAYROLL, HOME, "MFF Modify=20200101000000;UNIX.mode=0644; /payroll/x", NO },
	{ PAYROLL, HOME, "HASH /payroll/x", NO },
	{ PAYROLL, HOME, "XCRC \"/payroll/x\" 0 100", NO },
	{ PAYROLL, HOME, "MMD5 /pub/x, /payroll/x", NO },
	{ PAYROLL, HOME, "COMB /pub/x \"/pub/y\" \"/payroll/x\"", NO },
	{ PAYROLL, HOME, "SITE CHMOD 644 /payroll/x", NO },
	{ PAYROLL, HOME, "SITE CHMOD 644 x", YES },
	{ PAYROLL, HOME, "SITE CPFR /", MAYBE },
	{ PAYROLL, HOME, "SITE UMASK 022", YES },
	{ PAYROLL, ROOT, "SITE X=payroll", NO },
	{ PAYROLL, HOME, "SITE CTRLCONN=(IBM-1047,ISO8859-1)", UNCLEAR },
	{ PAYROLL, HOME, "SITE a b c d e f g h i j k l m n o p q", UNCLEAR },
	{ PAYROLL, HOME, "XFOO 1 /payroll/x", NO },
	{ PAYROLL, HOME, "XFOO /", MAYBE },
	{ "{ path: /=x, users: [pay] }", ROOT, "SITE CPFR =x", NO },
	{ "{ path: '/\"x', users: [pay] }", ROOT, "XFOO \"x y", NO },
	{ PAYROLL, HOME, "STAT /payroll", NO },
	{ PAYROLL, HOME, "STAT -l /payroll", NO },
	{ PAYROLL, HOME, "STAT / -R", MAYBE },
	{ PAYROLL, HOME, "STAT / x -laR", MAYBE },
	{ PAYROLL, HOME, "STAT / --recursive", MAYBE },
	{ PAYROLL, HOME, "STAT / -l", YES },
	{ PAYROLL, "257 \"/payroll\" x", "STAT -l", NO },
	{ PAYROLL, HOME, "STAT", YES },
	{ PAYROLL, HOME, "MLST /payroll", NO },
	{ PAYROLL, "257 \"/payroll\" x", "MLST", NO },
	{ PAYROLL, HOME, "MLST", YES },
	{ PAYROLL, HOME, "SMNT /", MAYBE },
	{ PAYROLL, HOME, "PWD", YES },
	{ PAYROLL, HOME, "NOOP /payroll", YES },
	{ PAYROLL, HOME, "TYPE I", YES },
	/* verbs of entries */
	{ "{ path: /in, users: [pay], verbs: [RETR, LIST] }", HOME, "SIZE /in/x", YES },
	{ "{ path: /in, users: [pay], verbs: [RETR, LIST] }", HOME, "DELE /in/x", YES },
	{ "{ path: /in, users: [pay], verbs: [RETR, LIST] }", HOME, "MLST /in/x", NO },
	{ "{ path: /in, users: [pay], verbs: [RETR, LIST] }", HOME, "RNFR /in/x", NO },
	{ "{ path: /in, users: [pay], verbs: [RETR, LIST] }", HOME, "SITE CPFR /in/x", NO },
	{ "{ path: /in, users: [pay], verbs: [\"SITE CHMOD\"] }", HOME, "SITE CHMOD 1 /in/x", NO },
	{ "{ path: /in, users: [pay], verbs: [MKD] }", HOME, "XMKD /in/x", NO },
	/* the first entry decides */
	{ "{ path: /a/b, users: '*' }, { path: /a, users: [pay] }", HOME, "SIZE /a/b/c", YES },
	{ "{ path: /a/b, users: '*' }, { path: /a, users: [pay] }", HOME, "SIZE /a/c", NO },
	{ "{ path: /a/b, users: '*' }, { path: /a, users: [pay] }", HOME, "SIZE /a/B", NO },
	{ "{ path: /a/b, users: '*' }, { path: /a, users: [pay] }", HOME, "SIZE /a/b./c", NO },
	{ "{ path: /a/b, users: '*' }, { path: /a, users: [pay] }", HOME, "DELE /a/*", NO },
	{ "{ path: /a/b, users: '*' }, { path: /a, users: [pay] }", HOME, "SIZE /a/b/x*", YES },
	{ "{ path: /pub, users: '*', verbs: [RETR] }, { path: /, users: [pay] }", HOME, "SIZE /pub/x", NO },
	{ "{ path: /, users: [] }", HOME, "SIZE /x", NO },
	{ "{ path: /, users: [BOB] }", HOME, "SIZE /x", YES },
	{ "{ path: /u/*/keys, users: [pay] }", HOME, "SIZE /u/bob/keys/x", NO },
	{ "{ path: /u/*/keys, users: [pay] }", HOME, "SIZE /u/bob/x", YES },
	{ "{ path: /u/*/keys, users: [pay] }", HOME, "DELE /u/b*/k*", MAYBE },
	{ "{ path: \"/*.bak\", users: [pay] }", HOME, "SIZE /x.bak", NO },
	{ "{ path: \"/*.bak\", users: [pay] }", HOME, "SIZE /x.BAK", MAYBE },
	{ "{ path: \"/*.bak\", users: [pay] }", HOME, "SIZE /x.txt", YES },
	/* who */
	{ "{ path: /, certificates: [pat] }", HOME, "SIZE /x", NO },
};

#define PROD   "{ path: \"'PROD.**'\", users: [pay] }"
#define PREFIX "257 \"'BOB.'\" is the working directory name prefix."
#define TOP    "257 \"''\" is the working directory name prefix."

static const struct row data_sets[] = {
	{ PROD, PREFIX, "SIZE 'PROD.PAY'", NO },
	{ PROD, PREFIX, "SIZE 'prod.pay'", NO },
	{ PROD, PREFIX, "SIZE 'PROD.PAY", NO },
	{ PROD, PREFIX, "SIZE 'PROD'", NO },
	{ PROD, PREFIX, "SIZE 'PROD.PDS(MEM)'", NO },
	{ PROD, PREFIX, "SIZE 'PROD.GDG(+1)'", NO },
	{ PROD, PREFIX, "SIZE 'PRODX.PAY'", YES },
	{ PROD, PREFIX, "SIZE PROD.PAY", YES },
	{ PROD, TOP, "SIZE PROD.PAY", NO },
	{ PROD, TOP, "SIZE X.PAY", YES },
	{ PROD, TOP, "SIZE PROD.PAY junk", NO },
	{ PROD, "257 \"'PROD.'\" x", "SIZE PAY", NO },
	{ PROD, "257 \"'PROD.'\" x", "CDUP", YES },
	{ PROD, "257 \"'PROD.A.'\" x", "CWD ..", NO },
	{ PROD, "257 \"'PROD.A.'\" x", "SIZE .", NO },
	{ PROD, "257 \"'PROD.PDS'\" is partitioned data set", "SIZE MEM", NO },
	{ PROD, PREFIX, "SIZE a/b", UNCLEAR },
	{ PROD, PREFIX,
	  "SIZE 'PR\xc3\x96"
	  "D.PAY'",
	  UNCLEAR },
	{ PROD, PREFIX, "SIZE A..B", UNCLEAR },
	{ PROD, PREFIX, "SIZE /u/bob", YES },
	{ PROD, "257 \"/u/bob\" x", "SIZE 'PROD.PAY'", NO },
	{ PROD, "257 \"/u/bob\" x", "SIZE PROD.PAY", YES },
	{ PROD, NULL, "SIZE 'PROD.PAY'", "ask" },
	{ PROD, PREFIX, "DELE 'PR*.PAY'", MAYBE },
	{ PROD, PREFIX, "DELE 'PR%D.PAY'", MAYBE },
	{ PROD, PREFIX, "DELE 'PRX*.PAY'", YES },
	{ PROD, PREFIX, "DELE '**.PAY'", MAYBE },
	{ PROD, PREFIX, "DELE '*.*'", MAYBE },
	{ PROD, PREFIX, "STAT 'BOB.*'", YES },
	{ PROD, PREFIX, "STAT 'PROD.*'", NO },
	{ PROD, TOP, "MLST", MAYBE },
	{ PROD, PREFIX, "SITE LRECL=80 RECFM=FB", YES },
	{ PROD, PREFIX, "SITE FILETYPE=JES", YES },
	{ "{ path: \"'PROD.PAY'\", users: [pay] }", PREFIX, "SIZE 'PROD.PAY'", NO },
	{ "{ path: \"'PROD.PAY'\", users: [pay] }", PREFIX, "SIZE 'PROD.PAY(M)'", NO },
	{ "{ path: \"'PROD.PAY'\", users: [pay] }", PREFIX, "SIZE 'PROD.PAY.X'", YES },
	{ "{ path: \"'PROD.PAY'\", users: [pay] }", "257 \"'PROD.PAY'\" x", "SIZE M", NO },
	{ "{ path: \"'PROD.PAY'\", users: [pay] }", PREFIX, "RNFR 'PROD'", MAYBE },
	{ "{ path: \"'PROD.*'\", users: [pay] }", PREFIX, "SIZE 'PROD.A'", NO },
	{ "{ path: \"'PROD.*'\", users: [pay] }", PREFIX, "SIZE 'PROD.A.B'", YES },
	{ "{ path: \"'PROD.**.LOG'\", users: [pay] }", PREFIX, "SIZE 'PROD.A.B.LOG'", NO },
	{ "{ path: \"'PROD.**.LOG'\", users: [pay] }", PREFIX, "SIZE 'PROD.LOG'", NO },
	{ "{ path: \"'PROD.**.LOG'\", users: [pay] }", PREFIX, "SIZE 'PROD.A.B'", YES },
	{ "{ path: \"'PROD.PAY%'\", users: [pay] }", PREFIX, "SIZE 'PROD.PAY1'", NO },
	{ "{ path: \"'PROD.PAY%'\", users: [pay] }", PREFIX, "SIZE 'PROD.PAY'", YES },
	/* z/OS's ACCESS.HFS: everything that is no data set */
	{ "{ path: /, users: [pay] }", PREFIX, "CWD /u/bob", NO },
	{ "{ path: /, users: [pay] }", PREFIX, "SIZE PAY", YES },
	{ "{ path: /, users: [pay] }", PREFIX, "SIZE 'PROD.PAY'", YES },
	{ "{ path: /, users: [pay] }", PREFIX, "SIZE '/u/bob'", NO },
	{ "{ path: jes, users: [ops] }", PREFIX, "SITE FILETYPE=JES", "jes" },
	{ "{ path: jes, users: [ops] }", PREFIX, "SITE LRECL=80 file=jes", "jes" },
	{ "{ path: jes, users: [ops] }", PREFIX, "SITE JESOWNER=*", "jes" },
	{ "{ path: jes, users: [ops] }", PREFIX, "SITE FILETYPE=SEQ", YES },
	{ "{ path: jes, users: [ops] }", PREFIX, "SIZE JOB00123", YES },
};

static void test_files(void **state)
{
	(void)state;
	check_rows(files, NELEM(files), "bob");
}

static void test_data_sets(void **state)
{
	(void)state;
	check_rows(data_sets, NELEM(data_sets), "bob");
}

/* Who is on every list gets through with all of them, and no server is asked for its folder. */
static void test_people_on_the_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(files); i++) {
		struct stage *stage;

		if (strcmp(files[i].entries, PAYROLL) != 0)
			continue;
		stage = stage_begin(files[i].entries, "Pay", NULL);
		if (strcmp(stage_line(stage, files[i].command), "server") != 0)
			fail_msg("%s: %s", files[i].command, stage->result);
		stage_end(stage);
	}
}

/* What has to be asked is asked once, and again after a command that may have moved. */
static void test_folder_is_asked(void **state)
{
	struct stage *stage = stage_begin(PAYROLL, "bob", NULL);

	(void)state;
	assert_string_equal(stage_line(stage, "SIZE x"), "ask");
	assert_string_equal(stage_line(stage, "SIZE x"), "hold"); /* its reply is not there */
	stage_reply(stage, "257 \"/u/bob\" x");
	assert_int_equal(stage->out.n, 0); /* the client sees nothing */
	assert_string_equal(stage_line(stage, "SIZE x"), "server");
	stage_reply(stage, "213 1");
	assert_string_equal(stage_line(stage, "SIZE y"), "server");
	stage_reply(stage, "213 1");
	/* a CWD that leads elsewhere, whatever it is answered */
	assert_string_equal(stage_line(stage, "CWD sub"), "server");
	stage_reply(stage, "550 no such folder");
	assert_string_equal(stage_line(stage, "SIZE x"), "ask");
	stage_reply(stage, "257-\"/payroll/sub\" x");
	stage_reply(stage, "257 is current");
	assert_string_equal(stage_line(stage, "SIZE x"), "path");
	/* a server that does not say */
	assert_string_equal(stage_line(stage, "CWD /u"), "server");
	stage_reply(stage, "250 there");
	assert_string_equal(stage_line(stage, "SIZE x"), "ask");
	stage_reply(stage, "502 what?");
	assert_string_equal(stage_line(stage, "SIZE x"), "folder-unknown");
	assert_string_equal(stage_line(stage, "SIZE /u/x"), "server");
	stage_end(stage);
}

static void test_verbs_that_move(void **state)
{
	static const char *const moving[] = { "CWD x",	"XCWD x", "CDUP",   "XCUP",    "SMNT x",
					      "RNTO x", "SITE x", "XFOO x", "USER bob" };
	static const char *const staying[] = { "SIZE x", "RNFR x", "MKD x", "NOOP", "TYPE I", "STAT" };

	(void)state;
	for (size_t i = 0; i < NELEM(moving) + NELEM(staying); i++) {
		bool moves = i < NELEM(moving);
		const char *line = moves ? moving[i] : staying[i - NELEM(moving)];
		struct stage *stage = stage_begin(PAYROLL, "bob", HOME);

		assert_string_equal(stage_line(stage, line), "server");
		stage_reply(stage, strncmp(line, "USER", 4) == 0 ? "230 in" : "200 ok");
		if (strcmp(stage_line(stage, "SIZE x"), moves ? "ask" : "server") != 0)
			fail_msg("%s: %s", line, stage->result);
		stage_end(stage);
	}
}

static void test_spool(void **state)
{
	static const char entries[] =
	    "{ path: jes, users: [bob], verbs: [SITE, LIST] }, { path: jes, users: [] }";
	struct stage *stage = stage_begin(entries, "bob", PREFIX);

	(void)state;
	assert_string_equal(stage_line(stage, "DELE JOB00123"), "server");
	stage_reply(stage, "250 ok");
	assert_string_equal(stage_line(stage, "SITE FILETYPE=JES"), "server");
	stage_reply(stage, "200 SITE command was accepted");
	assert_string_equal(stage_line(stage, "DELE JOB00123"), "jes");
	assert_string_equal(stage_line(stage, "MLST"), "server"); /* no entry is about files */
	stage_reply(stage, "250 ok");
	/* what the server refuses does not count, and no other value does */
	assert_string_equal(stage_line(stage, "SITE FILETYPE=SEQ"), "server");
	stage_reply(stage, "501 no");
	assert_string_equal(stage_line(stage, "DELE JOB00123"), "jes");
	assert_string_equal(stage_line(stage, "SITE FILETYPE=X"), "server");
	stage_reply(stage, "200 ok");
	assert_string_equal(stage_line(stage, "DELE JOB00123"), "jes");
	assert_string_equal(stage_line(stage, "SITE FILETYPE=SEQ"), "server");
	stage_reply(stage, "200 ok");
	assert_string_equal(stage_line(stage, "DELE JOB00123"), "server");
	stage_end(stage);
}

/* A second login on the same connection gives no more than both users have; REIN starts anew. */
static void test_second_login(void **state)
{
	struct stage *stage = stage_begin(PAYROLL, "bob", HOME);

	(void)state;
	(void)stage_line(stage, "USER pay");
	stage_reply(stage, "331 ok");
	(void)stage_line(stage, "PASS p");
	stage_reply(stage, "230 already logged in");
	assert_string_equal(stage_line(stage, "SIZE /payroll/x"), "path");
	(void)stage_line(stage, "REIN");
	stage_reply(stage, "220 hello");
	(void)stage_line(stage, "USER pay");
	stage_reply(stage, "230 in");
	assert_string_equal(stage_line(stage, "SIZE /payroll/x"), "server");
	stage_reply(stage, "213 1");
	/* and a refused USER leaves the user who is in */
	(void)stage_line(stage, "USER bob");
	stage_reply(stage, "530 Can't change user");
	assert_string_equal(stage_line(stage, "SIZE /payroll/x"), "server");
	stage_end(stage);
}

static void test_certificate(void **state)
{
	struct stage *stage = stage_begin("{ path: /, certificates: [pat], users: [pay] }", "bob", HOME);
	struct ftp_identity identity = { .certificate = true, .user = "pat" };

	(void)state;
	assert_string_equal(stage_line(stage, "SIZE /x"), "path");
	ftp_machine_identify(&stage->machine, &identity);
	assert_string_equal(stage_line(stage, "SIZE /x"), "server");
	stage_reply(stage, "213 1");
	identity.user = "pay"; /* `users` is about logins */
	ftp_machine_identify(&stage->machine, &identity);
	assert_string_equal(stage_line(stage, "SIZE /x"), "path");
	/* a principal is no certificate, and the other way round */
	identity = (struct ftp_identity){ .user = "pat" };
	stage->machine.security.gssapi = true;
	ftp_machine_identify(&stage->machine, &identity);
	assert_string_equal(stage_line(stage, "SIZE /x"), "path");
	stage_end(stage);
	stage = stage_begin("{ path: /, principals: [pat] }", "pat", HOME);
	ftp_machine_identify(&stage->machine, &identity);
	assert_string_equal(stage_line(stage, "SIZE /x"), "path");
	stage->machine.security.gssapi = true;
	assert_string_equal(stage_line(stage, "SIZE /x"), "server");
	stage_end(stage);
}

/* After CCC anybody may log in in the clear, and is not whom the certificate has named. */
static void test_certificate_after_ccc(void **state)
{
	const struct ftp_identity identity = { .certificate = true, .user = "pat" };
	struct stage *stage = stage_begin("{ path: /, certificates: [pat] }", "bob", HOME);

	(void)state;
	ftp_machine_identify(&stage->machine, &identity);
	stage->machine.security.ctrl = FTP_CTRL_CLEARED;
	assert_string_equal(stage_line(stage, "SIZE /x"), "server");
	stage_reply(stage, "213 1");
	(void)stage_line(stage, "USER eve");
	stage_reply(stage, "331 ok");
	(void)stage_line(stage, "PASS p");
	stage_reply(stage, "230 in");
	assert_string_equal(stage_line(stage, "SIZE /x"), "path");
	stage_end(stage);
}

/* The entry's line goes with the refusal, and the client's text says nothing of it. */
static void test_refusal(void **state)
{
	struct stage *stage = stage_begin("{ path: /a, users: '*' },\n" PAYROLL, "bob", HOME);
	const struct ftp_act *act = &stage->out.acts[0];

	(void)state;
	ftp_out_reset(&stage->out);
	assert_int_equal(ftp_machine_command(&stage->machine, "SIZE /payroll/x", 15, &stage->out), FTP_TAKEN);
	assert_int_equal(stage->out.n, 1);
	assert_int_equal(act->what, FTP_DO_REPLY);
	assert_true(act->refusal);
	assert_string_equal(act->key, "access");
	assert_int_equal(act->line, 3);
	assert_int_equal(act->len, strlen("550 Access denied."));
	assert_memory_equal(act->text, "550 Access denied.", act->len);
	stage_end(stage);
}

/* Without room for its state, a session with entries is refused, not let in. */
static void test_no_memory(void **state)
{
	struct stage *stage = stage_begin(PAYROLL, "bob", HOME);

	(void)state;
	stage->machine.access = NULL;
	assert_string_equal(stage_line(stage, "SIZE /x"), "550 Access denied.");
	stage_end(stage);
}

/* While a transfer runs, a refusal would be taken for its reply. */
static void test_during_transfer(void **state)
{
	struct stage *stage = stage_begin(PAYROLL, "bob", HOME);
	struct ip_endpoint port = { .port = 5000 };

	(void)state;
	(void)stage_line(stage, "EPSV");
	stage_reply(stage, "229 x (|||2000|)");
	ftp_machine_listening(&stage->machine, FTP_SIDE_CLIENT, &port, &stage->out);
	assert_string_equal(stage_line(stage, "RETR /payroll/x"), "path");
	(void)stage_line(stage, "RETR x");
	ftp_machine_dialled(&stage->machine, true, &stage->out);
	assert_string_equal(stage_line(stage, "RETR x"), "server");
	stage_reply(stage, "150 here");
	assert_string_equal(stage_line(stage, "STAT /payroll"), "hold");
	assert_string_equal(stage_line(stage, "STAT"), "server");
	stage_end(stage);
}

/* As long as an answer may come late, no reply to PWD can be trusted: it may be that to an earlier one. */
static void test_late_answers(void **state)
{
	struct stage *stage = stage_begin(PAYROLL, "bob", HOME);
	struct ip_endpoint port = { .port = 5000 };

	(void)state;
	assert_string_equal(stage_line(stage, "SIZE x"), "server");
	stage_reply(stage, "213 1");
	(void)stage_line(stage, "EPSV");
	stage_reply(stage, "229 x (|||2000|)");
	ftp_machine_listening(&stage->machine, FTP_SIDE_CLIENT, &port, &stage->out);
	(void)stage_line(stage, "RETR x");
	ftp_machine_dialled(&stage->machine, true, &stage->out);
	assert_string_equal(stage_line(stage, "RETR x"), "server");
	stage_reply(stage, "150 here");
	assert_string_equal(stage_line(stage, "STAT y"), "server");
	ftp_out_reset(&stage->out);
	ftp_machine_data_done(&stage->machine, FTP_DATA_OK, &stage->out);
	stage_reply(stage, "226 done");
	assert_string_equal(stage_line(stage, "SIZE x"), "hold");
	ftp_out_reset(&stage->out);
	ftp_machine_side_due(&stage->machine, &stage->out);
	assert_string_equal(stage_line(stage, "SIZE x"), "folder-unknown");
	assert_string_equal(stage_line(stage, "PWD"), "server");
	stage_reply(stage, "213 the answer to STAT");
	assert_string_equal(stage_line(stage, "PWD"), "server");
	stage_reply(stage, "257 \"/pub\" the answer to the first PWD");
	assert_string_equal(stage_line(stage, "SIZE x"), "folder-unknown");
	stage_end(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_data_sets),
		cmocka_unit_test(test_people_on_the_list),
		cmocka_unit_test(test_folder_is_asked),
		cmocka_unit_test(test_verbs_that_move),
		cmocka_unit_test(test_spool),
		cmocka_unit_test(test_second_login),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_certificate_after_ccc),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_during_transfer),
		cmocka_unit_test(test_late_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
