/* Makes values of JSON: texts are escaped as on the terminal, and what is missing is null. */
#include "gateway/view/client-json.h"

#include "gateway/view/client-answers.h"
#include "gateway/view/client-text.h"

json_t *client_json_text(const char *text)
{
	char buf[CLIENT_SHOWN_MAX];

	return json_string_nocheck(client_text_shown(text, buf)); /* it is ASCII */
}

json_t *client_json_seconds(uint64_t ms)
{
	return json_real((double)ms / 1000);
}

json_t *client_json_endpoint(const struct ip_endpoint *endpoint)
{
	char text[IP_TEXT_MAX];

	return endpoint->port != 0 ? json_string(ip_endpoint_format(endpoint, text)) : json_null();
}

json_t *client_json_or_null(bool there, json_t *json)
{
	if (there)
		return json;
	json_decref(json);
	return json_null();
}

json_t *client_json_silent(const struct answers *answers)
{
	json_t *silent = json_array();

	for (size_t i = 0; i < answers->nworkers; i++)
		if (client_is_silent(&answers->workers[i]))
			(void)json_array_append_new(silent, json_integer(answers->workers[i].worker.pid));
	for (size_t i = 0; i < answers->nolder; i++)
		if (client_older_is_silent(&answers->older[i]))
			(void)json_array_append_new(silent, json_integer(answers->older[i].older.pid));
	return silent;
}
