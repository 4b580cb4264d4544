/*
 * Recognises EBCDIC and converts it with iconv(3). The code pages 037 and 1047 differ in
 * brackets and a few signs only, which neither FTP.DATA nor a policy of Policy Agent uses.
 */
#include "gateway/import/ebcdic.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#define CODE_PAGE "IBM1047"
#define BLANK	  0x40 /* in EBCDIC; '@' in ASCII */

bool ebcdic_is(const uint8_t *bytes, size_t len)
{
	size_t ebcdic = 0;
	size_t ascii = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = bytes[i];

		/* letters and digits of EBCDIC, and its blank */
		if (byte == BLANK || (byte >= 0x81 && byte <= 0xa9) || (byte >= 0xc1 && byte <= 0xe9) ||
		    (byte >= 0xf0 && byte <= 0xf9))
			ebcdic++;
		if (byte == '\n' || (byte >= ' ' && byte <= '~' && byte != BLANK))
			ascii++;
	}
	return ebcdic > ascii;
}

int ebcdic_convert(const uint8_t *bytes, size_t len, char **ret_text, size_t *ret_len)
{
	size_t room = 2 * len + 1; /* a character of Latin-1 has at most two bytes */
	char *in = malloc(len + 1);
	char *text = malloc(room);
	char *from = in;
	char *to = text;
	size_t left = room - 1;
	size_t rest = len;
	iconv_t how = iconv_open("UTF-8", CODE_PAGE);
	int r = 0;

	if (in == NULL || text == NULL) {
		r = -ENOMEM;
	} else if (how == (iconv_t)-1) {
		r = -ENOSYS;
	} else {
		memcpy(in, bytes, len);
		if (iconv(how, &from, &rest, &to, &left) == (size_t)-1)
			r = -EILSEQ;
	}
	if (how != (iconv_t)-1)
		(void)iconv_close(how); /* nothing is left in it */
	free(in);
	if (r < 0) {
		free(text);
		return r;
	}
	/* NEL, U+0085: C2 85 */
	*ret_len = 0;
	for (const char *at = text; at < to; at++) {
		if ((uint8_t)at[0] == 0xc2 && at + 1 < to && (uint8_t)at[1] == 0x85) {
			text[(*ret_len)++] = '\n';
			at++;
		} else {
			text[(*ret_len)++] = *at;
		}
	}
	text[*ret_len] = '\0';
	*ret_text = text;
	return 0;
}
