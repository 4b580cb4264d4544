/*
 * The only file that uses the service's long-term keys. The keytab is copied into memory,
 * since the process sees no files later.
 *
 * There is no replay cache: it would be a file. A copy of a client's token gets no further
 * than an answer that only the client can read, because the acceptor makes a new key in
 * it, and context.c accepts nothing that another key protects. So a context without mutual
 * authentication, which brings no such key, is refused. Nor are channel bindings
 * looked at: clients that send any name the addresses of the control connection, which
 * differ behind a NAT, and most clients send none.
 */
#include "gateway/gssapi/acceptor.h"

#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define MEMORY_KEYTAB "MEMORY:attlsd"

/* Exchanges that need more than one token are rare; the oldest makes room. */
#define HALVES_MAX 16

struct half {
	uint64_t id; /* 0: free */
	gss_ctx_id_t context;
};

struct gssapi_acceptor {
	krb5_context krb5;
	krb5_keytab keytab; /* in memory */
	gss_cred_id_t credential;
	struct half halves[HALVES_MAX];
	size_t next_half;
};

static void say_krb5(krb5_context krb5, krb5_error_code code, char why[static GSSAPI_WHY_MAX])
{
	const char *text = krb5_get_error_message(krb5, code);

	(void)snprintf(why, GSSAPI_WHY_MAX, "%s", text);
	krb5_free_error_message(krb5, text);
}

/* What the mechanism says, which is more than the general status. */
static void say_gss(OM_uint32 major, OM_uint32 minor, char why[static GSSAPI_WHY_MAX])
{
	bool mechanism = minor != 0;
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 more = 0, ignored;

	(void)snprintf(why, GSSAPI_WHY_MAX, "GSSAPI status %u", (unsigned)major);
	if (gss_display_status(&ignored, mechanism ? minor : major,
			       mechanism ? GSS_C_MECH_CODE : GSS_C_GSS_CODE, GSS_C_NO_OID, &more,
			       &text) == GSS_S_COMPLETE)
		(void)snprintf(why, GSSAPI_WHY_MAX, "%.*s", (int)text.length, (const char *)text.value);
	(void)gss_release_buffer(&ignored, &text);
}

static krb5_error_code copy_entries(krb5_context krb5, krb5_keytab from, krb5_keytab to, size_t *ret_n)
{
	krb5_keytab_entry entry;
	krb5_kt_cursor cursor;
	krb5_error_code code = krb5_kt_start_seq_get(krb5, from, &cursor);

	if (code != 0)
		return code;
	while (code == 0 && (code = krb5_kt_next_entry(krb5, from, &entry, &cursor)) == 0) {
		code = krb5_kt_add_entry(krb5, to, &entry);
		(void)krb5_free_keytab_entry_contents(krb5, &entry);
		*ret_n += code == 0;
	}
	(void)krb5_kt_end_seq_get(krb5, from, &cursor);
	return code == KRB5_KT_END ? 0 : code;
}

/* Returns 0 or -EINVAL and why. */
static int load(struct gssapi_acceptor *acceptor, const char *path, char why[static GSSAPI_WHY_MAX])
{
	krb5_keytab file = NULL;
	krb5_error_code code;
	char name[4096 + 8];
	size_t n = 0;

	(void)snprintf(name, sizeof(name), "FILE:%s", path);
	code = krb5_kt_resolve(acceptor->krb5, name, &file);
	if (code == 0)
		code = krb5_kt_resolve(acceptor->krb5, MEMORY_KEYTAB, &acceptor->keytab);
	if (code == 0)
		code = copy_entries(acceptor->krb5, file, acceptor->keytab, &n);
	if (file != NULL)
		(void)krb5_kt_close(acceptor->krb5, file);
	if (code != 0)
		say_krb5(acceptor->krb5, code, why);
	else if (n == 0)
		(void)snprintf(why, GSSAPI_WHY_MAX, "it has no keys");
	return code == 0 && n > 0 ? 0 : -EINVAL;
}

