/* No worker makes the monitor wait in close(). */
#include "gateway/monitor/bounded-close.h"

#include <fcntl.h>
#include <netinet/in.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lingering_socket_is_closed_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
