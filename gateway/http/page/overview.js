/* All that /overview says but sessions: what needs attention, charts, and a table for each subject. */
import { bytes, day, duration, el, fill, hidden, name, number, plain, plural, setAttribute, setText, when, word } from "./shown.js";
import { bar, keyed, table } from "./lists.js";
import { charts, hourTable } from "./chart.js";

const DAY = 86400;
const RECENT = 600; /* seconds for which an error is news */
const FULL = 0.9; /* of the sessions that may be: worth a word */
/* Days before the end at which a certificate is urgent, and soon; CRLs and OCSP answers live for days only. */
const LEAD = { certificate: [7, 30], crl: [0.25, 1], ocsp: [0.25, 1] };
const KINDS = { certificate: "certificate", crl: "CRL", ocsp: "OCSP answer" };
const EVENTS_SHOWN = 100; /* each process remembers 64, and there may be many */
const SHOWN_EACH = 3; /* things of one kind that need attention; more are counted */

const place = (id) => document.getElementById(id);
const largest = (items, of) => Math.max(1, ...items.map(of));
const sum = (items, of) => items.reduce((total, item) => total + (of(item) || 0), 0);
const list = (value) => (Array.isArray(value) ? value : []);

/* -- certificates -------------------------------------------------------------------------------- */

function urgency(certificate, now) {
	const left = (certificate.not_after - now) / DAY;
	const [urgent, soon] = Object.hasOwn(LEAD, certificate.kind) ? LEAD[certificate.kind] : LEAD.certificate;
	return left <= 0 ? "expired" : left < urgent ? "urgent" : left < soon ? "soon" : "good";
}

function left(certificate, now) {
	const seconds = certificate.not_after - now;
	if (seconds <= 0)
		return `expired ${duration(-seconds)} ago`;
	return seconds < 2 * DAY ? `${duration(seconds)} left` : `${plural(Math.floor(seconds / DAY), "day")} left`;
}

function certificates(overview) {
	const sorted = list(overview.certificates).toSorted((a, b) => a.not_after - b.not_after);
	table(place("certificate-table"), [
		{ head: "Key ring", row: true, value: (c) => c.keyring, show: (text) => [name(text)] },
		{ head: "What", value: (c) => [c.kind, c.label === c.subject ? "" : c.label || "", c.subject || ""],
			show: ([kind, label, subject]) => [el("span", { class: "kind" }, word(KINDS, kind), label ? " " : "", label ? name(label) : ""),
				subject ? el("small", {}, name(subject, 60)) : ""] },
		{ head: "Left", right: true, value: (c) => [urgency(c, overview.now), left(c, overview.now)],
			show: ([level, text]) => [el("span", { class: "level", "data-level": level }, text)] },
		{ head: "Until", right: true, value: (c) => c.not_after, show: (unix) => [day(unix)] },
	], sorted, (c) => [c.keyring, c.kind, c.label, c.subject, c.not_after].join("\0"), "No key ring is in use.");
}

/* -- servers ------------------------------------------------------------------------------------- */

const failing = (backend) => !["up", "unknown"].includes(backend.state);

const STATES = { up: "reachable", unknown: "not asked lately", down: "not reachable" };

function lastFailure(backend, now) {
	const failure = backend.last_failure;
	if (!failure)
		return ["none"];
	if (typeof failure === "number")
		return [when(failure, now)];
	if (typeof failure === "string")
		return [name(failure, 60)];
	return [failure.time ? when(failure.time, now) : "", " ", name(failure.text || failure.cause || failure.reason || "", 60)];
}

function backends(overview) {
	table(place("backend-table"), [
		{ head: "Server", row: true, value: (b) => [b.name, b.address],
			show: ([called, address]) => [name(called), address ? el("small", {}, name(address, 60)) : ""] },
		{ head: "State", value: (b) => [failing(b), b.state ?? "unknown"],
			show: ([bad, state]) => [el("span", { class: "level", "data-level": bad ? "bad" : "good" }, word(STATES, state))] },
		{ head: "Connects", right: true, value: (b) => number(b.connects) },
		{ head: "Failed", right: true, value: (b) => number(b.failures) },
		{ head: "Last failure", wide: true, value: (b) => [b.last_failure, Math.floor(overview.now / DAY)], show: (_, b) => lastFailure(b, overview.now) },
	], list(overview.backends).toSorted((a, b) => failing(b) - failing(a)), (b) => b.name + "\0" + b.address, "The policy names no server.");
}

