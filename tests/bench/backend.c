/*
 * The server behind every proxy of make bench: cleartext FTP, one process,
 * epoll, no files. RETR zN sends N bytes, STOR throws away what comes, both with
 * as few copies as the kernel allows, so that the cost is the proxy's.
 *
 *   backend CONTROL-PORT RAW-PORT FIRST-DATA-PORT
 *
 * The raw port is for relays that know no FTP: "GET N\n" is answered with N
 * bytes, "PUT N\n" and N bytes with "OK\n".
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_BYTES   512
#define SOURCE_BYTES (4 * 1024 * 1024)
#define PIECE_BYTES  (512 * 1024)
#define DATA_PORTS   10000

enum kind {
	KIND_CONTROL_LISTENER = 0,
	KIND_RAW_LISTENER,
	KIND_CONTROL,
	KIND_RAW,
	KIND_DATA_LISTENER,
	KIND_DATA
};
enum task { TASK_NONE = 0, TASK_SEND, TASK_TAKE };

struct session;

struct end {
	int fd;
	enum kind kind;
	struct session *session;
};

/* A control connection with its data connection, or a raw connection (which is its own data connection). */
struct session {
	struct end control, listener, data;
	enum task task;
	uint64_t left;
	size_t len;
	bool dead;
	struct session *next_dead;
	char line[LINE_BYTES];
};

static int epoll_fd, source_fd;
static uint16_t first_data_port;
static uint32_t data_ports;
static struct session *graveyard;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(struct end *end, uint32_t events, int op)
{
	struct epoll_event event = { .events = events, .data.ptr = end };

	if (epoll_ctl(epoll_fd, op, end->fd, &event) == -1)
		die("epoll_ctl");
}

