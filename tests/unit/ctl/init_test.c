/* Answers to the questions of attlsctl init, one by one, and the policies that all combinations of them lead
 * to. */
#include "gateway/ctl/init-plan.h"
#include "gateway/ctl/init-template.h"
#include "gateway/ctl/throwaway.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "policy/policy.h"
#include "tests/unit/unit.h"

static const struct {
	const char *name;
	init_take_fn *take;
	const char *text;
	const char *wrong; /* a part of the message; NULL: it is taken */
} answers[] = {
	{ "a server", init_take_backend, "127.0.0.1:2021", NULL },
	{ "a server by name", init_take_backend, "ftp.example.com:2021", NULL },
	{ "a server of IPv6", init_take_backend, "[::1]:2021", NULL },
	{ "a server at its usual port", init_take_backend, "mvs", NULL },
	{ "no server", init_take_backend, "", "HOST:PORT" },
	{ "no port after the colon", init_take_backend, "127.0.0.1:", "HOST:PORT" },
	{ "a port too high", init_take_backend, "127.0.0.1:65536", "HOST:PORT" },
	{ "an address with a slip", init_take_backend, "127.0.1:21", "HOST:PORT" },
	{ "a URL", init_take_backend, "ftp://127.0.0.1/", "HOST:PORT" },
	{ "a name", init_take_name, "ftp.example.com", NULL },
	{ "a name with an underscore", init_take_name, "ftp_1.example.com", NULL },
	{ "a name with a dot at its end", init_take_name, "ftp.example.com.", "host name" },
	{ "a name with a hyphen at the end of a label", init_take_name, "ftp-.example.com", "host name" },
	{ "an address as a name", init_take_name, "2001:db8::1", NULL },
	{ "a name that would add an extension", init_take_name, "a,email:b", "host name" },
	{ "a name with a quote", init_take_name, "a\"b", "host name" },
	{ "a port", init_take_port, "2121", NULL },
	{ "a port of one address", init_take_port, "192.0.2.1:21", NULL },
	{ "a port of one address of IPv6", init_take_port, "[2001:db8::1]:21", NULL },
	{ "a word", init_take_port, "ftp", "65535" },
	{ "a port of a name", init_take_port, "localhost:21", "ADDRESS:PORT" },
	{ "an address without a port", init_take_port, "2001:db8::1", "ADDRESS:PORT" },
	{ "no implicit port", init_take_implicit_port, "none", NULL },
	{ "a range", init_take_passivedataports, "50000-50100", NULL },
	{ "low ports", init_take_passivedataports, "1000-1100", "range" },
	{ "an empty range", init_take_passivedataports, "50100-50000", "range" },
	{ "half a range", init_take_passivedataports, "50000", "range" },
	{ "an address to advertise", init_take_advertise, "203.0.113.10", NULL },
	{ "no address to advertise", init_take_advertise, "none", NULL },
	{ "a network to advertise", init_take_advertise, "203.0.113.0/24", "address" },
	{ "a missing file", init_take_certificate, "/nonexistent/x.pem", "No such file" },
	{ "a partner", init_take_partner, "bank=198.51.100.0/24", NULL },
	{ "a partner of two networks", init_take_partner, "bank=198.51.100.0/24,2001:db8::/32,ccc", NULL },
	{ "a partner of one address", init_take_partner, "bank=198.51.100.7,zos", NULL },
	{ "a partner without a name", init_take_partner, "198.51.100.0/24", "NAME=NETWORK" },
	{ "a partner with a bad name", init_take_partner, "the bank=198.51.100.0/24", "name" },
	{ "a partner with our name", init_take_partner, "everyone=198.51.100.0/24", "taken" },
	{ "a partner without a network", init_take_partner, "bank=ccc", "no network" },
	{ "a partner with nothing", init_take_partner, "bank=", "network" },
	{ "an address within a network", init_take_partner, "bank=198.51.100.7/24", "bits after the prefix" },
	{ "a need that is none", init_take_partner, "bank=198.51.100.0/24,ssl", "neither" },
	{ "a certificate in the clear", init_take_partner,
	  "bank=198.51.100.0/24,clear,certificates=/dev/null", "no certificate" },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(answers); i++) {
		struct init_plan plan = { .backend = NULL };
		const char *wrong = answers[i].take(&plan, answers[i].text);

		if ((wrong == NULL) != (answers[i].wrong == NULL) ||
		    (wrong != NULL && strstr(wrong, answers[i].wrong) == NULL))
			fail_msg("%s: %s", answers[i].name, wrong != NULL ? wrong : "taken");
		init_plan_done(&plan);
	}
}

static void test_a_name_is_taken_once(void **state)
{
	struct init_plan plan = { .backend = NULL };

	(void)state;
	assert_null(init_take_partner(&plan, "bank=198.51.100.0/24"));
	assert_non_null(init_take_partner(&plan, "bank=192.0.2.0/24"));
	assert_int_equal(plan.npartners, 1);
	init_plan_done(&plan);
}

