/*
 * The way out: a listener for clients in the clear on this host, a backend for the server
 * that speaks TLS. The server's name comes from HostReferenceIdDNS or the rule's address;
 * otherwise an administrator has to give it.
 */
#include "gateway/import/zos-outbound.h"

#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/attls-tls.h"
#include "gateway/import/text.h"
#include "gateway/import/tls-parts.h"
#include "policy/policy.h"

#define FTP_PORT     21
#define FIRST_PORT   2121
#define SOME_ADDRESS "192.0.2.1" /* for documents: nobody answers */
#define SOME_NAME    "ftp.partner.example"

#define PARTNER                                                                                              \
	"Which server do these clients reach? Give its address and the name in its certificate in \"backends\""
#define WHERE                                                                                                    \
	"Clients connect to attlsd in the clear, up to this host: which address do they use? For programs that " \
	"dial the server itself, see docs/OUTBOUND.md"
#define WHO                                                                                                  \
	"On z/OS, these rules are for some clients only, by address, port, job or user. Every program that " \
	"reaches the listener uses them here: who may?"
#define FOR_ALL	   "the rule is for all clients of its listener, now"
#define ONE_SERVER "the backend has one server"
#define ONE_PORT   "the backend has one of these ports"
#define KERBEROS   "attlsd does not use Kerberos toward servers. Does this one speak TLS?"
#define NO_RING	   "FTP.DATA names no key ring: which authorities issue the servers' certificates?"
#define RING_ATTLS                                                                                               \
	"With TLSMECHANISM ATTLS, the policy of AT-TLS names the key ring: import it with --attls. Without it: " \
	"which authorities issue the servers' certificates?"
#define START                                                                                                \
	"The client of z/OS starts TLS only with SECURE_MECHANISM or an option (-a TLS). Does the server speak TLS?"
#define ORDER "attlsd tries EPSV, PASV, EPRT and PORT in this order, and remembers a refusal"
#define DATA                                                                                                  \
	"FTP.DATA has no SECURE_DATACONN, so the client of z/OS transfers in the clear unless its user says " \
	"PRIVATE. attlsd sends PROT P. Is there a server that refuses it?"
#define GREETING                                                                                               \
	"FTP.DATA has no SECUREIMPLICITZOS, so the client of z/OS waits for 220 before it starts TLS. Is the " \
	"server on z/OS, too? All others need secureimplicitzos: false"
#define HOSTNAME                                                                                                    \
	"z/OS does not compare the server's name with its certificate (SECURE_HOSTNAME OPTIONAL). attlsd can: may " \
	"it be required?"

struct way {
	struct zos *zos;
	struct draft_object *backend, *ftp, *tls;
	unsigned port;
	bool implicit;
	bool alone;   /* no rule of AT-TLS is for the client */
	bool at_once; /* AT-TLS starts TLS before the FTP client knows of the connection */
};

static void take_mechanism(struct way *way, struct ftp_data_statement *one)
{
	struct draft_place place = { way->backend, "secure_mechanism",
				     way->implicit ? "implicit"
						   : text_lower(&way->zos->draft->arena, one->st.value) };

	if (text_is(one->st.value, "GSSAPI")) {
		place.value = way->implicit ? "implicit" : "tls";
		draft_decide(way->zos->draft, &one->st, place, KERBEROS, "TLS instead");
	} else {
		draft_carry(way->zos->draft, &one->st, place);
	}
}

static void take_hostname(struct way *way, struct ftp_data_statement *one)
{
	draft_carry(way->zos->draft, &one->st,
		    (struct draft_place){ way->tls, "secure_hostname",
					  text_lower(&way->zos->draft->arena, one->st.value) });
}

static void take_security(struct way *way, struct ftp_data_statement *one)
{
	if (text_is(one->st.value, "REQUIRED"))
		draft_carry(way->zos->draft, &one->st,
			    (struct draft_place){ way->backend, "tls", draft_get(way->backend, "tls") });
	else
		draft_differ(way->zos->draft, &one->st,
			     (struct draft_place){ way->backend, "tls", draft_get(way->backend, "tls") },
			     "attlsd never continues in the clear if the server refuses AUTH");
}

static bool is_true(const struct ftp_data *data, const char *statement)
{
	const struct ftp_data_statement *one = ftp_data_find(data, statement);

	return one != NULL && text_is(one->st.value, "TRUE");
}

