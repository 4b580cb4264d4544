/*
 * Makes key rings of paths, because a key ring of RACF cannot be read here, and lists of
 * cipher suites, groups and signature algorithms without those that attlsd refuses.
 */
#include "gateway/import/tls-parts.h"

#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/text.h"

#define EXPORT                                                                                                 \
	"Export the certificates, keys and authorities of the key rings to the files that \"keyrings\" names " \
	"(docs/MIGRATE-ZOS.md says how)"
#define COPY                                                                                                 \
	"Copy the PKCS #12 files, in binary, to the paths in \"pkcs12\" of the key rings, and write their "  \
	"passwords into the files that \"password_file\" names, which only root can read. Is this done?"
#define DATABASE                                                                                                 \
	"OpenSSL cannot read a key database of z/OS: export each with gskkyman to a PKCS #12 file, at the path " \
	"in \"pkcs12\" of the key rings, and write its password into the file that \"password_file\" "           \
	"names, which only root can read. Is this done?"
#define TOKEN                                                                                                        \
	"The key ring is a token of z/OS. Move its keys into a token that attlsd reaches, and name them in \"key\" " \
	"(\"pkcs11:token=NAME;object=LABEL?module-path=FILE\"), or export them. Which will you do?"
#define WEAK                                                                                                   \
	"attlsd refuses some cipher suites, groups or signature algorithms that z/OS allowed. Which partners " \
	"have nothing better?"
#define DEFAULT                                                                                                  \
	"z/OS shows the default certificate of the key ring, if it has one, to servers that ask for one. Which " \
	"one does attlsd show? Name it in \"certificates\" of the key ring"

#define NOTHING "[]"

static const char *quote(struct draft *draft, const char *text)
{
	return text_yaml(&draft->arena, text);
}

static const char *certificate(struct draft *draft, const char *folder, const struct statement *label)
{
	struct arena *arena = &draft->arena;
	const char *file = label != NULL ? text_name(arena, label->value, "server") : "server";
	const char *shown =
	    label != NULL ? text_format(arena, "label: %s, ", quote(draft, label->value)) : "";

	return text_format(arena, "{ %schain: %s, key: %s }", shown,
			   quote(draft, text_format(arena, "keyrings/%s/%s.pem", folder, file)),
			   quote(draft, text_format(arena, "keyrings/%s/%s.key", folder, file)));
}

/* OpenSSL refuses a list that has a name twice. */
static bool has(const char *list, const char *value)
{
	size_t len = strlen(value);

	for (const char *at = list + 1; (at = strstr(at, value)) != NULL; at += len)
		if ((at[-1] == '[' || at[-1] == ' ') && (at[len] == ',' || at[len] == ']'))
			return true;
	return false;
}

const char *tls_parts_append(struct draft *draft, const char *list, const char *value)
{
	if (list != NULL && has(list, value))
		return list;
	if (list == NULL || strcmp(list, NOTHING) == 0)
		return text_format(&draft->arena, "[%s]", value);
	return text_format(&draft->arena, "%.*s, %s]", (int)strlen(list) - 1, list, value);
}

/* The certificates of the ring as a list of YAML, or NULL. */
static const char *certificates(struct draft *draft, const char *folder, const struct tls_parts_ring *ring)
{
	const char *list = NULL;

	if (!ring->certificate && ring->labels[0] == NULL)
		return NULL;
	for (int i = 0; i < 2; i++)
		if (ring->labels[i] != NULL && (i == 0 || ring->labels[0] == NULL ||
						strcmp(ring->labels[0]->value, ring->labels[1]->value) != 0))
			list = tls_parts_append(draft, list, certificate(draft, folder, ring->labels[i]));
	return list != NULL ? list : tls_parts_append(draft, NULL, certificate(draft, folder, NULL));
}

/* AT-TLS chooses certificates by action, attlsd by key ring: a client must not show that of a server. */
static bool fits(const struct draft_object *object, const char *source, const char *certs, bool file)
{
	const char *has = draft_get(object, "certificates");

	if (object->source != NULL && strcmp(object->source, source) != 0)
		return false;
	if ((draft_get(object, "pkcs12") != NULL) != file)
		return false;
	if (certs == NULL || has == NULL)
		return has == certs;
	return strcmp(has, certs) == 0;
}

