#include "gateway/tls/identity.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "gateway/tls/identity-name.h"
#include "gateway/tls/identity-users.h"
#include "tests/unit/unit.h"

/* Left: as a policy has it. Right: another writing, of the same name or of one that looks like it. */
static const struct {
	const char *policy;
	const char *subject;
	bool want;
} names[] = {
	{ "CN=user1,O=Partner", "CN=user1,O=Partner", true },
	{ "cn=USER1,o=partner", "CN=user1,O=Partner", true },
	{ " CN = user1 , O = Partner ", "CN=user1,O=Partner", true },
	{ "CN=user1;O=Partner", "CN=user1,O=Partner", true },
	{ "CN=user   1", "CN=user 1", true },
	{ "CN=\"user1\",O=\"A, B\"", "CN=user1,O=A\\, B", true },
	{ "CN=\"a=b+c\"", "CN=a\\=b\\+c", true },
	{ "2.5.4.3=user1", "CN=user1", true },
	{ "OID.2.5.4.3=user1", "CN=user1", true },
	{ "oid.2.5.4.3=user1", "CN=user1", true },
	{ "CN=#0C057573657231", "CN=user1", true },
	{ "CN=#13057573657231", "CN=user1", true }, /* a PrintableString */
	{ "E=a@example.net,S=Berlin", "emailAddress=a@example.net,ST=Berlin", true },
	{ "CN=J\xC3\xBCrgen", "CN=J\\C3\\BCrgen", true },
	{ "CN=J\xC3\xBCrgen", "CN=J\\c3\\bcrgen", true },
	{ "CN=a+UID=b,O=c", "UID=b+CN=a,O=c", true },
	{ "CN=a\\20", "CN=a", true },
	{ "CN=\\ a", "CN=a", true },
	{ "1.2.3.4=x", "1.2.3.4=#0C0178", true },

	{ "CN=user1,O=Partner", "CN=user2,O=Partner", false },
	{ "CN=user1", "CN=user1,O=Partner", false },
	{ "CN=user1,O=Partner", "CN=user1", false },
	{ "CN=user1,O=Partner", "O=Partner,CN=user1", false }, /* the order counts */
	{ "CN=user1", "CN=user1,CN=user2", false },	       /* nor is one of two names enough */
	{ "CN=user2", "CN=user1,CN=user2", false },
	{ "CN=user1,CN=user2", "CN=user1,CN=user2", true },
	{ "CN=user1,CN=user2", "CN=user2,CN=user1", false },
	{ "CN=a+CN=b", "CN=a,CN=b", false },
	{ "CN=user1", "OU=user1", false },
	{ "CN=user1", "CN=user1\\00.example.net", false },
	{ "CN=user1", "CN=user1\\00", false },
	{ "CN=user1\\00", "CN=user1\\00", false },
	{ "CN=user1\\00x", "CN=user1\\00x", false },
	{ "CN=#0C0375007A", "CN=#0C0375007A", false },
	{ "CN=J\xC3\xBCrgen", "CN=J\xC3\x9Crgen", false }, /* case of ASCII only */
	{ "CN=admin",
	  "CN=\xD0\xB0"
	  "dmin",
	  false }, /* a Cyrillic a */
};

/* Are two RFC 2253 texts the same name? False if one of them is not a name. */
static bool same_name(const char *policy_text, const char *subject)
{
	X509_NAME *a = NULL, *b = NULL;
	bool equal = identity_name_parse(policy_text, &a) == 0 && identity_name_parse(subject, &b) == 0 &&
		     X509_NAME_cmp(a, b) == 0;

	X509_NAME_free(a);
	X509_NAME_free(b);
	return equal;
}

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(names); i++)
		if (same_name(names[i].policy, names[i].subject) != names[i].want ||
		    same_name(names[i].subject, names[i].policy) != names[i].want)
			fail_msg("%s and %s: wanted %d", names[i].policy, names[i].subject, names[i].want);
}

static const char *const no_names[] = {
	"",
	" ",
	"user1",
	"CN",
	"CN=",
	"=x",
	"CN=a,",
	",CN=a",
	"CN=a,,O=b",
	"CN=a+",
	"CN=a,O",
	"/CN=user1/O=Partner",
	"NOSUCHTYPE=x",
	"1.2.x=y",
	"CN=\"open",
	"CN=\"a\"b",
	"CN=a\"b",
	"CN=a<b",
	"CN=a\\",
	"CN=a\\x",
	"CN=a\\0",
	"CN=a\\00",
	"CN=#",
	"CN=#0",
	"CN=#0C",
	"CN=#0C05757365",
	"CN=#0C0161FF",
	"CN=#020101",
	"CN=#300B0C0161",
	"CN=\xFF\xFE",
	"CN=\\FF",
	"CN=\xC3",
};

