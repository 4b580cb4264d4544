/*
 * Parses and makes the header of the PROXY protocol. Bytes from the network are
 * read through a cursor, and nothing is written beyond PROXY_HEADER_MAX. The
 * specification is proxy-protocol.txt of HAProxy.
 */
#include "gateway/net/proxy-header.h"

#include <stdio.h>
#include <string.h>

#include "ftp-alg/ftp-alg.h"

static const uint8_t v1_start[] = { 'P', 'R', 'O', 'X', 'Y', ' ' };
static const uint8_t v2_start[] = { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n' };

/* The fixed part of version 2: signature, command, family, length (2). */
#define V2_FIXED     (sizeof(v2_start) + 4)
#define V2_LOCAL     0x20
#define V2_PROXY     0x21
#define V2_UNSPEC    0x00
#define V2_TCP4	     0x11
#define V2_TCP6	     0x21
#define V2_TLV_FIXED 3

#define TLV_ALPN      0x01
#define TLV_AUTHORITY 0x02
#define TLV_TLS	      0x20
#define TLV_VERSION   0x21
#define TLV_NAME      0x22
#define TLV_CIPHER    0x23

#define CLIENT_TLS	    0x01
#define CLIENT_CERT_CONN    0x02
#define CLIENT_CERT_SESSION 0x04
/* client (1) and verify (4) */
#define TLS_FIXED 5

static bool begins_with(const uint8_t *bytes, size_t len, const uint8_t *start, size_t start_len)
{
	return memcmp(bytes, start, len < start_len ? len : start_len) == 0;
}

static enum proxy_parse fault(const char **ret_fault, const char *text)
{
	*ret_fault = text;
	return PROXY_PARSE_BAD;
}

/* --- version 1: a line --- */

static bool word_is(const struct ftp_cursor *word, const char *text)
{
	return word->len == strlen(text) && memcmp(word->bytes, text, word->len) == 0;
}

/* An address in the notation of this family. */
static bool parse_address(struct ftp_cursor *line, enum ip_family family, struct ip_addr *ret)
{
	struct ftp_cursor word;

	if (!ftp_cursor_field(line, ' ', &word) || ip_addr_parse((const char *)word.bytes, word.len, ret) < 0)
		return false;
	return ftp_cursor_find(&word, ':') == (family == IP_V6);
}

static bool parse_port(struct ftp_cursor *line, uint16_t *ret)
{
	size_t start = line->at;
	uint32_t port;

	if (!ftp_cursor_number(line, 5, UINT16_MAX, &port))
		return false;
	if (line->bytes[start] == '0' && line->at - start > 1)
		return false; /* the specification has no leading zeros */
	*ret = (uint16_t)port;
	return true;
}

/* The line after "PROXY ", without its CRLF. */
static bool parse_line(struct ftp_cursor *line, struct proxy_header *ret)
{
	struct ftp_cursor rest = *line; /* from its start, as parse_v1() makes it */
	struct ftp_cursor protocol;
	enum ip_family family;

	if (!ftp_cursor_field(line, ' ', &protocol)) {
		ret->own = word_is(&rest, "UNKNOWN");
		return ret->own;
	}
	if (word_is(&protocol, "UNKNOWN")) { /* the sender wants the rest of the line ignored */
		ret->own = true;
		return true;
	}
	if (word_is(&protocol, "TCP4"))
		family = IP_V4;
	else if (word_is(&protocol, "TCP6"))
		family = IP_V6;
	else
		return false;
	return parse_address(line, family, &ret->source.addr) &&
	       parse_address(line, family, &ret->destination.addr) && parse_port(line, &ret->source.port) &&
	       ftp_cursor_accept(line, ' ') && parse_port(line, &ret->destination.port) &&
	       ftp_cursor_at_end(line) && ret->source.addr.family == ret->destination.addr.family;
}

static enum proxy_parse parse_v1(const uint8_t *bytes, size_t len, struct proxy_header *ret,
				 const char **ret_fault)
{
	struct ftp_cursor all = ftp_cursor_make(bytes, len < PROXY_V1_MAX ? len : PROXY_V1_MAX);
	struct proxy_header header = { .own = false };
	struct ftp_cursor line;

	all.at = sizeof(v1_start);
	if (!ftp_cursor_field(&all, '\n', &line)) {
		if (len >= PROXY_V1_MAX)
			return fault(ret_fault, "a version 1 line that is too long");
		return PROXY_PARSE_MORE;
	}
	header.consumed = all.at;
	if (line.len == 0 || line.bytes[line.len - 1] != '\r')
		return fault(ret_fault, "a malformed version 1 line");
	line.len--;
	if (!parse_line(&line, &header))
		return fault(ret_fault, "a malformed version 1 line");
	*ret = header;
	return PROXY_PARSE_OK;
}

/* --- version 2: binary --- */

static bool take(struct ftp_cursor *c, uint8_t *ret, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int byte = ftp_cursor_next(c);

		if (byte == -1)
			return false;
		ret[i] = (uint8_t)byte;
	}
	return true;
}

