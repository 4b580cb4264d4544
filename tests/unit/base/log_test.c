/* Lines of the log as a reader of stderr gets them, and what happens when it does not read. */
#include "gateway/base/log.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/log-memory.h"
#include "tests/unit/unit.h"

#define TIME_LEN      24 /* of "2026-11-24T06:35:12.123Z" */
#define LINE_MAX_LEN  4000
#define VALUE_MAX_LEN 512
#define GOT_MAX	      (2 * LINE_MAX_LEN)

/* stderr of this process, while a test has another one in its place. */
static int kept = -1;

/* Let the log write to fds[1], of which fds[0] is the reader. Takes fds[1] over. */
static void redirect(int fds[static 2])
{
	if (kept == -1)
		kept = dup(STDERR_FILENO);
	assert_int_not_equal(dup2(fds[1], STDERR_FILENO), -1);
	(void)close(fds[1]);
	log_reopen_after(1000);
}

static void restore(int reader)
{
	assert_int_not_equal(dup2(kept, STDERR_FILENO), -1);
	(void)close(reader);
	log_reopen_after(1000);
}

static void open_pipe(int fds[static 2])
{
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_not_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), -1);
	redirect(fds);
}

static void open_socket(int fds[static 2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_not_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), -1);
	redirect(fds);
}

