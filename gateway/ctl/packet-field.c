/*
 * The table of the fields that rules look at, in nft's names, with what a client's
 * first packet has there. A field that is not in the table is not understood.
 */
#include "gateway/ctl/packet-field.h"

#include <jansson.h>
#include <netinet/in.h>
#include <string.h>

#include "gateway/base/util.h"

/* nft's numbers for `meta nfproto`. */
#define NFPROTO_NUMBER4 2
#define NFPROTO_NUMBER6 10

static struct packet_field any(const struct packet *packet)
{
	(void)packet;
	return (struct packet_field){ .kind = PACKET_FIELD_ANY };
}

static struct packet_field none(const struct packet *packet)
{
	(void)packet;
	return (struct packet_field){ .kind = PACKET_FIELD_NONE };
}

static struct packet_field text(const char *word, uint32_t number)
{
	return (
	    struct packet_field){ .kind = PACKET_FIELD_TEXT, .text = word, .low = number, .high = number };
}

static struct packet_field dest_port(const struct packet *packet)
{
	if (packet->low == 0)
		return any(packet);
	return (struct packet_field){ .kind = PACKET_FIELD_PORT, .low = packet->low, .high = packet->high };
}

static struct packet_field source_port(const struct packet *packet)
{
	if (packet->source == 0)
		return any(packet);
	return (struct packet_field){ .kind = PACKET_FIELD_NUMBER,
				      .low = packet->source,
				      .high = packet->source };
}

static struct packet_field flags(const struct packet *packet)
{
	(void)packet;
	return text("syn", 0);
}

static struct packet_field of_family(const struct packet *packet, enum ip_family family)
{
	return packet->family == family ? any(packet) : none(packet);
}

static struct packet_field any4(const struct packet *packet)
{
	return of_family(packet, IP_V4);
}

static struct packet_field any6(const struct packet *packet)
{
	return of_family(packet, IP_V6);
}

static struct packet_field dest(const struct packet *packet, enum ip_family family)
{
	if (packet->family != family || packet->dest.low.family == IP_NONE)
		return of_family(packet, family);
	return (struct packet_field){ .kind = PACKET_FIELD_ADDRESS, .addresses = packet->dest };
}

static struct packet_field dest4(const struct packet *packet)
{
	return dest(packet, IP_V4);
}

static struct packet_field dest6(const struct packet *packet)
{
	return dest(packet, IP_V6);
}

static struct packet_field protocol(const struct packet *packet)
{
	(void)packet;
	return text("tcp", IPPROTO_TCP);
}

static struct packet_field protocol4(const struct packet *packet)
{
	return packet->family == IP_V4 ? protocol(packet) : none(packet);
}

static struct packet_field protocol6(const struct packet *packet)
{
	return packet->family == IP_V6 ? protocol(packet) : none(packet);
}

static struct packet_field family(const struct packet *packet)
{
	return packet->family == IP_V6 ? text("ipv6", NFPROTO_NUMBER6) : text("ipv4", NFPROTO_NUMBER4);
}

static struct packet_field ethertype(const struct packet *packet)
{
	return text(packet->family == IP_V6 ? "ip6" : "ip", 0);
}

static struct packet_field from(const struct packet *packet)
{
	return (struct packet_field){ .kind = PACKET_FIELD_INTERFACE, .text = packet->from };
}

static struct packet_field to(const struct packet *packet)
{
	return (struct packet_field){ .kind = PACKET_FIELD_INTERFACE, .text = packet->to };
}

static struct packet_field mark(const struct packet *packet)
{
	return (struct packet_field){ .kind =
					  packet->mark_unknown ? PACKET_FIELD_UNKNOWN : PACKET_FIELD_NUMBER,
				      .low = packet->mark,
				      .high = packet->mark };
}

/* A new connection has none. */
static struct packet_field ct_mark(const struct packet *packet)
{
	return (struct packet_field){ .kind = packet->ct_mark_unknown ? PACKET_FIELD_UNKNOWN
								      : PACKET_FIELD_NUMBER };
}

static struct packet_field unicast(const struct packet *packet)
{
	(void)packet;
	return text("host", 0);
}

static struct packet_field state(const struct packet *packet)
{
	if (packet->untracked == PACKET_YES)
		return text("untracked", 0);
	if (packet->untracked != PACKET_NO)
		return (struct packet_field){ .kind = PACKET_FIELD_UNKNOWN };
	return text(packet->related ? "related" : "new", 0);
}

static struct packet_field status(const struct packet *packet)
{
	if (packet->translated != PACKET_NO)
		return (struct packet_field){ .kind = PACKET_FIELD_UNKNOWN };
	return text(packet->related ? "expected" : "", 0);
}

static struct packet_field helper(const struct packet *packet)
{
	if (packet->related || packet->helper == PACKET_YES)
		return text("ftp", 0);
	if (packet->helper == PACKET_NO)
		return text("", 0);
	return (struct packet_field){ .kind = PACKET_FIELD_UNKNOWN };
}

static struct packet_field original(const struct packet *packet)
{
	(void)packet;
	return text("original", 0);
}

