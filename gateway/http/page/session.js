/*
 * One session in words: what its row, its details and its transfer say. Everything that
 * knows the names in the JSON of /sessions is here.
 */
import { bytes, duration, el, hidden, letters, name, number, rate, unescaped } from "./shown.js";

const LISTINGS = /^(?:LIST|NLST|MLSD)\b/i;
const text = (value) => (value === null || value === undefined || value === "" ? null : unescaped(String(value)));
const code = (value, max) => el("code", {}, name(value, max));

/* How each leg of the control and of the data connection is protected. */
function controlLetters(s) {
	return { client: s.legs?.client?.control, server: s.legs?.server?.control };
}

function dataLetters(s) {
	return s.transfer ? { client: s.legs?.client?.data, server: s.legs?.server?.data } : {};
}

/* The transfer under way; null: none. What is not known of it is null. */
export function transferOf(s) {
	const t = s.transfer;
	if (!t)
		return null;
	const command = text(t.command) || "";
	return {
		command, up: t.direction === "upload", file: text(t.file) || (LISTINGS.test(command) ? "a listing" : command),
		size: t.size > 0 ? t.size : null, speed: t.rate ?? null, bytes: t.bytes, age: t.age, left: t.left ?? null, percent: t.percent ?? null,
	};
}

/* The words that a screen reader gets for the bar, and everybody beside it. */
export function progress(t) {
	if (t.percent === null)
		return [];
	return [el("progress", { max: 100, value: t.percent, "aria-label": `${t.percent} % of ${bytes(t.size)}` })];
}

function shownTransfer(t) {
	if (!t)
		return [el("span", { class: "none" }, "–")];
	return [el("span", { class: "arrow", "aria-hidden": "true" }, t.up ? "↑" : "↓"), hidden(t.up ? "upload " : "download "),
		name(t.file), ...progress(t), el("small", {}, t.percent === null ? bytes(t.bytes) : `${t.percent} % of ${bytes(t.size)}`)];
}

export const user = (s) => text(s.user);
export const who = (s) => user(s) || "not logged in";

/* `sort`: the name that /sessions?sort= has for the column. The first column's button is made by the table. */
export const COLUMNS = [
	{ head: "User", row: true, sort: "user", value: (s) => user(s), show: (u) => [u ? name(u) : el("span", { class: "none" }, "not logged in")] },
	{ head: "Client", middle: true, sort: "client", value: (s) => s.client, show: (c) => [el("span", { class: "address" }, name(c, 46))] },
	{ head: "Control", value: controlLetters, show: (l) => [letters(l.client, l.server)], wide: true },
	{ head: "Data", value: dataLetters, show: (l) => [letters(l.client, l.server)] },
	{ head: "Transfer", grow: true, value: transferOf, show: shownTransfer },
	{ head: "Rate", right: true, middle: true, sort: "rate", value: (s) => rate(transferOf(s)?.speed ?? NaN) },
	{ head: "Age", right: true, wide: true, sort: "age", value: (s) => duration(s.age) },
	{ head: "Idle", right: true, wide: true, sort: "idle", value: (s) => duration(s.idle) },
	{ head: "Rule", wide: true, sort: "rule", value: (s) => s.rule || "", show: (r) => [r ? name(r, 24) : "–"] },
	{ head: "Server", wide: true, sort: "backend", value: (s) => s.backend || "", show: (b) => [b ? name(b, 24) : "–"] },
];

export const SORTS = [["rate", "rate"], ["bytes", "bytes"], ["age", "age"], ["idle", "time idle"], ["user", "user"],
	["client", "client"], ["rule", "rule"], ["backend", "server"], ["session", "number"]];

function tlsWords(version, cipher, group, resumed) {
	if (!version)
		return ["clear, no TLS"];
	if (version === "ccc")
		return ["clear after CCC"];
	return [name([version, cipher, group].filter(Boolean).map(String).join(", "), 100), resumed === true ? ", resumed" : resumed === false ? ", full handshake" : ""];
}

