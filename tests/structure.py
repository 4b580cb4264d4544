#!/usr/bin/python3
"""The structure of the code, measured: `make lint` calls it after a build.

A module is a .c file with its header (and .def). An arrow leads from a module to each one whose header it
includes, or one of whose functions or tables it uses (by the symbols of its object file, so a pointer that is
handed over at run time is no arrow). docs/LAYERS gives the order, lowest first.

  circles    groups of modules that reach each other; there is to be none
  arrows up  from a module to one that docs/LAYERS lists after it; none either
  walls      a folder takes symbols only from itself and the folders below it
  doors      ftp-alg/ and policy/ are entered through one header each

Prints the counts; -v prints each finding before them. Status 1 if there are more than ALLOWED.
"""
import collections
import os
import re
import subprocess
import sys

BUILD = os.environ.get("B", "build")

# From the lowest: a folder links with those before it. The programs share what comes first.
COMMON = os.environ["COMMON"].split()
DAEMON = os.environ["DAEMON"].split()
CONTROL = os.environ["CONTROL"].split()
HTTP = os.environ["HTTP"].split()
# Sources that this build has no use for.
UNFIT = os.environ.get("UNFIT", "").split()
FOLDERS = list(dict.fromkeys([*COMMON, *DAEMON, *CONTROL, *HTTP]))

# Headers that other folders may include; ftp-alg/ knows policy/ only as types and addresses.
DOORS = {
    "ftp-alg": {"ftp-alg/ftp-alg.h"},
    "policy": {"policy/policy.h", "policy/ip.h", "policy/ip-range.h", "policy/diag.h", "policy/ftp-action.h", "policy/utf8.h"},
}
# None is left of any.
ALLOWED = {"circles": 0, "arrows up": 0, "walls broken": 0, "inner headers": 0}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)


def files():
    for folder in FOLDERS:
        for name in sorted(os.listdir(folder)):
            if name.endswith((".c", ".h", ".def")) and f"{folder}/{name}" not in UNFIT:
                yield f"{folder}/{name}"


def module(path):
    return path.rsplit(".", 1)[0]


def folder(path):
    return path.rsplit("/", 1)[0]


def symbols():
    """For each module: what it defines for others, and what it takes from others."""
    defined, used = {}, collections.defaultdict(set)
    sources = {f"{BUILD}/{module(path)}.o": module(path) for path in files() if path.endswith(".c")}
    lines = subprocess.run(["nm", "-A", "-g", *sources], capture_output=True, text=True, check=True).stdout
    for line in lines.splitlines():
        at, rest = line.split(":", 1)
        kind, name = rest.split()[-2:]
        if kind == "U":
            used[sources[at]].add(name)
        else:
            defined[name] = sources[at]
    return defined, used


def arrows(defined, used):
    """{(from, to): how}"""
    found = {}
    for path in files():
        with open(path, encoding="utf-8") as f:
            for to in INCLUDE.findall(f.read()):
                if module(to) != module(path) and os.path.exists(to):
                    found.setdefault((module(path), module(to)), f"{path} includes {to}")
    for at, names in used.items():
        for name in sorted(names):
            if name in defined and defined[name] != at:
                found.setdefault((at, defined[name]), f"{at}.c uses {name}()")
    return found


def layers():
    order = {}
    with open("docs/LAYERS", encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.split("#")[0].strip()
            if line:
                order[line] = number
    return order


def circles(found):
    """Strongly connected components of more than one module (Tarjan)."""
    graph = collections.defaultdict(list)
    for at, to in found:
        graph[at].append(to)
    index, low, stack, on, result = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on.add(node)
        for to in graph[node]:
            if to not in index:
                visit(to)
                low[node] = min(low[node], low[to])
            elif to in on:
                low[node] = min(low[node], index[to])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
                on.discard(group[-1])
            if len(group) > 1:
                result.append(sorted(group))

    for node in sorted({end for arrow in found for end in arrow}):
        if node not in index:
            visit(node)
    return result


def walls(defined, used):
    """What a folder takes must be in itself, in one below it in each program that has it, or in a library."""
    found = set()
    for program in (COMMON + DAEMON, COMMON + CONTROL, COMMON + HTTP):
        for at, names in used.items():
            if folder(at) not in program:
                continue
            reach = program[:program.index(folder(at)) + 1]
            found |= {f"{at}.c takes {name}() from {folder(defined[name])}/, which is not below it"
                      for name in names if name in defined and folder(defined[name]) not in reach}
    return sorted(found)


def doors():
    found = []
    for path in files():
        with open(path, encoding="utf-8") as f:
            for to in INCLUDE.findall(f.read()):
                inner = folder(to)
                if inner in DOORS and folder(path) != inner and to not in DOORS[inner]:
                    found.append(f"{path}: {to} is an inner header: {', '.join(sorted(DOORS[inner]))} is the way in")
    return found


def place(order, name):
    return order.get(name) or order.get(name + ".c") or 0


def main():
    defined, used = symbols()
    arrow, order = arrows(defined, used), layers()
    found = {
        "circles": [f"circle: {' '.join(group)}" for group in circles(arrow)],
        "arrows up": [f"{how}: docs/LAYERS lists {to} after {at}" for (at, to), how in arrow.items()
                      if place(order, to) > place(order, at)],
        "walls broken": walls(defined, used),
        "inner headers": doors(),
    }
    worse = any(len(found[what]) > ALLOWED[what] for what in found)
    if worse or "-v" in sys.argv:
        for lines in found.values():
            print("".join(line + "\n" for line in lines), end="")
    print("structure: " + ", ".join(f"{what} {len(lines)}" for what, lines in found.items()))
    return worse


if __name__ == "__main__":
    sys.exit(main())
