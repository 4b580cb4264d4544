/* What a transfer is going to move: dialogues as real servers have held them. */
#include "ftp-alg/progress.h"

#include <stdio.h>

#include "ftp-alg/representation.h"
#include "ftp-alg/shown.h"
#include "tests/unit/unit.h"

#define UNKNOWN UINT64_MAX
#define LINES	14

/* A line that begins with "<" is the server's, all others are the client's; the last one begins the transfer.
 */
static const struct {
	const char *name;
	const char *lines[LINES];
	uint64_t moved; /* so far */
	uint64_t want;
} rows[] = {
	{ "vsftpd",
	  { "TYPE I", "<200 Switching to Binary mode.", "RETR pub/file.bin",
	    "<150 Opening BINARY mode data connection for pub/file.bin (123456 bytes)." },
	  0,
	  123456 },
	{ "vsftpd, whose number counts from the beginning",
	  { "TYPE I", "<200 Switching to Binary mode.", "REST 100000",
	    "<350 Restart position accepted (100000).", "RETR pub/file.bin",
	    "<150 Opening BINARY mode data connection for pub/file.bin (123456 bytes)." },
	  0,
	  UNKNOWN },
	{ "the same with SIZE",
	  { "TYPE I", "<200 Switching to Binary mode.", "SIZE pub/file.bin", "<213 123456", "REST 100000",
	    "<350 Restart position accepted (100000).", "PASV", "<227 Entering Passive Mode (127,0,0,1,1,2).",
	    "RETR pub/file.bin",
	    "<150 Opening BINARY mode data connection for pub/file.bin (123456 bytes)." },
	  0,
	  23456 },
	{ "ProFTPD, whose number counts from REST",
	  { "TYPE I", "<200 Type set to I", "SIZE file.bin", "<213 123456", "REST 100000",
	    "<350 Restarting at 100000. Send STORE or RETRIEVE to initiate transfer", "RETR file.bin",
	    "<150 Opening BINARY mode data connection for file.bin (23456 bytes)" },
	  0,
	  23456 },
	{ "ProFTPD in ASCII: the number is not what is sent",
	  { "TYPE A", "<200 Type set to A", "RETR text.txt",
	    "<150 Opening ASCII mode data connection for text.txt (2000 bytes)" },
	  0,
	  UNKNOWN },
	{ "the name looks like a number, too",
	  { "TYPE I", "<200 Type set to I", "RETR a(5 bytes)",
	    "<150 Opening BINARY mode data connection for a(5 bytes) (70 bytes)" },
	  0,
	  70 },
	{ "Pure-FTPd",
	  { "TYPE I", "<200 TYPE is now 8-bit binary", "RETR file.bin", "<150-Accepted data connection",
	    "<150 120.6 kbytes to download" },
	  123456,
	  123545 },
	{ "Pure-FTPd from a position",
	  { "TYPE I", "<200 TYPE is now 8-bit binary", "REST 100000", "<350 Restarting at 100000",
	    "RETR file.bin", "<150-Accepted data connection", "<150 22.9 kbytes to download" },
	  23456,
	  23500 },
	{ "Pure-FTPd with SIZE, which is exact",
	  { "TYPE I", "<200 TYPE is now 8-bit binary", "SIZE file.bin", "<213 123456", "RETR file.bin",
	    "<150-Accepted data connection", "<150 120.6 kbytes to download" },
	  0,
	  123456 },
	{ "Pure-FTPd, a small file",
	  { "TYPE I", "<200 TYPE is now 8-bit binary", "RETR a", "<150 Accepted data connection" },
	  0,
	  UNKNOWN },
	{ "inetutils-ftpd",
	  { "TYPE I", "<200 Type set to I.", "RETR file.bin",
	    "<150 Opening BINARY mode data connection for 'file.bin' (123456 bytes)." },
	  0,
	  123456 },
	{ "inetutils-ftpd agrees to REST and sends all: not more than 100 %",
	  { "TYPE I", "<200 Type set to I.", "SIZE file.bin", "<213 123456", "REST 100000",
	    "<350 Restarting at 100000. Send STORE or RETRIEVE to initiate transfer.", "RETR file.bin",
	    "<150 Opening BINARY mode data connection for 'file.bin' (123456 bytes)." },
	  23457,
	  UNKNOWN },
	{ "pyftpdlib",
	  { "TYPE I", "<200 Type set to: Binary.", "SIZE file.bin", "<213 123456", "RETR file.bin",
	    "<150 File status okay. About to open data connection." },
	  0,
	  123456 },
	{ "pyftpdlib without SIZE",
	  { "TYPE I", "<200 Type set to: Binary.", "RETR file.bin",
	    "<125 Data connection already open. Transfer starting." },
	  0,
	  UNKNOWN },
	{ "Twisted knows no REST",
	  { "TYPE I", "<200 Type set to I.", "SIZE file.bin", "<213 123456", "REST 100000",
	    "<502 Command 'REST' not implemented", "RETR file.bin",
	    "<125 Data connection already open, starting transfer" },
	  0,
	  123456 },
	{ "aioftp knows no SIZE",
	  { "TYPE I", "<200 ", "SIZE file.bin", "<502 'size' not implemented", "RETR file.bin",
	    "<150 data transfer started" },
	  0,
	  UNKNOWN },
	{ "ftp-srv",
	  { "type i", "<200 Switch to \"binary\" transfer mode.", "size file.bin", "<213 123456",
	    "retr file.bin", "<150 File status okay; about to open data connection" },
	  123456,
	  123456 },
	{ "z/OS",
	  { "TYPE I", "<200 Representation type is Image", "RETR 'HLQ.DATA'",
	    "<125 Sending data set HLQ.DATA" },
	  0,
	  UNKNOWN },

	{ "Serv-U spells Bytes",
	  { "TYPE I", "<200 Type set to I.", "RETR a.zip",
	    "<150 Opening BINARY mode data connection for a.zip (70 Bytes)." },
	  0,
	  70 },
	{ "ProFTPD's MLST",
	  { "TYPE I", "<200 Type set to I", "MLST file.bin", "<250-Start of list for file.bin",
	    "< modify=20260101000000;perm=adfrw;size=123456;type=file;UNIX.mode=0644; /file.bin",
	    "<250 End of list", "RETR file.bin", "<150 Opening BINARY mode data connection for file.bin" },
	  0,
	  123456 },
	{ "MLST in capitals, and REST",
	  { "TYPE I", "<200 ok", "MLST a", "<250-Listing a", "< Type=file;Size=100; a", "<250 End", "REST 40",
	    "<350 ok", "RETR a", "<150 ok" },
	  0,
	  60 },
	{ "MLST of another name, after SIZE",
	  { "TYPE I", "<200 ok", "SIZE a", "<213 5", "MLST b", "<250-Listing b", "< size=7; b", "<250 End",
	    "RETR a", "<150 ok" },
	  0,
	  UNKNOWN },
	{ "MLST without a size, after SIZE",
	  { "TYPE I", "<200 ok", "SIZE a", "<213 5", "MLST a", "<250-Listing a", "< type=file; a", "<250 End",
	    "RETR a", "<150 ok" },
	  0,
	  5 },
	{ "a name with facts in it",
	  { "TYPE I", "<200 ok", "MLST a", "<250-Listing a", "< type=file; size=7;", "<250 End", "RETR a",
	    "<150 ok" },
	  0,
	  UNKNOWN },
	{ "part of a fact's name, and no number",
	  { "TYPE I", "<200 ok", "MLST a", "<250-Listing a", "< x.size=7;size=;", "<250 End", "RETR a",
	    "<150 ok" },
	  0,
	  UNKNOWN },
	{ "a list that is not MLST's",
	  { "TYPE I", "<200 ok", "STAT a", "<250-size=7;", "< size=7; a", "<250 End", "RETR a", "<150 ok" },
	  0,
	  UNKNOWN },
	{ "SIZE of another name",
	  { "TYPE I", "<200 ok", "SIZE a", "<213 5", "RETR b", "<150 ok" },
	  0,
	  UNKNOWN },
	{ "SIZE in another folder",
	  { "TYPE I", "<200 ok", "SIZE a", "<213 5", "CWD d", "<250 ok", "RETR a", "<150 ok" },
	  0,
	  UNKNOWN },
	{ "SIZE before another type",
	  { "TYPE I", "<200 ok", "SIZE a", "<213 5", "TYPE A", "<200 ok", "TYPE I", "<200 ok", "RETR a",
	    "<150 ok" },
	  0,
	  UNKNOWN },
	{ "SIZE of a file that has changed since",
	  { "TYPE I", "<200 ok", "SIZE a", "<213 5", "STOR a", "<226 ok", "RETR a", "<150 ok" },
	  0,
	  UNKNOWN },
	{ "what the transfer says is newer",
	  { "TYPE I", "<200 ok", "SIZE a", "<213 5", "RETR a", "<150 opening (9 bytes)" },
	  0,
	  9 },
	{ "a refused TYPE", { "TYPE I", "<504 no", "RETR a", "<150 opening (9 bytes)" }, 0, UNKNOWN },
	{ "beyond the end",
	  { "TYPE I", "<200 ok", "SIZE a", "<213 5", "REST 6", "<350 ok", "RETR a", "<150 ok" },
	  0,
	  UNKNOWN },
	{ "REST is for one transfer",
	  { "TYPE I", "<200 ok", "SIZE a", "<213 5", "REST 2", "<350 ok", "RETR a", "<150 ok", "RETR a",
	    "<150 ok (5 bytes)" },
	  5,
	  5 },
	{ "a list says nothing",
	  { "TYPE I", "<200 ok", "LIST", "<150 Opening connection for /bin/ls (5 bytes)" },
	  0,
	  UNKNOWN },
	{ "the one before does not count",
	  { "TYPE I", "<200 ok", "RETR a", "<150 ok (5 bytes)", "<226 ok", "RETR b", "<150 ok" },
	  0,
	  UNKNOWN },
	{ "NOOP during a transfer",
	  { "TYPE I", "<200 ok", "RETR a", "NOOP", "<150 ok (5 bytes)", "<200 ok" },
	  0,
	  5 },
	{ "not a number",
	  { "TYPE I", "<200 ok", "SIZE a", "<213 5 bytes", "RETR a", "<150 ok" },
	  0,
	  UNKNOWN },
	{ "too large a number",
	  { "TYPE I", "<200 ok", "SIZE a", "<213 99999999999999999999", "RETR a",
	    "<150 ok (99999999999999999999 bytes)" },
	  0,
	  UNKNOWN },
	{ "the largest number",
	  { "TYPE I", "<200 ok", "RETR a", "<150 ok (9223372036854775807 bytes)" },
	  0,
	  INT64_MAX },
	{ "negative", { "TYPE I", "<200 ok", "RETR a", "<150 ok (-5 bytes)" }, 0, UNKNOWN },
	{ "an empty file", { "TYPE I", "<200 ok", "RETR a", "<150 ok (0 bytes)" }, 0, 0 },
	{ "cut off", { "TYPE I", "<200 ok", "RETR a", "<150 ok (5 byt" }, 0, UNKNOWN },
	{ "too many kbytes",
	  { "TYPE I", "<200 ok", "RETR a", "<150 1844674407370955161.5 kbytes to download" },
	  0,
	  UNKNOWN },

	{ "ALLO before an upload",
	  { "TYPE I", "<200 ok", "ALLO 500 R 80", "<202 ok", "STOR a", "<150 ok" },
	  500,
	  500 },
	{ "an upload that is longer",
	  { "TYPE I", "<200 ok", "ALLO 500", "<202 ok", "STOR a", "<150 ok" },
	  501,
	  UNKNOWN },
	{ "ALLO is for one transfer",
	  { "TYPE I", "<200 ok", "ALLO 500", "<202 ok", "STOR a", "<226 ok", "STOR b", "<150 ok" },
	  0,
	  UNKNOWN },
	{ "ALLO 0", { "TYPE I", "<200 ok", "ALLO 0", "<202 ok", "STOR a", "<150 ok" }, 0, UNKNOWN },
	{ "an upload whose reply has a number",
	  { "TYPE I", "<200 ok", "STOR a", "<150 ok (5 bytes)" },
	  0,
	  UNKNOWN },
	{ "what MODE Z sends is not what SIZE counts",
	  { "TYPE I", "<200 ok", "MODE Z", "<200 ok", "SIZE a", "<213 5", "RETR a", "<150 ok" },
	  0,
	  UNKNOWN },
	{ "the server refuses MODE Z",
	  { "TYPE I", "<200 ok", "MODE Z", "<504 no", "SIZE a", "<213 5", "RETR a", "<150 ok" },
	  0,
	  5 },
	{ "back in MODE S",
	  { "TYPE I", "<200 ok", "MODE Z", "<200 ok", "MODE s", "<200 ok", "SIZE a", "<213 5", "RETR a",
	    "<150 ok" },
	  0,
	  5 },
	{ "records have marks of their own",
	  { "TYPE I", "<200 ok", "STRU R", "<200 ok", "SIZE a", "<213 5", "RETR a", "<150 ok" },
	  0,
	  UNKNOWN },
	{ "another user",
	  { "TYPE I", "<200 ok", "SIZE a", "<213 5", "USER b", "<331 ok", "RETR a", "<150 ok" },
	  0,
	  UNKNOWN },
};

