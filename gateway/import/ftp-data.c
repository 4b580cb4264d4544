/*
 * Reads FTP.DATA into statements, checks their values against the table, and finds out
 * whether the file is the server's or the client's: each has statements that only it reads.
 */
#include "gateway/import/ftp-data.h"

#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/text.h"

#define BLANKS	" \t"
#define COMMENT ';'

#define PORT_MAX 65535
#define DAY_S	 86400

/* The rest of a line without its comment and the blanks around it. */
struct piece {
	const char *text;
	size_t len;
	struct diag_mark mark;
};

static bool is_blank(char c)
{
	return strchr(BLANKS, c) != NULL;
}

static bool take_piece(const struct source_line *line, size_t from, struct piece *ret)
{
	const char *comment = memchr(line->text, COMMENT, line->len);
	size_t end = comment != NULL ? (size_t)(comment - line->text) : line->len;

	while (from < end && is_blank(line->text[from]))
		from++;
	while (end > from && (is_blank(line->text[end - 1]) || line->text[end - 1] == '\x1a'))
		end--;
	*ret = (struct piece){ line->text + from, end - from, source_mark(line, from) };
	return end > from;
}

static size_t word_length(const struct piece *piece)
{
	size_t n = 0;

	while (n < piece->len && !is_blank(piece->text[n]))
		n++;
	return n;
}

/* ANONYMOUS user/password */
static bool is_secret(const char *keyword)
{
	return text_is(keyword, "ANONYMOUS");
}

static bool may_be_empty(const struct ftp_data_row *row)
{
	return row == NULL || row->kind == FTP_DATA_NOTHING;
}

/* A value may be on the line after its keyword: "blanks and line ends delimit tokens". */
static bool take_continued(const struct source *source, struct source_line *line, struct draft *draft,
			   struct piece *ret)
{
	struct source_line next = *line;

	while (source_next_line(source, &next)) {
		if (!take_piece(&next, 0, ret))
			continue;
		if (ftp_data_row_find(text_copy(&draft->arena, ret->text, word_length(ret))) != NULL)
			return false;
		*line = next;
		return true;
	}
	return false;
}

static const char *hint(struct draft *draft, const char *word, const char *words)
{
	const char *list[16] = { NULL };
	const char *near;
	size_t n = 0;

	while (*words != '\0' && n + 1 < NELEM(list)) {
		size_t len = strcspn(words, " ");

		list[n++] = text_copy(&draft->arena, words, len);
		words += len;
		words += strspn(words, " ");
	}
	near = diag_suggest(word, list);
	return near != NULL ? text_format(&draft->arena, "; did you mean %s?", near) : "";
}

static void unknown(struct draft *draft, struct source *source, const struct ftp_data_statement *one)
{
	const char *names[256] = { NULL };
	const char *near;
	const struct ftp_data_row *row;

	for (size_t i = 0; i + 1 < NELEM(names) && (row = ftp_data_row_at(i)) != NULL; i++)
		names[i] = row->statement;
	near = diag_suggest(one->st.keyword, names);
	diags_add(&source->diags, DIAG_WARNING, DIAG_IMPORT_UNKNOWN, one->st.mark, "unknown statement %s%s",
		  text_safe(&draft->arena, one->st.keyword),
		  near != NULL ? text_format(&draft->arena, "; did you mean %s?", near) : "");
}

bool ftp_data_ports(const char *value, unsigned *ret_low, unsigned *ret_high)
{
	unsigned ports[2] = { 0 };
	const char *at = value + strspn(value, BLANKS);

	if (*at++ != '(')
		return false;
	for (int i = 0; i < 2; i++) {
		size_t digits = strspn(at += strspn(at, BLANKS), "0123456789");

		if (digits == 0 || digits > 5)
			return false;
		for (; digits > 0; digits--)
			ports[i] = ports[i] * 10 + (unsigned)(*at++ - '0');
		at += strspn(at, BLANKS);
		if (*at++ != (i == 0 ? ',' : ')'))
			return false;
	}
	if (at[strspn(at, BLANKS)] != '\0' || ports[0] > ports[1])
		return false;
	*ret_low = ports[0];
	*ret_high = ports[1];
	return true;
}

