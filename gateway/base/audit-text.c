/*
 * Formats events of the audit trail. Values come from the network: whatever they hold, the
 * line is one line of valid UTF-8 and valid JSON, and the bytes can be had back from it.
 */
#include "gateway/base/audit-text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policy/utf8.h"

struct text {
	char *bytes;
	size_t len, size;
	bool cut;
};

static void put(struct text *text, const char *bytes, size_t len)
{
	if (len > text->size - text->len) {
		text->cut = true; /* cannot happen to a line, see AUDIT_LINE_MAX */
		return;
	}
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
}

static void put_text(struct text *text, const char *value)
{
	put(text, value, strlen(value));
}

static void put_number(struct text *text, uint64_t number)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put(text, digits + at, sizeof(digits) - at);
}

/*
 * JSON's own escapes for what a terminal or a reader of lines may act on, and for the rest of
 * UTF-8 nothing. A byte that is not UTF-8 becomes \xff, and so a backslash \x5c, in the value.
 */
static void put_rune(struct text *text, const char *bytes, size_t len, uint32_t rune)
{
	char escape[16];

	if (rune == UTF8_BAD || rune == '\\')
		(void)snprintf(escape, sizeof(escape), "\\\\x%02x", (uint8_t)*bytes);
	else if (rune == '"')
		(void)snprintf(escape, sizeof(escape), "\\\"");
	else if (utf8_is_printable(rune)) {
		put(text, bytes, len);
		return;
	} else if (rune > 0xffff) /* none is unprintable but the last ones */
		(void)snprintf(escape, sizeof(escape), "\\u%04x\\u%04x",
			       (unsigned)(0xd800 + ((rune - 0x10000) >> 10)),
			       (unsigned)(0xdc00 + ((rune - 0x10000) & 0x3ff)));
	else
		(void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)rune);
	put_text(text, escape);
}

static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Room that every line keeps for its end. */
#define END_ROOM 32

static void put_value(struct text *text, const char *value, size_t max)
{
	size_t len = strnlen(value, max + 1), plain;
	uint32_t rune;

	if (len > max) {
		text->cut = true;
		len = max;
	}
	put_text(text, "\"");
	for (size_t at = 0; at < len;) {
		size_t n;

		for (plain = at; plain < len && is_plain(value[plain]); plain++)
			;
		put(text, value + at, plain - at);
		at = plain;
		if (at == len)
			break;
		n = utf8_decode(value + at, len - at, &rune);
		put_rune(text, value + at, n, rune);
		at += n;
	}
	put_text(text, "\"");
}

static bool is_left_out(const struct audit_field *field)
{
	return field->key[0] == '\0' ||
	       (field->type == AUDIT_TYPE_TEXT && (field->text == NULL || field->text[0] == '\0'));
}

/* How much of a value certainly fits: each byte may need six, and the other long one as well. */
static size_t room_for(const struct text *text)
{
	size_t room = text->size - text->len > 2 * END_ROOM ? text->size - text->len - 2 * END_ROOM : 0;

	return room / 6 < AUDIT_VALUE_MAX ? room / 6 : AUDIT_VALUE_MAX;
}

static void put_json_fields(struct text *text, const struct audit_field *field)
{
	for (; field->key != NULL; field++) {
		if (is_left_out(field))
			continue;
		if (text->size - text->len < strlen(field->key) + 2 * END_ROOM) {
			text->cut = true;
			continue;
		}
		put_text(text, ",\"");
		put_text(text, field->key);
		put_text(text, "\":");
		switch (field->type) {
		case AUDIT_TYPE_TEXT:
			put_value(text, field->text, room_for(text));
			break;
		case AUDIT_TYPE_NUMBER:
			put_number(text, field->number);
			break;
		case AUDIT_TYPE_BOOL:
			put_text(text, field->number != 0 ? "true" : "false");
			break;
		}
	}
}

/* RFC 3339 in UTC. The second is formatted once for all events in it. */
static void put_time(struct text *text, const struct timespec *time)
{
	static struct { /* not constant: gmtime_r() costs more than the rest of a line */
		time_t second;
		char written[24];
	} last;
	struct tm tm;
	char us[16];

	if (time->tv_sec != last.second || last.written[0] == '\0') {
		(void)gmtime_r(&time->tv_sec, &tm);
		(void)strftime(last.written, sizeof(last.written), "%Y-%m-%dT%H:%M:%S", &tm);
		last.second = time->tv_sec;
	}
	put_text(text, last.written);
	(void)snprintf(us, sizeof(us), ".%06dZ", (int)(time->tv_nsec / 1000));
	put_text(text, us);
}