static struct packet_field transparent(const struct packet *packet)
{
	uint32_t is = packet->transparent ? 1 : 0;

	return (struct packet_field){ .kind = PACKET_FIELD_NUMBER, .low = is, .high = is };
}

/* `name` is the protocol of a payload; a NULL field is any other of that protocol. */
static const struct row {
	const char *kind, *name, *field;
	struct packet_field (*get)(const struct packet *packet);
} rows[] = {
	{ "payload", "tcp", "dport", dest_port },
	{ "payload", "th", "dport", dest_port },
	{ "payload", "tcp", "sport", source_port },
	{ "payload", "th", "sport", source_port },
	{ "payload", "tcp", "flags", flags },
	{ "payload", "tcp", NULL, any },
	{ "payload", "ip", "daddr", dest4 },
	{ "payload", "ip", "protocol", protocol4 },
	{ "payload", "ip", NULL, any4 },
	{ "payload", "ip6", "daddr", dest6 },
	{ "payload", "ip6", "nexthdr", protocol6 },
	{ "payload", "ip6", NULL, any6 },
	{ "payload", "ether", NULL, any },
	{ "payload", "udp", NULL, none },
	{ "payload", "udplite", NULL, none },
	{ "payload", "icmp", NULL, none },
	{ "payload", "icmpv6", NULL, none },
	{ "payload", "igmp", NULL, none },
	{ "payload", "sctp", NULL, none },
	{ "payload", "dccp", NULL, none },
	{ "payload", "esp", NULL, none },
	{ "payload", "ah", NULL, none },
	{ "payload", "arp", NULL, none },
	{ "meta", NULL, "iifname", from },
	{ "meta", NULL, "iif", from },
	{ "meta", NULL, "oifname", to },
	{ "meta", NULL, "oif", to },
	{ "meta", NULL, "nfproto", family },
	{ "meta", NULL, "l4proto", protocol },
	{ "meta", NULL, "protocol", ethertype },
	{ "meta", NULL, "mark", mark },
	{ "meta", NULL, "pkttype", unicast },
	{ "meta", NULL, "length", any },
	{ "meta", NULL, "time", any },
	{ "meta", NULL, "day", any },
	{ "meta", NULL, "hour", any },
	{ "meta", NULL, "random", any },
	{ "meta", NULL, "cpu", any },
	{ "ct", NULL, "state", state },
	{ "ct", NULL, "mark", ct_mark },
	{ "ct", NULL, "status", status },
	{ "ct", NULL, "helper", helper },
	{ "ct", NULL, "direction", original },
	{ "ct", NULL, "l3proto", family },
	{ "ct", NULL, "protocol", protocol },
	{ "ct", NULL, "proto-dst", dest_port },
	{ "ct", NULL, "proto-src", source_port },
	{ "socket", NULL, "transparent", transparent },
	{ "tcp option", NULL, NULL, any },
};

/*
 * Routing: clients are other hosts, and there is a route back to them. Only
 * "oif exists" and the type of an address can be known.
 */
static struct packet_field fib(const struct packet *packet, const json_t *object)
{
	const char *result = json_string_value(json_object_get(object, "result"));
	const json_t *flag = json_array_get(json_object_get(object, "flags"), 0);
	bool of_source = strcmp(json_string_value(flag) == NULL ? "" : json_string_value(flag), "saddr") == 0;

	if (result != NULL && strcmp(result, "type") == 0)
		return text(of_source || packet->forwarded ? "unicast" : "local", 0);
	if (result != NULL && strncmp(result, "oif", 3) == 0)
		return (struct packet_field){ .kind = PACKET_FIELD_NUMBER, .low = 1, .high = 1 };
	return (struct packet_field){ .kind = PACKET_FIELD_UNKNOWN };
}

static bool is(const json_t *object, const char *key, const char *want)
{
	const char *got = json_string_value(json_object_get(object, key));

	return got != NULL && strcmp(got, want) == 0;
}

static bool fits(const struct row *row, const json_t *object)
{
	if (row->name != NULL && !is(object, "protocol", row->name))
		return false;
	return row->field == NULL ||
	       is(object, strcmp(row->kind, "payload") == 0 ? "field" : "key", row->field);
}

struct packet_field packet_field_get(const struct packet *packet, const json_t *left)
{
	const json_t *object = json_object_get(left, "fib");

	if (object != NULL)
		return fib(packet, object);
	for (size_t i = 0; i < NELEM(rows); i++) {
		object = json_object_get(left, rows[i].kind);
		if (object != NULL && fits(&rows[i], object))
			return rows[i].get(packet);
	}
	return (struct packet_field){ .kind = PACKET_FIELD_UNKNOWN };
}

const char *packet_field_name(const json_t *left)
{
	static const char *const keys[] = { "field", "key", "result", "name" };
	const char *kind = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)left));
	const json_t *object = json_object_get(left, kind == NULL ? "" : kind);

	for (size_t i = 0; i < NELEM(keys); i++)
		if (json_is_string(json_object_get(object, keys[i])))
			return json_string_value(json_object_get(object, keys[i]));
	return kind == NULL ? "a condition" : kind;
}