/* -- servers of backends that have several ------------------------------------------------------- */

/* For each state: is it good, and what it means. */
const SERVER_STATES = {
	up: ["good", "up"], doubtful: ["warning", "doubtful: others are tried first"],
	down: ["bad", "down"], disabled: ["warning", "disabled by an operator"],
};
const CAUSES = {
	refused: "it refuses connections", unreachable: "it cannot be reached", "connect-timeout": "it does not answer",
	"no-greeting": "it sends no greeting", closed: "it closes before its greeting", "turned-away": "it greets with a refusal",
	"not-ftp": "it does not speak FTP", "tls-failed": "TLS with it fails",
	"auth-refused": "it refuses AUTH", "login-refused": "it refuses the login of the health check", "no-reply": "it does not answer commands",
};

const serverLevel = (state) => (Object.hasOwn(SERVER_STATES, state) ? SERVER_STATES[state][0] : "bad");
const serverWord = (state) => (Object.hasOwn(SERVER_STATES, state) ? SERVER_STATES[state][1] : name(state ?? "unknown"));
const works = (server) => server.state === "up" || server.state === "doubtful";

function servers(overview) {
	const all = list(overview.backend_servers);
	place("servers").hidden = all.length === 0;
	table(place("server-table"), [
		{ head: "Server", row: true, value: (s) => [s.address, s.backend],
			show: ([address, backend]) => [name(address, 60), el("small", {}, "of ", name(backend))] },
		{ head: "State", value: (s) => [s.state, s.cause ?? ""],
			show: ([state, cause]) => [el("span", { class: "level", "data-level": serverLevel(state) }, serverWord(state)),
				cause ? el("small", {}, word(CAUSES, cause)) : ""] },
		{ head: "Since", right: true, value: (s) => [s.since, Math.floor(overview.now / DAY)], show: (_, s) => [when(s.since, overview.now)] },
		{ head: "Sessions", right: true, value: (s) => number(s.sessions) },
		{ head: "Chosen", right: true, wide: true, value: (s) => number(s.chosen) },
	], all.toSorted((a, b) => works(a) - works(b)), (s) => s.backend + "\0" + s.address, "No backend has several servers.");
}

/* Backends of which no server gets sessions, and the other servers that are down. */
function serverProblems(all) {
	const lost = [...new Set(all.map((s) => s.backend))].filter((backend) => !all.some((s) => s.backend === backend && works(s)));
	return { lost, down: all.filter((s) => s.state === "down" && !lost.includes(s.backend)) };
}

/* -- counted things ------------------------------------------------------------------------------ */

function counted(id, columns, items, key, empty) {
	const most = largest(items, (item) => item.count);
	table(place(id), [...columns, { head: "Count", right: true, value: (item) => [item.count, item.count / most],
		show: ([count, share]) => [el("span", { class: "measured" }, number(count), bar(share))] }],
	items.toSorted((a, b) => b.count - a.count), key, empty);
}

function refusals(overview) {
	counted("refusal-table", [
		{ head: "Command", row: true, value: (r) => r.verb, show: (text) => [el("code", {}, name(text))] },
		{ head: "Policy key", value: (r) => r.key || "", show: (text) => [text ? el("code", {}, name(text)) : "the protocol itself"] },
	], list(overview.refusals), (r) => r.verb + "\0" + r.key, "None since attlsd started.");
}

const PROTECTIONS = { P: "private", S: "safe", C: "clear" };

function ended(overview) {
	counted("ended-table", [
		{ head: "Direction", row: true, value: (t) => t.direction, show: (text) => [name(text)] },
		{ head: "Protection", value: (t) => t.protection, show: (letter) => [word(PROTECTIONS, letter)] },
		{ head: "Result", value: (t) => t.result, show: (text) => [name(text)] },
	], list(overview.transfers), (t) => [t.direction, t.protection, t.result].join("\0"), "None since attlsd started.");
}

