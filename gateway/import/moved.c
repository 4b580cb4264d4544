/*
 * Puts together the policy for a server that moves: attlsd takes its port and its
 * certificates, and the server gets another address of this host.
 */
#include "gateway/import/moved.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/text.h"
#include "gateway/import/tls-parts.h"
#include "policy/ip.h"

#define NAME	    "server"
#define FTP_PORT    21
#define NEW_HOST    "127.0.0.1"
#define NEW_PORT    2021
#define PORT_LOWEST 1024
#define PORT_MAX    65535

#define CIPHER_STRING                                                                                        \
	"attlsd takes a list of cipher suites, not a string of OpenSSL's groups and signs. Which suites do " \
	"clients need? Without a list, they get those with forward secrecy"
#define NO_TLS                                                                                                    \
	"The server has no TLS, so its clients log in without. attlsd demands TLS: may clients without it still " \
	"log in (secure_ftp, secure_ctrlconn and secure_dataconn)?"
#define INTERFACE                                                                                            \
	"Is this a host or an interface? attlsd takes it for a host; for an interface, write interface:NAME"
#define NO_CERTIFICATE "The server has no certificate: which one does attlsd show?"
#define TRUST	       "Which authorities issue the certificates of clients? Name them in \"trust\" of the key ring"
#define HOST                                                                                                  \
	"At which addresses do clients connect? Give each its listener: attlsd takes addresses, no names of " \
	"hosts or interfaces"
#define APART                                                                                                    \
	"The listener has one of the ports for passive data connections, so only a part of them is left. Is it " \
	"enough?"
#define ADDRESSES                                                                                                    \
	"The server admits or refuses clients by address, but sees only that of attlsd from now on. Which networks " \
	"belong in match.remote_addr of a rule?"
#define UNKNOWN "attlsctl does not know some settings of TLS. Do they decide who may connect or log in?"
#define COMMANDS                                                                                                    \
	"The server refuses commands that attlsd answers itself: AUTH, PBSZ, PROT, CCC, PASV, EPSV, PORT or EPRT. " \
	"Which of them belong in commands_denied?"
#define SESSIONS_MAX 1000000
#define PORTS	     "Which ports may passive data connections have? attlsd needs 1024 or more"

struct draft_place moved_ftp(const struct moved *moved, const char *key, const char *value)
{
	return (struct draft_place){ moved->ftp, key, value };
}

struct draft_place moved_tls(const struct moved *moved, const char *key, const char *value)
{
	return (struct draft_place){ moved->tls, key, value };
}

void moved_begin(struct moved *moved, struct draft *draft, const char *server, const char *address)
{
	*moved = (struct moved){ .draft = draft, .server = server, .address = address };
	moved->tls = draft_object(draft, DRAFT_TLS_ACTIONS, NAME);
	moved->ftp = draft_object(draft, DRAFT_FTP_ACTIONS, NAME);
}

void moved_without_tls(struct moved *moved, const char *setting)
{
	draft_decide(moved->draft, draft_assumed(moved->draft, setting, ""),
		     moved_ftp(moved, "secure_ftp", "required"), NO_TLS, "attlsd's default");
}

void moved_ciphers(struct moved *moved, struct statement *st, const char *value, bool tls13)
{
	const char *key = tls13 ? "ciphersuites" : "ciphers";
	struct arena *arena = &moved->draft->arena;
	const char *list = NULL;

	for (const char *at = value; *at != '\0'; at += *at == ':') {
		size_t len = strcspn(at, ":");
		const struct cipher *cipher = cipher_find(text_copy(arena, at, len));

		if (cipher == NULL || cipher->openssl == NULL || !cipher_encrypts(cipher) ||
		    cipher_is_tls13(cipher) != tls13) {
			draft_decide(moved->draft, st, moved_tls(moved, key, NULL), CIPHER_STRING,
				     "the default of attlsd");
			return;
		}
		list = tls_parts_append(moved->draft, list, cipher->openssl);
		at += len;
	}
	draft_carry(moved->draft, st, moved_tls(moved, key, list));
}