static void test_no_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(no_names); i++) {
		X509_NAME *name = NULL;

		if (identity_name_parse(no_names[i], &name) != -EINVAL)
			fail_msg("taken for a name: %s", no_names[i]);
		assert_null(name);
	}
}

static void test_long_names(void **state)
{
	char *text = NULL;
	X509_NAME *name = NULL;
	size_t len;
	FILE *out;

	(void)state;
	out = open_memstream(&text, &len);
	assert_non_null(out);
	for (int i = 0; i < 64; i++)
		(void)fprintf(out, "%sCN=%d", i > 0 ? "," : "", i);
	assert_int_equal(fflush(out), 0);
	assert_int_equal(identity_name_parse(text, &name), 0);
	assert_int_equal(X509_NAME_entry_count(name), 64);
	X509_NAME_free(name);
	name = NULL;
	(void)fputs(",CN=64", out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(identity_name_parse(text, &name), -EINVAL);
	free(text);
	text = bytes_repeat('x', 1100, "", 0);
	memcpy(text, "CN=", 3);
	text[1100] = '\0';
	assert_int_equal(identity_name_parse(text, &name), -EINVAL);
	text[1027] = '\0';
	assert_int_equal(identity_name_parse(text, &name), 0);
	X509_NAME_free(name);
	free(text);
}

struct attribute {
	const char *type;
	int kind; /* of string */
	const char *bytes;
	int len;
};

#define UTF8(type, literal)                                                                                  \
	{                                                                                                    \
		type, V_ASN1_UTF8STRING, (literal), sizeof(literal) - 1                                      \
	}

/* A certificate with these attributes, the last one first as in RFC 2253. */
static X509 *make_certificate(const struct attribute *attributes, size_t n)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *name = X509_NAME_new();
	uint8_t *der = NULL;
	const uint8_t *at;
	X509 *read;
	int len;

	assert_non_null(key);
	assert_non_null(certificate);
	for (size_t i = n; i-- > 0;)
		assert_int_equal(X509_NAME_add_entry_by_txt(name, attributes[i].type, attributes[i].kind,
							    (const uint8_t *)attributes[i].bytes,
							    attributes[i].len, -1, 0),
				 1);
	assert_int_equal(X509_set_subject_name(certificate, name), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 60));
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	/* as it comes over the wire */
	len = i2d_X509(certificate, &der);
	assert_true(len > 0);
	at = der;
	read = d2i_X509(NULL, &at, len);
	assert_non_null(read);
	OPENSSL_free(der);
	X509_NAME_free(name);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return read;
}

static const struct {
	const char *what;
	struct attribute attributes[3];
	size_t n;
	const char *subject; /* as it is logged */
	const char *user;    /* NULL: no user's */
} certificates[] = {
	{ "a user", { UTF8("CN", "user1"), UTF8("O", "Partner") }, 2, "CN=user1,O=Partner", "USER1" },
	{ "case and blanks", { UTF8("CN", "USER1"), UTF8("O", " partner ") }, 2, NULL, "USER1" },
	{ "a PrintableString",
	  { { "CN", V_ASN1_PRINTABLESTRING, "user1", 5 }, UTF8("O", "Partner") },
	  2,
	  "CN=user1,O=Partner",
	  "USER1" },
	{ "a BMPString",
	  { { "CN", V_ASN1_BMPSTRING, "\0u\0s\0e\0r\0001", 10 }, UTF8("O", "Partner") },
	  2,
	  NULL,
	  "USER1" },
	{ "UTF-8", { UTF8("CN", "J\xC3\xBCrgen") }, 1, "CN=J\\C3\\BCrgen", "JUERGEN" },
	{ "a stranger", { UTF8("CN", "user9") }, 1, "CN=user9", NULL },
	{ "a part of the name", { UTF8("CN", "user1") }, 1, "CN=user1", NULL },
	{ "more than the name",
	  { UTF8("CN", "user1"), UTF8("CN", "x"), UTF8("O", "Partner") },
	  3,
	  NULL,
	  NULL },
	{ "two common names", { UTF8("CN", "a"), UTF8("CN", "b") }, 2, "CN=a,CN=b", "AB" },
	{ "two common names turned round", { UTF8("CN", "b"), UTF8("CN", "a") }, 2, "CN=b,CN=a", NULL },
	{ "NUL behind",
	  { UTF8("CN", "user1\0.evil"), UTF8("O", "Partner") },
	  2,
	  "CN=user1\\00.evil,O=Partner",
	  NULL },
	{ "NUL at the end", { UTF8("CN", "user1\0"), UTF8("O", "Partner") }, 2, NULL, NULL },
	{ "NUL in front", { UTF8("CN", "\0user1"), UTF8("O", "Partner") }, 2, NULL, NULL },
	{ "line ends in a log",
	  { UTF8("CN", "x\r\nlogin user=root") },
	  1,
	  "CN=x\\0D\\0Alogin user=root",
	  NULL },
	{ "no name at all", { { 0 } }, 0, "", NULL },
};

