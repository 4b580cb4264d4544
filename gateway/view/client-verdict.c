/*
 * The table of changes. A habit is evidence only where the client had a choice: workers
 * note nothing else.
 */
#include "gateway/view/client-verdict.h"

#include "gateway/base/habits.h"

#define NOT_RESUMED (HABIT_BIT(DATA_NOT_OFFERED) | HABIT_BIT(DATA_UNFIT) | HABIT_BIT(NO_EXTENDED_SECRET))

const struct client_change client_changes[CLIENT_CHANGES] = {
	{ .name = "tls1.2",
	  .policy = "versions: [tls1.2, tls1.3]",
	  .breaks = HABIT_BIT(OFFERS_OLDER),
	  .works = HABIT_BIT(OFFERS_TLS12) | HABIT_BIT(OFFERS_TLS13),
	  .reason = "offers nothing newer than TLS 1.1",
	  .always = 1 },
	{ .name = "close_notify",
	  .policy = "uploads end with close_notify",
	  .breaks = HABIT_BIT(UPLOAD_CUT),
	  .works = HABIT_BIT(UPLOAD_CLOSED),
	  .reason = "ends uploads without close_notify",
	  .always = 1 },
	{ .name = "secure_ftp_required",
	  .policy = "secure_ftp: required",
	  .breaks = HABIT_BIT(LOGIN_CLEAR),
	  .works = HABIT_BIT(LOGIN_TLS),
	  .reason = "logs in without TLS" },
	{ .name = "tls1.3_only",
	  .policy = "versions: [tls1.3]",
	  .breaks = HABIT_BIT(OFFERS_TLS12) | HABIT_BIT(OFFERS_OLDER),
	  .works = HABIT_BIT(OFFERS_TLS13),
	  .reason = "offers nothing newer than TLS 1.2" },
	{ .name = "secure_dataconn_private",
	  .policy = "secure_dataconn: private",
	  .breaks = HABIT_BIT(DATA_CLEAR),
	  .works = HABIT_BIT(DATA_TLS),
	  .reason = "transfers data in the clear" },
	{ .name = "secure_ctrlconn_private",
	  .policy = "secure_ctrlconn: private",
	  .breaks = HABIT_BIT(LOGIN_CLEAR),
	  .hinders = HABIT_BIT(CCC),
	  .works = HABIT_BIT(LOGIN_TLS),
	  .reason = "logs in without TLS, or sends CCC" },
	{ .name = "secure_session_reuse_required",
	  .policy = "secure_session_reuse: required",
	  .breaks = NOT_RESUMED | HABIT_BIT(DATA_OTHER),
	  .works = HABIT_BIT(DATA_RESUMED),
	  .reason = "data connections do not resume the session of their control connection" },
	{ .name = "secure_session_reuse_required_user",
	  .policy = "secure_session_reuse: required_user",
	  .breaks = NOT_RESUMED,
	  .works = HABIT_BIT(DATA_RESUMED),
	  .reason = "data connections resume no session" },
	{ .name = "portcommand_reject",
	  .policy = "portcommand: reject",
	  .breaks = HABIT_BIT(PORT) | HABIT_BIT(EPRT),
	  .works = HABIT_BIT(PASV) | HABIT_BIT(EPSV),
	  .reason = "sends PORT or EPRT" },
	{ .name = "server_handshake_sni_required",
	  .policy = "server_handshake_sni: required",
	  .breaks = HABIT_BIT(NO_SNI),
	  .works = HABIT_BIT(SNI),
	  .reason = "names no host in the handshake" },
	{ .name = "hybrid_groups_only",
	  .policy = "groups: only hybrid ones (ML-KEM)",
	  .breaks = HABIT_BIT(OFFERS_NO_HYBRID),
	  .works = HABIT_BIT(OFFERS_HYBRID),
	  .reason = "offers no hybrid group" },
};

uint64_t client_habits_since(const struct answer_client *client, uint64_t since_s)
{
	uint64_t habits = 0;

	for (enum habit habit = 0; habit < HABIT_COUNT; habit++)
		if (client->habits[habit].sessions > 0 && client->habits[habit].last_s >= since_s)
			habits |= UINT64_C(1) << habit;
	return habits;
}

enum verdict client_verdict(const struct client_change *change, uint64_t habits)
{
	if ((habits & change->breaks) != 0)
		return (habits & change->works) != 0 ? VERDICT_PARTLY : VERDICT_BREAKS;
	if ((habits & change->hinders) != 0)
		return VERDICT_PARTLY;
	return (habits & change->works) != 0 ? VERDICT_WORKS : VERDICT_UNKNOWN;
}

const char *client_verdict_name(enum verdict verdict)
{
	static const char *const names[VERDICTS] = {
		[VERDICT_UNKNOWN] = "unknown",
		[VERDICT_WORKS] = "works",
		[VERDICT_PARTLY] = "partly",
		[VERDICT_BREAKS] = "breaks",
	};

	return names[verdict];
}

size_t client_verdict_count(uint64_t habits, enum verdict verdict)
{
	size_t n = 0;

	for (size_t i = 0; i < CLIENT_CHANGES; i++)
		n += !client_changes[i].always && client_verdict(&client_changes[i], habits) == verdict;
	return n;
}
