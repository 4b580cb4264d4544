"""Write the results of make bench as text, as docs/BENCHMARKS.md and as plots."""
import os
import statistics

import attack

US, BEST, BOTH = "attlsd", "the best peer", "attlsd on both legs"

# The goals: (figure, peer, largest ratio of attlsd to that peer).
GOALS = (
    ("a-down", "mod_proxy", 0.72), ("a-up", "mod_proxy", 0.55), ("a-down", "nginx", 1.0), ("a-up", "nginx", 1.0),
    ("a-down", "haproxy", 1.0), ("a-up", "haproxy", 1.0), ("a-down", "pure-ftpd", 1.1),
    ("a-down-c", "splice", 1.15), ("a-up-c", "splice", 1.15),
    ("b-ecdsa", "mod_proxy", 0.1), ("b-ecdsa", "nginx", 1.1), ("b-rsa", "mod_proxy", 0.1), ("b-rsa", "nginx", 1.1),
    ("b-ecdsa", "bare handshake", 1.9), ("b-rsa", "bare handshake", 1.9),
    ("c-down", "mod_proxy", 0.65), ("c-down", "pure-ftpd", 1.0), ("c-down", "vsftpd", 1.0),
    ("c-up", "mod_proxy", 0.65), ("c-up", "pure-ftpd", 1.0), ("c-up", "vsftpd", 1.0),
    ("e-cpu", "nginx", 1.0), ("e-p50", "nginx", 1.0),
    ("h-40-curl-first", BEST, 0.40), ("h-40-curl-20m-down", BEST, 0.65), ("h-40-curl-20m-up", BEST, 0.90),
)
# What TLS toward the server may cost: (figure, largest ratio of attlsd with TLS on both legs to attlsd with TLS on one).
LEGS = (("o-down", 1.9), ("o-up", 1.9), ("o-session", 1.8), ("o-session-resumed", 1.8))
# Goals without a peer: (figure, largest value, unit).
BOUNDS = (("d-1000", 16, "KiB"), ("d-10000", 16, "KiB"), ("g-p99", 2, "ms"), ("f-spread-2", 60, "%"))
GROWTH, GROWTH_MOST = ("bulk", "session", "small", "noop"), 1.15


def median(figure, name):
    samples = figure["samples"].get(name)
    return statistics.median(samples) if samples else None


def number(value, digits):
    return "-" if value is None else f"{value:.{digits}f}"


def cell(figure, name):
    samples = figure["samples"].get(name)
    if not samples:
        return "failed" if name in figure["failed"] else "-"
    digits = figure["digits"]
    return f"{number(statistics.median(samples), digits)} ({number(min(samples), digits)}-{number(max(samples), digits)})"


def ratio(figure, name):
    others = [median(figure, other) for other in figure["samples"] if other != US]
    ours, theirs = median(figure, US), min(others, default=None) if name == BEST else median(figure, name)
    return None if not ours or not theirs else ours / theirs


def names_of(figures):
    seen = []
    for figure in figures:
        seen += [name for name in figure["samples"] if name not in seen]
    return seen


def goals(result):
    """Rows of (goal, reached, wanted, met)."""
    by_key = {figure["key"]: figure for figure in result["figures"]}
    rows = []
    for key, name, most in GOALS:
        got = ratio(by_key[key], name) if key in by_key else None
        if got is not None:
            rows.append((f"{by_key[key]['title']}, relative to {name}", f"{got:.2f}", f"{most:.2f}", got <= most))
    for key, most in LEGS:
        got = ratio(by_key[key], BOTH) if key in by_key else None
        if got is not None:
            rows.append((f"{by_key[key]['title']}, relative to one leg", f"{1 / got:.2f}", f"{most:.2f}", 1 / got <= most))
    for key, most, unit in BOUNDS:
        got = median(by_key[key], US) if key in by_key else None
        if got is not None:
            rows.append((by_key[key]["title"], f"{got:.2f} {unit}", f"{most} {unit}", got <= most))
    for mode in GROWTH:
        few, many = (by_key.get(f"f-{mode}-{n}") for n in (10, 1000))
        if few and many and median(few, US) and median(many, US):
            got = median(many, US) / median(few, US)
            rows.append((f"Growth of {mode}, 1,000 sessions relative to 10", f"{got:.2f}", f"{GROWTH_MOST:.2f}", got <= GROWTH_MOST))
    return rows


