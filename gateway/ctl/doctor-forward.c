/*
 * An inline host that forwards: while attlsd is down, no socket takes what the tproxy
 * rules divert, and the packets go on to the forward chain. It must not let clear FTP
 * through to the servers.
 */
#include "gateway/ctl/doctor-forward.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/doctor-report.h"
#include "gateway/ctl/firewall.h"
#include "gateway/ctl/interfaces.h"
#include "gateway/ctl/packet-match.h"
#include "gateway/ctl/ruleset.h"

#define TABLE	       "inet attlsd"
#define INTERFACES_MAX 64
#define SERVERS_MAX    64
#define QUESTION_MAX   160

static bool forwards(enum ip_family family, bool *ret_known)
{
	const char *path =
	    family == IP_V6 ? "/proc/sys/net/ipv6/conf/all/forwarding" : "/proc/sys/net/ipv4/ip_forward";
	FILE *file = fopen(path, "re");
	int value = 0;

	*ret_known = file != NULL && fscanf(file, "%d", &value) == 1;
	if (file != NULL)
		(void)fclose(file);
	return value != 0;
}

static void fix(struct doctor *doctor, enum ip_family family, uint16_t port)
{
	doctor_fix(doctor,
		   "nft 'add table " TABLE "; add chain " TABLE
		   " guard { type filter hook forward priority filter - 5; }; add rule " TABLE
		   " guard %s daddr SERVERS tcp dport %u drop'",
		   family == IP_V6 ? "ip6" : "ip", port);
}

/* Keep the walk that gets furthest. */
static void walk_to(const struct doctor *doctor, const struct packet *packet, struct packet_walk *best)
{
	struct packet_walk walk = packet_walk(doctor->ruleset, packet, packet_hooks_forward);

	if (walk.way > best->way)
		*best = walk;
}

/*
 * The walk of a packet that tproxy rules divert on this interface, to the servers that
 * they name. Returns false if they divert nothing there.
 */
static bool walk_from(const struct doctor *doctor, const char *interface, enum ip_family family,
		      uint16_t port, struct packet_walk *best)
{
	struct packet packet = { .family = family, .low = port, .high = port, .from = interface };
	struct packet_walk up = packet_walk(doctor->ruleset, &packet, packet_hooks_prerouting);
	struct packet_addresses servers[SERVERS_MAX];
	size_t n;

	if (up.packet.diverted == PACKET_NO)
		return false;
	packet.forwarded = true;
	n = packet_addresses_of(doctor->ruleset, up.packet.diverted_by, family, servers, NELEM(servers));
	for (size_t i = 0; i < n; i++) {
		packet.dest = servers[i];
		walk_to(doctor, &packet, best);
	}
	if (n == 0) /* no condition on the address */
		walk_to(doctor, &packet, best);
	return true;
}

static void check_listener(struct doctor *doctor, const struct policy_listener *listener)
{
	enum ip_family family = listener->endpoint.addr.family;
	uint16_t port = doctor_dialled_port(doctor, listener);
	struct interface_address here[INTERFACES_MAX];
	size_t n = interfaces_list(family, here, NELEM(here));
	struct packet_walk best = { .way = PACKET_SHUT };
	char question[QUESTION_MAX];
	bool diverts = false;

	for (size_t i = 0; i < n; i++)
		diverts |= walk_from(doctor, here[i].name, family, port, &best);
	if (!diverts) /* the check `tproxy` says so; then all of it is forwarded */
		walk_to(doctor,
			&(struct packet){ .family = family, .low = port, .high = port, .forwarded = true },
			&best);
	(void)snprintf(question, sizeof(question), "listener %s: clear FTP (port %u) while attlsd is down",
		       listener->name, port);
	switch (best.way) {
	case PACKET_SHUT:
		doctor_ok(doctor, "%s: the firewall does not forward it", question);
		break;
	case PACKET_UNSURE:
		firewall_cannot_tell(doctor, &best, question);
		break;
	case PACKET_FEW:
	case PACKET_OPEN_TO_SOME:
	case PACKET_OPEN:
		fix(doctor, family, port);
		doctor_problem(doctor, "%s: this host forwards it to the servers in the clear", question);
		break;
	}
}

void doctor_check_forward(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->nlisteners; i++) {
		const struct policy_listener *listener = &doctor->policy->listeners[i];
		enum ip_family family = listener->endpoint.addr.family;
		bool known;

		/* a client of an implicit listener says nothing in the clear */
		if (!listener->transparent || listener->tls == LISTENER_IMPLICIT)
			continue;
		if (forwards(family, &known)) {
			check_listener(doctor, listener);
			continue;
		}
		if (known) {
			doctor_ok(doctor,
				  "listener %s: this host does not forward IPv%d, so nothing bypasses attlsd",
				  listener->name, family);
			continue;
		}
		doctor_look(doctor, "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding");
		doctor_cannot_tell(doctor, "listener %s: whether this host forwards IPv%d", listener->name,
				   family);
	}
}
