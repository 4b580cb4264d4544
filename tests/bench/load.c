/*
 * The load of make bench and make soak: an FTP(S) client that does one thing many times, on
 * many connections at once, at little cost of its own.
 *
 *   load MODE PORT [KEY=VALUE ...]
 *
 *   bulk     files of `size` bytes over FTP, `dir` get or put, `prot` P or C; with
 *            `check` every byte is looked at, here or by backend.c; `slow_us` is
 *            waited for before each read of a download
 *   session  whole control sessions: connect, TLS, log in, QUIT
 *   shake    a TLS handshake, and its end
 *   noop     round trips on idle sessions, `pause_us` apart
 *   idle     sessions that are logged in and do nothing
 *   raw      the bytes alone: TLS (or none) to a relay in front of backend.c
 *
 * Each connection is a coroutine, so the dialogue reads from top to bottom. The
 * program prints two lines: "ready" when everything is set up, and the result as
 * JSON. Before the work begins, and before it ends, it waits for a line on the
 * standard input, so that the caller can examine the server. The first error ends
 * the program: a benchmark with errors does not count.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_BYTES  (128 * 1024)
#define BUFFER_BYTES (256 * 1024)
#define READ_AHEAD   (128 * 1024)
#define LINE_BYTES   512
/* Byte i of a file whose bytes are checked is i modulo this; the buffer holds it a whole number of times. */
#define PATTERN	      251
#define PATTERN_BYTES (PATTERN * 1024)
/* A slow reader's socket takes no more than this at once. */
#define SLOW_BYTES (16 * 1024)

enum mode { MODE_BULK = 1, MODE_SESSION, MODE_NOOP, MODE_IDLE, MODE_RAW, MODE_SHAKE };
enum tls { TLS_NONE = 0, TLS_EXPLICIT, TLS_IMPLICIT };

static struct {
	enum mode mode;
	enum tls tls;
	uint16_t port;
	bool put, protect, resume, check;
	uint32_t n, ops, pause_us, slow_us, opening;
	uint64_t size;
	const char *user, *pass, *path, *ciphersuite;
} opt = {
	.tls = TLS_EXPLICIT,
	.protect = true,
	.n = 1,
	.ops = 1,
	.opening = 64,
	.size = 1024,
	.user = "tester",
	.pass = "secret",
	.path = "",
	.ciphersuite = "TLS_AES_128_GCM_SHA256",
};

struct task;

struct conn {
	int fd;
	SSL *ssl;
	struct task *task;
	bool ready; /* something has happened since the last look */
	size_t start, end;
	char line[LINE_BYTES];
};

struct task {
	ucontext_t context;
	struct conn *waits; /* for this one; NULL: runnable or parked */
	uint32_t number;
	bool done;
	SSL_SESSION *ticket; /* of its control connection */
	struct conn control, timer;
};

static int epoll_fd;
static ucontext_t main_context;
static struct task *tasks, *current;
static SSL_CTX *tls_ctx;
static SSL_SESSION *shared_ticket; /* of whichever control connection was last */
static int task_index;
static uint32_t opened, opening, ended, parked, left, samples;
static uint32_t *sample_ns;
static uint64_t bytes_moved, resumed;
static uint8_t *buffer, *checked, *pattern;
static bool running;

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("load: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void yield_to_main(void)
{
	if (swapcontext(&current->context, &main_context) == -1)
		die("swapcontext: %s", strerror(errno));
}

static void wait_for(struct conn *conn)
{
	while (!conn->ready) {
		current->waits = conn;
		yield_to_main();
	}
	conn->ready = false;
}

static void conn_open(struct conn *conn, int fd)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = conn };

	conn->fd = fd;
	conn->ssl = NULL;
	conn->task = current;
	conn->ready = false;
	conn->start = conn->end = 0;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == -1)
		die("epoll_ctl: %s", strerror(errno));
}

static void conn_close(struct conn *conn)
{
	if (conn->ssl != NULL) /* else OpenSSL gives up its tickets */
		SSL_set_shutdown(conn->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(conn->ssl);
	conn->ssl = NULL;
	(void)close(conn->fd);
	conn->fd = -1;
}

static void dial(struct conn *conn, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = 0, on = 1;
	socklen_t len = sizeof(error);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1)
		die("socket: %s", strerror(errno));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* else the kernel would take a whole file for a reader, however slow */
	if (opt.slow_us > 0 && conn != &current->control &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ SLOW_BYTES }, sizeof(int)) == -1)
		die("SO_RCVBUF: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1 && errno != EINPROGRESS)
		die("connect to port %u: %s", port, strerror(errno));
	conn_open(conn, fd);
	wait_for(conn);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1 || error != 0)
		die("connect to port %u: %s", port, strerror(error));
}

