/*
 * The matches and targets of iptables that are common in rules for FTP, each written
 * as statements of nft.
 */
#include "gateway/ctl/xt-decode.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_TPROXY.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_helper.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_pkttype.h>
#include <linux/netfilter/xt_rpfilter.h>
#include <linux/netfilter/xt_set.h>
#include <linux/netfilter/xt_socket.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "gateway/base/util.h"

/* Bits of a number, by their words in nft. */
struct bit {
	unsigned bit;
	const char *word;
};

static json_t *words_of(const struct bit *bits, size_t n, unsigned value)
{
	json_t *words = json_array();

	for (size_t i = 0; i < n; i++)
		if ((value & bits[i].bit) != 0)
			(void)json_array_append_new(words, json_string(bits[i].word));
	return words;
}

/* One condition; takes `left` and `right`. */
static json_t *match(bool inverted, json_t *left, json_t *right)
{
	return json_pack("{s:{s:s,s:o,s:o}}", "match", "op", inverted ? "!=" : "==", "left", left, "right",
			 right);
}

static json_t *one(json_t *statement)
{
	json_t *list = json_array();

	(void)json_array_append_new(list, statement);
	return list;
}

static json_t *payload(const char *protocol, const char *field)
{
	return json_pack("{s:{s:s,s:s}}", "payload", "protocol", protocol, "field", field);
}

static json_t *key(const char *kind, const char *name)
{
	return json_pack("{s:{s:s}}", kind, "key", name);
}

static json_t *range(unsigned low, unsigned high)
{
	return low == high ? json_integer(low) : json_pack("{s:[i,i]}", "range", low, high);
}

static json_t *multiport(unsigned revision, const uint8_t *info, size_t len)
{
	static const char *const fields[] = {
		[XT_MULTIPORT_SOURCE] = "sport", [XT_MULTIPORT_DESTINATION] = "dport"
	};
	struct xt_multiport_v1 ports = { .count = 0 };
	json_t *set;

	if (revision > 1 || len < (revision == 1 ? sizeof(ports) : sizeof(struct xt_multiport)))
		return NULL;
	memcpy(&ports, info, revision == 1 ? sizeof(ports) : sizeof(struct xt_multiport));
	if (ports.flags >= NELEM(fields) || ports.count > XT_MULTI_PORTS)
		return NULL;
	set = json_array();
	for (size_t i = 0; i < ports.count; i++) {
		bool two = ports.pflags[i] != 0 && i + 1 < ports.count;

		(void)json_array_append_new(set, range(ports.ports[i], ports.ports[two ? i + 1 : i]));
		i += two ? 1 : 0;
	}
	return one(
	    match(ports.invert != 0, payload("tcp", fields[ports.flags]), json_pack("{s:o}", "set", set)));
}

static json_t *states(bool inverted, unsigned mask)
{
	static const struct bit bits[] = {
		{ XT_CONNTRACK_STATE_INVALID, "invalid" },
		{ XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED), "established" },
		{ XT_CONNTRACK_STATE_BIT(IP_CT_RELATED), "related" },
		{ XT_CONNTRACK_STATE_BIT(IP_CT_NEW), "new" },
		{ XT_CONNTRACK_STATE_UNTRACKED, "untracked" },
	};
	static const struct bit nat[] = { { XT_CONNTRACK_STATE_DNAT, "dnat" },
					  { XT_CONNTRACK_STATE_SNAT, "snat" } };
	const unsigned translated = XT_CONNTRACK_STATE_DNAT | XT_CONNTRACK_STATE_SNAT;

	if ((mask & translated) == 0)
		return one(match(inverted, key("ct", "state"), words_of(bits, NELEM(bits), mask)));
	if ((mask & ~translated) != 0)
		return NULL;
	return one(match(inverted, key("ct", "status"), words_of(nat, NELEM(nat), mask)));
}

