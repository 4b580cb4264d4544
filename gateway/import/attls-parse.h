/*
 * Policy Agent's files of AT-TLS statements as a tree of blocks, with references resolved.
 */
#ifndef ATTLSD_GATEWAY_IMPORT_ATTLS_PARSE_H
#define ATTLSD_GATEWAY_IMPORT_ATTLS_PARSE_H

#include <stdbool.h>

#include <uthash.h>

#include "gateway/import/attls-table.h"
#include "gateway/import/draft.h"

/* A parameter, a reference, or a block inside a block. */
struct attls_item {
	struct statement st;
	const struct attls_row *row; /* NULL: a block inside this one, or unknown */
	struct attls_block *block;   /* the block inside, or the one that is referred to; NULL: neither */
	struct attls_item *next;
};

struct attls_block {
	enum attls_kind kind;
	const char *name; /* "": inline, without one */
	struct statement head;
	struct attls_item *items, *last;
	struct attls_block *outer;    /* NULL: it stands alone */
	struct attls_block *replaced; /* by a later one with the same name; NULL: it counts */
	struct attls_block *next;     /* of all blocks, in the order of the files */
	const char *key;	      /* "kind/name", of those that stand alone */
	UT_hash_handle hh;
};

struct attls {
	struct draft *draft;
	struct attls_block *blocks, *last;
	struct attls_block *by_name;
	struct attls_item *others, *last_other; /* statements outside all blocks */
	size_t nitems;
};

/* Read one more file. Faults go into the diags of the source. */
void attls_parse(struct attls *attls, struct source *source);

/* After the last file: find what references refer to. Faults go to the sources of the references. */
void attls_resolve(struct attls *attls);

/* The item of a block with this keyword that counts: the last one. NULL: none. */
struct attls_item *attls_find(const struct attls_block *block, const char *keyword);

void attls_done(struct attls *attls);

#endif