/* Whether an SSL call is to be repeated after a wait. */
static bool tls_again(struct conn *conn, int result, const char *what, bool *ret_end)
{
	switch (SSL_get_error(conn->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		wait_for(conn);
		return true;
	case SSL_ERROR_ZERO_RETURN:
		if (ret_end != NULL) {
			*ret_end = true;
			return false;
		}
		break;
	default:
		break;
	}
	die("TLS %s: errno %s", what, strerror(errno));
}

static void start_tls(struct conn *conn, SSL_SESSION *ticket, bool control)
{
	int result;

	conn->ssl = SSL_new(tls_ctx);
	if (conn->ssl == NULL || SSL_set_fd(conn->ssl, conn->fd) != 1)
		die("no SSL");
	SSL_set_ex_data(conn->ssl, task_index, control ? current : NULL);
	if (!control) {
		SSL_set_read_ahead(conn->ssl, 1);
		SSL_set_default_read_buffer_len(conn->ssl, READ_AHEAD);
	}
	if (ticket != NULL) {
		/* a copy, since OpenSSL lets a client use a ticket of TLS 1.3 only once */
		SSL_SESSION *copy = SSL_SESSION_dup(ticket);

		if (copy == NULL || SSL_set_session(conn->ssl, copy) != 1)
			die("no session");
		SSL_SESSION_free(copy);
	}
	ERR_clear_error();
	while ((result = SSL_connect(conn->ssl)) != 1)
		(void)tls_again(conn, result, "handshake", NULL);
	resumed += (uint64_t)SSL_session_reused(conn->ssl);
}

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
	struct task *task = SSL_get_ex_data(ssl, task_index);

	if (task == NULL)
		return 0; /* of a data connection */
	SSL_SESSION_free(task->ticket);
	task->ticket = session;
	if (opt.mode == MODE_SESSION && opt.resume && SSL_SESSION_up_ref(session) == 1) {
		SSL_SESSION_free(shared_ticket);
		shared_ticket = session;
	}
	return 1;
}

/* Up to len bytes; 0 at the end. Bytes of clear data connections are not even copied. */
static size_t conn_read(struct conn *conn, uint8_t *buf, size_t len)
{
	bool end = false;
	size_t got;
	ssize_t n;

	if (conn->ssl != NULL) {
		ERR_clear_error();
		while (SSL_read_ex(conn->ssl, buf, len, &got) != 1) {
			(void)tls_again(conn, 0, "read", &end);
			if (end)
				return 0;
		}
		return got;
	}
	while ((n = recv(conn->fd, buf, len, buf == buffer ? MSG_TRUNC : 0)) == -1) {
		if (errno != EAGAIN)
			die("recv: %s", strerror(errno));
		wait_for(conn);
	}
	return (size_t)n;
}

static void conn_write(struct conn *conn, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	size_t n;
	ERR_clear_error();
	while (len > 0) {
		if (conn->ssl != NULL) {
			if (SSL_write_ex(conn->ssl, at, len, &n) != 1) {
				(void)tls_again(conn, 0, "write", NULL);
				continue;
			}
		} else {
			ssize_t sent = send(conn->fd, at, len, MSG_NOSIGNAL);

			if (sent == -1) {
				if (errno != EAGAIN)
					die("send: %s", strerror(errno));
				wait_for(conn);
				continue;
			}
			n = (size_t)sent;
		}
		at += n;
		len -= n;
	}
}

/* One line without its CRLF; NULL at the end. Valid until the next call. */
static char *read_line(struct conn *conn)
{
	for (;;) {
		char *from = conn->line + conn->start;
		char *newline = memchr(from, '\n', conn->end - conn->start);
		size_t n;

		if (newline != NULL) {
			conn->start = (size_t)(newline - conn->line) + 1;
			newline[newline > from && newline[-1] == '\r' ? -1 : 0] = '\0';
			return from;
		}
		memmove(conn->line, from, conn->end - conn->start);
		conn->end -= conn->start;
		conn->start = 0;
		if (conn->end == LINE_BYTES)
			die("a line without an end");
		n = conn_read(conn, (uint8_t *)conn->line + conn->end, LINE_BYTES - conn->end);
		if (n == 0)
			return NULL;
		conn->end += n;
	}
}

