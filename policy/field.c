/*
 * Parses single values and lists of values, one function for each type of the
 * tables; walk.c chooses the function. Types that need more code have files of
 * their own: reference.c, cipher-list.c and command-list.c. value.c knows the
 * syntax of a value, this file its limits and the messages.
 */
#include "policy/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "policy/key-uri.h"
#include "policy/member.h"
#include "policy/value.h"

#define WORDS_MAX 16
#define MS_PER_S  1000

bool field_is_scalar(struct parse_context *ctx, const struct field *f, const struct node *n)
{
	if (n->kind == NODE_BAD)
		ctx->faults++;
	else if (n->kind != NODE_SCALAR)
		parse_error(ctx, DIAG_NOT_A_VALUE, n->mark, "\"%s\" must be a single value", f->key);
	else if (n->len == 0)
		parse_error(ctx, DIAG_NO_VALUE, n->mark, "\"%s\" has no value; give one or remove the key",
			    f->key);
	else
		return true;
	return false;
}

bool field_is_list(struct parse_context *ctx, const struct field *f, const struct node *n, bool empty_ok)
{
	if (n->kind == NODE_SCALAR)
		return field_is_scalar(ctx, f, n);
	if (n->kind == NODE_BAD)
		ctx->faults++;
	else if (n->kind != NODE_SEQUENCE)
		parse_error(ctx, DIAG_NOT_A_LIST, n->mark, "\"%s\" must be a list: [ a, b ]", f->key);
	else if (n->count == 0 && !empty_ok)
		parse_error(ctx, DIAG_EMPTY_LIST, n->mark,
			    "\"%s\" is an empty list; add an entry or remove the key", f->key);
	else
		return true;
	return false;
}

/* The accepted words as "a, b, c". */
static const char *list_words(struct parse_context *ctx, const struct word *words)
{
	size_t size = 1;
	char *text;
	char *end;

	for (const struct word *word = words; word->text != NULL; word++)
		size += strlen(word->text) + strlen(", ");
	text = arena_alloc(ctx->scratch, size, 1);
	end = text;
	for (const struct word *word = words; word->text != NULL && text != NULL; word++) {
		if (word->refusal != NULL)
			continue;
		if (end != text)
			end = stpcpy(end, ", ");
		end = stpcpy(end, word->text);
	}
	return text != NULL ? text : "";
}

/* Reports a fault and returns NULL when the text is not one of the words. */
static const struct word *find_word(struct parse_context *ctx, const struct field *f, const struct node *n)
{
	const char *candidates[WORDS_MAX + 1] = { NULL };
	size_t ncandidates = 0;

	if (!field_is_scalar(ctx, f, n))
		return NULL;
	for (const struct word *word = f->words; word->text != NULL; word++) {
		if (strcasecmp(word->text, n->text) == 0 && word->refusal != NULL) {
			parse_error(ctx, DIAG_REFUSED_WORD, n->mark, "\"%s\" cannot be %s: %s", f->key,
				    word->text, word->refusal);
			return NULL;
		}
		if (strcasecmp(word->text, n->text) == 0)
			return word;
		if (word->refusal == NULL && ncandidates < WORDS_MAX)
			candidates[ncandidates++] = word->text;
	}
	parse_error(ctx, DIAG_BAD_WORD, n->mark, "\"%s\" must be %s%s%s", f->key,
		    ncandidates > 1 ? "one of: " : "", list_words(ctx, f->words),
		    parse_hint(ctx, n->text, candidates));
	return NULL;
}

void field_parse_enum(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	const struct word *word = find_word(ctx, f, n);

	if (word != NULL)
		member_store_uint(object, f, word->value);
}

void field_parse_set(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	unsigned bits = 0;

	if (!field_is_list(ctx, f, n, f->min == 0))
		return;
	for (const struct node *item = node_list_first(n); item != NULL; item = node_list_next(n, item)) {
		const struct word *word = find_word(ctx, f, item);

		if (word != NULL)
			bits |= word->value;
	}
	member_store_uint(object, f, bits);
}

void field_parse_uint(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	uint64_t value;

	if (!field_is_scalar(ctx, f, n))
		return;
	for (const struct word *word = f->words; word != NULL && word->text != NULL; word++) {
		if (strcasecmp(word->text, n->text) == 0) {
			member_store_uint(object, f, word->value);
			return;
		}
	}
	if (value_uint(n->text, n->len, &value) == 0 && value >= f->min && value <= f->max)
		member_store_uint(object, f, value);
	else if (f->min == f->max)
		parse_error(ctx, DIAG_BAD_NUMBER, n->mark, "\"%s\" must be %" PRIu64, f->key, f->min);
	else
		parse_error(ctx, DIAG_BAD_NUMBER, n->mark,
			    "\"%s\" must be %s%sa number from %" PRIu64 " to %" PRIu64, f->key,
			    f->words != NULL ? f->words->text : "", f->words != NULL ? " or " : "", f->min,
			    f->max);
}

