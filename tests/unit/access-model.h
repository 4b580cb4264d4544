/*
 * What `access` has to do, written from attlsd.yaml(5) alone: a server with files and data sets, which
 * knows what each command touches, and the rule by which entries decide.
 */
#ifndef ATTLSD_TESTS_UNIT_ACCESS_MODEL_H
#define ATTLSD_TESTS_UNIT_ACCESS_MODEL_H

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "policy/ftp-action.h"
#include "tests/unit/unit.h"

#define LEVELS_MAX   4 /* of what the server has */
#define PARTS_MAX    12
#define PART_MAX     24
#define NAME_MAX_LEN 120

struct place {
	enum ftp_space space;
	size_t n;
	char parts[PARTS_MAX][PART_MAX];
};

enum flavour { UNIX, WINDOWS, ZOS, FLAVOURS };

struct server {
	enum flavour flavour;
	struct place folder;
	bool members; /* the folder is a partitioned data set */
	bool jes;
};

struct entry {
	struct place place;
	const char *verbs; /* NULL: all */
	const char *users;
};

struct verb {
	const char *name, *reply;
	bool lists, deep, any_effect, moves;
};

/* Verbs of entries, and the commands that they mean. */
static const struct {
	const char *text, *means;
} verb_lists[] = {
	{ "[SIZE, MDTM]", " SIZE MDTM " },    { "[LIST]", " STAT MLST " },
	{ "[MKD, DELE]", " MKD XMKD DELE " }, { "[RNFR, SMNT]", " RNFR SMNT " },
	{ "[CWD, CDUP]", " CWD CDUP " },      { "[RETR]", " " },
};

static const char *const names[][5] = {
	[FTP_SPACE_HFS] = { "a", "b", "ab", "x", "xyz" }, [FTP_SPACE_MVS] = { "A", "B", "AB", "X", "XYZ" }
};
static inline bool push(struct place *place, const char *text, size_t len)
{
	if (place->n == PARTS_MAX || len >= PART_MAX)
		return false;
	memcpy(place->parts[place->n], text, len);
	place->parts[place->n++][len] = '\0';
	return true;
}

/* --- the rule --- */

static inline bool glob(const char *pattern, char one, const char *name)
{
	if (*pattern == '*')
		return glob(pattern + 1, one, name) || (*name != '\0' && glob(pattern, one, name + 1));
	if (*pattern == '\0' || *name == '\0')
		return *pattern == *name;
	return (*pattern == one || *pattern == *name) && glob(pattern + 1, one, name + 1);
}

/* Do the parts i of a name with wildcards, and those that follow, stand for the parts j of a real one? rest:
 * more may follow. */
static inline bool fits(const struct place *wild, size_t i, const struct place *place, size_t j, bool rest)
{
	char one = wild->space == FTP_SPACE_MVS ? '%' : '?';

	if (i == wild->n)
		return rest || j == place->n;
	if (wild->space == FTP_SPACE_MVS && strcmp(wild->parts[i], "**") == 0)
		return fits(wild, i + 1, place, j, rest) ||
		       (j < place->n && fits(wild, i, place, j + 1, rest));
	return j < place->n && glob(wild->parts[i], one, place->parts[j]) &&
	       fits(wild, i + 1, place, j + 1, rest);
}

static inline bool covers(const struct entry *entry, const struct place *place)
{
	if (entry->place.space != place->space)
		return false;
	return place->space == FTP_SPACE_JES ||
	       fits(&entry->place, 0, place, 0, place->space == FTP_SPACE_HFS);
}

static inline bool names_user(const struct entry *entry, const char *user)
{
	return strchr(entry->users, '*') != NULL || strcasestr(entry->users, user) != NULL;
}

static inline bool names_verb(const struct entry *entry, const struct verb *verb)
{
	char word[16];

	(void)snprintf(word, sizeof(word), " %s ", verb->name);
	for (size_t i = 0; i < NELEM(verb_lists); i++)
		if (entry->verbs == verb_lists[i].text)
			return strstr(verb_lists[i].means, word) != NULL;
	return true;
}

static inline bool is_refused(const struct entry *entries, size_t n, const char *user,
			      const struct verb *verb, const struct place *place)
{
	for (size_t i = 0; i < n; i++) {
		bool decides = names_verb(&entries[i], verb), named = names_user(&entries[i], user);

		if (covers(&entries[i], place) && (decides || (verb->any_effect && !named)))
			return !named;
	}
	return false;
}

static inline bool shuts_out(const struct entry *entries, size_t n, const char *user, const struct verb *verb)
{
	for (size_t i = 0; i < n; i++)
		if (!names_user(&entries[i], user) && (verb->any_effect || names_verb(&entries[i], verb)))
			return true;
	return false;
}

/* --- the server --- */

