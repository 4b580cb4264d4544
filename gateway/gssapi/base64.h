/*
 * Base 64 as RFC 2228 9 has it: the alphabet of RFC 4648 4 with padding, in one line. One
 * text stands for each sequence of bytes, and everything else is refused.
 */
#ifndef ATTLSD_GATEWAY_GSSAPI_BASE64_H
#define ATTLSD_GATEWAY_GSSAPI_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Characters for `len` bytes, without a NUL. */
#define BASE64_CHARS(len) (((len) + 2) / 3 * 4)
/* The most bytes that `chars` characters can stand for. */
#define BASE64_BYTES(chars) ((chars) / 4 * 3)

/* Writes BASE64_CHARS(len) characters and a NUL. */
void base64_encode(const uint8_t *bytes, size_t len, char *text);

/*
 * Returns 0 and the number of bytes, or -EINVAL. `bytes` has room for
 * BASE64_BYTES(len), and may be the text's own place.
 */
int base64_decode(const char *text, size_t len, uint8_t *bytes, size_t *ret_len);

#endif
