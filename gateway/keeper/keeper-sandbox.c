/* Keepers have a user of their own. In a user namespace that lacks it, they become the workers'. */
#include "gateway/keeper/keeper-sandbox.h"

#include <errno.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/host/sandbox-key.h"

int keeper_sandbox(const struct keeper_setup *setup, const char *process)
{
	const char *step = "";
	int r = sandbox_keeper(setup->root, setup->uid, setup->gid, &step);

	if (r == -EINVAL && setup->root != -1 && setup->uid != setup->worker_uid) {
		log_event(LOG_LEVEL_WARNING, "key-user-missing", LOG_NUMBER("uid", setup->uid),
			  LOG_NUMBER("instead", setup->worker_uid));
		r = sandbox_keeper(setup->root, setup->worker_uid, setup->worker_gid, &step);
	}
	if (r < 0)
		log_event(LOG_LEVEL_ERROR, "sandbox-failed", LOG_TEXT("process", process),
			  LOG_TEXT("step", step), LOG_TEXT("error", strerror(-r)));
	return r;
}
