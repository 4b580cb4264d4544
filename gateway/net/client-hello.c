/*
 * Reads a ClientHello. OpenSSL judges the same bytes for itself, and nothing here decides
 * about the connection, so what is malformed is only left unread.
 */
#include "gateway/net/client-hello.h"

#include "ftp-alg/ftp-alg.h"

#define CLIENT_HELLO  1
#define RANDOM_BYTES  32
#define HEADER_BYTES  4
#define BITS_PER_BYTE 8

/* Types of extensions (IANA, TLS ExtensionType Values). */
enum {
	EXTENSION_GROUPS = 10,
	EXTENSION_SIGNATURES = 13,
	EXTENSION_ALPN = 16,
	EXTENSION_VERSIONS = 43,
};

/* RFC 8701: 0x0A0A, 0x1A1A and so on. Clients send them at random to keep servers tolerant. */
static bool is_grease(uint16_t number)
{
	return (number & 0x0f0f) == 0x0a0a && number >> BITS_PER_BYTE == (number & 0xff);
}

/* A number of 1 or 2 bytes. */
static bool take_number(struct ftp_cursor *from, size_t bytes, uint16_t *ret)
{
	uint16_t number = 0;

	for (size_t i = 0; i < bytes; i++) {
		int byte = ftp_cursor_next(from);

		if (byte == -1)
			return false;
		number = (uint16_t)(number << BITS_PER_BYTE | byte);
	}
	*ret = number;
	return true;
}

/* So many bytes. */
static bool take_bytes(struct ftp_cursor *from, size_t len, struct ftp_cursor *ret)
{
	if (from->len - from->at < len)
		return false;
	*ret = ftp_cursor_make(from->bytes + from->at, len);
	from->at += len;
	return true;
}

/* A vector whose length takes 1 or 2 bytes. */
static bool take_vector(struct ftp_cursor *from, size_t bytes, struct ftp_cursor *ret)
{
	uint16_t len;

	return take_number(from, bytes, &len) && take_bytes(from, len, ret);
}

static bool add(struct client_hello_list *list, uint16_t number)
{
	if (is_grease(number))
		return true;
	if (list->n == CLIENT_HELLO_LIST_MAX)
		return false;
	list->numbers[list->n++] = number;
	return true;
}

/* A vector of numbers of 2 bytes each, and nothing after it. */
static bool take_list(struct ftp_cursor *from, size_t length_bytes, struct client_hello_list *list)
{
	struct ftp_cursor vector;
	uint16_t number;

	if (!take_vector(from, length_bytes, &vector))
		return false;
	while (!ftp_cursor_at_end(&vector))
		if (!take_number(&vector, sizeof(number), &number) || !add(list, number))
			return false;
	return true;
}

static bool take_versions(struct ftp_cursor *body, struct client_hello *hello)
{
	struct client_hello_list versions = { .n = 0 };

	if (!take_list(body, 1, &versions) || versions.n == 0)
		return false;
	hello->version = 0;
	for (size_t i = 0; i < versions.n; i++)
		if (versions.numbers[i] > hello->version)
			hello->version = versions.numbers[i];
	return true;
}

static bool take_alpn(struct ftp_cursor *body, struct client_hello *hello)
{
	struct ftp_cursor names, name;

	if (!take_vector(body, sizeof(uint16_t), &names))
		return false;
	if (!take_vector(&names, 1, &name) || name.len == 0)
		return true;
	hello->has_alpn = true;
	hello->alpn_first = name.bytes[0];
	hello->alpn_last = name.bytes[name.len - 1];
	return true;
}

static bool take_extension(struct ftp_cursor *from, struct client_hello *hello)
{
	struct ftp_cursor body;
	uint16_t type;

	if (!take_number(from, sizeof(type), &type) || !take_vector(from, sizeof(type), &body) ||
	    !add(&hello->extensions, type))
		return false;
	switch (type) {
	case EXTENSION_GROUPS:
		return take_list(&body, sizeof(uint16_t), &hello->groups);
	case EXTENSION_SIGNATURES:
		return take_list(&body, sizeof(uint16_t), &hello->signatures);
	case EXTENSION_ALPN:
		return take_alpn(&body, hello);
	case EXTENSION_VERSIONS:
		return take_versions(&body, hello);
	default:
		return true;
	}
}

bool client_hello_read(const uint8_t *bytes, size_t len, struct client_hello *ret)
{
	struct ftp_cursor all = ftp_cursor_make(bytes, len), skipped, extensions;

	*ret = (struct client_hello){ .version = 0 };
	if (ftp_cursor_peek(&all) != CLIENT_HELLO || !take_bytes(&all, HEADER_BYTES, &skipped) ||
	    !take_number(&all, sizeof(ret->version), &ret->version) ||
	    !take_bytes(&all, RANDOM_BYTES, &skipped) || !take_vector(&all, 1, &skipped) ||
	    !take_list(&all, sizeof(uint16_t), &ret->ciphers) || !take_vector(&all, 1, &skipped))
		return false;
	if (ftp_cursor_at_end(&all)) /* before TLS 1.2, extensions were not always there */
		return true;
	if (!take_vector(&all, sizeof(uint16_t), &extensions))
		return false;
	while (!ftp_cursor_at_end(&extensions))
		if (!take_extension(&extensions, ret))
			return false;
	return true;
}

bool client_hello_has(const struct client_hello_list *list, uint16_t number)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->numbers[i] == number)
			return true;
	return false;
}
