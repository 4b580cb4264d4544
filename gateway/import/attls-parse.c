/*
 * Parses blocks in braces. Braces and parameters are on lines of their own, but a brace
 * after the name of a block is accepted. A '#' at the start of a word begins a comment.
 *
 * The file is hostile: blocks nest only as AT-TLS lets them, and the number of statements is limited
 * by the size of a file.
 */
#include "gateway/import/attls-parse.h"

#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/text.h"

#define BLANKS " \t"

struct reader {
	struct attls *attls;
	struct source *source;
	struct source_line line;
	struct attls_block *open;    /* the innermost block that is open */
	struct attls_block *pending; /* its brace has not come yet */
};

static void fault(struct reader *in, enum diag_code code, struct diag_mark mark, const char *text)
{
	diags_add(&in->source->diags, DIAG_ERROR, code, mark, "%s", text);
}

/* Messages show the line, unless it has a password. */
static struct diag_mark mark_of(const struct statement *st)
{
	return st->secret ? (struct diag_mark){ 0 } : st->mark;
}

/* The place of a password, whose message has no mark. */
static const char *place_of(struct reader *in, const struct statement *st)
{
	return st->secret ? text_format(&in->attls->draft->arena, "line %u: ", (unsigned)st->mark.line) : "";
}

static const char *shown(struct reader *in, const char *text)
{
	return text_safe(&in->attls->draft->arena, text);
}

/* "TTLSKeyringParms ring" */
static const char *block_title(struct reader *in, const struct attls_block *block)
{
	return text_format(&in->attls->draft->arena, "%s%s%s", attls_kind_name(block->kind),
			   block->name[0] != '\0' ? " " : "", shown(in, block->name));
}

/* The length of the line without its comment and the blanks at its end. */
static size_t content_end(const struct source_line *line)
{
	size_t end = 0;

	for (size_t at = 0; at < line->len; at++) {
		char c = line->text[at];

		if (c == '#' && (at == 0 || strchr(BLANKS, line->text[at - 1]) != NULL))
			break;
		if (strchr(BLANKS "\x1a", c) == NULL)
			end = at + 1;
	}
	return end;
}

static struct attls_block *add_block(struct reader *in, enum attls_kind kind, const struct statement *head)
{
	struct attls *attls = in->attls;
	struct attls_block *block = text_alloc(&attls->draft->arena, 1, sizeof(*block));

	block->kind = kind;
	block->name = head->value;
	block->head = *head;
	block->outer = in->open;
	*(attls->last != NULL ? &attls->last->next : &attls->blocks) = block;
	attls->last = block;
	return block;
}

/* A name stands for the last block that has it, as in Policy Agent. */
static void register_block(struct reader *in, struct attls_block *block)
{
	struct attls *attls = in->attls;
	struct attls_block *before = NULL;

	if (block->name[0] == '\0') {
		fault(in, DIAG_IMPORT_MISSING, block->head.mark,
		      text_format(&attls->draft->arena, "%s needs a name", attls_kind_name(block->kind)));
		return;
	}
	block->key = text_format(&attls->draft->arena, "%d/%s", block->kind, block->name);
	HASH_FIND_STR(attls->by_name, block->key, before);
	if (before != NULL) {
		diags_add(&in->source->diags, DIAG_WARNING, DIAG_IMPORT_REPLACED, block->head.mark,
			  "%s replaces the one of the same name in line %u", block_title(in, block),
			  before->head.mark.line);
		before->replaced = block;
		HASH_DEL(attls->by_name, before);
	}
	HASH_ADD_KEYPTR(hh, attls->by_name, block->key, strlen(block->key), block);
}

static struct attls_item *add_item(struct reader *in, const struct statement *st)
{
	struct attls *attls = in->attls;
	struct attls_item *item = text_alloc(&attls->draft->arena, 1, sizeof(*item));
	struct attls_item **last = in->open != NULL ? &in->open->last : &attls->last_other;
	struct attls_item **first = in->open != NULL ? &in->open->items : &attls->others;

	item->st = *st;
	if (in->open != NULL)
		item->st.where = block_title(in, in->open);
	*(*last != NULL ? &(*last)->next : first) = item;
	*last = item;
	attls->nitems++;
	return item;
}

/* A block begins, inside another or alone. */
static void begin_block(struct reader *in, enum attls_kind kind, struct statement *st)
{
	struct attls_block *block;

	if (in->open != NULL && !attls_may_contain(in->open->kind, kind)) {
		fault(in, DIAG_IMPORT_SYNTAX, st->mark,
		      text_format(&in->attls->draft->arena,
				  "%s cannot be inside %s: is a } missing before it?", attls_kind_name(kind),
				  block_title(in, in->open)));
		in->open = NULL;
	}
	if (in->open != NULL) {
		struct attls_item *item = add_item(in, st);

		block = add_block(in, kind, st);
		item->block = block;
	} else {
		block = add_block(in, kind, st);
		register_block(in, block);
	}
	in->pending = block;
}