/* Each is one choice; a combination takes one of each list. */
static const char *const backends[] = { "127.0.0.1:2021", "[::1]:2021", "legacy.example.com:21" };
static const char *const ports[] = { "21", "[2001:db8::1]:2121" };
static const char *const implicit_ports[] = { "990", "none", "192.0.2.1:990" };
static const char *const advertised[] = { "none", "203.0.113.10", "2001:db8::9", "nat.example.com" };

/* Bits of what the first partner needs; the last one stands for all clients but partners being refused. */
enum {
	NEEDS_CERTIFICATES = 1,
	NEEDS_CCC = 2,
	NEEDS_CLEAR = 4,
	NEEDS_ZOS = 8,
	PARTNERS_ONLY = 16,
	COMBINATIONS = 32
};

static void plan_fill(struct init_plan *plan, size_t which, unsigned needs, size_t npartners)
{
	char partner[200];

	assert_null(init_take_backend(plan, backends[which % NELEM(backends)]));
	assert_null(init_take_port(plan, ports[which % NELEM(ports)]));
	assert_null(
	    init_take_implicit_port(plan, implicit_ports[which / NELEM(ports) % NELEM(implicit_ports)]));
	assert_null(init_take_passivedataports(plan, "61000-61100"));
	assert_null(init_take_advertise(plan, advertised[which % NELEM(advertised)]));
	assert_null(init_take_name(plan, "ftp.example.com"));
	plan->throwaway = which % 2 == 0;
	plan->certificate = plan->throwaway ? "throwaway.pem" : "/etc/my certificates/a: \"b\" #c\\d.pem";
	plan->key = plan->throwaway ? "throwaway.key" : "/etc/private/'key'.pem";
	plan->command_line_max = which % 5 == 0 ? 509 : 0;
	plan->server = which % 3 == 0 ? "vsftpd" : NULL;
	plan->partners_only = npartners > 0 && (needs & PARTNERS_ONLY) != 0;
	for (size_t i = 0; i < npartners; i++) {
		(void)snprintf(partner, sizeof(partner), "%s%zu=198.51.%zu.0/24,2001:db8:%zu::/48%s%s%s%s",
			       i % 2 == 0 ? "partner" : "1.", i, i, i,
			       needs & NEEDS_CERTIFICATES ? ",certificates=/dev/null" : "",
			       needs & NEEDS_CCC ? ",ccc" : "", needs & NEEDS_CLEAR ? ",clear" : "",
			       needs & NEEDS_ZOS ? ",zos" : "");
		assert_null(init_take_partner(plan, partner));
	}
	assert_null(init_plan_check(plan));
}

/* A policy with errors, or one of which `attlsctl check` has something to say, is not a good first policy. */
static void check_text(const char *text, size_t len, bool clear)
{
	struct policy *policy = NULL;
	struct diags diags;

	assert_int_equal(diags_init(&diags, "policy.yaml", text, len), 0);
	(void)policy_parse(text, len, "", &diags, &policy);
	for (size_t i = 0; i < diags.nitems; i++) {
		bool expected = clear && diags.items[i].level == DIAG_WARNING &&
				strstr(diags.items[i].message, "clear") != NULL;

		if (!expected) {
			(void)fwrite(text, 1, len, stderr);
			fail_msg("line %u: %s", diags.items[i].mark.line, diags.items[i].message);
		}
	}
	assert_non_null(policy);
	policy_free(&policy);
	diags_done(&diags);
}

static void test_every_combination_is_a_good_policy(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t which = 0; which < 60; which++)
		for (unsigned needs = 0; needs < COMBINATIONS; needs++) {
			struct init_plan plan = { .backend = NULL };
			size_t len = 0;
			char *text;

			if ((needs & NEEDS_CERTIFICATES) != 0 && (needs & NEEDS_CLEAR) != 0)
				continue;
			plan_fill(&plan, which, needs, which % 4 == 3 ? INIT_PARTNERS_MAX : which % 4);
			text = init_template_write(&plan, &len);
			assert_non_null(text);
			check_text(text, len, (needs & NEEDS_CLEAR) != 0);
			free(text);
			init_plan_done(&plan);
			n++;
		}
	assert_int_equal(n, 60 * 24);
}

static void test_throwaway(void **state)
{
	static const char *const names[] = { "ftp.example.com", "192.0.2.1", "2001:db8::1" };
	struct throwaway made;
	BIO *bio;
	X509 *x;
	int days, seconds;

	(void)state;
	assert_int_equal(throwaway_make(names, NELEM(names), &made), 0);
	assert_true(made.key_len > 0);
	bio = BIO_new_mem_buf(made.certificate, (int)made.certificate_len);
	x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_non_null(x);
	assert_int_equal(X509_check_host(x, "ftp.example.com", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "example.com", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(x, "192.0.2.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "2001:db8::1", 0), 1);
	assert_int_equal(X509_check_ca(x), 0);
	assert_int_equal(ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x)), 1);
	assert_true(days == THROWAWAY_DAYS || (days == THROWAWAY_DAYS - 1 && seconds > 86000));
	X509_free(x);
	BIO_free(bio);
	throwaway_done(&made);
	assert_null(made.key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_a_name_is_taken_once),
		cmocka_unit_test(test_every_combination_is_a_good_policy),
		cmocka_unit_test(test_throwaway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
