/*
 * Makes the answer of a request. All answers have the same headers, which forbid a
 * browser to guess, to keep, to frame, and to load anything from elsewhere.
 */
#include "gateway/http/request.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"

/* Of answers that nobody has read: slow readers must not take all memory. */
#define BODIES_MAX (64 * 1024 * 1024)

static const struct {
	const char *name, *value;
} headers[] = {
	{ "Content-Security-Policy",
	  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
	  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
	  "require-trusted-types-for 'script'; trusted-types 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cache-Control", "no-store" },
};

struct body {
	struct bodies *bodies;
	char *bytes;
	size_t len;
};

static void free_body(void *context)
{
	struct body *body = context;

	body->bodies->bytes -= body->len;
	free(body->bytes);
	free(body);
}

static void set_answer(struct request *request, unsigned status, const char *type,
		       struct MHD_Response *response)
{
	if (request->answer != NULL)
		MHD_destroy_response(request->answer);
	request->answer = response;
	request->status = status;
	request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (size_t i = 0; i < NELEM(headers); i++)
		request_header(request, headers[i].name, headers[i].value);
}

void request_header(struct request *request, const char *name, const char *value)
{
	/* without memory the answer goes out all the same, or not at all */
	if (request->answer != NULL)
		(void)MHD_add_response_header(request->answer, name, value);
}

void request_static(struct request *request, const char *type, const char *bytes, size_t len)
{
	/* the library does not change it */
	set_answer(request, MHD_HTTP_OK, type,
		   MHD_create_response_from_buffer(len, (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT));
}

static void say_busy(struct request *request)
{
	static const char line[] = "too many answers wait for their readers\n";

	request_static(request, "text/plain; charset=utf-8", line, sizeof(line) - 1);
	request->status = MHD_HTTP_SERVICE_UNAVAILABLE;
	request_header(request, MHD_HTTP_HEADER_RETRY_AFTER, "2");
}

void request_answer(struct request *request, unsigned status, const char *type, struct text *text)
{
	struct body *body =
	    text->failed || text->len > BODIES_MAX - request->bodies->bytes ? NULL : malloc(sizeof(*body));
	struct MHD_Response *response;

	if (body == NULL) {
		text_done(text);
		say_busy(request);
		return;
	}
	*body = (struct body){ request->bodies, text->bytes, text->len };
	body->bodies->bytes += body->len;
	*text = (struct text){ .bytes = NULL };
	response =
	    MHD_create_response_from_buffer_with_free_callback_cls(body->len, body->bytes, free_body, body);
	if (response == NULL)
		free_body(body);
	set_answer(request, status, type, response);
}

void request_say(struct request *request, unsigned status, const char *line)
{
	struct text text = { .bytes = NULL };

	text_add(&text, line, strlen(line));
	text_add(&text, "\n", 1);
	request_answer(request, status, "text/plain; charset=utf-8", &text);
}

const char *request_query(const struct request *request, const char *key)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, key);
}
