/* Checks the kernel: TLS, routes for marked packets, connection tracking. */
#include "gateway/ctl/doctor-kernel.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/ctl/doctor-report.h"
#include "gateway/ctl/routes.h"
#include "gateway/ctl/ruleset.h"
#include "gateway/host/conntrack.h"
#include "gateway/host/facts.h"

#define DEFAULT_MARK 1
#define SYSCTL_MAX   512

#define SYSCTL_NONE (-1)

/* The number in /proc/sys/net/FOLDER/NAME/KEY, or SYSCTL_NONE if it cannot be read. */
static int sysctl_number(const char *folder, const char *name, const char *key)
{
	char path[SYSCTL_MAX];
	FILE *file;
	int value = SYSCTL_NONE;

	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s/%s/%s", folder, name, key);
	file = fopen(path, "re");
	if (file == NULL)
		return SYSCTL_NONE;
	if (fscanf(file, "%d", &value) != 1)
		value = SYSCTL_NONE;
	(void)fclose(file);
	return value;
}

static void cannot_read(struct doctor *doctor, const char *key)
{
	doctor_look(doctor, "sysctl %s, where /proc is mounted", key);
	doctor_cannot_tell(doctor, "cannot read %s", key);
}

/* The mark that the rules set; without such a rule, the one of contrib/nftables. */
static uint32_t mark_of(const struct doctor *doctor, enum ip_family family)
{
	uint32_t mark = DEFAULT_MARK;
	bool marks = false;

	if (ruleset_find_socket(doctor->ruleset, family, &marks, &mark) && marks)
		return mark;
	return DEFAULT_MARK;
}

static void check_route(struct doctor *doctor, enum ip_family family)
{
	/* an address for documentation, which no host has: RFC 5737, RFC 3849 */
	static const uint8_t elsewhere4[] = { 203, 0, 113, 1 };
	static const uint8_t elsewhere6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	struct ip_addr to = ip_addr_make(family, family == IP_V6 ? elsewhere6 : elsewhere4);
	uint32_t mark = mark_of(doctor, family);
	int r = routes_mark_is_local(&to, mark);
	const char *flag = family == IP_V6 ? " -6" : "";

	if (r == 1) {
		doctor_ok(doctor, "IPv%d packets with mark %u are delivered to this host", family, mark);
		return;
	}
	if (r < 0) {
		doctor_look(doctor, "ip%s rule; ip%s route show table 100", flag, flag);
		doctor_cannot_tell(doctor,
				   "the kernel does not say where it routes IPv%d packets with mark %u: %s",
				   family, mark, strerror(-r));
		return;
	}
	doctor_fix(doctor, "ip%s rule add fwmark %u lookup 100; ip%s route replace local %s dev lo table 100",
		   flag, mark, flag, family == IP_V6 ? "::/0" : "0.0.0.0/0");
	doctor_problem(doctor, "IPv%d packets with mark %u are forwarded instead of delivered to this host",
		       family, mark);
}

void doctor_check_ktls(struct doctor *doctor)
{
	if (host_kernel_has_tls()) {
		doctor_ok(doctor, "the kernel can do the TLS of downloads");
		return;
	}
	doctor_fix(doctor, "modprobe tls");
	doctor_warning(doctor, "the kernel cannot do TLS, so attlsd does the TLS of downloads itself");
}

void doctor_check_route(struct doctor *doctor)
{
	if (host_wants_transparent(doctor->policy, IP_V4))
		check_route(doctor, IP_V4);
	if (host_wants_transparent(doctor->policy, IP_V6))
		check_route(doctor, IP_V6);
}

/*
 * With src_valid_mark the kernel includes the mark when it looks up the way back to
 * the client. The result is "local", so the packet counts as a martian, however
 * loose rp_filter is. Strict rp_filter alone does no harm.
 */