/*
 * The name for all that comes from this key ring of z/OS. Rings whose names become one name here (files in
 * two folders, characters that are not allowed) get different ones.
 */
static const char *name_of(struct draft *draft, const char *source, const char *name)
{
	const struct draft_object *object = draft->sections[DRAFT_KEYRINGS];

	while (object != NULL && (object->source == NULL || strcmp(object->source, source) != 0))
		object = object->next;
	if (object != NULL)
		return object->name;
	object = draft_find(draft, DRAFT_KEYRINGS, name);
	return object == NULL || object->source == NULL ? name : draft_free_name(draft, DRAFT_KEYRINGS, name);
}

/* One of this source with the same certificates, or a new one. */
static struct draft_object *find_ring(struct draft *draft, const char *source, const char *name,
				      const char *certs, bool file)
{
	struct draft_object *object = draft_find(draft, DRAFT_KEYRINGS, name);

	for (unsigned i = 2; object != NULL; i++) {
		if (fits(object, source, certs, file))
			return object;
		object =
		    draft_find(draft, DRAFT_KEYRINGS, text_format(&draft->arena, "%.*s_%u", 26, name, i));
	}
	object = draft_object(draft, DRAFT_KEYRINGS, draft_free_name(draft, DRAFT_KEYRINGS, name));
	object->source = source;
	return object;
}

/* Is it a PKCS #12 file, by its name? All other files are key databases. */
static bool is_pkcs12(const char *path)
{
	const char *end = strrchr(path, '.');

	return end != NULL && (text_is(end, ".p12") || text_is(end, ".pfx"));
}

/* Without a label, a client of z/OS shows the default certificate of the key ring. */
static void ask_default(struct draft *draft, struct draft_object *object, const struct tls_parts_ring *ring)
{
	const struct draft_place place = { object, "certificates", draft_get(object, "certificates") };

	if (!ring->certificate && !ring->without && ring->labels[0] == NULL && ring->labels[1] == NULL)
		draft_decide(draft, draft_assumed(draft, "CertificateLabel", "none"), place, DEFAULT,
			     "no certificate, now");
}

/*
 * The certificates that labels choose from a PKCS #12 file, or NULL: its only one, as z/OS takes the default.
 * A client needs none, and a file of authorities has none.
 */
static const char *chosen(struct draft *draft, const struct tls_parts_ring *ring)
{
	const char *list = ring->certificate ? NULL : NOTHING;

	for (int i = 0; i < 2; i++)
		if (ring->labels[i] != NULL)
			list = tls_parts_append(draft, list,
						text_format(&draft->arena, "{ label: %s }",
							    quote(draft, ring->labels[i]->value)));
	return list;
}

/* A file: with its certificates and authorities, it becomes a PKCS #12 file unless it is one. */
static void file_ring(struct draft *draft, struct draft_object *tls, const struct tls_parts_ring *ring)
{
	struct arena *arena = &draft->arena;
	const char *value = ring->ring->value, *base = strrchr(value, '/') + 1;
	const char *name = name_of(draft, value, text_name(arena, base, "ring")),
		   *certs = chosen(draft, ring);
	struct draft_object *object = find_ring(draft, value, name, certs, true);
	const char *path =
	    quote(draft, text_format(arena, "keyrings/%s%s", name, is_pkcs12(value) ? "" : ".p12"));
	const struct draft_place place = { tls, "keyring", quote(draft, object->name) };
	const struct draft_place password = {
		object, "password_file", quote(draft, text_format(arena, "keyrings/%s.password", name))
	};

	draft_decide(draft, ring->ring, place, is_pkcs12(value) ? COPY : DATABASE, "pkcs12 is %s", path);
	draft_set(draft, object, "pkcs12", path);
	draft_set(draft, object, "password_file", password.value);
	if (certs != NULL)
		draft_set(draft, object, "certificates", certs);
	ask_default(draft, object, ring);
	for (int i = 0; i < 2; i++) {
		if (ring->passwords[i] != NULL)
			draft_differ(draft, ring->passwords[i], password,
				     "the password, as the only line of a file");
		if (ring->labels[i] != NULL)
			draft_carry(draft, ring->labels[i],
				    (struct draft_place){ object, "certificates", certs });
	}
	if (ring->trust)
		draft_set(draft, object, "trust", "pkcs12");
}

