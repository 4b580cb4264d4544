/*
 * What load balancers and service managers ask: does attlsd live, and should it get new
 * clients? The two differ while it drains, and before the first worker is ready.
 */
#include "gateway/http/health.h"

static bool has_serving_worker(const struct answers *answers)
{
	for (size_t i = 0; i < answers->nworkers; i++)
		if (answers->workers[i].worker.state == WORKER_SERVES)
			return true;
	return false;
}

/* NULL: it is. */
static const char *why_not_ready(const struct answers *answers)
{
	if (answers == NULL)
		return "silent";
	if (answers->gateway.draining)
		return "draining";
	if (!has_serving_worker(answers))
		return "no-worker";
	if (client_answers_sessions(answers) >= answers->gateway.limit)
		return "full";
	return NULL;
}

void health_answer_alive(struct request *request, const struct asker_result *result)
{
	request_say(request, result->answers != NULL ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
		    result->answers != NULL ? "ok" : "silent");
}

void health_answer_ready(struct request *request, const struct asker_result *result)
{
	const char *why = why_not_ready(result->answers);

	request_say(request, why == NULL ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
		    why == NULL ? "ready" : why);
}
