/* The form of requests and answers, and which scheme goes with which version of TLS. */
#include "gateway/key/request.h"

#include "tests/unit/unit.h"

#define FIXED offsetof(struct key_request, content)

static struct key_request request_of(unsigned version, uint16_t scheme)
{
	static const char transcript[] = "TLS 1.3, server CertificateVerify";
	static const uint8_t x25519[] = { 3, 0, 29, 32 };
	struct key_request request = { .ask = KEY_ASK_SIGN, .scheme = scheme };

	if (version == KEY_TLS1_3) {
		memset(request.content, ' ', 64);
		memcpy(request.content + 64, transcript, sizeof(transcript));
		request.len = 64 + sizeof(transcript) + 32;
	} else {
		memcpy(request.content + 64, x25519, sizeof(x25519));
		request.len = 64 + sizeof(x25519) + 32;
	}
	return request;
}

static enum key_status judge(const struct key_request *request, size_t n)
{
	const struct key_scheme *scheme;
	enum key_role role;
	enum key_status status = key_request_judge(request, n, &scheme, &role);

	assert_int_equal(role != KEY_ROLE_NONE, scheme != NULL || status == KEY_STATUS_SCHEME);
	assert_int_equal(scheme != NULL, status == KEY_STATUS_DONE && request->ask == KEY_ASK_SIGN);
	return status;
}

static void test_good(void **state)
{
	struct key_request request = request_of(KEY_TLS1_3, 0x0403);

	(void)state;
	assert_int_equal(judge(&request, key_request_bytes(&request)), KEY_STATUS_DONE);
	request = request_of(KEY_TLS1_2, 0x0401);
	assert_int_equal(judge(&request, key_request_bytes(&request)), KEY_STATUS_DONE);
	request = (struct key_request){ .ask = KEY_ASK_KNOWN };
	assert_int_equal(judge(&request, FIXED), KEY_STATUS_DONE);
}

static void test_malformed(void **state)
{
	struct key_request request = request_of(KEY_TLS1_3, 0x0403);
	size_t n = key_request_bytes(&request);

	(void)state;
	for (size_t other = 0; other <= sizeof(request) + 1; other++)
		if (other != n)
			assert_int_equal(judge(&request, other), KEY_STATUS_MALFORMED);
	request.len = UINT16_MAX;
	assert_int_equal(judge(&request, key_request_bytes(&request)), KEY_STATUS_MALFORMED);
	for (uint32_t ask = 0; ask < 5; ask++) {
		request = (struct key_request){ .ask = ask, .len = 1 };
		assert_int_equal(judge(&request, FIXED + 1),
				 ask == KEY_ASK_SIGN ? KEY_STATUS_CONTENT : KEY_STATUS_MALFORMED);
	}
}

/* PKCS#1, SHA-1 and SHA-224 are for TLS 1.2 only: RFC 8446 4.2.3. */
static void test_schemes(void **state)
{
	size_t n13 = 0, n12 = 0;

	(void)state;
	for (uint32_t id = 0; id <= UINT16_MAX; id++) {
		struct key_request request = request_of(KEY_TLS1_3, (uint16_t)id);
		bool good13 = judge(&request, key_request_bytes(&request)) == KEY_STATUS_DONE;
		bool good12;

		request = request_of(KEY_TLS1_2, (uint16_t)id);
		good12 = judge(&request, key_request_bytes(&request)) == KEY_STATUS_DONE;
		n13 += good13;
		n12 += good12;
		assert_true(good12 || !good13);
		if (good13)
			assert_true((id & 0xff) == 3 ? id >= 0x0403 : id >> 8 == 8);
	}
	assert_int_equal(n13, 11);
	assert_int_equal(n12, 18);
}

/* Both of OpenSSL's names of a digest lead to one row; each row is found by what it says. */
static void test_scheme_of(void **state)
{
	const struct key_scheme *scheme;

	(void)state;
	for (size_t i = 0; (scheme = key_scheme_at(i)) != NULL; i++) {
		assert_ptr_equal(key_scheme_find(scheme->id), scheme);
		assert_ptr_equal(key_scheme_of(scheme->type, scheme->digest, scheme->pss), scheme);
	}
	assert_int_equal(key_scheme_of("EC", "sha2-256", false)->id, 0x0403);
	assert_int_equal(key_scheme_of("RSA", "SHA512", true)->id, 0x0806);
	assert_int_equal(key_scheme_of("ED25519", "", false)->id, 0x0807);
	assert_int_equal(key_scheme_of("ED25519", "UNDEF", false)->id, 0x0807);
	assert_null(key_scheme_of("ED25519", "SHA256", false));
	assert_null(key_scheme_of("RSA", NULL, false));
	assert_null(key_scheme_of("RSA", "MD5-SHA1", false));
	assert_null(key_scheme_of("EC", "SHA256", true));
	assert_null(key_scheme_of("DSA", "SHA256", false));
}

static void test_answer(void **state)
{
	struct key_answer answer = { .status = KEY_STATUS_DONE, .len = 64 };
	size_t n = key_answer_bytes(&answer);

	(void)state;
	assert_true(key_answer_is_whole(&answer, n));
	assert_false(key_answer_is_whole(&answer, n - 1));
	assert_false(key_answer_is_whole(&answer, n + 1));
	assert_false(key_answer_is_whole(&answer, 3));
	answer.len = KEY_SIGNATURE_MAX + 1;
	assert_false(key_answer_is_whole(&answer, key_answer_bytes(&answer)));
	answer = (struct key_answer){ .status = KEY_STATUS_COUNT };
	assert_false(key_answer_is_whole(&answer, key_answer_bytes(&answer)));
	for (uint32_t status = KEY_STATUS_DONE; status < KEY_STATUS_COUNT; status++)
		assert_string_not_equal(key_status_text(status), "unknown answer");
	assert_string_equal(key_status_text(KEY_STATUS_COUNT), "unknown answer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_schemes), cmocka_unit_test(test_scheme_of),
		cmocka_unit_test(test_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
