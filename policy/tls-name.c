/*
 * The tables of groups (RFC 8446 4.2.7, RFC 7919, RFC 8422) and signature
 * algorithms (RFC 8446 4.2.3) under all their names. field_parse_tls_names() makes
 * a colon list of them, as OpenSSL takes it.
 */
#include "policy/tls-name.h"

#include <string.h>
#include <strings.h>

#include "policy/field.h"
#include "policy/member.h"
#include "policy/nelem.h"

#define SHORT "it is shorter than 256 bits"
#define SHA1  "it uses SHA-1"

static const struct tls_name groups[] = {
	{ "0019", "secp192r1", "P-192", SHORT },
	{ "0021", "secp224r1", "P-224", SHORT },
	{ "0023", "secp256r1", "P-256", NULL },
	{ "0024", "secp384r1", "P-384", NULL },
	{ "0025", "secp521r1", "P-521", NULL },
	{ "0029", "x25519", NULL, NULL },
	{ "0030", "x448", NULL, NULL },
	{ "0026", "brainpoolP256r1", NULL, NULL },
	{ "0027", "brainpoolP384r1", NULL, NULL },
	{ "0028", "brainpoolP512r1", NULL, NULL },
	{ "0031", "brainpoolP256r1tls13", NULL, NULL },
	{ "0032", "brainpoolP384r1tls13", NULL, NULL },
	{ "0033", "brainpoolP512r1tls13", NULL, NULL },
	{ "0256", "ffdhe2048", NULL, NULL },
	{ "0257", "ffdhe3072", NULL, NULL },
	{ "0258", "ffdhe4096", NULL, NULL },
	{ "0259", "ffdhe6144", NULL, NULL },
	{ "0260", "ffdhe8192", NULL, NULL },
	{ "0512", "MLKEM512", NULL, NULL },
	{ "0513", "MLKEM768", NULL, NULL },
	{ "0514", "MLKEM1024", NULL, NULL },
	{ "4587", "SecP256r1MLKEM768", NULL, NULL },
	{ "4588", "X25519MLKEM768", NULL, NULL },
	{ "4589", "SecP384r1MLKEM1024", NULL, NULL },
};

static const struct tls_name signatures[] = {
	{ "0101", "rsa_pkcs1_md5", "RSA+MD5", "it uses MD5" },
	{ "0201", "rsa_pkcs1_sha1", "RSA+SHA1", SHA1 },
	{ "0202", "dsa_sha1", "DSA+SHA1", SHA1 },
	{ "0203", "ecdsa_sha1", "ECDSA+SHA1", SHA1 },
	{ "0301", "rsa_pkcs1_sha224", "RSA+SHA224", SHORT },
	{ "0302", "dsa_sha224", "DSA+SHA224", SHORT },
	{ "0303", "ecdsa_sha224", "ECDSA+SHA224", SHORT },
	{ "0401", "rsa_pkcs1_sha256", "RSA+SHA256", NULL },
	{ "0501", "rsa_pkcs1_sha384", "RSA+SHA384", NULL },
	{ "0601", "rsa_pkcs1_sha512", "RSA+SHA512", NULL },
	{ "0403", "ecdsa_secp256r1_sha256", "ECDSA+SHA256", NULL },
	{ "0503", "ecdsa_secp384r1_sha384", "ECDSA+SHA384", NULL },
	{ "0603", "ecdsa_secp521r1_sha512", "ECDSA+SHA512", NULL },
	{ "0804", "rsa_pss_rsae_sha256", "RSA-PSS+SHA256", NULL },
	{ "0805", "rsa_pss_rsae_sha384", "RSA-PSS+SHA384", NULL },
	{ "0806", "rsa_pss_rsae_sha512", "RSA-PSS+SHA512", NULL },
	{ "0807", "ed25519", NULL, NULL },
	{ "0808", "ed448", NULL, NULL },
	{ "0809", "rsa_pss_pss_sha256", NULL, NULL },
	{ "080A", "rsa_pss_pss_sha384", NULL, NULL },
	{ "080B", "rsa_pss_pss_sha512", NULL, NULL },
	{ "081A", "ecdsa_brainpoolP256r1tls13_sha256", NULL, NULL },
	{ "081B", "ecdsa_brainpoolP384r1tls13_sha384", NULL, NULL },
	{ "081C", "ecdsa_brainpoolP512r1tls13_sha512", NULL, NULL },
	{ "0904", "mldsa44", NULL, NULL },
	{ "0905", "mldsa65", NULL, NULL },
	{ "0906", "mldsa87", NULL, NULL },
};

