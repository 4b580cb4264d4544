/*
 * FTP.DATA: every statement of the table is accounted for, what values become, messages
 * about faults, and the forms that a data set may have.
 */
#include "tests/unit/import-text.h"

#include <errno.h>
#include <iconv.h>

#include "gateway/import/ftp-data-table.h"
#include "gateway/import/export.h"

#define CHECK_MAX 6

struct policy_case {
	const char *name;
	const char *text;
	const char *want[CHECK_MAX];
};

static const struct policy_case policies[] = {
	{ "all of the first pages",
	  "EXTENSIONS      AUTH_TLS\nTLSMECHANISM    FTP  ; or ATTLS\nSECURE_FTP      ALLOWED\n"
	  "SECURE_LOGIN    REQUIRED\nSECURE_PASSWORD REQUIRED\n;SECURE_PASSWORD_KERBEROS REQUIRED\n"
	  "SECURE_CTRLCONN CLEAR\nSECURE_DATACONN CLEAR\nCIPHERSUITE SSL_AES_128_SHA ; 2F\n"
	  "CIPHERSUITE SSL_DES_SHA ; 09\nKEYRING TLSRING\nTLSTIMEOUT 100\nTLSRFCLEVEL RFC4217\n",
	  { "secure_login: required", "ciphers: [AES128-SHA]", "TLS_RSA_WITH_DES_CBC_SHA",
	    "session_timeout: 100s", "keyring: TLSRING", "handshake_role: server_with_client_auth" } },
	{ "the defaults of z/OS, with a question",
	  "EXTENSIONS AUTH_TLS\n",
	  { "secure_ftp: allowed", "secure_ctrlconn: clear", "secure_dataconn: clear", "ftpkeepalive: 0",
	    "secureimplicitzos: true", "tlsrfclevel: draft" } },
	{ "no TLS in the file",
	  "INACTIVE 60\n",
	  { "FTP.DATA does not have EXTENSIONS AUTH_TLS", "inactive: 60s" } },
	{ "a login without TLS is exempt on z/OS",
	  "EXTENSIONS AUTH_TLS\nSECURE_FTP ALLOWED\nSECURE_DATACONN PRIVATE\n",
	  { "data_policy_scope: protected", "May such" } },
	{ "a value on the next line, any case, and a repeated statement",
	  "extensions auth_tls\nsecure_ftp\n  required ; here\nSECURE_FTP ALLOWED\nINACTIVE 0\n",
	  { "secure_ftp: allowed", "line 4 has it again", "inactive: 0s" } },
	{ "ports with blanks", "PASSIVEDATAPORTS ( 50000 , 50100 )\n", { "passivedataports: 50000-50100" } },
	{ "certificates of users",
	  "EXTENSIONS AUTH_TLS\nSECURE_LOGIN VERIFY_USER\nSECURE_PASSWORD OPTIONAL\nVERIFYUSER TRUE\n",
	  { "secure_login: verify_user", "EXAMPLE:", "secure_password: required", "verifyuser: true" } },
	{ "the server's own time to end a transfer",
	  "EXTENSIONS AUTH_TLS\nDCONNTIME 60\n",
	  { "dconntime: 60s", "!the server does not use it" } },
	{ "active data connections from port 20",
	  "EXTENSIONS AUTH_TLS\nTLSPORT 990\n",
	  { "data_port: lower", "from the port below its own" } },
	{ "two listeners side by side leave no port for them",
	  "EXTENSIONS AUTH_TLS\nTLSPORT 22\n",
	  { "!data_port" } },
	{ "a listener among the passive ports",
	  "EXTENSIONS AUTH_TLS\nTLSPORT 50010\nPASSIVEDATAPORTS (50000,50100)\n",
	  { "passivedataports: 50011-50100", "only a part of them is left", "data_port: lower" } },
	{ "no passive port is left",
	  "EXTENSIONS AUTH_TLS\nTLSPORT 50000\nPASSIVEDATAPORTS (50000,50000)\n",
	  { "passivedataports: 50001-65535", "data_port: lower" } },
	{ "a client that must resume what it does not protect",
	  "SECURE_MECHANISM TLS\nSECURE_DATACONN NEVER\nSECURE_SESSION_REUSE REQUIRED\n",
	  { "secure_session_reuse: allowed", "so no data connection has a session" } },
	{ "a client's session that does not last",
	  "SECURE_MECHANISM TLS\nKEYRING R\nTLSTIMEOUT 0\nSECURE_SESSION_REUSE REQUIRED\n",
	  { "secure_session_reuse: required", "session_timeout: 3600s", "how long?" } },
	{ "passive ports do not leave it either",
	  "EXTENSIONS AUTH_TLS\nTLSPORT 50101\nPASSIVEDATAPORTS (50000,50100)\n",
	  { "!data_port" } },
	{ "an implicit port",
	  "EXTENSIONS AUTH_TLS\nTLSPORT 9990\n",
	  { "port9990:", "tls: implicit", "z/OS serves TLSPORT only" } },
	{ "no implicit port",
	  "EXTENSIONS AUTH_TLS\nTLSPORT 0\n",
	  { "no listener has implicit TLS", "!tls: implicit" } },
	{ "a client",
	  "SECURE_MECHANISM TLS\nSECURE_HOSTNAME REQUIRED\nSECURE_FTP REQUIRED\nSECURE_DATACONN PRIVATE\n"
	  "FWFRIENDLY TRUE\nEPSV4 TRUE\nKEYRING *AUTH*/*\nINACTTIME 120\n",
	  { "secure_mechanism: tls", "secure_hostname: required", "data: passive", "trust: \"*AUTH*/*\"",
	    "inacttime: 120s", "tls: none" } },
	{ "a client that says little",
	  "SECURE_MECHANISM TLS\n",
	  { "FTP.DATA has no SECURE_DATACONN", "secure_dataconn: private", "z/OS uses PORT",
	    "!secureimplicitzos", "data: auto" } },
	{ "a client in active mode",
	  "SECURE_MECHANISM TLS\nFWFRIENDLY FALSE\nEPSV4 FALSE\nPASSIVEIGNOREADDR FALSE\n",
	  { "data: active", "epsv: never", "a server over IPv6 needs auto",
	    "PASSIVEIGNOREADDR FALSE - differs" } },
	{ "EPSV first, else PORT",
	  "SECURE_MECHANISM TLS\nFWFRIENDLY FALSE\nEPSV4 TRUE\nPASSIVEIGNOREADDR TRUE\n",
	  { "data: auto", "epsv: auto", "FWFRIENDLY FALSE - differs", "!PASSIVEIGNOREADDR TRUE -" } },
	{ "what TLS of a client becomes",
	  "SECURE_MECHANISM TLS\nSSLV3 TRUE\nTLSPORT 990\nEXTENSIONS UTF8\nTLSMECHANISM ATTLS\n",
	  { "SSLV3 TRUE - needs a decision", "the server's port is another",
	    "attlsd passes on what its clients send", "attlsd does TLS toward the server" } },
	{ "retries, and how often clients hear of them",
	  "EXTENSIONS AUTH_TLS\nDSWAITTIME 5\n",
	  { "dswaittimereply: 60s", "DSWAITTIMEREPLY 60" } },
	{ "no retries", "EXTENSIONS AUTH_TLS\nDSWAITTIME 0\n", { "!dswaittimereply" } },
	{ "statements that the manual lacks",
	  "EXTENSIONS AUTH_TLS\nDATATIMEOUT 90\nSECURE_MECHANISM TLS\nPASSIVEONLY TRUE\n",
	  { "datatimeout: 90s", "data: passive", "does not describe this statement" } },
	{ "statements about the client's user, in the server's file",
	  "EXTENSIONS AUTH_TLS\nSECURE_LOGIN NO_CLIENT_AUTH\nCHKPTFLUSH TRUE\nJESTRAILINGBLANKS TRUE\n"
	  "READTAPEFORMAT S\n",
	  { "CHKPTFLUSH TRUE", "it is for the person", "it is about jobs",
	    "READTAPEFORMAT S - without meaning", "!Which server do these clients reach" } },
	{ "only such statements",
	  "CHKPTFLUSH TRUE\nSECURE_DATACONN PRIVATE\n",
	  { "Which server do these clients reach", "tls: none" } },
	{ "Kerberos",
	  "EXTENSIONS AUTH_GSSAPI\nEXTENSIONS AUTH_TLS\nSECURE_PBSZ 512\nSECURE_PASSWORD_KERBEROS REQUIRED\n",
	  { "extensions: [auth_tls, auth_gssapi]", "keytab: /etc/attlsd/krb5.keytab", "secure_pbsz: 512",
	    "secure_password_kerberos: required", "put those of ftp/HOST" } },
	{ "Kerberos alone, and no passwords",
	  "EXTENSIONS AUTH_GSSAPI\nSECURE_PASSWORD_KERBEROS OPTIONAL\n",
	  { "extensions: [auth_gssapi]", "secure_password_kerberos: required",
	    "a client with a ticket needs no password" } },
	{ "statements about Kerberos, without it",
	  "EXTENSIONS AUTH_TLS\nSECURE_PBSZ 512\nSECURE_PASSWORD_KERBEROS OPTIONAL\n",
	  { "!secure_pbsz", "!secure_password_kerberos", "only with EXTENSIONS AUTH_GSSAPI" } },
	{ "Kerberos toward a server",
	  "SECURE_MECHANISM GSSAPI\nSECURE_PBSZ 512\n",
	  { "does not use Kerberos toward servers", "secure_mechanism: tls", "not Kerberos" } },
	{ "a time beyond attlsd's range",
	  "SECURE_MECHANISM TLS\nCCONNTIME 86400\nINACTTIME 0\n",
	  { "cconntime: 300s", "attlsd always has a limit, at most 300s", "inacttime: 86400s" } },
	{ "an unknown statement",
	  "EXTENSIONS AUTH_TLS\nFROBNICATE YES\n",
	  { "FROBNICATE YES - needs a decision" } },
	{ "a password does not appear",
	  "EXTENSIONS AUTH_TLS\nANONYMOUS USER1/SECRET\n",
	  { "ANONYMOUS (not shown)", "!SECRET" } },
	{ "old names",
	  "ACCESSERRORMSG TRUE\nFTPLOGGING TRUE\n",
	  { "accesserrormsgs: true", "ftplogging: truenodns" } },
};