/* -- TLS ----------------------------------------------------------------------------------------- */

const LEGS = { client: "clients", server: "servers" };

function shares(overview) {
	const rows = list(overview.tls);
	const parts = ["client", "server"].flatMap((leg) => {
		const of = rows.filter((r) => r.leg === leg);
		const total = sum(of, (r) => r.handshakes);
		if (total === 0)
			return [];
		const versions = [...new Set(of.map((r) => r.version))].toSorted().reverse();
		const lines = versions.map((version) => [version, sum(of.filter((r) => r.version === version), (r) => r.handshakes)]);
		lines.push(["resumed", sum(of.filter((r) => r.resumed), (r) => r.handshakes)]);
		return [[leg, total, lines]];
	});
	fill(place("tls-shares"), parts, () => parts.map(([leg, total, lines]) => el("div", { class: "leg" },
		el("h3", {}, `With ${LEGS[leg]} `, el("span", { class: "count" }, plural(total, "handshake"))),
		el("dl", { class: "bars" }, ...lines.map(([what, n]) => el("div", {},
			el("dt", {}, name(what)), el("dd", {}, bar(n / total), el("span", { class: "percent" }, percent(n, total)))))))));
}

function percent(n, total) {
	const share = n / total * 100;
	return share > 0 && share < 1 ? "< 1 %" : share < 100 && share > 99 ? "> 99 %" : `${Math.round(share)} %`;
}

function tls(overview) {
	const rows = list(overview.tls).toSorted((a, b) => b.handshakes - a.handshakes);
	const most = largest(rows, (r) => r.handshakes);
	shares(overview);
	table(place("tls-table"), [
		{ head: "With", row: true, value: (r) => r.leg, show: (leg) => [word(LEGS, leg)] },
		{ head: "Version", value: (r) => r.version, show: (text) => [name(text)] },
		{ head: "Cipher", value: (r) => r.cipher, show: (text) => [name(text || "–")] },
		{ head: "Group", value: (r) => r.group, show: (text) => [name(text || "–")] },
		{ head: "Resumed", value: (r) => (r.resumed ? "yes" : "no") },
		{ head: "Handshakes", right: true, value: (r) => [r.handshakes, r.handshakes / most],
			show: ([count, share]) => [el("span", { class: "measured" }, number(count), bar(share))] },
	], rows, (r) => [r.leg, r.version, r.cipher, r.group, r.resumed].join("\0"), "None since attlsd started.");
	counted("failure-table", [
		{ head: "With", row: true, value: (f) => f.leg, show: (leg) => [word(LEGS, leg)] },
		{ head: "Cause", value: (f) => f.cause, show: (text) => [name(text, 60)] },
	], list(overview.failures), (f) => f.leg + "\0" + f.cause, "None since attlsd started.");
}

/* -- events, workers, policy --------------------------------------------------------------------- */

function eventNode() {
	return el("li", {}, el("span", { class: "level" }), el("span", { class: "time" }), el("code", { class: "event" }),
		el("span", { class: "text" }), el("p", { class: "fix", hidden: true }));
}

function events(overview) {
	const sorted = list(overview.events).map((event, i) => ({ ...event, i }))
		.toSorted((a, b) => b.time - a.time || b.i - a.i).slice(0, EVENTS_SHOWN);
	const seen = new Map();
	for (const event of sorted.toReversed()) { /* the same line may come twice in a second */
		const key = [event.time, event.event, event.text].join("\0");
		seen.set(key, (seen.get(key) || 0) + 1);
		event.key = key + "\0" + seen.get(key);
	}
	place("event-list").hidden = sorted.length === 0;
	fill(place("events-none"), sorted.length === 0, () => [sorted.length ? "" : "None since attlsd started."]);
	keyed(place("event-list"), sorted, (event) => event.key, eventNode, (node, event) => {
		const [level, time, called, text, fix] = node.children;
		fill(level, event.level, () => [name(event.level)]);
		setAttribute(level, "data-level", event.level === "error" ? "bad" : "warning");
		fill(time, [event.time, Math.floor(overview.now / DAY)], () => [when(event.time, overview.now)]);
		fill(called, event.event, () => [name(event.event)]);
		fill(text, event.text || "", () => [event.text ? name(event.text, 240) : ""]);
		fill(fix, event.fix || "", () => [el("b", {}, "Fix: "), event.fix ? name(event.fix, 240) : ""]);
		fix.hidden = !event.fix;
	});
}

