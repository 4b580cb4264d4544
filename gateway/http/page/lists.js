/*
 * Lists and tables that change in place: each entry keeps its node as long as its key is
 * there, and a cell is written only if its value has changed.
 */
import { el, fill, svg } from "./shown.js";

/* Make the children of `parent` those of `items`, in their order. */
export function keyed(parent, items, key, make, update) {
	const old = parent.nodes || new Map();
	const nodes = new Map();
	const focused = document.activeElement;
	let at = parent.firstElementChild;
	for (const item of items) {
		const id = String(key(item));
		if (nodes.has(id))
			continue; /* the same twice would be one node in two places */
		const node = old.get(id) || make(item);
		nodes.set(id, node);
		update(node, item);
		if (node === at)
			at = at.nextElementSibling;
		else
			parent.insertBefore(node, at);
	}
	for (const [id, node] of old)
		if (!nodes.has(id))
			node.remove();
	parent.nodes = nodes;
	/* a node that was moved has lost the focus; so has the page if it is gone: then its list has it */
	if (focused && focused !== document.activeElement && focused !== document.body)
		(focused.isConnected ? focused : parent.closest("[tabindex], section"))?.focus({ preventScroll: true });
}

/*
 * A column: { head, value(item), show(value, item), right, row, sort, wide, middle }. `value` decides
 * whether a cell changes, `show` makes its nodes; `row` marks the head of each row; what is wide or
 * middle is left out on small screens.
 */
export function cells(tr, columns, item) {
	columns.forEach((column, i) => {
		const cell = tr.children[i];
		const value = column.value(item);
		fill(cell, value, () => (column.show ? column.show(value, item) : [value ?? "–"]));
	});
}

function classOf(column) {
	return [column.right && "right", column.wide && "wide", column.middle && "middle", column.grow && "grow"].filter(Boolean).join(" ") || null;
}

export function row(columns) {
	return el("tr", {}, ...columns.map((column) => column.row
		? el("th", { scope: "row", class: classOf(column) }) : el("td", { class: classOf(column) })));
}

export function head(columns, content = (column) => [column.head]) {
	return el("tr", {}, ...columns.map((column) => el("th", { scope: "col", class: classOf(column) }, ...content(column))));
}

/* `empty` says in words why there is no row. */
export function table(place, columns, items, key, empty) {
	if (!place.tHead) {
		place.append(el("thead", {}, head(columns)), el("tbody"));
		place.before(el("p", { class: "none" }, empty));
	}
	place.hidden = items.length === 0;
	place.previousElementSibling.hidden = items.length !== 0;
	keyed(place.tBodies[0], items, key, () => row(columns), (tr, item) => cells(tr, columns, item));
}

/* How much of the largest one: for the eye only, the number stands beside it. */
export function bar(share) {
	const width = Math.max(0, Math.min(1, share || 0)) * 100;
	return svg("svg", { class: "share", "aria-hidden": "true", focusable: "false" },
		svg("rect", { class: "track", width: "100%", height: "100%" }),
		svg("rect", { class: "value", width: width.toFixed(1) + "%", height: "100%" }));
}
