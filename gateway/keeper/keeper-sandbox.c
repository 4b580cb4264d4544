/* Keepers have a user of their own. In a user namespace that lacks it, they become the workers'. */
#include "gateway/keeper/keeper-sandbox.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/host/sandbox-key.h"

static void log_failure(const char *process, const char *step, int r)
{
	log_event(LOG_LEVEL_ERROR, "sandbox-failed", LOG_TEXT("process", process),
		  LOG_TEXT(step != NULL ? "step" : "", step), LOG_TEXT("error", strerror(-r)));
}

/* confine: what a process of this kind gives up. warns: it says that a user is missing. */
static int give_up(const struct keeper_setup *setup, const char *process,
		   int (*confine)(int root, unsigned uid, unsigned gid, const char **ret_what), bool warns)
{
	const char *step = "";
	int r = confine(setup->root, setup->uid, setup->gid, &step);

	if (r == -EINVAL && setup->root != -1 && setup->uid != setup->worker_uid) {
		if (warns)
			log_event(LOG_LEVEL_WARNING, "key-user-missing", LOG_NUMBER("uid", setup->uid),
				  LOG_NUMBER("instead", setup->worker_uid));
		r = confine(setup->root, setup->worker_uid, setup->worker_gid, &step);
	}
	if (r < 0)
		log_failure(process, step, r);
	return r;
}

int keeper_sandbox(const struct keeper_setup *setup, const char *process)
{
	return give_up(setup, process, sandbox_keeper, true);
}

int keeper_sandbox_token(const struct keeper_setup *setup)
{
	return give_up(setup, "token", sandbox_token, false); /* the keeper warns, and starts many of these */
}

int keeper_sandbox_child(const char *process)
{
	int r = sandbox_signer();

	if (r < 0)
		log_failure(process, NULL, r);
	return r;
}
