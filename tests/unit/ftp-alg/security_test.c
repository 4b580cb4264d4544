#include "ftp-alg/security.h"

#include "ftp-alg/feat.h"

#include "tests/unit/unit.h"

#define CLEAR_STATE                                                                                          \
	{                                                                                                    \
		.ctrl = FTP_CTRL_CLEAR                                                                       \
	}
#define TLS_STATE                                                                                            \
	{                                                                                                    \
		.ctrl = FTP_CTRL_TLS                                                                         \
	}
#define PBSZ_STATE                                                                                           \
	{                                                                                                    \
		.ctrl = FTP_CTRL_TLS, .pbsz = true                                                           \
	}
#define PRIVATE_STATE                                                                                        \
	{                                                                                                    \
		.ctrl = FTP_CTRL_TLS, .pbsz = true, .prot = FTP_PROT_PRIVATE                                 \
	}
#define CCC_STATE                                                                                            \
	{                                                                                                    \
		.ctrl = FTP_CTRL_CLEARED, .pbsz = true, .prot = FTP_PROT_PRIVATE                             \
	}
#define IMPLICIT_STATE                                                                                       \
	{                                                                                                    \
		.ctrl = FTP_CTRL_TLS, .pbsz = true, .prot = FTP_PROT_PRIVATE, .implicit = true               \
	}

static void assert_state(const char *name, const struct ftp_security *have, const struct ftp_security *want)
{
	if (have->ctrl != want->ctrl || have->prot != want->prot || have->pbsz != want->pbsz ||
	    have->implicit != want->implicit)
		fail_msg("%s: ctrl %d prot %d pbsz %d implicit %d", name, have->ctrl, have->prot, have->pbsz,
			 have->implicit);
}

static void assert_own(const char *name, enum ftp_local have, enum ftp_local want)
{
	if (have != want)
		fail_msg("%s: reply %d instead of %d", name, have, want);
}

static const struct {
	const char *name;
	struct ftp_security before;
	bool auth_tls;
	enum secure_level dataconn;
	const char *arg;
	enum ftp_local want;
	enum ftp_prot prot;
} auths[] = {
	{ "TLS", CLEAR_STATE, true, SECURE_CLEAR, "TLS", FTP_LOCAL_OK_AUTH, FTP_PROT_CLEAR },
	{ "lower case", CLEAR_STATE, true, SECURE_CLEAR, "tls", FTP_LOCAL_OK_AUTH, FTP_PROT_CLEAR },
	{ "TLS-C", CLEAR_STATE, true, SECURE_CLEAR, "TLS-C", FTP_LOCAL_OK_AUTH, FTP_PROT_CLEAR },
	{ "TLS-P", CLEAR_STATE, true, SECURE_CLEAR, "tls-p", FTP_LOCAL_OK_AUTH, FTP_PROT_PRIVATE },
	{ "SSL", CLEAR_STATE, true, SECURE_PRIVATE, "SSL", FTP_LOCAL_OK_AUTH, FTP_PROT_PRIVATE },
	{ "SSL where data may not be protected", CLEAR_STATE, true, SECURE_NEVER, "SSL", FTP_LOCAL_OK_AUTH,
	  FTP_PROT_CLEAR },
	{ "TLS starts clear even if policy wants more", CLEAR_STATE, true, SECURE_PRIVATE, "TLS",
	  FTP_LOCAL_OK_AUTH, FTP_PROT_CLEAR },
	{ "no argument", CLEAR_STATE, true, SECURE_CLEAR, "", FTP_LOCAL_AUTH_NO_ARGUMENT, FTP_PROT_CLEAR },
	{ "Kerberos", CLEAR_STATE, true, SECURE_CLEAR, "GSSAPI", FTP_LOCAL_AUTH_UNKNOWN, FTP_PROT_CLEAR },
	{ "only a beginning", CLEAR_STATE, true, SECURE_CLEAR, "TL", FTP_LOCAL_AUTH_UNKNOWN, FTP_PROT_CLEAR },
	{ "more than a name", CLEAR_STATE, true, SECURE_CLEAR, "TLS ", FTP_LOCAL_AUTH_UNKNOWN,
	  FTP_PROT_CLEAR },
	{ "not offered", CLEAR_STATE, false, SECURE_CLEAR, "TLS", FTP_LOCAL_AUTH_NOT_OFFERED,
	  FTP_PROT_CLEAR },
	{ "on a listener without TLS",
	  { .clear_only = true },
	  true,
	  SECURE_CLEAR,
	  "TLS",
	  FTP_LOCAL_AUTH_CLEAR_ONLY,
	  FTP_PROT_CLEAR },
	{ "twice", TLS_STATE, true, SECURE_CLEAR, "TLS", FTP_LOCAL_AUTH_ALREADY, FTP_PROT_CLEAR },
	{ "after CCC", CCC_STATE, true, SECURE_CLEAR, "TLS", FTP_LOCAL_AUTH_AFTER_CCC, FTP_PROT_PRIVATE },
	{ "secure port", IMPLICIT_STATE, true, SECURE_CLEAR, "TLS", FTP_LOCAL_AUTH_IMPLICIT,
	  FTP_PROT_PRIVATE },
};

