/*
 * Asks the acceptor, or looks at the ticket here. A request that an acceptor dies from is not sent to the
 * next one.
 */
#include "gateway/gssapi/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/ask-link.h"

#define WAIT_MS 3000

struct gssapi_link {
	struct ask_link link;
	struct gssapi_acceptor *acceptor;
	struct gssapi_request request;
	struct {
		struct gssapi_answer answer;
		uint8_t more; /* so that a longer packet is seen to be longer */
	} packet;
};

static const char *const texts[ASK_RESULT_COUNT] = {
	[ASK_SILENT] = "the acceptor does not answer",
	[ASK_LEFT_ALONE] = "the acceptor does not answer",
	[ASK_UNREAD] = "the acceptor does not read its requests",
	[ASK_GONE] = "the acceptor has ended; reload attlsd",
	[ASK_MALFORMED] = "the acceptor's answer is malformed",
	[ASK_DIED] = "the acceptor has been started again",
};

int gssapi_link_pair(int fds[static 2])
{
	return ask_link_pair(fds, WAIT_MS, false);
}

int gssapi_link_open(int fd, struct gssapi_acceptor *acceptor, struct gssapi_link **ret_link)
{
	struct gssapi_link *link = calloc(1, sizeof(*link));

	if (link == NULL || ask_link_init(&link->link, fd, WAIT_MS) < 0) {
		free(link);
		gssapi_acceptor_close(&acceptor);
		return -ENOMEM;
	}
	link->acceptor = acceptor;
	*ret_link = link;
	return 0;
}

void gssapi_link_close(struct gssapi_link **link)
{
	if (*link == NULL)
		return;
	gssapi_link_forget(*link);
	gssapi_acceptor_close(&(*link)->acceptor);
	free(*link);
	*link = NULL;
}

/* A new acceptor announces itself with the serial 0, which no request has. */
static enum ask_heard judge(const void *answer, size_t n, uint64_t serial)
{
	const struct gssapi_answer *heard = answer;

	if (!gssapi_answer_is_whole(heard, n))
		return ASK_HEARD_NONSENSE;
	if (heard->serial == 0)
		return ASK_HEARD_STARTED;
	return heard->serial == serial ? ASK_HEARD_ANSWER : ASK_HEARD_LATE;
}

const struct gssapi_answer *gssapi_link_ask(struct gssapi_link *link, uint64_t half, const uint8_t *token,
					    size_t len, const char **ret_why)
{
	struct gssapi_request *request = &link->request;
	struct gssapi_answer *answer = &link->packet.answer;
	struct ask_question ask = { .request = request,
				    .answer = &link->packet,
				    .answer_size = sizeof(link->packet),
				    .judge = judge,
				    .attempts = 1 };

	request->serial = ask_link_next(&link->link);
	request->half = half;
	request->len = (uint32_t)len;
	memcpy(request->token, token, len);
	ask.request_bytes = gssapi_request_bytes(request);
	*ret_why = NULL;
	if (link->link.fd == -1) {
		gssapi_acceptor_accept(link->acceptor, request, answer);
		return answer;
	}
	*ret_why = texts[ask_link_ask(&link->link, &ask)];
	return *ret_why == NULL ? answer : NULL;
}

void gssapi_link_forget(struct gssapi_link *link)
{
	explicit_bzero(&link->packet, sizeof(link->packet));
}