/* A line of the server's goes through the parser, which knows its place in the reply. */
static void take_line(struct ftp_progress *progress, struct ftp_reply_parser *parser, const char *line)
{
	char window[256];
	int len = snprintf(window, sizeof(window), "%s\r\n", line);
	struct ftp_reply reply;

	assert_in_range(len, 1, sizeof(window) - 1);
	assert_int_not_equal(ftp_reply_take(parser, (uint8_t *)window, (size_t)len, &reply), FTP_REPLY_MORE);
	ftp_progress_reply(progress, &reply);
}

static void dialogues(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct ftp_progress progress = { .known = false };
		struct ftp_representation representation = { .asked = FTP_PARAMETER_NONE };
		struct ftp_reply_parser parser = { .code = 0 };
		uint64_t total = UNKNOWN;

		for (size_t n = 0; n < LINES && rows[i].lines[n] != NULL; n++) {
			const char *line = rows[i].lines[n];
			struct ftp_command command = ftp_command_parse(line, strlen(line));

			if (line[0] != '<') {
				ftp_representation_ask(&representation, &command);
				ftp_progress_command(&progress, &command,
						     ftp_representation_is_exact(&representation));
				continue;
			}
			take_line(&progress, &parser, line + 1);
			if (line[1] == '2') /* these dialogues have no other reply to a parameter */
				ftp_representation_agree(&representation);
		}
		(void)ftp_progress_total(&progress, rows[i].moved, &total);
		if (total != rows[i].want)
			fail_msg("%s: %llu", rows[i].name, (unsigned long long)total);
	}
}