static void test_policies(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(policies); i++) {
		struct imported in;

		import_texts(&in, policies[i].text, NULL);
		for (size_t j = 0; j < CHECK_MAX && policies[i].want[j] != NULL; j++)
			imported_has(&in, policies[i].name, policies[i].want[j]);
		imported_done(&in);
	}
}

/* A value that each row accepts. */
static const char *some_value(const struct ftp_data_row *row, char buf[static 64])
{
	if (row->words != NULL) {
		(void)snprintf(buf, 64, "%.*s", (int)strcspn(row->words, " "), row->words);
		return buf;
	}
	if (row->kind == FTP_DATA_PORTS)
		return "(50000,50100)";
	if (row->max > 0) {
		(void)snprintf(buf, 64, "%u", row->max);
		return buf;
	}
	return strcmp(row->statement, "CIPHERSUITE") == 0 ? "SSL_AES_256_SHA" : "AUTH_TLS";
}

/* Each statement alone, and all together: each has a fate, and its line is named in the policy. */
static void test_every_statement_is_accounted_for(void **state)
{
	char *all = NULL;
	size_t len;
	FILE *out = open_memstream(&all, &len);
	const struct ftp_data_row *row;
	struct imported in;
	char buf[64];

	(void)state;
	for (size_t i = 0; (row = ftp_data_row_at(i)) != NULL; i++) {
		char line[128];

		assert_true(row->kind != FTP_DATA_NOTHING || (row->text != NULL && row->text[0] != '\0'));
		assert_true(i == 0 || strcmp(ftp_data_row_at(i - 1)->statement, row->statement) < 0);
		(void)snprintf(line, sizeof(line), "%s %s\n", row->statement, some_value(row, buf));
		(void)fputs(line, out);
		import_texts(&in, line, NULL);
		imported_has(&in, row->statement, "ftp.data:1: ");
		imported_done(&in);
	}
	assert_true(ftp_data_row_count() > 160);
	assert_int_equal(fclose(out), 0);
	import_texts(&in, all, NULL);
	for (size_t i = 0; i < ftp_data_row_count(); i++) {
		(void)snprintf(buf, sizeof(buf), "ftp.data:%zu: ", i + 1);
		imported_has(&in, ftp_data_row_at(i)->statement, buf);
	}
	imported_done(&in);
	free(all);
}