/* The last line of one reply, whose code begins with a digit out of `want`. */
static char *expect(struct conn *conn, const char *command, const char *want)
{
	char *line;

	do {
		line = read_line(conn);
		if (line == NULL)
			die("the server hung up after %s", command);
	} while (strlen(line) < 4 || line[3] != ' ' || line[0] < '1' || line[0] > '5');
	if (strchr(want, line[0]) == NULL)
		die("%s was answered with %s", command, line);
	return line;
}

__attribute__((format(printf, 3, 4))) static char *ask(struct conn *conn, const char *want,
						       const char *format, ...)
{
	char text[LINE_BYTES];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text) - 2, format, args);
	va_end(args);
	text[len] = '\r';
	text[len + 1] = '\n';
	conn_write(conn, text, (size_t)len + 2);
	text[len] = '\0';
	return want == NULL ? NULL : expect(conn, text, want);
}

static void log_in(struct task *task)
{
	struct conn *control = &task->control;
	SSL_SESSION **ticket = opt.mode == MODE_SESSION && opt.resume ? &shared_ticket : &task->ticket;
	char *line;

	dial(control, opt.port);
	if (opt.tls == TLS_IMPLICIT)
		start_tls(control, *ticket, true);
	(void)expect(control, "connect", "2");
	if (opt.tls == TLS_EXPLICIT) {
		(void)ask(control, "2", "AUTH TLS");
		start_tls(control, *ticket, true);
	}
	line = ask(control, "23", "USER %s", opt.user);
	if (line[0] == '3')
		(void)ask(control, "2", "PASS %s", opt.pass);
	if (opt.mode != MODE_BULK)
		return;
	if (opt.tls != TLS_NONE) {
		(void)ask(control, "2", "PBSZ 0");
		(void)ask(control, "2", "PROT %c", opt.protect ? 'P' : 'C');
	}
	(void)ask(control, "2", "TYPE I");
}

static void log_out(struct task *task)
{
	char *line;

	(void)ask(&task->control, "2", "QUIT");
	do {
		line = read_line(&task->control);
	} while (line != NULL);
	conn_close(&task->control);
	SSL_SESSION_free(task->ticket);
	task->ticket = NULL;
}

