/*
 * The input is what a client sends on a control connection. It is taken line
 * by line as the gateway does it, and each line once more with a window that
 * grows: how the bytes were cut into segments must not matter.
 */
#include "ftp-alg/line.h"

#include "tests/fuzz/fuzz.h"

#define WINDOW_MAX (2 * FTP_LINE_MAX) /* longer than any line, as in the gateway */

static void check_ok(const uint8_t *input, const struct ftp_line *line)
{
	assert(line->len <= FTP_LINE_MAX);
	assert(line->len + 2 <= line->consumed);
	assert(memcmp(input + line->consumed - 2, "\r\n", 2) == 0);
	assert(memchr(line->text, '\r', line->len) == NULL);
	assert(memchr(line->text, '\n', line->len) == NULL);
	assert(memchr(line->text, '\0', line->len) == NULL);
}

/* A server that knows Telnet takes the same line out of what is sent on. */
static void check_sent_on(const struct ftp_line *line)
{
	uint8_t *wire = malloc(line->len + 2);
	struct ftp_line again;

	assert(wire != NULL);
	memcpy(wire, line->text, line->len);
	memcpy(wire + line->len, "\r\n", 2);
	assert(ftp_line_take(wire, line->len + 2, &again) == FTP_LINE_OK);
	assert(again.consumed == line->len + 2);
	assert(again.len == line->len && memcmp(again.text, line->text, again.len) == 0);
	free(wire);
}

static void check_refused(enum ftp_line_status status, const uint8_t *input, const struct ftp_line *line)
{
	const uint8_t *lf = memchr(input, '\n', line->consumed);

	switch (status) {
	case FTP_LINE_TOO_LONG: /* the same line goes on */
		assert(lf == NULL && line->consumed == FTP_LINE_MAX + 1);
		break;
	case FTP_LINE_BARE_LF:
		assert(line->consumed < 2 || input[line->consumed - 2] != '\r');
		assert(lf == input + line->consumed - 1);
		break;
	case FTP_LINE_NUL:
	case FTP_LINE_BARE_CR: /* used up as a whole, so the next one may be good */
		assert(line->consumed >= 2 && input[line->consumed - 2] == '\r');
		assert(lf == input + line->consumed - 1);
		break;
	case FTP_LINE_OK:
	case FTP_LINE_MORE:
		assert(!"a refusal");
	}
}

/* MORE for every shorter window, then the same line, whatever else has arrived behind it. */
static void check_growing(const uint8_t *input, size_t len, enum ftp_line_status want_status,
			  const struct ftp_line *want)
{
	enum ftp_line_status status = FTP_LINE_MORE;

	for (size_t n = 0; status == FTP_LINE_MORE; n += fuzz_step(want->consumed)) {
		size_t shown = n < len ? n : len;
		uint8_t *window = fuzz_copy(input, shown);
		struct ftp_line line;

		status = ftp_line_take(window, shown, &line);
		if (status == FTP_LINE_MORE) {
			assert(shown < len);
			assert(memcmp(window, input, shown) == 0);
		} else {
			assert(status == want_status && line.consumed == want->consumed);
			assert(status != FTP_LINE_OK ||
			       (line.len == want->len && memcmp(line.text, want->text, line.len) == 0));
		}
		free(window);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0;
	enum ftp_line_status status;

	do {
		size_t len = size - at < WINDOW_MAX ? size - at : WINDOW_MAX;
		uint8_t *window = fuzz_copy(data + at, len);
		struct ftp_line line = { 0 };

		status = ftp_line_take(window, len, &line);
		if (status != FTP_LINE_MORE) {
			assert(line.consumed > 0 && line.consumed <= len);
			if (status == FTP_LINE_OK) {
				check_ok(data + at, &line);
				check_sent_on(&line);
			} else {
				check_refused(status, data + at, &line);
			}
			check_growing(data + at, len, status, &line);
			at += line.consumed;
		}
		if (status == FTP_LINE_TOO_LONG) {
			int done;
			size_t skipped = ftp_line_skip(data + at, size - at, &done);

			assert(skipped <= size - at);
			assert(done ? data[at + skipped - 1] == '\n' : skipped == size - at);
			at += skipped;
		}
		free(window);
	} while (status != FTP_LINE_MORE);
	return 0;
}