static json_t *conntrack(unsigned revision, const uint8_t *info, size_t len)
{
	struct xt_conntrack_mtinfo1 old;
	struct xt_conntrack_mtinfo2 new;
	unsigned flags, inverted, mask;

	if (revision == 1 && len >= sizeof(old)) {
		memcpy(&old, info, sizeof(old));
		flags = old.match_flags;
		inverted = old.invert_flags;
		mask = old.state_mask;
	} else if ((revision == 2 || revision == 3) && len >= sizeof(new)) {
		memcpy(&new, info, sizeof(new)); /* revision 3 begins in the same way */
		flags = new.match_flags;
		inverted = new.invert_flags;
		mask = new.state_mask;
	} else {
		return NULL;
	}
	if ((flags & ~(unsigned)XT_CONNTRACK_STATE_ALIAS) != XT_CONNTRACK_STATE)
		return NULL;
	return states((inverted & XT_CONNTRACK_STATE) != 0, mask);
}

static json_t *state(unsigned revision, const uint8_t *info, size_t len)
{
	struct xt_state_info state;
	unsigned mask;

	if (revision != 0 || len < sizeof(state))
		return NULL;
	memcpy(&state, info, sizeof(state));
	mask = state.statemask & ~(unsigned)XT_STATE_UNTRACKED;
	return states(
	    false, mask | ((state.statemask & XT_STATE_UNTRACKED) != 0 ? XT_CONNTRACK_STATE_UNTRACKED : 0));
}

static json_t *comment(unsigned revision, const uint8_t *info, size_t len)
{
	(void)revision, (void)info, (void)len;
	return json_array();
}

#define PORT_LAST 65535

static json_t *tcp(unsigned revision, const uint8_t *info, size_t len)
{
	static const struct bit bits[] = { { 1, "fin" }, { 2, "syn" },	{ 4, "rst" },
					   { 8, "psh" }, { 16, "ack" }, { 32, "urg" } };
	struct xt_tcp is;
	json_t *list;

	if (revision != 0 || len < sizeof(is))
		return NULL;
	memcpy(&is, info, sizeof(is));
	if (is.option != 0)
		return NULL;
	list = one(match(false, key("meta", "l4proto"), json_string("tcp")));
	if (is.spts[0] != 0 || is.spts[1] != PORT_LAST)
		(void)json_array_append_new(list,
					    match((is.invflags & XT_TCP_INV_SRCPT) != 0,
						  payload("tcp", "sport"), range(is.spts[0], is.spts[1])));
	if (is.dpts[0] != 0 || is.dpts[1] != PORT_LAST)
		(void)json_array_append_new(list,
					    match((is.invflags & XT_TCP_INV_DSTPT) != 0,
						  payload("tcp", "dport"), range(is.dpts[0], is.dpts[1])));
	if (is.flg_mask != 0)
		(void)json_array_append_new(
		    list, match((is.invflags & XT_TCP_INV_FLAGS) != 0,
				json_pack("{s:[o,o]}", "&", payload("tcp", "flags"),
					  words_of(bits, NELEM(bits), is.flg_mask)),
				is.flg_cmp == 0 ? json_integer(0) : words_of(bits, NELEM(bits), is.flg_cmp)));
	return list;
}

static json_t *type_of(bool of_source, bool inverted, unsigned mask)
{
	static const struct bit bits[] = {
		{ XT_ADDRTYPE_UNSPEC, "unspec" },	{ XT_ADDRTYPE_UNICAST, "unicast" },
		{ XT_ADDRTYPE_LOCAL, "local" },		{ XT_ADDRTYPE_BROADCAST, "broadcast" },
		{ XT_ADDRTYPE_ANYCAST, "anycast" },	{ XT_ADDRTYPE_MULTICAST, "multicast" },
		{ XT_ADDRTYPE_BLACKHOLE, "blackhole" }, { XT_ADDRTYPE_UNREACHABLE, "unreachable" },
		{ XT_ADDRTYPE_PROHIBIT, "prohibit" },
	};

	return match(
	    inverted,
	    json_pack("{s:{s:s,s:[s]}}", "fib", "result", "type", "flags", of_source ? "saddr" : "daddr"),
	    words_of(bits, NELEM(bits), mask));
}

static json_t *addrtype(unsigned revision, const uint8_t *info, size_t len)
{
	struct xt_addrtype_info_v1 is;
	json_t *list;

	if (revision != 1 || len < sizeof(is))
		return NULL;
	memcpy(&is, info, sizeof(is));
	list = json_array();
	if (is.source != 0)
		(void)json_array_append_new(
		    list, type_of(true, (is.flags & XT_ADDRTYPE_INVERT_SOURCE) != 0, is.source));
	if (is.dest != 0)
		(void)json_array_append_new(
		    list, type_of(false, (is.flags & XT_ADDRTYPE_INVERT_DEST) != 0, is.dest));
	return list;
}

