/*
 * Looks up the workers' user and raises limits while attlsd still has all its
 * privileges.
 */
#include "gateway/monitor/startup.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/host/facts.h"

#define FALLBACK_USER "nobody"

int startup_find_user(const struct policy *policy, const struct diags *source, unsigned *ret_uid,
		      unsigned *ret_gid)
{
	const struct passwd *user = getpwnam(policy->daemon.user);
	struct diags diags;

	*ret_uid = *ret_gid = 0;
	if (geteuid() != 0)
		return 0;
	if (user == NULL && !policy->daemon.user_given) {
		user = getpwnam(FALLBACK_USER);
		log_event(LOG_LEVEL_INFO, "user-missing", LOG_TEXT("user", policy->daemon.user),
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
	    &diags, DIAG_ERROR, policy->daemon.user_mark,
	    user == NULL
		? "there is no user \"%s\" on this host; create it with: useradd --system "
		  "--no-create-home --shell /usr/sbin/nologin %s"
		: "the workers must not run as \"%s\", which is root; create another with: useradd --system "
		  "%s",
	    policy->daemon.user, user == NULL ? policy->daemon.user : "attlsd");
	diags_print(&diags, stderr);
	diags_done(&diags);
	return -ENOENT;
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
		log_event(LOG_LEVEL_INFO, "file-limit-low", LOG_NUMBER("limit", limit.rlim_max),
			  LOG_NUMBER("wanted", wanted),
			  LOG_TEXT("fix", "ulimit -n, or LimitNOFILE= of the service"));
}

void startup_prepare_host(const struct policy *policy)
{
	raise_file_limit(policy);
	if (host_wants_ktls(policy) && !host_kernel_has_tls())
		log_event(LOG_LEVEL_INFO, "ktls-missing", LOG_TEXT("fix", "modprobe tls"));
}
