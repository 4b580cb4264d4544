/*
 * The page of a running attlsd: asks /overview and /sessions every two seconds, less often
 * if nobody looks or nothing answers, and says so if what it shows is old.
 */
import { clock, duration, fill, name, plain, plural, setAttribute, setText, zone } from "./shown.js";
import { showOverview, stateOf } from "./overview.js";
import { sessionsQuery, showSessions, showTransfers, startSessions, transfersQuery } from "./sessions.js";

const EVERY = 2000, EVERY_HIDDEN = 30000, FAILING_MAX = 30000; /* ms between questions */
const PATIENCE = 7000; /* ms for an answer */
const OLD = 10; /* seconds after which what is shown is old */

const place = (id) => document.getElementById(id);
const status = { answered: 0, failures: 0, why: "", next: 0, paused: false, token: false, state: "", problems: "", version: "" };
let timer = null, asking = null;

/* A screen reader says this when it has finished what it says; the same twice is said once. */
function announce(text) {
	setText(place("announce"), text);
}

/* -- the token ----------------------------------------------------------------------------------- */

function store(action) {
	try {
		return action(sessionStorage);
	} catch (blocked) {
		return null;
	}
}
let token = null;

/* A link may bring the token; it must not stay in the address, the history or a bookmark. */
function takeToken() {
	const url = new URL(location.href);
	const given = url.searchParams.get("token") || new URLSearchParams(url.hash.slice(1)).get("token");
	token = given || store((storage) => storage.getItem("token"));
	if (!given)
		return;
	store((storage) => storage.setItem("token", given));
	url.searchParams.delete("token");
	if (url.hash.includes("token="))
		url.hash = "";
	history.replaceState(null, "", url);
}

function askToken() {
	status.token = true;
	if (!place("token-form").hidden && !token)
		return;
	setText(place("token-title"), token ? "attlsd does not accept this token" : "attlsd asks for a token");
	setText(place("token-text"), token ? "It may have been changed since. Enter the present one." : "Without it, nobody sees the sessions.");
	token = null;
	store((storage) => storage.removeItem("token"));
	place("token-form").hidden = false;
	place("main").hidden = true;
	place("token").value = "";
	place("token").focus();
	announce(place("token-title").textContent);
}

function startToken() {
	place("token-form").addEventListener("submit", (event) => {
		event.preventDefault();
		token = place("token").value.trim();
		store((storage) => storage.setItem("token", token));
		status.token = false;
		poll();
	});
}

/* -- questions ----------------------------------------------------------------------------------- */

class Refused extends Error {}

async function get(path, signal) {
	const answer = await fetch(path, {
		signal, cache: "no-store", credentials: "same-origin", redirect: "error",
		headers: token ? { Authorization: "Bearer " + token } : {},
	});
	if (answer.status === 401 || answer.status === 403)
		throw new Refused();
	if (!answer.ok)
		throw new Error(`It answers ${answer.status}${answer.status === 503 ? ": too busy, or it ends" : ""}.`);
	try {
		return await answer.json();
	} catch (fault) {
		throw new Error(signal.aborted ? "It takes too long." : "What it says is not JSON.");
	}
}

function reason(fault, late) {
	if (late || fault.name === "AbortError" || fault.name === "TimeoutError")
		return `It has not answered within ${PATIENCE / 1000} s.`;
	return fault instanceof TypeError ? "It cannot be reached." : fault.message;
}

/* A header takes only such bytes; anything else is no token at all. */
const sendable = (text) => text === null || /^[\x21-\x7e]+$/.test(text);

async function poll() {
	clearTimeout(timer);
	asking?.abort();
	if (!sendable(token))
		return askToken();
	const mine = asking = new AbortController();
	let late = false;
	const limit = setTimeout(() => { late = true; mine.abort(); }, PATIENCE);
	try {
		const overview = get("overview", mine.signal).catch((fault) => fault);
		const [sessions, transfers] = await Promise.all([
			get("sessions?" + sessionsQuery(), mine.signal), get("sessions?" + transfersQuery(), mine.signal)]);
		if (mine !== asking)
			return; /* another question has overtaken this one */
		await answered(overview, sessions, transfers, mine);
	} catch (fault) {
		if (mine !== asking)
			return;
		if (fault instanceof Refused)
			return askToken();
		failed(reason(fault, late));
	} finally {
		clearTimeout(limit);
	}
	plan();
}

function plan() {
	clearTimeout(timer);
	status.next = 0;
	if (status.paused || status.token)
		return;
	const wait = status.failures ? Math.min(FAILING_MAX, EVERY * 2 ** Math.min(status.failures - 1, 6)) : EVERY;
	const ms = document.hidden ? Math.max(wait, EVERY_HIDDEN) : wait;
	status.next = Date.now() + ms;
	timer = setTimeout(poll, ms);
}

/* -- answers ------------------------------------------------------------------------------------- */