static bool take_u16(struct ftp_cursor *c, uint16_t *ret)
{
	uint8_t bytes[2];

	if (!take(c, bytes, sizeof(bytes)))
		return false;
	*ret = (uint16_t)(bytes[0] << 8 | bytes[1]);
	return true;
}

/* Is the rest made of whole TLVs? */
static bool are_tlvs(struct ftp_cursor *block)
{
	uint16_t len;

	while (!ftp_cursor_at_end(block)) {
		(void)ftp_cursor_next(block); /* of any type */
		if (!take_u16(block, &len) || len > block->len - block->at)
			return false;
		block->at += len;
	}
	return true;
}

static bool take_endpoints(struct ftp_cursor *block, enum ip_family family, struct proxy_header *ret)
{
	size_t size = family == IP_V4 ? 4 : 16;
	uint8_t source[16], destination[16];

	if (!take(block, source, size) || !take(block, destination, size) ||
	    !take_u16(block, &ret->source.port) || !take_u16(block, &ret->destination.port))
		return false;
	ret->source.addr = ip_addr_make(family, source);
	ret->destination.addr = ip_addr_make(family, destination);
	return ret->source.addr.family == ret->destination.addr.family;
}

/* The block of addresses and TLVs. */
static bool parse_block(uint8_t family, struct ftp_cursor *block, struct proxy_header *ret)
{
	switch (family) {
	case V2_UNSPEC:
		ret->own = true;
		return true;
	case V2_TCP4:
		return take_endpoints(block, IP_V4, ret) && are_tlvs(block);
	case V2_TCP6:
		return take_endpoints(block, IP_V6, ret) && are_tlvs(block);
	default: /* datagrams and UNIX sockets, which carry no FTP; not an enum */
		return false;
	}
}

static enum proxy_parse parse_v2(const uint8_t *bytes, size_t len, struct proxy_header *ret,
				 const char **ret_fault)
{
	struct proxy_header header = { .own = false };
	struct ftp_cursor c = ftp_cursor_make(bytes, len);
	uint8_t command, family;
	uint16_t block_len;

	c.at = sizeof(v2_start);
	if (!take(&c, &command, 1))
		return PROXY_PARSE_MORE;
	if (command != V2_LOCAL && command != V2_PROXY) /* now: more bytes may never come */
		return fault(ret_fault, "an unknown version or command");
	if (!take(&c, &family, 1) || !take_u16(&c, &block_len))
		return PROXY_PARSE_MORE;
	header.consumed = c.at + block_len;
	if (header.consumed > PROXY_HEADER_MAX)
		return fault(ret_fault, "a version 2 header that is too long");
	if (len < header.consumed)
		return PROXY_PARSE_MORE;
	c.len = header.consumed;
	if (command == V2_LOCAL)
		header.own = true; /* the sender wants the block ignored */
	else if (!parse_block(family, &c, &header))
		return fault(ret_fault, "a malformed version 2 header");
	*ret = header;
	return PROXY_PARSE_OK;
}