static void auth(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(auths); i++) {
		struct ftp_security security = auths[i].before;
		struct ftp_security want = auths[i].before;
		struct ftp_action action = { .extensions = auths[i].auth_tls ? EXTENSION_AUTH_TLS : 0,
					     .secure_dataconn = auths[i].dataconn };

		want.prot = auths[i].prot;
		assert_own(auths[i].name,
			   ftp_security_auth(&security, &action, auths[i].arg, strlen(auths[i].arg)),
			   auths[i].want);
		assert_state(auths[i].name, &security, &want);
	}
}

static void tls_up_and_reset(void **state)
{
	struct ftp_security security = { .pbsz = true, .prot = FTP_PROT_PRIVATE };
	struct ftp_security tls = { .ctrl = FTP_CTRL_TLS, .prot = FTP_PROT_PRIVATE };
	struct ftp_security implicit = { .implicit = true, .prot = FTP_PROT_PRIVATE };
	struct ftp_security implicit_up = IMPLICIT_STATE;
	struct ftp_security clear = CLEAR_STATE;
	struct ftp_security implicit_reset = { .implicit = true, .prot = FTP_PROT_PRIVATE };
	const struct ftp_action action = { .secure_dataconn = SECURE_PRIVATE };

	(void)state;
	ftp_security_tls_up(&security);
	assert_state("PBSZ has to come anew", &security, &tls);
	ftp_security_init(&security, &action, false);
	assert_state("reset", &security, &clear);
	ftp_security_tls_up(&implicit);
	assert_state("the secure port implies PBSZ", &implicit, &implicit_up);
	ftp_security_init(&implicit, &action, true);
	assert_state("reset on the secure port", &implicit, &implicit_reset);
}

static const struct {
	const char *name;
	struct ftp_security before;
	const char *arg;
	enum ftp_local want;
} pbszs[] = {
	{ "0", TLS_STATE, "0", FTP_LOCAL_OK_PBSZ },
	{ "again", PBSZ_STATE, "0", FTP_LOCAL_OK_PBSZ },
	{ "a size", TLS_STATE, "16384", FTP_LOCAL_OK_PBSZ },
	{ "the largest", TLS_STATE, "4294967295", FTP_LOCAL_OK_PBSZ },
	{ "too large", TLS_STATE, "4294967296", FTP_LOCAL_PBSZ_BAD },
	{ "too long", TLS_STATE, "00000000000", FTP_LOCAL_PBSZ_BAD },
	{ "nothing", TLS_STATE, "", FTP_LOCAL_PBSZ_BAD },
	{ "a word", TLS_STATE, "x", FTP_LOCAL_PBSZ_BAD },
	{ "a sign", TLS_STATE, "-1", FTP_LOCAL_PBSZ_BAD },
	{ "a blank", TLS_STATE, "0 ", FTP_LOCAL_PBSZ_BAD },
	{ "before AUTH", CLEAR_STATE, "0", FTP_LOCAL_PBSZ_FIRST_AUTH },
	{ "after CCC", CCC_STATE, "0", FTP_LOCAL_PBSZ_AFTER_CCC },
	{ "secure port", IMPLICIT_STATE, "0", FTP_LOCAL_OK_PBSZ },
};