static void secrets(void **state)
{
	static const struct {
		const char *line, *want;
	} lines[] = {
		{ "PASS geheim", "PASS" },
		{ "pass geheim", "pass" },
		{ "PASS", "PASS" },
		{ "ACCT geheim", "ACCT" },
		{ "ADAT Z2VoZWlt", "ADAT" },
		{ "PAS geheim", "" }, /* what is no command may be a password itself */
		{ "PASSWORD geheim", "" },
		{ "geheim", "" },
		{ "AUTH TLS", NULL },
		{ "AUTH geheim", "AUTH" },
		{ "GET /?token=geheim", "GET" },
		{ "ENC Z2VoZWlt", "ENC" },
		{ "SITE  PSWD geheim neu", "SITE  PSWD" },
		{ "SITE PSWD\tgeheim", "SITE PSWD" },
		{ "SITE \tPSWD=geheim", "SITE \tPSWD" },
		{ "SITE PASS:geheim", "SITE PASS" },
		{ "SITE PSWD geheim neu", "SITE PSWD" },
		{ "SITE CHMOD 644 x", NULL },
		{ "RETR file name", NULL },
		{ "USER anna", NULL },
		{ "MIC Z2VoZWlt", "MIC" },
		{ "", NULL },
		{ "  geheim", "" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(lines); i++) {
		const struct ftp_command command = ftp_command_parse(lines[i].line, strlen(lines[i].line));
		const char *want = lines[i].want != NULL ? lines[i].want : lines[i].line;
		size_t shown = ftp_command_shown(&command);

		if (shown != strlen(want) || memcmp(lines[i].line, want, shown) != 0)
			fail_msg("%s: %zu", lines[i].line, shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialogues),
		cmocka_unit_test(secrets),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
