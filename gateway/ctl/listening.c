/*
 * Reads the kernel's lists of TCP sockets, and finds the process that has a socket by
 * its inode, as ss does.
 */
#include "gateway/ctl/listening.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/util.h"

#define TCP_LISTEN 10 /* the kernel's number of this state, as in /proc/net/tcp */
#define LINE_MAX_  512
#define WORD_BYTES 4

/* proc(5): an address is a row of words of 32 bits in the order of this machine, as hexadecimal numbers. */
static bool parse_address(const char *hex, enum ip_family family, struct ip_addr *ret)
{
	uint8_t bytes[16] = { 0 };
	size_t n = family == IP_V6 ? sizeof(bytes) : WORD_BYTES;

	if (strlen(hex) != n * 2)
		return false;
	for (size_t i = 0; i < n; i += WORD_BYTES) {
		uint32_t word;

		if (sscanf(hex + i * 2, "%8" SCNx32, &word) != 1)
			return false;
		memcpy(bytes + i, &word, sizeof(word));
	}
	*ret = ip_addr_make(family, bytes);
	return true;
}

static int read_table(const char *path, enum ip_family family,
		      bool (*fn)(const struct listening *socket, void *context), void *context)
{
	FILE *table = fopen(path, "re");
	char line[LINE_MAX_], address[33];
	bool go_on = true;

	if (table == NULL)
		return -errno;
	while (go_on && fgets(line, sizeof(line), table) != NULL) {
		struct listening one;
		unsigned port, state;

		if (sscanf(line,
			   " %*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*[0-9A-F]:%*[0-9A-F] "
			   "%*[0-9A-F]:%*[0-9A-F] %*x %*u %*u %" SCNu64,
			   address, &port, &state, &one.inode) != 4 ||
		    state != TCP_LISTEN || !parse_address(address, family, &one.at.addr))
			continue;
		one.at.port = (uint16_t)port;
		go_on = fn(&one, context);
	}
	(void)fclose(table);
	return go_on ? 1 : 0;
}

int listening_each(bool (*fn)(const struct listening *socket, void *context), void *context)
{
	int r = read_table("/proc/net/tcp", IP_V4, fn, context);

	if (r == 1)
		r = read_table("/proc/net/tcp6", IP_V6, fn, context);
	return r == -ENOENT && access("/proc/net/tcp", R_OK) == 0 ? 0 : r < 0 ? r : 0; /* no IPv6 here */
}

/* Does this process have the socket? */
static bool has_socket(const char *pid, const char *wanted)
{
	char path[PATH_MAX], target[LISTENING_NAME_MAX];
	const struct dirent *entry;
	bool found = false;
	DIR *folder;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	folder = opendir(path);
	if (folder == NULL)
		return false;
	while (!found && (entry = readdir(folder)) != NULL) {
		n = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	(void)closedir(folder);
	return found;
}

static void name_process(const char *pid, char name[static LISTENING_NAME_MAX])
{
	char path[PATH_MAX], command[LISTENING_NAME_MAX / 2] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "re");
	if (file != NULL) {
		if (fgets(command, sizeof(command), file) == NULL)
			command[0] = '\0';
		(void)fclose(file);
	}
	command[strcspn(command, "\n")] = '\0';
	for (char *at = command; *at != '\0'; at++) /* a process chooses its name */
		if (isprint((unsigned char)*at) == 0)
			*at = '?';
	(void)snprintf(name, LISTENING_NAME_MAX, "%s (pid %.10s)", command, pid);
}

/* It keeps what it passes to a service. */
static const char manager[] = "systemd (";

bool listening_owner(uint64_t inode, char ret_name[static LISTENING_NAME_MAX])
{
	char wanted[LISTENING_NAME_MAX];
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	if (folder == NULL)
		return false;
	(void)snprintf(wanted, sizeof(wanted), "socket:[%" PRIu64 "]", inode);
	while ((!found || strncmp(ret_name, manager, strlen(manager)) == 0) &&
	       (entry = readdir(folder)) != NULL) {
		if (isdigit((unsigned char)entry->d_name[0]) == 0 || !has_socket(entry->d_name, wanted))
			continue;
		name_process(entry->d_name, ret_name);
		found = true;
	}
	(void)closedir(folder);
	return found;
}
