/*
 * Many servers read ABOR only between transfers. The descendants of BSD's ftpd look at
 * their control connection earlier if TCP urgent data arrives, which RFC 959 4.1.3 asks
 * of clients. A client's urgent data does not pass TLS, so the gateway sends its own.
 * Other servers would take the signal for a part of the command, so they get none.
 */
#include "ftp-alg/urgent.h"

#include <string.h>

/* "220 host FTP server (GNU inetutils 2.4) ready.", "... (Version 6.4/OpenBSD/Linux-ftpd-0.17) ready." */
static const char bsd[] = "FTP server (";

void machine_urgent_learn(struct ftp_machine *machine, const struct ftp_reply *reply)
{
	bool greeting = machine->pending == FTP_PENDING_GREETING || machine->pending == FTP_PENDING_RENEWED ||
			machine->pending == FTP_PENDING_REIN;
	size_t len = sizeof(bsd) - 1;

	if (!greeting)
		return;
	for (size_t at = reply->text; at + len <= reply->len; at++)
		machine->bsd |= memcmp(reply->line + at, bsd, len) == 0;
}

void machine_urgent_forget(struct ftp_machine *machine)
{
	machine->bsd = false;
}

bool machine_urgent_abor(const struct ftp_machine *machine)
{
	if (machine->server_tls.ctrl == FTP_CTRL_TLS) /* which cannot carry it */
		return false;
	return machine->abort == FTP_ABORT_URGENT || (machine->abort == FTP_ABORT_AUTO && machine->bsd);
}