const WORKER_STATES = {
	starts: "starts: loads its keys", serves: "serves", backlogged: "has a backlog: gets no new session",
	retires: "retires: keeps its sessions until they end", drains: "drains", ends: "ends",
};

function workers(overview) {
	table(place("worker-table"), [
		{ head: "Worker", row: true, value: (w) => String(w.pid) },
		{ head: "Generation", right: true, value: (w) => number(w.generation) },
		{ head: "State", value: (w) => w.state,
			show: (state) => [el("span", { class: "level", "data-level": state === "serves" ? "good" : state === "backlogged" ? "warning" : "" }, word(WORKER_STATES, state))] },
		{ head: "Sessions", right: true, value: (w) => number(w.sessions) },
		{ head: "Transfers", right: true, value: (w) => number(w.transfers) },
	], list(overview.workers), (w) => w.pid, "There is no worker.");
	const policy = overview.policy || {};
	fill(place("policy"), [policy, overview.version, overview.started, Math.floor(overview.now / DAY)], () => [
		["Policy", policy.path ? name(policy.path, 80) : "–"],
		...(policy.digest ? [["SHA-256", name(policy.digest, 80)]] : []),
		["Generation", number(policy.generation)],
		["In force since", policy.since ? when(policy.since, overview.now) : "–"],
		["attlsd", name(overview.version || "–")],
		["Started", overview.started ? when(overview.started, overview.now) : "–"],
	].map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value))));
}

/* -- what needs attention ------------------------------------------------------------------------ */

/* Each: [level, key, nodes, where on this page]. */
function problems(o) {
	const found = [];
	const add = (level, key, nodes, where) => found.push({ level, key, nodes, where });
	const some = (level, key, items, nodes, where, more) => {
		items.slice(0, SHOWN_EACH).forEach((item, i) => add(level, key + i, nodes(item), where));
		if (items.length > SHOWN_EACH)
			add(level, key + "more", [more(items.length - SHOWN_EACH)], where);
	};

	if (o.state === "draining")
		add("warning", "draining", ["attlsd drains: it accepts no new session and exits when the last one has ended."], "workers");
	if (!list(o.workers).some((w) => w.state === "serves") && o.state !== "draining")
		add("bad", "workers", ["No worker serves: clients get no answer."], "workers");
	if (o.failure)
		add("bad", "reload", [`The last reload failed ${duration(o.now - o.failure.since)} ago, and the policy before it is still in force: `,
			name(o.failure.text, 160)], "workers");
	const behind = list(o.workers).filter((w) => w.state === "backlogged");
	if (behind.length)
		add("warning", "backlog", [`${plural(behind.length, "worker has", "workers have")} a backlog and get no new session.`], "workers");
	if (o.sessions?.limit && o.sessions.now >= FULL * o.sessions.limit)
		add(o.sessions.now >= o.sessions.limit ? "bad" : "warning", "full",
			[`${number(o.sessions.now)} of at most ${number(o.sessions.limit)} sessions: ` +
			(o.sessions.now >= o.sessions.limit ? "new clients are refused." : "new clients will soon be refused.")], "sessions");
	some("bad", "server", list(o.backends).filter(failing),
		(b) => ["The server ", name(b.name), " is ", word(STATES, b.state), b.last_failure ? ": " : ".", ...(b.last_failure ? lastFailure(b, o.now) : [])],
		"backends", (n) => `${plural(n, "more server is", "more servers are")} not reachable.`);
	const { lost, down } = serverProblems(list(o.backend_servers));
	some("bad", "lost", lost, (backend) => ["All servers of the backend ", name(backend), " are down or disabled."],
		"backends", (n) => `${plural(n, "more backend has", "more backends have")} no server that is up.`);
	some("warning", "server-down", down,
		(s) => ["The server ", name(s.address, 60), " of ", name(s.backend), " is down", s.cause ? ": " : "", s.cause ? word(CAUSES, s.cause) : "", ". Sessions get another one."],
		"backends", (n) => `${plural(n, "more server is", "more servers are")} down.`);
	const sorted = list(o.certificates).toSorted((a, b) => a.not_after - b.not_after);
	for (const [level, wanted] of [["bad", ["expired", "urgent"]], ["warning", ["soon"]]])
		some(level, "certificate-" + level, sorted.filter((c) => wanted.includes(urgency(c, o.now))),
			(c) => ["A ", word(KINDS, c.kind), " of the key ring ", name(c.keyring), c.label ? " (" : "", c.label ? name(c.label) : "", c.label ? ")" : "",
				`: ${left(c, o.now)}.`],
			"certificates", (n) => `${plural(n, "more certificate")} like that.`);
	const errors = list(o.events).filter((event) => event.level === "error" && event.time > o.now - RECENT);
	if (errors.length)
		add("bad", "errors", [`${plural(errors.length, "error")} in the last ten minutes.`], "events");
	return found;
}

