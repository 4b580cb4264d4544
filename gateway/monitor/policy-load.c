/*
 * Forks a process that loads the policy, and reads its result from a pipe. The process
 * keeps nothing else of the monitor's, dies with it, and ends at a deadline. It sends
 * the policy's text before it looks at an answer from the network; the monitor parses
 * that text itself and takes only addresses and ids from the rest.
 */
#include "gateway/monitor/policy-load.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/descriptors.h"
#include "gateway/base/log.h"
#include "gateway/base/shared.h"
#include "gateway/base/util.h"
#include "gateway/host/policy-file.h"
#include "gateway/host/policy-names.h"
#include "gateway/monitor/policy-parts.h"
#include "gateway/monitor/startup.h"
#include "gateway/tls/pkcs12-parts.h"
#include "gateway/tls/policy-check.h"
#include "gateway/tls/server-maps.h"

/* Two name servers that do not answer cost 20 s for one name. */
#define LOAD_LIMIT_S 60
/* The text of a policy, and the records of as many names as fit into it. */
#define RESULT_MAX (16 * 1024 * 1024)
#define READ_BYTES (64 * 1024)

/* --- the process that loads --- */

static void say_step(int fd, const char *verb, const char *object)
{
	char step[POLICY_LOAD_STEP_MAX];

	(void)snprintf(step, sizeof(step), "%s %s", verb, object);
	policy_part_send(fd, PART_STEP, step, strlen(step));
}

static void say_name(void *context, const char *name)
{
	say_step(*(const int *)context, "look up", name);
}

static int send_names(int fd, const struct policy *policy)
{
	size_t size = policy_names_size(policy);
	uint8_t *names = calloc(1, size + 1);

	if (names == NULL)
		return -ENOMEM;
	policy_names_get(policy, names);
	policy_part_send(fd, PART_NAMES, names, size);
	free(names);
	return 0;
}

/* The monitor keeps them; this process has no more to do with them. */
static int send_secrets(int fd, const struct policy *policy, struct diags *diags)
{
	struct ticket_secrets *secrets = NULL;
	int r = ticket_secrets_load(policy, diags, &secrets);

	if (secrets != NULL)
		policy_part_send(fd, PART_TICKETS, secrets, ticket_secrets_size(secrets));
	ticket_secrets_free(&secrets);
	return r;
}

/* The certificates of key rings whose files also have keys, which monitor and workers never read. */
static int send_rings(int fd, struct policy *policy, struct diags *diags)
{
	int r = pkcs12_parts_load(policy, diags);
	size_t size = r == 0 ? pkcs12_parts_size(policy) : 0;
	char *buf = malloc(size + 1);

	if (r == 0 && buf == NULL)
		r = -ENOMEM;
	if (r == 0 && size > 0) {
		pkcs12_parts_get(policy, buf);
		policy_part_send(fd, PART_RINGS, buf, size);
	}
	free(buf);
	return r;
}

/* What is sent is what is checked: the files may change between two looks. */
static int send_maps(int fd, struct policy *policy, struct diags *diags)
{
	struct server_maps *maps = NULL;
	int r = server_maps_read(policy, diags);
	size_t size = server_maps_size(policy);
	char *buf = malloc(size + 1);

	if (r == 0)
		r = server_maps_load(policy, diags, &maps);
	if (r == 0 && buf == NULL)
		r = -ENOMEM;
	if (r == 0 && size > 0) {
		server_maps_get(policy, buf);
		policy_part_send(fd, PART_MAPS, buf, size);
	}
	server_maps_free(&maps);
	free(buf);
	return r;
}