/* The parts of a path with slashes, as this server reads them. */
static inline bool walk_hfs(const struct server *server, struct place *place, const char *text, size_t len)
{
	bool windows = server->flavour == WINDOWS;

	for (size_t at = 0, n; at < len; at += n + 1) {
		char part[NAME_MAX_LEN];

		for (n = 0; at + n < len && text[at + n] != '/' && !(windows && text[at + n] == '\\'); n++)
			part[n] = windows ? (char)tolower((unsigned char)text[at + n]) : text[at + n];
		part[n] = '\0';
		if (strcmp(part, "..") == 0) {
			place->n -= place->n > 0 ? 1 : 0;
			continue;
		}
		for (size_t end = strlen(part); windows && end > 0 && strchr(". ", part[end - 1]) != NULL;)
			part[--end] = '\0';
		if (part[0] != '\0' && strcmp(part, ".") != 0 && !push(place, part, strlen(part)))
			return false;
	}
	return true;
}

/* Qualifiers. A member or generation belongs to its data set; a blank ends the name; other bytes are in none.
 */
static inline bool walk_mvs(struct place *place, const char *text, size_t len)
{
	char upper[NAME_MAX_LEN];

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '(' || text[i] == ' ') {
			len = i;
			break;
		}
		if (!isalnum((unsigned char)text[i]) && strchr(".*%", text[i]) == NULL)
			return false;
		upper[i] = (char)toupper((unsigned char)text[i]);
	}
	for (size_t at = 0, n; at < len; at += n + 1) {
		for (n = 0; at + n < len && upper[at + n] != '.'; n++)
			;
		if (n == 0 || !push(place, upper + at, n))
			return false;
	}
	return true;
}

/* Which place does the server read this name as? False: none. */
static inline bool resolve(const struct server *server, const char *name, struct place *ret)
{
	const char *quote;
	size_t len;

	name += strspn(name, " ");
	len = strlen(name);
	if (server->flavour == WINDOWS && name[0] == '"' && len > 1 && name[len - 1] == '"') {
		name++;
		len -= 2;
	}
	*ret = server->folder;
	if (server->flavour == ZOS && name[0] == '\'') {
		quote = strchr(name + 1, '\'');
		len = quote != NULL ? (size_t)(quote - name) - 1 : len - 1;
		name++;
		*ret = (struct place){ .space = name[0] == '/' ? FTP_SPACE_HFS : FTP_SPACE_MVS };
	} else if (name[0] == '/' || (server->flavour == WINDOWS && name[0] == '\\')) {
		*ret = (struct place){ .space = FTP_SPACE_HFS };
	} else if (ret->space == FTP_SPACE_MVS && len == 2 && memcmp(name, "..", 2) == 0) {
		ret->n -= ret->n > 0 ? 1 : 0;
		return true;
	} else if (server->members) {
		return true; /* the name of a member */
	}
	return ret->space == FTP_SPACE_HFS ? walk_hfs(server, ret, name, len) : walk_mvs(ret, name, len);
}

#define PLACES (1 + 5 + 25 + 125 + 625) /* up to LEVELS_MAX parts of five names */

/* All that the server has: each place on a level once with each name beneath it. */
static inline const struct place *all_places(enum ftp_space space)
{
	static struct place places[FTP_SPACE_MVS + 1][PLACES];
	struct place *all = places[space];

	if (all[0].space == space)
		return all;
	all[0].space = space;
	for (size_t i = 1; i < PLACES; i++) {
		const char *name = names[space][(i - 1) % NELEM(names[space])];

		all[i] = all[(i - 1) / NELEM(names[space])];
		(void)push(&all[i], name, strlen(name));
	}
	return all;
}

/* May the server touch something that an entry refuses? */
static inline bool touches_refused(const struct entry *entries, size_t n, const char *user,
				   const struct verb *verb, const struct place *target)
{
	bool rest = verb->deep || (verb->lists && target->space == FTP_SPACE_MVS), wild = rest;
	const struct place *places = all_places(target->space);

	for (size_t i = 0; i < target->n; i++)
		wild = wild || strpbrk(target->parts[i], "*?%") != NULL;
	if (is_refused(entries, n, user, verb, target))
		return true;
	for (size_t i = 0; wild && i < PLACES; i++)
		if (fits(target, 0, &places[i], 0, rest) && is_refused(entries, n, user, verb, &places[i]))
			return true;
	return false;
}

static inline void say_folder(const struct server *server, char *text, size_t size)
{
	const struct place *folder = &server->folder;
	bool hfs = folder->space == FTP_SPACE_HFS;
	char name[NAME_MAX_LEN] = "";
	size_t len = 0;

	for (size_t i = 0; i < folder->n && len < sizeof(name); i++)
		len += (size_t)snprintf(name + len, sizeof(name) - len, "%s%s%s", hfs ? "/" : "",
					folder->parts[i],
					hfs || (server->members && i + 1 == folder->n) ? "" : ".");
	(void)snprintf(text, size, hfs ? "257 \"%s\" is here" : "257 \"'%s'\" is here",
		       hfs && folder->n == 0 ? "/" : name);
}

#endif
