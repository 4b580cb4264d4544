/*
 * A worker that an attacker controls, inside the real sandbox and with the real
 * monitor: the first worker of attlsd does what ATTLSD_TAKEN names as soon as it has
 * a session. All other workers are real ones, and so is its successor: ATTLSD_TAKEN_ONCE
 * names a file that only the first of them can make. After an upgrade, files beside the
 * program take the place of the two.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/msg.h"
#include "gateway/base/server-failure.h"
#include "gateway/base/util.h"
#include "gateway/host/program.h"
#include "gateway/host/sandbox.h"
#include "gateway/key/request.h"
#include "gateway/worker/worker.h"

/* So many messages fit into a pipe whole or not at all. */
#define BLOCK	(PIPE_BUF / sizeof(struct msg))
#define TELL_US 100000

int real_worker_run(const struct worker_setup *setup);

/* What it says of its session; `session` is added to the number of the session that it has. */
static const struct {
	const char *name;
	struct msg says[3];
} lies[] = {
	{ "order", { { .type = MSG_DRAIN } } },
	{ "field", { { .type = MSG_SESSION_END, .serial = 1 } } },
	{ "other-session", { { .type = MSG_SESSION_END, .session = 1 } } },
	{ "announce-low",
	  { { .type = MSG_SESSION_LOGIN },
	    { .type = MSG_ANNOUNCE,
	      .remote.addr = { IP_V4, { 127, 0, 0, 1 } },
	      .local = { { IP_V4, { 127, 0, 0, 1 } }, 1023 } } } },
	{ "announce-out-of-range",
	  { { .type = MSG_SESSION_LOGIN },
	    { .type = MSG_ANNOUNCE,
	      .remote.addr = { IP_V4, { 127, 0, 0, 1 } },
	      .local = { { IP_V4, { 127, 0, 0, 1 } }, 1024 } } } },
	{ "announce-before-login",
	  { { .type = MSG_ANNOUNCE,
	      .remote.addr = { IP_V4, { 127, 0, 0, 1 } },
	      .local = { { IP_V4, { 127, 0, 0, 1 } }, 50000 } } } },
};

static void report(const struct worker_setup *setup, struct msg msg, uint64_t session)
{
	if (msg.type != MSG_READY)
		msg.session += session;
	(void)msg_report(setup->reports, &msg); /* a full pipe loses it, as an attacker does not mind */
	(void)eventfd_write(setup->doorbell, 1);
}

/* Several messages with one call: the monitor reads each by itself, so it never empties the pipe. */
static void flood(const struct worker_setup *setup, const struct msg *block)
{
	if (write(setup->reports, block, BLOCK * sizeof(*block)) == -1)
		(void)poll(&(struct pollfd){ .fd = setup->reports, .events = POLLOUT }, 1, -1);
	(void)eventfd_write(setup->doorbell, 1);
}

static void withdraw_for_ever(const struct worker_setup *setup, uint64_t session)
{
	struct msg block[BLOCK];

	*setup->relays = UINT32_MAX; /* so that all others go to the other worker */
	for (size_t i = 0; i < BLOCK; i++)
		block[i] = (struct msg){ .type = MSG_WITHDRAW, .session = session };
	for (;;)
		flood(setup, block);
}

/* Tells of plans that nobody takes, but not of each. */
static void read_answers(int channel)
{
	static uint64_t told_us;
	struct msg msg;
	int fd;

	while (msg_receive(channel, &msg, &fd) == 1) {
		fd_close(&fd);
		if (msg.type != MSG_PLAN_TOLD || msg.error == 0 || loop_clock_us() - told_us < TELL_US)
			continue;
		told_us = loop_clock_us();
		log_event(LOG_LEVEL_ERROR, "taken", LOG_TEXT("what", "plan-refused"));
	}
}

/* Data connections at shared ports, of the policy's only ftp_action. */
static void plan_for_ever(const struct worker_setup *setup, uint64_t session)
{
	struct msg block[BLOCK];

	*setup->relays = UINT32_MAX; /* so that all others go to the other worker */
	report(setup, (struct msg){ .type = MSG_SESSION_LOGIN }, session);
	for (uint32_t serial = 1;; serial++) {
		for (size_t i = 0; i < BLOCK; i++)
			block[i] = (struct msg){ .type = i % 2 == 0 ? MSG_PLAN : MSG_PLAN_KEPT,
						 .session = session,
						 .serial = serial };
		flood(setup, block);
		read_answers(setup->channel);
	}
}

static void act(const struct worker_setup *setup, const char *lie, uint64_t session)
{
	if (strcmp(lie, "piece") == 0) {
		(void)!write(setup->reports, "x", 1);
		(void)eventfd_write(setup->doorbell, 1);
	}
	if (strcmp(lie, "garbage") == 0) /* in each number that it shares with the monitor */
		for (size_t i = 0; i < COUNT_CELLS; i++)
			count_write(setup->counters, i, UINT64_MAX - i * UINT64_C(0x9e3779b97f4a7c15));
	if (strcmp(lie, "garbage") == 0 || strcmp(lie, "ends-traces") == 0)
		*setup->relays = UINT32_MAX;
	if (strcmp(lie, "flood") == 0)
		withdraw_for_ever(setup, session);
	if (strcmp(lie, "plans") == 0)
		plan_for_ever(setup, session);
	for (size_t i = 0; i < NELEM(lies); i++)
		for (size_t j = 0; strcmp(lie, lies[i].name) == 0 && lies[i].says[j].type != MSG_NONE; j++)
			report(setup, lies[i].says[j], session);
}

