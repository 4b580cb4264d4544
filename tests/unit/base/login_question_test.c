/* FTCHKPWD: the question from message to JSON, and the answer. */
#include "gateway/base/login-question.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct login_question question_of(const char *user, const char *subject)
{
	struct login_question question = { .version = 0x0304,
					   .cipher = 0x1302,
					   .certificate = subject != NULL };

	(void)memccpy(question.user, user, '\0', sizeof(question.user) - 1);
	(void)memccpy(question.subject, subject != NULL ? subject : "", '\0', sizeof(question.subject) - 1);
	for (size_t i = 0; i < sizeof(question.sha256) && subject != NULL; i++)
		question.sha256[i] = (uint8_t)(i * 7);
	return question;
}

/* Cut it, join it, and return the result of the last part. */
static int pass_on(const struct login_question *question, struct login_question *ret, size_t *ret_parts)
{
	struct login_joined joined = { .len = 0 };
	struct login_part part;
	size_t at = 0;
	int r = -ENOENT;

	for (*ret_parts = 0; login_question_part(question, &at, &part); (*ret_parts)++)
		r = login_question_join(&joined, &part, ret);
	return r;
}

static void any_length(void **state)
{
	char user[LOGIN_USER_MAX + 1], subject[LOGIN_SUBJECT_MAX + 1];

	(void)state;
	for (size_t ulen = 1; ulen <= LOGIN_USER_MAX; ulen += ulen < 10 || ulen > 190 ? 1 : 45)
		for (size_t slen = 0; slen <= LOGIN_SUBJECT_MAX; slen += slen < 4 || slen > 1015 ? 1 : 101) {
			struct login_question question, got;
			size_t parts;

			memset(user, 'u', ulen);
			user[ulen] = '\0';
			memset(subject, 's', slen);
			subject[slen] = '\0';
			question = question_of(user, slen > 0 ? subject : NULL);
			assert_int_equal(pass_on(&question, &got, &parts), 1);
			assert_int_equal(parts, (ulen + slen + 2 + LOGIN_PART_TEXT - 1) / LOGIN_PART_TEXT);
			assert_memory_equal(&question, &got, sizeof(got));
		}
}