static void check_number(struct reader *in, const struct attls_item *item)
{
	const struct attls_row *row = item->row;
	uint64_t number;

	if (!text_number(item->st.value, row->min, row->max, &number))
		diags_add(&in->source->diags, DIAG_ERROR, DIAG_IMPORT_VALUE, item->st.value_mark,
			  "%s needs a number from %u to %u", row->keyword, row->min, row->max);
}

static void check_word(struct reader *in, const struct attls_item *item)
{
	const char *list[8] = { NULL };
	const char *near;
	size_t n = 0;

	if (text_is_word(item->st.value, item->row->words))
		return;
	for (const char *words = item->row->words; *words != '\0' && n + 1 < NELEM(list);) {
		size_t len = strcspn(words, " ");

		list[n++] = text_copy(&in->attls->draft->arena, words, len);
		words += len;
		words += strspn(words, " ");
	}
	near = diag_suggest(item->st.value, list);
	diags_add(&in->source->diags, DIAG_ERROR, DIAG_IMPORT_VALUE, item->st.value_mark,
		  "\"%.60s\" is not a value of %s: expected one of %s%s%s%s", shown(in, item->st.value),
		  item->row->keyword, item->row->words, near != NULL ? "; did you mean " : "",
		  near != NULL ? near : "", near != NULL ? "?" : "");
}

