/*
 * Builds the tree of a policy file from the events of libyaml, and refuses what the
 * policy language leaves out of YAML. Everything about YAML syntax ends here:
 * common mistakes get a message of our own instead of libyaml's.
 */
#include "policy/node.h"

#include <string.h>
#include <yaml.h>

#include "policy/nelem.h"
#include "policy/utf8.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";

struct builder {
	yaml_parser_t parser;
	struct arena *arena;
	struct diags *diags;
	const char *text; /* to locate a byte that libyaml cannot read */
	size_t len;
	struct node *root;
	struct node *stack[NODE_DEPTH_MAX]; /* open sequences and mappings */
	struct node *keys[NODE_DEPTH_MAX];  /* for each, the key that waits for its value */
	size_t depth;
	size_t nodes;
	size_t documents;
};

static struct diag_mark mark_of(const yaml_mark_t *mark)
{
	return (struct diag_mark){ .line = (uint32_t)mark->line + 1, .column = (uint32_t)mark->column + 1 };
}

static void set_end(struct diag_mark *mark, const yaml_mark_t *end)
{
	mark->end_line = (uint32_t)end->line + 1;
	mark->end_column = (uint32_t)end->column + 1;
}

static void fault(struct builder *b, enum diag_code code, struct diag_mark mark, const char *message)
{
	diags_add(b->diags, DIAG_ERROR, code, mark, "%s", message);
}

/* For input that its reader refuses, libyaml gives a byte offset instead of a mark. */
static struct diag_mark mark_of_offset(const struct builder *b, size_t offset)
{
	struct diag_mark mark = { .line = 1, .column = 1 };
	size_t at = 0;

	while (at < offset && at < b->len) {
		uint32_t rune;
		size_t n = utf8_line_break(b->text + at, b->len - at);

		if (n > 0) {
			mark.line++;
			mark.column = 1;
		} else {
			n = utf8_decode(b->text + at, b->len - at, &rune);
			mark.column++;
		}
		at += n;
	}
	return mark;
}

/* What libyaml says about common mistakes, and what we say instead. */
static const struct {
	const char *problem;
	const char *context;
	const char *message;
	bool before; /* the mistake is where the context began, not where libyaml noticed it */
} common_slips[] = {
	{ "found character that cannot start any token", "while scanning for the next token",
	  "no value can start with this character; "
	  "indent with spaces, not tabs, and quote text that starts with @ ` or %",
	  false },
	{ "did not find expected alphabetic or numeric character", "while scanning an alias",
	  "quote text that starts with an asterisk: \"*AUTH*/*\"", false },
	{ "mapping values are not allowed in this context", NULL,
	  "a second \": \" on one line, wrong indentation, or no space after the colon on the line above; "
	  "quote text that contains a colon and a space",
	  false },
	{ "could not find expected ':'", "while scanning a simple key",
	  "this is not a key with a value: a key must be followed by a colon and a space", true },
};

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void report_syntax(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;
	const char *problem = p->problem != NULL ? p->problem : "no reason given";
	struct diag_mark mark = mark_of(&p->problem_mark);

	if (p->error == YAML_MEMORY_ERROR) {
		b->arena->failed = true;
		return;
	}
	if (p->error == YAML_READER_ERROR) {
		diags_add(b->diags, DIAG_ERROR, DIAG_NOT_UTF8, mark_of_offset(b, p->problem_offset),
			  "the file must be UTF-8 text without control characters: %s", problem);
		return;
	}
	for (size_t i = 0; i < NELEM(common_slips); i++) {
		if (same_text(common_slips[i].problem, problem) &&
		    same_text(common_slips[i].context, p->context)) {
			fault(b, DIAG_YAML_SYNTAX, common_slips[i].before ? mark_of(&p->context_mark) : mark,
			      common_slips[i].message);
			return;
		}
	}
	if (p->context != NULL) {
		diags_add(b->diags, DIAG_ERROR, DIAG_YAML_SYNTAX, mark,
			  "this is not YAML: %s (%s that starts on line %zu)", problem, p->context,
			  p->context_mark.line + 1);
		diags_see(b->diags, NULL, mark_of(&p->context_mark), "%s", p->context);
	} else {
		diags_add(b->diags, DIAG_ERROR, DIAG_YAML_SYNTAX, mark, "this is not YAML: %s", problem);
	}
}