static void odd_parts(void **state)
{
	static const struct {
		const char *name;
		struct login_part part;
		int want;
	} rows[] = {
		{ "whole", { .last = 1, .len = 3, .text = "a\0" }, 1 },
		{ "more to come", { .len = 1, .text = "a" }, 0 },
		{ "empty", { .last = 1, .len = 0 }, -EPROTO },
		{ "longer than a part", { .len = LOGIN_PART_TEXT + 1 }, -EPROTO },
		{ "no user", { .last = 1, .len = 2, .text = "\0" }, -EPROTO },
		{ "no end of the user", { .last = 1, .len = 1, .text = "a" }, -EPROTO },
		{ "no subject", { .last = 1, .len = 2, .text = "a" }, -EPROTO },
		{ "no end of the subject", { .last = 1, .len = 3, .text = "a\0b" }, -EPROTO },
		{ "three texts", { .last = 1, .len = 5, .text = "a\0b\0" }, -EPROTO },
		{ "a line break in the user", { .last = 1, .len = 4, .text = "a\n\0" }, -EPROTO },
		{ "no UTF-8", { .last = 1, .len = 4, .text = "a\xff\0" }, -EPROTO },
		{ "last is a flag", { .last = 2, .len = 3, .text = "a\0" }, -EPROTO },
		{ "kerberos is a flag", { .last = 1, .kerberos = 2, .len = 3, .text = "a\0" }, -EPROTO },
		{ "a certificate and a ticket",
		  { .last = 1, .certificate = 1, .kerberos = 1, .len = 3, .text = "a\0" },
		  -EPROTO },
		{ "certificate is a flag",
		  { .last = 1, .certificate = 2, .len = 3, .text = "a\0" },
		  -EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct login_joined joined = { .len = 0 };
		struct login_question question;
		int r = login_question_join(&joined, &rows[i].part, &question);

		if (r != rows[i].want)
			fail_msg("%s: %d", rows[i].name, r);
	}
}

/* A worker may send parts for ever. */
static void too_many_parts(void **state)
{
	struct login_part part = { .len = LOGIN_PART_TEXT };
	struct login_joined joined = { .len = 0 };
	struct login_question question;
	int r;

	(void)state;
	memset(part.text, 'a', sizeof(part.text));
	for (int i = 0; i < 100 && (r = login_question_join(&joined, &part, &question)) == 0; i++)
		assert_in_range(joined.len, 1, sizeof(joined.text));
	assert_int_equal(r, -EPROTO);
}

static void users(void **state)
{
	static const struct {
		const char *user;
		bool want;
	} rows[] = {
		{ "anna", true },
		{ "EXAMPLE\\anna", true },
		{ "a\"b", true },
		{ "M\xc3\xbcller", true },
		{ "", false },
		{ "a\tb", false },
		{ "a\x7f", false },
		{ "a\xe2\x80\xa8 b", false },
		{ "a\xe2\x80\xae b", false },
		{ "M\xfcller", false },
		{ "a\xc0\x80", false },
		{ "\xed\xa0\x80", false },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++)
		if (login_user_is_sound(rows[i].user, strlen(rows[i].user)) != rows[i].want)
			fail_msg("%s", rows[i].user);
	assert_false(login_user_is_sound("a\0b", 3));
}

static void json(void **state)
{
	static const struct {
		const char *user, *subject;
		uint16_t version, cipher;
		const char *want;
	} rows[] = {
		{ "anna", NULL, 0, 0,
		  "{\"session\":7,\"user\":\"anna\",\"client\":\"192.0.2.7\",\"listener\":\"ftp\","
		  "\"rule\":\"r\",\"backend\":\"b\"}" },
		{ "EX\\a\"b", "CN=a\\, b", 0x0303, 0xC030,
		  "{\"session\":7,\"user\":\"EX\\\\a\\\"b\",\"client\":\"192.0.2.7\",\"listener\":\"ftp\",\"rule\":\"r\","
		  "\"backend\":\"b\",\"tls\":\"TLSv1.2\",\"cipher\":\"ECDHE-RSA-AES256-GCM-SHA384\","
		  "\"subject\":\"CN=a\\\\, b\",\"sha256\":"
		  "\"00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9\"}" },
		{ "a", "CN=a\n\xff\x1b", 0x0304, 0x1302,
		  "{\"session\":7,\"user\":\"a\",\"client\":\"192.0.2.7\",\"listener\":\"ftp\",\"rule\":\"r\",\"backend\":"
		  "\"b\",\"tls\":\"TLSv1.3\",\"cipher\":\"TLS_AES_256_GCM_SHA384\",\"subject\":\"CN=a???\",\"sha256\":"
		  "\"00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9\"}" },
		{ "a", NULL, 0x7777, 0xffff,
		  "{\"session\":7,\"user\":\"a\",\"client\":\"192.0.2.7\",\"listener\":\"ftp\","
		  "\"rule\":\"r\",\"backend\":\"b\"}" },
	};
	const struct login_facts facts = { 7, "192.0.2.7", "ftp", "r", "b" };
	char buf[LOGIN_JSON_MAX];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct login_question question = question_of(rows[i].user, rows[i].subject);
		size_t len;

		question.version = rows[i].version;
		question.cipher = rows[i].cipher;
		len = login_question_json(&question, &facts, buf);
		if (len != strlen(rows[i].want) || memcmp(buf, rows[i].want, len) != 0)
			fail_msg("%.*s", (int)len, buf);
	}
}

static void principal(void **state)
{
	struct login_question question = { .user = "anna", .subject = "anna@EXAMPLE", .kerberos = true }, got;
	const struct login_facts facts = { 7, "192.0.2.7", "ftp", "r", "b" };
	char buf[LOGIN_JSON_MAX];
	size_t parts;

	(void)state;
	assert_int_equal(pass_on(&question, &got, &parts), 1);
	assert_memory_equal(&question, &got, sizeof(got));
	buf[login_question_json(&got, &facts, buf)] = '\0';
	assert_string_equal(buf,
			    "{\"session\":7,\"user\":\"anna\",\"client\":\"192.0.2.7\",\"listener\":\"ftp\","
			    "\"rule\":\"r\",\"backend\":\"b\",\"principal\":\"anna@EXAMPLE\"}");
}

