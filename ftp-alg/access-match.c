/*
 * The comparison of paths with the entries of `access`. "Certain" is byte by byte, except
 * for z/OS, which knows no case. "Maybe" leaves out all that a server may not see: case,
 * letters outside ASCII, blanks and dots at the end, what follows a colon, short names.
 */
#include "ftp-alg/access-match.h"

#include <ctype.h>
#include <string.h>

/* A name with wildcards: '*' for any text, '?' for any byte. */
struct pattern {
	size_t len;
	char text[FTP_PATH_PATTERN_MAX];
};

static void add(struct pattern *pattern, char byte)
{
	if (byte == '*' && pattern->len > 0 && pattern->text[pattern->len - 1] == '*')
		return;
	pattern->text[pattern->len++] = byte;
}

/* Windows: REPORT~1.TXT is another name of a file. */
static bool is_short_name(const char *name, size_t len)
{
	const char *tilde = memchr(name, '~', len);

	return tilde != NULL && (size_t)(tilde - name) + 1 < len && isdigit((unsigned char)tilde[1]);
}

/*
 * Brackets and braces can be in each other, and a bracket expression may have "]" in it: []a],
 * [[:alpha:]], {a{b}}, [a{]}. So they end at the last sign that may end one, or with the name.
 */
static size_t brackets_len(const char *name, size_t len)
{
	for (size_t n = len; n > 1; n--)
		if (name[n - 1] == ']' || name[n - 1] == '}')
			return n;
	return len;
}

/* All names that a server may take this one for. */
static struct pattern fold(const char *name, size_t len)
{
	struct pattern pattern = { .len = 0 };

	while (len > 0 && name[0] == ' ') {
		name++;
		len--;
	}
	while (len > 0 && (name[len - 1] == ' ' || name[len - 1] == '.'))
		len--;
	if (len >= sizeof(pattern.text) || is_short_name(name, len)) {
		add(&pattern, '*');
		return pattern;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)name[i];

		if (byte == ':') {
			add(&pattern, '*');
			break;
		}
		if (byte >= 0x80) { /* it may combine with the letter before it */
			pattern.len -= pattern.len > 0 ? 1 : 0;
			add(&pattern, '*');
		} else if (byte == '[' || byte == '{') {
			i += brackets_len(name + i, len - i) - 1;
			add(&pattern, '*');
		} else {
			add(&pattern, (char)tolower(byte));
		}
	}
	return pattern;
}

static bool is_wild(char byte)
{
	return byte == '*' || byte == '?';
}

/* Is there a name that both stand for? The row says it for i bytes of a and j of b. */
static bool intersect(const struct pattern *a, const struct pattern *b)
{
	bool row[FTP_PATH_PATTERN_MAX + 1] = { false };
	size_t same = 0;

	while (same < a->len && same < b->len && !is_wild(a->text[same]) && !is_wild(b->text[same])) {
		if (a->text[same] != b->text[same])
			return false;
		same++;
	}
	row[same] = true;
	for (size_t j = same; j < b->len && b->text[j] == '*'; j++)
		row[j + 1] = true;
	for (size_t i = same; i < a->len; i++) {
		bool star = a->text[i] == '*', before = row[same];

		row[same] = star && row[same];
		for (size_t j = same; j < b->len; j++) {
			bool above = row[j + 1];

			if (star || b->text[j] == '*')
				row[j + 1] = above || row[j];
			else
				row[j + 1] = before && (a->text[i] == b->text[j] || a->text[i] == '?' ||
							b->text[j] == '?');
			before = above;
		}
	}
	return row[b->len];
}

