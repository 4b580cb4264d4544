/*
 * Who may do what. Root and the user that started attlsd may give orders. Members of
 * daemon.control_group may only ask, and the HTTP process only for what it shows. Both have
 * places of their own, so that they cannot keep an operator out.
 */
#include "gateway/monitor/ctl-role.h"

#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/ctl-question.h"

static const struct {
	size_t places;
	const char *refusal; /* NULL: it may ask and order everything */
} roles[ASKERS] = {
	[ASKER_OPERATOR] = { 8, NULL },
	[ASKER_MEMBER] = { 8, "only root may do this, use sudo; members of control_group may only ask" },
	[ASKER_HTTP] = { 4, "the HTTP process may only ask for what it shows" },
};

enum msg_asker ctl_role_of(int fd)
{
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	    (who.uid == 0 || who.uid == geteuid()))
		return ASKER_OPERATOR;
	return ASKER_MEMBER;
}

size_t ctl_role_places(enum msg_asker who)
{
	return roles[who].places;
}

const char *ctl_role_refusal(enum msg_asker who, uint32_t what)
{
	const struct ctl_question *question = ctl_question_find(what);

	return question != NULL && who <= question->may ? NULL : roles[who].refusal;
}
