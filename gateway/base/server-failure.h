/* Why a server does not serve: told by workers, kept by the monitor, shown to operators. */
#ifndef ATTLSD_GATEWAY_BASE_SERVER_FAILURE_H
#define ATTLSD_GATEWAY_BASE_SERVER_FAILURE_H

#include <stdint.h>

enum server_failure {
	SERVER_FAILURE_NONE = 0,
#define FAILURE(id, text) SERVER_FAILURE_##id,
#include "gateway/base/server-failure.def"
#undef FAILURE
	SERVER_FAILURES
};

/* "refused" and the like; "none" for 0 and all that is no failure. */
static inline const char *server_failure_name(uint32_t failure)
{
	static const char *const names[SERVER_FAILURES] = {
		[SERVER_FAILURE_NONE] = "none",
#define FAILURE(id, text) [SERVER_FAILURE_##id] = text,
#include "gateway/base/server-failure.def"
#undef FAILURE
	};

	return names[failure < SERVER_FAILURES ? failure : SERVER_FAILURE_NONE];
}

#endif
