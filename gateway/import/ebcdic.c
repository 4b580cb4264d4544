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

/* IBM-1047, from the blank to '~' of ASCII. A table, because iconv(3) may have no IBM-1047. */
static const uint8_t printable[] = {
	0x40, 0x5a, 0x7f, 0x7b, 0x5b, 0x6c, 0x50, 0x7d, /*   ! " # $ % & ' */
	0x4d, 0x5d, 0x5c, 0x4e, 0x6b, 0x60, 0x4b, 0x61, /* ( ) * + , - . / */
	0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, /* 0 1 2 3 4 5 6 7 */
	0xf8, 0xf9, 0x7a, 0x5e, 0x4c, 0x7e, 0x6e, 0x6f, /* 8 9 : ; < = > ? */
	0x7c, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, /* @ A B C D E F G */
	0xc8, 0xc9, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, /* H I J K L M N O */
	0xd7, 0xd8, 0xd9, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, /* P Q R S T U V W */
	0xe7, 0xe8, 0xe9, 0xad, 0xe0, 0xbd, 0x5f, 0x6d, /* X Y Z [ \ ] ^ _ */
	0x79, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, /* ` a b c d e f g */
	0x88, 0x89, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, /* h i j k l m n o */
	0x97, 0x98, 0x99, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, /* p q r s t u v w */
	0xa7, 0xa8, 0xa9, 0xc0, 0x4f, 0xd0, 0xa1,	/* x y z { | } ~ */
};

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

unsigned ebcdic_byte(char c)
{
	uint8_t byte = (uint8_t)c;

	if (byte == '\0' || (byte >= ' ' && byte <= '~'))
		return byte == '\0' ? 0 : printable[byte - ' '];
	return UINT8_MAX + 1u + byte;
}

int ebcdic_compare(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (int)ebcdic_byte(*a) - (int)ebcdic_byte(*b);
}
