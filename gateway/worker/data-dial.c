/*
 * Dials the server's data port. Many servers accept before they send 150, some before
 * they answer PASV, so dialling waits for no reply. If the port cannot be reached
 * before the transfer, nothing is lost: the session can try another way.
 */
#include "gateway/worker/data-dial.h"

#include "gateway/base/util.h"

/* Before the transfer, a port that does not answer in this time counts as unreachable. */
#define DIAL_MS 5000

static void on_timer(struct timer *timer)
{
	struct data_dial *dial = CONTAINER_OF(timer, struct data_dial, timer);

	data_legs_close(dial->legs, &dial->legs->server, false);
	data_dial_check(dial);
}

void data_dial_init(struct data_dial *dial, struct data_legs *legs,
		    void (*on_settled)(struct data_dial *dial, bool up))
{
	*dial = (struct data_dial){ .legs = legs, .on_settled = on_settled };
	timer_init(&dial->timer, on_timer);
}

void data_dial_server(struct data_legs *legs)
{
	struct data_leg *leg = &legs->server;

	if (leg->state == LEG_TARGET) {
		data_legs_dial(legs, FTP_SIDE_SERVER);
	} else if (leg->target.port != 0 && leg->listener.fd == -1 && leg->state != LEG_DIALLING &&
		   leg->state != LEG_ASKED && !data_leg_is_alive(leg)) {
		data_legs_close(legs, leg, false);
		data_legs_dial(legs, FTP_SIDE_SERVER);
	}
}

void data_dial_early(struct data_dial *dial)
{
	struct data_leg *leg = &dial->legs->server;

	if (dial->running || leg->target.port == 0)
		return;
	data_dial_server(dial->legs);
	dial->running = true;
	if (loop_timer(&dial->legs->worker->loop, &dial->timer, DIAL_MS) < 0)
		data_legs_close(dial->legs, leg, false);
}

void data_dial_check(struct data_dial *dial)
{
	enum data_leg_state state = dial->legs->server.state;

	if (!dial->running || state == LEG_ASKED || state == LEG_DIALLING)
		return;
	data_dial_forget(dial);
	dial->on_settled(dial, state == LEG_OPEN);
}

void data_dial_forget(struct data_dial *dial)
{
	dial->running = false;
	loop_timer_stop(&dial->legs->worker->loop, &dial->timer);
}