def text(result):
    lines = []
    for figure in result["figures"]:
        lines.append(f"\n{figure['title']}, {figure['unit']}")
        for name in names_of([figure]):
            got = ratio(figure, name)
            lines.append(f"  {name:14} {cell(figure, name):28}" + ("" if got is None or name == US else f" attlsd needs {got:.2f} times that"))
        lines += [f"  {name:14} failed: {why}" for name, why in figure["failed"].items()]
    if result.get("attacks"):
        lines += ["\nLatency of a session's commands while an attacker shares its worker", attack.text(result["attacks"])]
    lines.append("\nGoals")
    lines += [f"  {'met   ' if met else 'MISSED'} {what}: {got}, at most {most}" for what, got, most, met in goals(result)]
    lines += [f"missing: {name}: {why}" for name, why in result["missing"].items()]
    lines += [f"WARNING, a noisy machine: {warning}" for warning in result["warnings"]]
    lines.append(f"{result['mode']}, {result['rounds']} rounds, {result['seconds']:.0f} s")
    if result.get("paths", {}).get("rounds"):
        lines.append("paths with delay: {rounds} rounds, {seconds:.0f} s".format(**result["paths"]))
    return "\n".join(lines)


def bars(figure):
    """One plot: a bar for each peer, shortest first, and a line for its spread."""
    rows = sorted((median(figure, name), name) for name in figure["samples"])
    most = max(max(s) for s in figure["samples"].values()) or 1
    width, left, step = 640, 120, 24
    height = 40 + step * len(rows)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="13">',
           f'<rect width="{width}" height="{height}" fill="white"/>',
           f'<text x="8" y="20" font-weight="bold">{figure["title"]}, {figure["unit"]} (less is better)</text>']
    for at, (value, name) in enumerate(rows):
        y = 34 + at * step
        samples = figure["samples"][name]
        scale = (width - left - 80) / most
        colour = "#1b6ca8" if name == US else "#9aa5b1"
        middle, end = y + 8, left + max(samples) * scale
        out += [f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{name}</text>',
                f'<rect x="{left}" y="{y}" width="{value * scale:.1f}" height="16" fill="{colour}"/>',
                f'<line x1="{left + min(samples) * scale:.1f}" x2="{end:.1f}" y1="{middle}" y2="{middle}" stroke="black"/>',
                f'<text x="{end + 6:.1f}" y="{y + 13}">{number(value, figure["digits"])}</text>']
    return "\n".join(out + ["</svg>", ""])


def table(figures):
    names = names_of(figures)
    rows = ["| | " + " | ".join(f"{f['title']}, {f['unit']}" for f in figures) + " |", "|---|" + "---|" * len(figures)]
    for name in names:
        rows.append(f"| {'**attlsd**' if name == US else name} | " + " | ".join(
            cell(f, name) + ("" if name == US or ratio(f, name) is None else f" {ratio(f, name):.2f}") for f in figures) + " |")
    return rows


SECTIONS = (
    ("a-", "Bytes", "CPU seconds of the server's processes per GiB. TLS 1.3, AES-128-GCM. The relays move the same bytes over one TLS "
     "connection, without FTP. Pure-FTPd and vsftpd do not relay; they read and write files on tmpfs."),
    ("b-", "Control sessions", "CPU time for one session: connect, AUTH TLS (on relays, TLS starts at once), handshake, login, QUIT."),
    ("c-", "Small files", "CPU time for a transfer of 1 KiB over PROT P on a logged-in session. The data connection resumes a TLS session, "
     "except on Pure-FTPd, which does a full handshake for each transfer."),
    ("d-", "Memory", "Memory of an idle logged-in session: private memory and its part of shared memory, without kernel memory."),
    ("e-", "Latency", "One NOOP after another on one session. *backend alone* is a client that talks to the backend directly."),
    ("f-", "Growth", "The same work on 1, 10, 100 and 1,000 sessions at once, and how attlsd spreads downloads over two workers."),
    ("o-", "TLS on both legs", "attlsd alone has TLS toward the client and a server in the clear. *attlsd on both legs* has TLS toward the "
     "server, too; the server is another attlsd, whose cost does not count. Sessions toward the server resume."),
    ("g-", "Fairness", "The latency of a session that sends an occasional NOOP while four downloads keep the only worker busy."),
    ("h-", "Paths with delay", "Seconds from the start of the client to the first byte of a download of 20 MB, and to its end. The path has "
     "200 Mbit/s, the round trip and the loss of each row, and a queue of 60 ms. attlsd and mod_proxy are in front of a ProFTPD without TLS; "
     "proftpd and vsftpd have TLS of their own. The 100 files of 10 KiB were measured once, all peers at the same time."),
)


