/*
 * A security context of Kerberos, from the acceptor: it protects what goes to the client, and
 * checks what comes. Control and data connections share one sequence of messages.
 */
#ifndef ATTLSD_GATEWAY_GSSAPI_CONTEXT_H
#define ATTLSD_GATEWAY_GSSAPI_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gssapi_result {
	GSSAPI_FINE = 0,
	GSSAPI_DEFECTIVE, /* not a message that the client has protected with this context */
	GSSAPI_SEQUENCE,  /* it is not the next one */
	GSSAPI_NO_MEMORY,
};

struct gssapi_context;

/* From struct gssapi_answer. Returns 0 or a negative errno. */
int gssapi_context_import(const uint8_t *bytes, size_t len, struct gssapi_context **ret_context);
void gssapi_context_free(struct gssapi_context **context);

/*
 * Check the client's next message and take its protection off, in its place; sealed: it must
 * be encrypted. Control and data have to be offered in the order in which they
 * were sent, as far as that can be known.
 */
enum gssapi_result gssapi_context_unwrap(struct gssapi_context *context, bool sealed, uint8_t *bytes,
					 size_t *len);

/* Messages of the client are lost: it cannot be known any more which is the next one. */
void gssapi_context_break(struct gssapi_context *context);

/* Has the client shown with a message that it holds the key? A copy of its token alone does not. */
bool gssapi_context_is_proven(const struct gssapi_context *context);

/* Protect a message for the client. It must fit into `buf`, see gssapi_context_limit(). */
enum gssapi_result gssapi_context_wrap(struct gssapi_context *context, bool seal, const uint8_t *bytes,
				       size_t len, uint8_t *buf, size_t size, size_t *ret_len);

/* How many bytes of data make a token of at most `size` bytes. 0: none. */
size_t gssapi_context_limit(struct gssapi_context *context, bool seal, size_t size);

#endif
