/* What the server's and the client's FTP.DATA have in common on their way into a policy. */
#include "gateway/import/zos.h"

#include <string.h>

#include "gateway/import/text.h"

#define FTPS_PORT 990 /* the default of TLSPORT */

void zos_remember(struct zos *zos, const struct attls_block *group, const struct attls_block *environment,
		  const struct attls_block *connection, bool client, struct draft_object *tls)
{
	struct zos_made *made = text_alloc(&zos->draft->arena, 1, sizeof(*made));

	*made = (struct zos_made){ group, environment, connection, tls, client, zos->made };
	zos->made = made;
}

bool zos_is_native(const struct ftp_data *data)
{
	const struct ftp_data_statement *one = ftp_data_find(data, "TLSMECHANISM");

	return one == NULL || !text_is(one->st.value, "ATTLS");
}

unsigned zos_tlsport(const struct ftp_data *data)
{
	const struct ftp_data_statement *one = data != NULL ? ftp_data_find(data, "TLSPORT") : NULL;
	uint64_t port = FTPS_PORT;

	if (one != NULL)
		(void)text_number(one->st.value, 0, UINT16_MAX, &port); /* parsed before */
	return (unsigned)port;
}

/* What the table says about the statement itself is a difference. */
static void carry(struct zos *zos, struct ftp_data_statement *one, struct draft_place place)
{
	if (one->row->text[0] != '\0')
		draft_differ(zos->draft, &one->st, place, "%s", one->row->text);
	else
		draft_carry(zos->draft, &one->st, place);
}

static void carry_number(struct zos *zos, struct ftp_data_statement *one, struct draft_place place)
{
	const struct ftp_data_row *row = one->row;
	const char *unit = row->kind == FTP_DATA_SECONDS ? "s" : "";
	uint64_t number = 0;

	(void)text_number(one->st.value, 0, UINT32_MAX, &number); /* parsed before */
	if ((number == 0 && row->zero == FTP_DATA_ZERO) || (number >= row->min && number <= row->max)) {
		place.value = text_format(&zos->draft->arena, "%u%s", (unsigned)number, unit);
		carry(zos, one, place);
		return;
	}
	/* 0 means that there is no limit */
	place.value = text_format(&zos->draft->arena, "%u%s", row->max, unit);
	draft_differ(zos->draft, &one->st, place, "attlsd always has a limit, at most %u%s", row->max, unit);
}

void zos_carry(struct zos *zos, struct ftp_data_statement *one, struct draft_object *object, const char *key)
{
	struct draft_place place = { object, key, NULL };
	unsigned low, high;

	switch (one->row->kind) {
	case FTP_DATA_SECONDS:
	case FTP_DATA_MINUTES:
	case FTP_DATA_NUMBER:
		carry_number(zos, one, place);
		return;
	case FTP_DATA_PORTS:
		if (!ftp_data_ports(one->st.value, &low, &high))
			return; /* was an error before */
		place.value = text_format(&zos->draft->arena, "%u-%u", low, high);
		carry(zos, one, place);
		return;
	case FTP_DATA_WORD:
	case FTP_DATA_SPECIAL:
		place.value = text_lower(&zos->draft->arena, one->st.value);
		carry(zos, one, place);
		return;
	case FTP_DATA_NOTHING:
		return;
	}
}

bool zos_skip(struct zos *zos, struct ftp_data_statement *one, struct draft_object *near)
{
	bool counts = one->row != NULL && one->replaced == NULL && one->row->kind != FTP_DATA_NOTHING;

	if (counts || one->st.naccounts > 0) /* a file of both sides is read twice */
		return !counts;
	if (one->row == NULL)
		draft_decide(zos->draft, &one->st, (struct draft_place){ .object = near }, ZOS_UNKNOWN,
			     "unknown to attlsctl");
	else if (one->replaced != NULL)
		draft_drop(zos->draft, &one->st, near, "line %u has it again, and the last one counts",
			   one->replaced->st.mark.line);
	else
		draft_drop(zos->draft, &one->st, near, "%s", one->row->text);
	return true;
}
