/*
 * Each value goes into a small buffer, and from there to the reader. jansson would make a
 * tree of a hundred pieces of memory for each session, which costs more than all else
 * that a list of sessions needs.
 */
#include "gateway/view/json-write.h"

#include <string.h>

#include "gateway/view/client-text.h"

#define NUMBER_MAX 24 /* digits of a uint64_t, and more */

void json_write_begin(struct json_writer *writer, json_write_fn *emit, void *context, bool indents)
{
	writer->emit = emit;
	writer->context = context;
	writer->indents = indents;
	writer->failed = writer->started = false;
	writer->depth = 0;
	writer->len = 0;
}

static void flush(struct json_writer *writer)
{
	if (writer->len > 0 && !writer->failed)
		writer->failed = writer->emit(writer->bytes, writer->len, writer->context) != 0;
	writer->len = 0;
}

int json_write_end(struct json_writer *writer)
{
	flush(writer);
	return writer->failed ? -1 : 0;
}

/* len: less than the buffer has. */
static void add(struct json_writer *writer, const char *bytes, size_t len)
{
	if (len > sizeof(writer->bytes) - writer->len)
		flush(writer);
	memcpy(writer->bytes + writer->len, bytes, len);
	writer->len += len;
}

static void add_line(struct json_writer *writer)
{
	if (!writer->indents)
		return;
	add(writer, "\n", 1);
	for (unsigned i = 0; i < writer->depth; i++)
		add(writer, "  ", 2);
}

/* What comes before a value. */
static void begin_value(struct json_writer *writer, const char *key)
{
	if (writer->started)
		add(writer, ",", 1);
	if (writer->depth > 0)
		add_line(writer);
	writer->started = true;
	if (key == NULL)
		return;
	add(writer, "\"", 1);
	add(writer, key, strlen(key));
	add(writer, "\": ", writer->indents ? 3 : 2);
}

void json_write_open(struct json_writer *writer, const char *key, char bracket)
{
	begin_value(writer, key);
	add(writer, &bracket, 1);
	writer->depth++;
	writer->started = false;
}

void json_write_close(struct json_writer *writer, char bracket)
{
	writer->depth--;
	if (writer->started)
		add_line(writer);
	add(writer, &bracket, 1);
	writer->started = true;
}

static void add_value(struct json_writer *writer, const char *key, const char *value)
{
	begin_value(writer, key);
	add(writer, value, strlen(value));
}

void json_write_null(struct json_writer *writer, const char *key)
{
	add_value(writer, key, "null");
}

void json_write_bool(struct json_writer *writer, const char *key, bool value)
{
	add_value(writer, key, value ? "true" : "false");
}

/* Returns where the digits begin in the buffer, which they fill up to its end. */
static char *digits(uint64_t value, char *end)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	return end;
}

void json_write_number(struct json_writer *writer, const char *key, uint64_t value)
{
	char buf[NUMBER_MAX];
	char *at = digits(value, buf + sizeof(buf));

	begin_value(writer, key);
	add(writer, at, (size_t)(buf + sizeof(buf) - at));
}

/* "12.0", "0.25": as short as it can be, but always a fraction. */
void json_write_seconds(struct json_writer *writer, const char *key, uint64_t ms)
{
	const char fraction[] = { (char)('0' + ms / 100 % 10), (char)('0' + ms / 10 % 10),
				  (char)('0' + ms % 10) };
	size_t len = sizeof(fraction);

	json_write_number(writer, key, ms / 1000);
	while (len > 1 && fraction[len - 1] == '0')
		len--;
	add(writer, ".", 1);
	add(writer, fraction, len);
}

void json_write_text(struct json_writer *writer, const char *key, const char *text)
{
	if (text[0] != '\0')
		json_write_string(writer, key, text);
	else
		json_write_null(writer, key);
}

void json_write_string(struct json_writer *writer, const char *key, const char *text)
{
	char shown[CLIENT_SHOWN_MAX]; /* printable ASCII */

	begin_value(writer, key);
	add(writer, "\"", 1);
	for (const char *at = client_text_shown(text, shown); *at != '\0';) {
		size_t plain = strcspn(at, "\"\\");

		add(writer, at, plain);
		at += plain;
		if (*at == '\0')
			break;
		add(writer, (const char[]){ '\\', *at++ }, 2);
	}
	add(writer, "\"", 1);
}

void json_write_endpoint(struct json_writer *writer, const char *key, const struct ip_endpoint *endpoint)
{
	char text[IP_TEXT_MAX];

	if (endpoint->port == 0)
		json_write_null(writer, key);
	else
		json_write_text(writer, key, ip_endpoint_format(endpoint, text));
}
