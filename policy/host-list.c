/*
 * Parses what a server is known by: host names, and pins, which are fingerprints of
 * its certificate or public key.
 */
#include "policy/field.h"

#include <string.h>

#include "policy/member.h"
#include "policy/value.h"

#define SHA256_HEX 64

static bool is_address(const struct node *n)
{
	struct ip_addr addr;

	return ip_addr_parse(n->text, n->len, &addr) == 0;
}

void field_parse_host(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	if (!field_is_scalar(ctx, f, n))
		return;
	if (value_is_host(n->text, n->len) || is_address(n))
		*(const char **)member_of(object, f->offset) = arena_strndup(ctx->arena, n->text, n->len);
	else
		parse_error(ctx, DIAG_BAD_ADDRESS, n->mark,
			    "\"%s\" must be a host name or an address, not \"%.60s\"", f->key, n->text);
}

void field_parse_hosts(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	struct policy_host *hosts;
	size_t i = 0;

	if (!field_is_list(ctx, f, n, false))
		return;
	hosts = arena_alloc(ctx->arena, node_list_count(n), sizeof(*hosts));
	if (hosts == NULL)
		return;
	for (const struct node *item = node_list_first(n); item != NULL; item = node_list_next(n, item)) {
		if (!field_is_scalar(ctx, f, item))
			continue;
		hosts[i].mark = item->mark;
		if (value_is_host(item->text, item->len))
			hosts[i++].name = arena_strndup(ctx->arena, item->text, item->len);
		else
			parse_error(ctx, DIAG_BAD_ADDRESS, item->mark,
				    "\"%s\" must be host names, not \"%.60s\"%s", f->key, item->text,
				    is_address(item) ? "; use local_addr for addresses" : "");
	}
	*(struct policy_host **)member_of(object, f->offset) = hosts;
	*(size_t *)member_of(object, f->count_offset) = i;
}

/* Remove colons and make the digits small. Returns NULL unless this is a SHA-256. */
static const char *make_pin(struct parse_context *ctx, const struct node *n)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	char *pin = arena_alloc(ctx->arena, SHA256_HEX + 1, 1);
	size_t len = 0;

	for (size_t i = 0; i < n->len && pin != NULL; i++) {
		const char *digit = memchr(digits, n->text[i], sizeof(digits) - 1);

		/* as openssl prints it: a colon after each byte but the last */
		if (n->text[i] == ':' && len % 2 == 0 && len > 0 && n->text[i - 1] != ':' && i + 1 < n->len)
			continue;
		if (digit == NULL || len == SHA256_HEX)
			return NULL;
		pin[len++] = digits[(digit - digits) % 16];
	}
	return len == SHA256_HEX ? pin : NULL;
}

void field_parse_pins(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	const char **pins;
	size_t i = 0;

	if (!field_is_list(ctx, f, n, false))
		return;
	pins = arena_alloc(ctx->arena, node_list_count(n), sizeof(*pins));
	if (pins == NULL)
		return;
	for (const struct node *item = node_list_first(n); item != NULL; item = node_list_next(n, item)) {
		if (!field_is_scalar(ctx, f, item))
			continue;
		pins[i] = make_pin(ctx, item);
		if (pins[i] != NULL)
			i++;
		else if (!ctx->arena->failed)
			parse_error(ctx, DIAG_BAD_PIN, item->mark,
				    "\"%s\" must be SHA-256 fingerprints of 64 hexadecimal digits, not "
				    "\"%.100s\"",
				    f->key, item->text);
	}
	*(const char ***)member_of(object, f->offset) = pins;
	*(size_t *)member_of(object, f->count_offset) = i;
}
