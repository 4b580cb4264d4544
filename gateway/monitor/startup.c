/*
 * Looks up the workers' user and raises limits while attlsd still has all its
 * privileges.
 */
#include "gateway/monitor/startup.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/host/capabilities.h"
#include "gateway/host/control-group.h"
#include "gateway/host/facts.h"

#define FALLBACK_USER "nobody"

/*
 * The ids of keeper and signers, and of the HTTP process, if the host does not have their users, are ids that
 * nobody has: systemd's table of ids leaves these unused, and a container of 65536 ids has them.
 */
#define UNUSED_ID_MAX 65533
#define UNUSED_ID_MIN 65520

/*
 * The processes with the keys need a user that no other process has, not even a worker:
 * an attacker may control a worker. The same is true of the HTTP process, which an attacker
 * reaches in other ways. Starts to look for an unused id at *at, and goes on below it.
 */
static void find_own_user(const char *name, unsigned *at, unsigned *ret_uid, unsigned *ret_gid)
{
	const struct passwd *user = getpwnam(name);

	if (user != NULL && user->pw_uid != 0) {
		*ret_uid = user->pw_uid;
		*ret_gid = user->pw_gid;
		return;
	}
	while (*at > UNUSED_ID_MIN && (getpwuid(*at) != NULL || getgrgid(*at) != NULL))
		--*at;
	*ret_uid = *ret_gid = (*at)--;
}

static int find_worker_user(const struct policy *policy, const struct diags *source, unsigned *ret_uid,
			    unsigned *ret_gid)
{
	const struct passwd *user = getpwnam(policy->daemon.user);
	struct diags diags;

	if (user == NULL && !policy->daemon.user_given) {
		user = getpwnam(FALLBACK_USER);
		log_event(LOG_LEVEL_WARNING, "user-missing", LOG_TEXT("user", policy->daemon.user),
			  LOG_TEXT("instead", FALLBACK_USER), LOG_TEXT("fix", "useradd --system attlsd"));
	}
	if (user != NULL && user->pw_uid != 0) {
		*ret_uid = user->pw_uid;
		*ret_gid = user->pw_gid;
		return 0;
	}
	if (diags_init(&diags, source->file, source->source, source->source_len) < 0)
		return -ENOMEM;
	diags_add(
	    &diags, DIAG_ERROR, DIAG_UNKNOWN_USER, policy->daemon.user_mark,
	    user == NULL
		? "there is no user \"%s\" on this host; create it with: useradd --system "
		  "--no-create-home --shell /usr/sbin/nologin %s"
		: "the workers must not run as \"%s\", which is root; create another with: useradd --system "
		  "%s",
	    policy->daemon.user, user == NULL ? policy->daemon.user : "attlsd");
	log_diags(&diags);
	diags_done(&diags);
	return -ENOENT;
}

int startup_find_users(const struct policy *policy, const struct diags *source, struct keeper_user *ret_users)
{
	struct keeper_user users = { 0 };
	unsigned unused = UNUSED_ID_MAX;
	int r;

	if (geteuid() != 0) {
		*ret_users = users;
		return 0;
	}
	r = find_worker_user(policy, source, &users.worker_uid, &users.worker_gid);
	if (r < 0)
		return r;
	find_own_user(HOST_KEY_USER, &unused, &users.uid, &users.gid);
	find_own_user(HOST_HTTP_USER, &unused, &users.http_uid, &users.http_gid);
	*ret_users = users;
	return 0;
}

int startup_find_group(const struct policy *policy, const struct diags *source, struct keeper_user *users)
{
	struct diags diags;
	int r;

	if (diags_init(&diags, source->file, source->source, source->source_len) < 0)
		return -ENOMEM;
	r = control_group_find(&policy->daemon, &diags, &users->control_gid);
	users->has_control_group = r == 1;
	log_diags(&diags);
	diags_done(&diags);
	return r < 0 ? r : 0;
}

int startup_check_capabilities(const struct policy *policy)
{
	const struct capability *missing;
	char fix[160];
	size_t at = 0;
	int r = 0;

	while ((missing = capabilities_missing(policy, &at)) != NULL) {
		(void)snprintf(fix, sizeof(fix),
			       "systemctl edit attlsd and add: [Service] CapabilityBoundingSet=%s "
			       "(docker: --cap-add %s)",
			       missing->name, missing->name);
		log_event(missing->required ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "capability-missing",
			  LOG_TEXT("capability", missing->name), LOG_TEXT("for", missing->purpose),
			  LOG_TEXT("fix", fix));
		if (missing->required)
			r = -EPERM;
	}
	return r;
}

static void raise_file_limit(const struct policy *policy)
{
	struct rlimit limit;
	uint64_t wanted = (uint64_t)policy->daemon.limit_sessions * HOST_FDS_PER_SESSION;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	/* cannot fail: the soft limit may always be raised to the hard one */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < wanted)
		log_event(LOG_LEVEL_WARNING, "file-limit-low", LOG_NUMBER("limit", limit.rlim_max),
			  LOG_NUMBER("wanted", wanted),
			  LOG_TEXT("fix", "ulimit -n, or LimitNOFILE= of the service"));
}

void startup_prepare_host(const struct policy *policy)
{
	raise_file_limit(policy);
	if (host_wants_ktls(policy) && !host_kernel_has_tls())
		log_event(LOG_LEVEL_WARNING, "ktls-missing", LOG_TEXT("fix", "modprobe tls"));
}

int startup_settle(struct privileged *privileged, const struct policy *policy, const char *path,
		   const char **ret_step)
{
	int r;

	*ret_step = "prepare for privileged requests";
	r = privileged_start(privileged, policy, path);
	if (r == 0) {
		*ret_step = "drop privileges";
		r = capabilities_drop(privileged->net_admin);
	}
	return r;
}
