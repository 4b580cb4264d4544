/*
 * Parsers and formatters for addresses and ports in FTP. The parsers read
 * hostile input through a cursor and accept only what RFC 959 and RFC 2428
 * allow, except in a 227 or 229 reply, whose text differs from server to server.
 */
#include "ftp-alg/endpoint.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ftp-alg/cursor.h"

#define OCTET_MAX	  255
#define OCTET_DIGITS	  3
#define PORT_MAX	  65535
#define PORT_DIGITS	  5
#define HOST_PORT_NUMBERS 6 /* h1,h2,h3,h4,p1,p2 */

/* Address family numbers (RFC 2428 2). */
#define EPRT_AF_IPV4   1
#define EPRT_AF_IPV6   2
#define EPRT_AF_MAX    65535
#define EPRT_AF_DIGITS 5

static bool is_digit(int byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_delimiter(int byte)
{
	return byte >= 33 && byte <= 126; /* RFC 2428 2 */
}

static void skip_blanks(struct ftp_cursor *c)
{
	while (ftp_cursor_accept(c, ' ') || ftp_cursor_accept(c, '\t'))
		;
}

/* A comma with a digit after it, and blanks around it if those are allowed; any other comma is text. */
static bool list_goes_on(struct ftp_cursor *c, bool blanks)
{
	struct ftp_cursor ahead = *c;

	if (blanks)
		skip_blanks(&ahead);
	if (!ftp_cursor_accept(&ahead, ','))
		return false;
	if (blanks)
		skip_blanks(&ahead);
	if (!is_digit(ftp_cursor_peek(&ahead)))
		return false;
	*c = ahead;
	return true;
}

/*
 * A list of decimal numbers with commas between them, read to its end. True when
 * it has exactly six, each in range: in a longer list there is no telling which
 * six are meant.
 */
static bool host_port_list(struct ftp_cursor *c, bool blanks, struct ip_endpoint *ret_endpoint)
{
	uint8_t numbers[HOST_PORT_NUMBERS] = { 0 };
	size_t count = 0;
	bool good = true;

	do {
		uint32_t value = 0;

		if (!ftp_cursor_number(c, OCTET_DIGITS, OCTET_MAX, &value))
			good = false;
		if (count < HOST_PORT_NUMBERS)
			numbers[count] = (uint8_t)value;
		count++;
	} while (list_goes_on(c, blanks));

	if (!good || count != HOST_PORT_NUMBERS)
		return false;
	*ret_endpoint = (struct ip_endpoint){
		.addr = ip_addr_make(IP_V4, numbers),
		.port = (uint16_t)(numbers[4] << 8 | numbers[5]),
	};
	return true;
}

int ftp_port_parse(const char *arg, size_t len, struct ip_endpoint *ret_endpoint)
{
	struct ftp_cursor c = ftp_cursor_make(arg, len);
	struct ip_endpoint endpoint;

	while (ftp_cursor_accept(&c, ' '))
		;
	if (!host_port_list(&c, false, &endpoint))
		return -EINVAL;
	while (ftp_cursor_accept(&c, ' '))
		;
	if (!ftp_cursor_at_end(&c))
		return -EINVAL;
	*ret_endpoint = endpoint;
	return 0;
}

/* A field that is one number and nothing else. */
static bool field_number(struct ftp_cursor field, unsigned digits_max, uint32_t value_max,
			 uint32_t *ret_value)
{
	return ftp_cursor_number(&field, digits_max, value_max, ret_value) && ftp_cursor_at_end(&field);
}

int ftp_eprt_parse(const char *arg, size_t len, struct ip_endpoint *ret_endpoint)
{
	struct ftp_cursor c = ftp_cursor_make(arg, len);
	struct ftp_cursor af_field, addr_field, port_field;
	int delimiter = ftp_cursor_next(&c);
	struct ip_addr addr;
	uint32_t af, port;
	bool colon;

	if (!is_delimiter(delimiter) || !ftp_cursor_field(&c, (uint8_t)delimiter, &af_field) ||
	    !ftp_cursor_field(&c, (uint8_t)delimiter, &addr_field) ||
	    !ftp_cursor_field(&c, (uint8_t)delimiter, &port_field) || !ftp_cursor_at_end(&c))
		return -EINVAL;
	if (!field_number(af_field, EPRT_AF_DIGITS, EPRT_AF_MAX, &af) ||
	    !field_number(port_field, PORT_DIGITS, PORT_MAX, &port))
		return -EINVAL;
	if (af != EPRT_AF_IPV4 && af != EPRT_AF_IPV6)
		return -EAFNOSUPPORT;
	if (ip_addr_parse((const char *)addr_field.bytes, addr_field.len, &addr) < 0)
		return -EINVAL;
	/* By the spelling, not by the parsed family: a mapped address is written as IPv6. */
	colon = ftp_cursor_find(&addr_field, ':');
	if (colon != (af == EPRT_AF_IPV6))
		return -EINVAL;
	*ret_endpoint = (struct ip_endpoint){ .addr = addr, .port = (uint16_t)port };
	return 0;
}

static bool find_host_port(struct ftp_cursor c, bool blanks, struct ip_endpoint *ret_endpoint)
{
	while (!ftp_cursor_at_end(&c)) {
		if (!is_digit(ftp_cursor_peek(&c)))
			ftp_cursor_next(&c);
		else if (host_port_list(&c, blanks, ret_endpoint))
			return true;
	}
	return false;
}

int ftp_227_parse(const char *text, size_t len, struct ip_endpoint *ret_endpoint)
{
	struct ftp_cursor c = ftp_cursor_make(text, len);

	/* The usual form first: in "mode 1, (192,0,2,1,4,1)" the first comma is text. */
	return find_host_port(c, false, ret_endpoint) || find_host_port(c, true, ret_endpoint) ? 0 : -EINVAL;
}

/* After "(": <d><d><d>port<d>) with an acceptable port. */
static bool epsv_port(struct ftp_cursor c, uint16_t *ret_port)
{
	int delimiter = ftp_cursor_next(&c);
	struct ftp_cursor field;
	uint32_t port;

	if (!is_delimiter(delimiter) || !ftp_cursor_accept(&c, (uint8_t)delimiter) ||
	    !ftp_cursor_accept(&c, (uint8_t)delimiter) || !ftp_cursor_field(&c, (uint8_t)delimiter, &field) ||
	    !ftp_cursor_accept(&c, ')'))
		return false;
	if (!field_number(field, PORT_DIGITS, PORT_MAX, &port) || port == 0)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

static bool is_punctuation(int byte)
{
	return is_delimiter(byte) && !is_digit(byte) && ((byte | 0x20) < 'a' || (byte | 0x20) > 'z');
}

/*
 * <d>family<d>address<d>port<d> with blanks anywhere and whatever family and
 * address: some servers fill them in, although RFC 2428 3 wants them empty.
 */
static bool loose_epsv_port(struct ftp_cursor c, uint16_t *ret_port)
{
	int delimiter = ftp_cursor_next(&c);
	struct ftp_cursor family, address, field;
	uint32_t number;

	if (!is_punctuation(delimiter) || !ftp_cursor_field(&c, (uint8_t)delimiter, &family) ||
	    !ftp_cursor_field(&c, (uint8_t)delimiter, &address) ||
	    !ftp_cursor_field(&c, (uint8_t)delimiter, &field))
		return false;
	skip_blanks(&family);
	if (is_digit(ftp_cursor_peek(&family)))
		(void)ftp_cursor_number(&family, EPRT_AF_DIGITS, EPRT_AF_MAX, &number); /* any will do */
	skip_blanks(&family);
	skip_blanks(&field);
	if (!ftp_cursor_at_end(&family) || !ftp_cursor_number(&field, PORT_DIGITS, PORT_MAX, &number) ||
	    number == 0)
		return false;
	skip_blanks(&field);
	if (!ftp_cursor_at_end(&field))
		return false;
	*ret_port = (uint16_t)number;
	return true;
}

int ftp_229_parse(const char *text, size_t len, uint16_t *ret_port)
{
	const struct ftp_cursor whole = ftp_cursor_make(text, len);
	struct ftp_cursor c;

	for (c = whole; ftp_cursor_find(&c, '(');) {
		ftp_cursor_next(&c);
		if (epsv_port(c, ret_port))
			return 0;
	}
	for (c = whole; ftp_cursor_find(&c, '(');) {
		ftp_cursor_next(&c);
		skip_blanks(&c);
		if (loose_epsv_port(c, ret_port))
			return 0;
	}
	/* Without parentheses only the usual delimiter tells the port from other text. */
	for (c = whole; ftp_cursor_find(&c, '|'); ftp_cursor_next(&c))
		if (loose_epsv_port(c, ret_port))
			return 0;
	return -EINVAL;
}

static const char *host_port_format(const struct ip_endpoint *ep, const char *before, const char *after,
				    char buf[static FTP_ENDPOINT_TEXT_MAX])
{
	const uint8_t *h = ep->addr.bytes;

	assert(ep->addr.family == IP_V4);
	snprintf(buf, FTP_ENDPOINT_TEXT_MAX, "%s%u,%u,%u,%u,%u,%u%s", before, h[0], h[1], h[2], h[3],
		 ep->port >> 8, ep->port & OCTET_MAX, after);
	return buf;
}

const char *ftp_port_format(const struct ip_endpoint *ep, char buf[static FTP_ENDPOINT_TEXT_MAX])
{
	return host_port_format(ep, "PORT ", "", buf);
}

const char *ftp_227_format(const struct ip_endpoint *ep, char buf[static FTP_ENDPOINT_TEXT_MAX])
{
	return host_port_format(ep, "227 Entering Passive Mode (", ").", buf);
}

const char *ftp_eprt_format(const struct ip_endpoint *ep, char buf[static FTP_ENDPOINT_TEXT_MAX])
{
	char addr[IP_TEXT_MAX];

	assert(ep->addr.family != IP_NONE);
	snprintf(buf, FTP_ENDPOINT_TEXT_MAX, "EPRT |%d|%s|%u|",
		 ep->addr.family == IP_V4 ? EPRT_AF_IPV4 : EPRT_AF_IPV6, ip_addr_format(&ep->addr, addr),
		 ep->port);
	return buf;
}

const char *ftp_229_format(uint16_t port, char buf[static FTP_ENDPOINT_TEXT_MAX])
{
	snprintf(buf, FTP_ENDPOINT_TEXT_MAX, "229 Entering Extended Passive Mode (|||%u|)", port);
	return buf;
}
