/*
 * Notes what data connections show of their client. It notes only what the client has
 * chosen: what this policy leaves it no choice about says nothing of another policy.
 */
#include "gateway/worker/data-habits.h"

#include "gateway/base/habits.h"
#include "gateway/net/stream.h"

bool facts_offer_tls(const struct facts *facts)
{
	return facts->rule != NULL && facts->rule->tls != NULL && facts->listener->tls != LISTENER_NONE &&
	       (facts->implicit || (facts->rule->ftp->extensions & EXTENSION_AUTH_TLS) != 0);
}

static const uint64_t seen_by_reuse[] = {
	[TLS_REUSE_NOT_OFFERED] = HABIT_BIT(DATA_NOT_OFFERED),
	[TLS_REUSE_UNKNOWN] = HABIT_BIT(DATA_UNFIT),
	[TLS_REUSE_OTHER] = HABIT_BIT(DATA_OTHER),
	[TLS_REUSE_EXPIRED] = HABIT_BIT(DATA_UNFIT),
	[TLS_REUSE_UNFIT] = HABIT_BIT(DATA_UNFIT),
	[TLS_REUSE_RESUMED] = HABIT_BIT(DATA_RESUMED),
};

void data_habits_handshake(const struct facts *facts, const struct stream *stream)
{
	struct habits *habits = facts->habits;
	enum tls_reuse reuse = tlsctx_reuse_result(stream->ssl);
	bool first = habits->data_tls == 0;

	habits->seen |= HABIT_BIT(DATA_TLS);
	if (habits->data_tls < UINT32_MAX)
		habits->data_tls++;
	if (reuse == TLS_REUSE_RESUMED)
		habits->data_resumed++; /* never more than the others */
	if (facts->rule->tls->session_timeout_s == 0)
		return; /* it got no session to resume */
	/*
	 * Without reuse, attlsd resumes nothing and sends no new tickets, so a client may run out
	 * of them: only its first data connection shows whether it offers one.
	 */
	if (facts->rule->ftp->secure_session_reuse == SESSION_REUSE_NONE &&
	    !(first && reuse == TLS_REUSE_NOT_OFFERED))
		return;
	habits->seen |= seen_by_reuse[reuse];
}

void data_habits_transfer(const struct facts *facts, bool upload, bool protect, enum ftp_data_result result)
{
	const uint64_t under_tls = HABIT_BIT(IMPLICIT) | HABIT_BIT(EXPLICIT);
	const uint64_t prot = HABIT_BIT(PROT_P) | HABIT_BIT(PROT_C);
	uint64_t *seen = &facts->habits->seen;

	if (!protect && facts_offer_tls(facts) && facts->rule->ftp->secure_dataconn != SECURE_NEVER)
		*seen |= HABIT_BIT(DATA_CLEAR);
	if ((*seen & under_tls) != 0 && (*seen & prot) == 0)
		*seen |= HABIT_BIT(NO_PROT);
	if (upload && protect && result == FTP_DATA_OK)
		*seen |= HABIT_BIT(UPLOAD_CLOSED);
	if (upload && protect && (result == FTP_DATA_CUT || result == FTP_DATA_GSSAPI_CUT))
		*seen |= HABIT_BIT(UPLOAD_CUT);
}
