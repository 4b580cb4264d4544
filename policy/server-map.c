/* Reads the file of `server_map`, line by line, and finds entries that are there twice. */
#include "policy/server-map.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/ip.h"
#include "policy/nelem.h"
#include "policy/utf8.h"
#include "policy/value.h"

#define NAME_MAX_BYTES 255 /* of users, hosts and SNI */
#define SHOWN_MAX      100
#define WHY_MAX	       512

static const char *const kind_names[] = { [SERVER_MAP_USER] = "user",
					  [SERVER_MAP_HOST] = "host",
					  [SERVER_MAP_SNI] = "sni",
					  [SERVER_MAP_CERTIFICATE] = "certificate",
					  [SERVER_MAP_OTHERS] = "*" };

/* A piece of a line. */
struct piece {
	const char *at;
	size_t len;
};

/* While a file is read. */
struct reader {
	const struct policy_backend *backend;
	struct diags *diags;
	struct server_map *map;
	size_t room;
	uint32_t line;
	size_t faults;
	bool no_memory;
};

void server_map_fault(const struct policy_backend *backend, struct diags *diags, uint32_t line,
		      const char *format, ...)
{
	char why[WHY_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	diags_add(diags, DIAG_ERROR, DIAG_BAD_SERVER_MAP, backend->server_map_mark,
		  line == 0 ? "cannot use the server map \"%s\": %s"
			    : "cannot use the server map \"%s\": %s (line %u)",
		  backend->server_map, why, (unsigned)line);
	diags_see(diags, backend->server_map, (struct diag_mark){ .line = line, .column = line != 0 },
		  "the server map");
}

/* A text of the file, for a message. */
static int shown(struct piece piece)
{
	return (int)(piece.len < SHOWN_MAX ? piece.len : SHOWN_MAX);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct piece trim(struct piece piece)
{
	for (; piece.len > 0 && is_blank(piece.at[0]); piece.len--)
		piece.at++;
	while (piece.len > 0 && is_blank(piece.at[piece.len - 1]))
		piece.len--;
	return piece;
}

/* The first word, which *rest loses. */
static struct piece first_word(struct piece *rest)
{
	struct piece word = { rest->at, 0 };

	while (word.len < rest->len && !is_blank(rest->at[word.len]))
		word.len++;
	*rest = trim((struct piece){ rest->at + word.len, rest->len - word.len });
	return word;
}

/* The last word, likewise. */
static struct piece last_word(struct piece *rest)
{
	size_t at = rest->len;
	struct piece word;

	while (at > 0 && !is_blank(rest->at[at - 1]))
		at--;
	word = (struct piece){ rest->at + at, rest->len - at };
	*rest = trim((struct piece){ rest->at, at });
	return word;
}

static bool is_text(struct piece piece, const char *text)
{
	return piece.len == strlen(text) && memcmp(piece.at, text, piece.len) == 0;
}

static enum server_map_kind kind_of(struct piece word)
{
	size_t kind = 0;

	while (kind < SERVER_MAP_KINDS && !is_text(word, kind_names[kind]))
		kind++;
	return (enum server_map_kind)kind;
}

/* Its index, SERVER_MAP_BALANCE, or the number of servers: it is none of them. */
static uint32_t server_of(const struct policy_backend *backend, struct piece word)
{
	size_t i = 0;

	while (i < backend->nservers &&
	       (backend->servers[i].text == NULL || !is_text(word, backend->servers[i].text)))
		i++;
	if (i == backend->nservers && is_text(word, "balance"))
		return SERVER_MAP_BALANCE;
	return (uint32_t)i;
}

/* RFC 7151 3.2: a name, an IPv4 address, or an IPv6 address in brackets. */
static bool is_host(struct piece value)
{
	struct ip_addr addr;

	if (value.len > 2 && value.at[0] == '[' && value.at[value.len - 1] == ']')
		return ip_addr_parse(value.at + 1, value.len - 2, &addr) == 0 && addr.family == IP_V6;
	return value_is_host(value.at, value.len) ||
	       (ip_addr_parse(value.at, value.len, &addr) == 0 && addr.family == IP_V4);
}

/* NULL, or what is wrong with a value of this kind. */
static const char *why_bad(enum server_map_kind kind, struct piece value)
{
	size_t max = kind == SERVER_MAP_CERTIFICATE ? SERVER_MAP_VALUE_MAX : NAME_MAX_BYTES;

	if (value.len > max)
		return "it is too long";
	if (kind == SERVER_MAP_HOST && !is_host(value))
		return "it is not a host name or address that HOST allows (IPv6 in [])";
	if (kind == SERVER_MAP_SNI && !value_is_host(value.at, value.len))
		return "it is not a host name, and SNI allows no addresses";
	return NULL;
}

/* NULL, or what no line may have. */
static const char *why_unreadable(struct piece line)
{
	size_t n;
	uint32_t rune;

	for (size_t at = 0; at < line.len; at += n) {
		n = utf8_decode(line.at + at, line.len - at, &rune);
		if (rune == UTF8_BAD)
			return "the line is not UTF-8";
		if (rune != '\t' && !utf8_is_printable(rune))
			return "the line has a control character; remove it";
	}
	return NULL;
}

static void add(struct reader *reader, enum server_map_kind kind, struct piece value, uint32_t server)
{
	struct server_map *map = reader->map;

	if (map->n == reader->room) {
		size_t room = reader->room == 0 ? 16 : 2 * reader->room;
		struct server_map_entry *more = realloc(map->entries, room * sizeof(*more));

		if (more == NULL) {
			reader->no_memory = true;
			return;
		}
		map->entries = more;
		reader->room = room;
	}
	map->entries[map->n] = (struct server_map_entry){
		.kind = kind, .value = strndup(value.at, value.len), .server = server, .line = reader->line
	};
	reader->no_memory |= map->entries[map->n].value == NULL;
	map->n++;
	map->has[kind] = true;
}

static void fault(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fault(struct reader *reader, const char *format, ...)
{
	char why[WHY_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	reader->faults++;
	server_map_fault(reader->backend, reader->diags, reader->line, "%s", why);
}

/* The server of an entry, and its value, which may have blanks inside. */
static void take_entry(struct reader *reader, enum server_map_kind kind, struct piece value)
{
	const struct policy_backend *backend = reader->backend;
	struct piece target = last_word(&value);
	uint32_t server = server_of(backend, target);
	const char *why = why_bad(kind, value);

	if (kind == SERVER_MAP_OTHERS && (target.len == 0 || value.len > 0)) {
		fault(reader, "\"*\" needs a server and nothing else; write * SERVER");
	} else if (kind != SERVER_MAP_OTHERS && value.len == 0) {
		fault(reader, "the entry needs a value and a server; write %s VALUE SERVER",
		      kind_names[kind]);
	} else if (server == backend->nservers) {
		fault(reader,
		      "\"%.*s\" is not in \"addresses\" of backends \"%s\"; copy one from there, or write "
		      "balance",
		      shown(target), target.at, backend->name);
	} else if (why != NULL) {
		fault(reader, "\"%.*s\" cannot be a value of %s: %s", shown(value), value.at,
		      kind_names[kind], why);
	} else if (reader->map->n == SERVER_MAP_ENTRIES_MAX) {
		fault(reader, "it has more than %d entries; leave out those that \"*\" covers",
		      SERVER_MAP_ENTRIES_MAX);
		reader->faults = SERVER_MAP_FAULTS_MAX;
	} else {
		add(reader, kind, value, server);
	}
}

static void take_line(struct reader *reader, struct piece line)
{
	const char *why = why_unreadable(line);
	struct piece rest = trim(line), word;
	enum server_map_kind kind;

	if (why != NULL) {
		fault(reader, "%s", why);
		return;
	}
	if (rest.len == 0 || rest.at[0] == '#')
		return;
	word = first_word(&rest);
	kind = kind_of(word);
	if (reader->map->has[SERVER_MAP_OTHERS])
		fault(reader, "\"*\" is for all others, so no entry after it counts; move it to the end");
	else if (kind == SERVER_MAP_KINDS)
		fault(reader,
		      "\"%.*s\" is none of user, host, sni, certificate and *; write KIND VALUE SERVER, or * "
		      "SERVER",
		      shown(word), word.at);
	else
		take_entry(reader, kind, rest);
}

/* Entries of one value follow each other, the first in the file first. */
static int compare(const void *a, const void *b)
{
	const struct server_map_entry *const *one = a, *const *other = b;
	int order = strcasecmp((*one)->value, (*other)->value);

	if ((*one)->kind != (*other)->kind)
		return (*one)->kind < (*other)->kind ? -1 : 1;
	if (order != 0)
		return order;
	return (*one)->line < (*other)->line ? -1 : 1;
}

static bool are_twins(const struct server_map_entry *a, const struct server_map_entry *b)
{
	return a->kind == b->kind && strcasecmp(a->value, b->value) == 0;
}

static void find_twins(struct reader *reader)
{
	const struct server_map *map = reader->map;
	const struct server_map_entry **sorted = calloc(map->n + 1, sizeof(const struct server_map_entry *));

	if (sorted == NULL) {
		reader->no_memory = true;
		return;
	}
	for (size_t i = 0; i < map->n; i++)
		sorted[i] = &map->entries[i];
	qsort(sorted, map->n, sizeof(const struct server_map_entry *), compare);
	for (size_t i = 1; i < map->n && reader->faults < SERVER_MAP_FAULTS_MAX; i++) {
		if (!are_twins(sorted[i - 1], sorted[i]))
			continue;
		reader->line = sorted[i]->line;
		fault(reader, "%s \"%.*s\" is in line %u already; remove one", kind_names[sorted[i]->kind],
		      SHOWN_MAX, sorted[i]->value, (unsigned)sorted[i - 1]->line);
	}
	free(sorted);
}

static void take_lines(struct reader *reader, const char *text, size_t len)
{
	for (size_t at = 0; at < len && !reader->no_memory && reader->faults < SERVER_MAP_FAULTS_MAX;) {
		const char *lf = memchr(text + at, '\n', len - at);
		size_t end = lf != NULL ? (size_t)(lf - text) : len;
		size_t last = end > at && text[end - 1] == '\r' ? end - 1 : end;

		reader->line++;
		take_line(reader, (struct piece){ text + at, last - at });
		at = end + 1;
	}
}

int server_map_parse(const char *text, size_t len, const struct policy_backend *backend, struct diags *diags,
		     struct server_map **ret_map)
{
	struct reader reader = { .backend = backend,
				 .diags = diags,
				 .map = calloc(1, sizeof(struct server_map)) };
	int r = -ENOMEM;

	if (reader.map == NULL)
		return r;
	if (len > SERVER_MAP_BYTES_MAX)
		fault(&reader, "it has more than 1 MiB");
	else
		take_lines(&reader, text, len);
	if (reader.faults == 0 && !reader.no_memory)
		find_twins(&reader);
	if (reader.faults == 0 && !reader.no_memory && !reader.map->has[SERVER_MAP_OTHERS]) {
		reader.line = 0;
		fault(&reader, "its last line must be for all others; add \"* SERVER\" or \"* balance\"");
	}
	r = reader.no_memory ? -ENOMEM : reader.faults > 0 ? -EINVAL : 0;
	if (r == 0)
		*ret_map = reader.map;
	else
		server_map_free(&reader.map);
	return r;
}

void server_map_free(struct server_map **map)
{
	if (*map == NULL)
		return;
	for (size_t i = 0; i < (*map)->n; i++)
		free((*map)->entries[i].value);
	free((*map)->entries);
	free(*map);
	*map = NULL;
}

const char *server_map_kind_name(enum server_map_kind kind)
{
	return kind_names[kind];
}

bool server_map_fits(const struct server_map_entry *entry, const char *value, size_t len)
{
	return strlen(entry->value) == len && strncasecmp(entry->value, value, len) == 0;
}