static struct policy_user_certificate one_subjects[] = { { .text = { "CN=user1,O=Partner" } },
							 { .text = { "CN=alias" } } };
static struct policy_user_certificate utf8_subjects[] = { { .text = { "cn=J\xC3\xBCrgen" } } };
static struct policy_user_certificate two_subjects[] = { { .text = { "CN=a,CN=b" } } };
static struct policy_user known_users[] = {
	{ .name = "USER1", .certificates = one_subjects, .ncertificates = 2 },
	{ .name = "JUERGEN", .certificates = utf8_subjects, .ncertificates = 1 },
	{ .name = "AB", .certificates = two_subjects, .ncertificates = 1 },
};

static void test_certificates(void **state)
{
	const struct policy policy = { .users = known_users, .nusers = NELEM(known_users) };
	struct identity_users *known = NULL;
	struct diags diags;

	(void)state;
	assert_int_equal(diags_init(&diags, "policy.yaml", NULL, 0), 0);
	assert_int_equal(identity_users_load(&policy, &diags, &known), 0);
	assert_int_equal(diags.nitems, 0);
	for (size_t i = 0; i < NELEM(certificates); i++) {
		X509 *certificate = make_certificate(certificates[i].attributes, certificates[i].n);
		struct identity identity;
		const struct policy_user *user;
		bool several;

		assert_int_equal(identity_from_certificate(certificate, true, &identity), 0);
		assert_true(identity.present && identity.verified);
		if (certificates[i].subject != NULL)
			assert_string_equal(identity.subject, certificates[i].subject);
		user = identity_users_find(known, &identity, &several);
		if ((user == NULL) != (certificates[i].user == NULL) ||
		    (user != NULL && strcmp(user->name, certificates[i].user) != 0))
			fail_msg("%s: got %s", certificates[i].what, user != NULL ? user->name : "nobody");
		identity.verified = false; /* an unverified certificate belongs to no user */
		assert_null(identity_users_find(known, &identity, &several));
		identity_done(&identity);
		assert_false(identity.present);
		X509_free(certificate);
	}
	identity_users_free(&known);
	diags_done(&diags);
}

/* The same subject is not the same certificate. */
static void test_equal(void **state)
{
	X509 *a = make_certificate(certificates[0].attributes, certificates[0].n);
	X509 *b = make_certificate(certificates[0].attributes, certificates[0].n);
	struct identity one, same, other, nobody = { 0 };

	(void)state;
	assert_int_equal(identity_from_certificate(a, true, &one), 0);
	assert_int_equal(identity_from_certificate(a, false, &same), 0);
	assert_int_equal(identity_from_certificate(b, true, &other), 0);
	assert_true(identity_equal(&one, &same));
	assert_false(identity_equal(&one, &other));
	assert_false(identity_equal(&one, &nobody));
	assert_false(identity_equal(&nobody, &one));
	assert_true(identity_equal(&nobody, &nobody));
	identity_done(&one);
	identity_done(&same);
	identity_done(&other);
	identity_done(&nobody);
	X509_free(a);
	X509_free(b);
}

static const struct {
	const char *subjects[2]; /* of user A */
	const char *other;	 /* of user B; NULL: there is none */
	const char *want;	 /* the only fault; NULL: none */
} loads[] = {
	{ { "CN=a", "user1" }, NULL, "\"subject\" of users \"A\" is not a valid RFC 2253 name: \"user1\"" },
	{ { "CN=a", "CN=x" },
	  "cn=X",
	  "entries of \"certificates\" of users \"A\" and \"B\" match the same certificates; each "
	  "certificate must belong to one user" },
	{ { "CN=x", "cn=X" }, NULL, NULL },
	{ { "CN=x", "CN=y" }, "CN=z", NULL },
};

static void test_loads(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(loads); i++) {
		struct policy_user_certificate a[] = { { .text = { loads[i].subjects[0] } },
						       { .text = { loads[i].subjects[1] } } };
		struct policy_user_certificate b[] = { { .text = { loads[i].other } } };
		struct policy_user users[] = { { .name = "A", .certificates = a, .ncertificates = 2 },
					       { .name = "B", .certificates = b, .ncertificates = 1 } };
		const struct policy policy = { .users = users, .nusers = loads[i].other != NULL ? 2 : 1 };
		struct identity_users *known = NULL;
		struct diags diags;

		assert_int_equal(diags_init(&diags, "policy.yaml", NULL, 0), 0);
		assert_int_equal(identity_users_load(&policy, &diags, &known), 0);
		assert_int_equal(diags.nitems, loads[i].want != NULL ? 1 : 0);
		if (loads[i].want != NULL)
			assert_string_equal(diags.items[0].message, loads[i].want);
		identity_users_free(&known);
		diags_done(&diags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	   cmocka_unit_test(test_no_names),
		cmocka_unit_test(test_long_names), cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_equal),	   cmocka_unit_test(test_loads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
