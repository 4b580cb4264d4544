/* The way of a packet through rulesets, as nft writes them in JSON. tests/edge compares it with what clients
 * find. */
#include "gateway/ctl/packet-walk.h"

#include <errno.h>
#include <stdio.h>

#include "gateway/ctl/ruleset.h"
#include "tests/unit/unit.h"

#define RULESET(...) "{\"nftables\":[" __VA_ARGS__ "]}"
#define CHAIN(name, hook, policy)                                                                            \
	"{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"" name "\",\"hook\":\"" hook             \
	"\",\"prio\":0,\"policy\":\"" policy "\"}}"
#define SUB(name) "{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"" name "\"}}"
#define RULE(chain, expr)                                                                                    \
	",{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"" chain                                 \
	"\",\"handle\":7,\"expr\":[" expr "]}}"
#define MATCH(op, left, right) "{\"match\":{\"op\":\"" op "\",\"left\":" left ",\"right\":" right "}},"
#define DPORT		       "{\"payload\":{\"protocol\":\"tcp\",\"field\":\"dport\"}}"
#define SADDR		       "{\"payload\":{\"protocol\":\"ip\",\"field\":\"saddr\"}}"
#define ODD		       MATCH("==", "{\"meta\":{\"key\":\"iifgroup\"}}", "7")
#define ONE		       MATCH("==", SADDR, "\"198.51.100.7\"")
#define FTP		       MATCH("==", DPORT, "21")
#define ACCEPT		       "{\"accept\":null}"
#define DROP		       "{\"drop\":null}"
#define JUMP(name)	       "{\"jump\":{\"target\":\"" name "\"}}"
#define GOTO(name)	       "{\"goto\":{\"target\":\"" name "\"}}"
#define IN(policy)	       CHAIN("in", "input", policy)

static const struct {
	const char *name, *ruleset;
	enum packet_way way;
} rows[] = {
	{ "no chain", RULESET(""), PACKET_OPEN },
	{ "policy", RULESET(IN("drop")), PACKET_SHUT },
	{ "last rule", RULESET(IN("accept") RULE("in", DROP)), PACKET_SHUT },
	{ "accepted", RULESET(IN("drop") RULE("in", FTP ACCEPT)), PACKET_OPEN },
	{ "some clients", RULESET(IN("drop") RULE("in", ONE FTP ACCEPT)), PACKET_OPEN_TO_SOME },
	{ "some clients, no port", RULESET(IN("drop") RULE("in", ONE ACCEPT)), PACKET_FEW },
	{ "some clients, then all", RULESET(IN("drop") RULE("in", ONE ACCEPT) RULE("in", FTP ACCEPT)),
	  PACKET_OPEN },
	{ "not some clients", RULESET(IN("accept") RULE("in", ONE DROP)), PACKET_OPEN_TO_SOME },
	{ "some clients in a chain that names the port",
	  RULESET(IN("drop") "," SUB("sub") RULE("in", ONE JUMP("sub")) RULE("sub", FTP ACCEPT)),
	  PACKET_OPEN_TO_SOME },
	{ "not understood", RULESET(IN("drop") RULE("in", ODD ACCEPT)), PACKET_UNSURE },
	{ "not understood, but it does not matter",
	  RULESET(IN("drop") RULE("in", ODD ACCEPT) RULE("in", FTP ACCEPT)), PACKET_OPEN },
	{ "not understood, of another port",
	  RULESET(IN("accept") RULE("in", MATCH("==", DPORT, "22") ODD DROP)), PACKET_OPEN },
	{ "a statement that is not known", RULESET(IN("accept") RULE("in", FTP "{\"teleport\":{}}")),
	  PACKET_UNSURE },
	{ "a match of iptables that is not known",
	  RULESET(IN("accept") RULE("in", "{\"xt\":{\"type\":\"match\",\"name\":\"x\"}}," DROP)),
	  PACKET_UNSURE },
	{ "the same without a verdict",
	  RULESET(IN("accept") RULE("in", "{\"xt\":{\"type\":\"match\",\"name\":\"x\"}}")), PACKET_OPEN },
	{ "a target of iptables that is not known",
	  RULESET(IN("accept") RULE("in", "{\"xt\":{\"type\":\"target\",\"name\":\"X\"}}")), PACKET_UNSURE },
	{ "a chain that is not there", RULESET(IN("drop") RULE("in", JUMP("none"))), PACKET_UNSURE },
	{ "jump and return",
	  RULESET(IN("accept") "," SUB("sub") RULE("in", JUMP("sub")) RULE("in", DROP)
		      RULE("sub", "{\"return\":null}")),
	  PACKET_SHUT },
	{ "goto and the end",
	  RULESET(IN("accept") "," SUB("sub") RULE("in", GOTO("sub")) RULE("in", DROP)
		      RULE("sub", "{\"return\":null}")),
	  PACKET_OPEN },
	{ "two chains in a circle",
	  RULESET(IN("accept") "," SUB("a") "," SUB("b") RULE("in", JUMP("a")) RULE("a", JUMP("b"))
		      RULE("b", JUMP("a"))),
	  PACKET_UNSURE },
	{ "a chain of another hook", RULESET(IN("accept") "," CHAIN("out", "output", "drop")), PACKET_OPEN },
	{ "no expression",
	  RULESET(IN("accept") ",{\"rule\":{\"family\":\"inet\",\"table\":\"t\",\"chain\":\"in\"}}"),
	  PACKET_OPEN },
	{ "a match without sides", RULESET(IN("accept") RULE("in", "{\"match\":{}}," DROP)), PACKET_UNSURE },
	{ "an interface of a container",
	  RULESET(IN("drop") RULE("in", MATCH("==", "{\"meta\":{\"key\":\"iifname\"}}", "\"lo\"") ACCEPT)),
	  PACKET_SHUT },
};

