/* What may be signed: contents as TLS makes them, and each of them with one fault. */
#include "gateway/key/content.h"

#include "gateway/key/scheme.h"
#include "tests/unit/unit.h"

#define SPACES_16 "                "
#define SPACES_64 SPACES_16 SPACES_16 SPACES_16 SPACES_16
#define SERVER	  "TLS 1.3, server CertificateVerify"
#define B16	  "0123456789abcdef"
#define B32	  B16 B16
#define RANDOMS	  B32 B32
#define P(n, bytes)                                                                                          \
	{                                                                                                    \
		n, BYTES(bytes), 0, KEY_ROLE_NONE                                                            \
	}
#define ALLOWED(n, bytes, version)                                                                           \
	{                                                                                                    \
		n, BYTES(bytes), version, KEY_ROLE_SERVER                                                    \
	}
#define CLIENTS(n, bytes, version)                                                                           \
	{                                                                                                    \
		n, BYTES(bytes), version, KEY_ROLE_CLIENT                                                    \
	}
/* Messages of TLS 1.2. */
#define CLIENT_HELLO	    "\1\0\0\22\3\3" B16
#define SERVER_HELLO	    "\2\0\0\22\3\3" B16
#define CERTIFICATE	    "\13\0\0\20" B16
#define STATUS		    "\26\0\0\20" B16
#define SERVER_KEY	    "\14\0\0\20" B16
#define CERTIFICATE_REQUEST "\15\0\0\20" B16
#define HELLO_DONE	    "\16\0\0\0"
#define CLIENT_KEY	    "\20\0\0\20" B16
#define FLIGHT		    CLIENT_HELLO SERVER_HELLO CERTIFICATE SERVER_KEY CERTIFICATE_REQUEST HELLO_DONE

