/*
 * What changes until the new attlsd serves, and what is counted afterwards: the second state of an
 * upgrade. Records are of another version perhaps, so each is checked.
 */
#include "gateway/monitor/heritage-late.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "gateway/monitor/counts-passed.h"
#include "gateway/monitor/ctl-metrics.h"
#include "gateway/monitor/heritage.h"
#include "gateway/monitor/share-link.h"

static void put_failures(struct handover_writer *writer, const struct login_queue *logins)
{
	struct login_failures *list = calloc(LOGIN_SOURCES_MAX, sizeof(*list));
	size_t n = list == NULL ? 0 : login_queue_export(logins, list, LOGIN_SOURCES_MAX);

	if (list == NULL)
		writer->error = -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct handover_failure record = { .family = list[i].key.family == IP_V4 ? 4 : 6,
						   .failures = list[i].failures,
						   .failed_ms = list[i].failed_ms };

		memcpy(record.address, list[i].key.bytes, sizeof(record.address));
		handover_write(writer, HANDOVER_FAILURES, &record, sizeof(record), 1);
	}
	free(list);
}

static void put_maintenance(struct handover_writer *writer, const struct maintenance *maintenance)
{
	const struct handover_maintenance record = { .refuses = maintenance->refuses,
						     .since_ms = maintenance->since_ms,
						     .end_ms = maintenance->end_ms };

	if (maintenance->on)
		handover_write(writer, HANDOVER_MAINTENANCE, &record, sizeof(record), 1);
}

/* older: what replaced attlsds have told, too. */
static void put_counts(struct handover_writer *writer, struct monitor *monitor, bool older)
{
	struct counts_passed *counts = counts_passed_new();
	struct counters *sum = calloc(1, sizeof(*sum));
	const struct totals *totals = &monitor->children.totals;
	const struct older *one;

	if (counts == NULL || sum == NULL) {
		free(counts);
		free(sum);
		writer->error = -ENOMEM;
		return;
	}
	ctl_metrics_sum(sum, &monitor->children, monitor->facts.generation);
	counts_passed_add(counts, sum, totals, 0);
	DL_FOREACH (monitor->older.head, one)
		if (older && one->counts != NULL)
			counts_passed_add(counts, one->counts, totals, one->facts.pid);
	counts_passed_write(&counts, writer);
	free(sum);
}

static void put_disabled(struct handover_writer *writer, const struct backends *backends)
{
	const struct backend_server *server;

	DL_FOREACH (backends->head, server) {
		struct handover_disabled record = { .since_s = (uint64_t)server->since };

		if (!server->disabled)
			continue;
		(void)snprintf(record.backend, sizeof(record.backend), "%s", server->backend);
		(void)snprintf(record.address, sizeof(record.address), "%s", server->text);
		handover_write(writer, HANDOVER_DISABLED, &record, sizeof(record), 1);
	}
}

int heritage_late_make(struct monitor *monitor)
{
	struct handover_writer writer = { .bytes = NULL };

	heritage_put_numbers(&writer, monitor);
	put_failures(&writer, &monitor->logins);
	put_maintenance(&writer, &monitor->maintenance);
	put_disabled(&writer, &monitor->backends);
	share_link_put(&monitor->share, &writer);
	put_counts(&writer, monitor, true);
	return handover_seal(&writer);
}

int heritage_late_counts(struct monitor *monitor)
{
	struct handover_writer writer = { .bytes = NULL };

	put_counts(&writer, monitor, false);
	return handover_seal(&writer);
}

static void get_counts(struct monitor *monitor, const struct handover_reader *reader, int32_t process,
		       struct counters **page)
{
	if (*page == NULL)
		*page = calloc(1, sizeof(**page));
	if (*page != NULL)
		counts_passed_read(reader, process, &monitor->children.totals, *page);
}

void heritage_late_receive_counts(struct monitor *monitor, struct counters **page, int state)
{
	struct handover_reader reader = { .bytes = NULL };

	if (handover_open(state, &reader) == 0)
		get_counts(monitor, &reader, 0, page);
	handover_close(&reader);
}

/* What the one that hands on, and those before it, have counted. */
static void get_late_facts(struct monitor *monitor, const struct handover_reader *reader)
{
	const struct handover_numbers numbers = heritage_get_numbers(monitor, reader);
	struct older *older;

	if (numbers.started_s != 0)
		monitor->counted_s = numbers.started_s;
	DL_FOREACH (monitor->older.head, older) {
		bool is_from = older == monitor->takeover.from;

		get_counts(monitor, reader, is_from ? 0 : older->facts.pid, &older->counts);
		if (!is_from)
			continue;
		older->facts.last_session = numbers.last_session;
		older->facts.ctl_version = numbers.ctl_version;
	}
}

static int get_failures(struct login_queue *logins, const struct handover_reader *reader)
{
	size_t n = handover_count(reader, HANDOVER_FAILURES);
	struct handover_failure *records = calloc(n + 1, sizeof(*records));

	if (records == NULL)
		return -ENOMEM;
	n = handover_read(reader, HANDOVER_FAILURES, records, sizeof(*records), n);
	for (size_t i = 0; i < n; i++) {
		struct login_failures failures = { .failures = records[i].failures,
						   .failed_ms = records[i].failed_ms };

		memset(&failures.key, 0, sizeof(failures.key)); /* a hash key has no chance padding */
		failures.key.family = records[i].family == 4 ? IP_V4 : IP_V6;
		memcpy(failures.key.bytes, records[i].address, sizeof(failures.key.bytes));
		login_queue_import(logins, &failures);
	}
	free(records);
	return 0;
}

static int get_maintenance(struct maintenance *maintenance, const struct handover_reader *reader)
{
	struct handover_maintenance record = { 0 };

	if (handover_read(reader, HANDOVER_MAINTENANCE, &record, sizeof(record), 1) == 0)
		return 0;
	return maintenance_adopt(maintenance, record.refuses != 0, record.since_ms, record.end_ms);
}

static int get_disabled(struct backends *backends, const struct handover_reader *reader)
{
	size_t n = handover_count(reader, HANDOVER_DISABLED);
	struct handover_disabled *records = calloc(n + 1, sizeof(*records));

	if (records == NULL)
		return -ENOMEM;
	n = handover_read(reader, HANDOVER_DISABLED, records, sizeof(*records), n);
	for (size_t i = 0; i < n; i++) {
		records[i].backend[sizeof(records[i].backend) - 1] = '\0';
		records[i].address[sizeof(records[i].address) - 1] = '\0';
		backends_disable(backends, records[i].backend, records[i].address,
				 (time_t)records[i].since_s);
	}
	free(records);
	return 0;
}

int heritage_late_receive(struct monitor *monitor, int state)
{
	struct handover_reader reader = { .bytes = NULL };
	int r = handover_open(state, &reader);

	if (r == 0) {
		get_late_facts(monitor, &reader);
		r = get_failures(&monitor->logins, &reader);
		if (r == 0)
			r = get_maintenance(&monitor->maintenance, &reader);
		if (r == 0)
			r = get_disabled(&monitor->backends, &reader);
		if (r == 0)
			r = share_link_get(&monitor->share, monitor->takeover.from, &reader);
	}
	handover_close(&reader);
	return r;
}