static void pause_for(uint32_t us)
{
	struct itimerspec in = { .it_value = { .tv_sec = us / 1000000,
					       .tv_nsec = (long)(us % 1000000) * 1000 } };
	struct conn *timer = &current->timer;
	uint64_t times;

	if (us == 0)
		return;
	if (timer->task == NULL)
		conn_open(timer, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
	if (timerfd_settime(timer->fd, 0, &in, NULL) == -1)
		die("timerfd_settime: %s", strerror(errno));
	while (read(timer->fd, &times, sizeof(times)) == -1)
		wait_for(timer);
}

static void send_data(struct conn *conn)
{
	for (uint64_t rest = opt.size; rest > 0;) {
		size_t chunk = rest < PATTERN_BYTES ? (size_t)rest : PATTERN_BYTES;

		conn_write(conn, buffer, chunk);
		rest -= chunk;
	}
	bytes_moved += opt.size;
}

static uint64_t take_data(struct conn *conn, uint64_t most)
{
	size_t chunk = opt.slow_us > 0 ? SLOW_BYTES : BUFFER_BYTES;
	uint64_t taken = 0;
	size_t n;
	for (; taken < most; taken += n) {
		pause_for(opt.slow_us);
		n = conn_read(conn, opt.check ? checked : buffer, chunk);
		if (n == 0)
			break;
		if (opt.check && memcmp(checked, pattern + taken % PATTERN, n) != 0)
			die("a download has wrong bytes behind %llu", (unsigned long long)taken);
	}
	bytes_moved += taken;
	return taken;
}

static void end_data(struct conn *conn, bool wait)
{
	size_t n;
	int result;

	if (conn->ssl != NULL) {
		ERR_clear_error();
		while ((result = SSL_shutdown(conn->ssl)) < 0)
			(void)tls_again(conn, result, "end", NULL);
	}
	(void)shutdown(conn->fd, SHUT_WR);
	/* below TLS: the FIN is what matters, and unread bytes would turn the close into a reset */
	while (wait) {
		ssize_t got = recv(conn->fd, buffer, BUFFER_BYTES, MSG_TRUNC);

		n = got > 0 ? (size_t)got : 0;
		if (got == -1 && errno == EAGAIN)
			wait_for(conn);
		else if (n == 0)
			wait = false;
	}
	conn_close(conn);
}

static void transfer(struct task *task)
{
	struct conn *control = &task->control, data;
	unsigned port = 0;
	char *line = ask(control, "2", "EPSV");

	line = strstr(line, "|||");
	if (line == NULL || sscanf(line, "|||%u|", &port) != 1 || port == 0 || port > UINT16_MAX)
		die("no port in the reply to EPSV");
	dial(&data, (uint16_t)port);
	if (opt.put && !opt.check)
		(void)ask(control, "1", "STOR %su%u", opt.path, task->number);
	else
		(void)ask(control, "1", "%s %s%c%llu", opt.put ? "STOR" : "RETR", opt.path,
			  opt.check ? 'p' : 'z', (unsigned long long)opt.size);
	if (opt.protect && opt.tls != TLS_NONE)
		start_tls(&data, task->ticket, false);
	if (opt.put)
		send_data(&data);
	else if (take_data(&data, UINT64_MAX) != opt.size)
		die("a download is not whole");
	end_data(&data, opt.put);
	(void)expect(control, "the transfer", "2");
}

static void raw(void)
{
	struct conn conn;
	char text[64];
	int len =
	    snprintf(text, sizeof(text), "%s %llu\n", opt.put ? "PUT" : "GET", (unsigned long long)opt.size);

	dial(&conn, opt.port);
	if (opt.tls != TLS_NONE)
		start_tls(&conn, opt.resume ? current->ticket : NULL, true);
	conn_write(&conn, text, (size_t)len);
	if (opt.put) {
		send_data(&conn);
		if (conn_read(&conn, (uint8_t *)text, sizeof(text)) == 0)
			die("an upload was not confirmed");
	} else if (take_data(&conn, opt.size) != opt.size) {
		die("a download is not whole");
	}
	end_data(&conn, false);
}

static void shake(void)
{
	struct conn conn;

	dial(&conn, opt.port);
	start_tls(&conn, NULL, true);
	end_data(&conn, true);
}

/* Until the others have come as far. */
static void meet(void)
{
	parked++;
	current->waits = NULL;
	yield_to_main();
}

static void work(struct task *task)
{
	while (left > 0) {
		uint64_t start;

		left--;
		pause_for(opt.pause_us);
		start = now_ns();
		switch (opt.mode) {
		case MODE_BULK:
			transfer(task);
			break;
		case MODE_SESSION:
			log_in(task);
			log_out(task);
			break;
		case MODE_NOOP:
			(void)ask(&task->control, "2", "NOOP");
			break;
		case MODE_RAW:
			raw();
			break;
		case MODE_SHAKE:
			shake();
			break;
		case MODE_IDLE:
			break;
		}
		start = now_ns() - start;
		sample_ns[samples++] = start < UINT32_MAX ? (uint32_t)start : UINT32_MAX;
	}
}

static void life(void)
{
	struct task *task = current;

	if (opt.mode == MODE_SESSION) {
		if (opt.resume && task->number == 0) { /* a ticket for everybody */
			log_in(task);
			log_out(task);
		}
	} else if (opt.mode != MODE_RAW && opt.mode != MODE_SHAKE) {
		log_in(task);
	}
	opening--;
	meet();
	work(task);
	meet();
	task->done = true;
	ended++;
	yield_to_main();
}

static void resume_task(struct task *task)
{
	current = task;
	task->waits = NULL;
	if (swapcontext(&main_context, &task->context) == -1)
		die("swapcontext: %s", strerror(errno));
}

static void start_task(struct task *task, uint32_t number)
{
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED || getcontext(&task->context) == -1)
		die("no memory for a stack");
	task->number = number;
	task->context.uc_stack.ss_sp = stack;
	task->context.uc_stack.ss_size = STACK_BYTES;
	task->context.uc_link = &main_context;
	makecontext(&task->context, life, 0);
	opened++;
	opening++;
	resume_task(task);
}

/* Until every task is parked. */
static void turn_until_parked(void)
{
	struct epoll_event events[256];

	while (parked < opt.n) {
		int n;

		/* sessions are opened a few at a time: a storm would measure the listen queue */
		while (opened < opt.n && opening < opt.opening)
			start_task(&tasks[opened], opened);
		if (parked == opt.n)
			break;
		n = epoll_wait(epoll_fd, events, 256, running ? 60000 : 30000);
		if (n == 0)
			die("nothing happens any more: %u of %u have come so far", parked, opt.n);
		if (n == -1 && errno != EINTR)
			die("epoll_wait: %s", strerror(errno));
		for (int i = 0; i < n; i++) {
			struct conn *conn = events[i].data.ptr;

			conn->ready = true;
			if (conn->task->waits == conn)
				resume_task(conn->task);
		}
	}
}