/* Keys go before names, so that none is loaded any more when answers from the network are read. */
static int examine(int fd, struct policy *policy, struct diags *diags)
{
	struct keeper_user users = { 0 };
	uint32_t good_s = 0;
	int keys, names;
	int r;

	say_step(fd, "try the certificates and keys of", diags->file);
	keys = policy_check_load(policy, diags);
	if (keys == 0)
		keys = send_secrets(fd, policy, diags);
	if (keys == 0)
		keys = send_rings(fd, policy, diags);
	if (keys == 0)
		keys = send_maps(fd, policy, diags);
	names = policy_file_resolve(policy, diags, say_name, &fd, &good_s);
	log_diags(diags);
	if (keys < 0 || names < 0)
		return keys < 0 ? keys : names;
	/* what the lookup logs follows this policy, although it is not in force yet */
	log_follow(&policy->daemon);
	say_step(fd, "look up the user", policy->daemon.user);
	r = startup_find_users(policy, diags, &users);
	if (r == 0 && policy->daemon.control_group != NULL) {
		say_step(fd, "look up the group", policy->daemon.control_group);
		r = startup_find_group(policy, diags, &users);
	}
	if (r == 0)
		r = send_names(fd, policy);
	if (r == 0) {
		policy_part_send(fd, PART_GOOD, &good_s, sizeof(good_s));
		policy_part_send(fd, PART_USERS, &users, sizeof(users));
	}
	return r;
}

static void log_kept(void *context, const char *name, const char *why)
{
	char step[POLICY_LOAD_STEP_MAX];

	(void)context;
	(void)snprintf(step, sizeof(step), "look up %s", name);
	log_event(LOG_LEVEL_WARNING, "names-not-refreshed", LOG_TEXT("step", step), LOG_TEXT("error", why));
}

/* Addresses of the policy in force, which this process has from its parent. */
static int take_names(const struct policy *from, struct policy *to)
{
	size_t size = policy_names_size(from);
	uint8_t *names = calloc(1, size + 1);
	int r = -ENOMEM;

	if (names == NULL)
		return r;
	policy_names_get(from, names);
	r = policy_names_set(to, names, size);
	free(names);
	return r;
}

static int load_names(int fd, const struct policy_load *load)
{
	struct policy *policy = NULL;
	struct diags diags;
	uint32_t good_s = 0;
	int r = policy_file_parse(load->path, load->text, load->text_len, &load->own_text, &diags, &policy);

	if (r == 0)
		r = take_names(load->current, policy);
	if (r == 0)
		policy_file_resolve_again(policy, &diags, say_name, log_kept, &fd, &good_s);
	if (r == 0)
		r = send_names(fd, policy);
	if (r == 0)
		policy_part_send(fd, PART_GOOD, &good_s, sizeof(good_s));
	policy_free(&policy);
	diags_done(&diags);
	return r;
}

static int load_all(int fd, const struct policy_load *load)
{
	struct policy_own_text own = { .file = load->own };
	struct policy *policy = NULL;
	struct diags diags;
	char *text = NULL, *mine = NULL;
	size_t len = 0;
	int r;

	say_step(fd, "read", load->path);
	r = policy_file_read(load->path, &diags, &text, &len);
	if (r == 0 && load->own != NULL) {
		say_step(fd, "read", load->own);
		r = policy_file_read_own(load->own, &diags, &mine, &own.len);
		own.text = mine;
	}
	if (r == 0) {
		policy_part_send(fd, PART_TEXT, text, len);
		if (mine != NULL)
			policy_part_send(fd, PART_OWN, mine, own.len);
		r = policy_file_parse(load->path, text, len, &own, &diags, &policy);
		if (r < 0)
			log_diags(&diags);
		else
			r = examine(fd, policy, &diags);
	} else {
		log_diags(&diags);
	}
	free(text);
	free(mine);
	policy_free(&policy);
	diags_done(&diags);
	return r;
}