void field_parse_bool(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	bool value;

	if (!field_is_scalar(ctx, f, n))
		return;
	if (value_bool(n->text, n->len, &value) == 0)
		member_store_uint(object, f, value);
	else
		parse_error(ctx, DIAG_BAD_BOOLEAN, n->mark, "\"%s\" must be true or false", f->key);
}

void field_parse_duration(struct parse_context *ctx, const struct field *f, const struct node *n,
			  void *object)
{
	const char *unit = f->bare_unit_ms == MS_PER_S ? "s" : "m";
	uint64_t scale = f->bare_unit_ms / f->unit_ms; /* for messages */
	uint64_t ms = UINT64_MAX;
	uint64_t value;

	if (!field_is_scalar(ctx, f, n))
		return;
	if (value_duration(n->text, n->len, f->bare_unit_ms, &ms) == -EINVAL) {
		parse_error(
		    ctx, DIAG_BAD_DURATION, n->mark,
		    "\"%s\" must be a duration such as 500ms, 30s, 5m, 1h (a number without a unit means %s)",
		    f->key, f->bare_unit_ms == MS_PER_S ? "seconds" : "minutes");
		return;
	}
	value = ms / f->unit_ms;
	if ((value < f->min || value > f->max) && !(ms == 0 && f->zero_ok))
		parse_error(ctx, DIAG_BAD_DURATION, n->mark,
			    "\"%s\" must be %sfrom %" PRIu64 "%s to %" PRIu64 "%s", f->key,
			    f->zero_ok ? "0 or " : "", f->min / scale, unit, f->max / scale, unit);
	else if (ms % f->unit_ms != 0)
		parse_error(ctx, DIAG_BAD_DURATION, n->mark, "\"%s\" must be a whole number of %s", f->key,
			    f->bare_unit_ms == MS_PER_S ? "seconds" : "minutes");
	else
		member_store_uint(object, f, value);
}

static void store_string(struct parse_context *ctx, const struct field *f, const struct node *n, void *object,
			 const char *text)
{
	size_t len = strlen(text);

	if (len < f->min || len > f->max)
		parse_error(ctx, DIAG_BAD_LENGTH, n->mark,
			    "\"%s\" must have %" PRIu64 " to %" PRIu64 " characters", f->key, f->min, f->max);
	else
		*(const char **)member_of(object, f->offset) = arena_strndup(ctx->arena, text, len);
}

void field_parse_string(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	if (field_is_scalar(ctx, f, n))
		store_string(ctx, f, n, object, n->text);
}

void field_parse_path(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	size_t folder_len = strlen(ctx->folder);
	char *path;
	char *end;

	if (!field_is_scalar(ctx, f, n))
		return;
	for (const struct word *word = f->words; word != NULL && word->text != NULL; word++)
		if (strcmp(n->text, word->text) == 0) {
			if (word->value != 0)
				store_string(ctx, f, n, object, word->text);
			return;
		}
	if (strncmp(n->text, POLICY_KEY_URI, strlen(POLICY_KEY_URI)) == 0) {
		parse_error(ctx, DIAG_BAD_TOKEN_URI, n->mark,
			    "\"%s\" must be a file; only \"key\" can be in a PKCS #11 token", f->key);
		return;
	}
	if (n->text[0] == '/' || folder_len == 0) {
		store_string(ctx, f, n, object, n->text);
		return;
	}
	path = arena_alloc(ctx->scratch, folder_len + n->len + 2, 1);
	if (path == NULL)
		return;
	end = stpcpy(path, ctx->folder);
	if (end[-1] != '/')
		end = stpcpy(end, "/");
	stpcpy(end, n->text);
	store_string(ctx, f, n, object, path);
}

/* Without a folder before it. What it means is checked with the other keys: rule-keyring.c. */
void field_parse_key(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	if (n->kind == NODE_SCALAR && strncmp(n->text, POLICY_KEY_URI, strlen(POLICY_KEY_URI)) == 0)
		field_parse_string(ctx, f, n, object);
	else
		field_parse_path(ctx, f, n, object);
}

void field_parse_trust(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	/* z/OS's virtual key ring of all certificate authorities */
	if (n->kind == NODE_SCALAR && strcmp(n->text, "*AUTH*/*") == 0)
		*(bool *)member_of(object, f->flag_offset) = true;
	else
		field_parse_path(ctx, f, n, object);
}

