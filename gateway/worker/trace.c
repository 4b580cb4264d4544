/*
 * Makes records, and knows for each session who follows it.
 */
#include "gateway/worker/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/util.h"

/* A field of a log line is cut here. */
#define FIELD_MAX 200

bool trace_matches(const struct facts *facts, const struct session_filter *filter)
{
	struct session_traits traits = {
		.session = facts->id,
		.idle_ms = (uint64_t)filter->idle_s * 1000, /* a trace is not about how a session is now */
		.transfers = true,
		.client = &facts->remote.addr,
		.user = facts->traced->user,
		.rule = facts->rule != NULL ? facts->rule->name : NULL,
		.listener = facts->listener != NULL ? facts->listener->name : NULL,
		.backend = facts->rule != NULL ? facts->rule->backend->name : NULL,
	};

	if (session_filter_matches(filter, &traits))
		return true;
	traits.user = facts->traced->login_name;
	return filter->user[0] != '\0' && session_filter_matches(filter, &traits);
}

static struct trace_record *add(const struct facts *facts, enum trace_kind kind, const char *text, size_t len)
{
	struct trace_record *record;

	if (len > TRACE_TEXT_MAX)
		len = TRACE_TEXT_MAX;
	record = trace_ring_add(&facts->traced->trace->ring, len);
	record->session = facts->id;
	record->ns = trace_now_ns();
	record->kind = (uint8_t)kind;
	memcpy(record->text, text, len);
	return record;
}

struct fields {
	char text[TRACE_TEXT_MAX];
	size_t len;
	bool cut;
};

/* A text with its NUL, cut off at `most` bytes. */
static void put(struct fields *fields, const char *text, size_t most)
{
	size_t len = strnlen(text, most);

	fields->cut |= text[len] != '\0';
	memcpy(fields->text + fields->len, text, len);
	fields->len += len;
	fields->text[fields->len++] = '\0';
}

/* "KEY\0VALUE\0". A field that has no room is left out whole. */
static void put_field(struct fields *fields, const struct log_field *field)
{
	char number[24];
	const char *text = field->text;

	if (text == NULL) {
		(void)snprintf(number, sizeof(number), "%" PRIu64, field->number);
		text = number;
	}
	if (fields->len + strlen(field->key) + strnlen(text, FIELD_MAX) + 2 > sizeof(fields->text)) {
		fields->cut = true;
		return;
	}
	put(fields, field->key, FIELD_MAX);
	put(fields, text, FIELD_MAX);
}

static void put_fields(struct fields *fields, const char *event, const struct log_field *list)
{
	put(fields, event, FIELD_MAX);
	for (; list->key != NULL; list++)
		if (list->key[0] != '\0')
			put_field(fields, list);
}

/* Whose session it is. */
static struct trace_record *add_session(const struct facts *facts)
{
	struct fields fields = { .len = sizeof(facts->remote) };
	char client[IP_TEXT_MAX];
	const struct log_field list[] = {
		LOG_TEXT("from", ip_endpoint_format(&facts->remote, client)),
		LOG_TEXT(facts->listener != NULL ? "listener" : "",
			 facts->listener != NULL ? facts->listener->name : ""),
		LOG_TEXT(facts->rule != NULL ? "rule" : "", facts->rule != NULL ? facts->rule->name : ""),
		LOG_TEXT(facts->rule != NULL ? "backend" : "",
			 facts->rule != NULL ? facts->rule->backend->name : ""),
		LOG_TEXT(facts->traced->user[0] != '\0' ? "user" : "", facts->traced->user),
		LOG_TEXT(facts->traced->user[0] == '\0' && facts->traced->login_name[0] != '\0' ? "login"
												: "",
			 facts->traced->login_name),
		LOG_END,
	};

	memcpy(fields.text, &facts->remote, sizeof(facts->remote)); /* for matches_ended() */
	put_fields(&fields, "session", list);
	return add(facts, TRACE_SESSION, fields.text, fields.len);
}

/* Who follows the session now? Those who have just found it get what is kept of it first. */
static uint16_t followers(const struct facts *facts)
{
	struct trace_session *traced = facts->traced;
	struct trace *trace = traced->trace;
	uint16_t newly, strangers;

	if (trace->nreaders == 0)
		return 0;
	for (size_t i = 0; i < TRACE_READERS_MAX; i++) {
		const struct trace_reader *reader = &trace->readers[i];
		uint16_t bit = trace_reader_bit(reader);

		if (!trace_reader_is_used(reader) || !reader->follows)
			traced->readers &= (uint16_t)~bit;
		else if ((traced->readers & bit) == 0 && trace_matches(facts, &reader->filter))
			traced->readers |= bit;
	}
	newly = (uint16_t)(traced->readers & ~traced->introduced);
	strangers = newly;
	traced->introduced = traced->readers;
	if (strangers != 0) {
		struct trace_record *record = add_session(facts);

		record->readers = strangers;
		/* of those who wait for a user; others have followed from the start */
		for (size_t i = 0; i < TRACE_READERS_MAX; i++)
			if (trace->readers[i].filter.user[0] != '\0' &&
			    (traced->waited & trace_reader_bit(&trace->readers[i])) == 0)
				record->replays |= newly & trace_reader_bit(&trace->readers[i]);
	}
	return traced->readers;
}

static void finish(const struct facts *facts, struct trace_record *record, uint16_t readers)
{
	record->readers = readers;
	if (readers != 0)
		trace_readers_wake(facts->traced->trace, readers);
}

void trace_text(const struct facts *facts, enum trace_kind kind, const char *text, size_t len, bool cut)
{
	uint16_t readers = followers(facts);
	struct trace_record *record = add(facts, kind, text, len);

	record->cut = cut || len > TRACE_TEXT_MAX;
	finish(facts, record, readers);
}

void trace_event(const struct facts *facts, const char *event, const struct log_field *list)
{
	uint16_t readers = followers(facts);
	struct fields fields = { .len = 0 };
	struct trace_record *record;

	put_fields(&fields, event, list);
	record = add(facts, TRACE_EVENT, fields.text, fields.len);
	record->cut = fields.cut;
	finish(facts, record, readers);
}

void trace_progress(const struct facts *facts, const char *text, size_t len)
{
	const struct trace *trace = facts->traced->trace;
	uint16_t readers = followers(facts);

	for (size_t i = 0; i < TRACE_READERS_MAX; i++)
		if (!trace->readers[i].data)
			readers &= (uint16_t)~trace_reader_bit(&trace->readers[i]);
	if (readers != 0)
		finish(facts, add(facts, TRACE_DATA, text, len), readers);
}

void trace_introduce(const struct facts *facts)
{
	add_session(facts)->ns = facts->traced->began_ns;
}

void trace_session_over(const struct facts *facts)
{
	struct trace *trace = facts->traced->trace;

	if (!trace->on)
		return;
	trace_introduce(facts);
	for (size_t i = 0; i < TRACE_READERS_MAX; i++) {
		struct trace_reader *reader = &trace->readers[i];

		if (!trace_reader_is_used(reader) || !reader->follows || reader->filter.session != facts->id)
			continue;
		reader->follows = false; /* it has seen the end */
		reader->end = trace->ring.head;
		trace_readers_wake(trace, trace_reader_bit(reader));
	}
}

void trace_session_init(struct trace_session *traced, struct trace *trace, const char *user,
			const char *login_name)
{
	*traced = (struct trace_session){ .trace = trace,
					  .user = user,
					  .login_name = login_name,
					  .began_ns = trace->on ? trace_now_ns() : 0 };
}
