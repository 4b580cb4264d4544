/*
 * Reads the header of a protected message, since the library does not tell two things: the
 * place of a message in the sequence, and whose key protects it.
 */
#include "gateway/gssapi/token.h"

#define FLAG_FROM_ACCEPTOR   0x01
#define FLAG_SEALED	     0x02
#define FLAG_ACCEPTOR_SUBKEY 0x04
#define FLAGS_KNOWN	     (FLAG_FROM_ACCEPTOR | FLAG_SEALED | FLAG_ACCEPTOR_SUBKEY)

#define FILLER 0xff

bool gssapi_token_parse(const uint8_t *bytes, size_t len, struct gssapi_token *ret_token)
{
	struct gssapi_token token = { .sequence = 0 };

	/* TOK_ID 05 04, flags, filler, EC and RRC of two bytes each, SND_SEQ */
	if (len < GSSAPI_TOKEN_HEADER || bytes[0] != 0x05 || bytes[1] != 0x04 || bytes[3] != FILLER ||
	    (bytes[2] & ~FLAGS_KNOWN) != 0)
		return false;
	token.from_acceptor = (bytes[2] & FLAG_FROM_ACCEPTOR) != 0;
	token.sealed = (bytes[2] & FLAG_SEALED) != 0;
	token.acceptor_subkey = (bytes[2] & FLAG_ACCEPTOR_SUBKEY) != 0;
	for (size_t i = 8; i < GSSAPI_TOKEN_HEADER; i++)
		token.sequence = token.sequence << 8 | bytes[i];
	*ret_token = token;
	return true;
}