function attention(o) {
	const found = problems(o).toSorted((a, b) => (a.level === "bad" ? 0 : 1) - (b.level === "bad" ? 0 : 1));
	setText(place("attention-title"), found.length ? "Needs attention" : "Nothing needs attention");
	keyed(place("attention-list"), found, (problem) => problem.key, () => el("li"), (li, problem) => {
		setAttribute(li, "data-level", problem.level);
		fill(li, [problem.nodes.map((node) => node.textContent ?? node), problem.where], () => [
			el("span", { class: "level", "data-level": problem.level }, problem.level === "bad" ? "Act now" : "Soon"),
			el("span", { class: "text" }, ...problem.nodes), " ", el("a", { href: "#" + problem.where }, "Show", hidden(` ${problem.where}`))]);
	});
	place("attention-list").hidden = found.length === 0;
	const s = o.sessions || {};
	const now = o.history ? latestRate(o.history) : "";
	setText(place("summary"), `${plural(s.now, "session")} of at most ${number(s.limit)}, ` +
		`${plural(s.transfers, "transfer")} under way${now}. Generation ${number(o.policy?.generation)} of the policy has been in force for ` +
		`${duration(o.now - o.policy?.since)}, attlsd runs for ${duration(o.now - o.started)}.`);
	return found;
}

function latestRate(history) {
	const last = (values) => list(values).filter((v) => typeof v === "number").pop();
	const inward = last(history.bytes_in), outward = last(history.bytes_out);
	if (inward === undefined || outward === undefined)
		return "";
	return ` (${bytes(inward / history.step)}/s from clients, ${bytes(outward / history.step)}/s to clients)`;
}

const PANELS = [certificates, backends, servers, refusals, ended, tls, events, workers,
	(o) => o.history && charts(place("charts"), o.history), (o) => o.history && hourTable(place("hour-table"), o.history)];

/* Returns what needs attention. One part that fails must not hide the others. */
export function showOverview(overview) {
	const o = { ...overview, now: overview.now || Date.now() / 1000 };
	for (const panel of PANELS)
		try {
			panel(o);
		} catch (fault) {
			console.error(fault);
		}
	return attention(o);
}

const STATE_WORDS = {
	serving: ["good", "Serving: ready for sessions"],
	reloading: ["good", "Serving; reads a new policy"],
	draining: ["warning", "Draining: not ready, no new sessions"],
	maintenance: ["warning", "Maintenance: not ready for load balancers"],
};

export function stateOf(overview) {
	const [level, text] = Object.hasOwn(STATE_WORDS, overview.state) ? STATE_WORDS[overview.state] : ["bad", `State: ${plain(overview.state)}`];
	return { level, text };
}