/* Over IPv6, z/OS uses EPSV whatever FTP.DATA says. */
static bool is_v4(const struct way *way)
{
	const char *address = draft_get(way->backend, "address");

	return address != NULL && strspn(address, "\".:0123456789") == strlen(address);
}

static void take_epsv(struct way *way, struct ftp_data_statement *one)
{
	struct draft_place place = { way->backend, "epsv", "auto" };

	if (text_is(one->st.value, "TRUE")) {
		draft_carry(way->zos->draft, &one->st, place);
	} else if (is_v4(way)) {
		place.value = "never";
		draft_differ(way->zos->draft, &one->st, place, "a server over IPv6 needs auto");
	} else {
		draft_differ(way->zos->draft, &one->st, place, ORDER);
	}
}

static void take_data(struct way *way, struct ftp_data_statement *one)
{
	bool passive = text_is(one->st.value, "TRUE");
	const char *other = strcmp(one->row->statement, "FWFRIENDLY") == 0 ? "PASSIVEONLY" : "FWFRIENDLY";
	bool port = !passive && is_v4(way) && !is_true(way->zos->client, "EPSV4");
	struct draft_place place = { way->backend, "data", passive ? "passive" : port ? "active" : "auto" };

	if (!passive && is_true(way->zos->client, other))
		draft_drop(way->zos->draft, &one->st, way->backend, "%s TRUE decides", other);
	else if (one->row->text[0] != '\0')
		draft_differ(way->zos->draft, &one->st, place, "%s", one->row->text);
	else if (passive || port)
		draft_carry(way->zos->draft, &one->st, place);
	else
		draft_differ(way->zos->draft, &one->st, place, ORDER);
}

static void take_address(struct way *way, struct ftp_data_statement *one)
{
	if (text_is(one->st.value, "TRUE"))
		draft_carry(way->zos->draft, &one->st, (struct draft_place){ .object = way->backend });
	else
		draft_differ(way->zos->draft, &one->st, (struct draft_place){ .object = way->backend },
			     "attlsd always ignores the address in 227");
}

static void take_implicit(struct way *way, struct ftp_data_statement *one)
{
	if (way->at_once && text_is(one->st.value, "TRUE"))
		draft_differ(way->zos->draft, &one->st,
			     (struct draft_place){ way->backend, "secureimplicitzos", "false" },
			     "AT-TLS starts TLS before the client reads a greeting");
	else if (way->implicit)
		zos_carry(way->zos, one, way->backend, "secureimplicitzos");
	else
		draft_drop(way->zos->draft, &one->st, way->backend, "the way to this server is not implicit");
}

static void take_level(struct way *way, struct ftp_data_statement *one)
{
	draft_drop(way->zos->draft, &one->st, way->backend,
		   "attlsd sends CCC only with ccc: after_login; then add tlsrfclevel");
}

static void take_port(struct way *way, struct ftp_data_statement *one)
{
	if (way->implicit && way->port == zos_tlsport(way->zos->client))
		draft_carry(way->zos->draft, &one->st,
			    (struct draft_place){ way->backend, "secure_mechanism", "implicit" });
	else
		draft_drop(way->zos->draft, &one->st, way->backend,
			   "the server's port is another; for TLSPORT, set secure_mechanism to implicit");
}

static void take_tls(struct way *way, struct ftp_data_statement *one)
{
	draft_drop(way->zos->draft, &one->st, way->backend, "attlsd does TLS toward the server");
}

static void take_extension(struct way *way, struct ftp_data_statement *one)
{
	draft_drop(way->zos->draft, &one->st, way->backend, "attlsd passes on what its clients send");
}

static void take_old_tls(struct way *way, struct ftp_data_statement *one)
{
	if (text_is(one->st.value, "TRUE"))
		draft_decide(way->zos->draft, &one->st, (struct draft_place){ .object = way->tls },
			     ZOS_OLD_TLS, "never in attlsd");
	else
		draft_drop(way->zos->draft, &one->st, way->tls, "attlsd never uses SSL 3.0");
}

static void take_retries(struct way *way, struct ftp_data_statement *one)
{
	draft_drop(way->zos->draft, &one->st, way->backend, "it is about data sets of the client");
}