static const struct {
	const char *name, *text, *want;
} faults[] = {
	{ "a wrong word", "SECURE_FTP REQIRED\n",
	  "ftp.data:1:12: \"REQIRED\" is not a value of SECURE_FTP: expected one of ALLOWED REQUIRED; did you mean REQUIRED?\n"
	  "    SECURE_FTP REQIRED\n               ^\n" },
	{ "no value", "; c\n  INACTIVE ; 3\n",
	  "ftp.data:2:3: INACTIVE needs a value\n      INACTIVE ; 3\n      ^\n" },
	{ "no number", "INACTIVE soon\n", "ftp.data:1:10: INACTIVE needs a number from 0 to 86400\n" },
	{ "less than z/OS takes", "FTPKEEPALIVE 30\n",
	  "ftp.data:1:14: FTPKEEPALIVE needs a number from 60 to 86400, or 0\n" },
	{ "less than z/OS takes, without 0", "DSWAITTIMEREPLY 0\n",
	  "ftp.data:1:17: DSWAITTIMEREPLY needs a number from 15 to 60\n" },
	{ "too large", "TLSPORT 65536\n", "ftp.data:1:9: TLSPORT needs a number from 0 to 65535\n" },
	{ "half a range", "PASSIVEDATAPORTS (50000\n",
	  "ftp.data:1:18: PASSIVEDATAPORTS needs two ports from 1024 to 65535, such as (50000,50100)\n" },
	{ "low ports", "PASSIVEDATAPORTS (20,30)\n", "such as (50000,50100)\n" },
	{ "several at once", "SECURE_FTP no\nSECURE_LOGIN no\n",
	  "ftp.data:2:14: \"no\" is not a value of SECURE_LOGIN" },
	{ "not text", "SECURE_FTP \x01\n",
	  "ftp.data:1:12: this is not text: expected UTF-8, ASCII or EBCDIC (IBM-1047)\n" },
};

