/* The statements and parameters of AT-TLS policies, and what becomes of them. */
#ifndef ATTLSD_GATEWAY_IMPORT_ATTLS_TABLE_H
#define ATTLSD_GATEWAY_IMPORT_ATTLS_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum attls_kind {
	ATTLS_NONE = 0,
#define BLOCK(id, keyword) ATTLS_##id,
#include "gateway/import/attls-blocks.def"
#undef BLOCK
	ATTLS_KINDS
};

#define ATTLS_IN(id) (UINT64_C(1) << ATTLS_##id)

enum attls_value {
	ATTLS_IGNORED = 0, /* not carried over: the text says why */
	ATTLS_WORD,
	ATTLS_NUMBER,
	ATTLS_TEXT,  /* the first word */
	ATTLS_LABEL, /* the whole line, with blanks */
	ATTLS_REF,   /* the name of a block */
};

struct attls_row {
	const char *keyword;
	uint64_t in; /* ATTLS_IN() of the blocks that may have it */
	enum attls_value value;
	enum attls_kind target; /* ATTLS_REF */
	const char *words;	/* ATTLS_WORD */
	uint32_t min, max;	/* ATTLS_NUMBER */
	const char *text;	/* ATTLS_IGNORED */
};

const char *attls_kind_name(enum attls_kind kind);
/* ATTLS_NONE: no block has this keyword. */
enum attls_kind attls_kind_find(const char *keyword);

/* May a block of this kind be inside one of that kind? */
int attls_may_contain(enum attls_kind outer, enum attls_kind inner);

const struct attls_row *attls_row_at(size_t index);
/* A parameter in any case; NULL: unknown. It may not be allowed in this block, see `in`. */
const struct attls_row *attls_row_find(const char *keyword);

/* Passwords. */
int attls_is_secret(const char *keyword);

#endif
