/*
 * Reads proftpd.conf: directives, sections in angle brackets, lines continued with a
 * backslash, quotes. Which of the directives count is for proftpd.c.
 */
#include "gateway/import/proftpd-file.h"

#include <stdio.h>
#include <string.h>

#include "gateway/import/moved.h"
#include "gateway/import/text.h"

#define BLANKS	  " \t"
#define DEPTH_MAX 16

struct reader {
	struct draft *draft;
	struct proftpd_directive **last;
	size_t n;
	struct {
		const char *name;
		struct diag_mark mark;
		bool of_host, applies, global;
	} open[DEPTH_MAX];
	size_t depth;
};

/* The value without quotes around it. */
static const char *unquote(struct arena *arena, const char *text)
{
	size_t len = strlen(text);

	return len >= 2 && text[0] == '"' && text[len - 1] == '"' ? text_copy(arena, text + 1, len - 2)
								  : text;
}

static struct proftpd_directive *add(struct reader *in, const struct statement *st)
{
	struct proftpd_directive *one = text_alloc(&in->draft->arena, 1, sizeof(*one));

	if (++in->n == MOVED_LINES_MAX)
		diags_add(&st->source->diags, DIAG_ERROR, DIAG_IMPORT_TOO_LONG, st->mark,
			  "the file has too many directives");
	one->st = *st;
	one->applies = true;
	if (in->depth > 0) {
		one->of_host = in->open[in->depth - 1].of_host;
		one->applies = in->open[in->depth - 1].applies;
		one->global = in->open[in->depth - 1].global;
		one->st.where = in->open[in->depth - 1].name;
	}
	*in->last = one;
	in->last = &one->next;
	return one;
}

/* "<Global>", "</Global>" */
static void section(struct reader *in, struct statement *st)
{
	struct diags *diags = &st->source->diags;
	const char *name = st->keyword + 1;
	bool outer = in->depth == 0 || in->open[in->depth - 1].applies;

	if (name[0] == '/') {
		if (in->depth == 0 || !text_is(in->open[in->depth - 1].name, name + 1))
			diags_add(diags, DIAG_ERROR, DIAG_IMPORT_SYNTAX, st->mark,
				  "this closes no section that is open");
		else
			in->depth--;
		return;
	}
	if (in->depth == DEPTH_MAX) {
		diags_add(diags, DIAG_ERROR, DIAG_IMPORT_SYNTAX, st->mark, "sections are nested too deeply");
		return;
	}
	if (text_is(name, "VirtualHost") || (text_is(name, "Limit") && moved_has_own(st->value))) {
		struct proftpd_directive *one = add(in, st);

		one->of_host = one->of_host || text_is(name, "VirtualHost");
		one->st.keyword = name;
	}
	in->open[in->depth].name = name;
	in->open[in->depth].mark = st->mark;
	in->open[in->depth].of_host =
	    text_is(name, "VirtualHost") || (in->depth > 0 && in->open[in->depth - 1].of_host);
	in->open[in->depth].applies = outer && (text_is_word(name, "Global IfDefine") ||
						(text_is(name, "IfModule") && st->value[0] != '!'));
	in->open[in->depth].global =
	    text_is(name, "Global") || (in->depth > 0 && in->open[in->depth - 1].global);
	in->depth++;
}

/* One directive, whose lines are joined already. */
static void take_line(struct reader *in, struct source *source, const struct source_line *line,
		      const char *text)
{
	struct arena *arena = &in->draft->arena;
	size_t start = strspn(text, BLANKS);
	size_t end = strlen(text);
	struct statement st = { .source = source, .mark = source_mark(line, start), .where = "" };
	size_t at = start;

	while (end > start && strchr(BLANKS, text[end - 1]) != NULL)
		end--;
	if (start == end || text[start] == '#')
		return;
	if (text[start] == '<' && text[end - 1] == '>')
		end--;
	at += strcspn(text + at, BLANKS);
	if (at > end)
		at = end;
	st.keyword = text_copy(arena, text + start, at - start);
	at += strspn(text + at, BLANKS);
	st.value_mark = source_mark(line, at);
	st.value = at < end ? unquote(arena, text_copy(arena, text + at, end - at)) : "";
	if (st.keyword[0] == '<')
		section(in, &st);
	else
		(void)add(in, &st);
}

bool proftpd_is_by_address(const struct statement *st)
{
	/* of classes, mod_wrap, mod_wrap2, mod_geoip, mod_dnsbl and mod_ban */
	static const char names[] =
	    "AllowClass DenyClass TCPAccessFiles TCPUserAccessFiles TCPGroupAccessFiles "
	    "WrapTables WrapUserTables WrapGroupTables GeoIPAllowFilter "
	    "GeoIPDenyFilter DNSBLPolicy DNSBLDomain BanOnEvent";
	const char *who = text_begins(st->value, "from ") ? st->value + strlen("from ") : st->value;

	if (text_is_word(st->keyword, "Allow Deny From"))
		return who[0] != '\0' && !text_is(who, "all") && !text_is(who, "none");
	return text_is_word(st->keyword, names);
}

void proftpd_parse(struct draft *draft, struct source *source, struct proftpd_file *ret)
{
	struct reader *in = &(struct reader){ .draft = draft, .last = &ret->first };
	struct source_line line = { 0 };
	struct source_line first = { 0 };
	struct arena *arena = &in->draft->arena;
	const char *text = "";
	unsigned joined = 0;

	while (in->n < MOVED_LINES_MAX && source_next_line(source, &line)) {
		bool more = line.len > 0 && line.text[line.len - 1] == '\\' && joined < 64;

		if (joined == 0)
			first = line;
		text = text_format(arena, "%s%.*s", text, (int)(line.len - more), line.text);
		joined++;
		if (more)
			continue;
		take_line(in, source, &first, text);
		text = "";
		joined = 0;
	}
	if (joined > 0)
		take_line(in, source, &first, text);
	for (size_t i = 0; i < in->depth; i++)
		diags_add(&source->diags, DIAG_ERROR, DIAG_IMPORT_SYNTAX, in->open[i].mark,
			  "<%.40s> is not closed", text_safe(arena, in->open[i].name));
}

/* Its own lines count before those of <Global>. */
const struct proftpd_directive *proftpd_find(const struct proftpd_file *file, const char *keyword, bool last)
{
	const struct proftpd_directive *found = NULL;

	for (const struct proftpd_directive *one = file->first; one != NULL; one = one->next) {
		if (!one->applies || !text_is(one->st.keyword, keyword))
			continue;
		if (found == NULL || (found->global && !one->global) ||
		    (last && found->global == one->global))
			found = one;
	}
	return found;
}

/* "600", "10m", "10min", "00:10:00" */
void proftpd_duration(struct arena *arena, struct statement *st)
{
	unsigned h, m, s;
	int end = 0;

	if (sscanf(st->value, "%3u:%2u:%2u%n", &h, &m, &s, &end) == 3 && st->value[end] == '\0')
		st->value = text_format(arena, "%u", h * 3600 + m * 60 + s);
	else if (sscanf(st->value, "%8u%n", &s, &end) == 1 && text_is_word(st->value + end, "s sec"))
		st->value = text_format(arena, "%u", s);
	else if (end > 0 && text_is_word(st->value + end, "m min"))
		st->value = text_format(arena, "%u", s * 60);
	else if (end > 0 && text_is_word(st->value + end, "h hr"))
		st->value = text_format(arena, "%u", s * 3600);
}
