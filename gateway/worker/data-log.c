/*
 * Keeps a record of each transfer, also of one that was cut short. The xferlog has files only,
 * since programs that read it count each line as one.
 */
#include "gateway/worker/data-log.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/audit.h"
#include "gateway/base/util.h"
#include "gateway/worker/data-result.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/session-summary.h"

/* Only of a mode whose bytes are not those of the file. */
static struct log_field mode_field(const struct data_log *log, char buf[static 2])
{
	buf[0] = log->mode;
	buf[1] = '\0';
	return (struct log_field)LOG_TEXT(log->mode != 'S' && log->mode != '\0' ? "mode" : "", buf);
}

static void write_log(const struct data_log *log)
{
	const struct facts *facts = log->legs->facts;
	const struct ip_endpoint *told = &log->legs->told.endpoint;
	const char *reason = data_result_reason(log->result);
	char text[IP_TEXT_MAX], mode[2];

	session_log(
	    facts, LOG_LEVEL_INFO, "transfer", LOG_TEXT("direction", log->upload ? "upload" : "download"),
	    LOG_TEXT("command", log->command != NULL ? log->command : ""),
	    LOG_TEXT("prot", secure_level_letter(log->level)),
	    LOG_TEXT(facts->server_tls != NULL ? "server_prot" : "", secure_level_letter(log->server_level)),
	    mode_field(log, mode), LOG_NUMBER("bytes", log->bytes), LOG_NUMBER("ms", log->ms),
	    LOG_TEXT("result", data_result_name(log->result)),
	    LOG_TEXT(told->port != 0 ? "told" : "", ip_endpoint_format(told, text)),
	    LOG_TEXT(reason != NULL ? "reason" : "", reason));
}

/* Where the client's end of the data connection is, or is to be. */
static struct ip_endpoint peer_of(const struct data_legs *legs)
{
	return legs->client.peer.port != 0 ? legs->client.peer : legs->client.target;
}

static void write_audit(const struct data_log *log, const char *verb, const char *name)
{
	const struct facts *facts = log->legs->facts;
	const struct ip_endpoint peer = peer_of(log->legs);
	char text[IP_TEXT_MAX], mode[2];

	session_audit(facts, "transfer", AUDIT_TEXT("direction", log->upload ? "upload" : "download"),
		      AUDIT_TEXT("command", verb), AUDIT_TEXT("name", name),
		      AUDIT_TEXT("protection", secure_level_letter(log->level)),
		      AUDIT_TEXT("server_protection", secure_level_letter(log->server_level)),
		      AUDIT_BOOL("binary", log->binary), AUDIT_TEXT(mode_field(log, mode).key, mode),
		      AUDIT_NUMBER("bytes", log->bytes), AUDIT_NUMBER("ms", log->ms),
		      AUDIT_TEXT("result", data_result_name(log->result)),
		      AUDIT_TEXT("reason", data_result_reason(log->result)),
		      AUDIT_TEXT("data_address", peer.port != 0 ? ip_addr_format(&peer.addr, text) : NULL),
		      AUDIT_NUMBER(peer.port != 0 ? "data_port" : "", peer.port));
}

/* Blanks would end the field, and other control characters the line. */
static char shown(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f ? '_' : c;
}

static size_t put_shown(char *buf, size_t size, const char *text)
{
	size_t n = 0;

	for (; text[n] != '\0' && n < size; n++)
		buf[n] = shown(text[n]);
	return n;
}

static bool is_anonymous(const char *user)
{
	return strcasecmp(user, "anonymous") == 0 || strcasecmp(user, "ftp") == 0;
}

size_t data_log_xfer(const struct data_log_xfer *xfer, char buf[static DATA_LOG_XFER_MAX])
{
	/* of the C locale, whatever that of the host: programs parse it */
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const struct tm *tm = &xfer->time;
	const size_t end = 128; /* what follows the name */
	size_t len = (size_t)snprintf(
	    buf, DATA_LOG_XFER_MAX, "%.3s %.3s %2d %02d:%02d:%02d %d %" PRIu64 " %s %" PRIu64 " ",
	    days + (size_t)3 * (size_t)tm->tm_wday, months + (size_t)3 * (size_t)tm->tm_mon, tm->tm_mday,
	    tm->tm_hour, tm->tm_min, tm->tm_sec, tm->tm_year + 1900, xfer->seconds, xfer->host, xfer->bytes);

	len += put_shown(buf + len, DATA_LOG_XFER_MAX - len - end, xfer->name);
	len += (size_t)snprintf(buf + len, DATA_LOG_XFER_MAX - len, " %c _ %c %c ", xfer->binary ? 'b' : 'a',
				xfer->upload ? 'i' : 'o', is_anonymous(xfer->user) ? 'a' : 'r');
	len += put_shown(buf + len, end / 2, xfer->user[0] != '\0' ? xfer->user : "*");
	len += (size_t)snprintf(buf + len, DATA_LOG_XFER_MAX - len, " ftp 0 * %c\n", xfer->whole ? 'c' : 'i');
	return len;
}

static bool is_file(const char *verb)
{
	static const char *const verbs[] = { "RETR", "STOR", "APPE", "STOU" };

	for (size_t i = 0; i < NELEM(verbs); i++)
		if (strcmp(verb, verbs[i]) == 0)
			return true;
	return false;
}

static void write_xferlog(const struct data_log *log, const char *name)
{
	const struct facts *facts = log->legs->facts;
	char address[IP_TEXT_MAX], line[DATA_LOG_XFER_MAX];
	struct data_log_xfer xfer = {
		.seconds = (log->ms + 500) / 1000,
		.host = ip_addr_format(&facts->remote.addr, address),
		.name = name[0] != '\0' ? name : "?",
		.user = facts->user,
		.bytes = log->bytes,
		.binary = log->binary,
		.upload = log->upload,
		.whole = log->result == FTP_DATA_OK,
	};
	time_t now = time(NULL);

	if (xfer.seconds == 0) /* wu-ftpd and vsftpd have no shorter time */
		xfer.seconds = 1;
	(void)localtime_r(&now, &xfer.time);
	audit_write_xferlog(line, data_log_xfer(&xfer, line));
}

/* Split "RETR name", the verb in upper case. Returns the name, "" if there is none. */
static const char *split(const char *command, char verb[static 8])
{
	size_t n = 0;

	for (; command[n] != ' ' && command[n] != '\0' && n < 7; n++)
		verb[n] = (char)toupper((unsigned char)command[n]);
	verb[n] = '\0';
	command = strchr(command, ' ');
	return command != NULL ? command + 1 : "";
}

void data_log_transfer(const struct data_log *log)
{
	char verb[8];
	const char *name;

	write_log(log);
	session_summary_transfer(log->legs->facts, log->upload, log->bytes, log->level, log->result);
	if (!audit_is_on() && !audit_has_xferlog())
		return;
	name = split(log->command != NULL ? log->command : "", verb);
	write_audit(log, verb, name);
	if (audit_has_xferlog() && is_file(verb))
		write_xferlog(log, name);
}
