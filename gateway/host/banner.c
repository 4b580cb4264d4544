/*
 * BANNER and ADMINEMAILADDRESS of z/OS. The file is read with the policy, so that a session never
 * waits for it, and anything that a terminal or a client could take for something else is a fault.
 */
#include "gateway/host/banner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/util.h"

struct banners {
	size_t n;
	char **texts; /* by place in policy.ftp_actions; NULL: none */
};

static const char too_long[] = "it has more than 7000 bytes";

struct made {
	char *text;
	size_t len;
};

static bool put(struct made *made, const char *text, size_t len)
{
	if (len > BANNER_BYTES_MAX - made->len)
		return false;
	memcpy(made->text + made->len, text, len);
	made->len += len;
	return true;
}

/* NULL, or what is wrong with a line of the file. */
static const char *put_line(struct made *made, const char *line, size_t len, const char *email)
{
	size_t before, n;
	uint32_t rune;

	if (made->len > 0 && !put(made, "\r\n", 2))
		return too_long;
	if (!put(made, "220-", 4))
		return too_long;
	before = made->len;
	for (size_t at = 0; at < len; at += n) {
		n = utf8_decode(line + at, len - at, &rune);
		if (rune == UTF8_BAD)
			return "it is not UTF-8";
		if (!utf8_is_printable(rune))
			return "it has a control character";
		if (email != NULL && rune == '%' && at + 1 < len && line[at + 1] == 'E') {
			if (!put(made, email, strlen(email)))
				return too_long;
			n = 2;
		} else if (!put(made, line + at, n)) {
			return too_long;
		}
	}
	return made->len - before > BANNER_LINE_MAX ? "it is longer than 255 bytes" : NULL;
}

char *banner_make(const char *text, size_t len, const char *email, size_t *ret_line, const char **ret_why)
{
	struct made made = { .text = malloc(BANNER_BYTES_MAX + 1) };
	const char *why = made.text == NULL ? strerror(ENOMEM) : len == 0 ? "it is empty" : NULL;
	size_t line = 0;

	for (size_t at = 0; why == NULL && at < len;) {
		const char *lf = memchr(text + at, '\n', len - at);
		size_t end = lf != NULL ? (size_t)(lf - text) : len;
		size_t last = end > at && text[end - 1] == '\r' ? end - 1 : end;

		if (++line > BANNER_LINES_MAX)
			why = "it has more than 100 lines";
		else
			why = put_line(&made, text + at, last - at, email);
		at = end + 1;
	}
	if (why == NULL) {
		made.text[made.len] = '\0';
		return made.text;
	}
	free(made.text);
	*ret_line = why == too_long ? 0 : line;
	*ret_why = why;
	return NULL;
}

/* Returns the length, or a negative errno. A pipe must not keep anybody waiting. */
static ssize_t read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t n = -1;

	if (fd != -1 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		errno = EISDIR;
	else if (fd != -1)
		n = read(fd, buf, size);
	if (n == -1)
		n = -errno;
	fd_close(&fd);
	return n;
}

static char *load(const struct policy *policy, const struct ftp_action *ftp, struct diags *diags)
{
	char buf[BANNER_BYTES_MAX + 1], *banner = NULL;
	ssize_t n = read_file(ftp->banner, buf, sizeof(buf));
	const char *why = n < 0 ? n == -EISDIR ? "it is not a file" : strerror((int)-n) : too_long;
	size_t line = 0;

	if (n >= 0 && (size_t)n < sizeof(buf))
		banner = banner_make(buf, (size_t)n, ftp->adminemailaddress, &line, &why);
	if (banner != NULL)
		return banner;
	diags_add(diags, DIAG_ERROR, DIAG_BAD_BANNER, policy_mark(policy, ftp, "banner"),
		  line == 0 ? "cannot use the banner \"%s\": %s"
			    : "cannot use the banner \"%s\": %s (line %zu)",
		  ftp->banner, why, line);
	diags_see(diags, ftp->banner, (struct diag_mark){ .line = (uint32_t)line, .column = line != 0 },
		  "the banner");
	return NULL;
}

int banners_load(const struct policy *policy, struct diags *diags, struct banners **ret_banners)
{
	struct banners *banners = calloc(1, sizeof(*banners));
	size_t errors = diags->nerrors;
	int r = -ENOMEM;

	if (banners == NULL)
		return r;
	banners->n = policy->nftp_actions;
	banners->texts = calloc(policy->nftp_actions + 1, sizeof(*banners->texts));
	if (banners->texts == NULL)
		goto out;
	for (size_t i = 0; i < policy->nftp_actions; i++)
		if (ftp_action_has_banner(&policy->ftp_actions[i]))
			banners->texts[i] = load(policy, &policy->ftp_actions[i], diags);
	r = diags->nerrors > errors ? -EINVAL : 0;
	if (r == 0) {
		*ret_banners = banners;
		banners = NULL;
	}
out:
	banners_free(&banners);
	return r;
}

void banners_free(struct banners **banners)
{
	if (*banners == NULL)
		return;
	for (size_t i = 0; (*banners)->texts != NULL && i < (*banners)->n; i++)
		free((*banners)->texts[i]);
	free((*banners)->texts);
	free(*banners);
	*banners = NULL;
}

const char *banners_text(const struct banners *banners, const struct policy *policy,
			 const struct ftp_action *ftp)
{
	return banners->texts[ftp - policy->ftp_actions];
}
