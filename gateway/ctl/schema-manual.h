/*
 * The manual page attlsd.yaml(5), from which the JSON schema takes what a key means, so
 * that this is written once.
 */
#ifndef ATTLSD_GATEWAY_CTL_SCHEMA_MANUAL_H
#define ATTLSD_GATEWAY_CTL_SCHEMA_MANUAL_H

#include <stddef.h>

/* A part of the page. */
struct manual_part {
	const char *text;
	size_t len;
};

/* All of a section of the policy ("rules"). len is 0 if the page does not have it. */
struct manual_part manual_section(const char *key);

/*
 * The entry of a key of the value that `parent` describes, which is a part of the section: the
 * first one after it, or else in the whole section, where it is if it is the same as another's
 * ("As above."). The same.
 */
struct manual_part manual_entry(const struct manual_part *section, const struct manual_part *parent,
				const char *key);

/* What the first paragraph of a part says, as plain text. The caller frees it. NULL: no memory. */
char *manual_text(const struct manual_part *part);

#endif
