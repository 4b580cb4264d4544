/*
 * The input is what a server sends on a control connection. It is taken line
 * by line, and each line once more with a window that grows.
 */
#include "ftp-alg/reply.h"

#include "tests/fuzz/fuzz.h"

#define WINDOW_MAX (2 * FTP_REPLY_LINE_MAX) /* longer than any line, as in the gateway */

static bool same_parser(const struct ftp_reply_parser *a, const struct ftp_reply_parser *b)
{
	return a->code == b->code && a->in_line == b->in_line && a->closing == b->closing;
}

static void check_placed(const struct ftp_reply_parser *before, const struct ftp_reply_parser *after,
			 enum ftp_reply_status status, const struct ftp_reply *reply)
{
	assert(reply->code >= 100 && reply->code < 600);
	assert(reply->first == (before->code == 0));
	assert(before->code == 0 || reply->code == before->code);
	assert(reply->len <= FTP_REPLY_LINE_MAX && reply->len + !reply->goes_on <= reply->consumed);
	assert(reply->continues == before->in_line && reply->goes_on == after->in_line);
	assert(reply->text <= reply->len);
	assert(memchr(reply->line, '\r', reply->len) == NULL);
	assert(memchr(reply->line, '\n', reply->len) == NULL);
	assert(memchr(reply->line, '\0', reply->len) == NULL);
	if (reply->text > 0) { /* behind the code */
		char code[4] = { reply->line[0], reply->line[1], reply->line[2], '\0' };

		assert(strtoul(code, NULL, 10) == reply->code);
	}
	if (status == FTP_REPLY_END) {
		assert(after->code == 0 && !after->in_line && !after->closing);
		assert(reply->closing && (reply->text > 0 || reply->continues));
	} else {
		assert(after->code == reply->code);
		assert(after->closing == (reply->closing && reply->goes_on));
	}
}

static void check_growing(const struct ftp_reply_parser *before, const struct ftp_reply_parser *after,
			  const uint8_t *input, size_t len, enum ftp_reply_status want_status,
			  const struct ftp_reply *want)
{
	enum ftp_reply_status status = FTP_REPLY_MORE;
	struct ftp_reply_parser parser = *before;

	for (size_t n = 0; status == FTP_REPLY_MORE; n += fuzz_step(want->consumed)) {
		size_t shown = n < len ? n : len;
		uint8_t *window = fuzz_copy(input, shown);
		struct ftp_reply reply;

		status = ftp_reply_take(&parser, window, shown, &reply);
		if (status == FTP_REPLY_MORE) {
			assert(shown < len && reply.consumed == 0);
			assert(same_parser(&parser, before));
		} else {
			assert(status == want_status && same_parser(&parser, after));
			assert(reply.consumed == want->consumed && reply.len == want->len);
			assert(reply.code == want->code && reply.first == want->first);
			assert(reply.text == want->text);
		}
		free(window);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ftp_reply_parser parser = { .lenient = size > 0 && (data[size - 1] & 1) != 0 };
	bool more = false;

	for (size_t at = 0; !more;) {
		size_t len = size - at < WINDOW_MAX ? size - at : WINDOW_MAX;
		uint8_t *window = fuzz_copy(data + at, len);
		struct ftp_reply_parser before = parser;
		struct ftp_reply reply;
		enum ftp_reply_status status = ftp_reply_take(&parser, window, len, &reply);

		more = status == FTP_REPLY_MORE;
		if (status == FTP_REPLY_MALFORMED)
			assert(before.code == 0 && parser.code == 0 && parser.in_line == reply.goes_on);
		else if (more)
			assert(same_parser(&before, &parser));
		else
			check_placed(&before, &parser, status, &reply);
		if (!more) {
			assert(reply.consumed > 0 && reply.consumed <= len);
			check_growing(&before, &parser, data + at, len, status, &reply);
		}
		at += reply.consumed;
		free(window);
	}
	return 0;
}
