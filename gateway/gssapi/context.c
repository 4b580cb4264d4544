/*
 * Wraps and unwraps. The library detects replays only as far as the client has asked for
 * it, so the order of messages is checked here as well: each has to be the next one. And
 * each has to use the key that the acceptor has made (RFC 4121 2), so that nobody can
 * repeat the messages of an earlier session.
 */
#include "gateway/gssapi/context.h"

#include <errno.h>
#include <gssapi/gssapi.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/gssapi/token.h"

struct gssapi_context {
	gss_ctx_id_t handle;
	uint64_t next; /* the sequence number of the client's next message, */
	bool begun;    /* if there was one before */
	bool broken;
};

int gssapi_context_import(const uint8_t *bytes, size_t len, struct gssapi_context **ret_context)
{
	struct gssapi_context *context = calloc(1, sizeof(*context));
	gss_buffer_desc buffer = { .length = len, .value = (void *)(uintptr_t)bytes };
	OM_uint32 minor;

	if (context == NULL)
		return -ENOMEM;
	if (gss_import_sec_context(&minor, &buffer, &context->handle) != GSS_S_COMPLETE) {
		free(context);
		return -EINVAL;
	}
	*ret_context = context;
	return 0;
}

void gssapi_context_free(struct gssapi_context **context)
{
	OM_uint32 minor;

	if (*context == NULL)
		return;
	(void)gss_delete_sec_context(&minor, &(*context)->handle, GSS_C_NO_BUFFER);
	free(*context);
	*context = NULL;
}

enum gssapi_result gssapi_context_unwrap(struct gssapi_context *context, bool sealed, uint8_t *bytes,
					 size_t *len)
{
	gss_buffer_desc in = { .length = *len, .value = bytes };
	gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
	enum gssapi_result result = GSSAPI_DEFECTIVE;
	struct gssapi_token token;
	OM_uint32 major, minor;
	int encrypted = 0;

	if (context->broken)
		return GSSAPI_SEQUENCE;
	if (!gssapi_token_parse(bytes, *len, &token) || token.from_acceptor || !token.acceptor_subkey ||
	    (sealed && !token.sealed))
		return GSSAPI_DEFECTIVE;
	if (context->begun && token.sequence != context->next)
		return GSSAPI_SEQUENCE;
	major = gss_unwrap(&minor, context->handle, &in, &out, &encrypted, NULL);
	if (major == GSS_S_COMPLETE && out.length <= *len && (!sealed || encrypted)) {
		if (out.length > 0)
			memcpy(bytes, out.value, out.length);
		*len = out.length;
		context->next = token.sequence + 1;
		context->begun = true;
		result = GSSAPI_FINE;
	} else if (!GSS_ERROR(major) && major != GSS_S_COMPLETE) {
		result = GSSAPI_SEQUENCE;
	}
	if (out.value != NULL)
		explicit_bzero(out.value, out.length); /* it may be a password */
	(void)gss_release_buffer(&minor, &out);
	return result;
}

void gssapi_context_break(struct gssapi_context *context)
{
	context->broken = true;
}

bool gssapi_context_is_proven(const struct gssapi_context *context)
{
	return context->begun;
}

enum gssapi_result gssapi_context_wrap(struct gssapi_context *context, bool seal, const uint8_t *bytes,
				       size_t len, uint8_t *buf, size_t size, size_t *ret_len)
{
	gss_buffer_desc in = { .length = len, .value = (void *)(uintptr_t)bytes };
	gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor;
	int encrypted = 0;
	OM_uint32 major = gss_wrap(&minor, context->handle, seal, GSS_C_QOP_DEFAULT, &in, &encrypted, &out);
	bool fine = major == GSS_S_COMPLETE && (encrypted != 0 || !seal) && out.length <= size;

	if (fine) {
		memcpy(buf, out.value, out.length);
		*ret_len = out.length;
	}
	(void)gss_release_buffer(&minor, &out);
	return fine ? GSSAPI_FINE : GSSAPI_DEFECTIVE;
}

size_t gssapi_context_limit(struct gssapi_context *context, bool seal, size_t size)
{
	OM_uint32 minor, limit = 0;

	if (gss_wrap_size_limit(&minor, context->handle, seal, GSS_C_QOP_DEFAULT, (OM_uint32)size, &limit) !=
	    GSS_S_COMPLETE)
		return 0;
	return limit;
}
