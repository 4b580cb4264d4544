/* What an operator types to find sessions, as the query of /sessions. */

const KEYS = ["user", "client", "rule", "listener", "backend", "idle"];
const NETWORK = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:.]*)(?:\/\d{1,3})?$/i;

/* Words with "quotes" around blanks. */
function words(text) {
	return [...text.matchAll(/(?:[^\s"]|"[^"]*"?)+/g)].map((found) => found[0].replaceAll('"', ""));
}

/* Returns { query: {...}, says: [[key, value]...] }, or { fault: text }. */
export function parseFilter(text) {
	const query = {};
	for (const word of words(text)) {
		const colon = word.indexOf(":");
		let key = word.slice(0, colon).toLowerCase(), value = word.slice(colon + 1);
		if (word === "transfers") {
			query.transfers = "1";
			continue;
		}
		if (NETWORK.test(word))
			[key, value] = ["client", word];
		else if (colon < 1)
			[key, value] = ["user", word];
		if (!KEYS.includes(key))
			return { fault: `“${key}:” is not a filter. Filters are ${KEYS.map((each) => each + ":").join(" ")}` };
		if (value === "")
			return { fault: `“${key}:” needs a value.` };
		if (key === "idle" && !/^\d{1,9}$/.test(value))
			return { fault: "“idle:” needs a number of seconds." };
		if (key === "client" && !NETWORK.test(value))
			return { fault: "“client:” needs an address or a network, such as 10.1.0.0/16." };
		if (key in query)
			return { fault: `“${key}:” is given twice.` };
		query[key] = value;
	}
	return { query };
}
