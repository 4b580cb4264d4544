/* Words for the terminal: escaped texts, times and sizes. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_TEXT_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_TEXT_H

#include <stdint.h>

/* A client's text takes up to four characters for each byte. */
#define CLIENT_SHOWN_MAX (4 * 128 + 1)
#define CLIENT_AGE_MAX	 32

/*
 * A client's text may contain control sequences for the terminal, so only printable
 * ASCII is shown as it is. All functions write to buf and return it or a constant.
 */
const char *client_text_shown(const char *text, char buf[static CLIENT_SHOWN_MAX]);

/* The same for a column: cut if it is long, "-" if it is empty. */
const char *client_text_name(const char *text, char buf[static CLIENT_SHOWN_MAX]);

/* "12s", "4m05s", "3h07m", "2d04h". */
const char *client_text_age(uint64_t ms, char buf[static CLIENT_AGE_MAX]);

/* The age of what was at then_s, both in seconds since 1970; "0s" if the clock has gone back since. */
const char *client_text_ago(uint64_t then_s, uint64_t now_s, char buf[static CLIENT_AGE_MAX]);

/* "0 B", "17.3 MiB". */
const char *client_text_size(uint64_t bytes, char buf[static CLIENT_AGE_MAX]);

#endif