/* attlsd drops variables that it does not know, so keep these before main(). */
static const char *how, *once, *asks;

/* The attlsd of an upgrade has no such variables, but perhaps a file beside its program: taken-how. */
static void read_how(void)
{
	static char word[32], mark[PATH_MAX];
	char path[PATH_MAX];
	int fd;

	if (program_beside("taken-how", path) < 0 || program_beside("taken-once", mark) < 0)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	if (read(fd, word, sizeof(word) - 1) > 0) {
		how = word;
		once = mark;
	}
	(void)close(fd);
}

static void keep_variables(void) __attribute__((constructor));
static void keep_variables(void)
{
	how = getenv("ATTLSD_TAKEN");
	once = getenv("ATTLSD_TAKEN_ONCE");
	asks = getenv("ATTLSD_TAKEN_ASKS");
	if (how == NULL)
		read_how();
}

/* One packet in hex digits, up to the next comma. Returns its length; moves on to the next packet. */
static size_t read_packet(const char **text, uint8_t *packet, size_t max)
{
	unsigned byte;
	size_t n = 0;

	for (; n < max && sscanf(*text, "%2x", &byte) == 1; *text += 2)
		packet[n++] = (uint8_t)byte;
	*text += **text == ',';
	return n;
}

static void tell(int number, const struct key_answer *answer, ssize_t n)
{
	log_event(LOG_LEVEL_ERROR, "taken", LOG_NUMBER("packet", number),
		  LOG_NUMBER("status", n > 0 ? answer->status : 0),
		  LOG_NUMBER("len", n > 0 ? answer->len : 0));
}

/* ATTLSD_TAKEN_ASKS: packets for the signer. */
static void ask_signer(int fd)
{
	const char *text = asks;
	struct key_answer answer = { .status = KEY_STATUS_DONE };
	uint8_t packet[1024];
	ssize_t got = 0;
	size_t n;

	for (int i = 0; strcmp(how, "asks") == 0 && *text != '\0'; i++) {
		n = read_packet(&text, packet, sizeof(packet));
		(void)send(fd, packet, n, MSG_NOSIGNAL);
		do { /* the signer's first word is that it has started */
			got = recv(fd, &answer, sizeof(answer), 0);
		} while (got > 0 && answer.status == KEY_STATUS_STARTED);
		tell(i, &answer, got);
	}
	n = read_packet(&text, packet, sizeof(packet));
	for (int i = 0; strcmp(how, "flood-signer") == 0 && i < 100000 &&
			(answer.status == KEY_STATUS_DONE || answer.status == KEY_STATUS_STARTED);
	     i++) {
		(void)send(fd, packet, n, MSG_NOSIGNAL);
		got = recv(fd, &answer, sizeof(answer), 0);
	}
	while (strcmp(how, "deaf") == 0 && send(fd, packet, n, MSG_NOSIGNAL | MSG_DONTWAIT) != -1)
		;
	for (int i = 0; strcmp(how, "empty") == 0 && i < 5; i++) { /* each looks like the socket's end */
		(void)send(fd, packet, 0, MSG_NOSIGNAL);
		got = recv(fd, &answer, sizeof(answer), 0);
	}
	if (strcmp(how, "asks") != 0)
		tell(0, &answer, got);
}

/* The answers of others to whom the operator listens are over, too. */
static void end_trace(int fd)
{
	struct answer answer = ctl_proto_answer(ANSWER_LIST_END);

	answer.u.list_end.pid = (int32_t)getpid();
	(void)ctl_proto_send(fd, &answer);
}

/* Every server is down, also those that others were asked about. */
static void answer_check(const struct worker_setup *setup, uint32_t asked)
{
	for (uint32_t serial = asked > 8 ? asked - 8 : 0; serial < asked + 8; serial++)
		report(setup,
		       (struct msg){
			   .type = MSG_CHECK_FAILED, .serial = serial, .failure = SERVER_FAILURE_REFUSED },
		       0);
}

int worker_run(const struct worker_setup *setup)
{
	const struct sandbox_worker sandbox = {
		.root = setup->root, .uid = setup->uid, .gid = setup->gid, .dials = true
	};
	const char *what;
	struct msg msg;
	int fd;

	if (!setup->first || how == NULL || open(once, O_CREAT | O_EXCL | O_CLOEXEC, 0600) == -1)
		return real_worker_run(setup);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sandbox_worker(&sandbox, &what) < 0)
		return EXIT_FAILURE;
	report(setup, (struct msg){ .type = MSG_READY }, 0);
	while (poll(&(struct pollfd){ .fd = setup->channel, .events = POLLIN }, 1, -1) == 1 &&
	       msg_receive(setup->channel, &msg, &fd) == 1 && msg.type != MSG_DRAIN)
		if (msg.type == MSG_SESSION) {
			if (setup->key == -1 || asks == NULL) {
				act(setup, how, msg.session);
				continue;
			}
			*setup->relays = UINT32_MAX; /* so that all others go to the other worker */
			ask_signer(setup->key);
		} else if (msg.type == MSG_TRACE && fd != -1 && strcmp(how, "ends-traces") == 0) {
			end_trace(fd);
		} else if (msg.type == MSG_CHECK && strcmp(how, "says-down") == 0) {
			answer_check(setup, msg.serial);
		}
	return EXIT_SUCCESS;
}
