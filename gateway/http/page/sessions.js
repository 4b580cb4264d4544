/*
 * The table of sessions and the list of transfers. attlsd filters, sorts and cuts into
 * pages, so that 10,000 sessions cost the browser as little as 50.
 */
import { el, fill, name, number, plain, plural, setAttribute, setText } from "./shown.js";
import { head, keyed, row } from "./lists.js";
import { parseFilter } from "./filter.js";
import { COLUMNS, details, SORTS, TRANSFER_PARTS, transferNode, transferOf, who } from "./session.js";

const TYPING = 250; /* ms without a key before the filter counts */
const TRANSFERS_SHOWN = 8;
const DESCENDING = ["rate", "bytes", "age", "idle"]; /* attlsd puts the largest first, or last after a minus */

const place = (id) => document.getElementById(id);
const open = new Set(); /* numbers of the sessions whose details are shown */
const wanted = { query: {}, sort: "age", down: true, limit: 25, offset: 0 };
let changed = () => {}; /* asks attlsd again */
let announce = () => {};
let matching = 0;
let sayNext = false; /* the operator has asked for something else: say what was found */

export function sessionsQuery() {
	const other = wanted.down !== DESCENDING.includes(wanted.sort);
	return new URLSearchParams({ ...wanted.query, sort: (other ? "-" : "") + wanted.sort, limit: wanted.limit, offset: wanted.offset });
}

export function transfersQuery() {
	return new URLSearchParams({ transfers: "1", sort: "rate", limit: TRANSFERS_SHOWN });
}

/* -- filter, sort, pages ------------------------------------------------------------------------- */

function ask() {
	sayNext = true;
	changed();
}

function readFilter() {
	const parsed = parseFilter(place("filter").value);
	setAttribute(place("filter"), "aria-invalid", parsed.fault ? "true" : null);
	setAttribute(place("filter-says"), "data-level", parsed.fault ? "bad" : null);
	if (parsed.fault) {
		setText(place("filter-says"), parsed.fault);
		announce(parsed.fault);
		return;
	}
	wanted.query = parsed.query;
	if (place("filter-transfers").checked)
		wanted.query.transfers = "1";
	wanted.offset = 0;
	ask();
}

function sortBy(sort, down) {
	wanted.sort = sort;
	wanted.down = down;
	wanted.offset = 0;
	place("sort").value = sort;
	showSort();
	ask();
}

function showSort() {
	for (const th of place("session-table").tHead.querySelectorAll("[data-sort]")) {
		const by = th.dataset.sort === wanted.sort;
		setAttribute(th, "aria-sort", by ? (wanted.down ? "descending" : "ascending") : null);
		setText(th.querySelector(".direction"), by ? (wanted.down ? "↓" : "↑") : "");
	}
}

function page(offset) {
	const last = Math.max(0, Math.ceil(matching / wanted.limit) - 1) * wanted.limit;
	wanted.offset = Math.max(0, Math.min(last, offset));
	ask();
}

function headOf(column) {
	if (!column.sort)
		return [column.head];
	const button = el("button", { type: "button", class: "sort" }, column.head, el("span", { class: "direction", "aria-hidden": "true" }));
	button.addEventListener("click", () =>
		sortBy(column.sort, wanted.sort === column.sort ? !wanted.down : DESCENDING.includes(column.sort)));
	return [button];
}

function makeHead() {
	const tr = head(COLUMNS, headOf);
	COLUMNS.forEach((column, i) => column.sort && (tr.children[i].dataset.sort = column.sort));
	tr.prepend(el("td", { class: "opens" }));
	place("session-table").tHead.append(tr);
}

export function startSessions(options) {
	let timer;
	({ changed, announce } = options);
	makeHead();
	place("sort").append(...SORTS.map(([value, text]) => el("option", { value }, text)));
	place("sort").value = wanted.sort;
	showSort();
	place("filter-form").addEventListener("submit", (event) => {
		event.preventDefault();
		clearTimeout(timer);
		readFilter();
	});
	place("filter").addEventListener("input", () => {
		clearTimeout(timer);
		timer = setTimeout(readFilter, TYPING);
	});
	place("filter-transfers").addEventListener("change", readFilter);
	place("sort").addEventListener("change", (event) => sortBy(event.target.value, DESCENDING.includes(event.target.value)));
	place("size").addEventListener("change", (event) => {
		wanted.limit = Number(event.target.value);
		page(Math.floor(wanted.offset / wanted.limit) * wanted.limit);
	});
	place("first").addEventListener("click", () => page(0));
	place("previous").addEventListener("click", () => page(wanted.offset - wanted.limit));
	place("next").addEventListener("click", () => page(wanted.offset + wanted.limit));
	place("last").addEventListener("click", () => page(Infinity));
}

/* -- the table ----------------------------------------------------------------------------------- */

