/*
 * Places of a source as editors count them: from 0, in UTF-16, with the line breaks that the
 * language server protocol knows (LF, CR LF, CR).
 */
#ifndef ATTLSD_GATEWAY_CTL_CHECK_RANGE_H
#define ATTLSD_GATEWAY_CTL_CHECK_RANGE_H

#include <stddef.h>
#include <stdint.h>

#include "policy/diag.h"

struct check_position {
	uint32_t line, character;
};

struct check_range {
	struct check_position start, end;
};

/*
 * Where the mark is in this text; a mark without an end lasts to the end of its line, and one
 * without a line (0) is the start of the file. A byte order mark does not count.
 */
struct check_range check_range_of(const char *source, size_t len, struct diag_mark mark);

#endif