static void pbsz(void **state)
{
	const struct ftp_action any = { .secure_pbsz = 16384 };

	(void)state;
	for (size_t i = 0; i < NELEM(pbszs); i++) {
		struct ftp_security security = pbszs[i].before;
		struct ftp_security want = pbszs[i].before;

		want.pbsz |= pbszs[i].want == FTP_LOCAL_OK_PBSZ;
		assert_own(pbszs[i].name,
			   ftp_security_pbsz(&security, &any, pbszs[i].arg, strlen(pbszs[i].arg)),
			   pbszs[i].want);
		assert_state(pbszs[i].name, &security, &want);
	}
}

/* One row for each SECURE_DATACONN: PROT C, PROT P, and transfers with the levels clear, safe and private. */
static const struct {
	enum secure_level dataconn;
	enum ftp_local prot_c;
	enum ftp_local prot_p;
	enum ftp_local transfer_c, transfer_s, transfer_p;
} levels[] = {
	{ SECURE_NEVER, FTP_LOCAL_OK_PROT_C, FTP_LOCAL_PROT_P_DENIED, FTP_LOCAL_NONE, FTP_LOCAL_PROT_P_DENIED,
	  FTP_LOCAL_PROT_P_DENIED },
	{ SECURE_CLEAR, FTP_LOCAL_OK_PROT_C, FTP_LOCAL_OK_PROT_P, FTP_LOCAL_NONE, FTP_LOCAL_NONE,
	  FTP_LOCAL_NONE },
	{ SECURE_SAFE, FTP_LOCAL_PROT_C_DENIED, FTP_LOCAL_OK_PROT_P, FTP_LOCAL_DATA_UNPROTECTED,
	  FTP_LOCAL_NONE, FTP_LOCAL_NONE },
	{ SECURE_PRIVATE, FTP_LOCAL_PROT_C_DENIED, FTP_LOCAL_OK_PROT_P, FTP_LOCAL_DATA_UNPROTECTED,
	  FTP_LOCAL_PROT_S_DENIED, FTP_LOCAL_NONE },
};

static enum ftp_local prot(struct ftp_security *security, enum secure_level dataconn, const char *arg)
{
	struct ftp_action action = { .secure_dataconn = dataconn };

	return ftp_security_prot(security, &action, arg, strlen(arg));
}

static void prot_by_policy(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(levels); i++) {
		enum secure_level dataconn = levels[i].dataconn;
		struct ftp_security was_c = PBSZ_STATE, was_p = PRIVATE_STATE, other = PBSZ_STATE;
		struct ftp_security implicit = IMPLICIT_STATE;

		assert_own("PROT C", prot(&was_p, dataconn, "C"), levels[i].prot_c);
		assert_int_equal(was_p.prot,
				 levels[i].prot_c == FTP_LOCAL_OK_PROT_C ? FTP_PROT_CLEAR : FTP_PROT_PRIVATE);
		assert_own("PROT p", prot(&was_c, dataconn, "p"), levels[i].prot_p);
		assert_int_equal(was_c.prot,
				 levels[i].prot_p == FTP_LOCAL_OK_PROT_P ? FTP_PROT_PRIVATE : FTP_PROT_CLEAR);
		assert_own("secure port", prot(&implicit, dataconn, "c"), levels[i].prot_c);
		assert_own("PROT S", prot(&other, dataconn, "S"), FTP_LOCAL_PROT_UNSUPPORTED);
		assert_own("PROT E", prot(&other, dataconn, "e"), FTP_LOCAL_PROT_UNSUPPORTED);
		assert_own("PROT X", prot(&other, dataconn, "X"), FTP_LOCAL_PROT_UNKNOWN);
		assert_own("PROT", prot(&other, dataconn, ""), FTP_LOCAL_PROT_UNKNOWN);
		assert_own("PROT PP", prot(&other, dataconn, "PP"), FTP_LOCAL_PROT_UNKNOWN);
		assert_int_equal(other.prot, FTP_PROT_CLEAR);
	}
}

static void prot_by_state(void **state)
{
	struct ftp_security clear = CLEAR_STATE, tls = TLS_STATE, ccc = CCC_STATE;
	struct ftp_security ccc_before = CCC_STATE;

	(void)state;
	assert_own("before AUTH", prot(&clear, SECURE_CLEAR, "P"), FTP_LOCAL_PBSZ_FIRST_AUTH);
	assert_own("before PBSZ", prot(&tls, SECURE_CLEAR, "P"), FTP_LOCAL_PROT_FIRST_PBSZ);
	assert_own("after CCC", prot(&ccc, SECURE_CLEAR, "C"), FTP_LOCAL_PROT_AFTER_CCC);
	assert_state("after CCC", &ccc, &ccc_before);
	assert_int_equal(clear.prot, FTP_PROT_CLEAR);
	assert_int_equal(tls.prot, FTP_PROT_CLEAR);
}