void doctor_check_rp_filter(struct doctor *doctor)
{
	DIR *folder = opendir("/proc/sys/net/ipv4/conf");
	int all = sysctl_number("ipv4/conf", "all", "src_valid_mark");
	int accept = sysctl_number("ipv4/conf", "all", "accept_local");
	const struct dirent *entry;
	bool good = true;

	if (folder == NULL || all == SYSCTL_NONE || accept == SYSCTL_NONE) {
		cannot_read(doctor, "net.ipv4.conf.all.src_valid_mark");
		if (folder != NULL)
			(void)closedir(folder);
		return;
	}
	while (host_wants_transparent(doctor->policy, IP_V4) && (entry = readdir(folder)) != NULL) {
		const char *name = entry->d_name;
		bool is_interface = name[0] != '.' && strcmp(name, "lo") != 0 &&
				    strcmp(name, "default") != 0 && strcmp(name, "all") != 0;

		if (!is_interface || accept > 0 || sysctl_number("ipv4/conf", name, "accept_local") > 0 ||
		    (all == 0 && sysctl_number("ipv4/conf", name, "src_valid_mark") <= 0))
			continue;
		good = false;
		doctor_fix(doctor, "sysctl -w net/ipv4/conf/%s/src_valid_mark=0", all != 0 ? "all" : name);
		doctor_problem(doctor,
			       "src_valid_mark is on for %s: "
			       "the kernel drops marked packets of clients as spoofed",
			       all != 0 ? "all interfaces" : name);
		if (all != 0)
			break;
	}
	(void)closedir(folder);
	if (good)
		doctor_ok(doctor, "the kernel does not drop clients' packets as spoofed");
}

void doctor_check_forwarding(struct doctor *doctor)
{
	const struct {
		enum ip_family family;
		int on;
		const char *key;
	} kinds[] = {
		{ IP_V4, sysctl_number("ipv4", ".", "ip_forward"), "net.ipv4.ip_forward" },
		{ IP_V6, sysctl_number("ipv6/conf", "all", "forwarding"), "net.ipv6.conf.all.forwarding" },
	};

	for (size_t i = 0; i < NELEM(kinds); i++) {
		if (!host_wants_transparent(doctor->policy, kinds[i].family))
			continue;
		if (kinds[i].on == SYSCTL_NONE) {
			cannot_read(doctor, kinds[i].key);
			continue;
		}
		if (kinds[i].on != 0) {
			doctor_ok(doctor, "this host forwards IPv%d", kinds[i].family);
			continue;
		}
		doctor_fix(doctor, "sysctl -w %s=1", kinds[i].key);
		doctor_warning(
		    doctor,
		    "this host does not forward IPv%d: FTP works through attlsd, but nothing else gets through",
		    kinds[i].family);
	}
}

void doctor_check_conntrack(struct doctor *doctor)
{
	bool has_helper = access("/sys/module/nf_conntrack_ftp", F_OK) == 0;

	if (access("/proc/sys/net", F_OK) != 0 || access("/sys/module", F_OK) != 0) {
		doctor_look(doctor, "lsmod | grep nf_conntrack");
		doctor_cannot_tell(doctor, "what the kernel has: /proc/sys or /sys is missing");
	} else if (access("/proc/sys/net/netfilter/nf_conntrack_max", F_OK) != 0) {
		doctor_fix(doctor, "modprobe nf_conntrack");
		doctor_problem(doctor, "the kernel does not track connections: nf_conntrack is not loaded");
	} else if (doctor->policy->nat.conntrack == NAT_CONNTRACK_EXPECT && !has_helper) {
		doctor_fix(doctor, "modprobe nf_conntrack_ftp");
		doctor_problem(doctor, "nf_conntrack_ftp is not loaded, "
				       "and the kernel accepts no expectations without a helper");
	} else {
		doctor_ok(doctor, "the kernel tracks connections");
	}
}

/*
 * Ask for an expectation of a connection that does not exist: a kernel that supports
 * expectations answers that there is no such connection.
 */
void doctor_check_expectations(struct doctor *doctor)
{
	static const uint8_t here[] = { 127, 0, 0, 1 };
	const struct ip_endpoint none = { .addr = ip_addr_make(IP_V4, here), .port = 1 };
	struct conntrack *conntrack = NULL;
	int r = conntrack_open(&conntrack);

	if (r == 0)
		r = conntrack_expect(conntrack, &none, &none, &none.addr, &none);
	conntrack_close(&conntrack);
	if (r == -ENOENT) {
		doctor_ok(doctor, "the kernel accepts expectations");
		return;
	}
	if (r == -EPERM) {
		doctor_look(doctor, "run attlsctl doctor as root");
		doctor_cannot_tell(doctor, "only root may ask whether the kernel accepts expectations");
		return;
	}
	doctor_fix(doctor, "modprobe nf_conntrack_netlink");
	doctor_problem(doctor, "the kernel accepts no expectations: %s",
		       r == 0 ? "it accepted an invalid one" : strerror(-r));
}
