/*
 * What load balancers and service managers ask: does attlsd live, and should it get new
 * clients? The two differ during maintenance, while it drains, and before the first worker is ready.
 */
#include "gateway/http/health.h"

#include "gateway/view/client-ready.h"

void health_answer_alive(struct request *request, const struct asker_result *result)
{
	request_say(request, result->answers != NULL ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
		    result->answers != NULL ? "ok" : "silent");
}

void health_answer_ready(struct request *request, const struct asker_result *result)
{
	enum readiness readiness = client_ready_judge(result->answers);

	request_say(request, readiness == READINESS_READY ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
		    readiness_word(readiness));
}