void field_parse_name(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	if (!field_is_scalar(ctx, f, n))
		return;
	if (value_is_long_name(n->text, n->len, f->max))
		*(const char **)member_of(object, f->offset) = arena_strndup(ctx->arena, n->text, n->len);
	else
		parse_error(ctx, DIAG_BAD_NAME, n->mark,
			    "\"%s\" must be a name: 1 to %" PRIu64 " letters, digits and _ . -", f->key,
			    f->max);
}

void field_parse_port_range(struct parse_context *ctx, const struct field *f, const struct node *n,
			    void *object)
{
	struct port_range range;
	int r;

	if (!field_is_scalar(ctx, f, n))
		return;
	r = value_port_range(n->text, n->len, &range);
	if (r == 0 && range.low >= f->min && range.high <= f->max)
		*(struct port_range *)member_of(object, f->offset) = range;
	else if (r == -EINVAL)
		parse_error(ctx, DIAG_BAD_PORTS, n->mark, "\"%s\" must be two ports: low-high or (low,high)",
			    f->key);
	else
		parse_error(ctx, DIAG_BAD_PORTS, n->mark,
			    "\"%s\" must be two ports from %" PRIu64 " to %" PRIu64 ", the lower one first",
			    f->key, f->min, f->max);
}

/* The name after "interface:", or NULL. */
static const char *parse_interface(struct parse_context *ctx, const struct node *n)
{
	static const char prefix[] = "interface:";
	const size_t prefix_len = sizeof(prefix) - 1;

	if (n->len <= prefix_len || strncasecmp(n->text, prefix, prefix_len) != 0)
		return NULL;
	return arena_strndup(ctx->arena, n->text + prefix_len, n->len - prefix_len);
}

/* Store an address in the member of its family. Returns false if the text is none. */
static bool parse_either(struct parse_context *ctx, const struct field *f, const struct node *n,
			 const char *purpose, struct ip_addr *v4, struct ip_addr *v6)
{
	struct ip_addr addr;

	if (ip_addr_parse(n->text, n->len, &addr) < 0)
		return false;
	if (ip_addr_is_any(&addr))
		parse_error(ctx, DIAG_BAD_ADDRESS, n->mark, "\"%s\" must be an address %s, not \"%.60s\"",
			    f->key, purpose, n->text);
	else
		*(addr.family == IP_V4 ? v4 : v6) = addr;
	return true;
}

void field_parse_advertise(struct parse_context *ctx, const struct field *f, const struct node *n,
			   void *object)
{
	struct policy_advertise *entry = object;

	if (!field_is_scalar(ctx, f, n) ||
	    parse_either(ctx, f, n, "that clients can connect to", &entry->v4, &entry->v6))
		return;
	entry->interface = parse_interface(ctx, n);
	if (entry->interface != NULL)
		return;
	if (value_is_host(n->text, n->len))
		entry->host = arena_strndup(ctx->arena, n->text, n->len);
	else
		parse_error(ctx, DIAG_BAD_ADDRESS, n->mark,
			    "\"%s\" must be an address, interface:NAME or a host name, not \"%.60s\"", f->key,
			    n->text);
}

void field_parse_source(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	struct policy_backend *backend = object;

	if (!field_is_scalar(ctx, f, n))
		return;
	for (const struct word *word = f->words; word->text != NULL; word++)
		if (strcasecmp(word->text, n->text) == 0) {
			member_store_uint(object, f, word->value);
			return;
		}
	backend->source = BACKEND_SOURCE_ADDRESS;
	if (parse_either(ctx, f, n, "of this host", &backend->source_v4, &backend->source_v6))
		return;
	backend->source_interface = parse_interface(ctx, n);
	if (backend->source_interface == NULL)
		parse_error(ctx, DIAG_BAD_ADDRESS, n->mark,
			    "\"%s\" must be gateway, client, an address or interface:NAME, not \"%.60s\"",
			    f->key, n->text);
}

void field_parse_endpoint(struct parse_context *ctx, const struct field *f, const struct node *n,
			  void *object)
{
	if (!field_is_scalar(ctx, f, n) || (f->words != NULL && strcasecmp(n->text, f->words->text) == 0))
		return;
	if (value_endpoint(n->text, n->len, member_of(object, f->offset)) < 0)
		parse_error(
		    ctx, DIAG_BAD_ADDRESS, n->mark,
		    "\"%s\" must be address:port or \"[IPv6 address]:port\" with a port from 0 to 65535%s%s, "
		    "not \"%.60s\"",
		    f->key, f->words != NULL ? ", or " : "", f->words != NULL ? f->words->text : "", n->text);
}