def paths_table(figures):
    """Figures are the rows, because there are many of them for few peers."""
    names = names_of(figures)
    rows = ["| | " + " | ".join(names) + " | attlsd / best peer |", "|---|" + "---|" * (len(names) + 1)]
    for figure in figures:
        got = ratio(figure, BEST)
        rows.append(f"| {figure['title']} | " + " | ".join(cell(figure, name) for name in names) + f" | {number(got, 2)} |")
    return rows


def write(result, docs, templates):
    plots = os.path.join(docs, "benchmarks")
    os.makedirs(plots, exist_ok=True)
    machine = result["machine"]
    lines = ["# Benchmarks", "",
             "Written by `make bench BENCH_WRITE=1`. Each cell is the median of "
             f"{result['rounds']} interleaved rounds, with the minimum and maximum in brackets. The number after the brackets is "
             "attlsd's figure divided by this one: below 1, attlsd needs less. The server under test has its own CPU core; the "
             "load generator and the backend share the others. Compare figures of one run only.", "",
             f"Machine: {machine['cpu']}, {machine['cpus']} cores, Linux {machine['kernel']}, {machine['openssl']}, "
             f"TCP with {machine['congestion']}.", ""]
    lines += [note + "\n" for note in result.get("notes", [])]
    lines += [f"**Noisy:** {warning}." for warning in result["warnings"]] + ([""] if result["warnings"] else [])
    lines += ["## Goals", "", "| | Reached | At most | |", "|---|---|---|---|"]
    lines += [f"| {what} | {got} | {most} | {'met' if met else '**missed**'} |" for what, got, most, met in goals(result)]
    for prefix, title, about in SECTIONS:
        figures = [f for f in result["figures"] if f["key"].startswith(prefix)]
        if not figures:
            continue
        lines += ["", f"## {title}", "", about, ""]
        if prefix == "a-" and result["limits"].get("aes-128-gcm"):
            lines += [f"AES-128-GCM alone (`openssl speed`, 16 KiB) takes {result['limits']['aes-128-gcm']:.3f} s/GiB.", ""]
        if prefix == "f-":
            lines += ["| | attlsd |", "|---|---|"] + [f"| {f['title']}, {f['unit']} | {cell(f, names_of([f])[0])} |"
                                                     for f in figures if f["samples"]]
            continue
        lines += paths_table(figures) if prefix == "h-" else table(figures)
        for figure in figures if prefix != "h-" else []:
            if len(figure["samples"]) > 1:
                with open(os.path.join(plots, figure["key"] + ".svg"), "w") as f:
                    f.write(bars(figure))
                lines += ["", f"![{figure['title']}](benchmarks/{figure['key']}.svg)"]
        failed = [f"{figure['title']}, {name}: {why}" for figure in figures for name, why in figure["failed"].items()]
        lines += [""] + ["Not measured: " + why + "." for why in failed] if failed else []
    if result.get("attacks"):
        lines += ["", "## Under attack", "", "How long a logged-in session's commands take while an attacker shares its worker, and "
                  "in the same minute without it. The goal is at most %g times the quiet median." % attack.LIMIT, "",
                  attack.text(result["attacks"])]
    lines += ["", "## Versions and configurations", "", "The configurations are in `tests/bench/peers/`.", ""]
    lines += [f"* {name}: {version}" for name, version in result["versions"].items()]
    lines += [f"* {name}: missing, {why}" for name, why in result["missing"].items()]
    with open(os.path.join(docs, "BENCHMARKS.md"), "w") as f:
        f.write("\n".join(lines) + "\n")
