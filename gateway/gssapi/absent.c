/*
 * In place of acceptor.c and context.c where attlsd is built without the library of
 * Kerberos. No policy asks for them then: see schema-ftp.c.
 */
#include <errno.h>
#include <stdio.h>

#include "gateway/gssapi/acceptor.h"
#include "gateway/gssapi/context.h"

int gssapi_acceptor_open(const char *keytab, char why[static GSSAPI_WHY_MAX],
			 struct gssapi_acceptor **ret_acceptor)
{
	(void)keytab;
	(void)ret_acceptor;
	(void)snprintf(why, GSSAPI_WHY_MAX, "this attlsd was built without GSSAPI");
	return -ENOTSUP;
}

void gssapi_acceptor_close(struct gssapi_acceptor **acceptor)
{
	(void)acceptor;
}

void gssapi_acceptor_accept(struct gssapi_acceptor *acceptor, const struct gssapi_request *request,
			    struct gssapi_answer *answer)
{
	(void)acceptor;
	*answer = (struct gssapi_answer){ .serial = request->serial, .status = GSSAPI_STATUS_REFUSED };
}

int gssapi_context_import(const uint8_t *bytes, size_t len, struct gssapi_context **ret_context)
{
	(void)bytes;
	(void)len;
	(void)ret_context;
	return -ENOTSUP;
}

void gssapi_context_free(struct gssapi_context **context)
{
	(void)context;
}

enum gssapi_result gssapi_context_unwrap(struct gssapi_context *context, bool sealed, uint8_t *bytes,
					 size_t *len)
{
	(void)context;
	(void)sealed;
	(void)bytes;
	(void)len;
	return GSSAPI_DEFECTIVE;
}

void gssapi_context_break(struct gssapi_context *context)
{
	(void)context;
}

bool gssapi_context_is_proven(const struct gssapi_context *context)
{
	(void)context;
	return false;
}

enum gssapi_result gssapi_context_wrap(struct gssapi_context *context, bool seal, const uint8_t *bytes,
				       size_t len, uint8_t *buf, size_t size, size_t *ret_len)
{
	(void)context;
	(void)seal;
	(void)bytes;
	(void)len;
	(void)buf;
	(void)size;
	(void)ret_len;
	return GSSAPI_DEFECTIVE;
}

size_t gssapi_context_limit(struct gssapi_context *context, bool seal, size_t size)
{
	(void)context;
	(void)seal;
	(void)size;
	return 0;
}