static const struct {
	const struct tls_name *names;
	size_t n;
	const char *what;
} tables[] = {
	[TLS_NAME_GROUP] = { groups, NELEM(groups), "group" },
	[TLS_NAME_SIGNATURE] = { signatures, NELEM(signatures), "signature algorithm" },
};

const struct tls_name *tls_name_at(enum tls_name_kind kind, size_t index)
{
	return index < tables[kind].n ? &tables[kind].names[index] : NULL;
}

static bool is_name(const char *name, const char *text)
{
	return name != NULL && strcasecmp(name, text) == 0;
}

const struct tls_name *tls_name_find(enum tls_name_kind kind, const char *text)
{
	const struct tls_name *name;

	for (size_t i = 0; (name = tls_name_at(kind, i)) != NULL; i++)
		if (is_name(name->zos, text) || is_name(name->iana, text) || is_name(name->openssl, text))
			return name;
	/* OpenSSL has two names for this curve */
	return kind == TLS_NAME_GROUP && is_name("prime256v1", text) ? tls_name_find(kind, "0023") : NULL;
}

static const struct tls_name *parse_name(struct parse_context *ctx, const struct field *f,
					 const struct node *n, enum tls_name_kind kind)
{
	const char *known[NELEM(groups) + NELEM(signatures) + 1] = { NULL };
	const struct tls_name *name;
	size_t count = 0;

	if (!field_is_scalar(ctx, f, n))
		return NULL;
	name = tls_name_find(kind, n->text);
	if (name != NULL && name->refusal == NULL)
		return name;
	for (size_t i = 0; i < tables[kind].n; i++)
		if (tables[kind].names[i].refusal == NULL)
			known[count++] = tables[kind].names[i].iana;
	if (name != NULL)
		parse_error(ctx, DIAG_REFUSED_TLS_NAME, n->mark, "\"%.60s\" (%s) is refused: %s; remove it",
			    n->text, name->iana, name->refusal);
	else if (strchr(n->text, ':') != NULL)
		parse_error(ctx, DIAG_COLON_LIST, n->mark,
			    "\"%s\" must be a list of names, [ A, B ], not OpenSSL's colon list", f->key);
	else
		parse_error(ctx, DIAG_UNKNOWN_TLS_NAME, n->mark, "\"%.60s\" is not a known %s%s", n->text,
			    tables[kind].what, parse_hint(ctx, n->text, known));
	return NULL;
}

void field_parse_tls_names(struct parse_context *ctx, const struct field *f, const struct node *n,
			   void *object)
{
	enum tls_name_kind kind = f->type == FIELD_GROUPS ? TLS_NAME_GROUP : TLS_NAME_SIGNATURE;
	size_t longest = 0;
	char *text;
	char *end;

	if (!field_is_list(ctx, f, n, false))
		return;
	for (size_t i = 0; i < tables[kind].n; i++)
		if (strlen(tables[kind].names[i].iana) > longest)
			longest = strlen(tables[kind].names[i].iana);
	text = arena_alloc(ctx->arena, node_list_count(n), longest + strlen(":") + 1);
	if (text == NULL)
		return;
	end = text;
	for (const struct node *item = node_list_first(n); item != NULL; item = node_list_next(n, item)) {
		const struct tls_name *name = parse_name(ctx, f, item, kind);

		if (name == NULL)
			continue;
		if (end != text)
			end = stpcpy(end, ":");
		end = stpcpy(end, name->iana);
	}
	*(const char **)member_of(object, f->offset) = text;
}
