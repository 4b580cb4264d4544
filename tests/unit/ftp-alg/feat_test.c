#include "ftp-alg/feat.h"

#include "tests/unit/unit.h"

static const struct {
	const char *name;
	const char *line;
	size_t len;
	bool want;
} cases[] = {
	{ "AUTH", BYTES(" AUTH TLS"), false },
	{ "ADAT", BYTES(" ADAT"), false },
	{ "PBSZ", BYTES(" PBSZ"), false },
	{ "PROT", BYTES(" PROT"), false },
	{ "CCC", BYTES(" CCC"), false },
	{ "MIC", BYTES(" MIC"), false },
	{ "CONF", BYTES(" CONF"), false },
	{ "ENC", BYTES(" ENC"), false },
	{ "SSCN", BYTES(" SSCN"), false },
	{ "CPSV", BYTES(" CPSV"), false },
	{ "EPSV", BYTES(" EPSV"), false },
	{ "EPRT", BYTES(" EPRT"), false },
	{ "LPSV", BYTES(" LPSV"), false },
	{ "LPRT", BYTES(" LPRT"), false },
	{ "ESTA", BYTES(" ESTA"), false },
	{ "ESTP", BYTES(" ESTP"), false },
	{ "SPAS", BYTES(" SPAS"), false },
	{ "SPOR", BYTES(" SPOR"), false },
	{ "GETPUT", BYTES(" GETPUT"), false },
	{ "PARALLEL", BYTES(" PARALLEL"), false },
	{ "MODE E", BYTES(" MODE E"), false },
	{ "code first", BYTES("211-AUTH TLS"), false },
	{ "code and blank", BYTES("211- PROT"), false },
	{ "blank and code", BYTES(" 211-EPSV"), false },
	{ "code and tab", BYTES("211-\tPBSZ"), false },
	{ "tab", BYTES("\tAUTH TLS"), false },
	{ "no blank", BYTES("AUTH TLS"), false },
	{ "blanks and a tab", BYTES(" \t AUTH TLS"), false },
	{ "lower case", BYTES(" auth tls"), false },
	{ "mixed case", BYTES(" pRoT"), false },
	{ "list of parameters", BYTES(" AUTH SSL;TLS-P;"), false },
	{ "parameters without a blank", BYTES(" PROT;C;P"), false },
	{ "trailing blank", BYTES(" CCC "), false },
	{ "NUL after the word", BYTES(" CCC\0x"), false },

	{ "nothing", BYTES(""), true },
	{ "code alone", BYTES("211-"), true },
	{ "another code", BYTES("212-AUTH"), true },
	{ "code and SIZE", BYTES("211-SIZE"), true },
	{ "MODE Z", BYTES(" MODE Z"), true },
	{ "MODE b", BYTES(" mode  b"), true },
	{ "MODE C", BYTES(" MODE C"), true },
	{ "MODE s", BYTES(" MODE s"), true },
	{ "MODE", BYTES(" MODE"), true },
	{ "THMB", BYTES(" THMB BMP|JPEG|GIF|TIFF|PNG max_width max_height pathname"), true },
	{ "blank", BYTES(" "), true },
	{ "UTF8", BYTES(" UTF8"), true },
	{ "MLST", BYTES(" MLST type*;size*;modify*;"), true },
	{ "REST STREAM", BYTES(" REST STREAM"), true },
	{ "longer word", BYTES(" CCCP"), true },
	{ "word with a digit", BYTES(" ENC2"), true },
	{ "cut short", BYTES(" AUT"), true },
	{ "as a parameter", BYTES(" OPTS AUTH"), true },
	{ "bytes from 0x80", BYTES(" \xc1UTH"), true },
	{ "dotless i is no I",
	  BYTES(" M\xc4\xb1"
		"C"),
	  true },
};

static void test_keep(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		uint8_t *line = bytes_copy(cases[i].line, cases[i].len);

		if (ftp_feat_keep((const char *)line, cases[i].len) != cases[i].want)
			fail_msg("%s: keep is not %d", cases[i].name, cases[i].want);
		free(line);
	}
}

static void test_lines(void **state)
{
	static const struct {
		const char *name;
		unsigned features;
		const char *want[9];
	} rows[] = {
		{ "none", 0, { NULL } },
		{ "one", FTP_FEAT_CCC, { " CCC", NULL } },
		{ "TLS only",
		  FTP_FEAT_AUTH | FTP_FEAT_PBSZ | FTP_FEAT_PROT,
		  { " AUTH TLS", " PBSZ", " PROT", NULL } },
		{ "Kerberos only",
		  FTP_FEAT_AUTH_GSSAPI | FTP_FEAT_PBSZ | FTP_FEAT_PROT,
		  { " AUTH GSSAPI", " PBSZ", " PROT", NULL } },
		{ "addresses only", FTP_FEAT_EPRT | FTP_FEAT_EPSV, { " EPSV", " EPRT", NULL } },
		{ "all, and unknown bits",
		  ~0u,
		  { " AUTH TLS", " AUTH GSSAPI", " PBSZ", " PROT", " CCC", " EPSV", " EPRT", " HOST",
		    NULL } },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		size_t n = 0;

		for (; rows[i].want[n] != NULL; n++) {
			const char *line = ftp_feat_line(rows[i].features, n);

			if (line == NULL || strcmp(line, rows[i].want[n]) != 0)
				fail_msg("%s: line %zu is \"%s\"", rows[i].name, n, line);
			/* What the gateway announces, it takes out of the server's list; HOST only if it
			 * answers it. */
			assert_int_equal(ftp_feat_keep(line, strlen(line)), strcmp(line, " HOST") == 0);
		}
		assert_null(ftp_feat_line(rows[i].features, n));
		assert_null(ftp_feat_line(rows[i].features, n + 1));
		assert_null(ftp_feat_line(rows[i].features, SIZE_MAX));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
