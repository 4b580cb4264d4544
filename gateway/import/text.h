/*
 * Small texts of an import, in an arena: made, compared, quoted for YAML, made safe for
 * comments. attlsctl ends if memory runs out, since a part of an import is of no use.
 */
#ifndef ATTLSD_GATEWAY_IMPORT_TEXT_H
#define ATTLSD_GATEWAY_IMPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

/* Zeroed memory; never NULL. */
void *text_alloc(struct arena *arena, size_t n, size_t size);
char *text_copy(struct arena *arena, const char *text, size_t len);
char *text_format(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *text_lower(struct arena *arena, const char *text);

/* Without regard to case. */
bool text_is(const char *a, const char *b);
bool text_begins(const char *text, const char *prefix);

/* Is it one of the words, which blanks separate, in any case? */
bool text_is_word(const char *text, const char *words);

/* The whole text as a decimal number of this range. */
bool text_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/* Such a text without the zeros that it begins with, which numbers of a policy do not have. */
const char *text_plain_number(const char *text);

/* A scalar of YAML, in quotes if it needs them. */
const char *text_yaml(struct arena *arena, const char *text);

/* With '?' for each character that a terminal or YAML might act on. */
const char *text_safe(struct arena *arena, const char *text);

/* A name as objects of a policy have: other characters become '_', and it is cut to fit. "": `instead`. */
const char *text_name(struct arena *arena, const char *text, const char *instead);

/* Several texts, joined by a separator: start with "". */
const char *text_join(struct arena *arena, const char *list, const char *separator, const char *more);

#endif