async function answered(question, sessions, transfers, mine) {
	const back = status.failures > 0;
	place("token-form").hidden = true;
	place("main").hidden = false;
	showSessions(sessions);
	showTransfers(transfers);
	const overview = await question;
	if (overview instanceof Error) /* then the sessions at least are new */
		throw overview;
	if (mine !== asking)
		return;
	status.failures = 0;
	status.answered = Date.now();
	const found = showOverview(overview);

	const state = stateOf(overview);
	const node = overview.node || location.host;
	fill(place("node"), node, () => [name(node)]);
	setText(place("state"), state.text);
	setAttribute(place("state"), "data-level", state.level);
	const urgent = found.filter((problem) => problem.level === "bad").length;
	document.title = `${urgent ? "(!) " : ""}${plain(overview.node || "attlsd")}: ${plural(overview.sessions?.now, "session")}, ${plural(overview.sessions?.transfers, "transfer")}`;
	tell(state.text, found, back);
	if (status.version && status.version !== overview.version)
		location.reload(); /* another attlsd has another page */
	status.version = overview.version;
	freshness();
}

/* Only what is new: the state, or something more that needs attention. */
function tell(state, found, back) {
	const problems = found.map((problem) => problem.key).join(" ");
	const news = [];
	if (back)
		news.push("attlsd answers again.");
	if (state !== status.state)
		news.push(state + ".");
	if (problems !== status.problems && found.some((problem) => !status.problems.split(" ").includes(problem.key)))
		news.push(`${plural(found.length, "thing needs", "things need")} attention.`);
	status.state = state;
	status.problems = problems;
	if (news.length)
		announce(news.join(" "));
}

function failed(why) {
	status.failures++;
	status.why = why;
	freshness();
	if (status.failures === 2)
		announce(`attlsd does not answer. ${why}`);
}

/* Once a second: how old is what the page shows? */
function freshness() {
	const age = (Date.now() - status.answered) / 1000;
	const never = status.answered === 0;
	const stale = !status.paused && !status.token && (status.failures > 0 || (!never && age > OLD && !document.hidden));
	place("stale").hidden = !stale;
	if (stale) {
		const wait = Math.max(0, Math.ceil((status.next - Date.now()) / 1000));
		setText(place("stale-text"), (never ? `attlsd has not answered yet. ${status.why}`
			: `Old: the last answer came ${duration(age)} ago, at ${clock(status.answered / 1000)}. ${status.why}`) +
			(status.next ? ` Next try in ${wait} s.` : ""));
	}
	setAttribute(document.body, "data-stale", stale ? "true" : null);
	if (stale) {
		setText(place("state"), never ? "No answer" : "No answer: what you see is old");
		setAttribute(place("state"), "data-level", "bad");
		document.title = "(!) attlsd does not answer";
		status.state = "";
	}
	setText(place("freshness"), never || status.token ? "" : status.paused ? `paused at ${clock(status.answered / 1000)}`
		: stale ? `last answer ${clock(status.answered / 1000)}` : `live, ${clock(status.answered / 1000)}`);
}

/* -- controls ------------------------------------------------------------------------------------ */

function startControls() {
	const theme = place("theme");
	theme.value = document.documentElement.dataset.theme || "auto";
	theme.addEventListener("change", () => {
		if (theme.value === "auto")
			delete document.documentElement.dataset.theme;
		else
			document.documentElement.dataset.theme = theme.value;
		try {
			localStorage.setItem("theme", theme.value);
		} catch (blocked) { /* then for this page only */ }
	});
	place("pause").addEventListener("click", () => {
		status.paused = !status.paused;
		setAttribute(place("pause"), "aria-pressed", String(status.paused));
		freshness();
		if (status.paused)
			plan();
		else
			poll();
	});
	place("retry").addEventListener("click", poll);
	document.addEventListener("visibilitychange", () => (document.hidden ? plan() : !status.paused && !status.token && poll()));
	document.addEventListener("keydown", (event) => {
		const typing = event.target.closest("input, select, textarea");
		if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey && !place("main").hidden) {
			event.preventDefault();
			place("filter").focus();
			place("filter").select();
		} else if (event.key === "Escape" && event.target === place("filter") && place("filter").value !== "") {
			event.preventDefault();
			place("filter").value = "";
			place("filter").dispatchEvent(new Event("input"));
		}
	});
}

/* A table that is wider than its place scrolls, and the keyboard must be able to do that. */
function startScrolls() {
	const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => {
		const box = target.closest(".scroll");
		setAttribute(box, "tabindex", box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight ? "0" : null);
	}));
	for (const box of document.querySelectorAll(".scroll")) {
		observer.observe(box);
		observer.observe(box.firstElementChild);
	}
}

takeToken();
startControls();
startScrolls();
startToken();
startSessions({ changed: () => !status.token && poll(), announce });
setText(place("zone"), zone());
setInterval(freshness, 1000);
poll();
