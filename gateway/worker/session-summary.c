/*
 * Collects how the connections of a session were protected, and writes it as one event of the
 * log and of the audit trail. All of it has limits: a client that negotiates anew for ever
 * makes numbers grow, not lists.
 */
#include "gateway/worker/session-summary.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/data-result.h"
#include "gateway/worker/session-log.h"

#define RESULTS	    (FTP_DATA_ABORTED + 1)
#define RESULTS_MAX 512
/* As much of a name as the log shows. */
#define NAME_MAX_BYTES 512
#define FIELDS_MAX     64

/* The connections of one leg: control or data. */
struct tls_use {
	uint32_t handshakes, resumed;
	char versions[32], ciphers[160], groups[96];
};

/* The client's certificate: the last one that it has shown. */
struct shown {
	char subject[NAME_MAX_BYTES + 1], issuer[NAME_MAX_BYTES + 1];
	char serial[IDENTITY_SERIAL_MAX], sha256[IDENTITY_SHA256_TEXT], until[IDENTITY_DATE_BYTES];
	bool verified;
};

struct summary_detail {
	struct tls_use control[2], data[2]; /* by leg */
	char server_name[256];
	struct shown *certificate; /* NULL: none was shown */
	uint64_t uploads_failed, downloads_failed, transfers_clear;
	uint64_t results[RESULTS];
};

/* NULL: policy wants no summary, or there is no memory for one. */
static struct summary_detail *detail_of(const struct facts *facts)
{
	struct session_summary *summary = facts->summary;

	if (summary == NULL || facts->rule == NULL || !facts->rule->ftp->session_summary)
		return NULL;
	if (summary->detail == NULL)
		summary->detail = calloc(1, sizeof(*summary->detail));
	return summary->detail;
}

static void copy(char *to, size_t size, const char *from)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	to[len] = '\0';
}

/* Add a name to a list with commas, unless it is in it. The names are OpenSSL's, so none holds a comma. */
static void add_name(char *list, size_t size, const char *name)
{
	static const char more[] = ",...";
	size_t len = strlen(list), n = strlen(name);

	if (n == 0)
		return;
	for (const char *at = list; (at = strstr(at, name)) != NULL; at += n)
		if ((at == list || at[-1] == ',') && (at[n] == ',' || at[n] == '\0'))
			return;
	if (len + 1 + n + sizeof(more) > size) {
		if (len < sizeof(more) || strcmp(list + len - (sizeof(more) - 1), more) != 0)
			memcpy(list + len, more, sizeof(more));
		return;
	}
	if (len > 0)
		list[len++] = ',';
	memcpy(list + len, name, n + 1);
}

static void note_certificate(struct summary_detail *detail, const struct identity *identity)
{
	struct shown *shown = detail->certificate;
	int days;

	if (shown == NULL)
		shown = detail->certificate = calloc(1, sizeof(*shown));
	if (shown == NULL)
		return;
	copy(shown->subject, sizeof(shown->subject), identity->subject);
	copy(shown->issuer, sizeof(shown->issuer), identity->issuer);
	copy(shown->serial, sizeof(shown->serial), identity->serial);
	(void)identity_sha256(identity, shown->sha256);
	(void)identity_until(identity, shown->until, &days);
	shown->verified = identity->verified;
}

void session_summary_tls(const struct facts *facts, enum audit_leg leg, bool data,
			 const struct stream *stream, const struct identity *identity)
{
	struct summary_detail *detail = detail_of(facts);
	bool client = leg == AUDIT_LEG_CLIENT;
	struct tls_use *use;

	session_audit_tls(facts, leg, data, stream, identity);
	if (detail == NULL)
		return;
	use = data ? &detail->data[leg] : &detail->control[leg];
	use->handshakes++;
	use->resumed += stream_tls_resumed(stream);
	add_name(use->versions, sizeof(use->versions), stream_tls_version(stream));
	add_name(use->ciphers, sizeof(use->ciphers), stream_tls_cipher(stream));
	add_name(use->groups, sizeof(use->groups), stream_tls_group(stream));
	if (client && !data && stream_tls_server_name(stream) != NULL)
		copy(detail->server_name, sizeof(detail->server_name), stream_tls_server_name(stream));
	if (client && identity != NULL && identity->present)
		note_certificate(detail, identity);
}

