/*
 * Addresses and ports of rules, in the words of a policy, which has addresses, networks and
 * ranges as AT-TLS has them.
 */
#include "gateway/import/attls-match.h"

#include <stdio.h>
#include <string.h>

#include "gateway/import/text.h"
#include "gateway/import/tls-parts.h"

#define CLIENT_PORTS 1024 /* and above */

struct nets {
	struct draft *draft;
	struct attls_addresses *found;
	bool all;
};

static unsigned bits_of(const struct ip_addr *addr)
{
	return addr->family == IP_V4 ? 32 : 128;
}

/* Set or clear all bits from `from` on; true if one was different before. */
static bool fill(struct ip_addr *addr, unsigned from, bool ones)
{
	bool changed = false;

	for (unsigned bit = from; bit < bits_of(addr); bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);
		uint8_t *byte = &addr->bytes[bit / 8];

		changed = changed || ((*byte & mask) != 0) != ones;
		*byte = (uint8_t)(ones ? *byte | mask : *byte & ~mask);
	}
	return changed;
}

/* text: in the words of a policy; single: it is an address. */
static void add_text(struct nets *nets, const char *text, bool single, bool v6)
{
	struct attls_addresses *found = nets->found;

	if (found->count == ATTLS_NETS_MAX) {
		found->too_many = true;
		return;
	}
	found->single = found->count == 0 && single ? text : NULL;
	found->list = tls_parts_append(nets->draft, found->list, text_yaml(&nets->draft->arena, text));
	found->count++;
	found->v6 = found->v6 || v6;
}

static void add_net(struct nets *nets, const struct ip_addr *addr, unsigned prefix)
{
	struct arena *arena = &nets->draft->arena;
	char buf[IP_TEXT_MAX];
	const char *text = ip_addr_format(addr, buf);
	bool single = prefix == bits_of(addr);

	text = single ? text_copy(arena, text, strlen(text)) : text_format(arena, "%s/%u", text, prefix);
	add_text(nets, text, single, addr->family == IP_V6);
}

static void add_range(struct nets *nets, const struct ip_addr *low, const struct ip_addr *high)
{
	char first[IP_TEXT_MAX], last[IP_TEXT_MAX];

	if (ip_addr_equal(low, high))
		add_net(nets, low, bits_of(low));
	else
		add_text(nets,
			 text_format(&nets->draft->arena, "%s-%s", ip_addr_format(low, first),
				     ip_addr_format(high, last)),
			 false, low->family == IP_V6);
}

static bool parse_range(const char *value, struct ip_addr *low, struct ip_addr *high)
{
	const char *dash = strchr(value, '-');

	return dash != NULL && ip_addr_parse(value, (size_t)(dash - value), low) == 0 &&
	       ip_addr_parse(dash + 1, strlen(dash + 1), high) == 0 && low->family == high->family &&
	       memcmp(low->bytes, high->bytes, sizeof(low->bytes)) <= 0;
}

static bool parse_prefix(const char *value, struct ip_addr *addr, unsigned *prefix)
{
	const char *slash = strchr(value, '/');
	uint64_t number;

	if (slash == NULL || ip_addr_parse(value, (size_t)(slash - value), addr) < 0 ||
	    !text_number(slash + 1, 0, bits_of(addr), &number))
		return false;
	*prefix = (unsigned)number;
	return true;
}

bool attls_is_address(const char *value)
{
	struct ip_addr addr, high;
	unsigned prefix;

	return text_is(value, "All") || ip_addr_parse(value, strlen(value), &addr) == 0 ||
	       parse_prefix(value, &addr, &prefix) || parse_range(value, &addr, &high);
}

static void add_value(struct nets *nets, const char *value)
{
	struct ip_addr addr, high;
	unsigned prefix;

	if (text_is(value, "All")) {
		nets->all = true;
	} else if (ip_addr_parse(value, strlen(value), &addr) == 0) {
		/* an address of zeros stands for all of its kind */
		if (ip_addr_is_any(&addr))
			nets->all = true;
		else
			add_net(nets, &addr, bits_of(&addr));
	} else if (parse_prefix(value, &addr, &prefix)) {
		nets->found->masked = fill(&addr, prefix, false) || nets->found->masked;
		add_net(nets, &addr, prefix);
	} else if (parse_range(value, &addr, &high)) {
		add_range(nets, &addr, &high);
	}
}

bool attls_is_condition(const struct attls_item *item, const char *side)
{
	enum attls_kind kind = item->block != NULL ? item->block->kind : ATTLS_NONE;
	const char *keyword = item->st.keyword;

	if (kind != ATTLS_NONE && kind < ATTLS_ADDR)
		return false;
	if (side == NULL)
		return text_begins(keyword, "Local") || text_begins(keyword, "Remote");
	return text_begins(keyword, side);
}

