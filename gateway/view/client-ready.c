/* Counts the workers; base/readiness.c judges. */
#include "gateway/view/client-ready.h"

enum readiness client_ready_judge(const struct answers *answers)
{
	uint32_t counts[WORKER_ENDS + 1] = { 0 };
	struct answer_gateway gateway;

	if (answers == NULL)
		return READINESS_SILENT;
	for (size_t i = 0; i < answers->nworkers; i++) {
		uint32_t state = answers->workers[i].worker.state;

		counts[state <= WORKER_ENDS ? state : 0]++;
	}
	gateway = answers->gateway;
	gateway.sessions = client_answers_sessions(answers);
	return readiness_of(&gateway, counts[WORKER_STARTS], counts[WORKER_SERVES]);
}