static void transfer(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(levels); i++) {
		struct ftp_action action = { .secure_dataconn = levels[i].dataconn };
		const struct ftp_security clear = CLEAR_STATE, tls = TLS_STATE, with_p = PRIVATE_STATE;
		const struct ftp_security ccc_p = CCC_STATE;
		const struct ftp_security ccc_c = { .ctrl = FTP_CTRL_CLEARED, .pbsz = true };
		const struct ftp_security with_s = { .ctrl = FTP_CTRL_GSSAPI, .prot = FTP_PROT_SAFE };

		/* SECURE_DATACONN speaks of sessions that a mechanism protects */
		assert_own("no AUTH", ftp_security_transfer(&clear, &action),
			   levels[i].transfer_c == FTP_LOCAL_NONE ? FTP_LOCAL_NONE
								  : FTP_LOCAL_DATA_NEEDS_TLS);
		action.data_policy_scope = DATA_POLICY_PROTECTED;
		assert_own("no AUTH, exempt", ftp_security_transfer(&clear, &action), FTP_LOCAL_NONE);
		assert_own("level C", ftp_security_transfer(&tls, &action), levels[i].transfer_c);
		assert_own("level C, CCC", ftp_security_transfer(&ccc_c, &action), levels[i].transfer_c);
		assert_own("level S", ftp_security_transfer(&with_s, &action), levels[i].transfer_s);
		assert_own("level P", ftp_security_transfer(&with_p, &action), levels[i].transfer_p);
		assert_own("level P, CCC", ftp_security_transfer(&ccc_p, &action), levels[i].transfer_p);
	}
}

static const struct {
	const char *name;
	struct ftp_security before;
	enum secure_level ctrlconn;
	enum tls_rfc_level level;
	bool logged_in;
	enum ftp_local want;
} cccs[] = {
	{ "allowed", PRIVATE_STATE, SECURE_CLEAR, TLSRFCLEVEL_RFC4217, true, FTP_LOCAL_OK_CCC },
	{ "without notify", PBSZ_STATE, SECURE_CLEAR, TLSRFCLEVEL_CCCNONOTIFY, true, FTP_LOCAL_OK_CCC },
	{ "draft", PRIVATE_STATE, SECURE_CLEAR, TLSRFCLEVEL_DRAFT, true, FTP_LOCAL_CCC_DRAFT },
	{ "control must be safe", PRIVATE_STATE, SECURE_SAFE, TLSRFCLEVEL_RFC4217, true,
	  FTP_LOCAL_CCC_DENIED },
	{ "control must be private", PRIVATE_STATE, SECURE_PRIVATE, TLSRFCLEVEL_CCCNONOTIFY, true,
	  FTP_LOCAL_CCC_DENIED },
	{ "before login", PRIVATE_STATE, SECURE_CLEAR, TLSRFCLEVEL_RFC4217, false,
	  FTP_LOCAL_CCC_BEFORE_LOGIN },
	{ "no TLS", CLEAR_STATE, SECURE_CLEAR, TLSRFCLEVEL_RFC4217, true, FTP_LOCAL_CCC_NOT_TLS },
	{ "twice", CCC_STATE, SECURE_CLEAR, TLSRFCLEVEL_RFC4217, true, FTP_LOCAL_CCC_NOT_TLS },
	{ "secure port", IMPLICIT_STATE, SECURE_CLEAR, TLSRFCLEVEL_RFC4217, true, FTP_LOCAL_CCC_IMPLICIT },
};

static void ccc(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cccs); i++) {
		struct ftp_security security = cccs[i].before;
		struct ftp_security want = cccs[i].before;
		struct ftp_action action = { .secure_ctrlconn = cccs[i].ctrlconn,
					     .tlsrfclevel = cccs[i].level };

		if (cccs[i].want == FTP_LOCAL_OK_CCC)
			want.ctrl = FTP_CTRL_CLEARED;
		assert_own(cccs[i].name, ftp_security_ccc(&security, &action, cccs[i].logged_in),
			   cccs[i].want);
		assert_state(cccs[i].name, &security, &want);
	}
}