static void other_ring(struct draft *draft, struct draft_object *tls, const struct tls_parts_ring *ring)
{
	struct arena *arena = &draft->arena;
	const char *value = ring->ring->value;
	bool virtual = strcmp(value, "*AUTH*/*") == 0;
	bool token = text_begins(value, "*TOKEN*/");
	const char *name = name_of(draft, value, virtual ? "authorities" : text_name(arena, value, "ring"));
	const char *certs = certificates(draft, name, ring);
	struct draft_object *object = find_ring(draft, value, name, certs, false);
	const char *note = virtual ? "It stands for the authorities of this host; those of RACF may be others"
			   : value[0] == '*' ? "this is a token or a virtual key ring of z/OS"
					     : "a key ring of RACF becomes files in PEM";
	const struct draft_place place = { tls, "keyring", quote(draft, object->name) };

	if (virtual && certs == NULL)
		draft_differ(draft, ring->ring, place, "%s", note);
	else
		draft_decide(draft, ring->ring, place, token ? TOKEN : EXPORT, "%s", note);
	if (certs != NULL)
		draft_set(draft, object, "certificates", certs);
	if (!virtual) /* it has no keys */
		ask_default(draft, object, ring);
	for (int i = 0; i < 2; i++)
		if (ring->labels[i] != NULL)
			draft_differ(draft, ring->labels[i],
				     (struct draft_place){ object, "certificates", certs },
				     "attlsd shows the certificate of the key ring that fits the client");
	if (ring->trust && draft_get(object, "trust") == NULL)
		draft_set(draft, object, "trust",
			  virtual ? "\"*AUTH*/*\""
				  : quote(draft, text_format(arena, "keyrings/%s/trust.pem", name)));
}

void tls_parts_keyring(struct draft *draft, struct draft_object *tls, const struct tls_parts_ring *ring)
{
	(ring->ring->value[0] == '/' ? file_ring : other_ring)(draft, tls, ring);
}

/* What a list left out, for the account of its statement. */
struct left_out {
	const char *names; /* "": nothing */
	const char *taken; /* "": nothing */
	bool off;	   /* some are for a version that is off */
};

static void leave_out(struct draft *draft, struct left_out *left, const char *name, const char *why)
{
	if (strlen(left->names) < 400)
		left->names = text_join(&draft->arena, left->names, ", ",
					text_format(&draft->arena, "%.60s (%s)", name, why));
}

static const char *why_not(const struct cipher *cipher)
{
	if (cipher == NULL)
		return "unknown";
	if (cipher->openssl == NULL)
		return "too weak";
	return cipher_encrypts(cipher) ? NULL : "does not encrypt";
}

static void add_cipher(struct draft *draft, struct draft_object *tls, struct left_out left[2],
		       const bool off[2], const char *text)
{
	const struct cipher *cipher = cipher_find(text);
	const char *why = why_not(cipher);
	int which = cipher != NULL && cipher_is_tls13(cipher);
	const char *key = which ? "ciphersuites" : "ciphers";

	if (why != NULL) {
		leave_out(draft, &left[which],
			  cipher != NULL && strcmp(text, cipher->iana) != 0
			      ? text_format(&draft->arena, "%s %s", text, cipher->iana)
			      : text,
			  why);
		return;
	}
	if (off[which]) {
		left[which].off = true;
		return;
	}
	left[which].taken = cipher->openssl;
	draft_set(draft, tls, key, tls_parts_append(draft, draft_get(tls, key), cipher->openssl));
}

static bool is_hex(const char *text, unsigned digits)
{
	size_t len = strlen(text);

	return digits > 0 && len > 0 && len % digits == 0 && strspn(text, "0123456789ABCDEFabcdef") == len;
}

