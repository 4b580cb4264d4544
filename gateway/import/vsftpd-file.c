/* Reads vsftpd.conf: "setting=value" without blanks, '#' before comments. */
#include "gateway/import/vsftpd-file.h"

#include <string.h>

#include "gateway/import/moved.h"
#include "gateway/import/text.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* vsftpd skips blanks before a setting, but accepts none before '=', and nothing else on a line. */
struct vsftpd_setting *vsftpd_parse(struct draft *draft, struct source *source)
{
	struct source_line line = { 0 };
	struct vsftpd_setting *first = NULL, **last = &first;
	struct arena *arena = &draft->arena;
	size_t n = 0;

	while (source_next_line(source, &line)) {
		const char *start = line.text;
		const char *end = line.text + line.len;
		const char *equals;
		struct vsftpd_setting *one;

		while (end > start && is_blank(end[-1]))
			end--;
		if (start == end || *start == '#')
			continue;
		while (is_blank(*start))
			start++;
		equals = memchr(start, '=', (size_t)(end - start));
		if (equals == NULL || equals == start || is_blank(equals[-1])) {
			diags_add(&source->diags, DIAG_ERROR, DIAG_IMPORT_SYNTAX,
				  source_mark(&line, (size_t)(start - line.text)), "%s",
				  equals != NULL && equals != start
				      ? "vsftpd accepts no blank before ="
				      : "expected setting=value, as vsftpd does");
			continue;
		}
		if (++n > MOVED_LINES_MAX) {
			diags_add(&source->diags, DIAG_ERROR, DIAG_IMPORT_TOO_LONG, source_mark(&line, 0),
				  "the file has too many settings");
			break;
		}
		one = text_alloc(arena, 1, sizeof(*one));
		one->st = (struct statement){
			.source = source,
			.mark = source_mark(&line, (size_t)(start - line.text)),
			.value_mark = source_mark(&line, (size_t)(equals + 1 - line.text)),
			.keyword = text_copy(arena, start, (size_t)(equals - start)),
			.value = text_copy(arena, equals + 1, (size_t)(end - equals - 1)),
			.where = "",
		};
		*last = one;
		last = &one->next;
	}
	return first;
}
