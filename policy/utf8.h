/* Characters of a policy file as libyaml counts them: UTF-8, and YAML's line breaks. */
#ifndef ATTLSD_POLICY_UTF8_H
#define ATTLSD_POLICY_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The result of utf8_decode() for a byte that does not start a character. */
#define UTF8_BAD 0xffffffffu

/* Decode the first character of text (len > 0) and return its length in bytes; 1 for a bad byte. */
size_t utf8_decode(const char *text, size_t len, uint32_t *ret_rune);

/* Is it safe on a terminal: neither a control character nor one that reorders text? */
bool utf8_is_printable(uint32_t rune);

/* The length of the line break (CR, LF, CR LF, NEL, LS, PS) at the start of text (len > 0); 0: none. */
size_t utf8_line_break(const char *text, size_t len);

#endif
