/*
 * Names as clients give them, made into paths. Servers disagree about many characters:
 * what this file cannot read as every server would is a path that may lead anywhere, and
 * access-match.c refuses such a path to everyone whom any entry shuts out.
 */
#include "ftp-alg/access-path.h"

#include <ctype.h>
#include <string.h>

/* Encodings of / \ . and : that servers on Windows turn into these characters, and overlong ones of ASCII. */
static const char *const tricks[] = {
	"\xef\xbc\x8e", "\xef\xbc\x8f", "\xef\xbc\x9a", "\xef\xbc\xbc", "\xe2\x80\xa4", "\xe2\x81\x84",
	"\xe2\x88\x95", "\xe2\x88\x96", "\xe2\x88\xb6", "\xef\xb9\x92", "\xef\xb9\xa8",
};

static bool is_overlong(const char *name, size_t left)
{
	unsigned char first = (unsigned char)name[0], second = left > 1 ? (unsigned char)name[1] : 0;

	if (second < 0x80 || second > 0xbf)
		return false;
	return first == 0xc0 || first == 0xc1 || (first == 0xe0 && second < 0xa0) ||
	       (first == 0xf0 && second < 0x90);
}

static bool is_trick(const char *name, size_t left)
{
	for (size_t i = 0; i < sizeof(tricks) / sizeof(tricks[0]); i++)
		if (left >= strlen(tricks[i]) && memcmp(name, tricks[i], strlen(tricks[i])) == 0)
			return true;
	return is_overlong(name, left);
}

bool ftp_name_is_unclear(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)name[i];

		if (byte < ' ' || byte == 0x7f || byte == 0xff || byte == '\\')
			return true;
		if (byte >= 0x80 && is_trick(name + i, len - i))
			return true;
	}
	/* a home directory, or a drive */
	return len > 0 && (name[0] == '~' || (len > 1 && isalpha((unsigned char)name[0]) && name[1] == ':' &&
					      (len == 2 || name[2] == '/')));
}

static bool add_part(struct ftp_path *path, const char *text, size_t len, bool pattern)
{
	if (path->nparts == FTP_PATH_PARTS_MAX || len > sizeof(path->text) - path->used)
		return false;
	memcpy(path->text + path->used, text, len);
	path->parts[path->nparts++] =
	    (struct ftp_path_part){ .at = path->used, .len = (uint16_t)len, .pattern = pattern };
	path->used = (uint16_t)(path->used + len);
	return true;
}

/* Dots and blanks alone: "." and ".." have a meaning, and to some servers "..." and ".. " have one, too. */
static bool is_dots(const char *part, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (part[i] != '.' && part[i] != ' ')
			return false;
	return true;
}

/* Braces have to end in the part where they begin; {a,b} may contain anything. */
static bool has_wide_braces(const char *part, size_t len)
{
	size_t depth = 0;

	for (size_t i = 0; i < len; i++) {
		depth += part[i] == '{';
		depth -= part[i] == '}' && depth > 0;
		if (part[i] == ',' && memchr(part, '{', i) != NULL)
			return true;
	}
	return depth > 0;
}

/* What may be in brackets: a dot, or anything. */
static bool is_wild(char byte)
{
	return strchr("*?{}[]", byte) != NULL;
}

/* ".*" and ".[a.]" of a shell match "..": a dot, and then nothing that is certainly something else. */
static bool is_wild_way_up(const char *part, size_t len)
{
	size_t end = len, i = 0;

	if (has_wide_braces(part, len))
		return true;
	if (part[0] != '.' && part[0] != '{' && (part[0] != '[' || memchr(part, '.', len) == NULL))
		return false;
	while (end > 0 && part[end - 1] != ']' && part[end - 1] != '}')
		end--;
	while (i < len && (part[i] == '.' || is_wild(part[i])))
		i = part[i] == '[' || part[i] == '{' ? (end > i ? end : len) : i + 1;
	return i == len;
}

static bool is_pattern(const char *part, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (is_wild(part[i]))
			return true;
	return false;
}

/*
 * Add the parts of a path with slashes. nfixed: how many parts are those of the folder, which ".."
 * may take away. What stands above a name of the argument itself is not known: the server
 * may follow a link there.
 */
static bool add_hfs(struct ftp_path *path, const char *text, size_t len, uint16_t nfixed)
{
	for (size_t at = 0; at < len;) {
		const char *slash = memchr(text + at, '/', len - at);
		size_t n = slash != NULL ? (size_t)(slash - text) - at : len - at;
		const char *part = text + at;
		bool pattern = is_pattern(part, n);

		at += n + 1;
		if (n == 0 || (n == 1 && part[0] == '.'))
			continue;
		if (n == 2 && memcmp(part, "..", 2) == 0) {
			if (path->nparts > nfixed)
				return false;
			if (path->nparts > 0)
				path->used = path->parts[--path->nparts].at;
			nfixed = path->nparts;
			continue;
		}
		if (is_dots(part, n) || (pattern && is_wild_way_up(part, n)))
			return false;
		if (n >= 2 && memcmp(part, "**", 2) == 0) {
			path->deep = true;
			return true;
		}
		if (!add_part(path, part, n, pattern))
			return false;
	}
	return true;
}

