/*
 * The small charts of the last hour: a line for what is counted at a moment, bars of a minute
 * each for what happens. Each says in words what it shows, and all of them are in one table.
 */
import { bytes, clock, el, fill, hidden, number, rate, setAttribute, setText, svg } from "./shown.js";
import { table } from "./lists.js";

const WIDTH = 360, HEIGHT = 64;
const HOUR = 3600, MINUTE = 60; /* seconds of a chart, and of a bar */
const TABLE_MINUTES = 5; /* of a row in the table */

const CHARTS = [
	{ key: "sessions", title: "Sessions", level: true, show: number },
	{ key: "transfers", title: "Transfers", level: true, show: number },
	{ key: "bytes_in", title: "From clients", show: rate, each: 1 },
	{ key: "bytes_out", title: "To clients", show: rate, each: 1 },
	{ key: "handshakes", title: "Handshakes", show: number, each: MINUTE, per: "a minute" },
	{ key: "refusals", title: "Refusals", show: number, each: MINUTE, per: "a minute" },
];

const known = (value) => typeof value === "number" && Number.isFinite(value);

/* Steps put together: the mean of a level, and of what happens how much in `each` seconds. null: not known. */
function gather(values, step, end, seconds, chart) {
	const size = Math.max(1, Math.round(seconds / step));
	const points = [];
	for (let to = values.length; to > 0; to -= size) {
		const part = values.slice(Math.max(0, to - size), to).filter(known);
		const sum = part.reduce((a, b) => a + b, 0);
		points.unshift({
			from: end - (values.length - Math.max(0, to - size)) * step,
			to: end - (values.length - to) * step,
			value: part.length === 0 ? null : chart.level ? sum / part.length : sum / (part.length * step) * chart.each,
		});
	}
	return points;
}

function top(points) {
	const most = Math.max(0, ...points.map((point) => point.value || 0));
	if (most <= 1)
		return 1;
	const unit = 10 ** Math.floor(Math.log10(most));
	return Math.ceil(most / unit * 2) / 2 * unit;
}

function drawLine(points, most) {
	const step = WIDTH / Math.max(1, points.length - 1);
	const y = (value) => (HEIGHT - 1 - value / most * (HEIGHT - 3)).toFixed(1);
	let line = "", area = "", start = null;
	points.forEach((point, i) => {
		const x = (i * step).toFixed(1);
		if (point.value === null) {
			if (start !== null)
				area += `V${HEIGHT}H${start}Z`;
			start = null;
			return;
		}
		line += (start === null ? "M" : "L") + x + " " + y(point.value);
		area += (start === null ? `M${x} ${HEIGHT}L` : "L") + x + " " + y(point.value);
		start ??= x;
	});
	if (start !== null)
		area += `V${HEIGHT}H${start}Z`;
	return [svg("path", { class: "area", d: area || "M0 0" }),
		svg("path", { class: "line", d: line || "M0 0", "vector-effect": "non-scaling-stroke" })];
}

function drawBars(points, most) {
	const step = WIDTH / Math.max(1, points.length);
	return points.map((point, i) => {
		const tall = point.value ? Math.max(1.5, point.value / most * (HEIGHT - 2)) : 0;
		return svg("rect", { class: "column", x: (i * step).toFixed(2), width: Math.max(0.5, step - 1.2).toFixed(2),
			y: (HEIGHT - tall).toFixed(1), height: tall.toFixed(1) });
	});
}

function words(chart, points) {
	const seen = points.filter((point) => point.value !== null);
	const unit = chart.per ? ` ${chart.per}` : "";
	if (seen.length === 0)
		return `${chart.title}, last hour: not known yet.`;
	const most = seen.reduce((a, b) => (b.value > a.value ? b : a));
	const least = seen.reduce((a, b) => (b.value < a.value ? b : a));
	const now = seen[seen.length - 1];
	return `${chart.title}, last hour: now ${said(chart, now.value)}${unit}, most ${said(chart, most.value)} at ${clock(most.to).slice(0, 5)}, ` +
		`least ${said(chart, least.value)} at ${clock(least.to).slice(0, 5)}.`;
}

