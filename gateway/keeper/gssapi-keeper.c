/*
 * The library of Kerberos parses what strangers send, so it does that where an attacker gains
 * least: in a process that can only answer one worker, beside neither the worker's
 * sessions nor the private keys of TLS.
 */
#include "gateway/keeper/gssapi-keeper.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "gateway/base/ask-link.h"
#include "gateway/base/log.h"
#include "gateway/gssapi/acceptor.h"
#include "gateway/keeper/keeper-sandbox.h"
#include "gateway/keeper/offspring.h"

struct gssapi_keeper {
	const struct keeper_setup *setup;
	struct gssapi_acceptor *acceptor;
	bool again; /* processes that start now follow one that has died */
};

/* Tell the worker that another acceptor has started: what it asked the last one is lost. */
static void begin(void *owner, size_t i)
{
	static struct gssapi_answer answer; /* not on the stack: it is large */
	const struct gssapi_keeper *keeper = owner;

	if (!keeper->again)
		return; /* the first one answers what has been asked before it started */
	answer.status = GSSAPI_STATUS_REFUSED;
	(void)send(keeper->setup->gssapi[i], &answer, gssapi_answer_bytes(&answer),
		   MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void serve(void *owner, size_t i)
{
	static struct gssapi_answer answer; /* not on the stack: it is large */
	static struct {			    /* likewise */
		struct gssapi_request request;
		uint8_t more; /* so that a longer packet is seen to be longer */
	} packet;
	const struct gssapi_keeper *keeper = owner;
	int fd = keeper->setup->gssapi[i];
	ssize_t n, sent = 0;

	while (sent != -1) {
		n = packet_read(fd, &packet, sizeof(packet));
		if (n <= 0 || !gssapi_request_is_whole(&packet.request, (size_t)n))
			return;
		gssapi_acceptor_accept(keeper->acceptor, &packet.request, &answer);
		sent = packet_write(fd, &answer, gssapi_answer_bytes(&answer));
		explicit_bzero(answer.context, answer.context_len);
	}
}

static const struct offspring_kind acceptors = { .process = "acceptor",
						 .name = "attlsd-acceptor",
						 .died = "acceptor-died",
						 .not_started = "acceptor-not-started",
						 .begin = begin,
						 .serve = serve };

int gssapi_keeper_run(const struct keeper_setup *setup)
{
	struct gssapi_keeper keeper = { .setup = setup };
	struct offspring offspring = { .kind = &acceptors,
				       .owner = &keeper,
				       .fds = setup->gssapi,
				       .n = setup->n,
				       .counts = setup->counts };
	char why[GSSAPI_WHY_MAX];
	int r;

	(void)prctl(PR_SET_NAME, "attlsd-gssapi", 0, 0, 0); /* only a name */
	r = gssapi_acceptor_open(setup->policy->daemon.keytab, why, &keeper.acceptor);
	if (r < 0) /* the monitor has just read it, so it has changed since */
		log_event(LOG_LEVEL_ERROR, "keys-unreadable", LOG_TEXT("error", why));
	if (r == 0)
		r = keeper_sandbox(setup, "gssapi-keeper");
	if (r == 0)
		r = offspring_start(&offspring);
	keeper.again = true;
	if (r == 0)
		r = offspring_keep(&offspring);
	offspring_done(&offspring);
	gssapi_acceptor_close(&keeper.acceptor);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