static void become_loader(const struct policy_load *load, int fd, pid_t parent) __attribute__((noreturn));
static void become_loader(const struct policy_load *load, int fd, pid_t parent)
{
	sigset_t none;
	uint64_t lost;
	int r;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGINT, SIG_IGN); /* a terminal's Ctrl-C is for the monitor */
	(void)signal(SIGALRM, SIG_DFL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 || getppid() != parent ||
	    descriptors_keep(&fd, 1) < 0)
		_exit(EXIT_FAILURE);
	(void)alarm(LOAD_LIMIT_S);
	r = load->text != NULL ? load_names(DESCRIPTORS_FIRST, load) : load_all(DESCRIPTORS_FIRST, load);
	lost = log_lost();
	policy_part_send(DESCRIPTORS_FIRST, PART_LOST, &lost, sizeof(lost));
	policy_part_send(DESCRIPTORS_FIRST, PART_RESULT, &r, sizeof(r));
	_exit(EXIT_SUCCESS);
}

/* --- the monitor --- */

static void stop(struct policy_load *load)
{
	if (load->pipe.fd != -1)
		loop_unwatch(load->loop, &load->pipe);
	fd_close(&load->pipe.fd);
	loop_timer_stop(load->loop, &load->deadline);
	if (load->buf != NULL)
		explicit_bzero(load->buf, load->len);
	shared_unmap(load->buf, RESULT_MAX);
	load->buf = NULL;
	load->len = 0;
}

static void note_step(struct policy_load *load, const uint8_t *bytes, size_t len)
{
	if (len >= sizeof(load->step))
		len = sizeof(load->step) - 1;
	memcpy(load->step, bytes, len);
	load->step[len] = '\0';
}

static int make_policy(const struct policy_load *load, const struct policy_parts *parts,
		       struct policy_loaded *loaded)
{
	const char *text = load->text != NULL ? load->text : (const char *)parts->text;
	size_t len = load->text != NULL ? load->text_len : parts->text_len;
	bool whole = load->text == NULL; /* not the names only */
	const struct policy_own_text own = {
		.file = load->own,
		.text = whole ? (const char *)parts->own : load->own_text.text,
		.len = whole ? parts->own_len : load->own_text.len,
	};
	int r;

	if (parts->result == NULL)
		return -EPIPE; /* it was killed, or crashed */
	if (*parts->result != 0)
		return *parts->result < 0 ? *parts->result : -EPROTO;
	if ((load->own != NULL) != (own.text != NULL))
		return -EPROTO;
	if (text == NULL || parts->names == NULL || parts->good == NULL || (whole && parts->users == NULL))
		return -EPROTO;
	r = policy_file_parse(load->path, text, len, &own, &loaded->diags, &loaded->policy);
	if (r == 0)
		r = policy_names_set(loaded->policy, parts->names, parts->names_len);
	if (r == 0 && whole)
		r = pkcs12_parts_set(loaded->policy, parts->rings != NULL ? (const char *)parts->rings : "",
				     parts->rings_len);
	if (r == 0 && whole)
		r = server_maps_set(loaded->policy, parts->maps != NULL ? (const char *)parts->maps : "",
				    parts->maps_len);
	memcpy(&loaded->good_s, parts->good, sizeof(loaded->good_s));
	if (whole)
		memcpy(&loaded->users, parts->users, sizeof(loaded->users));
	if (r == 0 && parts->secrets != NULL) {
		loaded->secrets = ticket_secrets_take(loaded->policy, parts->secrets, parts->secrets_len);
		r = loaded->secrets == NULL ? -EPROTO : 0;
	}
	if (r == 0 && whole && geteuid() == 0 &&
	    (loaded->users.worker_uid == 0 || loaded->users.http_uid == 0))
		r = -EPROTO; /* never root, whatever the loader says */
	if (r < 0) {
		ticket_secrets_free(&loaded->secrets);
		policy_free(&loaded->policy);
		diags_done(&loaded->diags);
	}
	return r;
}

