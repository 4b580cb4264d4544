#include "ftp-alg/local-reply.h"

#include <stdio.h>

#include "ftp-alg/reply.h"

#include "tests/unit/unit.h"

/* with its CRLF and a NUL it fits into a line buffer */
#define TEXT_MAX (FTP_LOCAL_LINE_MAX - 3)

static const char *const names[FTP_LOCAL_COUNT] = {
#define REPLY(id, rfc, zos, key) [FTP_LOCAL_##id] = #id,
#include "ftp-alg/local-reply.def"
#undef REPLY
};

/* The names of positive answers, by which the rest are refusals. */
static bool is_positive_name(const char *name)
{
	return strncmp(name, "OK_", 3) == 0 || strcmp(name, "GOODBYE") == 0 || strcmp(name, "ABORTED") == 0;
}

/* Exactly one whole reply, in the form of RFC 959 4.2, and nothing after it. Returns its code. */
static uint16_t reply_code(const char *name, const char *text)
{
	char wire[TEXT_MAX + 3];
	size_t len = (size_t)snprintf(wire, sizeof(wire), "%s\r\n", text);
	struct ftp_reply_parser parser = { 0 };
	enum ftp_reply_status status = FTP_REPLY_PART;
	struct ftp_reply reply = { 0 };
	size_t at = 0;

	assert_true(len < sizeof(wire));
	while (at < len && status == FTP_REPLY_PART) {
		status = ftp_reply_take(&parser, (uint8_t *)wire + at, len - at, &reply);
		if (status != FTP_REPLY_PART && status != FTP_REPLY_END)
			fail_msg("%s: not a reply: %s", name, text);
		/* every line of ours has the code, so that no client can misread it */
		if (reply.text == 0)
			fail_msg("%s: a line without its code: %s", name, text);
		at += reply.consumed;
	}
	if (status != FTP_REPLY_END || at != len)
		fail_msg("%s: not one whole reply: %s", name, text);
	return reply.code;
}

static void check_bytes(const char *name, const char *text)
{
	size_t len = strlen(text);

	if (len > TEXT_MAX)
		fail_msg("%s: %zu bytes", name, len);
	if (len < 5)
		fail_msg("%s: no text", name);
	for (size_t i = 0; i < len; i++) {
		bool crlf = (text[i] == '\r' && text[i + 1] == '\n') ||
			    (i > 0 && text[i] == '\n' && text[i - 1] == '\r');

		if (!crlf && (text[i] < ' ' || text[i] > '~'))
			fail_msg("%s: byte %d", name, text[i]);
	}
	if (text[len - 1] == '\n')
		fail_msg("%s: the line end is the caller's", name);
}

static void check_line(const char *name, enum ftp_local reply, enum reply_style style)
{
	char line[FTP_LOCAL_LINE_MAX];
	size_t len = ftp_local_line(reply, style, line);

	if (len != strlen(line) || strcmp(line + len - 2, "\r\n") != 0 ||
	    strncmp(line, ftp_local_text(reply, style), len - 2) != 0)
		fail_msg("%s: not the text and CRLF: %s", name, line);
}

static void every_reply_is_well_formed(void **state)
{
	(void)state;
	for (int own = FTP_LOCAL_NONE + 1; own < FTP_LOCAL_COUNT; own++)
		for (int style = REPLY_STYLE_RFC; style <= REPLY_STYLE_ZOS; style++) {
			const char *text = ftp_local_text((enum ftp_local)own, (enum reply_style)style);
			uint16_t code;

			check_bytes(names[own], text);
			check_line(names[own], (enum ftp_local)own, (enum reply_style)style);
			code = reply_code(names[own], text);
			/* 334: the client goes on with ADAT */
			if ((code == 334) != (own == FTP_LOCAL_OK_AUTH_GSSAPI))
				fail_msg("%s: code %u", names[own], code);
			if (is_positive_name(names[own]) != (ftp_reply_is_positive(code) || code == 334))
				fail_msg("%s: code %u", names[own], code);
			if (!is_positive_name(names[own]) && code < 400 && own != FTP_LOCAL_WAIT_ENDS &&
			    own != FTP_LOCAL_OPENING)
				fail_msg("%s: code %u is no refusal", names[own], code);
			/* 421 announces that the connection ends, 227..229 a port, 234 the handshake */
			if (code >= 227 && code <= 229)
				fail_msg("%s: code %u names a port", names[own], code);
			if ((code == 234) != (own == FTP_LOCAL_OK_AUTH))
				fail_msg("%s: code %u", names[own], code);
		}
}

static uint16_t code_of(enum ftp_local own, enum reply_style style)
{
	return reply_code(names[own], ftp_local_text(own, style));
}

