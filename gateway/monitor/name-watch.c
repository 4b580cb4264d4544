/*
 * The timer of the names, and what a look-up has found. The look-up is a process of
 * policy-load.c. A name that cannot be found keeps its addresses.
 */
#include "gateway/monitor/name-watch.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/host/policy-names.h"

#define MS_PER_S 1000

/* Whatever the DNS says, names are looked up no more and no less often than this. */
#define GOOD_MIN_S 5
#define GOOD_MAX_S 3600

/* The next try after a look-up that has failed. */
#define FAILED_S 60

/*
 * Some names have many addresses, and each answer brings a few others. A change that leaves
 * one of the old addresses is not urgent, and a new generation of workers costs much.
 */
#define SETTLED_MS (300 * MS_PER_S)

/*
 * A generation lives as long as its sessions. Clients and the DNS together could make any
 * number of them, so no more than these serve at a time because of names.
 */
#define GENERATIONS_MAX 8

#define ADDRESSES_TEXT_MAX 256

static void wait_s(struct name_watch *watch, uint32_t seconds)
{
	if (seconds < GOOD_MIN_S)
		seconds = GOOD_MIN_S;
	if (seconds > GOOD_MAX_S)
		seconds = GOOD_MAX_S;
	/* without memory, the names are looked up at the next reload */
	(void)loop_timer(watch->loop, &watch->timer, (uint64_t)seconds * MS_PER_S);
}

static const char *list(const struct ip_addr *addresses, size_t n, char buf[static ADDRESSES_TEXT_MAX])
{
	char text[IP_TEXT_MAX];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		int len = snprintf(buf + used, ADDRESSES_TEXT_MAX - used, "%s%s", used > 0 ? " " : "",
				   ip_addr_format(&addresses[i], text));

		if (len < 0 || (size_t)len >= ADDRESSES_TEXT_MAX - used)
			break;
		used += (size_t)len;
	}
	return buf;
}

static void log_change(void *context, const char *name, const struct ip_addr *old, size_t nold,
		       const struct ip_addr *new, size_t nnew)
{
	char old_text[ADDRESSES_TEXT_MAX], new_text[ADDRESSES_TEXT_MAX];

	(void)context;
	log_event(LOG_LEVEL_INFO, "name-changed", LOG_TEXT("name", name),
		  LOG_TEXT("old", list(old, nold, old_text)), LOG_TEXT("new", list(new, nnew, new_text)));
}

static void ignore_change(void *context, const char *name, const struct ip_addr *old, size_t nold,
			  const struct ip_addr *new, size_t nnew)
{
	(void)context, (void)name, (void)old, (void)nold, (void)new, (void)nnew;
}

/* Is there a change that has to be followed now? */
static bool is_due(const struct name_watch *watch, const struct policy *new)
{
	bool settled = watch->changed_ms == 0 || watch->loop->now_ms - watch->changed_ms >= SETTLED_MS;
	bool apart;

	return policy_names_differ(watch->current->policy, new, ignore_change, NULL, &apart) &&
	       (apart || settled);
}

/* May a new generation begin? The log says once that none may. */
static bool has_room(struct name_watch *watch)
{
	const struct generation *one;
	int n = 0;

	DL_COUNT(watch->current->workers[0].children->head, one, n);
	if (n >= GENERATIONS_MAX && !watch->full)
		log_event(LOG_LEVEL_WARNING, "names-not-refreshed", LOG_TEXT("step", "start workers"),
			  LOG_TEXT("error", "sessions hold too many earlier generations of workers"));
	watch->full = n >= GENERATIONS_MAX;
	return !watch->full;
}

static void log_failure(const struct policy_load *load, int r)
{
	char error[POLICY_LOAD_STEP_MAX + 40];

	log_event(LOG_LEVEL_WARNING, "names-not-refreshed", LOG_TEXT("step", load->step),
		  LOG_TEXT("error", policy_load_error(load, r, error, sizeof(error))));
}

static void on_looked_up(struct policy_load *load, int r, struct policy_loaded *loaded)
{
	struct name_watch *watch = CONTAINER_OF(load, struct name_watch, load);
	bool apart;

	if (r < 0) {
		log_failure(load, r);
		wait_s(watch, FAILED_S);
		return;
	}
	if (!is_due(watch, loaded->policy) || !has_room(watch)) {
		wait_s(watch, loaded->good_s);
		policy_free(&loaded->policy);
		diags_done(&loaded->diags);
		return;
	}
	(void)policy_names_differ(watch->current->policy, loaded->policy, log_change, NULL, &apart);
	watch->changed_ms = watch->loop->now_ms;
	/* the new generation may fail to start; else name_watch_follow() has the last word */
	wait_s(watch, loaded->good_s > FAILED_S ? loaded->good_s : FAILED_S);
	watch->fn(watch, loaded);
}

static void on_timer(struct timer *timer)
{
	struct name_watch *watch = CONTAINER_OF(timer, struct name_watch, timer);

	watch->load.own_text = (struct policy_own_text){ .file = watch->load.own,
							 .text = watch->current->own_text,
							 .len = watch->current->own_len };
	if (policy_load_names(&watch->load, watch->current->text, watch->current->text_len,
			      watch->current->policy) < 0)
		wait_s(watch, FAILED_S);
}

void name_watch_init(struct name_watch *watch, struct loop *loop, const char *path, name_watch_fn *fn)
{
	*watch = (struct name_watch){ .loop = loop, .fn = fn };
	policy_load_init(&watch->load, loop, path, on_looked_up);
	timer_init(&watch->timer, on_timer);
}

void name_watch_remember(struct generation *generation, const struct policy_loaded *loaded)
{
	/* without memory for the text, the names are looked up at the next reload */
	generation->text = strndup(loaded->diags.source, loaded->diags.source_len);
	generation->text_len = loaded->diags.source_len;
	if (loaded->diags.own.source != NULL) {
		generation->own_text = strndup(loaded->diags.own.source, loaded->diags.own.len);
		generation->own_len = loaded->diags.own.len;
	}
	generation->good_s = loaded->good_s;
}

void name_watch_follow(struct name_watch *watch, const struct generation *generation)
{
	name_watch_stop(watch);
	watch->current = generation;
	if (generation->text != NULL && generation->good_s > 0)
		wait_s(watch, generation->good_s);
}

void name_watch_stop(struct name_watch *watch)
{
	policy_load_cancel(&watch->load);
	loop_timer_stop(watch->loop, &watch->timer);
}