static void finish(struct policy_load *load, int r)
{
	struct policy_loaded loaded = { .policy = NULL };
	struct policy_parts parts;

	policy_parts_take(load->buf, load->len, &parts);
	if (parts.step != NULL)
		note_step(load, parts.step, parts.step_len);
	if (load->text != NULL)
		policy_digest(load->text, load->text_len, load->sha256);
	else
		policy_digest((const char *)parts.text, parts.text_len, load->sha256);
	memcpy(loaded.sha256, load->sha256, sizeof(loaded.sha256));
	log_count_lost(parts.lost);
	if (r == 0)
		r = make_policy(load, &parts, &loaded);
	stop(load);
	load->fn(load, r, r < 0 ? NULL : &loaded);
}

static void on_deadline(struct timer *timer)
{
	finish(CONTAINER_OF(timer, struct policy_load, deadline), -ETIMEDOUT);
}

static void on_pipe(struct watch *watch, uint32_t ready)
{
	struct policy_load *load = CONTAINER_OF(watch, struct policy_load, pipe);
	ssize_t n;

	(void)ready;
	if (RESULT_MAX - load->len < READ_BYTES) {
		finish(load, -EMSGSIZE);
		return;
	}
	n = read(watch->fd, load->buf + load->len, READ_BYTES);
	if (n > 0)
		load->len += (size_t)n;
	else if (n == 0)
		finish(load, 0);
	else if (errno != EAGAIN && errno != EINTR)
		finish(load, -errno);
}

void policy_load_init(struct policy_load *load, struct loop *loop, const char *path, policy_load_fn *fn)
{
	*load = (struct policy_load){ .loop = loop, .path = path, .fn = fn };
	watch_init(&load->pipe, on_pipe);
	timer_init(&load->deadline, on_deadline);
}

/* The loader has its name from its first moment, so that nobody takes it for a worker. */
static pid_t fork_named(void)
{
	char own[16] = ""; /* as prctl(2) has it */
	pid_t pid;

	(void)prctl(PR_GET_NAME, own, 0, 0, 0); /* cannot fail, and it is only a name */
	(void)prctl(PR_SET_NAME, "attlsd-load", 0, 0, 0);
	pid = fork();
	if (pid != 0)
		(void)prctl(PR_SET_NAME, own, 0, 0, 0);
	return pid;
}

static int begin(struct policy_load *load)
{
	int ends[2] = { -1, -1 };
	pid_t parent = getpid();
	int r = pipe2(ends, O_CLOEXEC) == -1 ? -errno : 0;

	load->step[0] = '\0';
	load->buf = r == 0 ? shared_map(RESULT_MAX) : NULL;
	if (r == 0 && load->buf == NULL)
		r = -ENOMEM;
	if (r == 0) {
		r = fork_named();
		if (r == 0)
			become_loader(load, ends[1], parent);
		r = r == -1 ? -errno : 0;
	}
	if (r == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1)
		r = -errno;
	if (r == 0) {
		load->pipe.fd = fd_take(&ends[0]);
		r = loop_watch(load->loop, &load->pipe, EPOLLIN);
	}
	if (r == 0)
		r = loop_timer(load->loop, &load->deadline, LOAD_LIMIT_S * 1000);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	if (r < 0)
		stop(load);
	return r;
}

int policy_load_begin(struct policy_load *load)
{
	load->text = NULL;
	return begin(load);
}

int policy_load_names(struct policy_load *load, const char *text, size_t len, const struct policy *current)
{
	load->text = text;
	load->text_len = len;
	load->current = current;
	return begin(load);
}

bool policy_load_runs(const struct policy_load *load)
{
	return load->pipe.fd != -1;
}

void policy_load_cancel(struct policy_load *load)
{
	stop(load); /* the loader ends at its next word, at its deadline or with this process */
}

const char *policy_load_error(const struct policy_load *load, int r, char *buf, size_t size)
{
	if (r == -ETIMEDOUT || r == -EPIPE)
		(void)snprintf(buf, size, "%s: %s", load->step,
			       r == -EPIPE ? "its process died" : "took too long");
	else
		(void)snprintf(buf, size, "%s", strerror(-r));
	return buf;
}