static void check_value(struct draft *draft, struct source *source, const struct ftp_data_statement *one)
{
	const struct ftp_data_row *row = one->row;
	const char *value = text_safe(&draft->arena, one->st.value);
	struct diags *diags = &source->diags;
	unsigned low, high;
	uint64_t number;

	if (value[0] == '\0') {
		diags_add(diags, DIAG_ERROR, DIAG_IMPORT_VALUE, one->st.mark, "%s needs a value",
			  row->statement);
	} else if (row->words != NULL) {
		if (!text_is_word(value, row->words))
			diags_add(diags, DIAG_ERROR, DIAG_IMPORT_VALUE, one->st.value_mark,
				  "\"%.60s\" is not a value of %s: expected one of %s%s", value,
				  row->statement, row->words, hint(draft, value, row->words));
	} else if (row->kind == FTP_DATA_PORTS) {
		if (!ftp_data_ports(value, &low, &high) || low < row->min || high > row->max)
			diags_add(diags, DIAG_ERROR, DIAG_IMPORT_VALUE, one->st.value_mark,
				  "%s needs two ports from %u to %u, such as (50000,50100)", row->statement,
				  row->min, row->max);
	} else if (row->max > 0) {
		/* what attlsd lacks is a difference, but what z/OS itself ignores is a fault */
		unsigned most = row->zero == FTP_DATA_NO_LIMIT ? DAY_S : row->max;
		bool zero = row->zero != FTP_DATA_NO_ZERO && text_number(value, 0, 0, &number);

		if (!zero && !text_number(value, row->min, most, &number))
			diags_add(diags, DIAG_ERROR, DIAG_IMPORT_VALUE, one->st.value_mark,
				  "%s needs a number from %u to %u%s", row->statement, row->min, most,
				  row->zero != FTP_DATA_NO_ZERO && row->min > 0 ? ", or 0" : "");
	}
}

/* Values of one word end at a blank; those with parentheses may have blanks. */
static const char *take_value(struct draft *draft, struct source *source, const struct ftp_data_row *row,
			      const struct piece *piece)
{
	size_t n = word_length(piece);

	if (row == NULL || row->kind == FTP_DATA_NOTHING || row->kind == FTP_DATA_PORTS || n == piece->len)
		return text_copy(&draft->arena, piece->text, piece->len);
	diags_add(
	    &source->diags, DIAG_WARNING, DIAG_IMPORT_IGNORED,
	    (struct diag_mark){ .line = piece->mark.line, .column = piece->mark.column + (uint32_t)n + 1 },
	    "the text after the value of %s is ignored", row->statement);
	return text_copy(&draft->arena, piece->text, n);
}

static bool repeats(const struct ftp_data_row *row)
{
	return row->kind == FTP_DATA_NOTHING || text_is_word(row->statement, "EXTENSIONS CIPHERSUITE");
}

void ftp_data_parse(struct draft *draft, struct source *source, struct ftp_data *ret)
{
	struct ftp_data_statement **last = &ret->first;
	struct ftp_data_statement *seen[256] = { NULL };
	unsigned hints = 0;
	struct source_line line = { 0 };
	struct piece piece;

	*ret = (struct ftp_data){ .source = source };
	while (source_next_line(source, &line)) {
		struct ftp_data_statement *one;
		size_t len;

		if (!take_piece(&line, 0, &piece))
			continue;
		one = text_alloc(&draft->arena, 1, sizeof(*one));
		len = word_length(&piece);
		one->st = (struct statement){ .source = source,
					      .mark = piece.mark,
					      .value_mark = piece.mark,
					      .keyword = text_copy(&draft->arena, piece.text, len),
					      .value = "",
					      .where = "" };
		one->row = ftp_data_row_find(one->st.keyword);
		one->st.secret = is_secret(one->st.keyword);
		if (take_piece(&line, (size_t)(piece.text - line.text) + len, &piece) ||
		    (!may_be_empty(one->row) && take_continued(source, &line, draft, &piece))) {
			one->st.value_mark = piece.mark;
			one->st.value = take_value(draft, source, one->row, &piece);
		}
		if (one->row == NULL) {
			unknown(draft, source, one);
		} else {
			size_t index = (size_t)(one->row - ftp_data_row_at(0));

			if (one->row->kind != FTP_DATA_NOTHING)
				check_value(draft, source, one);
			if (one->row->sides != FTP_DATA_BOTH)
				*(one->row->kind != FTP_DATA_NOTHING ? &ret->sides : &hints) |=
				    one->row->sides;
			if (index < NELEM(seen) && !repeats(one->row)) {
				if (seen[index] != NULL)
					seen[index]->replaced = one;
				seen[index] = one;
			}
		}
		*last = one;
		last = &one->next;
	}
	/* what only the user of a client notices does not make the server's file one of the client, too */
	if (ret->sides == 0)
		ret->sides = hints != 0 ? hints : FTP_DATA_SERVER;
}

struct ftp_data_statement *ftp_data_find(const struct ftp_data *data, const char *name)
{
	const struct ftp_data_row *row = ftp_data_row_find(name);

	for (struct ftp_data_statement *one = data->first; one != NULL; one = one->next)
		if (one->row == row && row != NULL && one->replaced == NULL)
			return one;
	return NULL;
}