void moved_advertise(struct moved *moved, struct statement *st)
{
	struct draft_object *nat = draft_object(moved->draft, DRAFT_NAT, "");

	struct draft_place place = { nat, "advertise", text_yaml(&moved->draft->arena, st->value) };

	if (strpbrk(st->value, ".:") != NULL)
		draft_carry(moved->draft, st, place);
	else
		draft_decide(moved->draft, st, place, INTERFACE, "a host");
}

bool moved_seconds(struct moved *moved, struct statement *st, const char *key, unsigned min, unsigned max)
{
	uint64_t number;
	const char *value;

	if (!text_number(st->value, 0, UINT32_MAX, &number)) {
		diags_add(&st->source->diags, DIAG_ERROR, DIAG_IMPORT_VALUE, st->value_mark,
			  "%s needs a number of seconds", st->keyword);
		return false;
	}
	value = text_format(&moved->draft->arena, "%us",
			    (unsigned)(number < min || number == 0 ? (number == 0 && min > 0 ? max : min)
				       : number > max		   ? max
								   : number));
	if (number >= min && number <= max)
		draft_carry(moved->draft, st, moved_ftp(moved, key, value));
	else
		draft_differ(moved->draft, st, moved_ftp(moved, key, value), "attlsd allows %us to %us", min,
			     max);
	return true;
}

void moved_by_address(struct moved *moved, struct statement *st)
{
	draft_decide(moved->draft, st, (struct draft_place){ 0 }, ADDRESSES, "it sees attlsd");
}

/* "3", "3 a message" */
void moved_per_source(struct moved *moved, struct statement *st)
{
	struct arena *arena = &moved->draft->arena;
	const char *number = text_copy(arena, st->value, strcspn(st->value, " \t"));
	const char *value;
	uint64_t limit;

	if (!text_number(number, 1, UINT32_MAX, &limit)) {
		draft_drop(moved->draft, st, NULL, "without a limit, attlsd has its own: daemon.limits");
		return;
	}
	limit = limit < SESSIONS_MAX ? limit : SESSIONS_MAX;
	if (moved->per_source == 0 || limit < moved->per_source)
		moved->per_source = (unsigned)limit;
	value = text_format(arena, "{ sessions_per_source: %u }", moved->per_source);
	draft_differ(moved->draft, st,
		     (struct draft_place){ draft_object(moved->draft, DRAFT_DAEMON, ""), "limits", value },
		     "for all of attlsd; the server sees one address only, and gets no limit");
}

void moved_unknown_tls(struct moved *moved, struct statement *st)
{
	draft_decide(moved->draft, st, moved_tls(moved, NULL, NULL), UNKNOWN, "not in attlsd");
}

void moved_commands(struct moved *moved, struct statement *st)
{
	draft_decide(moved->draft, st, moved_ftp(moved, NULL, NULL), COMMANDS, "attlsd allows them");
}

static bool has_command(const char *list, const char *verb)
{
	const char *end = ", \t";

	for (list += strspn(list, end); *list != '\0'; list += strspn(list, end)) {
		size_t len = strcspn(list, end);

		if (len == strlen(verb) && text_begins(list, verb))
			return true;
		list += len;
	}
	return false;
}

/* Those that choose data connections come first. */
static const char *const own[] = { "PASV", "EPSV", "PORT", "EPRT", "AUTH", "PBSZ", "PROT", "CCC" };
#define OWN_DATA 4

bool moved_has_own(const char *list)
{
	for (size_t i = 0; i < NELEM(own); i++)
		if (has_command(list, own[i]))
			return true;
	return false;
}

bool moved_lacks_own(const char *list)
{
	for (size_t i = 0; i < OWN_DATA; i++)
		if (!has_command(list, own[i]))
			return true;
	return false;
}

