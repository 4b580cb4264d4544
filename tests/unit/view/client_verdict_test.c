/* Who would be shut out: only with evidence, and only by evidence of the time that is asked about. */
#include "gateway/view/client-verdict.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct client_change *change(const char *name)
{
	for (size_t i = 0; i < CLIENT_CHANGES; i++)
		if (strcmp(client_changes[i].name, name) == 0)
			return &client_changes[i];
	fail_msg("no change %s", name);
	return NULL;
}

static void verdicts_need_evidence(void **state)
{
	static const struct {
		const char *change;
		uint64_t seen;
		enum verdict want;
	} rows[] = {
		{ "tls1.3_only", 0, VERDICT_UNKNOWN },
		{ "tls1.3_only", HABIT_BIT(LOGIN_CLEAR), VERDICT_UNKNOWN },
		{ "tls1.3_only", HABIT_BIT(OFFERS_TLS12), VERDICT_BREAKS },
		/* the policy has no TLS 1.3, but the client has */
		{ "tls1.3_only", HABIT_BIT(OFFERS_TLS13) | HABIT_BIT(USED_TLS12), VERDICT_WORKS },
		{ "tls1.3_only", HABIT_BIT(OFFERS_TLS13) | HABIT_BIT(OFFERS_TLS12), VERDICT_PARTLY },
		{ "tls1.2", HABIT_BIT(OFFERS_OLDER), VERDICT_BREAKS },
		{ "secure_ftp_required", HABIT_BIT(LOGIN_CLEAR), VERDICT_BREAKS },
		{ "secure_ftp_required", HABIT_BIT(LOGIN_TLS), VERDICT_WORKS },
		{ "secure_dataconn_private", HABIT_BIT(PROT_C),
		  VERDICT_UNKNOWN }, /* it has not transferred */
		{ "secure_dataconn_private", HABIT_BIT(DATA_CLEAR), VERDICT_BREAKS },
		{ "secure_dataconn_private", HABIT_BIT(DATA_CLEAR) | HABIT_BIT(DATA_TLS), VERDICT_PARTLY },
		{ "secure_ctrlconn_private", HABIT_BIT(LOGIN_TLS) | HABIT_BIT(CCC), VERDICT_PARTLY },
		{ "secure_ctrlconn_private", HABIT_BIT(CCC), VERDICT_PARTLY },
		{ "secure_session_reuse_required", HABIT_BIT(DATA_TLS), VERDICT_UNKNOWN },
		{ "secure_session_reuse_required", HABIT_BIT(DATA_NOT_OFFERED), VERDICT_BREAKS },
		{ "secure_session_reuse_required", HABIT_BIT(DATA_RESUMED), VERDICT_WORKS },
		{ "secure_session_reuse_required", HABIT_BIT(DATA_OTHER), VERDICT_BREAKS },
		{ "secure_session_reuse_required_user", HABIT_BIT(DATA_OTHER), VERDICT_UNKNOWN },
		{ "secure_session_reuse_required_user", HABIT_BIT(NO_EXTENDED_SECRET), VERDICT_BREAKS },
		{ "portcommand_reject", HABIT_BIT(PORT), VERDICT_BREAKS },
		{ "portcommand_reject", HABIT_BIT(EPRT) | HABIT_BIT(EPSV), VERDICT_PARTLY },
		{ "close_notify", HABIT_BIT(UPLOAD_CUT), VERDICT_BREAKS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (client_verdict(change(rows[i].change), rows[i].seen) != rows[i].want)
			fail_msg("row %zu: %s", i,
				 client_verdict_name(client_verdict(change(rows[i].change), rows[i].seen)));
}

/* A habit that a change refuses cannot show that the change works. */
static void no_habit_is_evidence_for_both(void **state)
{
	(void)state;
	for (size_t i = 0; i < CLIENT_CHANGES; i++) {
		assert_true(client_changes[i].breaks != 0 && client_changes[i].works != 0);
		assert_int_equal(
		    (client_changes[i].breaks | client_changes[i].hinders) & client_changes[i].works, 0);
	}
}

static void old_evidence_does_not_count(void **state)
{
	struct answer_client client = { .last_s = 200 };

	(void)state;
	client.habits[HABIT_OFFERS_TLS12].sessions = 7;
	client.habits[HABIT_OFFERS_TLS12].last_s = 100;
	client.habits[HABIT_OFFERS_TLS13].sessions = 1;
	client.habits[HABIT_OFFERS_TLS13].last_s = 200;
	assert_int_equal(client_verdict(change("tls1.3_only"), client_habits_since(&client, 0)),
			 VERDICT_PARTLY);
	assert_int_equal(client_verdict(change("tls1.3_only"), client_habits_since(&client, 100)),
			 VERDICT_PARTLY);
	assert_int_equal(client_verdict(change("tls1.3_only"), client_habits_since(&client, 101)),
			 VERDICT_WORKS);
	assert_int_equal(client_habits_since(&client, 201), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_need_evidence),
		cmocka_unit_test(no_habit_is_evidence_for_both),
		cmocka_unit_test(old_evidence_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
