/*
 * Both ends of the orders between an attlsctl and an attlsd of any two versions: which orders there
 * are, and what counts as one. The assertions hold the numbers and sizes that other versions know.
 */
#include "gateway/base/ctl-order.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/ctl-question.h"

_Static_assert(CTL_RELOAD == 4 && CTL_DRAIN == 5 && CTL_MAKE_WAY == 7 && CTL_AUDIT_REOPEN == 13 &&
		   CTL_UPGRADE == 14 && CTL_RELOAD_ONLY == 15 && CTL_POLICY == 16,
	       "other versions send these numbers");
_Static_assert(ANSWER_DONE == 1 && ANSWER_REFUSED == 2 && ANSWER_FORBIDDEN == 13,
	       "other versions answer with these numbers");
_Static_assert(sizeof(struct ctl_order) == 8 && sizeof(struct ctl_order_answer) == 520,
	       "other versions have these sizes");
_Static_assert(offsetof(struct answer, u.text) == offsetof(struct ctl_order_answer, text) &&
		   sizeof(((struct answer *)0)->u.text) == CTL_ORDER_TEXT_MAX,
	       "an answer to an order is the head of a struct answer");

bool ctl_order_has(uint32_t what)
{
	const struct ctl_question *question = ctl_question_find(what);

	return question != NULL && question->any_version;
}

bool ctl_order_is(const struct ask *ask, size_t received)
{
	return received == sizeof(struct ctl_order) && ask->version == CTL_ORDER_VERSION &&
	       ctl_order_has(ask->what);
}

bool ctl_order_is_answer(const struct answer *answer, size_t received)
{
	return received == sizeof(struct ctl_order_answer) && answer->version == CTL_ORDER_VERSION &&
	       (answer->kind == ANSWER_DONE || answer->kind == ANSWER_REFUSED ||
		answer->kind == ANSWER_FORBIDDEN);
}

int ctl_order_answer(int fd, bool any_version, enum answer_kind kind, const char *text)
{
	return ctl_order_answer_two(fd, any_version, kind, text, "");
}

const char *ctl_order_second(const char text[static CTL_ORDER_TEXT_MAX])
{
	size_t at = strnlen(text, CTL_ORDER_TEXT_MAX) + 1;

	return at < CTL_ORDER_TEXT_MAX && memchr(text + at, '\0', CTL_ORDER_TEXT_MAX - at) != NULL ? text + at
												   : "";
}

int ctl_order_answer_two(int fd, bool any_version, enum answer_kind kind, const char *text,
			 const char *second)
{
	struct answer answer = ctl_proto_answer(kind);
	size_t len = strlen(text) + 1;

	(void)snprintf(answer.u.text, sizeof(answer.u.text), "%s", text);
	if (len + strlen(second) < sizeof(answer.u.text))
		memcpy(answer.u.text + len, second, strlen(second) + 1);
	if (!any_version)
		return ctl_proto_send(fd, &answer);
	answer.version = CTL_ORDER_VERSION;
	return ctl_proto_send_packet(fd, &answer, sizeof(struct ctl_order_answer));
}