static json_t *pkttype(unsigned revision, const uint8_t *info, size_t len)
{
	static const char *const words[] = { "host", "broadcast", "multicast", "other" };
	struct xt_pkttype_info is;

	if (revision != 0 || len < sizeof(is))
		return NULL;
	memcpy(&is, info, sizeof(is));
	if (is.pkttype < 0 || (size_t)is.pkttype >= NELEM(words))
		return NULL;
	return one(match(is.invert != 0, key("meta", "pkttype"), json_string(words[is.pkttype])));
}

static json_t *mark(unsigned revision, const uint8_t *info, size_t len)
{
	struct xt_mark_mtinfo1 is;

	if (revision != 1 || len < sizeof(is))
		return NULL;
	memcpy(&is, info, sizeof(is));
	return one(match(is.invert != 0,
			 json_pack("{s:[o,I]}", "&", key("meta", "mark"), (json_int_t)is.mask),
			 json_integer((json_int_t)is.mark)));
}

/* The same, of the connection. */
static json_t *connmark(unsigned revision, const uint8_t *info, size_t len)
{
	struct xt_mark_mtinfo1 is;

	if (revision != 1 || len < sizeof(is))
		return NULL;
	memcpy(&is, info, sizeof(is));
	return one(match(is.invert != 0, json_pack("{s:[o,I]}", "&", key("ct", "mark"), (json_int_t)is.mask),
			 json_integer((json_int_t)is.mark)));
}

static json_t *socket_is(unsigned revision, const uint8_t *info, size_t len)
{
	if (revision == 0 || len < 1 || (info[0] & XT_SOCKET_TRANSPARENT) == 0)
		return NULL;
	return one(match(false, key("socket", "transparent"), json_integer(1)));
}

static json_t *helper(unsigned revision, const uint8_t *info, size_t len)
{
	struct xt_helper_info is;

	if (revision != 0 || len < sizeof(is))
		return NULL;
	memcpy(&is, info, sizeof(is));
	is.name[sizeof(is.name) - 1] = '\0';
	return one(match(is.invert != 0, key("ct", "helper"), json_string(is.name)));
}

static json_t *rpfilter(unsigned revision, const uint8_t *info, size_t len)
{
	if (revision != 0 || len < 1)
		return NULL;
	return one(match((info[0] & XT_RPFILTER_INVERT) != 0,
			 json_pack("{s:{s:s,s:[s]}}", "fib", "result", "oif", "flags", "saddr"),
			 json_true()));
}

/* It depends on the client, in one way or another. */
static json_t *client(unsigned revision, const uint8_t *info, size_t len)
{
	(void)revision, (void)info, (void)len;
	return one(match(false, payload("tcp", "sport"), json_integer(0)));
}

/* A set of ipset: which addresses it has is not asked, and only the source is the client's. */
static json_t *set(unsigned revision, const uint8_t *info, size_t len)
{
	struct xt_set_info is;

	if (revision == 0 || len < sizeof(is))
		return NULL;
	memcpy(&is, info, sizeof(is));
	for (unsigned i = 1; i <= is.dim; i++)
		if ((is.flags & (1u << i)) == 0)
			return NULL;
	return client(revision, info, len);
}

static json_t *plain(unsigned revision, const uint8_t *info, size_t len)
{
	(void)revision, (void)info, (void)len;
	return one(json_pack("{s:n}", "log"));
}

static json_t *reject(unsigned revision, const uint8_t *info, size_t len)
{
	(void)revision, (void)info, (void)len;
	return one(json_pack("{s:n}", "reject"));
}

static json_t *notrack(unsigned revision, const uint8_t *info, size_t len)
{
	(void)revision, (void)info, (void)len;
	return one(json_pack("{s:n}", "notrack"));
}

static json_t *translate(unsigned revision, const uint8_t *info, size_t len)
{
	(void)revision, (void)info, (void)len;
	return one(json_pack("{s:{}}", "dnat"));
}

static json_t *translate_source(unsigned revision, const uint8_t *info, size_t len)
{
	(void)revision, (void)info, (void)len;
	return one(json_pack("{s:n}", "masquerade"));
}