/*
 * What ends a data set's name: a member or generation in parentheses, which belongs to it, and
 * what is in no name. All EBCDIC code pages have these characters in the same place, so
 * that no other character can turn into one that is in names.
 */
static size_t dsname_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && strchr("( \"&,:;<=>?_+", text[n]) == NULL)
		n++;
	return n;
}

/* A data set's qualifiers. */
static bool add_mvs(struct ftp_path *path, const char *text, size_t len, bool listing)
{
	char upper[FTP_PATH_PATTERN_MAX];

	len = dsname_len(text, len);
	if (len >= sizeof(upper))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) && strchr("@#$-.*%", text[i]) == NULL)
			return false;
		upper[i] = (char)toupper((unsigned char)text[i]);
	}
	if (len > 0 && upper[len - 1] == '.')
		len--;
	for (size_t at = 0; at < len;) {
		const char *dot = memchr(upper + at, '.', len - at);
		size_t n = dot != NULL ? (size_t)(dot - upper) - at : len - at;
		bool pattern = memchr(upper + at, '*', n) != NULL || memchr(upper + at, '%', n) != NULL;

		if (n == 0)
			return false;
		if (!add_part(path, upper + at, n, pattern))
			return false;
		at += n + 1;
	}
	path->deep |= listing;
	return true;
}

static bool add_folder(struct ftp_path *path, const struct ftp_folder_name *folder)
{
	path->space = folder->space;
	if (folder->state != FTP_FOLDER_KNOWN)
		return false;
	return folder->space == FTP_SPACE_HFS ? add_hfs(path, folder->text, folder->len, 0)
					      : add_mvs(path, folder->text, folder->len, false);
}

static void begin(struct ftp_path *path)
{
	path->space = FTP_SPACE_NONE;
	path->anywhere = path->deep = false;
	path->nparts = path->used = 0;
}

void ftp_path_of_folder(struct ftp_path *path, const struct ftp_folder_name *folder, bool up)
{
	begin(path);
	path->anywhere = !add_folder(path, folder) || path->deep;
	for (uint16_t i = 0; i < path->nparts; i++)
		path->parts[i].pattern = false; /* a real name */
	if (up && path->nparts > 0)
		path->nparts--;
}

/* Between z/OS's quotes; the second one may be missing. */
static bool read_quoted(struct ftp_path *path, const char *name, size_t len, bool listing)
{
	const char *end = memchr(name + 1, '\'', len - 1);
	size_t n = end != NULL ? (size_t)(end - name) - 1 : len - 1;

	if (end != NULL && (size_t)(end - name) + 1 != len)
		return false;
	path->space = n > 0 && name[1] == '/' ? FTP_SPACE_HFS : FTP_SPACE_MVS;
	return path->space == FTP_SPACE_HFS ? add_hfs(path, name + 1, n, 0)
					    : add_mvs(path, name + 1, n, listing);
}

static bool read_relative(struct ftp_path *path, const struct ftp_folder_name *folder, const char *name,
			  size_t len, bool listing)
{
	ftp_path_of_folder(path, folder, false);
	if (path->anywhere)
		return false;
	if (folder->space == FTP_SPACE_HFS)
		return add_hfs(path, name, len, path->nparts);
	if (len == 2 && memcmp(name, "..", 2) == 0) {
		path->nparts -= path->nparts > 0 ? 1 : 0;
		path->deep |= listing;
		return true;
	}
	if (len == 1 && name[0] == '.')
		return true;
	return add_mvs(path, name, len, listing);
}

void ftp_path_read(struct ftp_path *path, const struct ftp_folder_name *folder, const char *name, size_t len,
		   bool listing)
{
	bool clear;

	begin(path);
	if (ftp_name_is_unclear(name, len))
		clear = false;
	else if (name[0] == '\'')
		clear = read_quoted(path, name, len, listing);
	else if (name[0] == '/') {
		path->space = FTP_SPACE_HFS;
		clear = add_hfs(path, name, len, 0);
	} else
		clear = read_relative(path, folder, name, len, listing);
	path->anywhere = !clear;
}

void ftp_path_read_plain(struct ftp_path *path, const struct ftp_folder_name *folder, const char *name,
			 size_t len)
{
	begin(path);
	path->anywhere = !read_relative(path, folder, name, len, false);
}

void ftp_folder_name_read(struct ftp_folder_name *folder, const char *text, size_t len)
{
	struct ftp_path path;
	bool quoted = len >= 2 && text[0] == '\'' && text[len - 1] == '\'';

	folder->state = FTP_FOLDER_UNKNOWN;
	folder->len = 0;
	folder->members = false;
	if (quoted) {
		text++;
		len -= 2;
	}
	if (len > sizeof(folder->text) || ftp_name_is_unclear(text, len) || (!quoted && len == 0))
		return;
	if (len > 0 && text[0] == '/')
		folder->space = FTP_SPACE_HFS;
	else if (quoted)
		folder->space = FTP_SPACE_MVS;
	else
		return;
	memcpy(folder->text, text, len);
	folder->len = (uint16_t)len;
	folder->members = folder->space == FTP_SPACE_MVS && len > 0 && text[len - 1] != '.';
	folder->state = FTP_FOLDER_KNOWN;
	ftp_path_of_folder(&path, folder, false);
	if (path.anywhere)
		folder->state = FTP_FOLDER_UNKNOWN;
}