/* The longest of everything, each byte with a backslash. */
static void the_longest(void **state)
{
	struct login_question question = question_of("a", "b");
	char name[256];
	const struct login_facts facts = { UINT64_MAX, name, name, name, name };
	char buf[LOGIN_JSON_MAX];

	(void)state;
	memset(name, '\\', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(question.user, '"', LOGIN_USER_MAX);
	memset(question.subject, '"', LOGIN_SUBJECT_MAX);
	assert_in_range(login_question_json(&question, &facts, buf), 4000, sizeof(buf));
}

static void answers(void **state)
{
	static const struct {
		const char *said;
		enum login_verdict want;
		const char *text;
	} rows[] = {
		{ "allow", LOGIN_ALLOWED, "" },
		{ "allow\n", LOGIN_ALLOWED, "" },
		{ "deny", LOGIN_DENIED, "" },
		{ "deny\n", LOGIN_DENIED, "" },
		{ "deny Not now", LOGIN_DENIED, "Not now" },
		{ "deny  two", LOGIN_DENIED, " two" },
		{ "deny a\r\n230 in", LOGIN_DENIED, "a??230 in" },
		{ "deny \x1b[31m\x07\xff\xf4", LOGIN_DENIED, "?[31m???" },
		{ "deny Gr\xc3\xbc\xc3\x9f", LOGIN_DENIED, "Gr\xc3\xbc\xc3\x9f" },
		{ "deny \xe2\x80\xae", LOGIN_DENIED, "?" },
		{ "", LOGIN_NO_ANSWER, "" },
		{ "\n", LOGIN_NO_ANSWER, "" },
		{ "deny ", LOGIN_NO_ANSWER, "" },
		{ "deny\ttext", LOGIN_NO_ANSWER, "" },
		{ "allow ", LOGIN_NO_ANSWER, "" },
		{ "allow text", LOGIN_NO_ANSWER, "" },
		{ " allow", LOGIN_NO_ANSWER, "" },
		{ "Allow", LOGIN_NO_ANSWER, "" },
		{ "allow\r\n", LOGIN_NO_ANSWER, "" },
		{ "allow\n\n", LOGIN_NO_ANSWER, "" },
		{ "allowdeny", LOGIN_NO_ANSWER, "" },
		{ "alloW", LOGIN_NO_ANSWER, "" },
		{ "1", LOGIN_NO_ANSWER, "" },
	};
	char many[LOGIN_ANSWER_BYTES + 1];
	struct login_answer answer;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		enum login_verdict verdict = login_answer_parse(rows[i].said, strlen(rows[i].said), &answer);

		if (verdict != rows[i].want || strcmp(answer.text, rows[i].text) != 0)
			fail_msg("%s: %d \"%s\"", rows[i].said, (int)verdict, answer.text);
	}
	assert_int_equal(login_answer_parse("allow\0", 6, &answer), LOGIN_NO_ANSWER);
	assert_int_equal(login_answer_parse("deny a\0b", 8, &answer), LOGIN_DENIED);
	assert_string_equal(answer.text, "a?b");
	memset(many, 'x', sizeof(many));
	memcpy(many, "deny ", 5);
	assert_int_equal(login_answer_parse(many, LOGIN_ANSWER_BYTES, &answer), LOGIN_DENIED);
	assert_int_equal(strlen(answer.text), LOGIN_TEXT_MAX - 1);
	assert_int_equal(login_answer_parse(many, sizeof(many), &answer), LOGIN_NO_ANSWER);
	for (size_t i = 5; i + 1 < sizeof(many); i += 2) /* no character is cut */
		memcpy(many + i, "\xc3\xbc", 2);
	assert_int_equal(login_answer_parse(many, LOGIN_ANSWER_BYTES, &answer), LOGIN_DENIED);
	assert_int_equal(strlen(answer.text), LOGIN_TEXT_MAX - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_length),  cmocka_unit_test(odd_parts), cmocka_unit_test(too_many_parts),
		cmocka_unit_test(users),       cmocka_unit_test(json),	    cmocka_unit_test(principal),
		cmocka_unit_test(the_longest), cmocka_unit_test(answers),
	};

	return cmocka_run_group_tests_name("login_question", tests, NULL, NULL);
}
