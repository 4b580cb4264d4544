/*
 * Parses a distinguished name. The policy's subjects are text and a certificate's
 * is DER: both become an X509_NAME here, so that OpenSSL compares like with like.
 */
#include "gateway/tls/identity-name.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/util.h"

/* More attributes than any subject has; policy texts are 1024 bytes at most. */
#define NAME_PARTS_MAX 64
#define NAME_VALUE_MAX 1024
#define NAME_TYPE_MAX  64

/* One attribute: CN=user1. */
struct part {
	X509_NAME_ENTRY *entry;
	bool same_rdn; /* a '+' stands before it */
};

struct parser {
	const char *at;
	struct part parts[NAME_PARTS_MAX];
	size_t nparts;
};

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, " ");
}

/* Names of attributes as people and RFC 2253 write them, and OpenSSL's names. */
static const char *short_name(const char *type)
{
	static const char *const names[][2] = {
		{ "CN", "CN" },
		{ "C", "C" },
		{ "L", "L" },
		{ "ST", "ST" },
		{ "S", "ST" },
		{ "SP", "ST" },
		{ "O", "O" },
		{ "OU", "OU" },
		{ "DC", "DC" },
		{ "UID", "UID" },
		{ "STREET", "street" },
		{ "E", "emailAddress" },
		{ "EMAIL", "emailAddress" },
		{ "EMAILADDRESS", "emailAddress" },
		{ "T", "title" },
		{ "TITLE", "title" },
		{ "SN", "SN" },
		{ "GN", "GN" },
		{ "SERIALNUMBER", "serialNumber" },
	};

	for (size_t i = 0; i < NELEM(names); i++)
		if (strcasecmp(names[i][0], type) == 0)
			return names[i][1];
	return type;
}

static ASN1_OBJECT *parse_type(struct parser *p)
{
	size_t len = strcspn(p->at, "=,;+\"\\#<> ");
	char type[NAME_TYPE_MAX];
	size_t skip = len > 4 && strncasecmp(p->at, "OID.", 4) == 0 ? 4 : 0;

	if (len == 0 || len >= sizeof(type))
		return NULL;
	memcpy(type, p->at + skip, len - skip);
	type[len - skip] = '\0';
	p->at += len;
	skip_blanks(p);
	if (*p->at != '=')
		return NULL;
	p->at++;
	skip_blanks(p);
	return OBJ_txt2obj(short_name(type), 0);
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *digit = c != '\0' ? strchr(digits, c) : NULL;
	int value = digit != NULL ? (int)(digit - digits) : -1;

	return value < 16 ? value : value - 6;
}

/* Two hex digits, or -1. */
static int hex_byte(const char *text)
{
	int high = hex_digit(text[0]);
	int low = high == -1 ? -1 : hex_digit(text[1]);

	return low == -1 ? -1 : 16 * high + low;
}

/* Parse the part after a backslash: one special character, or a byte in hex. -1: neither. */
static int parse_escape(struct parser *p)
{
	int byte = hex_byte(p->at);

	if (byte != -1) {
		p->at += 2;
		return byte;
	}
	if (*p->at == '\0' || strchr(",=+<>#;\"\\ ", *p->at) == NULL)
		return -1;
	return (unsigned char)*p->at++;
}

/*
 * A value as a string or in quotes, into the buffer; blanks around it do not
 * belong to it. Its length, or -1.
 */
static int parse_string(struct parser *p, uint8_t buf[static NAME_VALUE_MAX])
{
	bool quoted = *p->at == '"';
	size_t len = 0;
	size_t kept = 0; /* up to the last byte that is not a bare blank */

	p->at += quoted;
	while (*p->at != '\0' && (quoted ? *p->at != '"' : strchr(",;+", *p->at) == NULL)) {
		bool blank = *p->at == ' ' && !quoted;
		int byte = (unsigned char)*p->at++;

		if (byte == '\\')
			byte = parse_escape(p);
		else if (!quoted && (byte == '"' || byte == '<' || byte == '>'))
			return -1;
		if (byte <= 0 || len == NAME_VALUE_MAX) /* NUL: it would end the name for others */
			return -1;
		buf[len++] = (uint8_t)byte;
		if (!blank)
			kept = len;
	}
	if (quoted && *p->at++ != '"')
		return -1;
	skip_blanks(p);
	return (int)kept;
}