static void keyring(struct moved *moved)
{
	struct draft *draft = moved->draft;
	struct draft_object *ring = draft_object(draft, DRAFT_KEYRINGS, NAME);
	const char *list = NULL;

	for (int i = 0; i < MOVED_CERTIFICATES; i++) {
		const struct moved_certificate *one = &moved->certificates[i];

		if (one->chain != NULL)
			list = tls_parts_append(
			    draft, list,
			    text_format(
				&draft->arena, "{ chain: %s, key: %s }",
				text_yaml(&draft->arena, one->chain->value),
				text_yaml(&draft->arena, (one->key != NULL ? one->key : one->chain)->value)));
	}
	if (list == NULL)
		draft_decide(
		    draft, draft_assumed(draft, "The certificate", ""),
		    (struct draft_place){ ring, "certificates", "[{ chain: server.pem, key: server.key }]" },
		    NO_CERTIFICATE, "not in the file");
	for (int i = 0; i < MOVED_CERTIFICATES; i++) {
		const struct moved_certificate *one = &moved->certificates[i];

		if (one->chain != NULL)
			draft_carry(draft, one->chain, (struct draft_place){ ring, "certificates", list });
		if (one->key != NULL && one->chain != NULL)
			draft_carry(draft, one->key, (struct draft_place){ ring, "certificates", list });
		else if (one->key != NULL)
			draft_drop(draft, one->key, ring, "no certificate goes with it");
	}
	if (moved->trust != NULL)
		draft_carry(
		    draft, moved->trust,
		    (struct draft_place){ ring, "trust", text_yaml(&draft->arena, moved->trust->value) });
	else if (moved->verify)
		draft_decide(draft, draft_assumed(draft, "Authorities of clients", ""),
			     (struct draft_place){ ring, "trust", "trust.pem" }, TRUST, "not in the file");
	if (moved->crl != NULL && draft_get(ring, "trust") != NULL)
		draft_carry(draft, moved->crl,
			    (struct draft_place){ ring, "crl", text_yaml(&draft->arena, moved->crl->value) });
	else if (moved->crl != NULL)
		draft_drop(draft, moved->crl, ring, "no client certificate is verified");
	draft_set(draft, moved->tls, "keyring", NAME);
}

/* "50000 50100", or two settings, of which each has a default; 0 stands for it. */
static void read_ports(const struct moved *moved, unsigned *low, unsigned *high)
{
	*low = *high = 0;
	if (moved->low != NULL)
		(void)sscanf(moved->low->value, "%5u %5u", low, high);
	if (moved->high != NULL)
		(void)sscanf(moved->high->value, "%5u", high);
	if (*low == 0)
		*low = PORT_LOWEST;
	if (*high == 0)
		*high = PORT_MAX;
}

static void passive_ports(struct moved *moved, unsigned listener)
{
	struct draft *draft = moved->draft;
	unsigned low, high;
	bool apart;
	const char *value;

	if (moved->low == NULL && moved->high == NULL)
		return;
	read_ports(moved, &low, &high);
	apart = listener >= low && listener <= high;
	if (apart && listener - low > high - listener)
		high = listener - 1;
	else if (apart)
		low = listener + 1;
	value = text_format(&draft->arena, "%u-%u", low, high);
	for (int i = 0; i < 2; i++) {
		struct statement *st = i == 0 ? moved->low : moved->high;

		if (st == NULL)
			continue;
		if (low < PORT_LOWEST || low > high || high > PORT_MAX)
			draft_decide(draft, st, moved_ftp(moved, "passivedataports", NULL), PORTS,
				     "49152 to 65535, the default of attlsd");
		else if (apart)
			draft_decide(draft, st, moved_ftp(moved, "passivedataports", value), APART,
				     "without the port of the listener");
		else
			draft_carry(draft, st, moved_ftp(moved, "passivedataports", value));
	}
}