static void take_native(struct way *way, struct ftp_data_statement *one)
{
	struct draft *draft = way->zos->draft;
	const char *statement = one->row->statement;

	if (!zos_is_native(way->zos->client) || !way->alone)
		draft_drop(draft, &one->st, way->backend, "the policy of AT-TLS decides");
	else if (strcmp(statement, "KEYRING") == 0)
		tls_parts_keyring(draft, way->tls,
				  &(struct tls_parts_ring){ .ring = &one->st, .trust = true });
	else if (strcmp(statement, "CIPHERSUITE") == 0)
		tls_parts_ciphers(draft, way->tls, &one->st, 0, (const bool[2]){ false });
	else
		draft_carry(draft, &one->st,
			    (struct draft_place){ way->tls, "session_timeout",
						  text_format(&draft->arena, "%ss", one->st.value) });
}

static void take_pbsz(struct way *way, struct ftp_data_statement *one)
{
	draft_drop(way->zos->draft, &one->st, way->backend, "attlsd uses TLS toward servers, not Kerberos");
}

static const struct {
	const char *statement;
	void (*take)(struct way *way, struct ftp_data_statement *one);
} takers[] = {
	{ "SECURE_MECHANISM", take_mechanism },
	{ "SECURE_HOSTNAME", take_hostname },
	{ "SECURE_FTP", take_security },
	{ "EPSV4", take_epsv },
	{ "FWFRIENDLY", take_data },
	{ "PASSIVEONLY", take_data },
	{ "PASSIVEIGNOREADDR", take_address },
	{ "SECUREIMPLICITZOS", take_implicit },
	{ "TLSRFCLEVEL", take_level },
	{ "KEYRING", take_native },
	{ "CIPHERSUITE", take_native },
	{ "TLSTIMEOUT", take_native },
	{ "TLSPORT", take_port },
	{ "TLSMECHANISM", take_tls },
	{ "EXTENSIONS", take_extension },
	{ "SECURE_PBSZ", take_pbsz },
	{ "SSLV3", take_old_tls },
	{ "DSWAITTIME", take_retries },
};

/* Times are keys of ftp_actions, the rest of backends. */
static struct draft_object *object_of(const struct way *way, const struct ftp_data_row *row)
{
	return row->kind == FTP_DATA_SECONDS ? way->ftp : way->backend;
}

/* What z/OS does if its client's FTP.DATA says nothing, where attlsd does something else. */
static void take_client_defaults(struct way *way)
{
	struct draft *draft = way->zos->draft;
	const struct ftp_data *client = way->zos->client;

	if (ftp_data_find(client, "SECURE_MECHANISM") == NULL)
		draft_decide(draft, draft_assumed(draft, "SECURE_MECHANISM", "none"),
			     (struct draft_place){ way->backend, "secure_mechanism",
						   way->implicit ? "implicit" : "tls" },
			     START, "not in FTP.DATA");
	if (ftp_data_find(client, "SECURE_HOSTNAME") == NULL)
		draft_decide(draft, draft_assumed(draft, "SECURE_HOSTNAME", "OPTIONAL"),
			     (struct draft_place){ way->tls, "secure_hostname", "optional" }, HOSTNAME,
			     "not in FTP.DATA; z/OS's default");
	if (ftp_data_find(client, "SECURE_DATACONN") == NULL)
		draft_decide(draft, draft_assumed(draft, "SECURE_DATACONN", "CLEAR"),
			     (struct draft_place){ way->backend, "secure_dataconn", "private" }, DATA,
			     "not in FTP.DATA; z/OS's default");
	if (way->implicit && !way->at_once && ftp_data_find(client, "SECUREIMPLICITZOS") == NULL)
		draft_decide(draft, draft_assumed(draft, "SECUREIMPLICITZOS", "TRUE"),
			     (struct draft_place){ way->backend, "secureimplicitzos", "true" }, GREETING,
			     "not in FTP.DATA; z/OS's default");
	if (ftp_data_find(client, "FWFRIENDLY") == NULL && draft_get(way->backend, "data") == NULL)
		draft_differ(draft, draft_assumed(draft, "FWFRIENDLY", "FALSE"),
			     (struct draft_place){ way->backend, "data", "auto" },
			     "not in FTP.DATA; z/OS uses PORT. " ORDER);
}