static const struct {
	const char *name;
	const char *content;
	size_t len;
	unsigned want;
	enum key_role role;
} cases[] = {
	ALLOWED("TLS 1.3, SHA-256", SPACES_64 SERVER "\0" B32, KEY_TLS1_3),
	ALLOWED("TLS 1.3, SHA-384", SPACES_64 SERVER "\0" B32 B16, KEY_TLS1_3),
	P("a hash of 20 bytes", SPACES_64 SERVER "\0" B16 "0123"),
	P("a hash of 64 bytes", SPACES_64 SERVER "\0" B32 B32),
	P("no hash", SPACES_64 SERVER "\0"),
	P("no zero byte", SPACES_64 SERVER " " B32),
	P("63 spaces", " " SPACES_16 SPACES_16 SPACES_16 "              " SERVER "\0" B32),
	P("65 spaces", " " SPACES_64 SERVER "\0" B32),
	P("a tab among the spaces", SPACES_16 SPACES_16 SPACES_16 "               \t" SERVER "\0" B32),
	CLIENTS("the client's context", SPACES_64 "TLS 1.3, client CertificateVerify\0" B32, KEY_TLS1_3),
	P("the client's context without its zero byte", SPACES_64 "TLS 1.3, client CertificateVerify" B32),
	P("the context of exported authenticators", SPACES_64 "Exported Authenticator\0" B32),
	P("half a context", SPACES_64 "TLS 1.3, server\0" B32),

	ALLOWED("X25519", RANDOMS "\3\0\35\40" B32, KEY_TLS1_2),
	ALLOWED("X448", RANDOMS "\3\0\36\70" B32 B16 "01234567", KEY_TLS1_2),
	ALLOWED("P-256", RANDOMS "\3\0\27\101\4" B32 B32, KEY_TLS1_2),
	ALLOWED("P-384", RANDOMS "\3\0\30\141\4" B32 B32 B32, KEY_TLS1_2),
	ALLOWED("P-521", RANDOMS "\3\0\31\205\4" B32 B32 B32 B32 "0123", KEY_TLS1_2),
	ALLOWED("brainpoolP512r1", RANDOMS "\3\0\34\201\4" B32 B32 B32 B32, KEY_TLS1_2),
	P("explicit_prime", RANDOMS "\1\0\27\101\4" B32 B32),
	P("an unknown curve", RANDOMS "\3\0\1\40" B32),
	P("a private curve number", RANDOMS "\3\376\0\40" B32),
	P("a compressed point", RANDOMS "\3\0\27\41\2" B32),
	P("a point of another form", RANDOMS "\3\0\27\101\2" B32 B32),
	P("a point that is too short", RANDOMS "\3\0\27\101\4" B32 B16 "0123456789abcde"),
	P("a point that is too long", RANDOMS "\3\0\27\101\4" B32 B32 "0"),
	P("the length of another curve", RANDOMS "\3\0\27\40" B32),
	P("parameters of finite-field DH", RANDOMS "\0\40" B32 "\0\1\2\0\40" B32),
	P("only random values", RANDOMS),
	P("cut off after the curve", RANDOMS "\3\0\35"),

	CLIENTS("a client's handshake", FLIGHT CERTIFICATE CLIENT_KEY, KEY_TLS1_2),
	CLIENTS("with a stapled response",
		CLIENT_HELLO SERVER_HELLO CERTIFICATE STATUS SERVER_KEY CERTIFICATE_REQUEST HELLO_DONE
		    CERTIFICATE CLIENT_KEY,
		KEY_TLS1_2),
	CLIENTS("static RSA",
		CLIENT_HELLO SERVER_HELLO CERTIFICATE CERTIFICATE_REQUEST HELLO_DONE CERTIFICATE CLIENT_KEY,
		KEY_TLS1_2),
	P("no request for a certificate",
	  CLIENT_HELLO SERVER_HELLO CERTIFICATE SERVER_KEY HELLO_DONE CERTIFICATE CLIENT_KEY),
	P("no certificate of the client", FLIGHT CLIENT_KEY),
	P("a message too many", FLIGHT CERTIFICATE CLIENT_KEY CLIENT_KEY),
	P("a byte too many", FLIGHT CERTIFICATE CLIENT_KEY "\0"),
	P("another order", SERVER_HELLO CLIENT_HELLO CERTIFICATE SERVER_KEY CERTIFICATE_REQUEST HELLO_DONE
			       CERTIFICATE CLIENT_KEY),
	P("a hello of TLS 1.1", "\1\0\0\22\3\2" B16 SERVER_HELLO CERTIFICATE SERVER_KEY CERTIFICATE_REQUEST
				    HELLO_DONE CERTIFICATE CLIENT_KEY),
	P("an empty hello", "\1\0\0\0" SERVER_HELLO CERTIFICATE SERVER_KEY CERTIFICATE_REQUEST HELLO_DONE
				CERTIFICATE CLIENT_KEY),
	P("a length beyond the end", FLIGHT CERTIFICATE "\20\0\1\0" B16),
	P("only the client's hello", CLIENT_HELLO),

	P("nothing", ""),
	P("a SHA-256", B32),
	P("a DigestInfo", "\60\61\60\15\6\11\140\206\110\1\145\3\4\2\1\5\0\4\40" B32),
	P("the beginning of a certificate", "\60\202\3\17\240\3\2\1\2\2\24" B16 B32 B32),
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		uint8_t *content = bytes_copy(cases[i].content, cases[i].len);
		unsigned version;
		enum key_role role = key_content_role(content, cases[i].len, &version);

		if (role != cases[i].role || (role != KEY_ROLE_NONE && version != cases[i].want))
			fail_msg("%s: role %d, version %u", cases[i].name, role, version);
		free(content);
	}
}

/* Whatever is signed has its whole length checked: no prefix of a good content is good. */
static void test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		for (size_t len = 0; cases[i].want == KEY_TLS1_2 && len < cases[i].len; len++) {
			uint8_t *content = bytes_copy(cases[i].content, len);
			unsigned version;

			assert_int_equal(key_content_role(content, len, &version), KEY_ROLE_NONE);
			free(content);
		}
}

static void test_max(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		assert_true(cases[i].want == 0 || cases[i].len <= KEY_CONTENT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
