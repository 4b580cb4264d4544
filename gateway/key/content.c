/*
 * Recognises the two kinds of content that a TLS server signs: the transcript of
 * TLS 1.3 (RFC 8446 4.4.3) and the ECDHE parameters of TLS 1.2 (RFC 8422 5.4). The
 * signer signs nothing else, so an attacker who controls a worker gets no signature of
 * a certificate, a document or another protocol's login.
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
static const char *const contexts[] = {
	"TLS 1.3, server CertificateVerify",
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

static bool is_transcript(struct ftp_cursor c)
{
	for (size_t i = 0; i < PADDING_BYTES; i++)
		if (!ftp_cursor_accept(&c, ' '))
			return false;
	for (size_t i = 0; i < NELEM(contexts); i++)
		if (accept_context(&c, contexts[i]))
			return is_hash(c.len - c.at);
	return false;
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

unsigned key_content_version(const uint8_t *content, size_t len)
{
	const struct ftp_cursor c = ftp_cursor_make(content, len);

	if (is_transcript(c))
		return KEY_TLS1_3;
	return is_ecdhe(c) ? KEY_TLS1_2 : 0;
}
