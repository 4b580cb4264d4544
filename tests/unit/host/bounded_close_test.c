/* Neither a worker nor a peer of control_socket makes the monitor wait. */
#include "gateway/host/bounded-close.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "tests/unit/unit.h"

/* A connection with bytes that its other end does not take, and no time limit for them. */
static int lingering(int *ret_client)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 3600 };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	static const char bytes[65536];
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd;

	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	*ret_client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(*ret_client, (struct sockaddr *)&address, sizeof(address)), 0);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_int_not_equal(fd, -1);
	while (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
		;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	(void)close(listener);
	return fd;
}

static void a_lingering_socket_is_closed_at_once(void **state)
{
	int client, fd;

	(void)state;
	assert_int_equal(bounded_close_init(), 0);
	fd = lingering(&client);
	bounded_close(&fd); /* or check.sh ends the test */
	assert_int_equal(fd, -1);
	bounded_close(&fd);
	(void)close(client);
}

static void send_lingering(int channel, int *ret_client)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	char question[] = "question";
	struct iovec iov = { .iov_base = question, .iov_len = 8 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	int fd = lingering(ret_client);

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	assert_int_equal(sendmsg(channel, &message, 0), 8);
	(void)close(fd); /* not the last: the socket is in the queue */
}

static void passed_descriptors_cost_no_time(void **state)
{
	int pair[2], clients[2];
	char buf[4];

	(void)state;
	assert_int_equal(bounded_close_init(), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	send_lingering(pair[0], &clients[0]);
	send_lingering(pair[0], &clients[1]);
	assert_int_equal(bounded_receive(pair[1], buf, sizeof(buf)), 8); /* the whole length */
	assert_memory_equal(buf, "ques", 4);
	bounded_close(&pair[1]); /* with the second in its queue */
	(void)close(pair[0]);
	(void)close(clients[0]);
	(void)close(clients[1]);
}

static void errors_of_a_receive_come_through(void **state)
{
	int pair[2];
	char byte;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(bounded_receive(pair[1], &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	(void)close(pair[0]);
	assert_int_equal(bounded_receive(pair[1], &byte, 1), 0);
	(void)close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lingering_socket_is_closed_at_once),
		cmocka_unit_test(passed_descriptors_cost_no_time),
		cmocka_unit_test(errors_of_a_receive_come_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
