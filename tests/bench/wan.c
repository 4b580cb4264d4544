/*
 * The slow path of make bench: a TUN device in each of two network namespaces, and between them a queue in
 * each direction that delays packets, limits their rate and loses some. Works on kernels without netem; and
 * with the same seed the same packets are lost (the first, the thousandth ...), so that all peers have the
 * same path.
 *
 *   wan NEAR FAR MBIT PACKETS
 *
 * NEAR and FAR are files of namespaces, PACKETS is the length of each queue. Prints "up" when the devices
 * wan0 (in NEAR) and wan1 (in FAR) are there. Each line "DELAY-US LOST SEED" on the standard input sets the
 * delay in each direction and how many of 100,000 packets are lost, empties the queues and is answered with
 * "ok".
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define SLOTS	     16384 /* 75 ms at 1 Gbit/s, and more than any queue in front of it */
#define PACKET_BYTES 1500
#define BURST	     64
#define LOSS_WHOLE   100000
/* Packets that leave within this time of each other leave together; saves wake-ups. */
#define TOGETHER_NS 100000
#define SECOND_NS   1000000000

struct packet {
	uint64_t due_ns;
	size_t len;
	uint8_t bytes[PACKET_BYTES];
};

struct direction {
	int from, to;
	uint64_t head, tail; /* packets sent, packets received, ever */
	uint64_t busy_ns;    /* when the last bit of the queue is on the line */
	unsigned short random[3];
	struct packet *ring;
};

static struct {
	uint64_t delay_ns, bits_per_s, queue_ns;
	double loss;
} path;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) == -1)
		die("clock_gettime");
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static uint64_t line_ns(size_t bytes)
{
	return bytes * 8 * SECOND_NS / path.bits_per_s;
}

static int open_device(const char *namespace, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open(namespace, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || setns(fd, CLONE_NEWNET) == -1)
		die(namespace);
	(void)close(fd);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd == -1 || ioctl(fd, TUNSETIFF, &request) == -1)
		die("/dev/net/tun");
	return fd;
}

static void take(struct direction *way)
{
	for (int i = 0; i < BURST && way->tail - way->head < SLOTS; i++) {
		struct packet *packet = &way->ring[way->tail % SLOTS];
		ssize_t n = read(way->from, packet->bytes, sizeof(packet->bytes));
		uint64_t now = now_ns();
		uint64_t start = way->busy_ns > now ? way->busy_ns : now;

		if (n <= 0)
			return;
		if (erand48(way->random) < path.loss || start - now > path.queue_ns)
			continue;
		way->busy_ns = start + line_ns((size_t)n);
		packet->len = (size_t)n;
		packet->due_ns = way->busy_ns + path.delay_ns;
		way->tail++;
	}
}

static void deliver(struct direction *way, uint64_t now)
{
	for (; way->head != way->tail && way->ring[way->head % SLOTS].due_ns <= now; way->head++) {
		const struct packet *packet = &way->ring[way->head % SLOTS];

		/* a receiver without room loses it, as any network card does */
		(void)!write(way->to, packet->bytes, packet->len);
	}
}

static bool set_path(struct direction ways[static 2])
{
	char line[80];
	uint64_t delay_us, lost;
	unsigned seed;

	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	if (sscanf(line, "%" SCNu64 " %" SCNu64 " %u", &delay_us, &lost, &seed) != 3)
		exit(2);
	path.delay_ns = delay_us * 1000;
	path.loss = (double)lost / LOSS_WHOLE;
	for (int i = 0; i < 2; i++) {
		const unsigned short random[3] = { (unsigned short)i, (unsigned short)seed,
						   (unsigned short)(seed >> 16) };

		ways[i].head = ways[i].tail;
		ways[i].busy_ns = 0;
		memcpy(ways[i].random, random, sizeof(random));
	}
	return puts("ok") != EOF && fflush(stdout) == 0;
}

/* The time until a packet is due, or until one can be put into the ring. */
static struct timespec wait_for(const struct direction ways[static 2], uint64_t now)
{
	uint64_t next = now + SECOND_NS;
	uint64_t wait;

	for (int i = 0; i < 2; i++)
		if (ways[i].head != ways[i].tail && ways[i].ring[ways[i].head % SLOTS].due_ns < next)
			next = ways[i].ring[ways[i].head % SLOTS].due_ns;
	wait = next > now + TOGETHER_NS ? next - now : TOGETHER_NS;
	return (struct timespec){ .tv_sec = (time_t)(wait / SECOND_NS), .tv_nsec = (long)(wait % SECOND_NS) };
}

int main(int argc, char **argv)
{
	struct direction ways[2] = { 0 };
	struct pollfd polled[3] = { { .fd = STDIN_FILENO, .events = POLLIN } };

	if (argc != 5) {
		fputs("usage: wan NEAR FAR MBIT PACKETS\n", stderr);
		return 2;
	}
	path.bits_per_s = strtoull(argv[3], NULL, 10) * 1000000;
	path.queue_ns = strtoull(argv[4], NULL, 10) * line_ns(PACKET_BYTES);
	ways[0].from = ways[1].to = open_device(argv[1], "wan0");
	ways[1].from = ways[0].to = open_device(argv[2], "wan1");
	for (int i = 0; i < 2; i++) {
		polled[1 + i] = (struct pollfd){ .fd = ways[i].from, .events = POLLIN };
		ways[i].ring = calloc(SLOTS, sizeof(*ways[i].ring));
		if (ways[i].ring == NULL)
			die("calloc");
	}
	(void)prctl(PR_SET_TIMERSLACK, 1000); /* the default is 50 us */
	if (puts("up") == EOF || fflush(stdout) == EOF)
		die("stdout");
	for (;;) {
		struct timespec wait = wait_for(ways, now_ns());

		if (ppoll(polled, 3, &wait, NULL) == -1)
			die("ppoll");
		if (polled[0].revents != 0 && !set_path(ways))
			return 0;
		for (int i = 0; i < 2; i++) {
			take(&ways[i]);
			deliver(&ways[i], now_ns());
		}
	}
}