enum proxy_parse proxy_header_parse(const uint8_t *bytes, size_t len, struct proxy_header *ret,
				    const char **ret_fault)
{
	if (len == 0)
		return PROXY_PARSE_MORE;
	if (begins_with(bytes, len, v1_start, sizeof(v1_start)))
		return len < sizeof(v1_start) ? PROXY_PARSE_MORE : parse_v1(bytes, len, ret, ret_fault);
	if (begins_with(bytes, len, v2_start, sizeof(v2_start)))
		return len < sizeof(v2_start) ? PROXY_PARSE_MORE : parse_v2(bytes, len, ret, ret_fault);
	return fault(ret_fault, "no header");
}

/* --- making a header --- */

size_t proxy_header_v1(const struct ip_endpoint *source, const struct ip_endpoint *destination,
		       uint8_t buf[static PROXY_HEADER_MAX])
{
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	bool same = source->addr.family == destination->addr.family && source->addr.family != IP_NONE;
	int len;

	if (same)
		len = snprintf((char *)buf, PROXY_HEADER_MAX, "PROXY TCP%d %s %s %u %u\r\n",
			       (int)source->addr.family, ip_addr_format(&source->addr, from),
			       ip_addr_format(&destination->addr, to), source->port, destination->port);
	else
		len = snprintf((char *)buf, PROXY_HEADER_MAX, "PROXY UNKNOWN\r\n");
	return (size_t)len;
}

struct writer {
	uint8_t *bytes; /* PROXY_HEADER_MAX of them */
	size_t len;
};

static void put(struct writer *w, const void *bytes, size_t len)
{
	memcpy(w->bytes + w->len, bytes, len);
	w->len += len;
}

static void put_u16_at(struct writer *w, size_t at, size_t value)
{
	w->bytes[at] = (uint8_t)(value >> 8);
	w->bytes[at + 1] = (uint8_t)value;
}

static void put_u16(struct writer *w, size_t value)
{
	put_u16_at(w, w->len, value);
	w->len += 2;
}

static void put_text(struct writer *w, uint8_t type, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (len == 0 || len > PROXY_HEADER_MAX - V2_TLV_FIXED ||
	    w->len > PROXY_HEADER_MAX - V2_TLV_FIXED - len)
		return;
	put(w, &type, 1);
	put_u16(w, len);
	put(w, text, len);
}

static void put_tls(struct writer *w, const struct proxy_facts *facts)
{
	size_t start = w->len;
	uint8_t fixed[V2_TLV_FIXED + TLS_FIXED] = { TLV_TLS, 0, 0, CLIENT_TLS, 0, 0, 0, 1 };

	if (facts->tls == NULL)
		return;
	if (facts->certificate)
		fixed[V2_TLV_FIXED] |= CLIENT_CERT_CONN | CLIENT_CERT_SESSION;
	if (facts->certificate && facts->verified)
		fixed[sizeof(fixed) - 1] = 0;
	if (w->len > PROXY_HEADER_MAX - sizeof(fixed))
		return;
	put(w, fixed, sizeof(fixed));
	put_text(w, TLV_VERSION, facts->tls);
	put_text(w, TLV_CIPHER, facts->cipher);
	if (facts->certificate)
		put_text(w, TLV_NAME, facts->common_name);
	put_u16_at(w, start + 1, w->len - start - V2_TLV_FIXED);
}

size_t proxy_header_v2(const struct ip_endpoint *source, const struct ip_endpoint *destination,
		       const struct proxy_facts *facts, uint8_t buf[static PROXY_HEADER_MAX])
{
	struct writer w = { .bytes = buf };
	enum ip_family family = source->addr.family;
	bool same = family == destination->addr.family && family != IP_NONE;
	size_t size = family == IP_V4 ? 4 : 16;
	uint8_t head[] = { V2_PROXY, V2_UNSPEC, 0, 0 };

	if (same)
		head[1] = family == IP_V4 ? V2_TCP4 : V2_TCP6;
	put(&w, v2_start, sizeof(v2_start));
	put(&w, head, sizeof(head));
	if (same) {
		put(&w, source->addr.bytes, size);
		put(&w, destination->addr.bytes, size);
		put_u16(&w, source->port);
		put_u16(&w, destination->port);
		put_tls(&w, facts);
		put_text(&w, TLV_AUTHORITY, facts->authority);
		put_text(&w, TLV_ALPN, facts->alpn);
	}
	put_u16_at(&w, V2_FIXED - 2, w.len - V2_FIXED);
	return w.len;
}
