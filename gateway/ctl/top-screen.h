/* The terminal of `attlsctl top`. Only this module knows curses. */
#ifndef ATTLSD_GATEWAY_CTL_TOP_SCREEN_H
#define ATTLSD_GATEWAY_CTL_TOP_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/ctl/top-rows.h"

enum top_key {
	TOP_KEY_NONE = 0, /* no key in time, or one without a meaning */
	TOP_KEY_UP,
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_LAST,
	TOP_KEY_ENTER,
	TOP_KEY_ESCAPE,
	TOP_KEY_ERASE,
	TOP_KEY_RESIZE,
	TOP_KEY_TEXT, /* *ret_c */
};

/* What is shown. */
struct top_view {
	const struct answers *answers;
	const char *title, *second; /* the first two lines */
	const char *last;	    /* the last one */
	bool alarm;		    /* the second line is a problem */
	size_t selected, first;	    /* rows */
	bool details;		    /* of the selected one, in place of the list */
};

/* Returns 0, or -1 after printing why this terminal cannot show it. */
int top_screen_begin(void);
void top_screen_end(void);

/* Leave the terminal to somebody who writes lines, and take it again. Each key, also Ctrl-C, is input
 * meanwhile. */
void top_screen_leave(void);
void top_screen_return(void);

/* How many rows the list has. */
size_t top_screen_rows(void);
size_t top_screen_columns(void);

void top_screen_draw(const struct top_view *view);

/* Wait for a key for at most this time. */
enum top_key top_screen_key(int wait_ms, char *ret_c);

#endif