static void test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(faults); i++) {
		struct imported in;

		import_texts(&in, faults[i].text, NULL);
		if (in.result == 0 || strstr(in.messages, faults[i].want) == NULL)
			fail_msg("%s: wanted %s in:\n%s", faults[i].name, faults[i].want, in.messages);
		imported_done(&in);
	}
}

static void test_a_warning_is_no_fault(void **state)
{
	struct imported in;

	(void)state;
	import_texts(&in, "SECURE_FTPP ALLOWED\n", NULL);
	assert_int_equal(in.result, 0);
	assert_non_null(
	    strstr(in.messages, "warning: unknown statement SECURE_FTPP; did you mean SECURE_FTP?"));
	imported_done(&in);
}

/* As records of 80 characters in EBCDIC, with sequence numbers and without line ends. */
static size_t make_records(const char *const *lines, size_t n, bool numbers, char *buf)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		int written = snprintf(buf + len, 81, "%-72s", lines[i]);

		assert_int_equal(written, 72);
		(void)snprintf(buf + len + 72, 9, numbers ? "%08zu" : "        ", (i + 1) * 10000);
		len += 80;
	}
	return len;
}

static size_t to_ebcdic(char *text, size_t len, char *buf, size_t room)
{
	iconv_t how = iconv_open("IBM1047", "UTF-8");
	char *to = buf;
	size_t left = room;

	assert_true(how != (iconv_t)-1);
	assert_int_equal(iconv(how, &text, &len, &to, &left), 0);
	assert_int_equal(iconv_close(how), 0);
	return room - left;
}