/* Active data connections cannot come from a port that a listener or a passive connection has. */
static void lower_port(struct moved *moved, unsigned listener)
{
	unsigned low, high;
	const char *value = draft_get(moved->ftp, "data_port");

	if (value == NULL || strcmp(value, "lower") != 0 || (moved->low == NULL && moved->high == NULL))
		return;
	read_ports(moved, &low, &high);
	if (listener - 1 >= low && listener - 1 <= high)
		draft_differ(moved->draft, draft_assumed(moved->draft, "Active data connections", ""),
			     moved_ftp(moved, "data_port", "any"),
			     "the port below that of the listener is one for passive connections");
}

void moved_address(const struct moved *moved, const char **ret_host, unsigned *ret_port)
{
	struct arena *arena = &moved->draft->arena;
	const char *colon = moved->address != NULL ? strrchr(moved->address, ':') : NULL;
	uint64_t port = NEW_PORT;

	*ret_host = NEW_HOST;
	if (colon != NULL && text_number(colon + 1, 1, UINT16_MAX, &port))
		*ret_host = text_copy(arena, moved->address, (size_t)(colon - moved->address));
	*ret_port = (unsigned)port;
}

static struct draft_object *listener(struct moved *moved, const char *name, const char *address)
{
	struct draft_object *object = draft_object(moved->draft, DRAFT_LISTENERS, name);

	draft_set(moved->draft, object, "address", address);
	draft_set(moved->draft, object, "tls", moved->implicit ? "implicit" : "explicit");
	return object;
}

/* One at the server's address, or one for each family. */
static void listeners(struct moved *moved, unsigned port)
{
	struct draft *draft = moved->draft;
	struct draft_object *first;
	struct ip_addr addr;
	const char *any = text_format(&draft->arena, "\"0.0.0.0:%u\"", port);
	bool literal =
	    moved->host != NULL && ip_addr_parse(moved->host->value, strlen(moved->host->value), &addr) == 0;
	const char *host;
	unsigned new_port;

	if (literal) {
		char buf[IP_TEXT_MAX];
		const char *text = ip_addr_format(&addr, buf);

		any = text_format(&draft->arena, addr.family == IP_V6 ? "\"[%s]:%u\"" : "\"%s:%u\"", text,
				  port);
	}
	first = listener(moved, "clients", any);
	if (literal)
		draft_carry(draft, moved->host, (struct draft_place){ first, "address", any });
	else if (moved->host != NULL)
		draft_decide(draft, moved->host, (struct draft_place){ first, "address", any }, HOST,
			     "all addresses of IPv4, now");
	if (moved->ipv6 && moved->host == NULL)
		(void)listener(moved, "clients_v6", text_format(&draft->arena, "\"[::]:%u\"", port));
	moved_address(moved, &host, &new_port);
	if (moved->port != NULL)
		draft_differ(draft, moved->port, (struct draft_place){ first, "address", any },
			     "attlsd takes the port over; %s moves to %s:%u", moved->server, host, new_port);
}

void moved_finish(struct moved *moved)
{
	struct draft *draft = moved->draft;
	struct draft_object *backend = draft_object(draft, DRAFT_BACKENDS, moved->server);
	struct draft_object *rule = draft_object(draft, DRAFT_RULES, "everyone");
	uint64_t port = FTP_PORT;
	const char *host;
	unsigned new_port;

	keyring(moved);
	moved_address(moved, &host, &new_port);
	draft_set(draft, backend, "address",
		  text_yaml(&draft->arena, text_format(&draft->arena, "%s:%u", host, new_port)));
	if (moved->port != NULL && !text_number(moved->port->value, 1, UINT16_MAX, &port))
		diags_add(&moved->port->source->diags, DIAG_ERROR, DIAG_IMPORT_VALUE, moved->port->value_mark,
			  "%s needs a port from 1 to 65535", moved->port->keyword);
	listeners(moved, (unsigned)port);
	passive_ports(moved, (unsigned)port);
	lower_port(moved, (unsigned)port);
	draft_set(draft, rule, "tls", NAME);
	draft_set(draft, rule, "ftp", NAME);
	draft_set(draft, rule, "backend", text_yaml(&draft->arena, moved->server));
}
