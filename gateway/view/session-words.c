/* Forms the words for a session: letters, modes, and how far its transfer has come. */
#include "gateway/view/session-words.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/estimate.h"
#include "gateway/view/client-text.h"

const char *session_way(const struct answer_leg *leg)
{
	static const char *const names[] = { "", [1 + WAY_EPSV] = "EPSV", [1 + WAY_PASV] = "PASV",
					     [1 + WAY_EPRT] = "EPRT", [1 + WAY_PORT] = "PORT" };

	return leg->way <= ANSWER_WAYS ? names[leg->way] : "";
}

const char *session_file(const struct answer_session *session)
{
	const char *blank = strchr(session->transfer, ' ');

	return blank != NULL ? blank + 1 : "";
}

int session_percent(const struct answer_session *session)
{
	if (session->transfer[0] == '\0' || !session->size_known)
		return -1;
	return estimate_percent(session->bytes, session->size);
}

bool session_left(const struct answer_session *session, uint64_t *ret_ms)
{
	return session_percent(session) >= 0 &&
	       estimate_left(session->bytes, session->size, session->rate, ret_ms);
}

const char *session_letters(char client, char server, char buf[static SESSION_LETTERS_MAX])
{
	buf[0] = client != '\0' ? client : '-';
	buf[1] = '/';
	buf[2] = server != '\0' ? server : '-';
	buf[3] = '\0';
	return buf;
}

const char *session_progress(const struct answer_session *session, char buf[static SESSION_PROGRESS_MAX])
{
	char done[CLIENT_AGE_MAX], size[CLIENT_AGE_MAX], rate[CLIENT_AGE_MAX], left[CLIENT_AGE_MAX];
	int percent = session_percent(session);
	uint64_t left_ms;
	int n;

	if (percent >= 0)
		n = snprintf(buf, SESSION_PROGRESS_MAX, "%d%% of %s", percent,
			     client_text_size(session->size, size));
	else
		n = snprintf(buf, SESSION_PROGRESS_MAX, "%s", client_text_size(session->bytes, done));
	n += snprintf(buf + n, (size_t)(SESSION_PROGRESS_MAX - n), ", %s/s",
		      client_text_size(session->rate, rate));
	if (session_left(session, &left_ms))
		(void)snprintf(buf + n, (size_t)(SESSION_PROGRESS_MAX - n), ", %s left",
			       client_text_age(left_ms, left));
	return buf;
}
