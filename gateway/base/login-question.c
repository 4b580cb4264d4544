/*
 * Cuts a question into messages and joins them again, writes it as JSON, and reads the answer.
 * The user's name comes from the network and the answer from another process, so neither can
 * bring a line break or a control character to where it goes.
 */
#include "gateway/base/login-question.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"
#include "policy/policy.h"

bool login_question_part(const struct login_question *question, size_t *at, struct login_part *ret_part)
{
	const size_t user = strlen(question->user) + 1, all = user + strlen(question->subject) + 1;
	struct login_part part = { .len = 0 };

	if (*at >= all)
		return false;
	for (; part.len < sizeof(part.text) && *at < all; part.len++, (*at)++)
		part.text[part.len] = *at < user ? question->user[*at] : question->subject[*at - user];
	if (*at == all) {
		part.last = 1;
		part.certificate = question->certificate;
		part.kerberos = question->kerberos;
		part.version = question->version;
		part.cipher = question->cipher;
		memcpy(part.sha256, question->sha256, sizeof(part.sha256));
	}
	*ret_part = part;
	return true;
}

int login_question_join(struct login_joined *joined, const struct login_part *part,
			struct login_question *ret_question)
{
	const char *end;
	size_t user, subject;

	if (part->len == 0 || part->len > sizeof(part->text) || part->last > 1 ||
	    part->certificate + part->kerberos > 1 || part->len > sizeof(joined->text) - joined->len)
		return -EPROTO;
	memcpy(joined->text + joined->len, part->text, part->len);
	joined->len += part->len;
	if (!part->last)
		return 0;
	end = memchr(joined->text, '\0', joined->len);
	if (end == NULL || joined->text[joined->len - 1] != '\0')
		return -EPROTO;
	user = (size_t)(end - joined->text);
	subject = joined->len - user - 1;
	if (subject == 0 || memchr(end + 1, '\0', subject) != end + subject ||
	    subject > LOGIN_SUBJECT_MAX + 1 || !login_user_is_sound(joined->text, user))
		return -EPROTO;
	*ret_question = (struct login_question){ .certificate = part->certificate != 0,
						 .kerberos = part->kerberos != 0,
						 .version = part->version,
						 .cipher = part->cipher };
	memcpy(ret_question->user, joined->text, user);
	memcpy(ret_question->subject, end + 1, subject);
	memcpy(ret_question->sha256, part->sha256, sizeof(part->sha256));
	return 1;
}

bool login_user_is_sound(const char *user, size_t len)
{
	uint32_t rune;

	for (size_t at = 0; at < len;) {
		at += utf8_decode(user + at, len - at, &rune);
		if (!utf8_is_printable(rune)) /* nor is a byte that is not UTF-8 */
			return false;
	}
	return len > 0 && len <= LOGIN_USER_MAX;
}

/* Room is there for the longest question, see the assertion below. */
struct json {
	char *bytes;
	size_t len;
};

static void put(struct json *json, const char *text, size_t len)
{
	memcpy(json->bytes + json->len, text, len);
	json->len += len;
}

/* Names, addresses and DNs: printable, except what a worker or a certificate has made up. */
static void put_value(struct json *json, const char *text, size_t max)
{
	const size_t len = strnlen(text, max);
	uint32_t rune;
	size_t n;

	put(json, "\"", 1);
	for (size_t at = 0; at < len; at += n) {
		n = utf8_decode(text + at, len - at, &rune);
		if (!utf8_is_printable(rune)) {
			put(json, "?", 1);
			continue;
		}
		if (rune == '"' || rune == '\\')
			put(json, "\\", 1);
		put(json, text + at, n);
	}
	put(json, "\"", 1);
}

/* No value: no field. */
static void put_field(struct json *json, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	put(json, ",\"", 2);
	put(json, key, strlen(key));
	put(json, "\":", 2);
	put_value(json, value, LOGIN_SUBJECT_MAX);
}

