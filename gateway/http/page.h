/* The files of the page, which are part of the program. */
#ifndef ATTLSD_GATEWAY_HTTP_PAGE_H
#define ATTLSD_GATEWAY_HTTP_PAGE_H

#include <stdbool.h>
#include <stddef.h>

struct page_file {
	const char *type;
	const char *bytes;
	size_t len;
};

/* Returns false if the page has no such file. */
bool page_find(const char *path, struct page_file *ret);

#endif