static void take_client(struct way *way)
{
	for (struct ftp_data_statement *one = way->zos->client->first; one != NULL; one = one->next) {
		size_t i = 0;

		if (zos_skip(way->zos, one, way->ftp) || (one->row->sides & FTP_DATA_CLIENT) == 0)
			continue;
		while (i < NELEM(takers) && strcmp(takers[i].statement, one->row->statement) != 0)
			i++;
		if (i < NELEM(takers))
			takers[i].take(way, one);
		else
			zos_carry(way->zos, one, object_of(way, one->row), one->row->client_key);
	}
	take_client_defaults(way);
}

/* What clients in the clear get: attlsd has no other value for them. */
static void make_ftp(struct way *way)
{
	struct draft *draft = way->zos->draft;

	way->ftp = draft_object(draft, DRAFT_FTP_ACTIONS, ZOS_CLIENT);
	draft_set(draft, way->ftp, "secure_ftp", "allowed");
	draft_set(draft, way->ftp, "secure_ctrlconn", "clear");
	draft_set(draft, way->ftp, "secure_dataconn", "clear");
	draft_set(draft, way->ftp, "reply_style", "zos");
}

static void make_listener(struct way *way, struct draft_object *rule)
{
	struct draft *draft = way->zos->draft;
	const char *name = draft_free_name(draft, DRAFT_LISTENERS, rule->name);
	struct draft_object *listener = draft_object(draft, DRAFT_LISTENERS, name);
	const char *address = text_format(&draft->arena, "\"127.0.0.1:%u\"", FIRST_PORT + way->zos->outbound);

	draft_decide(draft, draft_assumed(draft, text_format(&draft->arena, "Clients of %s", rule->name), ""),
		     (struct draft_place){ listener, "address", address }, WHERE, "not in the files");
	draft_set(draft, listener, "tls", "none");
	draft_set(draft, rule, "direction", "outbound");
	draft_set(draft, rule, "match",
		  text_format(&draft->arena, "{ listener: %s }", text_yaml(&draft->arena, name)));
	draft_set(draft, rule, "ftp", ZOS_CLIENT);
	draft_set(draft, rule, "backend", text_yaml(&draft->arena, way->backend->name));
	way->zos->outbound++;
}

static void set_server(struct way *way, const char *host)
{
	struct draft *draft = way->zos->draft;
	bool v6 = strchr(host, ':') != NULL;

	draft_set(
	    draft, way->backend, "address",
	    text_yaml(&draft->arena, text_format(&draft->arena, v6 ? "[%s]:%u" : "%s:%u", host, way->port)));
}

static void ask_server(struct way *way)
{
	struct draft *draft = way->zos->draft;

	set_server(way, SOME_ADDRESS);
	draft_decide(
	    draft,
	    draft_assumed(draft, text_format(&draft->arena, "The server of %s", way->backend->name), ""),
	    (struct draft_place){ way->backend, "address", draft_get(way->backend, "address") }, PARTNER,
	    "not in the files");
	draft_set(draft, way->backend, "hostname", SOME_NAME);
}

/* What becomes of the conditions of a rule. Those of the server are the backend; nothing asks for clients. */
static void keep(const struct way *way, const struct zos_rule *rule, struct draft_place match,
		 const struct attls_addresses *remote, struct zos_kept kept[static ZOS_CONDITIONS])
{
	const struct draft_place server = { way->backend, "address", draft_get(way->backend, "address") };
	const struct zos_kept lost = { match, WHO, FOR_ALL, false };
	struct attls_addresses local;

	for (int i = 0; i < ZOS_CONDITIONS; i++)
		kept[i] = (struct zos_kept){ .place = i == ZOS_REMOTE_ADDR || i == ZOS_REMOTE_PORT ? server
												   : match };
	attls_addresses(way->zos->draft, rule->block, "Local", &local);
	if (local.list != NULL)
		kept[ZOS_LOCAL_ADDR] = lost;
	if (!attls_ports_are_all_of_clients(&rule->clients))
		kept[ZOS_LOCAL_PORT] = lost;
	if (rule->by_job)
		kept[ZOS_JOB] = lost;
	if (rule->by_user)
		kept[ZOS_USER] = lost;
	if (remote->list != NULL && remote->single == NULL)
		kept[ZOS_REMOTE_ADDR] = (struct zos_kept){ server, PARTNER, ONE_SERVER, false };
	else if (remote->single == NULL)
		kept[ZOS_REMOTE_ADDR].note = ONE_SERVER;
	if (attls_ports_count(&rule->ports) != 1)
		kept[ZOS_REMOTE_PORT].note = ONE_PORT;
}

