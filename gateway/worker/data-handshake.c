/*
 * The TLS handshake of a data connection before the transfer command goes to the
 * server. A handshake that fails in time costs no file: the server never receives
 * the STOR that would empty it. An upload waits a moment for a handshake that the
 * client has begun. Where policy may refuse the data connection, it waits for the
 * end of the handshake, and clients that wait for 150 first have got one from attlsd.
 */
#include "gateway/worker/data-handshake.h"

#include "gateway/base/util.h"
#include "gateway/worker/data-tls.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/tally.h"

/* An upload waits this long for a handshake that may still fail; some clients wait for 150 first. */
#define HANDSHAKE_WAIT_MS 2000

static struct loop *loop_of(const struct data_handshake *handshake)
{
	return &handshake->legs->worker->loop;
}

enum ftp_data_result data_handshake_late(const struct data_handshake *handshake)
{
	if (handshake->legs->client.state != LEG_TLS)
		return FTP_DATA_NO_CLIENT;
	tally_handshake_failed(FTP_SIDE_CLIENT, true, "timeout");
	session_log(handshake->legs->facts, LOG_LEVEL_INFO, "data-tls-failed",
		    LOG_TEXT("reason", "the handshake took longer than handshake_timeout"),
		    LOG_DECISION(handshake->legs->facts, "handshake_timeout"));
	session_audit_tls_failed(handshake->legs->facts, AUDIT_LEG_CLIENT, true, "handshake-timeout", NULL);
	return FTP_DATA_TLS;
}

static void on_timer(struct timer *timer)
{
	struct data_handshake *handshake = CONTAINER_OF(timer, struct data_handshake, timer);

	handshake->waited = true;
	data_handshake_look(handshake, handshake->wanted ? data_handshake_late(handshake) : FTP_DATA_PENDING);
}

void data_handshake_init(struct data_handshake *handshake, struct data_legs *legs,
			 void (*on_change)(struct data_handshake *handshake, enum ftp_handshake state,
					   enum ftp_data_result result))
{
	*handshake = (struct data_handshake){ .legs = legs, .on_change = on_change };
	timer_init(&handshake->timer, on_timer);
}

static enum ftp_handshake state_of(const struct data_handshake *handshake)
{
	const struct data_leg *client = &handshake->legs->client;

	/*
	 * Only the client's Finished decides. A ClientHello that resumes a session may be the copy of an
	 * earlier one (RFC 8446 8): nobody waits for its end where policy lets any client connect, but
	 * nothing that policy protects relies on it.
	 */
	if (client->state == LEG_READY)
		return FTP_HANDSHAKE_DECIDED;
	if (!handshake->waited && !handshake->wanted && data_tls_has_begun(client) &&
	    !data_tls_resumes(client))
		return FTP_HANDSHAKE_RUNNING;
	return FTP_HANDSHAKE_NONE;
}

/* The client that has a 150 is awaited: for its connection, then for its handshake. */
static enum ftp_data_result await(struct data_handshake *handshake)
{
	const struct data_leg *client = &handshake->legs->client;

	if (client->state == LEG_NONE)
		return FTP_DATA_NO_CLIENT;
	if (client->state != LEG_TLS || handshake->timed)
		return FTP_DATA_PENDING;
	handshake->timed = true;
	return loop_timer(loop_of(handshake), &handshake->timer,
			  handshake->legs->facts->rule->tls->handshake_timeout_ms) < 0
		   ? FTP_DATA_ABORTED
		   : FTP_DATA_PENDING;
}

static void close_client(struct data_handshake *handshake, enum ftp_data_result result)
{
	struct data_legs *legs = handshake->legs;

	if (result == FTP_DATA_TLS) {
		(void)stream_finish(&legs->client.stream); /* so that the alert reaches the client */
		linger_take(&legs->worker->lingering, &legs->client.stream);
	}
	data_legs_close(legs, &legs->client, true);
}

void data_handshake_look(struct data_handshake *handshake, enum ftp_data_result result)
{
	enum ftp_handshake state = state_of(handshake);

	if (handshake->wanted && result == FTP_DATA_PENDING && state != FTP_HANDSHAKE_DECIDED)
		result = await(handshake);
	if (state == handshake->told && result == FTP_DATA_PENDING)
		return;
	loop_timer_stop(loop_of(handshake), &handshake->timer);
	if (state == FTP_HANDSHAKE_RUNNING && result == FTP_DATA_PENDING)
		handshake->waited = loop_timer(loop_of(handshake), &handshake->timer, HANDSHAKE_WAIT_MS) < 0;
	if (result != FTP_DATA_PENDING) {
		state = FTP_HANDSHAKE_NONE;
		close_client(handshake, result);
	}
	handshake->told = state;
	handshake->on_change(handshake, state, result); /* last, since a transfer may begin in this call */
}

void data_handshake_want(struct data_handshake *handshake, uint64_t connect_ms)
{
	handshake->wanted = true;
	handshake->timed = false;
	handshake->told = FTP_HANDSHAKE_NONE;
	if (handshake->legs->client.state == LEG_TARGET)
		data_legs_dial_client(handshake->legs);
	data_handshake_look(handshake, loop_timer(loop_of(handshake), &handshake->timer, connect_ms) < 0
					   ? FTP_DATA_ABORTED
					   : FTP_DATA_PENDING);
}

void data_handshake_pass(struct data_handshake *handshake)
{
	loop_timer_stop(loop_of(handshake), &handshake->timer);
	handshake->told = FTP_HANDSHAKE_NONE;
	handshake->wanted = false;
}

void data_handshake_forget(struct data_handshake *handshake)
{
	data_handshake_pass(handshake);
	handshake->waited = false;
}
