/*
 * The ports of data connections. On z/OS they may overlap with the ports of listeners, and
 * active ones come from the port below that of the control connection; a policy must keep
 * all of them apart.
 */
#include "gateway/import/zos-ports.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/import/text.h"

/* Those of attlsd, where FTP.DATA has none. */
#define LOW  49152
#define HIGH 65535

#define LOWER                                                                                                \
	"After PORT, z/OS connects to the client from the port below its own (20 for 21). Do firewalls of "  \
	"clients rely on it? If not, remove data_port: any other port costs less"
#define APART                                                                                                  \
	"A listener has one of the ports for passive data connections, so only a part of them is left. Is it " \
	"enough?"

struct range {
	unsigned low, high;
};

static unsigned port_of(const struct draft_object *listener)
{
	const char *colon = strrchr(draft_get(listener, "address"), ':');

	return colon != NULL ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
}

static bool has(const struct range *range, unsigned port)
{
	return port >= range->low && port <= range->high;
}

static struct range passive_ports(const struct draft_object *ftp)
{
	const char *value = draft_get(ftp, "passivedataports");
	char *rest;

	if (value == NULL)
		return (struct range){ LOW, HIGH };
	return (struct range){ .low = (unsigned)strtoul(value, &rest, 10),
			       .high = (unsigned)strtoul(rest + 1, NULL, 10) };
}

/* The larger part of the range beside a listener's port; if none is left, attlsd's own range. */
static void cut(struct range *range, unsigned port)
{
	if (port - range->low > range->high - port)
		range->high = port - 1;
	else
		range->low = port + 1;
	if (range->low > range->high)
		*range = (struct range){ LOW, HIGH };
}

/* Each port that is cut off leaves less, and attlsd's own range has more ports than a policy has listeners.
 */
static const struct draft_object *find_in(const struct draft *draft, const struct range *range)
{
	for (const struct draft_object *one = draft->sections[DRAFT_LISTENERS]; one != NULL; one = one->next)
		if (has(range, port_of(one)))
			return one;
	return NULL;
}

static void keep_apart(struct zos *zos, struct draft_object *ftp, struct range *range)
{
	const struct draft_object *listener = find_in(zos->draft, range);
	const char *value;

	if (listener == NULL)
		return;
	for (; listener != NULL; listener = find_in(zos->draft, range))
		cut(range, port_of(listener));
	value = text_format(&zos->draft->arena, "%u-%u", range->low, range->high);
	draft_decide(zos->draft, draft_assumed(zos->draft, "PASSIVEDATAPORTS", value),
		     (struct draft_place){ ftp, "passivedataports", value }, APART,
		     "without the port of a listener");
}

static bool lower_is_free(const struct draft *draft, const struct range *passive)
{
	for (const struct draft_object *one = draft->sections[DRAFT_LISTENERS]; one != NULL;
	     one = one->next) {
		unsigned port = port_of(one) - 1;
		const struct range lower = { port, port };

		if (strcmp(draft_get(one, "tls"), "none") != 0 &&
		    (has(passive, port) || find_in(draft, &lower) != NULL))
			return false;
	}
	return true;
}

/* Does a later listener have this port as well? */
static bool again(const struct draft_object *listener, unsigned port)
{
	for (listener = listener->next; listener != NULL; listener = listener->next)
		if (port_of(listener) == port)
			return true;
	return false;
}

/* Listeners for clients in the clear have ports of attlsd's choice, which a rule may have, too. */
static void move_listeners(struct zos *zos)
{
	for (struct draft_object *one = zos->draft->sections[DRAFT_LISTENERS]; one != NULL; one = one->next) {
		struct range port = { port_of(one), port_of(one) };
		const struct draft_object *other = find_in(zos->draft, &port);

		if (strcmp(draft_get(one, "tls"), "none") != 0 || (other == one && !again(one, port.low)))
			continue;
		do {
			port.low = ++port.high;
		} while (find_in(zos->draft, &port) != NULL);
		draft_differ(
		    zos->draft, draft_assumed(zos->draft, "The port of", one->name),
		    (struct draft_place){ one, "address",
					  text_format(&zos->draft->arena, "\"127.0.0.1:%u\"", port.low) },
		    "a rule has the port that it would get");
	}
}

void zos_ports(struct zos *zos)
{
	struct draft_object *ftp = draft_find(zos->draft, DRAFT_FTP_ACTIONS, ZOS_SERVER);
	struct draft_object *clear = draft_find(zos->draft, DRAFT_FTP_ACTIONS, ZOS_CLEAR);
	struct range passive;

	move_listeners(zos);
	if (ftp == NULL)
		return;
	passive = passive_ports(ftp);
	keep_apart(zos, ftp, &passive);
	if (zos->server != NULL && lower_is_free(zos->draft, &passive))
		draft_decide(zos->draft, draft_assumed(zos->draft, "Active data connections", "from port 20"),
			     (struct draft_place){ ftp, "data_port", "lower" }, LOWER, "as on z/OS");
	for (const char *const *key = (const char *const[]){ "passivedataports", "data_port", NULL };
	     clear != NULL && *key != NULL; key++)
		if (draft_get(ftp, *key) != NULL)
			draft_set(zos->draft, clear, *key, draft_get(ftp, *key));
}