void session_summary_bytes(const struct facts *facts, bool upload, uint64_t bytes)
{
	*(upload ? &facts->summary->bytes_up : &facts->summary->bytes_down) += bytes;
}

void session_summary_transfer(const struct facts *facts, bool upload, uint64_t bytes,
			      enum secure_level client, enum ftp_data_result result)
{
	struct session_summary *summary = facts->summary;
	struct summary_detail *detail = detail_of(facts);

	summary->uploads += upload;
	summary->downloads += !upload;
	session_summary_bytes(facts, upload, bytes);
	if (detail == NULL)
		return;
	detail->uploads_failed += upload && result != FTP_DATA_OK;
	detail->downloads_failed += !upload && result != FTP_DATA_OK;
	detail->transfers_clear += client == SECURE_CLEAR;
	detail->results[result]++;
}

/* "ok:3,session-not-reused:2": several results may have one name. Returns buf. */
static const char *results_text(const struct summary_detail *detail, char buf[static RESULTS_MAX])
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < RESULTS; i++) {
		const char *name = data_result_name((enum ftp_data_result)i);
		uint64_t n = 0;
		bool first = true;

		for (size_t j = 0; j < RESULTS; j++) {
			if (strcmp(data_result_name((enum ftp_data_result)j), name) != 0)
				continue;
			first = first && j >= i;
			n += detail->results[j];
		}
		if (n == 0 || !first)
			continue;
		len += (size_t)snprintf(buf + len, RESULTS_MAX - len, "%s%s:%llu", len > 0 ? "," : "", name,
					(unsigned long long)n);
		if (len >= RESULTS_MAX)
			len = RESULTS_MAX - 1;
	}
	return buf;
}

struct list {
	size_t n;
	struct audit_field fields[FIELDS_MAX];
};

/* Fields that say nothing are left out: a text without text, and by put_count() a zero. */
static void put(struct list *list, struct audit_field field)
{
	if (list->n < FIELDS_MAX - 1 && (field.type != AUDIT_TYPE_TEXT || field.text[0] != '\0'))
		list->fields[list->n++] = field;
}

static void put_count(struct list *list, const char *key, uint64_t number)
{
	if (number > 0)
		put(list, (struct audit_field)AUDIT_NUMBER(key, number));
}

static void put_text(struct list *list, const char *key, const char *text)
{
	put(list, (struct audit_field)AUDIT_TEXT(key, text));
}

/* The keys of a leg: of a client's and a server's control and data connections. */
static const struct leg_keys {
	const char *versions, *ciphers, *groups, *handshakes, *resumed;
} keys[2][2] = {
	[AUDIT_LEG_CLIENT] = { { "control_versions", "control_ciphers", "control_groups",
				 "control_handshakes", "control_resumed" },
			       { "data_versions", "data_ciphers", "data_groups", "data_handshakes",
				 "data_resumed" } },
	[AUDIT_LEG_SERVER] = { { "server_control_versions", "server_control_ciphers", "server_control_groups",
				 "server_control_handshakes", "server_control_resumed" },
			       { "server_data_versions", "server_data_ciphers", "server_data_groups",
				 "server_data_handshakes", "server_data_resumed" } },
};

static void put_use(struct list *list, const struct leg_keys *key, const struct tls_use *use)
{
	if (use->handshakes == 0)
		return;
	put_text(list, key->versions, use->versions);
	put_text(list, key->ciphers, use->ciphers);
	put_text(list, key->groups, use->groups);
	put(list, (struct audit_field)AUDIT_NUMBER(key->handshakes, use->handshakes));
	put(list, (struct audit_field)AUDIT_NUMBER(key->resumed, use->resumed));
}