function said(chart, value) {
	return value === null ? "–" : chart.show(chart.show === number && value < 10 ? Math.round(value * 10) / 10 : chart.show === number ? Math.round(value) : value);
}

/* Under the pointer, the chart says the value of that moment in place of the last one. */
function point(figure, event) {
	const { points, chart } = figure.shown || {};
	if (!points || points.length === 0)
		return;
	const box = figure.querySelector("svg").getBoundingClientRect();
	const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
	const i = Math.min(points.length - 1, Math.floor(share * points.length));
	const cursor = figure.querySelector(".cursor");
	const x = chart.level ? i / Math.max(1, points.length - 1) * WIDTH : (i + 0.5) / points.length * WIDTH;
	setAttribute(cursor, "d", `M${x.toFixed(1)} 0V${HEIGHT}`);
	figure.pointed = true;
	setText(figure.querySelector(".now"), said(chart, points[i].value));
	setText(figure.querySelector(".unit"), `${chart.per ? chart.per + ", " : ""}${clock(points[i].to).slice(0, 5)}`);
}

function latest(figure) {
	const { points, chart } = figure.shown;
	const last = points.filter((each) => each.value !== null).pop();
	setText(figure.querySelector(".now"), last ? said(chart, last.value) : "–");
	setText(figure.querySelector(".unit"), chart.per || "");
}

function figureOf(chart) {
	const figure = el("figure", { class: "chart", "data-chart": chart.key },
		el("figcaption", {}, el("span", { class: "title" }, chart.title), " ",
			el("strong", { class: "now" }), " ", el("span", { class: "unit" })),
		svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
			svg("g", { class: "plot" }), svg("path", { class: "cursor", d: "M0 0", "vector-effect": "non-scaling-stroke" })),
		el("p", { class: "axis", "aria-hidden": "true" }, el("span", {}, "1 h ago"), el("span", { class: "most" }), el("span", {}, "now")));
	figure.addEventListener("pointermove", (event) => point(figure, event));
	figure.addEventListener("pointerleave", () => {
		figure.pointed = false;
		setAttribute(figure.querySelector(".cursor"), "d", "M0 0");
		latest(figure);
	});
	return figure;
}

/* An attlsd that runs for less than an hour has fewer steps: what was before is not known. */
function hourOf(history, key) {
	const values = history[key] || [];
	return [...Array(Math.max(0, Math.round(HOUR / history.step) - values.length)).fill(null), ...values];
}

export function charts(place, history) {
	if (!place.firstChild)
		place.append(...CHARTS.map(figureOf));
	CHARTS.forEach((chart, i) => {
		const figure = place.children[i];
		const points = gather(hourOf(history, chart.key), history.step, history.end, chart.level ? history.step : MINUTE, chart);
		const image = figure.querySelector("svg");
		figure.shown = { chart, points };
		fill(figure.querySelector(".plot"), points, () => {
			const most = top(points);
			setText(figure.querySelector(".most"), points.some((each) => each.value > 0) ? `top ${said(chart, most)}` : "");
			setAttribute(image, "aria-label", words(chart, points));
			return chart.level ? drawLine(points, most) : drawBars(points, most);
		});
		if (!figure.pointed)
			latest(figure);
	});
}

const COLUMNS = [
	{ head: "Until", row: true, value: (line) => clock(line.to).slice(0, 5) },
	...CHARTS.map((chart) => ({
		head: chart.per ? `${chart.title} ${chart.per}` : chart.title, right: true, value: (line) => said(chart, line[chart.key]),
	})),
];

export function hourTable(place, history) {
	const lines = [];
	for (const chart of CHARTS)
		gather(hourOf(history, chart.key), history.step, history.end, TABLE_MINUTES * MINUTE, chart).forEach((each, i) => {
			lines[i] ??= { to: each.to };
			lines[i][chart.key] = each.value;
		});
	table(place, COLUMNS, lines.reverse(), (line) => line.to, "No figures yet.");
}
