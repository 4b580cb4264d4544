/*
 * A YAML text as a tree with marks. This is the only module that uses libyaml.
 *
 * The tree is a subset of YAML on purpose: no aliases, anchors, tags, second
 * document, duplicate keys or control characters, and bounds on size and depth.
 */
#ifndef ATTLSD_POLICY_NODE_H
#define ATTLSD_POLICY_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/arena.h"
#include "policy/diag.h"

#define NODE_DEPTH_MAX 16
#define NODE_COUNT_MAX 10000
#define NODE_TEXT_MAX  (1024 * 1024)

enum node_kind {
	NODE_BAD = 0, /* its fault was reported already, so its readers report nothing */
	NODE_SCALAR,
	NODE_SEQUENCE,
	NODE_MAPPING,
};

struct node {
	enum node_kind kind;
	struct diag_mark mark;
	const char *text; /* of a scalar, NUL-terminated, without control characters; else "" */
	size_t len;
	bool quoted;
	bool flow;	   /* a list in [ ] or a mapping in { } */
	struct node *key;  /* of a member of a mapping, a scalar; else NULL */
	struct node *next; /* sibling */
	struct node *first, *last;
	size_t count; /* children */
};

/*
 * Parse text into a tree that lives in the arena. Faults go into diags. A
 * tree with faults in single nodes is returned, too. Returns NULL when there is no
 * complete tree to check further (arena->failed: no memory).
 */
struct node *node_parse(const char *text, size_t len, struct arena *arena, struct diags *diags);

/* The member of a mapping with this key, or NULL. */
const struct node *node_member(const struct node *mapping, const char *key);

/* Is this "key:" without a value? */
bool node_is_empty(const struct node *node);

/* Iterate over a list; a scalar is a list of one (its siblings are not items of the list). */
const struct node *node_list_first(const struct node *node);
const struct node *node_list_next(const struct node *node, const struct node *item);
size_t node_list_count(const struct node *node);

#endif