static int listen_on(uint16_t port, int backlog)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1)
		die("socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, backlog) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void close_end(struct end *end)
{
	if (end->fd != -1)
		(void)close(end->fd);
	end->fd = -1;
}

/* Events of this turn may still point at it. */
static void bury(struct session *session)
{
	if (session->dead)
		return;
	session->dead = true;
	close_end(&session->control);
	close_end(&session->listener);
	close_end(&session->data);
	session->next_dead = graveyard;
	graveyard = session;
}

static void say(struct session *session, const char *text)
{
	if (send(session->control.fd, text, strlen(text), MSG_NOSIGNAL) == -1)
		bury(session);
}

static void task_over(struct session *session)
{
	session->task = TASK_NONE;
	if (session->control.kind == KIND_RAW) {
		close_end(&session->data);
		bury(session);
		return;
	}
	close_end(&session->data);
	say(session, "226 done\r\n");
}

static void run_send(struct session *session)
{
	off_t at = 0;
	size_t piece = session->left < PIECE_BYTES ? (size_t)session->left : PIECE_BYTES;
	ssize_t n = session->left == 0 ? 0 : sendfile(session->data.fd, source_fd, &at, piece);

	/* one piece a turn: others wait for their NOOP */
	if (n == -1 && errno == EAGAIN)
		return;
	if (n < 0 || (n == 0 && session->left > 0)) {
		bury(session);
		return;
	}
	session->left -= (uint64_t)n;
	if (session->left > 0)
		return;
	if (session->control.kind == KIND_RAW) {
		(void)shutdown(session->data.fd, SHUT_WR);
		session->task = TASK_TAKE; /* until the other side has closed */
		session->left = UINT64_MAX;
		watch(&session->data, EPOLLIN, EPOLL_CTL_MOD);
		return;
	}
	task_over(session);
}

static void run_take(struct session *session)
{
	while (session->left > 0) {
		size_t piece = session->left < PIECE_BYTES ? (size_t)session->left : PIECE_BYTES;
		/* TCP frees the bytes without a copy */
		ssize_t n = recv(session->data.fd, NULL, piece, MSG_TRUNC);

		if (n == -1 && errno == EAGAIN)
			return;
		if (n <= 0)
			break;
		session->left -= (uint64_t)n;
	}
	if (session->control.kind == KIND_RAW && session->left == 0)
		(void)send(session->data.fd, "OK\n", 3, MSG_NOSIGNAL);
	task_over(session);
}

static void run_task(struct session *session)
{
	if (session->data.fd == -1)
		return;
	if (session->task == TASK_SEND)
		run_send(session);
	else if (session->task == TASK_TAKE)
		run_take(session);
}

static void begin(struct session *session, enum task task, uint64_t size)
{
	if (session->data.fd == -1 && session->listener.fd == -1) {
		say(session, "425 no data connection\r\n");
		return;
	}
	session->task = task;
	session->left = size;
	say(session, "150 go\r\n");
	if (session->dead || session->data.fd == -1)
		return;
	watch(&session->data, task == TASK_SEND ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
	run_task(session);
}

static void passive(struct session *session, bool extended)
{
	char text[64];
	uint16_t port = 0;

	close_end(&session->data);
	close_end(&session->listener);
	for (int i = 0; i < DATA_PORTS && session->listener.fd == -1; i++) {
		port = (uint16_t)(first_data_port + data_ports++ % DATA_PORTS);
		session->listener.fd = listen_on(port, 1);
	}
	if (session->listener.fd == -1) {
		say(session, "425 no port\r\n");
		return;
	}
	watch(&session->listener, EPOLLIN, EPOLL_CTL_ADD);
	if (extended)
		(void)snprintf(text, sizeof(text), "229 Extended passive (|||%u|)\r\n", port);
	else
		(void)snprintf(text, sizeof(text), "227 Passive (127,0,0,1,%u,%u)\r\n", port >> 8,
			       port & 255);
	say(session, text);
}

static const struct {
	const char *verb, *reply;
} fixed[] = {
	{ "NOOP", "200 ok\r\n" },
	{ "USER", "331 password\r\n" },
	{ "PASS", "230 in\r\n" },
	{ "TYPE", "200 ok\r\n" },
	{ "MODE", "200 ok\r\n" },
	{ "STRU", "200 ok\r\n" },
	{ "SYST", "215 UNIX Type: L8\r\n" },
	{ "PWD", "257 \"/\"\r\n" },
	{ "CWD", "250 ok\r\n" },
	{ "OPTS", "200 ok\r\n" },
	{ "ABOR", "226 ok\r\n" },
	{ "FEAT", "211-Features:\r\n EPSV\r\n SIZE\r\n UTF8\r\n211 End\r\n" },
};

static uint64_t size_of(const char *name)
{
	const char *z = strrchr(name, 'z');

	return z == NULL ? 0 : strtoull(z + 1, NULL, 10);
}

static void command(struct session *session, char *line)
{
	char *arg = strchr(line, ' ');
	char text[64];

	if (arg != NULL)
		*arg++ = '\0';
	else
		arg = line + strlen(line);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (strcasecmp(line, fixed[i].verb) == 0) {
			say(session, fixed[i].reply);
			return;
		}
	}
	if (strcasecmp(line, "EPSV") == 0) {
		passive(session, true);
	} else if (strcasecmp(line, "PASV") == 0) {
		passive(session, false);
	} else if (strcasecmp(line, "RETR") == 0) {
		begin(session, TASK_SEND, size_of(arg));
	} else if (strcasecmp(line, "STOR") == 0) {
		begin(session, TASK_TAKE, UINT64_MAX);
	} else if (strcasecmp(line, "SIZE") == 0) {
		(void)snprintf(text, sizeof(text), "213 %llu\r\n", (unsigned long long)size_of(arg));
		say(session, text);
	} else if (strcasecmp(line, "QUIT") == 0) {
		say(session, "221 bye\r\n");
		bury(session);
	} else {
		say(session, "502 no\r\n");
	}
}

static void raw_command(struct session *session, const char *line)
{
	session->data = (struct end){ session->control.fd, KIND_DATA, session };
	session->control.fd = -1;
	session->task = line[0] == 'G' ? TASK_SEND : TASK_TAKE;
	session->left = strtoull(line + 4, NULL, 10);
	watch(&session->data, line[0] == 'G' ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
	run_task(session);
}

static void on_control(struct session *session)
{
	bool is_raw = session->control.kind == KIND_RAW;
	size_t room = sizeof(session->line) - 1 - session->len;
	ssize_t n;
	char *newline;

	/* a raw upload follows its line at once: leave it where it is */
	n = recv(session->control.fd, session->line + session->len, is_raw ? 1 : room, 0);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0 || room <= 1) {
		bury(session);
		return;
	}
	session->len += (size_t)n;
	session->line[session->len] = '\0';
	if (is_raw) {
		if (session->line[session->len - 1] == '\n')
			raw_command(session, session->line);
		return;
	}
	while (!session->dead && (newline = memchr(session->line, '\n', session->len)) != NULL) {
		size_t used = (size_t)(newline - session->line) + 1;

		newline[newline > session->line && newline[-1] == '\r' ? -1 : 0] = '\0';
		command(session, session->line);
		session->len -= used;
		memmove(session->line, session->line + used, session->len);
	}
}

static void on_data_listener(struct session *session)
{
	int fd = accept4(session->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd == -1)
		return;
	close_end(&session->listener);
	session->data = (struct end){ fd, KIND_DATA, session };
	watch(&session->data,
	      session->task == TASK_SEND   ? EPOLLOUT
	      : session->task == TASK_TAKE ? EPOLLIN
					   : 0,
	      EPOLL_CTL_ADD);
	run_task(session);
}

static void on_listener(struct end *end)
{
	int on = 1;
	int fd;

	while ((fd = accept4(end->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		struct session *session = calloc(1, sizeof(*session));

		if (session == NULL)
			die("calloc");
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		session->listener = session->data = (struct end){ -1, KIND_DATA, session };
		session->listener.kind = KIND_DATA_LISTENER;
		session->control = (struct end){ fd, KIND_RAW, session };
		if (end->kind == KIND_CONTROL_LISTENER) {
			session->control.kind = KIND_CONTROL;
			say(session, "220 ready\r\n");
		}
		if (!session->dead)
			watch(&session->control, EPOLLIN, EPOLL_CTL_ADD);
	}
}

static void on_event(struct end *end, uint32_t events)
{
	if (end->kind == KIND_CONTROL_LISTENER || end->kind == KIND_RAW_LISTENER) {
		on_listener(end);
		return;
	}
	if (end->session->dead || end->fd == -1)
		return;
	switch (end->kind) {
	case KIND_CONTROL_LISTENER:
	case KIND_RAW_LISTENER:
		break;
	case KIND_CONTROL:
	case KIND_RAW:
		on_control(end->session);
		break;
	case KIND_DATA_LISTENER:
		on_data_listener(end->session);
		break;
	case KIND_DATA:
		if (end->session->task == TASK_NONE && events & (EPOLLERR | EPOLLHUP))
			close_end(end);
		else
			run_task(end->session);
		break;
	}
}

int main(int argc, char **argv)
{
	struct end control = { -1, KIND_CONTROL_LISTENER, NULL }, bytes = { -1, KIND_RAW_LISTENER, NULL };
	struct epoll_event events[256];
	struct rlimit files;

	if (argc != 4) {
		fputs("usage: backend CONTROL-PORT RAW-PORT FIRST-DATA-PORT\n", stderr);
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	(void)signal(SIGPIPE, SIG_IGN); /* sendfile(2) raises it */
	first_data_port = (uint16_t)strtoul(argv[3], NULL, 10);
	source_fd = memfd_create("source", MFD_CLOEXEC);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (source_fd == -1 || epoll_fd == -1 || ftruncate(source_fd, SOURCE_BYTES) == -1)
		die("memfd");
	control.fd = listen_on((uint16_t)strtoul(argv[1], NULL, 10), 4096);
	bytes.fd = listen_on((uint16_t)strtoul(argv[2], NULL, 10), 4096);
	if (control.fd == -1 || bytes.fd == -1)
		die("listen");
	watch(&control, EPOLLIN, EPOLL_CTL_ADD);
	watch(&bytes, EPOLLIN, EPOLL_CTL_ADD);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, 256, -1);

		if (n == -1 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++)
			on_event(events[i].data.ptr, events[i].events);
		while (graveyard != NULL) {
			struct session *session = graveyard;

			graveyard = session->next_dead;
			free(session);
		}
	}
}