static int acquire(struct gssapi_acceptor *acceptor, char why[static GSSAPI_WHY_MAX])
{
	gss_key_value_element_desc elements[] = { { "keytab", MEMORY_KEYTAB }, { "rcache", "none:" } };
	const gss_key_value_set_desc store = { .count = 2, .elements = elements };
	gss_OID_set_desc krb5 = { .count = 1, .elements = (gss_OID)(uintptr_t)gss_mech_krb5 };
	OM_uint32 minor;
	OM_uint32 major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &krb5, GSS_C_ACCEPT,
						&store, &acceptor->credential, NULL, NULL);

	if (major != GSS_S_COMPLETE)
		say_gss(major, minor, why);
	return major == GSS_S_COMPLETE ? 0 : -EINVAL;
}

int gssapi_acceptor_open(const char *keytab, char why[static GSSAPI_WHY_MAX],
			 struct gssapi_acceptor **ret_acceptor)
{
	struct gssapi_acceptor *acceptor = calloc(1, sizeof(*acceptor));
	int r = acceptor == NULL ? -ENOMEM : 0;

	(void)snprintf(why, GSSAPI_WHY_MAX, "out of memory");
	if (r == 0 && krb5_init_context(&acceptor->krb5) != 0) {
		(void)snprintf(why, GSSAPI_WHY_MAX, "the Kerberos library cannot read its configuration");
		r = -EINVAL;
	}
	if (r == 0)
		r = load(acceptor, keytab, why);
	if (r == 0)
		r = acquire(acceptor, why);
	if (r == 0) {
		*ret_acceptor = acceptor;
		acceptor = NULL;
	}
	gssapi_acceptor_close(&acceptor);
	return r;
}

static void drop(gss_ctx_id_t *context)
{
	OM_uint32 minor;

	(void)gss_delete_sec_context(&minor, context, GSS_C_NO_BUFFER);
}

void gssapi_acceptor_close(struct gssapi_acceptor **acceptor)
{
	OM_uint32 minor;

	if (*acceptor == NULL)
		return;
	for (size_t i = 0; i < HALVES_MAX; i++)
		drop(&(*acceptor)->halves[i].context);
	(void)gss_release_cred(&minor, &(*acceptor)->credential);
	if ((*acceptor)->keytab != NULL) /* the last one wipes it */
		(void)krb5_kt_close((*acceptor)->krb5, (*acceptor)->keytab);
	if ((*acceptor)->krb5 != NULL)
		krb5_free_context((*acceptor)->krb5);
	free(*acceptor);
	*acceptor = NULL;
}

static void refuse(struct gssapi_answer *answer, const char *why)
{
	answer->status = GSSAPI_STATUS_REFUSED;
	(void)snprintf(answer->why, sizeof(answer->why), "%s", why);
}

/* Take a context that is half done out of the table. False: it has made room for another one. */
static bool take_half(struct gssapi_acceptor *acceptor, uint64_t id, gss_ctx_id_t *ret_context)
{
	for (size_t i = 0; i < HALVES_MAX; i++) {
		struct half *half = &acceptor->halves[i];

		if (half->id != id)
			continue;
		*ret_context = half->context;
		*half = (struct half){ .id = 0 };
		return true;
	}
	return false;
}

static void keep_half(struct gssapi_acceptor *acceptor, gss_ctx_id_t *context, struct gssapi_answer *answer)
{
	struct half *half = &acceptor->halves[acceptor->next_half++ % HALVES_MAX];

	drop(&half->context);
	*half = (struct half){ .id = 0 };
	/* a number that a worker cannot guess, for it might belong to a session of another one */
	if (getrandom(&half->id, sizeof(half->id), 0) != (ssize_t)sizeof(half->id) || half->id == 0) {
		half->id = 0;
		refuse(answer, "out of random numbers");
		return;
	}
	half->context = *context;
	*context = GSS_C_NO_CONTEXT;
	answer->half = half->id;
	answer->status = GSSAPI_STATUS_MORE;
}