void field_parse_http(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	struct policy_http *http = member_of(object, f->offset);

	if (!field_is_scalar(ctx, f, n) || strcasecmp(n->text, f->words->text) == 0)
		return;
	if (n->text[0] == '/' && n->len <= f->max)
		http->path = arena_strndup(ctx->arena, n->text, n->len);
	else if (n->text[0] == '/')
		parse_error(ctx, DIAG_BAD_LENGTH, n->mark, "\"%s\" must have at most %" PRIu64 " characters",
			    f->key, f->max);
	else if (value_endpoint(n->text, n->len, &http->endpoint) < 0)
		parse_error(ctx, DIAG_BAD_ADDRESS, n->mark,
			    "\"%s\" must be address:port, the path of a socket that starts with a slash, or "
			    "none, not \"%.60s\"",
			    f->key, n->text);
}

static void parse_server(struct parse_context *ctx, const struct field *f, const struct node *n,
			 struct policy_server *server)
{
	const char *host;
	size_t host_len;

	/* without a port, it is that of implicit TLS; rule-server.c refuses it elsewhere */
	if (value_host_port(n->text, n->len, &host, &host_len, &server->endpoint) == 0
		? server->endpoint.port == 0
		: value_bare_host(n->text, n->len, &host, &host_len, &server->endpoint.addr) < 0) {
		parse_error(ctx, DIAG_BAD_ADDRESS, n->mark,
			    "\"%s\" must be host:port, \"[IPv6 address]:port\" or original, "
			    "with a port from 1 to 65535, not \"%.60s\"",
			    f->key, n->text);
		return;
	}
	server->text = arena_strndup(ctx->arena, n->text, n->len);
	server->host = arena_strndup(ctx->arena, host, host_len);
}

void field_parse_server(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	struct policy_server *server = object;

	if (!field_is_scalar(ctx, f, n))
		return;
	server->mark = n->mark;
	if (strcasecmp(n->text, "original") == 0 ||
	    strncasecmp(n->text, "original:", strlen("original:")) == 0)
		parse_error(ctx, DIAG_BAD_ADDRESS, n->mark,
			    "\"original\" is one server, for \"address\" only");
	else
		parse_server(ctx, f, n, server);
}

void field_parse_backend(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	struct policy_backend *backend = object;
	struct policy_server *server;
	const char *host;
	size_t host_len;

	if (!field_is_scalar(ctx, f, n))
		return;
	server = arena_alloc(ctx->arena, 1, sizeof(*server));
	if (server == NULL)
		return;
	server->mark = n->mark;
	backend->servers = server;
	backend->nservers = 1;
	if (strcasecmp(n->text, "original") == 0) {
		backend->original = true;
		return;
	}
	if (strncasecmp(n->text, "original:", strlen("original:")) == 0) {
		/* the address that the client dialled, with this port */
		if (value_host_port(n->text, n->len, &host, &host_len, &server->endpoint) < 0 ||
		    server->endpoint.port == 0)
			parse_error(ctx, DIAG_BAD_ADDRESS, n->mark,
				    "\"%s\": original:port needs a port from 1 to 65535", f->key);
		backend->original = true;
		return;
	}
	parse_server(ctx, f, n, server);
}

void field_parse_nets(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	struct ip_range *ranges;
	size_t i = 0;

	if (!field_is_list(ctx, f, n, false))
		return;
	ranges = arena_alloc(ctx->arena, node_list_count(n), sizeof(*ranges));
	if (ranges == NULL)
		return;
	for (const struct node *item = node_list_first(n); item != NULL; item = node_list_next(n, item)) {
		int r;

		if (!field_is_scalar(ctx, f, item))
			continue;
		r = ip_range_parse(item->text, item->len, &ranges[i]);
		if (r == 0)
			i++;
		else if (r == -ERANGE)
			parse_error(ctx, DIAG_BAD_NETWORK, item->mark,
				    "\"%.60s\" has host bits set; clear them or lengthen the prefix",
				    item->text);
		else if (r == -EDOM)
			parse_error(ctx, DIAG_BAD_NETWORK, item->mark,
				    "\"%.90s\" is no range: the first address must come before the second, "
				    "and both must be IPv4 or both IPv6",
				    item->text);
		else
			parse_error(ctx, DIAG_BAD_NETWORK, item->mark,
				    "\"%s\" must be addresses, networks (10.0.0.0/8) or ranges "
				    "(10.1.1.5-10.1.1.77), not \"%.90s\"",
				    f->key, item->text);
	}
	*(struct ip_range **)member_of(object, f->offset) = ranges;
	*(size_t *)member_of(object, f->count_offset) = i;
}
