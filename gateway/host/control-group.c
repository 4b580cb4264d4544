/*
 * Looks up daemon.control_group, and whether attlsd can give its socket to that group:
 * root can, and other users if they are members.
 */
#include "gateway/host/control-group.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static bool is_own(gid_t gid)
{
	gid_t groups[NGROUPS_MAX];
	int n = getgroups(NGROUPS_MAX, groups);
	bool own = getegid() == gid;

	for (int i = 0; i < n; i++)
		own = own || groups[i] == gid;
	return own;
}

int control_group_find(const struct policy_daemon *daemon, struct diags *diags, unsigned *ret_gid)
{
	const char *name = daemon->control_group;
	const struct group *group;
	int error;

	if (name == NULL)
		return 0;
	errno = 0; /* as getgrnam(3) has it: otherwise "no such group" has no errno */
	group = getgrnam(name);
	error = errno;
	if (group == NULL && error != 0 && error != ENOENT && error != ESRCH) {
		diags_add(diags, DIAG_ERROR, DIAG_UNKNOWN_GROUP, daemon->control_group_mark,
			  "cannot look up the group \"%s\": %s", name, strerror(error));
		return -error;
	}
	if (group == NULL) {
		diags_add(diags, DIAG_ERROR, DIAG_UNKNOWN_GROUP, daemon->control_group_mark,
			  "there is no group \"%s\" on this host; create it with: groupadd --system %s", name,
			  name);
		return -ENOENT;
	}
	if (geteuid() != 0 && !is_own(group->gr_gid)) {
		diags_add(
		    diags, DIAG_ERROR, DIAG_GROUP_NOT_PERMITTED, daemon->control_group_mark,
		    "attlsd cannot give its socket to the group \"%s\": start it as root, or as a member "
		    "of that group",
		    name);
		return -EPERM;
	}
	*ret_gid = group->gr_gid;
	return 1;
}
