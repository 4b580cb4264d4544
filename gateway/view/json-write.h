/*
 * Writes JSON as it comes, without a tree of values in memory: for lists of thousands. The
 * layout is that of json_print(), or has no blanks.
 */
#ifndef ATTLSD_GATEWAY_VIEW_JSON_WRITE_H
#define ATTLSD_GATEWAY_VIEW_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ip.h"

/* Takes a piece of the text. Returns 0, or -1 to end. */
typedef int json_write_fn(const char *bytes, size_t len, void *context);

struct json_writer {
	json_write_fn *emit;
	void *context;
	bool indents, failed;
	bool started;	/* the innermost object or list has something already */
	unsigned depth; /* of objects and lists */
	size_t len;	/* bytes that are not out yet */
	char bytes[4096];
};

void json_write_begin(struct json_writer *writer, json_write_fn *emit, void *context, bool indents);
/* Write the last piece. Returns 0, or -1 if emit() has. */
int json_write_end(struct json_writer *writer);

/* bracket: '{' or '[', and the other one to close it. A key is a literal; NULL: in a list. */
void json_write_open(struct json_writer *writer, const char *key, char bracket);
void json_write_close(struct json_writer *writer, char bracket);

void json_write_null(struct json_writer *writer, const char *key);
void json_write_bool(struct json_writer *writer, const char *key, bool value);
void json_write_number(struct json_writer *writer, const char *key, uint64_t value);
void json_write_seconds(struct json_writer *writer, const char *key, uint64_t ms);
/* Escaped as on the terminal. */
void json_write_string(struct json_writer *writer, const char *key, const char *text);
/* The same, but null in place of an empty text. */
void json_write_text(struct json_writer *writer, const char *key, const char *text);
/* port 0: null */
void json_write_endpoint(struct json_writer *writer, const char *key, const struct ip_endpoint *endpoint);

#endif
