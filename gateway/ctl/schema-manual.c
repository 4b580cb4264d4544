/*
 * Reads the manual page attlsd.yaml(5), which attlsctl contains, for the descriptions of
 * the JSON schema. It knows the macros of mdoc(7) that this page uses: most only choose a
 * font, so that their arguments are the text.
 */
#include "gateway/ctl/schema-manual.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"

__asm__(".pushsection .rodata\nschema_manual_start:\n.incbin \"docs/man/attlsd.yaml.5\"\n.byte 0\n"
	".popsection\n");
extern const char schema_manual_start[];

#define NAME_MAX_LEN 80
#define CLOSING	     ".,:;)?!"

/* The rest of a part from the first line that begins with a macro, up to one that ends it. */
static struct manual_part part_at(const char *text, size_t len, const char *start, const char *const *ends)
{
	size_t start_len = strlen(start);
	const char *limit = text + len;
	const char *at = text;
	const char *end;

	while ((at = memmem(at, (size_t)(limit - at), start, start_len)) != NULL &&
	       (at + start_len == limit || strchr("\n ", at[start_len]) == NULL))
		at++;
	if (at == NULL)
		return (struct manual_part){ .text = "" };
	end = limit;
	for (; *ends != NULL; ends++) {
		const char *other = memmem(at + 1, (size_t)(end - at - 1), *ends, strlen(*ends));

		if (other != NULL)
			end = other;
	}
	at++; /* the newline before the macro */
	return (struct manual_part){ .text = at, .len = (size_t)(end - at) };
}

struct manual_part manual_section(const char *key)
{
	static const char *const ends[] = { "\n.Ss ", "\n.Sh ", NULL };
	char start[NAME_MAX_LEN];

	(void)snprintf(start, sizeof(start), "\n.Ss %s", key);
	return part_at(schema_manual_start, strlen(schema_manual_start), start, ends);
}

static bool is_as_above(const struct manual_part *entry)
{
	static const char text[] = "\nAs above.";
	const char *line = memchr(entry->text, '\n', entry->len);

	return line != NULL && strncmp(line, text, strlen(text)) == 0;
}

struct manual_part manual_entry(const struct manual_part *section, const struct manual_part *parent,
				const char *key)
{
	static const char *const ends[] = { "\n.It ", "\n.El", NULL };
	const char *end = section->text + section->len;
	struct manual_part entry = { .text = "" };
	char start[NAME_MAX_LEN];

	(void)snprintf(start, sizeof(start), "\n.It Ic %s", key);
	if (parent->len > 0)
		entry = part_at(parent->text, (size_t)(end - parent->text), start, ends);
	return entry.len == 0 || is_as_above(&entry) ? part_at(section->text, section->len, start, ends)
						     : entry;
}

/* The text so far. */
struct text {
	FILE *out;
	bool empty;
	bool joined; /* no blank before the next word */
};

/* One word without its escapes, after a blank where need be. */
static void put_word(struct text *text, const char *word, size_t len)
{
	if (!text->empty && !text->joined)
		(void)fputc(' ', text->out);
	text->empty = false;
	text->joined = false;
	for (size_t i = 0; i < len; i++) {
		if (word[i] != '\\' || i + 1 == len) {
			(void)fputc(word[i], text->out);
		} else if (word[i + 1] == '(' && i + 3 < len) { /* the page uses only \(dq */
			(void)fputc('"', text->out);
			i += 3;
		} else {
			if (word[i + 1] != '&')
				(void)fputc(word[i + 1] == 'e' ? '\\' : word[i + 1], text->out);
			i++;
		}
	}
}

static const char *end_of_word(const char *at, const char *end)
{
	while (at < end && *at != ' ')
		at++;
	return at;
}

static bool is_word(const char *at, const char *end, const char *word)
{
	return (size_t)(end - at) == strlen(word) && memcmp(at, word, strlen(word)) == 0;
}

static bool is_closing(const char *at, const char *end)
{
	return end - at == 1 && strchr(CLOSING, *at) != NULL;
}