/* What the reader has, as text. */
static const char *got(int reader)
{
	static char text[GOT_MAX];
	ssize_t n = read(reader, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static const struct {
	const char *name;
	enum log_format format;
	enum log_level level;
	struct log_field field;
	const char *want; /* after the time */
} lines[] = {
	{ "a word", LOG_FORMAT_TEXT, LOG_LEVEL_INFO, LOG_TEXT("user", "anna"), " info  login user=anna\n" },
	{ "a number", LOG_FORMAT_TEXT, LOG_LEVEL_INFO, LOG_NUMBER("n", 7), " info  login n=7\n" },
	{ "the largest", LOG_FORMAT_TEXT, LOG_LEVEL_INFO, LOG_NUMBER("n", UINT64_MAX),
	  " info  login n=18446744073709551615\n" },
	{ "an error", LOG_FORMAT_TEXT, LOG_LEVEL_ERROR, LOG_TEXT("a", "b"), " error login a=b\n" },
	{ "a warning", LOG_FORMAT_TEXT, LOG_LEVEL_WARNING, LOG_TEXT("a", "b"), " warning login a=b\n" },
	{ "a warning as JSON", LOG_FORMAT_JSON, LOG_LEVEL_WARNING, LOG_TEXT("a", "b"),
	  "\",\"level\":\"warning\",\"event\":\"login\",\"a\":\"b\"}\n" },
	{ "nothing", LOG_FORMAT_TEXT, LOG_LEVEL_INFO, LOG_TEXT("user", ""), " info  login user=\"\"\n" },
	{ "a blank", LOG_FORMAT_TEXT, LOG_LEVEL_INFO, LOG_TEXT("a", "b c"), " info  login a=\"b c\"\n" },
	{ "another field", LOG_FORMAT_TEXT, LOG_LEVEL_INFO, LOG_TEXT("a", "b=c"),
	  " info  login a=\"b=c\"\n" },
	{ "quotes", LOG_FORMAT_TEXT, LOG_LEVEL_INFO, LOG_TEXT("a", "\"\\"), " info  login a=\"\\\"\\\\\"\n" },
	{ "a forged line", LOG_FORMAT_TEXT, LOG_LEVEL_INFO, LOG_TEXT("a", "\r\nx"),
	  " info  login a=\"\\x0d\\x0ax\"\n" },
	{ "a terminal's", LOG_FORMAT_TEXT, LOG_LEVEL_INFO, LOG_TEXT("a", "\x1b[2J\x7f"),
	  " info  login a=\"\\x1b[2J\\x7f\"\n" },
	{ "above ASCII", LOG_FORMAT_TEXT, LOG_LEVEL_INFO, LOG_TEXT("a", "\xc3\xbc"),
	  " info  login a=\"\\xc3\\xbc\"\n" },
	{ "JSON", LOG_FORMAT_JSON, LOG_LEVEL_DEBUG, LOG_TEXT("user", "anna"),
	  "\",\"level\":\"debug\",\"event\":\"login\",\"user\":\"anna\"}\n" },
	{ "JSON, a number", LOG_FORMAT_JSON, LOG_LEVEL_INFO, LOG_NUMBER("n", 0),
	  "\",\"level\":\"info\",\"event\":\"login\",\"n\":0}\n" },
	{ "JSON, escapes", LOG_FORMAT_JSON, LOG_LEVEL_INFO, LOG_TEXT("a", "\"\\\n\xff"),
	  "\",\"level\":\"info\",\"event\":\"login\",\"a\":\"\\\"\\\\\\u000a\\u00ff\"}\n" },
};

static void each_value_is_escaped(void **state)
{
	int fds[2];

	(void)state;
	open_pipe(fds);
	for (size_t i = 0; i < NELEM(lines); i++) {
		const struct log_field fields[] = { lines[i].field, { NULL, NULL, 0 } };
		bool json = lines[i].format == LOG_FORMAT_JSON;
		const char *start = "{\"time\":\"", *text;

		log_setup(LOG_LEVEL_DEBUG, lines[i].format);
		log_write(lines[i].level, "login", fields);
		text = got(fds[0]);
		if (json && strncmp(text, start, strlen(start)) != 0)
			fail_msg("%s: %s", lines[i].name, text);
		text += json ? strlen(start) : 0;
		if (strlen(text) < TIME_LEN || text[TIME_LEN - 1] != 'Z' ||
		    strcmp(text + TIME_LEN, lines[i].want) != 0)
			fail_msg("%s: %s", lines[i].name, text);
	}
	restore(fds[0]);
}

static void a_level_hides_what_is_below_it(void **state)
{
	static const enum log_level levels[] = { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO,
						 LOG_LEVEL_DEBUG };
	int fds[2];

	(void)state;
	open_pipe(fds);
	for (size_t i = 0; i < NELEM(levels); i++)
		for (size_t j = 0; j < NELEM(levels); j++) {
			log_setup(levels[i], LOG_FORMAT_TEXT);
			log_event(levels[j], "event", LOG_NUMBER("n", j));
			assert_int_equal(got(fds[0])[0] != '\0', j <= i);
			assert_int_equal(log_enabled(levels[j]), j <= i);
		}
	restore(fds[0]);
}

/* A value is cut, so that the fields after it stay; a line is cut, so that it leaves in one piece. */
static void long_values_are_cut(void **state)
{
	char *value = bytes_repeat('v', 10 * LINE_MAX_LEN, "", 1);
	struct log_field fields[20] = { LOG_TEXT("long", value), LOG_TEXT("after", "it") };
	const char *text;
	int fds[2];

	(void)state;
	open_pipe(fds);
	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_write(LOG_LEVEL_INFO, "event", fields);
	text = got(fds[0]);
	assert_non_null(strstr(text, "v...\" after=it\n"));
	assert_true(strlen(text) < VALUE_MAX_LEN + 100);
	for (size_t i = 0; i < NELEM(fields) - 1; i++)
		fields[i] = (struct log_field)LOG_TEXT("long", value);
	log_write(LOG_LEVEL_INFO, "event", fields);
	text = got(fds[0]);
	assert_int_equal(strlen(text), LINE_MAX_LEN);
	assert_ptr_equal(strchr(text, '\n'), text + LINE_MAX_LEN - 1);
	restore(fds[0]);
	free(value);
}

/* A reader that stands still costs lines, never time; the next line says how many. */
static void lines_are_lost_and_counted(void **state)
{
	static void (*const open_sink[])(int fds[static 2]) = { open_pipe, open_socket };

	(void)state;
	for (size_t i = 0; i < NELEM(open_sink); i++) {
		size_t written = 0, read_lines = 0;
		char want[40];
		const char *text;
		int fds[2];

		(void)alarm(60); /* when it waits */
		open_sink[i](fds);
		log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
		for (; written < 100000; written++)
			log_event(LOG_LEVEL_INFO, "event", LOG_NUMBER("n", written));
		while ((text = got(fds[0]))[0] != '\0')
			for (; *text != '\0'; text++)
				read_lines += *text == '\n';
		assert_in_range(read_lines, 1, written - 1);
		(void)snprintf(want, sizeof(want), " n=1 lost-lines=%zu\n", written - read_lines);
		log_event(LOG_LEVEL_INFO, "event", LOG_NUMBER("n", 1));
		assert_non_null(strstr(got(fds[0]), want));
		log_event(LOG_LEVEL_INFO, "event", LOG_NUMBER("n", 2));
		assert_null(strstr(got(fds[0]), "lost-lines"));
		restore(fds[0]);
		(void)alarm(0);
	}
}

/* Text with lines of its own: each line is whole or lost, and a full pipe stops nobody. */
static void text_is_lost_and_counted(void **state)
{
	static const char text[] = "policy.yaml:1:1: a fault\n    version: 2\n    ^\n";
	size_t tries = 0;
	int fds[2];

	(void)state;
	open_pipe(fds);
	log_text(text, strlen(text));
	log_text("no newline", 10);
	assert_string_equal(got(fds[0]), "policy.yaml:1:1: a fault\n    version: 2\n    ^\nno newline\n");
	assert_int_equal(log_lost(), 0);
	while (log_lost() == 0 && ++tries < 100000)
		log_text(text, strlen(text));
	assert_true(log_lost() > 0);
	log_count_lost(1000);
	assert_true(log_lost() > 1000);
	while (got(fds[0])[0] != '\0')
		;
	log_event(LOG_LEVEL_ERROR, "event", LOG_NUMBER("n", 1));
	assert_non_null(strstr(got(fds[0]), " n=1 lost-lines=100"));
	assert_int_equal(log_lost(), 0);
	restore(fds[0]);
}

/* A line for the journal: the priority in front, and neither time nor level. */
static void journal_gets_the_priority(void **state)
{
	static const struct {
		enum log_level level;
		const char *line;
	} rows[] = {
		{ LOG_LEVEL_ERROR, "<3>event key=value\n" },
		{ LOG_LEVEL_WARNING, "<4>event key=value\n" },
		{ LOG_LEVEL_INFO, "<6>event key=value\n" },
		{ LOG_LEVEL_DEBUG, "<7>event key=value\n" },
	};
	char stream[48];
	struct stat st;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_not_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), -1);
	assert_int_equal(fstat(fds[1], &st), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_setup(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
	redirect(fds);
	for (size_t i = 0; i < NELEM(rows); i++) {
		log_event(rows[i].level, "event", LOG_TEXT("key", "value"));
		assert_string_equal(got(fds[0]), rows[i].line);
	}
	/* another stderr than the one that systemd made is no journal */
	assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
	restore(fds[0]);
	open_pipe(fds);
	log_event(LOG_LEVEL_INFO, "event", LOG_TEXT("key", "value"));
	assert_string_equal(got(fds[0]) + TIME_LEN, " info  event key=value\n");
	restore(fds[0]);
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

/* The ring has the last warnings and errors, oldest first, and `fix` by itself. */
static void warnings_are_remembered(void **state)
{
	const struct log_line *line;
	size_t n = 0;
	int fds[2];

	(void)state;
	open_pipe(fds);
	assert_null(log_memory_after(0)); /* a new process begins without */
	log_event(LOG_LEVEL_INFO, "ready", LOG_NUMBER("pid", 1));
	assert_null(log_memory_after(0));
	log_event(LOG_LEVEL_WARNING, "a", LOG_TEXT("user", "x\n\"y"), LOG_TEXT("fix", "do it"),
		  LOG_NUMBER("n", 7));
	line = log_memory_after(0);
	assert_non_null(line);
	assert_string_equal(line->event, "a");
	assert_string_equal(line->text, "user=\"x\\x0a\\\"y\" n=7");
	assert_string_equal(line->fix, "do it");
	assert_null(log_memory_after(line->number));
	for (int i = 0; i < 2 * LOG_MEMORY_LINES; i++) {
		log_event(LOG_LEVEL_ERROR, "b", LOG_NUMBER("n", i));
		(void)got(fds[0]);
	}
	for (line = log_memory_after(0); line != NULL; line = log_memory_after(line->number)) {
		char wanted[16];

		(void)snprintf(wanted, sizeof(wanted), "n=%zu", LOG_MEMORY_LINES + n++);
		assert_string_equal(line->text, wanted);
	}
	assert_int_equal(n, LOG_MEMORY_LINES);
	restore(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_is_escaped),     cmocka_unit_test(a_level_hides_what_is_below_it),
		cmocka_unit_test(long_values_are_cut),	     cmocka_unit_test(lines_are_lost_and_counted),
		cmocka_unit_test(warnings_are_remembered),   cmocka_unit_test(text_is_lost_and_counted),
		cmocka_unit_test(journal_gets_the_priority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
