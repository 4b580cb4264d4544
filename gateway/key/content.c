/*
 * Recognises the two kinds of content that a TLS server signs: the transcript of
 * TLS 1.3 (RFC 8446 4.4.3) and the ECDHE parameters of TLS 1.2 (RFC 8422 5.4); and what a
 * client signs: the former with its own context, and all messages of TLS 1.2 (RFC 5246
 * 7.4.8). The signer signs nothing else, so an attacker who controls a worker gets no
 * signature of a certificate, a document or another protocol's login.
 */
#include "gateway/key/content.h"

#include <stdbool.h>
#include <string.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/base/util.h"
#include "gateway/key/scheme.h"

/* RFC 8446 4.4.3: spaces, a context, a zero byte, the hash of the handshake so far. */
#define PADDING_BYTES 64
/* One row for each role that a key may have. */
static const struct {
	enum key_role role;
	const char *context;
} contexts[] = {
	{ KEY_ROLE_SERVER, "TLS 1.3, server CertificateVerify" },
	{ KEY_ROLE_CLIENT, "TLS 1.3, client CertificateVerify" },
};
/* Of the hashes that cipher suites of TLS 1.3 use. */
static const size_t hash_bytes[] = { 32, 48 };

/* RFC 8422 5.4: both random values, then named_curve, the curve, and a point. */
#define RANDOM_BYTES	   32
#define NAMED_CURVE	   3
#define POINT_UNCOMPRESSED 4

/* The named curves of TLS 1.2, each with the length of its point. */
static const struct {
	uint16_t curve;
	uint8_t point;
	bool uncompressed; /* the point begins with POINT_UNCOMPRESSED */
} curves[] = {
	{ 19, 49, true },  /* secp192r1 */
	{ 21, 57, true },  /* secp224r1 */
	{ 22, 65, true },  /* secp256k1 */
	{ 23, 65, true },  /* secp256r1 */
	{ 24, 97, true },  /* secp384r1 */
	{ 25, 133, true }, /* secp521r1 */
	{ 26, 65, true },  /* brainpoolP256r1 */
	{ 27, 97, true },  /* brainpoolP384r1 */
	{ 28, 129, true }, /* brainpoolP512r1 */
	{ 29, 32, false }, /* x25519 */
	{ 30, 56, false }, /* x448 */
};

/* RFC 5246 7.4: what a client of TLS 1.2 has sent and received when it signs, in this order. */
static const struct {
	uint8_t type;
	bool optional;
	bool hello; /* it begins with the version, which is that of TLS 1.2 */
} messages[] = {
	{ 1, false, true },   /* ClientHello */
	{ 2, false, true },   /* ServerHello */
	{ 11, false, false }, /* the server's Certificate */
	{ 22, true, false },  /* CertificateStatus (RFC 6066 8) */
	{ 12, true, false },  /* ServerKeyExchange */
	{ 13, false, false }, /* CertificateRequest */
	{ 14, false, false }, /* ServerHelloDone */
	{ 11, false, false }, /* the client's Certificate */
	{ 16, false, false }, /* ClientKeyExchange */
};
#define VERSION_MAJOR 3
#define VERSION_MINOR 3

static bool is_hash(size_t len)
{
	for (size_t i = 0; i < NELEM(hash_bytes); i++)
		if (len == hash_bytes[i])
			return true;
	return false;
}

/* The context with its zero byte; the cursor moves on only then. */
static bool accept_context(struct ftp_cursor *c, const char *context)
{
	struct ftp_cursor to = *c;

	for (; *context != '\0'; context++)
		if (!ftp_cursor_accept(&to, (uint8_t)*context))
			return false;
	if (!ftp_cursor_accept(&to, '\0'))
		return false;
	*c = to;
	return true;
}

static enum key_role role_of_transcript(struct ftp_cursor c)
{
	for (size_t i = 0; i < PADDING_BYTES; i++)
		if (!ftp_cursor_accept(&c, ' '))
			return KEY_ROLE_NONE;
	for (size_t i = 0; i < NELEM(contexts); i++)
		if (accept_context(&c, contexts[i].context))
			return is_hash(c.len - c.at) ? contexts[i].role : KEY_ROLE_NONE;
	return KEY_ROLE_NONE;
}

/* A message of this type, whole. */
static bool accept_message(struct ftp_cursor *c, uint8_t type, bool hello)
{
	struct ftp_cursor to = *c;
	size_t len = 0, end;

	if (!ftp_cursor_accept(&to, type))
		return false;
	for (int i = 0; i < 3; i++) {
		int byte = ftp_cursor_next(&to);

		if (byte == -1)
			return false;
		len = len << 8 | (size_t)byte;
	}
	if (len > to.len - to.at)
		return false;
	end = to.at + len;
	if (hello &&
	    (!ftp_cursor_accept(&to, VERSION_MAJOR) || !ftp_cursor_accept(&to, VERSION_MINOR) || to.at > end))
		return false;
	to.at = end;
	*c = to;
	return true;
}

static bool is_handshake(struct ftp_cursor c)
{
	for (size_t i = 0; i < NELEM(messages); i++)
		if (!accept_message(&c, messages[i].type, messages[i].hello) && !messages[i].optional)
			return false;
	return ftp_cursor_at_end(&c);
}

static bool is_ecdhe(struct ftp_cursor c)
{
	int high, low, point;

	for (size_t i = 0; i < 2 * RANDOM_BYTES; i++)
		(void)ftp_cursor_next(&c); /* any bytes; what is missing is missed below */
	if (!ftp_cursor_accept(&c, NAMED_CURVE))
		return false;
	high = ftp_cursor_next(&c);
	low = ftp_cursor_next(&c);
	point = ftp_cursor_next(&c);
	if (high == -1 || low == -1 || point == -1 || c.len - c.at != (size_t)point)
		return false;
	for (size_t i = 0; i < NELEM(curves); i++)
		if ((high << 8 | low) == curves[i].curve)
			return point == curves[i].point &&
			       (!curves[i].uncompressed || ftp_cursor_accept(&c, POINT_UNCOMPRESSED));
	return false;
}

enum key_role key_content_role(const uint8_t *content, size_t len, unsigned *ret_version)
{
	const struct ftp_cursor c = ftp_cursor_make(content, len);
	enum key_role role = role_of_transcript(c);

	*ret_version = role != KEY_ROLE_NONE ? KEY_TLS1_3 : KEY_TLS1_2;
	if (role == KEY_ROLE_NONE && is_ecdhe(c))
		role = KEY_ROLE_SERVER;
	if (role == KEY_ROLE_NONE && is_handshake(c))
		role = KEY_ROLE_CLIENT;
	return role;
}