static void put_certificate(struct list *list, const struct shown *shown)
{
	if (shown == NULL)
		return;
	put_text(list, "certificate_sha256", shown->sha256);
	put_text(list, "certificate_serial", shown->serial);
	put_text(list, "certificate_until", shown->until);
	put(list, (struct audit_field)AUDIT_BOOL("certificate_verified", shown->verified));
	put_text(list, "certificate_subject", shown->subject);
	put_text(list, "certificate_issuer", shown->issuer);
}

/* The audit trail has the user and the client among the fields that all its events share. */
static void write_log(const struct facts *facts, const char *user, const struct list *list)
{
	struct log_field fields[FIELDS_MAX + 1] = { LOG_TEXT("user", user) };

	for (size_t i = 0; i < list->n; i++) {
		const struct audit_field *field = &list->fields[i];

		fields[i + 1] = (struct log_field){
			.key = field->key,
			.text = field->type == AUDIT_TYPE_BOOL ? (field->number != 0 ? "yes" : "no")
							       : field->text,
			.number = field->number,
		};
	}
	fields[list->n + 1] = (struct log_field)LOG_END;
	if (log_enabled(LOG_LEVEL_INFO) || trace_wants(facts))
		session_log_write(facts, LOG_LEVEL_INFO, "session-summary", fields);
}

void session_summary_write(const struct facts *facts, const struct session_over *over)
{
	const struct session_summary *sum = facts->summary;
	const struct summary_detail *detail = detail_of(facts);
	char results[RESULTS_MAX];
	struct list list = { .n = 0 };

	if (detail == NULL)
		return;
	put_text(&list, "reason", over->reason);
	put(&list, (struct audit_field)AUDIT_NUMBER("ms", over->ms));
	put_text(&list, "tls",
		 detail->control[AUDIT_LEG_CLIENT].handshakes == 0 ? "none"
		 : facts->implicit				   ? "implicit"
								   : "explicit");
	put(&list, (struct audit_field)AUDIT_BOOL("cleared", over->cleared));
	put_use(&list, &keys[AUDIT_LEG_CLIENT][0], &detail->control[AUDIT_LEG_CLIENT]);
	put_text(&list, "sni", detail->server_name);
	put_use(&list, &keys[AUDIT_LEG_CLIENT][1], &detail->data[AUDIT_LEG_CLIENT]);
	put_use(&list, &keys[AUDIT_LEG_SERVER][0], &detail->control[AUDIT_LEG_SERVER]);
	put_use(&list, &keys[AUDIT_LEG_SERVER][1], &detail->data[AUDIT_LEG_SERVER]);
	put_count(&list, "logins", sum->logins);
	put_count(&list, "logins_failed", sum->logins_failed);
	put_count(&list, "uploads", sum->uploads);
	put_count(&list, "uploads_failed", detail->uploads_failed);
	put_count(&list, "downloads", sum->downloads);
	put_count(&list, "downloads_failed", detail->downloads_failed);
	put_count(&list, "transfers_clear", detail->transfers_clear);
	put_text(&list, "results", results_text(detail, results));
	put_count(&list, "bytes_up", sum->bytes_up);
	put_count(&list, "bytes_down", sum->bytes_down);
	put_count(&list, "changes", sum->changes);
	put_count(&list, "refusals", sum->refusals);
	put_certificate(&list, detail->certificate);
	list.fields[list.n] = (struct audit_field)AUDIT_END;
	write_log(facts, over->user, &list);
	if (audit_is_on())
		session_audit_write(facts, "session-summary", list.fields);
}

void session_summary_done(struct session_summary *summary)
{
	if (summary->detail != NULL)
		free(summary->detail->certificate);
	free(summary->detail);
	summary->detail = NULL;
}
