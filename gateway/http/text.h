/* A text that grows up to a limit: the body of an answer. */
#ifndef ATTLSD_GATEWAY_HTTP_TEXT_H
#define ATTLSD_GATEWAY_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is empty. */
struct text {
	char *bytes;
	size_t len, cap;
	bool failed; /* no memory, or the limit: nothing more is added */
};

void text_add(struct text *text, const char *bytes, size_t len);
void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* For json_dump_callback(): `context` is a struct text. Returns 0, or -1 if it has failed. */
int text_add_piece(const char *bytes, size_t len, void *context);
void text_done(struct text *text);

#endif