static void test_data_sets(void **state)
{
	static const char *const lines[] = { "EXTENSIONS AUTH_TLS         ; with a comment",
					     "SECURE_FTP REQUIRED", "; nothing", "INACTIVE 77" };
	char records[4 * 80 + 1], ebcdic[512];
	struct imported in;

	(void)state;
	for (int numbers = 0; numbers < 2; numbers++) {
		size_t len = make_records(lines, NELEM(lines), numbers, records);

		import_bytes(&in, records, len, NULL, 0);
		imported_has(&in, "records", "ftp.data:4: INACTIVE 77\n");
		assert_string_equal(in.sources[0].how,
				    numbers ? ", records of 80 characters, with sequence numbers"
					    : ", records of 80 characters");
		imported_done(&in);
		len = to_ebcdic(records, len, ebcdic, sizeof(ebcdic));
		import_bytes(&in, ebcdic, len, NULL, 0);
		imported_has(&in, "EBCDIC", "inactive: 77s");
		assert_int_equal(strncmp(in.sources[0].how, ", EBCDIC (IBM-1047), records", 27), 0);
		imported_done(&in);
	}
	/* z/OS UNIX: NEL, X'15', ends lines */
	import_bytes(&in, ebcdic,
		     to_ebcdic((char[]){ "SECURE_FTP REQUIRED\xc2\x85INACTIVE 5\xc2\x85" }, 33, ebcdic,
			       sizeof(ebcdic)),
		     NULL, 0);
	imported_has(&in, "NEL", "ftp.data:2: INACTIVE 5\n");
	imported_done(&in);
}

/* What an action has in the policy's words. */
struct settings {
	const char *keys[64];
	char values[64][64];
	size_t n;
};

static void keep(void *context, const char *key, const char *value, bool given)
{
	struct settings *settings = context;

	(void)given;
	settings->keys[settings->n] = key;
	(void)snprintf(settings->values[settings->n++], 64, "%s", value);
}

static const char *find(const struct settings *settings, const char *key)
{
	for (size_t i = 0; i < settings->n; i++)
		if (strcmp(settings->keys[i], key) == 0)
			return settings->values[i];
	return "(none)";
}

/* A value of a row that z/OS and attlsd both have, chosen by a number. */
static void random_value(const struct ftp_data_row *row, unsigned random, char buf[static 64])
{
	const char *word = row->words != NULL ? row->words : "";

	if (row->kind == FTP_DATA_PORTS) {
		(void)snprintf(buf, 64, "(%u,%u)", 50000 + random % 1000, 51000 + random % 1000);
	} else if (row->words == NULL) {
		(void)snprintf(buf, 64, "%u", row->min + random % (row->max - row->min + 1));
	} else {
		for (unsigned skip = random % 4; skip > 0; skip--) {
			const char *blank = strchr(word, ' ');

			word = blank != NULL ? blank + 1 : row->words;
		}
		(void)snprintf(buf, 64, "%.*s", (int)strcspn(word, " "), word);
	}
}