/* The codes on which the RFCs and z/OS agree, and those where they do not. */
static const struct {
	enum ftp_local own;
	uint16_t rfc;
	uint16_t zos;
} codes[] = {
	{ FTP_LOCAL_LOGIN_NEEDS_TLS, 530, 530 },
	{ FTP_LOCAL_PASS_NEEDS_TLS, 534, 534 },
	{ FTP_LOCAL_LOGIN_REFUSED, 530, 530 },
	{ FTP_LOCAL_SERVER_SILENT, 421, 421 },
	{ FTP_LOCAL_NEEDS_TLS, 534, 534 },
	{ FTP_LOCAL_NOT_LOGGED_IN, 530, 530 },
	{ FTP_LOCAL_PASS_WITHOUT_USER, 503, 503 },
	{ FTP_LOCAL_AUTH_NOT_OFFERED, 502, 502 },
	{ FTP_LOCAL_AUTH_NO_ARGUMENT, 501, 501 },
	{ FTP_LOCAL_AUTH_UNKNOWN, 504, 504 },
	{ FTP_LOCAL_AUTH_ALREADY, 503, 503 },
	{ FTP_LOCAL_AUTH_IMPLICIT, 503, 503 },
	{ FTP_LOCAL_ADAT_FIRST, 503, 503 },
	{ FTP_LOCAL_ENVELOPE_TLS, 537, 537 },
	{ FTP_LOCAL_PBSZ_FIRST_AUTH, 503, 503 },
	{ FTP_LOCAL_PBSZ_BAD, 501, 501 },
	{ FTP_LOCAL_PBSZ_AFTER_CCC, 503, 503 },
	{ FTP_LOCAL_PROT_AFTER_CCC, 503, 503 },
	{ FTP_LOCAL_PROT_FIRST_PBSZ, 503, 503 },
	{ FTP_LOCAL_PROT_UNKNOWN, 504, 504 },
	{ FTP_LOCAL_PROT_UNSUPPORTED, 536, 536 },
	{ FTP_LOCAL_PROT_C_DENIED, 534, 536 },
	{ FTP_LOCAL_PROT_P_DENIED, 534, 536 },
	{ FTP_LOCAL_DATA_UNPROTECTED, 521, 425 },
	{ FTP_LOCAL_DATA_NEEDS_TLS, 521, 425 },
	{ FTP_LOCAL_CCC_NOT_TLS, 533, 533 },
	{ FTP_LOCAL_CCC_DENIED, 534, 534 },
	{ FTP_LOCAL_CCC_DRAFT, 500, 500 },
	{ FTP_LOCAL_CCC_IMPLICIT, 534, 534 },
	{ FTP_LOCAL_FAMILY_V4, 522, 522 },
	{ FTP_LOCAL_FAMILY_V6, 522, 522 },
	{ FTP_LOCAL_AFTER_EPSV_ALL, 503, 503 },
	{ FTP_LOCAL_DATA_TLS, 522, 522 },
	{ FTP_LOCAL_DATA_REUSE, 522, 522 },
	{ FTP_LOCAL_DATA_CUT, 426, 426 },
	{ FTP_LOCAL_SHUTDOWN, 421, 503 },
	{ FTP_LOCAL_SERVER_PROT_P, 521, 425 },
	{ FTP_LOCAL_SERVER_PROT_C, 521, 425 },
	{ FTP_LOCAL_SERVER_CLEARED, 503, 503 },
	{ FTP_LOCAL_SERVER_WITHOUT_TLS, 421, 421 },
	{ FTP_LOCAL_SERVER_TLS, 421, 421 },
	{ FTP_LOCAL_SERVER_INJECTED, 421, 421 },
	{ FTP_LOCAL_DATA_SERVER_TLS, 425, 425 },
	{ FTP_LOCAL_DATA_SERVER_REUSE, 425, 425 },
	{ FTP_LOCAL_DATA_SERVER_CUT, 426, 426 },
	{ FTP_LOCAL_OK_AUTH, 234, 234 },
	{ FTP_LOCAL_OK_CCC, 200, 200 },
};

static void codes_are_those_of_the_specifications(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(codes); i++) {
		assert_int_equal(code_of(codes[i].own, REPLY_STYLE_RFC), codes[i].rfc);
		assert_int_equal(code_of(codes[i].own, REPLY_STYLE_ZOS), codes[i].zos);
	}
}

/* RFC 2428 2: the families stand in parentheses, and nothing else does. */
static void family_replies_have_one_pair_of_parentheses(void **state)
{
	static const enum ftp_local family[] = { FTP_LOCAL_FAMILY_V4, FTP_LOCAL_FAMILY_V6 };
	static const char *const ends[] = { "(1)", "(2)" };

	(void)state;
	for (size_t i = 0; i < NELEM(family); i++) {
		const char *text = ftp_local_text(family[i], REPLY_STYLE_RFC);
		const char *open = strchr(text, '(');

		assert_non_null(open);
		assert_string_equal(open, ends[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reply_is_well_formed),
		cmocka_unit_test(codes_are_those_of_the_specifications),
		cmocka_unit_test(family_replies_have_one_pair_of_parentheses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
