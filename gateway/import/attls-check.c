/*
 * Checks that blocks have what they need, and that addresses and ports can be read. As in
 * Policy Agent, one fault anywhere means that nothing is imported.
 */
#include "gateway/import/attls-check.h"

#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/attls-match.h"
#include "gateway/import/attls-time.h"
#include "gateway/import/text.h"

/* What each block needs: a parameter, or a block inside it or by reference. */
static const struct {
	enum attls_kind kind;
	const char *keyword; /* NULL: `inner` */
	enum attls_kind inner;
} needs[] = {
	{ ATTLS_RULE, "Direction", ATTLS_NONE },    { ATTLS_RULE, NULL, ATTLS_GROUP },
	{ ATTLS_GROUP, "TTLSEnabled", ATTLS_NONE }, { ATTLS_ENVIRONMENT, "HandshakeRole", ATTLS_NONE },
	{ ATTLS_ENVIRONMENT, NULL, ATTLS_KEYRING }, { ATTLS_KEYRING, "Keyring", ATTLS_NONE },
};

static bool has_inner(const struct attls_block *block, enum attls_kind kind)
{
	for (const struct attls_item *item = block->items; item != NULL; item = item->next)
		if ((item->block != NULL && item->block->kind == kind) ||
		    (item->row != NULL && item->row->value == ATTLS_REF && item->row->target == kind))
			return true;
	return false;
}

static void check_needs(struct draft *draft, const struct attls_block *block)
{
	for (size_t i = 0; i < NELEM(needs); i++) {
		if (needs[i].kind != block->kind)
			continue;
		if (needs[i].keyword != NULL ? attls_find(block, needs[i].keyword) != NULL
					     : has_inner(block, needs[i].inner))
			continue;
		diags_add(&block->head.source->diags, DIAG_ERROR, DIAG_IMPORT_MISSING, block->head.mark,
			  "%s %s needs %s%s", attls_kind_name(block->kind),
			  text_safe(&draft->arena, block->name),
			  needs[i].keyword != NULL ? needs[i].keyword : attls_kind_name(needs[i].inner),
			  needs[i].keyword != NULL || block->kind != ATTLS_RULE ? "" : "Ref");
	}
}

static void check_conditions(struct draft *draft, const struct attls_block *block)
{
	for (const struct attls_item *item = block->items; item != NULL; item = item->next) {
		const char *keyword = item->row != NULL ? item->row->keyword : "";
		bool address = text_is_word(keyword, "Addr Prefix Range LocalAddr RemoteAddr");
		bool time = block->kind == ATTLS_TIME && item->row != NULL &&
			    !attls_is_time(draft, keyword, item->st.value);
		bool port = text_is_word(keyword, "Port LocalPortRange RemotePortRange");

		if (time || (address && !attls_is_address(item->st.value)) ||
		    (port && !attls_is_port_range(item->st.value)))
			diags_add(&item->st.source->diags, DIAG_ERROR, DIAG_IMPORT_VALUE, item->st.value_mark,
				  "\"%.60s\" is not %s", text_safe(&draft->arena, item->st.value),
				  time	 ? "a mask, a range or a zone of times"
				  : port ? "a port or a range of ports"
					 : "an address, a prefix or a range");
	}
}

void attls_check(struct attls *attls)
{
	for (const struct attls_block *block = attls->blocks; block != NULL; block = block->next) {
		if (block->replaced != NULL)
			continue;
		check_needs(attls->draft, block);
		check_conditions(attls->draft, block);
	}
}