/* import(export(import(x))) is import(x) for every key that FTP.DATA has. */
static void test_round_trip(void **state)
{
	unsigned random = 1;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct imported first, second;
		struct settings a = { .n = 0 }, b = { .n = 0 };
		char *text = NULL, *again = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);
		const struct ftp_data_row *row;
		char value[64];

		(void)fputs("EXTENSIONS AUTH_TLS\nTLSMECHANISM ATTLS\n", out);
		if (round % 2 == 1)
			(void)fputs("EXTENSIONS AUTH_GSSAPI\n", out);
		for (size_t i = 0; (row = ftp_data_row_at(i)) != NULL; i++) {
			random = random * 1103515245 + 12345;
			if (row->server_key == NULL || row->kind == FTP_DATA_SPECIAL ||
			    (random >> 16) % 3 == 0)
				continue;
			random_value(row, random >> 8, value);
			/* these need users, or a session that lasts */
			if (strcmp(row->statement, "VERIFYUSER") != 0)
				(void)fprintf(out, "%s %s\n", row->statement, value);
		}
		assert_int_equal(fclose(out), 0);
		import_texts(&first, text, NULL);
		assert_int_equal(first.result, 0);
		policy_explain_settings(first.parsed, "ftp_actions", &first.parsed->ftp_actions[0], keep, &a);
		out = open_memstream(&again, &len);
		assert_int_equal(export_ftp_data(first.parsed, "zos", out, stderr), 0);
		assert_int_equal(fclose(out), 0);
		if ((strstr(again, "\nEXTENSIONS               AUTH_GSSAPI\n") != NULL) != (round % 2 == 1))
			fail_msg("EXTENSIONS AUTH_GSSAPI in:\n%s", again);
		import_texts(&second, again, NULL);
		assert_int_equal(second.result, 0);
		policy_explain_settings(second.parsed, "ftp_actions", &second.parsed->ftp_actions[0], keep,
					&b);
		for (size_t i = 0; (row = ftp_data_row_at(i)) != NULL; i++)
			if (row->server_key != NULL &&
			    strcmp(find(&a, row->server_key), find(&b, row->server_key)) != 0)
				fail_msg("%s: %s, then %s, of:\n%s", row->statement,
					 find(&a, row->server_key), find(&b, row->server_key), again);
		imported_done(&first);
		imported_done(&second);
		free(text);
		free(again);
	}
}

/* The same for a client: its keys of backends, and the times, which are keys of ftp_actions. */
static void test_round_trip_of_a_client(void **state)
{
	static const char *const texts[] = {
		"SECURE_MECHANISM TLS\nSECURE_DATACONN CLEAR\nSECURE_CTRLCONN CLEAR\nTLSRFCLEVEL DRAFT\n"
		"SECURE_SESSION_REUSE REQUIRED\nSECURE_HOSTNAME REQUIRED\nFWFRIENDLY FALSE\nEPSV4 FALSE\n"
		"INACTTIME 15\nDCONNTIME 16\nDATACTTIME 17\nCCONNTIME 18\nMYOPENTIME 19\n"
		"FTPKEEPALIVE 0\nDATAKEEPALIVE 61\n",
		"SECURE_MECHANISM SSL\nSECURE_DATACONN SAFE\nFWFRIENDLY TRUE\nEPSV4 TRUE\n"
		"SECURE_HOSTNAME OPTIONAL\nINACTTIME 900\n",
	};
	static const char *const sections[] = { "backends", "ftp_actions" };

	(void)state;
	for (size_t i = 0; i < NELEM(texts); i++) {
		struct imported first, second;
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		import_texts(&first, texts[i], NULL);
		assert_int_equal(first.result, 0);
		assert_int_equal(export_ftp_data(first.parsed, "partner", out, stderr), 0);
		assert_int_equal(fclose(out), 0);
		import_texts(&second, text, NULL);
		assert_int_equal(second.result, 0);
		for (size_t j = 0; j < NELEM(sections); j++) {
			const void *objects[][2] = {
				{ first.parsed->backends, second.parsed->backends },
				{ first.parsed->ftp_actions, second.parsed->ftp_actions },
			};
			struct settings a = { .n = 0 }, b = { .n = 0 };

			policy_explain_settings(first.parsed, sections[j], objects[j][0], keep, &a);
			policy_explain_settings(second.parsed, sections[j], objects[j][1], keep, &b);
			for (size_t k = 0; k < a.n; k++)
				if (strcmp(a.values[k], find(&b, a.keys[k])) != 0)
					fail_msg("%s: %s, then %s, of:\n%s", a.keys[k], a.values[k],
						 find(&b, a.keys[k]), text);
		}
		imported_done(&first);
		imported_done(&second);
		free(text);
	}
}

