/*
 * Asks the signer. When one has died with a request in hand, the next one announces itself, and the request
 * is sent again.
 */
#include "gateway/key/link.h"

/* How many signers may die from one request before the worker gives up. */
#define ATTEMPTS_MAX 10

static const char *const texts[ASK_RESULT_COUNT] = {
	[ASK_SILENT] = "the signer does not answer",
	[ASK_LEFT_ALONE] = "the signer does not answer",
	[ASK_UNREAD] = "the signer does not read its requests",
	[ASK_GONE] = "the signer and the keeper have ended; reload attlsd",
	[ASK_MALFORMED] = "the signer's answer is malformed",
	[ASK_DIED] = "every signer dies on this request",
};

int key_link_pair(int fds[static 2])
{
	return ask_link_pair(fds, KEY_LINK_MAX_MS, false);
}

int key_link_init(struct key_link *link, int fd)
{
	link->start_ms = 0;
	return ask_link_init(&link->link, fd, KEY_LINK_MAX_MS);
}

static enum ask_heard judge(const void *answer, size_t n, uint64_t serial)
{
	const struct key_answer *heard = answer;

	if (!key_answer_is_whole(heard, n))
		return ASK_HEARD_NONSENSE;
	if (heard->status == KEY_STATUS_STARTED)
		return ASK_HEARD_STARTED;
	return heard->serial == serial ? ASK_HEARD_ANSWER : ASK_HEARD_LATE;
}

const char *key_link_ask(struct key_link *link, struct key_request *request)
{
	const struct ask_question ask = { .request = request,
					  .request_bytes = key_request_bytes(request),
					  .answer = &link->packet,
					  .answer_size = sizeof(link->packet),
					  .judge = judge,
					  .attempts = ATTEMPTS_MAX,
					  .max_ms = request->ask == KEY_ASK_KNOWN ? link->start_ms : 0 };
	const struct key_answer *answer = &link->packet.answer;
	enum ask_result result;

	request->serial = ask_link_next(&link->link);
	result = ask_link_ask(&link->link, &ask);
	if (result != ASK_ANSWERED)
		return texts[result];
	return answer->status == KEY_STATUS_DONE ? NULL : key_status_text(answer->status);
}