static void unknown(struct reader *in, const struct attls_item *item)
{
	const char *names[256] = { NULL };
	const struct attls_row *row;
	const char *near;
	size_t n = 0;

	for (size_t i = 0; n + 1 < NELEM(names) && (row = attls_row_at(i)) != NULL; i++)
		if (in->open != NULL && (row->in & (UINT64_C(1) << in->open->kind)) != 0)
			names[n++] = row->keyword;
	near = diag_suggest(item->st.keyword, names);
	diags_add(&in->source->diags, DIAG_WARNING, DIAG_IMPORT_UNKNOWN, mark_of(&item->st),
		  "%sunknown parameter %s%s%s%s", place_of(in, &item->st), shown(in, item->st.keyword),
		  near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
}

static void take_parameter(struct reader *in, const struct statement *st)
{
	struct attls_item *item = add_item(in, st);
	const struct attls_row *row = attls_row_find(st->keyword);

	if (in->open == NULL)
		return; /* TTLSConfig and its like, see the account */
	if (row == NULL) {
		unknown(in, item);
		return;
	}
	if ((row->in & (UINT64_C(1) << in->open->kind)) == 0) {
		diags_add(&in->source->diags, row->value == ATTLS_IGNORED ? DIAG_WARNING : DIAG_ERROR,
			  DIAG_IMPORT_PLACE, mark_of(&item->st), "%s%s does not belong in %s",
			  place_of(in, &item->st), row->keyword, block_title(in, in->open));
		return;
	}
	item->row = row;
	if (row->value == ATTLS_IGNORED)
		return;
	/* a label without a value stands for none: the default certificate of the key ring is not used */
	if (st->value[0] == '\0' && !text_is_word(row->keyword, "CertificateLabel ServerCertificateLabel")) {
		fault(in, DIAG_IMPORT_VALUE, st->mark,
		      text_format(&in->attls->draft->arena, "%s needs a value", row->keyword));
		return;
	}
	/* AT-TLS ignores what follows a complete value */
	if (row->value != ATTLS_LABEL)
		item->st.value = text_copy(&in->attls->draft->arena, st->value, strcspn(st->value, BLANKS));
	if (row->value == ATTLS_NUMBER)
		check_number(in, item);
	else if (row->value == ATTLS_WORD)
		check_word(in, item);
}

static void close_block(struct reader *in, struct diag_mark mark)
{
	if (in->open == NULL) {
		fault(in, DIAG_IMPORT_SYNTAX, mark, "this } closes nothing");
		return;
	}
	in->open->head.last_line = in->line.number;
	in->open = in->open->outer;
}

static void open_block(struct reader *in, struct diag_mark mark)
{
	if (in->pending == NULL) {
		fault(in, DIAG_IMPORT_SYNTAX, mark, "this { follows no statement");
		return;
	}
	in->open = in->pending;
	in->pending = NULL;
}

/* A keyword, and the rest of its line. */
static void take_statement(struct reader *in, size_t start, size_t end)
{
	struct arena *arena = &in->attls->draft->arena;
	const char *text = in->line.text;
	size_t at = start;
	bool brace = end > start + 1 && text[end - 1] == '{' && strchr(BLANKS, text[end - 2]) != NULL;
	struct statement st = { .source = in->source, .mark = source_mark(&in->line, start), .where = "" };
	enum attls_kind kind;

	if (brace)
		for (end--; end > start && strchr(BLANKS, text[end - 1]) != NULL;)
			end--;
	while (at < end && strchr(BLANKS, text[at]) == NULL)
		at++;
	st.keyword = text_copy(arena, text + start, at - start);
	st.secret = attls_is_secret(st.keyword) != 0;
	while (at < end && strchr(BLANKS, text[at]) != NULL)
		at++;
	st.value = text_copy(arena, text + at, end - at);
	st.value_mark = source_mark(&in->line, at);
	kind = attls_kind_find(st.keyword);
	if (kind == ATTLS_NONE) {
		take_parameter(in, &st);
		if (brace)
			diags_add(&in->source->diags, DIAG_ERROR, DIAG_IMPORT_SYNTAX, mark_of(&st),
				  "%sthis statement has no block", place_of(in, &st));
		return;
	}
	st.value = text_copy(arena, st.value, strcspn(st.value, BLANKS));
	begin_block(in, kind, &st);
	if (brace)
		open_block(in, st.mark);
}

static void missing_brace(struct reader *in)
{
	fault(
	    in, DIAG_IMPORT_SYNTAX, in->pending->head.mark,
	    text_format(&in->attls->draft->arena, "%s has no block in braces", block_title(in, in->pending)));
	in->pending = NULL;
}

void attls_parse(struct attls *attls, struct source *source)
{
	struct reader in = { .attls = attls, .source = source };

	while (source_next_line(source, &in.line)) {
		size_t end = content_end(&in.line);
		size_t start = 0;
		const char *text = in.line.text;

		while (start < end && strchr(BLANKS, text[start]) != NULL)
			start++;
		if (start == end)
			continue;
		if (end - start == 1 && text[start] == '{') {
			open_block(&in, source_mark(&in.line, start));
			continue;
		}
		if (in.pending != NULL)
			missing_brace(&in);
		if (end - start == 1 && text[start] == '}')
			close_block(&in, source_mark(&in.line, start));
		else
			take_statement(&in, start, end);
	}
	if (in.pending != NULL)
		missing_brace(&in);
	for (struct attls_block *block = in.open; block != NULL; block = block->outer) {
		fault(&in, DIAG_IMPORT_SYNTAX, block->head.mark,
		      text_format(&attls->draft->arena, "%s is not closed: a } is missing",
				  block_title(&in, block)));
		block->head.last_line = in.line.number;
	}
}

static struct attls_block *find_block(struct attls *attls, enum attls_kind kind, const char *name)
{
	const char *key = text_format(&attls->draft->arena, "%d/%s", kind, name);
	struct attls_block *block = NULL;

	HASH_FIND_STR(attls->by_name, key, block);
	return block;
}

/* Do both stand for addresses, or both for ports, of the same side? */
static bool are_alike(const struct attls_row *a, const struct attls_row *b)
{
	static const uint64_t addresses = ATTLS_IN(ADDR) | ATTLS_IN(ADDR_SET) | ATTLS_IN(ADDR_GROUP);
	static const uint64_t ports = ATTLS_IN(PORT_RANGE) | ATTLS_IN(PORT_GROUP);
	uint64_t both = (UINT64_C(1) << a->target) | (UINT64_C(1) << b->target);

	return ((both & ~addresses) == 0 || (both & ~ports) == 0) && (a->in & b->in) != 0 &&
	       a->keyword[0] == b->keyword[0]; /* Local or Remote */
}

/* The block has this name, but only another parameter can name it, such as RemoteAddrSetRef; "": none. */
static const char *other_kind(struct attls *attls, const struct attls_item *item)
{
	const struct attls_row *row;

	for (size_t i = 0; (row = attls_row_at(i)) != NULL; i++)
		if (row->value == ATTLS_REF && are_alike(row, item->row) &&
		    find_block(attls, row->target, item->st.value) != NULL)
			return text_format(&attls->draft->arena, ", but %s %.40s: name it in %s",
					   attls_kind_name(row->target),
					   text_safe(&attls->draft->arena, item->st.value), row->keyword);
	return "";
}

static void resolve(struct attls *attls, struct attls_item *item)
{
	item->block = find_block(attls, item->row->target, item->st.value);
	if (item->block == NULL)
		diags_add(&item->st.source->diags, DIAG_ERROR, DIAG_IMPORT_UNDEFINED, item->st.value_mark,
			  "there is no %s %.40s%s", attls_kind_name(item->row->target),
			  text_safe(&attls->draft->arena, item->st.value), other_kind(attls, item));
}

void attls_resolve(struct attls *attls)
{
	for (struct attls_block *block = attls->blocks; block != NULL; block = block->next)
		for (struct attls_item *item = block->items; item != NULL; item = item->next)
			if (item->row != NULL && item->row->value == ATTLS_REF && item->block == NULL &&
			    item->st.value[0] != '\0')
				resolve(attls, item);
}

struct attls_item *attls_find(const struct attls_block *block, const char *keyword)
{
	struct attls_item *found = NULL;

	for (struct attls_item *item = block->items; item != NULL; item = item->next)
		if (item->row != NULL && text_is(item->row->keyword, keyword))
			found = item;
	return found;
}

void attls_done(struct attls *attls)
{
	HASH_CLEAR(hh, attls->by_name);
}
