/*
 * FEAT, line by line: which of the server's lines stay, and which lines the
 * gateway adds. reply-filter.c puts the reply together.
 */
#include "ftp-alg/feat.h"

#include <string.h>

#include "ftp-alg/cursor.h"

#define NELEM(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Security mechanisms, which end at the gateway, and commands with addresses in their
 * arguments or replies: the gateway announces those that it offers. GETPUT is GridFTP's
 * GET and PUT, which look like HTTP; PARALLEL needs MODE E.
 */
static const char *const removed[] = {
	"AUTH", "ADAT", "PBSZ", "PROT", "CCC",	"MIC",	"CONF", "ENC",	"SSCN",	  "CPSV",
	"EPSV", "EPRT", "LPSV", "LPRT", "ESTA", "ESTP", "SPAS", "SPOR", "GETPUT", "PARALLEL",
};

static const struct {
	unsigned feature;
	const char *line;
} added[] = {
	{ FTP_FEAT_AUTH, " AUTH TLS" }, { FTP_FEAT_AUTH_GSSAPI, " AUTH GSSAPI" },
	{ FTP_FEAT_PBSZ, " PBSZ" },	{ FTP_FEAT_PROT, " PROT" },
	{ FTP_FEAT_CCC, " CCC" },	{ FTP_FEAT_EPSV, " EPSV" },
	{ FTP_FEAT_EPRT, " EPRT" },	{ FTP_FEAT_HOST, " HOST" },
};

static int to_upper(int byte)
{
	return byte >= 'a' && byte <= 'z' ? byte - 'a' + 'A' : byte; /* toupper() would ask the locale */
}

static bool is_word(int byte)
{
	return (byte >= '0' && byte <= '9') || (to_upper(byte) >= 'A' && to_upper(byte) <= 'Z');
}

/* Does the text go on with this word (upper case), in any case, as a whole word? */
static bool word_is(struct ftp_cursor c, const char *word)
{
	for (; *word != '\0'; word++)
		if (to_upper(ftp_cursor_next(&c)) != *word)
			return false;
	return !is_word(ftp_cursor_peek(&c));
}

static void skip_blanks(struct ftp_cursor *c)
{
	while (ftp_cursor_accept(c, ' ') || ftp_cursor_accept(c, '\t'))
		;
}

/* Skip "211-", with which each line of older lists begins (ProFTPD's MultilineRFC2228). */
static void skip_code(struct ftp_cursor *c)
{
	struct ftp_cursor to = *c;

	if (ftp_cursor_accept(&to, '2') && ftp_cursor_accept(&to, '1') && ftp_cursor_accept(&to, '1') &&
	    ftp_cursor_accept(&to, '-'))
		*c = to;
}

static struct ftp_cursor feature_of(const char *line, size_t len)
{
	struct ftp_cursor c = ftp_cursor_make(line, len);

	skip_blanks(&c);
	skip_code(&c);
	skip_blanks(&c);
	return c;
}

/* A mode that the gateway refuses, see run_mode(). */
static bool is_other_mode(struct ftp_cursor c)
{
	int mode;

	if (!word_is(c, "MODE"))
		return false;
	for (size_t i = 0; i < strlen("MODE"); i++)
		(void)ftp_cursor_next(&c);
	skip_blanks(&c);
	mode = to_upper(ftp_cursor_peek(&c));
	return is_word(mode) && strchr("SBCZ", mode) == NULL;
}

size_t ftp_feat_name(const char *line, size_t len)
{
	return feature_of(line, len).at;
}

bool ftp_feat_keep(const char *line, size_t len)
{
	struct ftp_cursor c = feature_of(line, len);

	if (is_other_mode(c))
		return false;
	for (size_t i = 0; i < NELEM(removed); i++)
		if (word_is(c, removed[i]))
			return false;
	return true;
}

const char *ftp_feat_line(unsigned features, size_t n)
{
	for (size_t i = 0; i < NELEM(added); i++)
		if ((features & added[i].feature) != 0 && n-- == 0)
			return added[i].line;
	return NULL;
}
