/*
 * Sets what attlsd inherits from its starter to known values, because some of it
 * would end attlsd or break it: if SIGCHLD is ignored, nobody learns that a worker has
 * died; if descriptor 2 is closed, a listener gets that number, and the log goes there;
 * a soft limit kills by signal. attlsd.c calls it before anything else.
 */
#include "gateway/host/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "gateway/base/util.h"

extern char **environ;

/* attlsd acts on these, so they must not stay ignored (nohup ignores SIGHUP). */
static const int acted_on[] = { SIGCHLD, SIGHUP, SIGINT, SIGTERM };

/* What would otherwise end or stop attlsd, and says nothing about attlsd itself. */
static const int harmless[] = {
	SIGPIPE, /* nobody reads the log any more */
	SIGXFSZ, /* the log has reached RLIMIT_FSIZE; the write fails instead */
	SIGXCPU, /* the soft limit; nothing can be done about the hard one */
	SIGTTOU, /* the log is a terminal, and attlsd runs in its background */
	SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT,
};

/*
 * The variables that attlsd and its libraries may read. All others are removed:
 * SSLKEYLOGFILE would write keys to a file, HOSTALIASES would send sessions to another
 * server.
 */
static const char *const variables[] = {
	"JOURNAL_STREAM", "NOTIFY_SOCKET",     "WATCHDOG_PID",
	"WATCHDOG_USEC",  "OPENSSL_CONF",      "OPENSSL_MODULES",
	"SOFTHSM2_CONF",  "OPENSSL_ENGINES",   "SSL_CERT_FILE",
	"SSL_CERT_DIR",	  "RES_OPTIONS",       "LOCALDOMAIN",
	"PATH",		  "ASAN_OPTIONS",      "UBSAN_OPTIONS",
	"LSAN_OPTIONS",	  "LLVM_PROFILE_FILE", "TZ", /* of the xferlog */
};

static void reset_signals(void)
{
	const struct itimerval never = { .it_value = { 0, 0 } };
	sigset_t none;

	/* none of these calls can fail with numbers of existing signals and timers */
	for (size_t i = 0; i < NELEM(acted_on); i++)
		(void)signal(acted_on[i], SIG_DFL);
	for (size_t i = 0; i < NELEM(harmless); i++)
		(void)signal(harmless[i], SIG_IGN);
	for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
		(void)signal(number, SIG_IGN);
	(void)setitimer(ITIMER_REAL, &never, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Without this, a socket could become descriptor 2, and a peer would read the log. */
static int fill_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", O_RDWR) == -1) /* takes the lowest free one */
			return -errno;
	return 0;
}

/* Only the hard limits count. The one for files is raised later, with a line in the log. */
static void reset_limits(void)
{
	static const int resources[] = { RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_AS, RLIMIT_NPROC };
	struct rlimit limit;

	for (size_t i = 0; i < NELEM(resources); i++) {
		if (getrlimit(resources[i], &limit) == -1)
			continue;
		limit.rlim_cur = limit.rlim_max;
		/* cannot fail: the soft limit may always be raised to the hard one */
		(void)setrlimit(resources[i], &limit);
	}
}

static bool is_kept(const char *variable)
{
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < NELEM(variables); i++)
		if (strlen(variables[i]) == len && strncmp(variable, variables[i], len) == 0)
			return true;
	return false;
}

static void reset_environment(void)
{
	char **kept = environ;

	if (environ == NULL)
		return;
	for (char **from = environ; *from != NULL; from++)
		if (is_kept(*from))
			*kept++ = *from;
	*kept = NULL;
}

/* The number in a variable; 0: there is none. */
static unsigned long number_of(const char *variable)
{
	const char *text = getenv(variable);
	char *end = NULL;
	unsigned long number = text != NULL && text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;

	return end != NULL && *end == '\0' ? number : 0;
}

/* Names between colons, in the order of the descriptors; missing ones stay empty. */
static void take_names(struct inherited *inherited)
{
	const char *at = getenv("LISTEN_FDNAMES");

	for (size_t i = 0; at != NULL && i < inherited->nsockets; i++) {
		size_t len = strcspn(at, ":");

		memcpy(inherited->names[i], at, len < INHERITED_NAME_MAX ? len : INHERITED_NAME_MAX - 1);
		at = at[len] == ':' ? at + len + 1 : NULL;
	}
}

/* Variables that are meant for another process count for nothing. Returns how many descriptors stay. */
static int take_descriptors(struct inherited *inherited)
{
	const unsigned long own = (unsigned long)getpid();
	unsigned long n;

	if (number_of(INHERITED_HANDOVER) == own) {
		inherited->handover = STDERR_FILENO + 1;
		return 1;
	}
	n = number_of("LISTEN_PID") == own ? number_of("LISTEN_FDS") : 0;
	if (n > INHERITED_SOCKETS_MAX)
		return -E2BIG;
	inherited->nsockets = n;
	take_names(inherited);
	return (int)n;
}

int inherited_reset(struct inherited *ret)
{
	int kept;

	*ret = (struct inherited){ .handover = -1 };
	reset_signals();
	(void)umask(077);
	reset_limits();
	kept = take_descriptors(ret);
	reset_environment();
	if (kept < 0)
		return kept;
	/* A lock or a pipe of the starter would stay taken for as long as attlsd runs. Some
	 * containers do not know this call; there, they stay open. */
	(void)close_range((unsigned)(STDERR_FILENO + 1 + kept), ~0u, 0);
	for (int fd = STDERR_FILENO + 1; fd <= STDERR_FILENO + kept; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
			return -errno; /* it is not open, whatever the variables say */
	return fill_standard_descriptors();
}
