/*
 * Writes one line per event, as text or JSON, from a buffer of fixed size in one
 * call. Nothing here allocates or waits: a line that the reader has no room for is
 * dropped, and the next line that gets through says how many were.
 */
#include "gateway/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/counters.h"
#include "gateway/base/log-memory.h"

/* A line is cut here: it stays below PIPE_BUF, so lines of several processes never mix. */
#define LINE_MAX_BYTES 4000
/* A value is cut here, so that no name can push the rest of the line out of it. */
#define VALUE_MAX_BYTES 512

/* The one piece of global state: how this process logs. */
static struct {
	enum log_level level;
	enum log_format format;
	int fd;
	bool is_socket;
	bool is_journal;		/* it records time and priority itself */
	char node[POLICY_NODE_MAX + 1]; /* which gateway this is; "": nobody has named it */
	bool blocks;			/* it could not be reopened: poll before each line */
	uint64_t lost;
	time_t second;	  /* of the last line, */
	char written[24]; /* and how it is written */
} sink = { .level = LOG_LEVEL_INFO, .fd = STDERR_FILENO };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

/* syslog(3) */
static const char *const priorities[] = {
	[LOG_LEVEL_ERROR] = "<3>",
	[LOG_LEVEL_WARNING] = "<4>",
	[LOG_LEVEL_INFO] = "<6>",
	[LOG_LEVEL_DEBUG] = "<7>",
};

struct line {
	char bytes[LINE_MAX_BYTES];
	size_t len;
};

static void put(struct line *line, const char *bytes, size_t len)
{
	size_t room = sizeof(line->bytes) - 1 - line->len; /* 1 for the newline */

	if (len > room)
		len = room;
	memcpy(line->bytes + line->len, bytes, len);
	line->len += len;
}

static void put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

/* Printable ASCII stays; the rest is escaped, in JSON's way or in C's. Text above 0x7f is not trusted to be
 * UTF-8. */
static void put_escaped(struct line *line, const char *text, enum log_format format)
{
	char escape[8];
	size_t room = line->len + VALUE_MAX_BYTES;

	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		if (line->len + sizeof(escape) > room) {
			put_text(line, "...");
			return;
		}
		if (*c == '"' || *c == '\\')
			(void)snprintf(escape, sizeof(escape), "\\%c", *c);
		else if (*c >= 0x20 && *c < 0x7f)
			(void)snprintf(escape, sizeof(escape), "%c", *c);
		else
			(void)snprintf(escape, sizeof(escape),
				       format == LOG_FORMAT_JSON ? "\\u%04x" : "\\x%02x", *c);
		put_text(line, escape);
	}
}

static bool needs_quotes(const char *text)
{
	size_t n = 0;

	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
		if (*c <= 0x20 || *c >= 0x7f || *c == '"' || *c == '\\' || *c == '=' || ++n > VALUE_MAX_BYTES)
			return true;
	return n == 0;
}

static void put_field(struct line *line, const struct log_field *field, enum log_format format)
{
	char number[24];

	if (format == LOG_FORMAT_JSON) {
		put_text(line, ",\"");
		put_text(line, field->key);
		put_text(line, "\":");
	} else {
		put_text(line, " ");
		put_text(line, field->key);
		put_text(line, "=");
	}
	if (field->text == NULL) {
		(void)snprintf(number, sizeof(number), "%" PRIu64, field->number);
		put_text(line, number);
	} else if (format == LOG_FORMAT_JSON || needs_quotes(field->text)) {
		put_text(line, "\"");
		put_escaped(line, field->text, format);
		put_text(line, "\"");
	} else {
		put(line, field->text, strlen(field->text));
	}
}

/* "2026-11-24T06:35:12.123Z" */
static void put_time(struct line *line)
{
	struct timespec now;
	struct tm tm;
	char ms[8];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != sink.second || sink.written[0] == '\0') {
		(void)gmtime_r(&now.tv_sec, &tm);
		(void)strftime(sink.written, sizeof(sink.written), "%Y-%m-%dT%H:%M:%S", &tm);
		sink.second = now.tv_sec;
	}
	put_text(line, sink.written);
	(void)snprintf(ms, sizeof(ms), ".%03dZ", (int)(now.tv_nsec / 1000000));
	put_text(line, ms);
}

/* systemd names the stream to the journal as device:inode, since stderr may have been redirected since. */
static bool is_journal(const struct stat *st)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[48];

	(void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino);
	return stream != NULL && strcmp(stream, own) == 0;
}

static void open_sink(void)
{
	struct stat st;
	int fd;

	if (fstat(STDERR_FILENO, &st) == -1)
		return;
	sink.is_socket = S_ISSOCK(st.st_mode);
	sink.is_journal = is_journal(&st);
	if (sink.is_socket)
		return;
	/* An open file description of our own: O_NONBLOCK on fd 2 itself would affect every process that
	 * shares it. */
	fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_APPEND | O_CLOEXEC | O_NOCTTY);
	/* what libraries write goes to fd 2 itself, and must not land on top of the log */
	if (S_ISREG(st.st_mode))
		(void)fcntl(STDERR_FILENO, F_SETFL, fcntl(STDERR_FILENO, F_GETFL) | O_APPEND);
	sink.blocks = fd == -1 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode));
	if (fd != -1)
		sink.fd = fd;
}