/* All revisions begin in the same way. */
static json_t *ct(unsigned revision, const uint8_t *info, size_t len)
{
	struct xt_ct_target_info is;

	if (len < offsetof(struct xt_ct_target_info, ct))
		return NULL;
	memcpy(&is, info, offsetof(struct xt_ct_target_info, ct));
	if ((is.flags & XT_CT_NOTRACK) != 0)
		return notrack(revision, info, len);
	is.helper[sizeof(is.helper) - 1] = '\0';
	return one(json_pack("{s:{s:s}}", "ct helper", "type", is.helper));
}

/* `value` may be something else than a number: then it is not known. */
static json_t *set_mark(json_t *value)
{
	return json_pack("{s:{s:o,s:o}}", "mangle", "key", key("meta", "mark"), "value", value);
}

static json_t *set_mark_to(unsigned revision, const uint8_t *info, size_t len)
{
	struct xt_mark_tginfo2 is;

	if (revision != 2 || len < sizeof(is))
		return NULL;
	memcpy(&is, info, sizeof(is));
	return one(set_mark(is.mask == UINT32_MAX ? json_integer((json_int_t)is.mark) : json_object()));
}

static json_t *restore_mark(unsigned revision, const uint8_t *info, size_t len)
{
	(void)revision, (void)info, (void)len;
	json_t *list = one(set_mark(json_object()));

	(void)json_array_append_new(list,
				    json_pack("{s:{s:o,s:{}}}", "mangle", "key", key("ct", "mark"), "value"));
	return list;
}

static json_t *tproxy(unsigned revision, const uint8_t *info, size_t len)
{
	struct xt_tproxy_target_info_v1 is;
	json_t *list;

	if (revision != 1 || len < sizeof(is))
		return NULL;
	memcpy(&is, info, sizeof(is));
	/* unlike nft's, it drops what it cannot pass to a socket */
	list = one(json_pack("{s:{s:i,s:b}}", "tproxy", "port", (int)ntohs(is.lport), "drops", 1));
	(void)json_array_append_new(list, set_mark(json_integer((json_int_t)is.mark_value)));
	(void)json_array_append_new(list, json_pack("{s:n}", "accept"));
	return list;
}

static const struct {
	const char *type, *name;
	json_t *(*decode)(unsigned revision, const uint8_t *info, size_t len);
} rows[] = {
	{ "match", "multiport", multiport },
	{ "match", "conntrack", conntrack },
	{ "match", "state", state },
	{ "match", "comment", comment },
	{ "match", "tcp", tcp },
	{ "match", "addrtype", addrtype },
	{ "match", "pkttype", pkttype },
	{ "match", "mark", mark },
	{ "match", "socket", socket_is },
	{ "match", "helper", helper },
	{ "match", "connmark", connmark },
	{ "match", "rpfilter", rpfilter },
	{ "match", "set", set },
	{ "match", "mac", client },
	{ "match", "geoip", client },
	{ "match", "time", client },
	{ "match", "ttl", client },
	{ "match", "hl", client },
	{ "match", "length", client },
	{ "match", "statistic", client },
	{ "target", "REJECT", reject },
	{ "target", "LOG", plain },
	{ "target", "NFLOG", plain },
	{ "target", "AUDIT", plain },
	{ "target", "TRACE", plain },
	{ "target", "SET", plain },
	{ "target", "TCPMSS", plain },
	{ "target", "DSCP", plain },
	{ "target", "TOS", plain },
	{ "target", "CT", ct },
	{ "target", "NOTRACK", notrack },
	{ "target", "MARK", set_mark_to },
	{ "target", "CONNMARK", restore_mark },
	{ "target", "TPROXY", tproxy },
	{ "target", "DNAT", translate },
	{ "target", "REDIRECT", translate },
	{ "target", "NETMAP", translate },
	{ "target", "SNAT", translate_source },
	{ "target", "MASQUERADE", translate_source },
};

json_t *xt_decode(const char *type, const char *name, unsigned revision, const uint8_t *info, size_t len)
{
	for (size_t i = 0; i < NELEM(rows); i++)
		if (strcmp(rows[i].type, type) == 0 && strcmp(rows[i].name, name) == 0)
			return rows[i].decode(revision, info, len);
	return NULL;
}