/* Addresses of a block that the rule refers to, and of those inside it. */
static void add_block(struct nets *nets, const struct attls_block *block)
{
	for (const struct attls_item *item = block->items; item != NULL; item = item->next) {
		if (item->block != NULL)
			add_block(nets, item->block);
		else if (item->row != NULL && !nets->found->too_many)
			add_value(nets, item->st.value);
	}
}

static bool is_address_kind(enum attls_kind kind)
{
	return kind == ATTLS_ADDR || kind == ATTLS_ADDR_SET || kind == ATTLS_ADDR_GROUP;
}

void attls_addresses(struct draft *draft, const struct attls_block *rule, const char *side,
		     struct attls_addresses *ret)
{
	struct nets nets = { .draft = draft, .found = ret };
	const char *plain = text_format(&draft->arena, "%sAddr", side);

	*ret = (struct attls_addresses){ 0 };
	for (const struct attls_item *item = rule->items; item != NULL; item = item->next) {
		if (!attls_is_condition(item, side))
			continue;
		if (item->block != NULL && is_address_kind(item->block->kind))
			add_block(&nets, item->block);
		else if (item->block == NULL && text_is(item->st.keyword, plain))
			add_value(&nets, item->st.value);
	}
	if (nets.all)
		*ret = (struct attls_addresses){ 0 };
}

/* "21", "1024-65535", "1024 65535" */
static bool parse_ports(const char *value, unsigned *low, unsigned *high)
{
	unsigned end = 0;
	int n = 0;

	if (value[0] < '0' || value[0] > '9')
		return false;
	if (sscanf(value, "%5u%n - %5u%n", low, &n, &end, &n) != 2 &&
	    sscanf(value, "%5u%n %5u%n", low, &n, &end, &n) != 2) {
		n = 0;
		if (sscanf(value, "%5u%n", low, &n) != 1)
			return false;
		end = *low;
	}
	*high = end;
	return (value[n] == '\0' || value[n] == ' ') && *low <= *high && *high <= UINT16_MAX;
}

bool attls_is_port_range(const char *value)
{
	unsigned low, high;

	return text_is(value, "All") || parse_ports(value, &low, &high);
}

/* Returns false if the value stands for all ports, as port 0 does. */
static bool add_ports(struct attls_ports *ports, const char *value)
{
	unsigned low, high;

	if (!parse_ports(value, &low, &high) || low == 0)
		return false;
	if (ports->count == ATTLS_PORTS_MAX) {
		ports->too_many = true;
		return true;
	}
	ports->ranges[ports->count].low = (uint16_t)low;
	ports->ranges[ports->count].high = (uint16_t)high;
	ports->count++;
	return true;
}

static bool add_port_block(struct attls_ports *ports, const struct attls_block *block)
{
	bool some = true;

	for (const struct attls_item *item = block->items; item != NULL; item = item->next) {
		if (item->block != NULL)
			some = add_port_block(ports, item->block) && some;
		else if (item->row != NULL)
			some = add_ports(ports, item->st.value) && some;
	}
	return some;
}

void attls_ports(const struct attls_block *rule, const char *side, struct attls_ports *ret)
{
	bool some = true;

	*ret = (struct attls_ports){ .count = 0 };
	for (const struct attls_item *item = rule->items; item != NULL; item = item->next) {
		const char *keyword = item->st.keyword;

		if (!attls_is_condition(item, side) || strstr(keyword, "Port") == NULL)
			continue;
		if (item->block != NULL)
			some = add_port_block(ret, item->block) && some;
		else
			some = add_ports(ret, item->st.value) && some;
	}
	if (!some)
		*ret = (struct attls_ports){ .count = 0 };
}

bool attls_ports_have(const struct attls_ports *ports, unsigned port)
{
	for (size_t i = 0; i < ports->count; i++)
		if (port >= ports->ranges[i].low && port <= ports->ranges[i].high)
			return true;
	return false;
}

bool attls_ports_meet(const struct attls_ports *a, const struct attls_ports *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			if (a->ranges[i].low <= b->ranges[j].high && b->ranges[j].low <= a->ranges[i].high)
				return true;
	return a->count == 0 || b->count == 0;
}

bool attls_ports_are_all_of_clients(const struct attls_ports *ports)
{
	for (size_t i = 0; i < ports->count; i++)
		if (ports->ranges[i].low <= CLIENT_PORTS && ports->ranges[i].high == UINT16_MAX)
			return true;
	return ports->count == 0;
}

unsigned attls_ports_count(const struct attls_ports *ports)
{
	unsigned n = 0;

	for (size_t i = 0; i < ports->count; i++)
		n += ports->ranges[i].high - ports->ranges[i].low + 1u;
	return n;
}

unsigned attls_ports_at(const struct attls_ports *ports, unsigned index)
{
	for (size_t i = 0; i < ports->count; i++) {
		unsigned n = ports->ranges[i].high - ports->ranges[i].low + 1u;

		if (index < n)
			return ports->ranges[i].low + index;
		index -= n;
	}
	return 0;
}
