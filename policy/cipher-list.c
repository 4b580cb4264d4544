/*
 * Parses the lists `ciphers` (TLS 1.2) and `ciphersuites` (TLS 1.3). A cipher may
 * have any of the names in cipher.c's table; what is stored is OpenSSL's name,
 * joined with colons, as its API takes it. Weak ciphers are refused by name.
 */
#include "policy/field.h"

#include <string.h>

#include "policy/cipher.h"
#include "policy/member.h"

static void refuse_unknown(struct parse_context *ctx, const struct field *f, const struct node *n)
{
	const char *weak = cipher_weakness(n->text);
	const char **names;
	size_t total = 0;
	size_t count = 0;

	if (strchr(n->text, ':') != NULL) {
		parse_error(ctx, DIAG_COLON_LIST, n->mark,
			    "\"%s\" must be a list of names, [ A, B ], not OpenSSL's colon list", f->key);
		return;
	}
	if (weak != NULL) {
		parse_error(ctx, DIAG_WEAK_CIPHER, n->mark,
			    "\"%.60s\" is too weak (%s) and is refused; remove it", n->text, weak);
		return;
	}
	while (cipher_at(total) != NULL)
		total++;
	names = arena_alloc(ctx->scratch, 2 * total + 1, sizeof(*names));
	if (names == NULL)
		return;
	for (size_t i = 0; i < total; i++) {
		const struct cipher *c = cipher_at(i);

		if (c->openssl == NULL || !cipher_encrypts(c) ||
		    cipher_is_tls13(c) != (f->type == FIELD_SUITES))
			continue;
		names[count++] = c->openssl;
		names[count++] = c->iana;
	}
	parse_error(ctx, DIAG_UNKNOWN_CIPHER, n->mark, "\"%.60s\" is not a known cipher%s", n->text,
		    parse_hint(ctx, n->text, names));
}

/* Reports a fault and returns NULL when the cipher does not belong in this list. */
static const struct cipher *parse_cipher(struct parse_context *ctx, const struct field *f,
					 const struct node *n)
{
	const struct cipher *cipher;

	if (!field_is_scalar(ctx, f, n))
		return NULL;
	cipher = cipher_find(n->text);
	if (cipher == NULL) {
		refuse_unknown(ctx, f, n);
		return NULL;
	}
	if (cipher->openssl == NULL) {
		parse_error(ctx, DIAG_WEAK_CIPHER, n->mark,
			    "\"%.60s\" (%s) is too weak (%s) and is refused; remove it", n->text,
			    cipher->iana, cipher_weakness(cipher->iana));
		return NULL;
	}
	if (cipher_is_tls13(cipher) != (f->type == FIELD_SUITES)) {
		parse_error(ctx, DIAG_WRONG_VERSION_CIPHER, n->mark,
			    "\"%.60s\" is a cipher of TLS %s; move it to \"%s\"", n->text,
			    cipher_is_tls13(cipher) ? "1.3" : "1.2",
			    cipher_is_tls13(cipher) ? "ciphersuites" : "ciphers");
		return NULL;
	}
	if (!cipher_encrypts(cipher))
		diags_add(
		    ctx->diags, DIAG_WARNING, DIAG_NULL_CIPHER, n->mark,
		    "\"%.60s\" does not encrypt: anyone on the network path can read passwords and files",
		    n->text);
	return cipher;
}

void field_parse_ciphers(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	const struct cipher **list;
	size_t count = 0;
	size_t size = 1;
	char *text;
	char *end;

	if (!field_is_list(ctx, f, n, false))
		return;
	list = arena_alloc(ctx->scratch, node_list_count(n), sizeof(*list));
	for (const struct node *item = node_list_first(n); item != NULL && list != NULL;
	     item = node_list_next(n, item)) {
		list[count] = parse_cipher(ctx, f, item);
		if (list[count] == NULL)
			continue;
		if (!cipher_encrypts(list[count]))
			*(bool *)member_of(object, f->flag_offset) = true;
		size += strlen(list[count]->openssl) + strlen(":");
		count++;
	}
	text = arena_alloc(ctx->arena, size, 1);
	if (text == NULL || list == NULL)
		return;
	end = text;
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			end = stpcpy(end, ":");
		end = stpcpy(end, list[i]->openssl);
	}
	*(const char **)member_of(object, f->offset) = text;
}
