/*
 * Translates between plans of this monitor and messages of the link. The other end is
 * root's, but of another version: what it says is checked for its form.
 */
#include "gateway/monitor/share-link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "gateway/base/handover-link.h"
#include "gateway/base/util.h"

/* The attlsd with the ports has ended, and this one does not take them back. */
#define NO_LINK (-2)

_Static_assert(sizeof(struct handover_plan) < HANDOVER_TEXT_MAX, "it fits, with a byte after it");

static uint16_t put_addr(const struct ip_addr *addr, uint8_t bytes[static 16])
{
	memcpy(bytes, addr->bytes, sizeof(addr->bytes));
	return addr->family == IP_V4 ? 4 : addr->family == IP_V6 ? 6 : 0;
}

static bool get_addr(uint16_t family, const uint8_t bytes[static 16], struct ip_addr *ret)
{
	*ret = (struct ip_addr){ .family = family == 4 ? IP_V4 : IP_V6 };
	memcpy(ret->bytes, bytes, family == 4 ? 4 : sizeof(ret->bytes));
	return family == 4 || family == 6;
}

/* --- the old one --- */

static enum handover_type request_for(enum msg_type type)
{
	if (type == MSG_PLAN)
		return HANDOVER_PLAN;
	return type == MSG_PLAN_KEPT ? HANDOVER_PLAN_KEPT : HANDOVER_PLAN_OVER;
}

static struct handover_plan describe(const struct plan_ask *ask)
{
	struct handover_plan plan = { .low = ask->range.low,
				      .high = ask->range.high,
				      .limit_ms = ask->limit_ms };

	plan.client_family = put_addr(&ask->client, plan.client);
	plan.host_family = put_addr(&ask->host, plan.host);
	return plan;
}

static int to_newest(int newest, enum msg_type type, const struct plan_ask *ask)
{
	struct handover_msg msg = { .type = request_for(type),
				    .number = ask->session,
				    .second = ask->serial,
				    .third = type == MSG_SESSION_END };
	const struct handover_plan plan = describe(ask);

	memcpy(msg.text, &plan, sizeof(plan));
	return handover_send_spare(newest, &msg, NULL, 0);
}

void share_link_put(const struct data_share *share, struct handover_writer *writer)
{
	const struct data_plan *plan, *next;

	HASH_ITER (hh, share->plans.plans, plan, next) {
		struct handover_waiting record = { .session = plan->ask.session,
						   .serial = plan->ask.serial,
						   .plan = describe(&plan->ask) };

		if (plan->hold != NULL) /* the client knows this port */
			record.plan.low = record.plan.high = plan->hold->port->endpoint.port;
		if (!plan->ask.elsewhere) /* of another one, the client has to try again */
			handover_write(writer, HANDOVER_PLANS, &record, sizeof(record), 1);
	}
}

void share_link_leave(struct data_share *share, int link)
{
	shared_ports_accept(&share->ports, false);
	share->to_newest = to_newest;
	share->newest = link;
	data_plans_done(&share->plans);
}

void share_link_lost(struct data_share *share)
{
	if (share->newest != -1)
		share->newest = NO_LINK;
}

void share_link_return(struct data_share *share)
{
	share->newest = -1;
	shared_ports_accept(&share->ports, true);
}