static const char *version_name(uint16_t version)
{
	static const struct {
		uint16_t version;
		const char *name;
	} names[] = { { 0x0303, "TLSv1.2" }, { 0x0304, "TLSv1.3" } };

	for (size_t i = 0; i < NELEM(names); i++)
		if (names[i].version == version)
			return names[i].name;
	return NULL;
}

/* As the log spells it. */
static const char *cipher_name(uint16_t id)
{
	const struct cipher *cipher;

	for (size_t i = 0; (cipher = cipher_at(i)) != NULL; i++)
		if (cipher->id == id)
			return cipher->openssl;
	return NULL;
}

/* Each byte of a value may need a backslash; the keys and the number take less than 256. */
_Static_assert(LOGIN_JSON_MAX >=
		   2 * (LOGIN_USER_MAX + LOGIN_SUBJECT_MAX + 4 * 256) + 64 + 2 * LOGIN_HASH_BYTES + 256,
	       "the longest question fits");

size_t login_question_json(const struct login_question *question, const struct login_facts *facts,
			   char buf[static LOGIN_JSON_MAX])
{
	static const char digits[] = "0123456789abcdef";
	char sha256[2 * LOGIN_HASH_BYTES + 1] = "";
	struct json json = { .bytes = buf };

	for (size_t i = 0; question->certificate && i < LOGIN_HASH_BYTES; i++) {
		sha256[2 * i] = digits[question->sha256[i] >> 4];
		sha256[2 * i + 1] = digits[question->sha256[i] & 15];
	}
	json.len = (size_t)snprintf(buf, LOGIN_JSON_MAX, "{\"session\":%" PRIu64, facts->session);
	put_field(&json, "user", question->user);
	put_field(&json, "client", facts->client);
	put_field(&json, "listener", facts->listener);
	put_field(&json, "rule", facts->rule);
	put_field(&json, "backend", facts->backend);
	put_field(&json, "tls", version_name(question->version));
	put_field(&json, "cipher", question->version != 0 ? cipher_name(question->cipher) : NULL);
	put_field(&json, "subject", question->certificate ? question->subject : NULL);
	put_field(&json, "sha256", sha256);
	put_field(&json, "principal", question->kerberos ? question->subject : NULL);
	put(&json, "}", 1);
	return json.len;
}

/* The client and the log get one line, in which nothing moves a cursor or begins another reply. */
static void clean(const char *text, size_t len, char buf[static LOGIN_TEXT_MAX])
{
	size_t at = 0, used = 0, n;
	uint32_t rune;

	for (; at < len; at += n) {
		n = utf8_decode(text + at, len - at, &rune);
		if (!utf8_is_printable(rune)) {
			if (used + 1 >= LOGIN_TEXT_MAX)
				break;
			buf[used++] = '?';
			continue;
		}
		if (used + n >= LOGIN_TEXT_MAX)
			break;
		memcpy(buf + used, text + at, n);
		used += n;
	}
	buf[used] = '\0';
}

static bool is_word(const char *bytes, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(bytes, word, len) == 0;
}

enum login_verdict login_answer_parse(const char *bytes, size_t len, struct login_answer *ret_answer)
{
	static const char denies[] = "deny ";
	const size_t head = sizeof(denies) - 1;

	*ret_answer = (struct login_answer){ .text = "" };
	if (len > LOGIN_ANSWER_BYTES)
		return LOGIN_NO_ANSWER;
	if (len > 0 && bytes[len - 1] == '\n')
		len--;
	if (is_word(bytes, len, "allow"))
		return LOGIN_ALLOWED;
	if (is_word(bytes, len, "deny"))
		return LOGIN_DENIED;
	if (len <= head || memcmp(bytes, denies, head) != 0)
		return LOGIN_NO_ANSWER;
	clean(bytes + head, len - head, ret_answer->text);
	return LOGIN_DENIED;
}
