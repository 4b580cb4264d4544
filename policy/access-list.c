/*
 * Parses the entries of `access`: the path of files or of a data set, cut into its parts,
 * and the lists of those who may use it. ftp-alg/ compares the parts with what clients name.
 */
#include "policy/field.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "policy/member.h"
#include "policy/value.h"

/* z/OS: 44 characters of qualifiers, of up to 8 each, with dots between them. */
#define DSNAME_MAX    44
#define QUALIFIER_MAX 8

static void refuse(struct parse_context *ctx, const struct field *f, const struct node *n, const char *why)
{
	parse_error(ctx, DIAG_BAD_PATH, n->mark, "\"%s\" must be %s, not \"%.80s\"", f->key, why, n->text);
}

/* Cut at `separator` into parts of the arena. Returns how many there are. */
static size_t cut(struct parse_context *ctx, const char *text, size_t len, char separator, const char **parts)
{
	size_t n = 0;

	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, separator, len - at);
		size_t part = end != NULL ? (size_t)(end - text) - at : len - at;

		if (part > 0)
			parts[n++] = arena_strndup(ctx->arena, text + at, part);
		at += part + 1;
	}
	return n;
}

static bool is_dots(const char *part)
{
	return strcmp(part, ".") == 0 || strcmp(part, "..") == 0;
}

/* "/pub/reports": `.` and `..` would be a path that no client can name. */
static bool take_hfs(struct parse_context *ctx, const struct node *n, struct ftp_access *access)
{
	if (memchr(n->text, '\\', n->len) != NULL)
		return false;
	access->space = FTP_SPACE_HFS;
	access->nparts = cut(ctx, n->text, n->len, '/', access->parts);
	for (size_t i = 0; i < access->nparts; i++)
		if (access->parts[i] == NULL || is_dots(access->parts[i]))
			return false;
	return true;
}

static bool is_qualifier(const char *part)
{
	size_t len = strlen(part);
	bool all = strcmp(part, "**") == 0;

	if (len == 0 || len > QUALIFIER_MAX || (strstr(part, "**") != NULL && !all))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)part[i]) && strchr("@#$-*%", part[i]) == NULL)
			return false;
	return !isdigit((unsigned char)part[0]) && part[0] != '-';
}

/* 'PROD.PAY.**': the quotes are z/OS's own, and stand inside those of YAML. */
static bool take_dsname(struct parse_context *ctx, const struct node *n, struct ftp_access *access)
{
	size_t len = n->len - 2;
	char upper[DSNAME_MAX + 1];
	size_t rests = 0;

	if (n->len < 3 || n->text[n->len - 1] != '\'' || len > DSNAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		upper[i] = (char)toupper((unsigned char)n->text[i + 1]);
	upper[len] = '\0';
	if (upper[0] == '.' || upper[len - 1] == '.' || strstr(upper, "..") != NULL)
		return false;
	access->space = FTP_SPACE_MVS;
	access->nparts = cut(ctx, upper, len, '.', access->parts);
	for (size_t i = 0; i < access->nparts; i++) {
		if (access->parts[i] == NULL || !is_qualifier(access->parts[i]))
			return false;
		rests += strcmp(access->parts[i], "**") == 0;
	}
	return rests <= 1;
}

void field_parse_access_path(struct parse_context *ctx, const struct field *f, const struct node *n,
			     void *object)
{
	struct ftp_access *access = object;

	if (!field_is_scalar(ctx, f, n))
		return;
	if (n->len > f->max) {
		refuse(ctx, f, n, "a path of at most 255 bytes");
		return;
	}
	access->path = arena_strndup(ctx->arena, n->text, n->len);
	access->parts = arena_alloc(ctx->arena, n->len + 1, sizeof(*access->parts));
	if (access->parts == NULL)
		return;
	if (strcasecmp(n->text, "jes") == 0)
		access->space = FTP_SPACE_JES;
	else if (n->text[0] == '/' && !take_hfs(ctx, n, access))
		refuse(ctx, f, n, "a path without . and .. between the slashes, and without backslashes");
	else if (n->text[0] == '\'' && !take_dsname(ctx, n, access))
		refuse(
		    ctx, f, n,
		    "a data set such as \"'USER1.**'\", with qualifiers of 1 to 8 characters and ** at most once");
	else if (n->text[0] != '/' && n->text[0] != '\'')
		refuse(
		    ctx, f, n,
		    "a path that begins with a slash, a data set in single quotes such as \"'USER1.**'\", or "
		    "jes");
}

void field_parse_who(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	struct name_list *list = member_of(object, f->offset);
	const char **names;
	size_t i = 0;

	if (!field_is_list(ctx, f, n, true))
		return;
	names = arena_alloc(ctx->arena, node_list_count(n) + 1, sizeof(*names));
	if (names == NULL)
		return;
	for (const struct node *item = node_list_first(n); item != NULL; item = node_list_next(n, item)) {
		if (!field_is_scalar(ctx, f, item))
			continue;
		if (item->len > f->max)
			parse_error(ctx, DIAG_BAD_LENGTH, item->mark,
				    "\"%s\" must be names of 1 to %u characters", f->key, (unsigned)f->max);
		else
			names[i++] = arena_strndup(ctx->arena, item->text, item->len);
	}
	list->names = names;
	list->n = i;
}