void share_link_answer(struct data_share *share, const struct admission *admission,
		       const struct handover_msg *msg, int *fd)
{
	struct msg answer = { .session = msg->number, .serial = (uint32_t)msg->second };
	const void *owner = admission_owner(admission, msg->number);
	struct handover_plan plan;

	switch (msg->type) {
	case HANDOVER_PLAN_TOLD:
		answer.type = MSG_PLAN_TOLD;
		answer.local.port = (uint16_t)msg->third;
		answer.error = msg->third == 0 ? -EADDRINUSE : 0;
		break;
	case HANDOVER_PLAN_ARRIVED:
		memcpy(&plan, msg->text, sizeof(plan));
		answer.type = MSG_PLAN_ARRIVED;
		answer.remote.port = plan.client_port;
		if (*fd == -1 || !get_addr(plan.client_family, plan.client, &answer.remote.addr))
			return;
		break;
	case HANDOVER_PLAN_GIVE:
		answer.type = MSG_PLAN_GIVE;
		break;
	default:
		return;
	}
	if (owner != NULL) /* otherwise the session is over */
		data_share_deliver(share, &(struct plan_ask){ .owner = (void *)(uintptr_t)owner }, &answer,
				   fd);
}

/* --- the new one --- */

static enum handover_type answer_for(uint32_t type)
{
	if (type == MSG_PLAN_TOLD)
		return HANDOVER_PLAN_TOLD;
	return type == MSG_PLAN_ARRIVED ? HANDOVER_PLAN_ARRIVED : HANDOVER_PLAN_GIVE;
}

static void to_older(void *older, const struct msg *msg, int fd)
{
	struct handover_msg out = { .type = answer_for(msg->type),
				    .number = msg->session,
				    .second = msg->serial,
				    .third = msg->local.port };
	struct handover_plan plan = { .client_port = msg->remote.port };

	plan.client_family = put_addr(&msg->remote.addr, plan.client);
	memcpy(out.text, &plan, sizeof(plan));
	/* if the link is full, the client gets a reset, or a 425 in the end */
	(void)handover_send_spare(((const struct older *)older)->link.fd, &out, &fd, fd != -1 ? 1 : 0);
}

static void ask_for(struct data_share *share, struct plan_ask *ask, const struct handover_plan *plan)
{
	const struct msg none = { .type = MSG_PLAN_TOLD, .session = ask->session, .serial = ask->serial };

	ask->range = (struct port_range){ plan->low, plan->high };
	ask->limit_ms = plan->limit_ms;
	if (!get_addr(plan->client_family, plan->client, &ask->client) ||
	    !get_addr(plan->host_family, plan->host, &ask->host) || data_plans_ask(&share->plans, ask) < 0)
		to_older(ask->owner, &none, -1);
}

int share_link_get(struct data_share *share, struct older *from, const struct handover_reader *reader)
{
	size_t n = handover_count(reader, HANDOVER_PLANS);
	struct handover_waiting *records = calloc(n + 1, sizeof(*records));

	if (records == NULL)
		return -ENOMEM;
	share->to_older = to_older;
	n = handover_read(reader, HANDOVER_PLANS, records, sizeof(*records), n);
	for (size_t i = 0; i < n; i++) {
		struct plan_ask ask = { .session = records[i].session,
					.serial = records[i].serial,
					.owner = from,
					.elsewhere = true };

		ask_for(share, &ask, &records[i].plan);
	}
	free(records);
	return 0;
}

void share_link_request(struct data_share *share, struct older *from, const struct handover_msg *msg)
{
	struct plan_ask ask = {
		.session = msg->number, .serial = (uint32_t)msg->second, .owner = from, .elsewhere = true
	};

	struct handover_plan plan;

	share->to_older = to_older;
	switch (msg->type) {
	case HANDOVER_PLAN:
		memcpy(&plan, msg->text, sizeof(plan));
		ask_for(share, &ask, &plan);
		break;
	case HANDOVER_PLAN_OVER:
		if (msg->third != 0)
			data_plans_end_all(&share->plans, ask.session);
		else
			data_plans_end(&share->plans, ask.session, ask.serial);
		break;
	case HANDOVER_PLAN_KEPT:
		data_plans_keep(&share->plans, ask.session, ask.serial);
		break;
	default:
		break;
	}
}

void share_link_forget(struct data_share *share, const struct older *gone, bool others)
{
	data_plans_forget(&share->plans, gone);
	share->has_older = others;
	data_share_settle(share);
}
