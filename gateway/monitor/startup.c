#include "gateway/monitor/startup.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"

#define FALLBACK_USER "nobody"
/* A session can have this many descriptors open in its worker. */
#define FDS_PER_SESSION 6

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
			  LOG_TEXT("instead", FALLBACK_USER), LOG_TEXT("mend", "useradd --system attlsd"));
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
	uint64_t wanted = (uint64_t)policy->daemon.limit_sessions * FDS_PER_SESSION;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* raising the soft limit to the hard one is always allowed */
	if (limit.rlim_max < wanted)
		log_event(LOG_LEVEL_INFO, "file-limit-low", LOG_NUMBER("limit", limit.rlim_max),
			  LOG_NUMBER("wanted", wanted),
			  LOG_TEXT("mend", "ulimit -n, or LimitNOFILE= of the service"));
}

bool startup_wants_ktls(const struct policy *policy)
{
	for (size_t i = 0; i < policy->ntls_actions; i++)
		if (policy->tls_actions[i].ktls)
			return true;
	return false;
}

bool startup_kernel_has_tls(void)
{
	static const char name[] = "tls";
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = true;

	/* the layer is for connected sockets only, but that is looked at after it was found (and loaded) */
	if (fd != -1 && setsockopt(fd, IPPROTO_TCP, TCP_ULP, name, sizeof(name) - 1) == -1)
		has = errno == ENOTCONN;
	fd_close(&fd);
	return has;
}

void startup_prepare_host(const struct policy *policy)
{
	raise_file_limit(policy);
	if (startup_wants_ktls(policy) && !startup_kernel_has_tls())
		log_event(LOG_LEVEL_INFO, "ktls-missing", LOG_TEXT("mend", "modprobe tls"));
}