function bodyOf(session) {
	const main = row(COLUMNS);
	const button = el("button", { type: "button", class: "open", "aria-expanded": "false" });
	const body = el("tbody", {}, main);
	main.prepend(el("td", { class: "opens" }, button));
	button.addEventListener("click", () => {
		if (!open.delete(session.session))
			open.add(session.session);
		showDetails(body, body.session);
	});
	return body;
}

function showDetails(body, session) {
	const shown = open.has(session.session);
	setAttribute(body.querySelector("button.open"), "aria-expanded", String(shown));
	if (!shown) {
		body.children[1]?.remove();
		return;
	}
	if (!body.children[1])
		body.append(el("tr", { class: "details" }, el("td", { colspan: COLUMNS.length + 1 }, el("dl", { class: "facts" }))));
	const facts = details(session);
	keyed(body.querySelector("dl"), facts, ([term]) => term, ([term]) => el("div", {}, el("dt", {}, term), el("dd")),
		(div, [, nodes]) => fill(div.lastChild, nodes.map((node) => node.textContent ?? node), () => nodes));
}

function updateBody(body, session) {
	const main = body.firstChild;
	body.session = session;
	COLUMNS.forEach((column, i) => {
		const value = column.value(session);
		fill(main.children[i + 1], value, () => (column.show ? column.show(value, session) : [value]));
	});
	setAttribute(main.querySelector("button.open"), "aria-label", `Details of session ${session.session}, ${plain(who(session))}`);
	showDetails(body, session);
}

/* The bodies of the table are its sessions; the first one is for none at all. */
export function showSessions(answer) {
	const table = place("session-table");
	const sessions = answer.sessions;
	matching = answer.matching;
	if (wanted.offset > 0 && wanted.offset >= matching) { /* the page has gone */
		page(Infinity);
		return;
	}
	table.tBodies[0]?.classList.contains("empty") || table.tHead.after(el("tbody", { class: "empty" },
		el("tr", {}, el("td", { colspan: COLUMNS.length + 1 }, ""))));
	const none = table.tBodies[0];
	none.hidden = sessions.length > 0;
	setText(none.querySelector("td"), answer.total === 0 ? "Nobody is connected." : "No session matches this filter.");
	keyed(holder(table), sessions, (s) => s.session, bodyOf, updateBody);

	const from = wanted.offset + 1, to = wanted.offset + sessions.length;
	const filtered = Object.keys(wanted.query).length > 0;
	const count = filtered ? `${number(matching)} of ${number(answer.total)}` : number(answer.total);
	setText(place("sessions-count"), count);
	place("sessions-part").hidden = answer.whole !== false;
	setText(place("page-says"), sessions.length ? `${number(from)}–${number(to)} of ${number(matching)}` : "none");
	for (const [id, off] of [["first", wanted.offset === 0], ["previous", wanted.offset === 0], ["next", to >= matching], ["last", to >= matching]])
		setAttribute(place(id), "aria-disabled", off ? "true" : null);
	if (!place("filter").hasAttribute("aria-invalid"))
		fill(place("filter-says"), [wanted.query, matching, answer.total], () => (filtered ? says(matching, answer.total) : [""]));
	if (sayNext)
		announce(`${plural(matching, "session")} ${matching === 1 ? "matches" : "match"}, sorted by ${SORTS.find(([value]) => value === wanted.sort)[1]}` +
			`, ${wanted.down ? "largest" : "smallest"} first` + (sessions.length ? `; rows ${from} to ${to}.` : "."));
	sayNext = false;
}

function says(found, total) {
	const query = Object.entries(wanted.query);
	return [`${number(found)} of ${plural(total, "session")}: `, ...query.flatMap(([key, value], i) => [i ? ", " : "",
		...(key === "transfers" ? ["with a transfer"] : key === "idle" ? [`idle for at least ${value} s`] : [`${key} `, name(value)])]), "."];
}

/* What keyed() needs of a parent, for all bodies of a table but the first. */
function holder(table) {
	table.sessions ??= {
		get firstElementChild() { return table.tBodies[1] || null; },
		insertBefore: (node, before) => table.insertBefore(node, before),
		closest: (what) => table.closest(what),
	};
	return table.sessions;
}

/* -- transfers under way ------------------------------------------------------------------------- */

export function showTransfers(answer) {
	const transfers = answer.sessions.filter((s) => transferOf(s));
	setText(place("transfers-count"), number(answer.matching));
	keyed(place("transfer-list"), transfers, (s) => s.session, transferNode, (node, s) =>
		TRANSFER_PARTS.forEach(([value, show], i) => {
			const source = value(s);
			fill(node.children[i], source, () => show(source, s));
		}));
	place("transfer-list").hidden = transfers.length === 0;
	const more = answer.matching - transfers.length;
	place("transfers-more").hidden = transfers.length > 0 && more <= 0;
	setText(place("transfers-more"), transfers.length === 0 ? "None now." : more > 0 ? `And ${number(more)} slower ones: see the sessions, “only with a transfer”.` : "");
}