static void needs_tls(void **state)
{
	const struct ftp_action required = { .secure_ftp = SECURE_FTP_REQUIRED };
	const struct ftp_action allowed = { .secure_ftp = SECURE_FTP_ALLOWED,
					    .secure_ctrlconn = SECURE_CLEAR };
	/* SECURE_CTRLCONN binds a session without AUTH as well, unless policy exempts it */
	const struct ftp_action bound = { .secure_ftp = SECURE_FTP_ALLOWED, .secure_ctrlconn = SECURE_SAFE };
	const struct ftp_action exempt = { .secure_ftp = SECURE_FTP_ALLOWED,
					   .data_policy_scope = DATA_POLICY_PROTECTED };
	const struct ftp_security clear = CLEAR_STATE, tls = TLS_STATE, cleared = CCC_STATE;

	(void)state;
	assert_true(ftp_security_needs_tls(&clear, &required));
	assert_true(ftp_security_needs_tls(&cleared, &required));
	assert_false(ftp_security_needs_tls(&tls, &required));
	assert_false(ftp_security_needs_tls(&clear, &allowed));
	assert_true(ftp_security_needs_tls(&clear, &bound));
	assert_false(ftp_security_needs_tls(&tls, &bound));
	assert_false(ftp_security_needs_tls(&clear, &exempt));
	/* not if it has sent AUTH before */
	assert_true(ftp_security_needs_tls(&cleared, &exempt));
	assert_false(ftp_security_needs_tls(&cleared, &allowed));
}

#define TLS_BITS (FTP_FEAT_AUTH | FTP_FEAT_PBSZ | FTP_FEAT_PROT)

static const struct {
	const char *name;
	struct ftp_security security;
	struct ftp_action action;
	unsigned want;
} features[] = {
	{ "nothing is allowed", CLEAR_STATE, { .extensions = 0 }, FTP_FEAT_EPSV },
	{ "AUTH", CLEAR_STATE, { .extensions = EXTENSION_AUTH_TLS }, FTP_FEAT_EPSV | TLS_BITS },
	{ "PORT", CLEAR_STATE, { .portcommand = PORTCOMMAND_ACCEPT }, FTP_FEAT_EPSV | FTP_FEAT_EPRT },
	{ "CCC",
	  TLS_STATE,
	  { .extensions = EXTENSION_AUTH_TLS,
	    .secure_ctrlconn = SECURE_CLEAR,
	    .tlsrfclevel = TLSRFCLEVEL_RFC4217 },
	  FTP_FEAT_EPSV | TLS_BITS | FTP_FEAT_CCC },
	{ "CCC needs a level",
	  TLS_STATE,
	  { .extensions = EXTENSION_AUTH_TLS, .secure_ctrlconn = SECURE_CLEAR },
	  FTP_FEAT_EPSV | TLS_BITS },
	{ "CCC needs a clear control connection",
	  TLS_STATE,
	  { .extensions = EXTENSION_AUTH_TLS,
	    .secure_ctrlconn = SECURE_SAFE,
	    .tlsrfclevel = TLSRFCLEVEL_RFC4217 },
	  FTP_FEAT_EPSV | TLS_BITS },
	{ "secure port",
	  IMPLICIT_STATE,
	  { .extensions = EXTENSION_AUTH_TLS,
	    .secure_ctrlconn = SECURE_CLEAR,
	    .tlsrfclevel = TLSRFCLEVEL_RFC4217 },
	  FTP_FEAT_EPSV | FTP_FEAT_PBSZ | FTP_FEAT_PROT },
	{ "the reply style changes nothing",
	  CLEAR_STATE,
	  { .extensions = EXTENSION_AUTH_TLS, .reply_style = REPLY_STYLE_ZOS },
	  FTP_FEAT_EPSV | TLS_BITS },
};

static void feature_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(features); i++) {
		unsigned have = ftp_security_features(&features[i].security, &features[i].action);

		if (have != features[i].want)
			fail_msg("%s: %#x instead of %#x", features[i].name, have, features[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auth),		 cmocka_unit_test(tls_up_and_reset),
		cmocka_unit_test(pbsz),		 cmocka_unit_test(prot_by_policy),
		cmocka_unit_test(prot_by_state), cmocka_unit_test(transfer),
		cmocka_unit_test(ccc),		 cmocka_unit_test(needs_tls),
		cmocka_unit_test(feature_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
