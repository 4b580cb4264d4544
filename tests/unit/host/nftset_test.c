/* A host without netlink to its firewall is an error, and not the end of the process. */
#include "gateway/host/nftset.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static int refuse_netlink(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
			     SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0)) != 0)
		return -1;
	return seccomp_load(filter);
}

static void without_netlink(void **state)
{
	struct nftset *nftset = NULL;
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		int r = refuse_netlink() == 0 ? nftset_open("inet attlsd data", &nftset) : 0;

		_exit(r == -EAFNOSUPPORT ? 100 : 101);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_netlink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
