/* Makes an answer safe to use and to show, whoever has sent it. */
#include "gateway/view/client-check.h"

#include <stdbool.h>
#include <string.h>

#include "gateway/base/ctl-order.h"

/* Terminate a text, and replace what could control the terminal. */
static void sanitize(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++)
		if (*c < 0x20 || *c == 0x7f)
			*c = '?';
}

/* A line of the log is printable ASCII already, unless a worker lies. */
static void keep_ascii(char *text, size_t size)
{
	sanitize(text, size);
	for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++)
		if (*c > 0x7f)
			*c = '?';
}

#define TERMINATE(field) ((field)[sizeof(field) - 1] = '\0')

static void sanitize_leg(struct answer_leg *leg)
{
	TERMINATE(leg->tls);
	TERMINATE(leg->cipher);
	TERMINATE(leg->group);
	if (strchr("CLPS", leg->control) == NULL)
		leg->control = '\0';
	if (strchr("CPS", leg->data) == NULL)
		leg->data = '\0';
	if (leg->way > ANSWER_WAYS)
		leg->way = 0;
}

static void sanitize_session(struct answer_session *session)
{
	TERMINATE(session->listener);
	TERMINATE(session->rule);
	TERMINATE(session->backend);
	TERMINATE(session->user);
	TERMINATE(session->command);
	TERMINATE(session->server_name);
	TERMINATE(session->principal);
	TERMINATE(session->server_issuer);
	TERMINATE(session->server_sha256);
	TERMINATE(session->subject);
	TERMINATE(session->issuer);
	TERMINATE(session->serial);
	TERMINATE(session->sha256);
	TERMINATE(session->transfer);
	sanitize_leg(&session->client_leg);
	sanitize_leg(&session->server_leg);
	if (session->size < session->bytes) /* no more than 100 % */
		session->size_known = 0;
}

static void sanitize_texts(struct answer *answer)
{
	switch ((enum answer_kind)answer->kind) {
	case ANSWER_DONE:
	case ANSWER_REFUSED:
	case ANSWER_FORBIDDEN:
		sanitize(answer->u.text, sizeof(answer->u.text));
		break;
	case ANSWER_GATEWAY:
		sanitize(answer->u.gateway.version, sizeof(answer->u.gateway.version));
		sanitize(answer->u.gateway.policy, sizeof(answer->u.gateway.policy));
		sanitize(answer->u.gateway.sha256, sizeof(answer->u.gateway.sha256));
		sanitize(answer->u.gateway.node, sizeof(answer->u.gateway.node));
		sanitize(answer->u.gateway.failure, sizeof(answer->u.gateway.failure));
		break;
	case ANSWER_OLDER:
		sanitize(answer->u.older.version, sizeof(answer->u.older.version));
		break;
	case ANSWER_SESSION: /* what prints them escapes them */
		sanitize_session(&answer->u.session);
		break;
	case ANSWER_SERVER:
		TERMINATE(answer->u.server.backend);
		break;
	case ANSWER_EVENT:
		keep_ascii(answer->u.event.event, sizeof(answer->u.event.event));
		keep_ascii(answer->u.event.text, sizeof(answer->u.event.text));
		keep_ascii(answer->u.event.fix, sizeof(answer->u.event.fix));
		break;
	case ANSWER_NAME:
		sanitize(answer->u.name.first, sizeof(answer->u.name.first));
		sanitize(answer->u.name.second, sizeof(answer->u.name.second));
		break;
	case ANSWER_BACKEND:
		sanitize(answer->u.backend.backend, sizeof(answer->u.backend.backend));
		sanitize(answer->u.backend.address, sizeof(answer->u.backend.address));
		break;
	case ANSWER_CLIENT:
		TERMINATE(answer->u.client.user);
		TERMINATE(answer->u.client.software);
		TERMINATE(answer->u.client.ja4);
		TERMINATE(answer->u.client.subject);
		TERMINATE(answer->u.client.group);
		TERMINATE(answer->u.client.rule);
		break;
	case ANSWER_WORKER:
	case ANSWER_LIST_END:
	case ANSWER_COUNTS:
	case ANSWER_TRACE: /* see trace-print.h */
		break;
	}
}

void client_check_answer(struct answer *answer, size_t received)
{
	if ((received != sizeof(*answer) || answer->version != CTL_VERSION) &&
	    !ctl_order_is_answer(answer, received))
		answer->kind = 0;
	sanitize_texts(answer);
}
