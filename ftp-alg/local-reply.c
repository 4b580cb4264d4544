/*
 * The texts of local-reply.def as a table with one row per reply.
 */
#include "ftp-alg/local-reply.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *rfc;
	const char *zos;
	const char *key;
} texts[FTP_LOCAL_COUNT] = {
#define REPLY(id, rfc, zos, key) [FTP_LOCAL_##id] = { rfc, zos, key },
#include "ftp-alg/local-reply.def"
#undef REPLY
};

const char *ftp_local_text(enum ftp_local reply, enum reply_style style)
{
	assert(reply > FTP_LOCAL_NONE && reply < FTP_LOCAL_COUNT);
	return style == REPLY_STYLE_ZOS && texts[reply].zos != NULL ? texts[reply].zos : texts[reply].rfc;
}

/* Two keys can require TLS of a client; the other one in ftp_action_needs_tls() counts if this one does not.
 */
static const char secure_ftp[] = "secure_ftp";

static const char *key_of(enum ftp_local reply, const struct ftp_action *action)
{
	const char *key = texts[reply].key;

	assert(reply > FTP_LOCAL_NONE && reply < FTP_LOCAL_COUNT);
	if (key != NULL && strcmp(key, secure_ftp) == 0 && action->secure_ftp != SECURE_FTP_REQUIRED)
		return "secure_ctrlconn";
	return key;
}

enum ftp_would ftp_would_of(const char *key)
{
	static const char *const keys[FTP_WOULD_COUNT] = {
		[FTP_WOULD_SECURE_FTP] = "secure_ftp",
		[FTP_WOULD_SECURE_CTRLCONN] = "secure_ctrlconn",
		[FTP_WOULD_SECURE_DATACONN] = "secure_dataconn",
		[FTP_WOULD_SECURE_LOGIN] = "secure_login",
		[FTP_WOULD_SECURE_SESSION_REUSE] = "secure_session_reuse",
		[FTP_WOULD_PER_USER] = "per_user",
	};

	for (unsigned i = FTP_WOULD_NONE + 1; i < FTP_WOULD_COUNT && key != NULL; i++)
		if (strcmp(keys[i], key) == 0)
			return (enum ftp_would)i;
	return FTP_WOULD_NONE;
}

/* Does per_user make the level of this key stricter than it is for others? */
static bool is_raised(const char *key, const struct ftp_action *action)
{
	const struct ftp_action *usual = action->usual;

	if (usual == NULL)
		return false;
	switch (ftp_would_of(key)) {
	case FTP_WOULD_SECURE_FTP:
		return !ftp_action_needs_tls(usual);
	case FTP_WOULD_SECURE_CTRLCONN:
		return usual->secure_ctrlconn != action->secure_ctrlconn;
	case FTP_WOULD_SECURE_DATACONN:
		return usual->secure_dataconn != action->secure_dataconn;
	case FTP_WOULD_SECURE_LOGIN:
		return usual->secure_login != action->secure_login;
	case FTP_WOULD_NONE:
	case FTP_WOULD_SECURE_SESSION_REUSE:
	case FTP_WOULD_PER_USER:
	case FTP_WOULD_COUNT:
		break;
	}
	return false;
}

const char *ftp_local_key(enum ftp_local reply, const struct ftp_action *action)
{
	const char *key = key_of(reply, action);

	return key != NULL && is_raised(key, action) ? "per_user" : key;
}

const char *ftp_local_key_at(size_t reply)
{
	return reply < FTP_LOCAL_COUNT ? texts[reply].key : NULL;
}

size_t ftp_local_line(enum ftp_local reply, enum reply_style style, char buf[static FTP_LOCAL_LINE_MAX])
{
	int len = snprintf(buf, FTP_LOCAL_LINE_MAX, "%s\r\n", ftp_local_text(reply, style));

	assert(len > 0 && len < FTP_LOCAL_LINE_MAX); /* a unit test holds every text to that */
	return (size_t)len;
}