/* No statement twice, and no word about a missing statement where only the value is missing. */
static void test_export_says_each_thing_once(void **state)
{
	static const char policy_text[] =
	    "version: 1\nkeyrings: { k: { certificates: [ { chain: a, key: b } ] } }\n"
	    "tls_actions: { one: { keyring: k } }\nftp_actions: { standard: { dswaittimereply: 3600s } }\n"
	    "backends: { b: { address: 127.0.0.1:2021 } }\nlisteners: { a: { address: 127.0.0.1:21 } }\n"
	    "rules: { r: { tls: one, ftp: standard, backend: b } }\n";
	struct policy *policy = NULL;
	struct diags diags;
	char *got = NULL;
	size_t len;
	FILE *out = open_memstream(&got, &len);

	(void)state;
	assert_int_equal(diags_init(&diags, "policy.yaml", policy_text, strlen(policy_text)), 0);
	assert_int_equal(policy_parse(policy_text, strlen(policy_text), "", &diags, &policy), 0);
	assert_int_equal(export_ftp_data(policy, "standard", out, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(got, "; dswaittimereply: 3600s is no value of z/OS\n"));
	for (const char *line = got; *line != '\0'; line = strchr(line, '\n') + 1) {
		char statement[32];

		if (*line == ';')
			continue;
		(void)snprintf(statement, sizeof(statement), "\n%.*s ", (int)strcspn(line, " "), line);
		if (strstr(line, statement) != NULL)
			fail_msg("%s twice in:\n%s", statement + 1, got);
	}
	policy_free(&policy);
	diags_done(&diags);
	free(got);
}

/* One FTP.DATA has one TLSPORT: an action with two of them is refused, and one with a port twice is not. */
static void test_tlsport(void **state)
{
	static const char head[] =
	    "version: 1\nkeyrings: { k: { certificates: [ { chain: a, key: b } ] } }\n"
	    "tls_actions: { one: { keyring: k }, two: { keyring: k, session_timeout: 60s } }\n"
	    "ftp_actions: { standard: {} }\nbackends: { b: { address: 127.0.0.1:2021 } }\n";
	static const struct {
		const char *rest;
		int want;
		const char *text[3];
	} cases[] = {
		{ "listeners: { a: { address: 127.0.0.1:990, tls: implicit },\n"
		  "             b: { address: 127.0.0.2:990, tls: implicit } }\n"
		  "rules: { r: { tls: one, ftp: standard, backend: b } }\n",
		  0,
		  { "TLSPORT                  990\n", "tls_actions.one" } },
		{ "listeners: { a: { address: 127.0.0.1:990, tls: implicit },\n"
		  "             b: { address: 127.0.0.1:9990, tls: implicit } }\n"
		  "rules: { r: { tls: one, ftp: standard, backend: b } }\n",
		  -ENOTUNIQ,
		  { "clients of listeners a and b get ftp_actions standard", "ports 990 and 9990" } },
		{ "listeners: { a: { address: 127.0.0.1:21 }, b: { address: 127.0.0.1:9990, tls: auto } }\n"
		  "rules: { r: { match: { listener: a }, tls: one, ftp: standard, backend: b },\n"
		  "         s: { tls: two, ftp: standard, backend: b } }\n",
		  0,
		  { "TLSPORT                  0\n; listeners.b has tls: auto", "tls_actions.one",
		    "tls_actions.two" } },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		char text[1024], *got = NULL;
		struct policy *policy = NULL;
		struct diags diags;
		size_t len;
		FILE *out = open_memstream(&got, &len);

		(void)snprintf(text, sizeof(text), "%s%s", head, cases[i].rest);
		assert_int_equal(diags_init(&diags, "policy.yaml", text, strlen(text)), 0);
		assert_int_equal(policy_parse(text, strlen(text), "", &diags, &policy), 0);
		assert_int_equal(export_ftp_data(policy, "standard", out, out), cases[i].want);
		assert_int_equal(fclose(out), 0);
		for (size_t j = 0; j < NELEM(cases[i].text) && cases[i].text[j] != NULL; j++)
			if (strstr(got, cases[i].text[j]) == NULL)
				fail_msg("wanted %s in:\n%s", cases[i].text[j], got);
		policy_free(&policy);
		diags_done(&diags);
		free(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_every_statement_is_accounted_for),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_a_warning_is_no_fault),
		cmocka_unit_test(test_data_sets),
		cmocka_unit_test(test_tlsport),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_of_a_client),
		cmocka_unit_test(test_export_says_each_thing_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