void tls_parts_ciphers(struct draft *draft, struct draft_object *tls, struct statement *st, unsigned digits,
		       const bool off[2])
{
	static const char *const keys[] = { "ciphers", "ciphersuites" };
	static const char *const versions[] = { "TLS 1.2", "TLS 1.3" };
	struct left_out left[2] = { { "", "", false }, { "", "", false } };

	if (!is_hex(st->value, digits))
		add_cipher(draft, tls, left, off, st->value);
	else
		for (const char *at = st->value; *at != '\0'; at += digits)
			add_cipher(draft, tls, left, off, text_copy(&draft->arena, at, digits));
	for (int i = 0; i < 2; i++) {
		struct draft_place place = { tls, keys[i], draft_get(tls, keys[i]) };

		if (left[i].names[0] != '\0')
			draft_decide(draft, st, place, WEAK, "left out: %s", left[i].names);
		else if (left[i].taken[0] != '\0')
			draft_carry(draft, st, place);
		else if (left[i].off)
			draft_drop(draft, st, tls, "%s is off", versions[i]);
	}
}

/* Those that every OpenSSL 3 has. */
static bool is_common(bool group, const struct tls_name *name)
{
	static const char *const groups = "0023 0024 0025 0029 0030 0256 0257 0258 0259 0260";
	static const char *const signatures =
	    "0401 0501 0601 0403 0503 0603 0804 0805 0806 0807 0808 0809 080A 080B";

	return text_is_word(name->zos, group ? groups : signatures);
}

/* The names that z/OS has for signatures, beside their ids. */
static const struct {
	const char *name, *id;
} signatures[] = {
	{ "SHA512_WITH_RSA", "0601" },	      { "SHA512_WITH_ECDSA", "0603" },
	{ "SHA384_WITH_RSA", "0501" },	      { "SHA384_WITH_ECDSA", "0503" },
	{ "SHA256_WITH_RSA", "0401" },	      { "SHA256_WITH_ECDSA", "0403" },
	{ "SHA256_WITH_DSA", "0402" },	      { "SHA224_WITH_RSA", "0301" },
	{ "SHA224_WITH_ECDSA", "0303" },      { "SHA224_WITH_DSA", "0302" },
	{ "SHA1_WITH_RSA", "0201" },	      { "SHA1_WITH_ECDSA", "0203" },
	{ "SHA1_WITH_DSA", "0202" },	      { "SHA512_WITH_RSASSA_PSS", "0806" },
	{ "SHA384_WITH_RSASSA_PSS", "0805" }, { "SHA256_WITH_RSASSA_PSS", "0804" },
};

#define SIGNATURE_PREFIX "TLS_SIGALG_"

/* One constant, or 0: ids of four characters each. */
static size_t constant_length(struct draft *draft, const char *value, const char **ret_id)
{
	size_t len = strlen(value);

	if (is_hex(value, 4))
		return 0;
	*ret_id = text_copy(&draft->arena, value, len);
	if (text_begins(value, SIGNATURE_PREFIX))
		for (size_t i = 0; i < NELEM(signatures); i++)
			if (text_is(signatures[i].name, value + strlen(SIGNATURE_PREFIX)))
				*ret_id = signatures[i].id;
	return len;
}

void tls_parts_names(struct draft *draft, struct draft_object *tls, struct statement *st, const char *key,
		     bool groups)
{
	struct left_out left = { "", "", false };
	const char *id = NULL;
	size_t constant = constant_length(draft, st->value, &id);

	for (const char *at = st->value; *at != '\0'; at += constant > 0 ? constant : 4) {
		const struct tls_name *name;

		if (constant == 0)
			id = text_copy(&draft->arena, at, 4);
		name = tls_name_find(groups ? TLS_NAME_GROUP : TLS_NAME_SIGNATURE, id);
		if (name == NULL || name->refusal != NULL)
			leave_out(draft, &left, id, name == NULL ? "unknown" : name->refusal);
		else if (!is_common(groups, name))
			leave_out(draft, &left, name->iana, "add it if the installed OpenSSL has it");
		else
			draft_set(draft, tls, key,
				  tls_parts_append(draft, draft_get(tls, key), quote(draft, name->iana)));
	}
	if (left.names[0] != '\0')
		draft_decide(draft, st, (struct draft_place){ tls, key, draft_get(tls, key) }, WEAK,
			     "left out: %s", left.names);
	else
		draft_carry(draft, st, (struct draft_place){ tls, key, draft_get(tls, key) });
}