static void wait_for_line(void)
{
	char byte = 0;

	while (byte != '\n')
		if (read(STDIN_FILENO, &byte, 1) != 1)
			exit(0);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static double percentile_us(double part)
{
	return samples == 0 ? 0 : sample_ns[(uint32_t)(part * (samples - 1))] / 1000.0;
}

static void report(uint64_t took_ns)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	qsort(sample_ns, samples, sizeof(*sample_ns), by_size);
	printf("{\"ops\": %u, \"bytes\": %llu, \"seconds\": %.6f, \"resumed\": %llu, \"p50_us\": %.1f, "
	       "\"p90_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"load_cpu\": %.3f}\n",
	       samples, (unsigned long long)bytes_moved, (double)took_ns / 1e9, (unsigned long long)resumed,
	       percentile_us(0.5), percentile_us(0.9), percentile_us(0.99), percentile_us(1.0),
	       (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	(void)fflush(stdout);
}

static void set_option(char *text)
{
	char *value = strchr(text, '=');
	unsigned long long number;

	if (value == NULL)
		die("%s is no KEY=VALUE", text);
	*value++ = '\0';
	number = strtoull(value, NULL, 10);
	if (strcmp(text, "tls") == 0)
		opt.tls = *value == 'e' ? TLS_EXPLICIT : *value == 'i' ? TLS_IMPLICIT : TLS_NONE;
	else if (strcmp(text, "dir") == 0)
		opt.put = strcmp(value, "put") == 0;
	else if (strcmp(text, "prot") == 0)
		opt.protect = *value == 'P';
	else if (strcmp(text, "resume") == 0)
		opt.resume = number != 0;
	else if (strcmp(text, "n") == 0)
		opt.n = (uint32_t)number;
	else if (strcmp(text, "ops") == 0)
		opt.ops = (uint32_t)number;
	else if (strcmp(text, "opening") == 0)
		opt.opening = (uint32_t)number;
	else if (strcmp(text, "pause_us") == 0)
		opt.pause_us = (uint32_t)number;
	else if (strcmp(text, "slow_us") == 0)
		opt.slow_us = (uint32_t)number;
	else if (strcmp(text, "check") == 0)
		opt.check = number != 0;
	else if (strcmp(text, "size") == 0)
		opt.size = number;
	else if (strcmp(text, "user") == 0)
		opt.user = value;
	else if (strcmp(text, "pass") == 0)
		opt.pass = value;
	else if (strcmp(text, "path") == 0)
		opt.path = value;
	else if (strcmp(text, "ciphersuite") == 0)
		opt.ciphersuite = value;
	else
		die("no such key: %s", text);
}

static void set_up(int argc, char **argv)
{
	static const char *const modes[] = { "", "bulk", "session", "noop", "idle", "raw", "shake" };
	struct rlimit files;

	for (size_t i = 1; argc >= 3 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(argv[1], modes[i]) == 0)
			opt.mode = (enum mode)i;
	if (opt.mode == 0)
		die("usage: load bulk|session|noop|idle|raw|shake PORT [KEY=VALUE ...]");
	opt.port = (uint16_t)strtoul(argv[2], NULL, 10);
	for (int i = 3; i < argc; i++)
		set_option(argv[i]);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	tls_ctx = SSL_CTX_new(TLS_client_method());
	task_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (tls_ctx == NULL || SSL_CTX_set_min_proto_version(tls_ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(tls_ctx, opt.ciphersuite) != 1)
		die("no TLS");
	SSL_CTX_set_session_cache_mode(tls_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(tls_ctx, on_ticket);
	SSL_CTX_set_mode(tls_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(tls_ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	tasks = calloc(opt.n, sizeof(*tasks));
	sample_ns = calloc((size_t)opt.ops + 1, sizeof(*sample_ns));
	buffer = malloc(BUFFER_BYTES);
	checked = malloc(BUFFER_BYTES);
	pattern = malloc(BUFFER_BYTES + PATTERN);
	if (epoll_fd == -1 || tasks == NULL || sample_ns == NULL || buffer == NULL || checked == NULL ||
	    pattern == NULL)
		die("no memory");
	for (size_t i = 0; i < BUFFER_BYTES + PATTERN; i++)
		pattern[i] = (uint8_t)(i % PATTERN);
	memcpy(buffer, pattern, BUFFER_BYTES);
}

int main(int argc, char **argv)
{
	uint64_t start;

	set_up(argc, argv);
	turn_until_parked();
	puts("ready");
	(void)fflush(stdout);
	wait_for_line();
	parked = 0;
	left = opt.ops;
	bytes_moved = resumed = 0;
	running = true;
	start = now_ns();
	for (uint32_t i = 0; i < opt.n; i++)
		resume_task(&tasks[i]);
	turn_until_parked();
	report(now_ns() - start);
	wait_for_line();
	return 0;
}
