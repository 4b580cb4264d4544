/* Sets the colours before the page is drawn; a module would be too late for that. */
"use strict";
try {
	const theme = localStorage.getItem("theme");
	if (theme === "light" || theme === "dark")
		document.documentElement.dataset.theme = theme;
} catch (blocked) { /* without storage, the system's colours */ }
