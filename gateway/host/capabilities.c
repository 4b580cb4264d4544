/*
 * The table of capabilities that attlsd needs. A container decides what root may do, so
 * attlsd looks for each one: it names a missing capability and its purpose, and the
 * capability matters only if the policy needs it.
 */
#include "gateway/host/capabilities.h"

#include <cap-ng.h>
#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "gateway/host/facts.h"

static bool always(const struct policy *policy)
{
	(void)policy;
	return true;
}

static bool wants_transparent(const struct policy *policy)
{
	return host_wants_transparent(policy, IP_NONE);
}

static bool wants_conntrack(const struct policy *policy)
{
	return policy->nat.conntrack != NAT_CONNTRACK_OFF;
}

const struct capability capabilities[CAPABILITIES] = {
	{ CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", "ports below 1024", true, false, host_has_low_port },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN", "transparent listeners", true, false, wants_transparent },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN", "nat.conntrack", true, false, wants_conntrack },
	{ CAP_SETUID, "CAP_SETUID", "changing to the workers' user", true, true, always },
	{ CAP_SETGID, "CAP_SETGID", "changing to the workers' group", true, true, always },
	{ CAP_SYS_CHROOT, "CAP_SYS_CHROOT", "the workers' empty root", true, true, always },
	{ CAP_KILL, "CAP_KILL", "ending a worker that does not end by itself", false, true, always },
	{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "reading files of other users at a reload", false, true,
	  always },
};

bool capabilities_known(void)
{
	return capng_get_caps_process() == 0;
}

const struct capability *capabilities_missing(const struct policy *policy, size_t *at)
{
	if (!capabilities_known())
		return NULL;
	while (*at < NELEM(capabilities)) {
		const struct capability *one = &capabilities[(*at)++];

		if ((!one->by_root || geteuid() == 0) && one->wanted(policy) &&
		    capng_have_capability(CAPNG_EFFECTIVE, one->number) == 0)
			return one;
	}
	return NULL;
}

bool capabilities_have_net_admin(void)
{
	return capabilities_known() && capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) == 1;
}

int capabilities_drop(bool net_admin)
{
	bool kept[NELEM(capabilities)] = { false };
	bool may_bound;

	if (!capabilities_known())
		return -EPERM;
	may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;
	/* the kernel refuses a set as a whole if one member is not there */
	for (size_t i = 0; i < NELEM(capabilities); i++)
		kept[i] = (capabilities[i].number != CAP_NET_ADMIN || net_admin) &&
			  capng_have_capability(CAPNG_PERMITTED, capabilities[i].number) == 1;
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < NELEM(capabilities); i++)
		if (kept[i])
			(void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
					   capabilities[i].number);
	/*
	 * The bounding set goes first, since CAP_SETPCAP goes with the rest. Without
	 * CAP_SETPCAP it stays as it is, and no_new_privs alone keeps a program that the
	 * monitor would execute from having more.
	 */
	if (may_bound && capng_apply(CAPNG_SELECT_BOUNDS) != 0)
		return -EPERM;
	if (capng_apply(CAPNG_SELECT_CAPS) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -EPERM;
	return 0;
}

void capabilities_pass_on(void)
{
	if (!capabilities_known())
		return;
	for (size_t i = 0; i < NELEM(capabilities); i++)
		if (capng_have_capability(CAPNG_PERMITTED, capabilities[i].number) == 1)
			(void)capng_update(CAPNG_ADD, CAPNG_INHERITABLE, capabilities[i].number);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return;
	/* fails for those that this process does not have */
	for (size_t i = 0; i < NELEM(capabilities); i++)
		(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capabilities[i].number, 0, 0);
}