void zos_outbound(struct zos *zos, const struct zos_rule *rule, struct draft_object *object)
{
	struct attls_item *host = attls_merged_find(&rule->merged, "HostReferenceIdDNS");
	struct way way = { .zos = zos };
	struct zos_kept kept[ZOS_CONDITIONS];
	struct draft_place match = { object, "match", NULL };
	struct attls_addresses remote;
	const char *name = draft_free_name(zos->draft, DRAFT_BACKENDS, rule->name);
	bool host_is_name = host != NULL && policy_is_host_name(host->st.value);

	attls_addresses(zos->draft, rule->block, "Remote", &remote);
	way.port = rule->ports.count == 0 || attls_ports_have(&rule->ports, FTP_PORT)
		       ? FTP_PORT
		       : attls_ports_at(&rule->ports, 0);
	way.at_once = rule->merged.environment != NULL &&
		      text_is(attls_merged_value(&rule->merged, "ApplicationControlled", "Off"), "Off");
	way.implicit =
	    way.at_once || (rule->merged.environment != NULL && way.port == zos_tlsport(zos->client));
	way.backend = draft_object(zos->draft, DRAFT_BACKENDS, name);
	make_ftp(&way);
	if (remote.single != NULL)
		set_server(&way, remote.single);
	else if (host_is_name)
		set_server(&way, host->st.value);
	else
		ask_server(&way);
	if (host_is_name)
		draft_carry(zos->draft, &host->st,
			    (struct draft_place){ way.backend, "hostname",
						  text_yaml(&zos->draft->arena, host->st.value) });
	else if (host != NULL)
		draft_decide(zos->draft, &host->st, (struct draft_place){ .object = way.backend }, PARTNER,
			     "this is no host name");
	if (rule->merged.environment != NULL &&
	    text_is(attls_merged_value(&rule->merged, "TTLSEnabled", "On"), "On")) {
		way.tls = attls_tls(zos, &rule->merged, true);
		draft_set(zos->draft, way.backend, "tls", text_yaml(&zos->draft->arena, way.tls->name));
		draft_set(zos->draft, way.backend, "secure_mechanism", way.implicit ? "implicit" : "tls");
		if (remote.single != NULL && host == NULL && zos->client == NULL)
			draft_set(zos->draft, way.backend, "hostname",
				  text_yaml(&zos->draft->arena, remote.single));
		if (zos->client != NULL)
			take_client(&way);
	} else {
		for (struct attls_use *use = rule->merged.uses; use != NULL; use = use->next)
			draft_drop(zos->draft, &use->item->st, way.backend,
				   "the server is reached in the clear");
		draft_set(zos->draft, way.backend, "hostname", NULL);
	}
	make_listener(&way, object);
	match.value = zos_rule_match(zos, rule, draft_get(object, "match"));
	draft_set(zos->draft, object, "match", match.value);
	keep(&way, rule, match, &remote, kept);
	zos_rule_account(zos, rule, object, match.value, kept);
}

void zos_outbound_without_rule(struct zos *zos)
{
	struct draft_object *rule = draft_object(zos->draft, DRAFT_RULES, "outbound");
	struct way way = { .zos = zos, .port = FTP_PORT, .alone = true };

	way.backend = draft_object(zos->draft, DRAFT_BACKENDS, "partner");
	way.tls = draft_object(zos->draft, DRAFT_TLS_ACTIONS, ZOS_CLIENT);
	make_ftp(&way);
	ask_server(&way);
	draft_set(zos->draft, way.tls, "handshake_role", "client");
	draft_set(zos->draft, way.backend, "tls", ZOS_CLIENT);
	take_client(&way);
	if (draft_get(way.tls, "keyring") == NULL) {
		draft_decide(zos->draft, draft_assumed(zos->draft, "KEYRING", "none"),
			     (struct draft_place){ way.tls, "keyring", "authorities" },
			     zos_is_native(zos->client) ? NO_RING : RING_ATTLS,
			     "not in FTP.DATA: the authorities of this host");
		draft_set(zos->draft, draft_object(zos->draft, DRAFT_KEYRINGS, "authorities"), "trust",
			  "\"*AUTH*/*\"");
	}
	make_listener(&way, rule);
}