size_t audit_text_json(char buf[static AUDIT_LINE_MAX], const struct audit_stamp *stamp,
		       const struct audit_field *common, const struct audit_field *fields)
{
	struct text text = { .bytes = buf, .size = AUDIT_LINE_MAX };

	put_text(&text, "{\"schema\":");
	put_number(&text, AUDIT_SCHEMA);
	put_text(&text, ",\"boot\":\"");
	put_text(&text, stamp->boot);
	if (stamp->node[0] != '\0') {
		put_text(&text, "\",\"node\":\"");
		put_text(&text, stamp->node);
	}
	put_text(&text, "\",\"pid\":");
	put_number(&text, (uint64_t)stamp->pid);
	put_text(&text, ",\"seq\":");
	put_number(&text, stamp->seq);
	put_text(&text, ",\"time\":\"");
	put_time(&text, &stamp->time);
	put_text(&text, "\",\"event\":\"");
	put_text(&text, stamp->event);
	put_text(&text, "\"");
	if (stamp->lost > 0) {
		put_text(&text, ",\"lost\":");
		put_number(&text, stamp->lost);
	}
	put_json_fields(&text, common);
	put_json_fields(&text, fields);
	if (text.cut)
		put_text(&text, ",\"cut\":true");
	put_text(&text, "}");
	return text.len;
}

/* A value with a newline, or any other odd byte, goes with its length before it. */
static void put_journal(struct text *text, const char *prefix, const char *key, const char *value, size_t len)
{
	size_t before = text->len;
	uint8_t length[8];
	bool simple = true;

	for (size_t i = 0; i < len; i++)
		simple = simple && is_plain(value[i]);
	put_text(text, prefix);
	for (; *key != '\0'; key++)
		put(text, *key >= 'a' && *key <= 'z' ? &(char){ (char)(*key - 'a' + 'A') } : key, 1);
	for (size_t i = 0; i < sizeof(length); i++)
		length[i] = (uint8_t)((uint64_t)len >> 8 * i);
	put_text(text, simple ? "=" : "\n");
	if (!simple)
		put(text, (const char *)length, sizeof(length));
	put(text, value, len);
	put_text(text, "\n");
	if (text->cut) /* half a field would spoil the datagram; MESSAGE has it whole */
		text->len = before;
	text->cut = false;
}

static void put_journal_number(struct text *text, const char *key, uint64_t number)
{
	char value[24];
	int len = snprintf(value, sizeof(value), "%" PRIu64, number);

	put_journal(text, "ATTLSD_", key, value, (size_t)len);
}

static void put_journal_text(struct text *text, const char *key, const char *value)
{
	put_journal(text, "ATTLSD_", key, value, strnlen(value, AUDIT_VALUE_MAX));
}

static void put_journal_fields(struct text *text, const struct audit_field *field)
{
	for (; field->key != NULL; field++) {
		if (is_left_out(field))
			continue;
		if (field->type == AUDIT_TYPE_NUMBER)
			put_journal_number(text, field->key, field->number);
		else
			put_journal_text(text, field->key,
					 field->type == AUDIT_TYPE_TEXT ? field->text
					 : field->number != 0		? "true"
									: "false");
	}
}

size_t audit_text_journal(char buf[static AUDIT_JOURNAL_MAX], const char *json, size_t len,
			  const struct audit_stamp *stamp, const struct audit_field *common,
			  const struct audit_field *fields)
{
	struct text text = { .bytes = buf, .size = AUDIT_JOURNAL_MAX };

	put_journal(&text, "", "MESSAGE", json, len);
	put_text(&text, "PRIORITY=5\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=attlsd-audit\n");
	put_journal_number(&text, "schema", AUDIT_SCHEMA);
	put_journal_text(&text, "boot", stamp->boot);
	if (stamp->node[0] != '\0')
		put_journal_text(&text, "node", stamp->node);
	put_journal_number(&text, "pid", (uint64_t)stamp->pid);
	put_journal_number(&text, "seq", stamp->seq);
	put_journal_text(&text, "event", stamp->event);
	if (stamp->lost > 0)
		put_journal_number(&text, "lost", stamp->lost);
	put_journal_fields(&text, common);
	put_journal_fields(&text, fields);
	return text.len;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t audit_text_unescape(char *text, size_t len)
{
	size_t to = 0;

	for (size_t at = 0; at < len; at++) {
		int high = len - at > 3 && text[at] == '\\' && text[at + 1] == 'x' ? digit(text[at + 2]) : -1;
		int low = high >= 0 ? digit(text[at + 3]) : -1;

		text[to++] = low >= 0 ? (char)(high * 16 + low) : text[at];
		at += low >= 0 ? 3 : 0;
	}
	return to;
}
