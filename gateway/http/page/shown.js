/*
 * How texts, numbers and times look. Names come from clients and servers, so they reach
 * the page only as text: invisible characters are replaced by their code points, and long
 * texts are cut, with a button that shows all of them.
 */

/* Controls, format characters (bidi, joiners), private, unassigned, separators, spaces other than U+0020. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u115f\u1160\u3164\uffa0\u034f\ufe00-\ufe0f]|^ | $/gu;
/* More marks on one letter than any language has would run over the lines around it. */
const STACKED = /(\p{M}{4})\p{M}+/gu;
const NAME_MAX = 40; /* characters of a name in a table; more are cut */
const NAME_TAIL = 12; /* of which from its end, where the difference often is */

export function el(tag, attributes = {}, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes))
		if (value !== undefined && value !== null && value !== false)
			node.setAttribute(name, value === true ? "" : value);
	node.append(...children);
	return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
	const node = document.createElementNS(SVG, tag);
	for (const [name, value] of Object.entries(attributes))
		node.setAttribute(name, value);
	node.append(...children);
	return node;
}

export function hidden(text) {
	return el("span", { class: "hidden" }, text);
}

/* Only what differs is written, so that focus, selection and screen readers stay where they are. */
export function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

export function setAttribute(node, name, value) {
	if (value === null || value === undefined)
		node.removeAttribute(name);
	else if (node.getAttribute(name) !== String(value))
		node.setAttribute(name, value);
}

/* A text of attlsctl's makers has bytes as \xNN; those that are UTF-8 become letters again. */
export function unescaped(text) {
	return text.replace(/(?:\\x[0-9a-f]{2})+/g, (run) => {
		const bytes = Uint8Array.from(run.match(/[0-9a-f]{2}/g), (hex) => parseInt(hex, 16));
		try {
			return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
		} catch (notUtf8) {
			return run;
		}
	});
}

function codePoint(character) {
	return character === " " ? "␣" : "U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}

/* The text in nodes that no character of it can hide in, reorder or leave. */
function visible(text) {
	const parts = [];
	let at = 0;
	const calm = text.toWellFormed ? text : text.replace(/[\ud800-\udfff]/gu, "\ufffd");
	const flat = calm.replace(STACKED, "$1…");
	for (const found of flat.matchAll(INVISIBLE)) {
		parts.push(flat.slice(at, found.index), el("span", { class: "invisible" }, codePoint(found[0])));
		at = found.index + found[0].length;
	}
	parts.push(flat.slice(at));
	return parts;
}

function bdi(text) {
	return el("bdi", { class: "name", dir: "ltr" }, ...visible(text));
}

/* An untrusted text; `max` characters of it, or all. */
export function name(text, max = NAME_MAX) {
	const whole = String(text ?? "–");
	const characters = Array.from(whole.length > 8 * max ? whole.slice(0, 4 * max) + whole.slice(-4 * max) : whole);
	if (characters.length <= max)
		return bdi(whole);
	const head = characters.slice(0, max - NAME_TAIL - 1).join("");
	const tail = characters.slice(-NAME_TAIL).join("");
	const length = whole.length.toLocaleString("en");
	const button = el("button", { type: "button", class: "cut", "aria-expanded": "false", title: `Show all ${length} characters` },
		bdi(head), el("span", { class: "dots" }, "…"), bdi(tail), hidden(`, cut; show all ${length} characters`));
	button.addEventListener("click", () => {
		const open = button.getAttribute("aria-expanded") === "true";
		button.setAttribute("aria-expanded", String(!open));
		if (open)
			button.replaceChildren(bdi(head), el("span", { class: "dots" }, "…"), bdi(tail), hidden(`, cut; show all ${length} characters`));
		else
			button.replaceChildren(bdi(whole), hidden(", whole; cut it again"));
	});
	return button;
}

/* The word of a table for what attlsd says; what is not in it is shown as it came. */
export function word(table, key) {
	return Object.hasOwn(table, key) ? table[key] : name(key ?? "–");
}

/* The same for attributes and the title, which take no nodes. */
export function plain(text, max = NAME_MAX) {
	return visible(Array.from(String(text)).slice(0, max).join("")).map((part) => part.textContent ?? part).join("");
}

/* Put nodes into a place if their source has changed since last time. */
const sources = new WeakMap();
export function fill(place, source, make) {
	const key = JSON.stringify(source ?? null);
	if (sources.get(place) === key)
		return false;
	sources.set(place, key);
	place.replaceChildren(...[make()].flat());
	return true;
}

export function number(value) {
	return Number.isFinite(value) ? value.toLocaleString("en") : "–";
}

export function plural(n, one, many = one + "s") {
	return `${number(n)} ${n === 1 ? one : many}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(value) {
	if (!Number.isFinite(value))
		return "–";
	let unit = 0;
	for (; value >= 1024 && unit + 1 < UNITS.length; unit++)
		value /= 1024;
	return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function rate(value) {
	return Number.isFinite(value) ? bytes(value) + "/s" : "–";
}

const STEPS = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];

/* "3 h 12 min"; seconds alone below a minute. */
export function duration(seconds) {
	if (!Number.isFinite(seconds))
		return "–";
	const whole = Math.max(0, Math.round(seconds));
	for (const [size, unit, small, smaller] of STEPS)
		if (whole >= size)
			return `${Math.floor(whole / size)} ${unit}` +
				(Math.floor(whole % size / small) ? ` ${Math.floor(whole % size / small)} ${smaller}` : "");
	return `${whole} s`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

export function clock(unix) {
	return CLOCK.format(unix * 1000);
}

/* The time of day alone if it was today (of `now`), else with the date. */
export function when(unix, now) {
	const day = DAY.format(unix * 1000);
	const text = day === DAY.format(now * 1000) ? clock(unix) : `${day}, ${clock(unix)}`;
	return el("time", { datetime: new Date(unix * 1000).toISOString() }, text);
}

export function day(unix) {
	return el("time", { datetime: new Date(unix * 1000).toISOString() }, DAY.format(unix * 1000));
}

export function zone() {
	return `Times are ${Intl.DateTimeFormat().resolvedOptions().timeZone || "local"}.`;
}

export const LETTERS = { P: "private", S: "safe, not encrypted", C: "clear", L: "clear after CCC" };

/* One letter, or two: client's side and server's side. */
export function letters(client, server) {
	const one = (letter, side) => {
		const known = Object.hasOwn(LETTERS, letter) ? letter : "?";
		return el("span", { class: "letter", "data-letter": known }, el("span", { "aria-hidden": "true" }, known),
			hidden(`${side} ${LETTERS[known] || "unknown"}`));
	};
	if (!client && !server)
		return el("span", { class: "none" }, "–");
	const both = el("span", { class: "letters" }, client ? one(client, "client") : "–");
	if (server)
		both.append(el("span", { class: "to", "aria-hidden": "true" }, "→"), hidden(", "), one(server, "server"));
	return both;
}
