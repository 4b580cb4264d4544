/* Records of addresses: what fits is taken over, and everything else is refused. */
#include "gateway/host/policy-names.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

static struct ip_addr v4(uint8_t last)
{
	const uint8_t bytes[] = { 192, 0, 2, last };

	return ip_addr_make(IP_V4, bytes);
}

/* One backend by name, one by address with a host, a rule with a destination, and an advertised name. */
struct made {
	struct policy_backend backends[2];
	struct policy_server servers[2];
	struct policy_host hosts[1];
	struct policy_host destinations[1];
	struct policy_rule rules[1];
	struct policy_advertise advertise[1];
	struct policy policy;
};

static void make(struct made *made)
{
	*made = (struct made){
		.servers = { { .host = "server.example", .endpoint.port = 21 },
			     { .host = "192.0.2.9", .endpoint = { .addr = v4(9), .port = 21 } } },
		.backends = { { .nservers = 1, .source_interface = "eth1" }, { .nservers = 1 } },
		.advertise = { { .host = "gateway.example" } },
	};
	made->backends[0].servers = &made->servers[0];
	made->backends[1].servers = &made->servers[1];
	made->backends[1].hosts = made->hosts;
	made->backends[1].nhosts = 1;
	made->rules[0].destinations = made->destinations;
	made->rules[0].ndestinations = 1;
	made->policy = (struct policy){ .backends = made->backends,
					.nbackends = 2,
					.rules = made->rules,
					.nrules = 1,
					.nat = { .advertise = made->advertise, .nadvertise = 1 } };
}

static uint8_t *records(size_t *ret_len)
{
	struct made from;
	uint8_t *buf;

	make(&from);
	from.servers[0].naddresses = 2;
	from.servers[0].addresses[0] = v4(1);
	from.servers[0].addresses[1] = v4(2);
	from.advertise[0].v4 = v4(3);
	from.backends[0].source_v4 = v4(7);
	from.backends[1].source_v4 = v4(7);
	from.hosts[0].naddresses = 1;
	from.hosts[0].addresses[0] = v4(4);
	from.destinations[0].naddresses = 2;
	from.destinations[0].addresses[0] = v4(5);
	from.destinations[0].addresses[1] = v4(6);
	*ret_len = policy_names_size(&from.policy);
	buf = calloc(1, *ret_len);
	assert_non_null(buf);
	policy_names_get(&from.policy, buf);
	return buf;
}

static void there_and_back(void **state)
{
	const struct ip_addr want[] = { v4(1), v4(2), v4(3), v4(9), v4(4), v4(6), v4(7) };
	struct made to;
	size_t len;
	uint8_t *buf = records(&len);

	(void)state;
	make(&to);
	assert_int_equal(policy_names_set(&to.policy, buf, len), 0);
	assert_int_equal(to.servers[0].naddresses, 2);
	assert_true(ip_addr_equal(&to.servers[0].endpoint.addr, &want[0]));
	assert_true(ip_addr_equal(&to.servers[0].addresses[1], &want[1]));
	assert_true(ip_addr_equal(&to.advertise[0].v4, &want[2]));
	assert_true(ip_addr_equal(&to.servers[1].endpoint.addr, &want[3]));
	assert_int_equal(to.servers[1].naddresses, 0);
	assert_true(ip_addr_equal(&to.backends[0].source_v4, &want[6]));
	assert_int_equal(to.backends[1].source_v4.family, IP_NONE);
	assert_int_equal(to.hosts[0].naddresses, 1);
	assert_true(ip_addr_equal(&to.hosts[0].addresses[0], &want[4]));
	assert_int_equal(to.destinations[0].naddresses, 2);
	assert_true(ip_addr_equal(&to.destinations[0].addresses[1], &want[5]));
	free(buf);
}

/* A loader in an attacker's hands changes any 4 bytes: no count beyond the array, no other family, and
 * nothing for a backend that has an address. */
static void nothing_else(void **state)
{
	static const uint32_t values[] = {
		0, 1, 3, POLICY_ADDRESSES_MAX, POLICY_ADDRESSES_MAX + 1, UINT32_MAX
	};
	size_t len;
	uint8_t *buf = records(&len);

	(void)state;
	for (size_t at = 0; at + sizeof(uint32_t) <= len; at += sizeof(uint32_t))
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			struct made to;
			uint8_t kept[sizeof(uint32_t)];
			const struct ip_addr own = v4(9);

			memcpy(kept, buf + at, sizeof(kept));
			memcpy(buf + at, &values[i], sizeof(values[i]));
			make(&to);
			if (policy_names_set(&to.policy, buf, len) == 0) {
				assert_in_range(to.servers[0].naddresses, 1, POLICY_ADDRESSES_MAX);
				for (size_t j = 0; j < to.servers[0].naddresses; j++)
					assert_true(to.servers[0].addresses[j].family == IP_V4 ||
						    to.servers[0].addresses[j].family == IP_V6);
				assert_int_equal(to.servers[1].naddresses, 0);
				assert_true(ip_addr_equal(&to.servers[1].endpoint.addr, &own));
				assert_in_range(to.hosts[0].naddresses, 1, POLICY_ADDRESSES_MAX);
				assert_in_range(to.destinations[0].naddresses, 1, POLICY_ADDRESSES_MAX);
			}
			memcpy(buf + at, kept, sizeof(kept));
		}
	for (size_t shorter = 0; shorter < len; shorter++) {
		struct made to;

		make(&to);
		assert_int_equal(policy_names_set(&to.policy, buf, shorter), -EPROTO);
	}
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