static bool has_member(const struct node *mapping, const struct node *key, struct diag_mark *ret_mark)
{
	const struct node *other = node_member(mapping, key->text);

	if (other == NULL)
		return false;
	*ret_mark = other->key->mark;
	return true;
}

static void append(struct node *parent, struct node *child)
{
	if (parent->last != NULL)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

/* Attach a node to the innermost open one. Returns false when the rest cannot be understood. */
static bool attach(struct builder *b, struct node *node)
{
	struct node *parent;
	struct node **key;
	struct diag_mark first;

	if (b->depth == 0) {
		b->root = node;
		return true;
	}
	parent = b->stack[b->depth - 1];
	key = &b->keys[b->depth - 1];
	if (parent->kind == NODE_SEQUENCE) {
		append(parent, node);
		return true;
	}
	if (*key == NULL) {
		if (node->kind == NODE_SEQUENCE || node->kind == NODE_MAPPING) {
			fault(b, DIAG_YAML_KEY, node->mark,
			      "a key must be one word, not a list or a mapping");
			return false;
		}
		*key = node;
		return true;
	}
	node->key = *key;
	*key = NULL;
	if (node->key->kind == NODE_SCALAR && has_member(parent, node->key, &first)) {
		diags_add(b->diags, DIAG_ERROR, DIAG_DUPLICATE_KEY, node->key->mark,
			  "duplicate key \"%.40s\"; the first one is on line %u; remove one of them",
			  node->key->text, first.line);
		diags_see(b->diags, NULL, first, "the first \"%.40s\"", node->key->text);
		node->key->kind = NODE_BAD;
	}
	append(parent, node);
	return true;
}

static struct node *new_node(struct builder *b, enum node_kind kind, const yaml_event_t *event)
{
	struct diag_mark mark = mark_of(&event->start_mark);
	struct node *node;

	if (++b->nodes > NODE_COUNT_MAX) {
		fault(b, DIAG_TOO_MANY_VALUES, mark, "the policy has too many values (the limit is 10000)");
		return NULL;
	}
	node = arena_alloc(b->arena, 1, sizeof(*node));
	if (node == NULL)
		return NULL;
	node->kind = kind;
	node->mark = mark;
	/* a list or mapping without brackets ends where the next key begins, which says nothing */
	if (event->type == YAML_SCALAR_EVENT || event->type == YAML_ALIAS_EVENT)
		set_end(&node->mark, &event->end_mark);
	node->text = "";
	return node;
}

static void refuse_extras(struct builder *b, const yaml_event_t *event, const yaml_char_t *anchor,
			  const yaml_char_t *tag)
{
	if (anchor != NULL)
		fault(b, DIAG_YAML_ANCHOR, mark_of(&event->start_mark),
		      "anchors (&name) are not supported; write the value out");
	if (tag != NULL)
		fault(b, DIAG_YAML_TAG, mark_of(&event->start_mark),
		      "tags (!name) are not supported; remove the tag");
}

static bool add_scalar(struct builder *b, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct node *node = new_node(b, NODE_SCALAR, event);

	if (node == NULL)
		return false;
	refuse_extras(b, event, event->data.scalar.anchor, event->data.scalar.tag);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = arena_strndup(b->arena, value, len);
	node->len = len;
	if (node->text == NULL)
		return false;
	for (size_t i = 0; i < len && node->kind == NODE_SCALAR; i++) {
		if ((unsigned char)value[i] < ' ' || value[i] == '\x7f') {
			fault(b, DIAG_CONTROL_CHARACTER, node->mark,
			      "a value must be a single line without control characters");
			node->kind = NODE_BAD;
		}
	}
	return attach(b, node);
}

static bool add_alias(struct builder *b, const yaml_event_t *event)
{
	struct node *node = new_node(b, NODE_BAD, event);

	if (node == NULL)
		return false;
	fault(b, DIAG_YAML_ALIAS, node->mark,
	      "aliases (*name) are not supported; write the value out, or quote it if it starts with *");
	return attach(b, node);
}

static bool open_node(struct builder *b, enum node_kind kind, const yaml_event_t *event)
{
	struct node *node = new_node(b, kind, event);

	if (node == NULL)
		return false;
	if (kind == NODE_SEQUENCE) {
		node->flow = event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
		refuse_extras(b, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
	} else {
		node->flow = event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
		refuse_extras(b, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
	}
	if (b->depth == NODE_DEPTH_MAX) {
		fault(b, DIAG_TOO_DEEP, node->mark, "the policy is nested too deeply (the limit is 16)");
		return false;
	}
	if (!attach(b, node))
		return false;
	b->stack[b->depth] = node;
	b->keys[b->depth] = NULL;
	b->depth++;
	return true;
}

static bool start_document(struct builder *b, const yaml_event_t *event)
{
	if (++b->documents == 1)
		return true;
	fault(b, DIAG_YAML_DOCUMENT, mark_of(&event->start_mark),
	      "a policy must be a single YAML document; remove what follows this line");
	return false;
}

/* Returns false when the rest cannot be understood. */
static bool add_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_STREAM_END_EVENT:
		return true;
	case YAML_DOCUMENT_START_EVENT:
		return start_document(b, event);
	case YAML_ALIAS_EVENT:
		return add_alias(b, event);
	case YAML_SCALAR_EVENT:
		return add_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(b, NODE_SEQUENCE, event);
	case YAML_MAPPING_START_EVENT:
		return open_node(b, NODE_MAPPING, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		if (b->stack[b->depth]->flow)
			set_end(&b->stack[b->depth]->mark, &event->end_mark);
		return true;
	}
	return false;
}

/* Returns false when the end was not reached. */
static bool build(struct builder *b)
{
	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)b->text, b->len);
	for (;;) {
		yaml_event_t event;
		bool end, more;

		if (yaml_parser_parse(&b->parser, &event) == 0) {
			report_syntax(b);
			return false;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		more = add_event(b, &event);
		yaml_event_delete(&event);
		if (end || !more)
			return end;
	}
}

struct node *node_parse(const char *text, size_t len, struct arena *arena, struct diags *diags)
{
	struct builder b = { .arena = arena, .diags = diags, .text = text, .len = len };
	bool whole;

	if (len > NODE_TEXT_MAX) {
		fault(&b, DIAG_POLICY_TOO_LARGE, (struct diag_mark){ 0 }, "the policy is larger than 1 MiB");
		return NULL;
	}
	/* libyaml would count it as a column */
	if (len >= strlen(byte_order_mark) && memcmp(text, byte_order_mark, strlen(byte_order_mark)) == 0) {
		b.text += strlen(byte_order_mark);
		b.len -= strlen(byte_order_mark);
	}
	if (yaml_parser_initialize(&b.parser) == 0) {
		arena->failed = true;
		return NULL;
	}
	whole = build(&b);
	yaml_parser_delete(&b.parser);
	if (!whole || arena->failed)
		return NULL;
	if (b.root == NULL && diags->nerrors == 0 && diags->reading == 0) /* a node need not have values */
		fault(&b, DIAG_POLICY_EMPTY, (struct diag_mark){ 0 },
		      "the policy is empty; start with \"version: 1\"");
	return b.root;
}

const struct node *node_member(const struct node *mapping, const char *key)
{
	if (mapping->kind != NODE_MAPPING)
		return NULL;
	for (const struct node *n = mapping->first; n != NULL; n = n->next)
		if (n->key->kind == NODE_SCALAR && strcmp(n->key->text, key) == 0)
			return n;
	return NULL;
}

bool node_is_empty(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->len == 0 && !node->quoted;
}

const struct node *node_list_first(const struct node *node)
{
	return node->kind == NODE_SEQUENCE ? node->first : node;
}

const struct node *node_list_next(const struct node *node, const struct node *item)
{
	return node->kind == NODE_SEQUENCE ? item->next : NULL;
}

size_t node_list_count(const struct node *node)
{
	return node->kind == NODE_SEQUENCE ? node->count : 1;
}
