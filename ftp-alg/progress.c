/*
 * Reads sizes from the dialogue. Servers differ in whether the number in the 1yz counts
 * from REST or from the beginning, and in what SIZE means under TYPE A, so what is not
 * certain is not known. A total that the transfer exceeds was wrong.
 */
#include "ftp-alg/progress.h"

#include <ctype.h>
#include <string.h>

#include "ftp-alg/cursor.h"

/* FNV-1a: a name that collides shows a wrong percentage, and nothing else. */
static uint64_t hash_of(const char *text, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* A run of digits. False, and nothing moves: there is none, or its value is too large. */
static bool take_number(struct ftp_cursor *c, uint64_t *ret)
{
	struct ftp_cursor ahead = *c;
	uint64_t value = 0;
	bool any = false;

	for (int b = ftp_cursor_peek(&ahead); b >= '0' && b <= '9'; b = ftp_cursor_peek(&ahead)) {
		if (value > (UINT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(b - '0');
		ahead.at++;
		any = true;
	}
	if (!any)
		return false;
	*ret = value;
	*c = ahead;
	return true;
}

static bool take_text(struct ftp_cursor *c, const char *text)
{
	for (; *text != '\0'; text++)
		if (!ftp_cursor_accept(c, (uint8_t)*text))
			return false;
	return true;
}

/* The same in any case. If it is something else, nothing moves. */
static bool take_word(struct ftp_cursor *c, const char *word)
{
	struct ftp_cursor ahead = *c;

	for (; *word != '\0'; word++) {
		int b = ftp_cursor_next(&ahead);

		if (b < 0 || tolower(b) != *word)
			return false;
	}
	*c = ahead;
	return true;
}

/* "... for NAME (123456 bytes)": the last one counts, since the name may look like that, too. */
static bool find_bytes(struct ftp_cursor c, uint64_t *ret)
{
	bool found = false;
	uint64_t value;

	while (ftp_cursor_find(&c, '(')) {
		(void)ftp_cursor_next(&c);
		if (take_number(&c, &value) && take_word(&c, " bytes)")) { /* Serv-U: "Bytes" */
			*ret = value;
			found = true;
		}
	}
	return found;
}

/* Pure-FTPd: "120.6 kbytes to download", rounded; the most that this can mean. */
static bool find_kbytes(struct ftp_cursor c, uint64_t *ret)
{
	uint64_t whole, tenths;

	if (!take_number(&c, &whole) || !ftp_cursor_accept(&c, '.') || !take_number(&c, &tenths) ||
	    !take_text(&c, " kbytes to download") || whole > UINT64_MAX / 20480 || tenths > 9)
		return false;
	*ret = ((whole * 10 + tenths) * 1024 + 512) / 10;
	return true;
}

static void know(struct ftp_progress *progress, uint64_t total)
{
	progress->known = true;
	progress->total = total;
}

static void begin_download(struct ftp_progress *progress, const struct ftp_command *command)
{
	progress->asked = FTP_PROGRESS_RETR;
	progress->sized = progress->sized && progress->name == hash_of(command->arg, command->arg_len);
	if (progress->sized && progress->size >= progress->from)
		know(progress, progress->size - progress->from);
}

static void begin_transfer(struct ftp_progress *progress, const struct ftp_command *command, bool exact)
{
	progress->from = progress->restart;
	progress->restart = 0;
	progress->known = false;
	if (command->verb->kind == FTP_KIND_UPLOAD) /* of the same file, perhaps */
		progress->sized = false;
	if (exact && ftp_command_is(command, "RETR"))
		begin_download(progress, command);
	else if (exact && command->verb->kind == FTP_KIND_UPLOAD && progress->allocated > 0 &&
		 progress->from == 0)
		know(progress, progress->allocated);
	progress->allocated = 0;
}

/* Commands after which SIZE still holds for the same name. */
static bool keeps_size(const struct ftp_command *command)
{
	static const char *const verbs[] = { "PASV", "EPSV", "PORT", "EPRT", "MDTM", "PWD",
					     "XPWD", "PBSZ", "PROT", "FEAT", "OPTS" };

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (ftp_command_is(command, verbs[i]))
			return true;
	return false;
}

static struct ftp_cursor argument(const struct ftp_command *command)
{
	return ftp_cursor_make(command->arg, command->arg_len);
}

/* "ALLO 1000 R 80": the first number counts. 0: there is none. */
static uint64_t number_of(const struct ftp_command *command)
{
	struct ftp_cursor c = argument(command);
	uint64_t number = 0;

	(void)take_number(&c, &number);
	return number;
}

void ftp_progress_command(struct ftp_progress *progress, const struct ftp_command *command, bool exact)
{
	enum ftp_verb_kind kind = command->verb->kind;

	if (command->verb->flags & FTP_VERB_DURING_TRANSFER) /* the transfer's 1yz may still come */
		return;
	progress->asked = FTP_PROGRESS_NOTHING;
	if (kind == FTP_KIND_DOWNLOAD || kind == FTP_KIND_UPLOAD) {
		begin_transfer(progress, command, exact);
	} else if (ftp_command_is(command, "SIZE")) {
		progress->sized = false;
		progress->name = hash_of(command->arg, command->arg_len);
		progress->asked = FTP_PROGRESS_SIZE;
	} else if (ftp_command_is(command, "MLST")) {
		progress->listed = hash_of(command->arg, command->arg_len);
		progress->asked = FTP_PROGRESS_MLST;
	} else if (kind == FTP_KIND_REST) {
		progress->restart = 0;
		progress->from = number_of(command); /* until the server agrees */
		progress->asked = FTP_PROGRESS_REST;
	} else if (ftp_command_is(command, "ALLO")) {
		progress->allocated = number_of(command);
	} else if (!keeps_size(command)) {
		progress->sized = false;
		if (kind == FTP_KIND_USER || kind == FTP_KIND_REIN)
			*progress = (struct ftp_progress){ .asked = FTP_PROGRESS_NOTHING };
	}
}

/* RFC 3659 7.2: the line in between that begins with a blank has the facts: " type=file;size=5; name". */
static void take_facts(struct ftp_progress *progress, const struct ftp_reply *reply)
{
	struct ftp_cursor c = ftp_cursor_make(reply->line, reply->len);
	uint64_t size;

	if (reply->first || reply->closing || !ftp_cursor_accept(&c, ' '))
		return;
	while (!ftp_cursor_at_end(&c) && ftp_cursor_peek(&c) != ' ') { /* the name follows the blank */
		if (take_word(&c, "size=") && take_number(&c, &size) && ftp_cursor_accept(&c, ';')) {
			progress->name = progress->listed;
			progress->size = size;
			progress->sized = true;
			return;
		}
		while (!ftp_cursor_at_end(&c) && ftp_cursor_peek(&c) != ' ' && ftp_cursor_next(&c) != ';')
			;
	}
}

static struct ftp_cursor text_of(const struct ftp_reply *reply)
{
	return ftp_cursor_make(reply->line + reply->text, reply->len - reply->text);
}

/* The number counts from REST (ProFTPD) or from the beginning (vsftpd): SIZE decides. */
static void take_announcement(struct ftp_progress *progress, const struct ftp_reply *reply)
{
	const struct ftp_cursor text = text_of(reply);
	uint64_t number;

	if (!progress->known && find_kbytes(text, &number))
		know(progress, number);
	else if (progress->from == 0 && find_bytes(text, &number))
		know(progress, number);
}

void ftp_progress_reply(struct ftp_progress *progress, const struct ftp_reply *reply)
{
	struct ftp_cursor text = text_of(reply);

	if (progress->asked == FTP_PROGRESS_NOTHING || reply->continues)
		return;
	if (progress->asked == FTP_PROGRESS_RETR) {
		if (ftp_reply_is_preliminary(reply->code))
			take_announcement(progress, reply);
		return;
	}
	if (progress->asked == FTP_PROGRESS_MLST && reply->code == 250)
		take_facts(progress, reply);
	if (!reply->closing || ftp_reply_is_preliminary(reply->code))
		return;
	if (progress->asked == FTP_PROGRESS_SIZE && reply->code == 213) {
		progress->sized = take_number(&text, &progress->size) && ftp_cursor_at_end(&text);
	} else if (progress->asked == FTP_PROGRESS_REST) {
		progress->restart = reply->code == 350 ? progress->from : 0;
	}
	progress->asked = FTP_PROGRESS_NOTHING;
}

bool ftp_progress_total(const struct ftp_progress *progress, uint64_t moved, uint64_t *ret_total)
{
	if (!progress->known || moved > progress->total)
		return false;
	*ret_total = progress->total;
	return true;
}