/* NULL, or what the context lacks. */
static const char *lacks(OM_uint32 flags, gss_OID mechanism)
{
	static const struct {
		OM_uint32 flags;
		const char *why;
	} wanted[] = {
		{ GSS_C_MUTUAL_FLAG, "the client does not ask for mutual authentication" },
		{ GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG, "the client asks for no detection of replays" },
		{ GSS_C_INTEG_FLAG, "the context does not protect integrity" },
		{ GSS_C_CONF_FLAG, "the context does not encrypt" },
	};

	if (!gss_oid_equal(mechanism, gss_mech_krb5))
		return "the mechanism is not Kerberos";
	if ((flags & GSS_C_ANON_FLAG) != 0)
		return "the client is anonymous";
	if ((flags & GSS_C_DCE_STYLE) != 0)
		return "messages in the style of DCE are not supported";
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if ((flags & wanted[i].flags) == 0)
			return wanted[i].why;
	return NULL;
}

static bool show_name(gss_name_t name, struct gssapi_answer *answer)
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	gss_OID type = GSS_C_NO_OID;
	OM_uint32 minor;
	bool fits = gss_display_name(&minor, name, &text, &type) == GSS_S_COMPLETE &&
		    gss_oid_equal(type, GSS_KRB5_NT_PRINCIPAL_NAME) && text.length > 0 &&
		    text.length < sizeof(answer->principal) && memchr(text.value, '\0', text.length) == NULL;

	if (fits)
		memcpy(answer->principal, text.value, text.length);
	(void)gss_release_buffer(&minor, &text);
	return fits;
}

static void done(gss_ctx_id_t *context, gss_name_t name, const char *lack, struct gssapi_answer *answer)
{
	gss_buffer_desc exported = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor, major;

	if (lack != NULL) {
		refuse(answer, lack);
		return;
	}
	if (!show_name(name, answer)) {
		refuse(answer, "the client's name is no principal that a policy can have");
		return;
	}
	major = gss_export_sec_context(&minor, context, &exported);
	if (major != GSS_S_COMPLETE) {
		say_gss(major, minor, answer->why);
		answer->status = GSSAPI_STATUS_REFUSED;
	} else if (exported.length > sizeof(answer->context)) {
		refuse(answer, "the ticket is too large");
	} else {
		memcpy(answer->context, exported.value, exported.length);
		answer->context_len = (uint32_t)exported.length;
		answer->status = GSSAPI_STATUS_DONE;
	}
	if (exported.value != NULL)
		explicit_bzero(exported.value, exported.length); /* keys of the session */
	(void)gss_release_buffer(&minor, &exported);
}

void gssapi_acceptor_accept(struct gssapi_acceptor *acceptor, const struct gssapi_request *request,
			    struct gssapi_answer *answer)
{
	gss_buffer_desc in = { .length = request->len, .value = (void *)(uintptr_t)request->token };
	gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
	gss_ctx_id_t context = GSS_C_NO_CONTEXT;
	gss_name_t name = GSS_C_NO_NAME;
	gss_OID mechanism = GSS_C_NO_OID;
	OM_uint32 flags = 0, minor, major, ignored;

	/* all but the context, whose bytes are as many as context_len says */
	memset(answer, 0, offsetof(struct gssapi_answer, context));
	answer->serial = request->serial;
	if (request->half != 0 && !take_half(acceptor, request->half, &context)) {
		refuse(answer, "the exchange is over");
		return;
	}
	major = gss_accept_sec_context(&minor, &context, acceptor->credential, &in, GSS_C_NO_CHANNEL_BINDINGS,
				       &name, &mechanism, &out, &flags, NULL, NULL);
	if (GSS_ERROR(major)) {
		say_gss(major, minor, answer->why);
		answer->status = GSSAPI_STATUS_REFUSED;
	} else if (out.length > sizeof(answer->token)) {
		refuse(answer, "the answer is too long");
	} else {
		if (out.length > 0)
			memcpy(answer->token, out.value, out.length);
		answer->token_len = (uint32_t)out.length;
		if ((major & GSS_S_CONTINUE_NEEDED) != 0)
			keep_half(acceptor, &context, answer);
		else
			done(&context, name, lacks(flags, mechanism), answer);
	}
	(void)gss_release_buffer(&ignored, &out);
	(void)gss_release_name(&ignored, &name);
	drop(&context);
}