/* A value as #hex, which is its encoding in BER. */
static X509_NAME_ENTRY *parse_encoded(struct parser *p, const ASN1_OBJECT *type)
{
	uint8_t buf[NAME_VALUE_MAX];
	const uint8_t *bytes = buf;
	X509_NAME_ENTRY *entry = NULL;
	ASN1_TYPE *value;
	uint8_t *utf8 = NULL;
	long len = 0;
	int byte;

	p->at++;
	while (len < NAME_VALUE_MAX && (byte = hex_byte(p->at)) != -1) {
		buf[len++] = (uint8_t)byte;
		p->at += 2;
	}
	skip_blanks(p);
	value = d2i_ASN1_TYPE(NULL, &bytes, len);
	if (value != NULL && bytes == buf + len &&
	    (ASN1_tag2bit(value->type) & (B_ASN1_DIRECTORYSTRING)) != 0) {
		int n = ASN1_STRING_to_UTF8(&utf8, value->value.asn1_string);

		if (n > 0 && memchr(utf8, 0, (size_t)n) == NULL)
			entry = X509_NAME_ENTRY_create_by_OBJ(NULL, type, V_ASN1_UTF8STRING, utf8, n);
	}
	OPENSSL_free(utf8);
	ASN1_TYPE_free(value);
	return entry;
}

/*
 * Every value becomes a UTF8String: names are compared in a form that is the
 * same for all types of strings.
 */
static X509_NAME_ENTRY *parse_value(struct parser *p, const ASN1_OBJECT *type)
{
	uint8_t buf[NAME_VALUE_MAX];
	int len;

	if (*p->at == '#')
		return parse_encoded(p, type);
	len = parse_string(p, buf);
	if (len <= 0)
		return NULL;
	return X509_NAME_ENTRY_create_by_OBJ(NULL, type, V_ASN1_UTF8STRING, buf, len);
}

static int parse_part(struct parser *p, bool same_rdn)
{
	X509_NAME_ENTRY *entry = NULL;
	ASN1_OBJECT *type;

	skip_blanks(p);
	type = parse_type(p);
	if (type != NULL)
		entry = parse_value(p, type);
	ASN1_OBJECT_free(type);
	if (entry == NULL)
		return -EINVAL;
	p->parts[p->nparts++] = (struct part){ .entry = entry, .same_rdn = same_rdn };
	return 0;
}

static int parse_parts(struct parser *p)
{
	bool same_rdn = false;

	for (;;) {
		if (p->nparts == NAME_PARTS_MAX || parse_part(p, same_rdn) < 0)
			return -EINVAL;
		if (*p->at == '\0')
			return 0;
		if (strchr(",;+", *p->at) == NULL)
			return -EINVAL;
		same_rdn = *p->at++ == '+';
	}
}

/* The text names the last first (RFC 2253 2.1), the name itself does not. */
static int build(const struct parser *p, X509_NAME *name)
{
	size_t end = p->nparts;

	while (end > 0) {
		size_t start = end - 1;

		while (p->parts[start].same_rdn)
			start--;
		for (size_t i = start; i < end; i++)
			if (X509_NAME_add_entry(name, p->parts[i].entry, -1, i == start ? 0 : -1) != 1)
				return -ENOMEM;
		end = start;
	}
	/* Compute the form for comparison now: it fails on what is not UTF-8. */
	return i2d_X509_NAME(name, NULL) > 0 ? 0 : -EINVAL;
}

int identity_name_parse(const char *text, X509_NAME **ret_name)
{
	struct parser p = { .at = text };
	X509_NAME *name = X509_NAME_new();
	int r = name != NULL ? parse_parts(&p) : -ENOMEM;

	if (r == 0)
		r = build(&p, name);
	for (size_t i = 0; i < p.nparts; i++)
		X509_NAME_ENTRY_free(p.parts[i].entry);
	if (r == 0) {
		*ret_name = name;
		name = NULL;
	}
	X509_NAME_free(name);
	ERR_clear_error();
	return r;
}
