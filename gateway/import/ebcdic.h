/* EBCDIC: data sets that came from z/OS without a conversion. */
#ifndef ATTLSD_GATEWAY_IMPORT_EBCDIC_H
#define ATTLSD_GATEWAY_IMPORT_EBCDIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Do these bytes look like text of z/OS rather than ASCII or UTF-8? */
bool ebcdic_is(const uint8_t *bytes, size_t len);

/*
 * Convert from IBM-1047 to UTF-8; NEL, the line end of z/OS UNIX, becomes a line feed. Each byte becomes one
 * character. Returns 0 and the text, which is the caller's to free; -EILSEQ for bytes that are no text; or
 * -ENOSYS if the C library does not know IBM-1047.
 */
int ebcdic_convert(const uint8_t *bytes, size_t len, char **ret_text, size_t *ret_len);

/* The byte of IBM-1047 for a character of ASCII that can be printed; all other bytes come after those. */
unsigned ebcdic_byte(char c);

/* Like strcmp(3), in the order of z/OS: by the bytes that the names have in IBM-1047. */
int ebcdic_compare(const char *a, const char *b);

#endif