static void each_ruleset_has_its_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		const struct packet packet = { .family = IP_V4, .low = 21, .high = 21 };
		struct ruleset *ruleset = NULL;
		struct packet_walk walk;

		assert_int_equal(ruleset_parse(rows[i].ruleset, &ruleset), 0);
		walk = packet_walk(ruleset, &packet, packet_hooks_input);
		if (walk.way != rows[i].way)
			fail_msg("%s: %d, not %d", rows[i].name, (int)walk.way, (int)rows[i].way);
		assert_true(walk.way != PACKET_SHUT || walk.nbarriers == 1);
		ruleset_free(&ruleset);
	}
}

/* The answer for a range is that of its worst part. */
static void each_part_of_a_range_counts(void **state)
{
	static const struct {
		const char *ports;
		enum packet_way way;
		uint16_t low, high;
	} cases[] = {
		{ "{\"range\":[61000,61100]}", PACKET_OPEN, 61000, 61100 },
		{ "{\"set\":[61000,61100]}", PACKET_SHUT, 61001, 61099 },
		{ "{\"set\":[{\"range\":[61000,61049]},{\"range\":[61051,65535]}]}", PACKET_SHUT, 61050,
		  61050 },
		{ "{\"set\":[{\"range\":[60000,61049]},{\"range\":[61050,65535]}]}", PACKET_OPEN, 61000,
		  61100 },
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		const struct packet packet = { .family = IP_V6, .low = 61000, .high = 61100 };
		struct ruleset *ruleset = NULL;
		struct packet_walk walk;

		(void)snprintf(text, sizeof(text),
			       RULESET(IN("drop") RULE("in", MATCH("==", DPORT, "%s") ACCEPT)),
			       cases[i].ports);
		assert_int_equal(ruleset_parse(text, &ruleset), 0);
		walk = packet_walk(ruleset, &packet, packet_hooks_input);
		assert_int_equal(walk.way, cases[i].way);
		if (walk.way == PACKET_SHUT) {
			assert_int_equal(walk.packet.low, cases[i].low);
			assert_int_equal(walk.packet.high, cases[i].high);
		}
		ruleset_free(&ruleset);
	}
}

static void other_text_is_no_ruleset(void **state)
{
	static const char *const texts[] = { "", "[]", "{}", "{\"nftables\":{}}", "{" };
	struct ruleset *ruleset = NULL;

	(void)state;
	for (size_t i = 0; i < NELEM(texts); i++)
		assert_int_equal(ruleset_parse(texts[i], &ruleset), -EINVAL);
	assert_null(ruleset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_ruleset_has_its_way),
		cmocka_unit_test(each_part_of_a_range_counts),
		cmocka_unit_test(other_text_is_no_ruleset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
