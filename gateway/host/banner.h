/* The files of `banner`: what clients see before the greeting of their server. */
#ifndef ATTLSD_GATEWAY_HOST_BANNER_H
#define ATTLSD_GATEWAY_HOST_BANNER_H

#include <stddef.h>

#include "policy/policy.h"

/* As on z/OS. */
#define BANNER_LINES_MAX 100
#define BANNER_LINE_MAX	 255
/* Of all lines, with the 220- before each and the CR LF after it. */
#define BANNER_BYTES_MAX 7000

struct banners;

/*
 * Read all of them. Faults go into diags, with the line of the file. Returns 0, -EINVAL (diags says
 * why) or -ENOMEM. Before chroot.
 */
int banners_load(const struct policy *policy, struct diags *diags, struct banners **ret_banners);
void banners_free(struct banners **banners);

/* Lines that begin with "220-", with CR LF between them; lives as long as the banners. NULL: there is none.
 */
const char *banners_text(const struct banners *banners, const struct policy *policy,
			 const struct ftp_action *ftp);

/*
 * For that and for tests: make a banner of the text of a file, with `email` for each %E (NULL: %E
 * stays). Returns NULL and where the fault is (line 0: nowhere in particular) and what it is.
 */
char *banner_make(const char *text, size_t len, const char *email, size_t *ret_line, const char **ret_why);

#endif
