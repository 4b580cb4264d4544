/*
 * Takes what the data connection of a session reports, passes it to the machine, and has
 * control.c do what follows.
 */
#include "gateway/worker/session-data.h"

#include "gateway/base/util.h"
#include "gateway/worker/control.h"
#include "gateway/worker/data-habits.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/session-state.h"
#include "gateway/worker/tally.h"

static void data_done(struct data_conn *data, enum ftp_data_result result)
{
	struct session *session = CONTAINER_OF(data, struct session, data);

	session->active_ms = session->heard_ms = session->worker->loop.now_ms;
	data_habits_transfer(&session->facts, data->upload && !data->kept,
			     data->protect || data->gssapi != FTP_PROT_CLEAR, result);
	ftp_machine_data_done(&session->machine, result, &session->worker->out);
	if (data->kept)
		ftp_machine_data_kept(&session->machine);
	control_run(session);
}

static void data_over(struct data_conn *data)
{
	struct session *session = CONTAINER_OF(data, struct session, data);

	ftp_machine_data_over(&session->machine, &session->worker->out);
	control_run(session);
}

static void data_listening(struct data_conn *data, enum ftp_side side, const struct ip_endpoint *endpoint)
{
	struct session *session = CONTAINER_OF(data, struct session, data);

	ftp_machine_listening(&session->machine, side, endpoint, &session->worker->out);
	control_run(session);
}

static bool data_protects(struct data_conn *data)
{
	return ftp_machine_protects_data(&CONTAINER_OF(data, struct session, data)->machine);
}

static void data_handshake(struct data_conn *data, enum ftp_handshake state, enum ftp_data_result result)
{
	struct session *session = CONTAINER_OF(data, struct session, data);

	ftp_machine_data_handshake(&session->machine, state, result);
	control_run(session); /* a transfer command may have waited for this handshake */
}

static void data_dialled(struct data_conn *data, bool up)
{
	struct session *session = CONTAINER_OF(data, struct session, data);
	char text[IP_TEXT_MAX];

	if (!up)
		tally_data_unreachable(session->facts.rule->backend);
	if (!up)
		session_log(&session->facts, LOG_LEVEL_WARNING, "data-port-unreachable",
			    LOG_TEXT("address", ip_endpoint_format(&data->legs.server.target, text)));
	ftp_machine_dialled(&session->machine, up, &session->worker->out);
	control_run(session);
}

const struct data_owner session_data_owner = {
	.listening = data_listening,
	.protects = data_protects,
	.handshake = data_handshake,
	.dialled = data_dialled,
	.done = data_done,
	.over = data_over,
};