function dataLeg(leg) {
	if (!leg?.mode)
		return null;
	return [name(leg.mode), leg.told ? el("small", {}, "told ", name(leg.told, 60)) : "", leg.peer ? el("small", {}, "connected with ", name(leg.peer, 60)) : ""];
}

function certificate(c) {
	return c ? [name(text(c.subject) || "–", 80), el("small", {}, "issuer ", name(text(c.issuer) || "–", 80)),
		el("small", {}, "serial ", name(c.serial || "–", 70)), el("small", {}, "SHA-256 ", name(c.sha256 || "–", 70))] : null;
}

/* [term, nodes] of everything that is known; nodes null: left out. */
export function details(s) {
	const t = transferOf(s);
	const server = s.server_tls;
	return [
		["Session", [code(String(s.session))]],
		["User", [name(who(s), 120)]],
		["Client", [name(s.client, 60), " dialled ", name(s.dialled || "–", 60)]],
		["Listener, rule", [name(s.listener || "–"), ", ", name(s.rule || "none yet")]],
		["Server", s.backend ? [name(s.backend), " at ", name(s.server || "–", 60)] : null],
		["TLS with the client", tlsWords(s.tls, s.cipher, s.legs?.client?.group, s.legs?.client?.resumed)],
		["TLS with the server", server ? [...tlsWords(server.version, server.cipher, server.group, server.resumed),
			el("small", {}, "as ", name(text(server.hostname) || "–", 80), ", issuer ", name(text(server.issuer) || "–", 80))] : null],
		["Client's certificate", certificate(s.certificate)],
		["Last command", s.command ? [code(text(s.command), 120)] : null],
		["Transfer", t ? [code(t.command, 160), el("small", {}, `${t.up ? "upload" : "download"}, ${bytes(t.bytes)}` +
			(t.size ? ` of ${bytes(t.size)}` : "") + `, since ${duration(t.age)}` + (t.left === null ? "" : `, about ${duration(t.left)} left`))] : null],
		["Data with the client", dataLeg(s.legs?.client)],
		["Data with the server", dataLeg(s.legs?.server)],
		["Waits for the client at", s.waits_at ? [name(s.waits_at, 60)] : null],
		["Worker", [number(s.worker).replaceAll(",", ""), `, generation ${number(s.generation ?? NaN)}`]],
		["Age, idle", [`${duration(s.age)}, ${duration(s.idle)}`]],
		["To see more", [el("code", { class: "copy" }, `attlsctl trace ${s.session}`)]],
		["To end it", [el("code", { class: "copy" }, `attlsctl end ${s.session}`)]],
	].filter(([, nodes]) => nodes);
}

/* An entry of the list of transfers. */
export function transferNode() {
	return el("li", {}, el("p", { class: "file" }), el("p", { class: "whose" }), el("div", { class: "way" }), el("p", { class: "speed" }));
}

export const TRANSFER_PARTS = [
	[(s) => [transferOf(s).file, transferOf(s).up], ([file, up]) => [el("span", { class: "arrow", "aria-hidden": "true" }, up ? "↑" : "↓"),
		hidden(up ? "Upload of " : "Download of "), name(file, 60)]],
	[(s) => [who(s), s.client, s.backend, dataLetters(s)], ([u, client, backend, l]) =>
		[letters(l.client, l.server), " ", name(u), " at ", name(client, 46), backend ? [" · ", name(backend, 24)] : ""].flat()],
	[(s) => { const t = transferOf(s); return [t.percent, t.size]; }, (_, s) => progress(transferOf(s))],
	[(s) => {
		const t = transferOf(s);
		return [t.size ? `${t.percent} % of ${bytes(t.size)}` : `${bytes(t.bytes)}, size not known`, t.speed === null ? "" : rate(t.speed),
			t.left !== null ? `${duration(t.left)} left` : `for ${duration(t.age)}`];
	}, (parts) => parts.filter(Boolean).map((part) => el("span", {}, part))],
];