/* Does this name, which has no wildcards, fit the pattern of the policy? `one` is its sign for one byte. */
static bool fits(const char *pattern, char one, const char *name, size_t len)
{
	const char *star = NULL, *from = NULL, *end = name + len;

	while (name < end) {
		if (*pattern == '*') {
			star = ++pattern;
			from = name;
		} else if (*pattern == *name || (*pattern == one && *pattern != '\0')) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star;
			name = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static const char *part_text(const struct ftp_path *path, size_t i)
{
	return path->text + path->parts[i].at;
}

static bool hfs_is_certain(const struct ftp_access *access, const struct ftp_path *path)
{
	if (path->nparts < access->nparts)
		return false;
	for (size_t i = 0; i < access->nparts; i++)
		if (path->parts[i].pattern ||
		    !fits(access->parts[i], '?', part_text(path, i), path->parts[i].len))
			return false;
	return true;
}

static bool hfs_may_be(const struct ftp_access *access, const struct ftp_path *path)
{
	if (path->nparts < access->nparts && !path->deep)
		return false;
	for (size_t i = 0; i < access->nparts && i < path->nparts; i++) {
		struct pattern a = fold(access->parts[i], strlen(access->parts[i]));
		struct pattern b = fold(part_text(path, i), path->parts[i].len);

		if (!intersect(&a, &b))
			return false;
	}
	return true;
}

static bool is_rest(const char *qualifier)
{
	return strcmp(qualifier, "**") == 0;
}

/* Do the qualifiers of a name without wildcards fit? The policy has "**" once, for any number of them. */
static bool mvs_fits(const struct ftp_access *access, const struct ftp_path *path)
{
	size_t i = 0, skipped;

	for (; i < access->nparts && !is_rest(access->parts[i]); i++)
		if (i == path->nparts || !fits(access->parts[i], '%', part_text(path, i), path->parts[i].len))
			return false;
	if (i == access->nparts)
		return i == path->nparts;
	if (access->nparts - 1 > path->nparts)
		return false;
	skipped = path->nparts - (access->nparts - 1);
	for (i++; i < access->nparts; i++) {
		size_t j = i - 1 + skipped;

		if (!fits(access->parts[i], '%', part_text(path, j), path->parts[j].len))
			return false;
	}
	return true;
}

/* Of a path that stands for several data sets: does the entry cover all of them? */
static bool mvs_covers_all(const struct ftp_access *access, const struct ftp_path *path)
{
	size_t n = access->nparts - 1;

	if (access->nparts == 0 || !is_rest(access->parts[n]) || path->nparts < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (path->parts[i].pattern || is_rest(access->parts[i]) ||
		    !fits(access->parts[i], '%', part_text(path, i), path->parts[i].len))
			return false;
	return true;
}

static bool has_pattern(const struct ftp_path *path)
{
	for (size_t i = 0; i < path->nparts; i++)
		if (path->parts[i].pattern)
			return true;
	return false;
}

static struct pattern qualifier(const char *text, size_t len)
{
	struct pattern pattern = { .len = 0 };

	if (len >= sizeof(pattern.text)) {
		add(&pattern, '*');
		return pattern;
	}
	for (size_t i = 0; i < len; i++)
		add(&pattern, text[i] == '%' ? '?' : text[i]);
	return pattern;
}

/* In a client's name, "*" alone may stand for several qualifiers as well. */
static bool is_any(const struct ftp_path *path, size_t j)
{
	for (size_t i = 0; i < path->parts[j].len; i++)
		if (part_text(path, j)[i] != '*')
			return false;
	return true;
}

/* z/OS: a name has 22 qualifiers at most; a longer one is none, whatever it is. */
#define QUALIFIERS_MAX 22

/* May the qualifiers i of the entry and j of the path begin a data set that both stand for? */
static bool mvs_meet(const struct ftp_access *access, size_t i, const struct ftp_path *path, size_t j,
		     bool meets[][QUALIFIERS_MAX + 2])
{
	bool entry_ends = i == access->nparts, path_ends = j == path->nparts;
	struct pattern a, b;

	if (path_ends && path->deep)
		return true;
	if (entry_ends && path_ends)
		return true;
	if (!entry_ends && is_rest(access->parts[i]))
		return meets[i + 1][j] || (!path_ends && meets[i][j + 1]);
	if (!path_ends && is_any(path, j))
		return meets[i][j + 1] || (!entry_ends && meets[i + 1][j]);
	if (entry_ends || path_ends)
		return false;
	a = qualifier(access->parts[i], strlen(access->parts[i]));
	b = qualifier(part_text(path, j), path->parts[j].len);
	return meets[i + 1][j + 1] && intersect(&a, &b);
}

/* Is there a data set that both stand for? */
static bool mvs_may_be(const struct ftp_access *access, const struct ftp_path *path)
{
	bool meets[QUALIFIERS_MAX + 2][QUALIFIERS_MAX + 2] = { { false } };

	if (access->nparts > QUALIFIERS_MAX)
		return true;
	for (size_t i = access->nparts + 1; i-- > 0;)
		for (size_t j = (size_t)path->nparts + 1; j-- > 0;)
			meets[i][j] = mvs_meet(access, i, path, j, meets);
	return meets[0][0];
}

static enum ftp_cover mvs_covers(const struct ftp_access *access, const struct ftp_path *path)
{
	bool several = path->deep || has_pattern(path);

	if (path->nparts > QUALIFIERS_MAX)
		return FTP_COVER_MAYBE;
	if (several ? mvs_covers_all(access, path) : mvs_fits(access, path))
		return FTP_COVER_CERTAIN;
	return mvs_may_be(access, path) ? FTP_COVER_MAYBE : FTP_COVER_NONE;
}

enum ftp_cover ftp_access_covers(const struct ftp_access *access, const struct ftp_path *path)
{
	if (path->anywhere)
		return access->space == FTP_SPACE_JES ? FTP_COVER_NONE : FTP_COVER_MAYBE;
	if (access->space != path->space)
		return FTP_COVER_NONE;
	switch (path->space) {
	case FTP_SPACE_NONE:
		return FTP_COVER_NONE;
	case FTP_SPACE_JES:
		return FTP_COVER_CERTAIN;
	case FTP_SPACE_HFS:
		if (hfs_is_certain(access, path))
			return FTP_COVER_CERTAIN;
		return hfs_may_be(access, path) ? FTP_COVER_MAYBE : FTP_COVER_NONE;
	case FTP_SPACE_MVS:
		return mvs_covers(access, path);
	}
	return FTP_COVER_NONE;
}
