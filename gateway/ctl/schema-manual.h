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

/* The entry of a key in a section. The same. */
struct manual_part manual_entry(const struct manual_part *section, const char *key);

/* What the first paragraph of a part says, as plain text. The caller frees it. NULL: no memory. */
char *manual_text(const struct manual_part *part);

#endif
