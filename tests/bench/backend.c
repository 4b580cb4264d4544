/*
 * The server for make bench and make soak: cleartext FTP, one process, epoll, no
 * files. RETR zN sends N bytes, and STOR discards what it receives, both with as few
 * copies as the kernel allows, so that the proxy causes most of the cost. Each of the
 * N bytes of RETR pN depends on its place in the file, and STOR pN answers 550 unless
 * it receives the same bytes.
 *
 *   backend CONTROL-PORT RAW-PORT FIRST-DATA-PORT
 *
 * The raw port is for relays without FTP: the answer to "GET N\n" is N bytes, that
 * to "PUT N\n" and N bytes is "OK\n".
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
/* Byte i of a file whose bytes are checked is i modulo this. */
#define PATTERN 251

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
	bool checked; /* the bytes tell their place */
	bool wrong;
	uint64_t left, moved;
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
	say(session, session->wrong ? "550 not what was sent\r\n" : "226 done\r\n");
}

static void run_send(struct session *session)
{
	off_t at = session->checked ? (off_t)(session->moved % PATTERN) : 0;
	size_t chunk = session->left < PIECE_BYTES ? (size_t)session->left : PIECE_BYTES;
	ssize_t n = session->left == 0 ? 0 : sendfile(session->data.fd, source_fd, &at, chunk);

	/* one chunk a turn: others wait for their NOOP */
	if (n == -1 && errno == EAGAIN)
		return;
	if (n < 0 || (n == 0 && session->left > 0)) {
		bury(session);
		return;
	}
	session->left -= (uint64_t)n;
	session->moved += (uint64_t)n;
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

/* An upload whose bytes are checked. */
static void run_check(struct session *session)
{
	uint8_t bytes[64 * 1024];
	ssize_t n;

	while ((n = recv(session->data.fd, bytes, sizeof(bytes), 0)) > 0) {
		session->wrong = session->wrong || (uint64_t)n > session->left;
		for (ssize_t i = 0; i < n && !session->wrong; i++)
			session->wrong = bytes[i] != (session->moved + (uint64_t)i) % PATTERN;
		session->moved += (uint64_t)n;
		session->left -= session->wrong ? 0 : (uint64_t)n;
	}
	if (n == -1 && errno == EAGAIN)
		return;
	session->wrong = session->wrong || session->left > 0;
	task_over(session);
}

static void run_take(struct session *session)
{
	while (session->left > 0) {
		size_t chunk = session->left < PIECE_BYTES ? (size_t)session->left : PIECE_BYTES;
		/* TCP frees the bytes without a copy */
		ssize_t n = recv(session->data.fd, NULL, chunk, MSG_TRUNC);

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
	else if (session->task == TASK_TAKE && session->checked)
		run_check(session);
	else if (session->task == TASK_TAKE)
		run_take(session);
}

static void begin(struct session *session, enum task task, uint64_t size, bool checked)
{
	if (session->data.fd == -1 && session->listener.fd == -1) {
		say(session, "425 no data connection\r\n");
		return;
	}
	session->task = task;
	session->left = size;
	session->moved = 0;
	session->checked = checked;
	session->wrong = false;
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
	const char *digits = strpbrk(name, "0123456789");

	return digits == NULL ? 0 : strtoull(digits, NULL, 10);
}

static bool is_checked(const char *name)
{
	return name[0] == 'p';
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
		begin(session, TASK_SEND, size_of(arg), is_checked(arg));
	} else if (strcasecmp(line, "STOR") == 0) {
		begin(session, TASK_TAKE, is_checked(arg) ? size_of(arg) : UINT64_MAX, is_checked(arg));
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

/* What is sent, as often as it takes. */
static void make_source(void)
{
	uint8_t *bytes;

	source_fd = memfd_create("source", MFD_CLOEXEC);
	if (source_fd == -1 || ftruncate(source_fd, SOURCE_BYTES) == -1)
		die("memfd");
	bytes = mmap(NULL, SOURCE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, source_fd, 0);
	if (bytes == MAP_FAILED)
		die("mmap");
	for (size_t i = 0; i < SOURCE_BYTES; i++)
		bytes[i] = (uint8_t)(i % PATTERN);
	(void)munmap(bytes, SOURCE_BYTES);
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
	make_source();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd == -1)
		die("epoll_create1");
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