void log_setup(enum log_level level, enum log_format format)
{
	sink.level = level;
	sink.format = format;
	if (sink.fd == STDERR_FILENO)
		open_sink();
}

void log_set_node(const char *node)
{
	(void)snprintf(sink.node, sizeof(sink.node), "%s", node != NULL ? node : "");
}

const char *log_node(void)
{
	return sink.node;
}

void log_follow(const struct policy_daemon *daemon)
{
	log_setup(daemon->log_level, daemon->log_format);
	log_set_node(daemon->node);
}

void log_reopen_after(int last)
{
	sink.fd = STDERR_FILENO;
	log_memory_forget();
	(void)close_range((unsigned)last + 1, ~0u, 0); /* the descriptors that it closes were the parent's */
	open_sink();
}

bool log_enabled(enum log_level level)
{
	return level <= sink.level;
}

static void lose(uint64_t lines)
{
	sink.lost += lines;
	count(LOG_LINES_LOST, 0, lines);
}

static bool send_line(struct line *line)
{
	ssize_t n;

	line->bytes[line->len++] = '\n';
	/* a pipe that is writable takes a line whole, since that is below PIPE_BUF */
	if (sink.blocks && poll(&(struct pollfd){ .fd = sink.fd, .events = POLLOUT }, 1, 0) != 1)
		return false;
	do {
		n = sink.is_socket ? send(sink.fd, line->bytes, line->len, MSG_DONTWAIT | MSG_NOSIGNAL)
				   : write(sink.fd, line->bytes, line->len);
	} while (n == -1 && errno == EINTR);
	return n != -1;
}

static void put_fields(struct line *line, const struct log_field *fields)
{
	for (; fields->key != NULL; fields++)
		if (fields->key[0] != '\0')
			put_field(line, fields, sink.format);
}

/* The fields as text, but what to do about it by itself. */
static void remember(enum log_level level, const char *event, const struct log_field *common,
		     const struct log_field *fields)
{
	const struct log_field *lists[] = { common, fields };
	struct line line = { .len = 0 };
	const char *fix = "";

	for (size_t i = 0; i < 2; i++)
		for (const struct log_field *field = lists[i]; field->key != NULL; field++) {
			if (strcmp(field->key, "fix") == 0 && field->text != NULL)
				fix = field->text;
			else if (field->key[0] != '\0')
				put_field(&line, field, LOG_FORMAT_TEXT);
		}
	/* without the blank before the first */
	log_memory_keep(level, event, line.bytes + (line.len > 0), line.len - (line.len > 0), fix);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
	static const struct log_field none = LOG_END;

	log_write_after(level, event, &none, fields);
}

void log_write_after(enum log_level level, const char *event, const struct log_field *common,
		     const struct log_field *fields)
{
	struct line line = { .len = 0 };
	char text[40];

	if (sink.is_journal)
		put_text(&line, priorities[level]);
	if (sink.format == LOG_FORMAT_JSON) {
		put_text(&line, "{\"time\":\"");
		put_time(&line);
		put_text(&line, "\",\"level\":\"");
		put_text(&line, level_names[level]);
		put_text(&line, "\",\"event\":\"");
		put_text(&line, event);
		put_text(&line, "\"");
	} else if (sink.is_journal) {
		put_text(&line, event);
	} else {
		put_time(&line);
		(void)snprintf(text, sizeof(text), " %-5s ", level_names[level]);
		put_text(&line, text);
		put_text(&line, event);
	}
	if (sink.node[0] != '\0')
		put_field(&line, &(struct log_field)LOG_TEXT("node", sink.node), sink.format);
	put_fields(&line, common);
	put_fields(&line, fields);
	if (sink.lost > 0)
		put_field(&line, &(struct log_field)LOG_NUMBER("lost-lines", sink.lost), sink.format);
	if (sink.format == LOG_FORMAT_JSON)
		put_text(&line, "}");
	if (level <= LOG_LEVEL_WARNING)
		remember(level, event, common, fields);
	if (send_line(&line))
		sink.lost = 0;
	else
		lose(1);
}

void log_text(const char *text, size_t len)
{
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t used = end == NULL ? len : (size_t)(end - text);
		struct line line = { .len = 0 };

		put(&line, text, used);
		if (!send_line(&line))
			lose(1);
		used += end != NULL;
		text += used;
		len -= used;
	}
}

void log_diags(const struct diags *diags)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL) {
		lose(1);
		return;
	}
	diags_print(diags, out);
	if (fclose(out) == 0)
		log_text(text, len);
	else
		lose(1);
	free(text);
}

uint64_t log_lost(void)
{
	return sink.lost;
}

void log_count_lost(uint64_t lines)
{
	lose(lines);
}