/* The end of what a macro encloses: closing punctuation at the end of the line stays outside. */
static const char *end_of_enclosed(const char *at, const char *end)
{
	while (end - at >= 2 && end[-2] == ' ' && strchr(CLOSING, end[-1]) != NULL)
		end -= 2;
	return end;
}

/* Macros that put their arguments between two texts. */
static const struct enclosure {
	const char *macro, *before, *after;
} enclosures[] = {
	{ "Pq", "(", ")" }, { "Dq", "\"", "\"" }, { "Ql", "'", "'" }, { "Bq", "[", "]" }, { "Fl", "-", "" },
};

static void put_line(struct text *text, const char *at, const char *end);

static bool put_enclosed(struct text *text, const char *macro, const char *macro_end, const char *at,
			 const char *end)
{
	for (size_t i = 0; i < NELEM(enclosures); i++) {
		const char *inner = end_of_enclosed(at, end);

		if (!is_word(macro, macro_end, enclosures[i].macro))
			continue;
		put_word(text, enclosures[i].before, strlen(enclosures[i].before));
		text->joined = true;
		put_line(text, at, inner);
		text->joined = true;
		put_word(text, enclosures[i].after, strlen(enclosures[i].after));
		put_line(text, inner, end);
		return true;
	}
	return false;
}

/* Xr name section */
static const char *put_reference(struct text *text, const char *at, const char *end)
{
	const char *name_end = end_of_word(at, end);
	const char *section = name_end < end ? name_end + 1 : end;
	const char *section_end = end_of_word(section, end);

	put_word(text, at, (size_t)(name_end - at));
	(void)fprintf(text->out, "(%.*s)", (int)(section_end - section), section);
	return section_end;
}

/* The words and macros of a line. */
static void put_line(struct text *text, const char *at, const char *end)
{
	static const char *const fonts[] = { "Ic", "Cm", "Ar", "Li", "Pa", "Dv", "Sx", "No", "Nm" };

	while (at < end) {
		const char *word_end = end_of_word(at, end);
		const char *next = word_end < end ? word_end + 1 : end;
		bool font = false;

		for (size_t i = 0; i < NELEM(fonts); i++)
			font = font || is_word(at, word_end, fonts[i]);
		if (is_word(at, word_end, "Xr")) {
			next = put_reference(text, next, end);
			next += next < end;
		} else if (is_word(at, word_end, "Ns")) {
			text->joined = true;
		} else if (put_enclosed(text, at, word_end, next, end)) {
			return;
		} else if (!font && word_end > at) {
			text->joined = text->joined || is_closing(at, word_end);
			put_word(text, at, (size_t)(word_end - at));
			text->joined = is_word(at, word_end, "(");
		}
		at = next;
	}
}

/* Does this line end the paragraph? */
static bool ends_paragraph(const char *at, const char *end)
{
	static const char *const macros[] = { ".Pp", ".Bl", ".Bd", ".Dl", ".El" };
	const char *macro_end = end_of_word(at, end);

	for (size_t i = 0; i < NELEM(macros); i++)
		if (is_word(at, macro_end, macros[i]))
			return true;
	return false;
}

/* A last sentence that introduces an example ends with a colon, and goes. */
static void drop_introduction(char *text)
{
	size_t len = strlen(text);
	char *before = len > 0 && text[len - 1] == ':' ? memrchr(text, '.', len) : NULL;

	if (before != NULL)
		before[1] = '\0';
}

char *manual_text(const struct manual_part *part)
{
	const char *limit = part->text + part->len;
	const char *at = memchr(part->text, '\n', part->len); /* the line with the name of the key */
	struct text text = { .empty = true };
	char *result = NULL;
	size_t size;

	text.out = open_memstream(&result, &size);
	if (text.out == NULL)
		return NULL;
	while (at != NULL && at < limit) {
		const char *end;

		at++;
		end = memchr(at, '\n', (size_t)(limit - at));
		if (end == NULL)
			end = limit;
		if (ends_paragraph(at, end))
			break;
		put_line(&text, at + (at < end && *at == '.'), end);
		at = end;
	}
	if (fclose(text.out) != 0)
		return NULL;
	drop_introduction(result);
	return result;
}
