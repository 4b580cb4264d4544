#!/usr/bin/python3
"""
Each client script twice: straight to a real server in the clear, and in TLS through attlsd. Then compare.

`make differential` runs it for DIFF_SECONDS with random scripts after the fixed ones; DIFF_SEED (printed) repeats a
run. One script by hand: differential.py --server NAME --script "NAME" or --steps "step; step; ...".
"""
import argparse
import concurrent.futures
import contextlib
import os
import random
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "system")]

import certs  # noqa: E402
import known  # noqa: E402
import more_servers  # noqa: E402
import scripts  # noqa: E402
import servers  # noqa: E402
import stage  # noqa: E402

AT_ONCE = 16  # plays; most of them wait
LONGER = 6.0  # seconds of patience when a difference is looked at again
NATIVE_PLAYS = 4  # until a server is taken not to do what attlsd did; it may have done it in a race
CONFIRM = 3


class Verdict:
    def __init__(self, server, script, steps, word, difference=None, row=None, outcomes=()):
        self.server, self.script, self.steps = server, script, steps
        self.word, self.difference, self.row, self.outcomes = word, difference, row, outcomes

    def as_row(self):
        return " | ".join([self.server, self.script, *self.difference, "KIND"])


class Differential:
    def __init__(self, names, folder, table=None):
        self.table = table or known.Table()
        self.certificates = certs.Certificates(folder)
        self.folder = folder
        self.stages, self.absent = {}, {}
        self.verdicts = []
        self.tell = False  # what differs as soon as it is found
        self.again = threading.Semaphore(6)  # whoever looks again waits longer, and should not keep all others waiting
        # these threads stay: the processes that they start end with them
        self.openers = concurrent.futures.ThreadPoolExecutor(4)
        for name, made in zip(names, self.openers.map(self.open, names)):
            (self.absent if isinstance(made, str) else self.stages)[name] = made

    def open(self, name):
        try:
            return stage.Stage(name, self.certificates, self.folder)
        except (servers.Unavailable, AssertionError) as why:
            return str(why)

    def close(self):
        faults = []
        for one in self.stages.values():
            try:
                one.stop()
            except AssertionError as fault:
                faults.append(f"{one.name}: {fault}")
        self.openers.shutdown()
        return faults

    # --- one script ---
    def compare(self, where, script, steps):
        native, through = where.play(steps, False), where.play(steps, True)
        if native == through:
            if self.table.expected(where.name, script):
                return self.look_for_row(where, script, steps)
            return Verdict(where.name, script, steps, "same")
        difference = known.first_difference(native, through)
        row = self.table.find(where.name, script, difference)
        if row:
            return Verdict(where.name, script, steps, "known", difference, row)
        with self.again:
            return self.look_again(where, script, steps, [native], [through])

    def look_again(self, where, script, steps, natives, throughs):
        """Is it a difference, or has a server that answers now so, now so, been met at two moods?"""
        while len(natives) < NATIVE_PLAYS:
            natives.append(where.play(steps, False, LONGER))
        while len(throughs) < CONFIRM:
            throughs.append(where.play(steps, True, LONGER))
        odd = [one for one in throughs[-2:] if one not in natives]
        if not odd:
            return Verdict(where.name, script, steps, "same")
        difference = known.first_difference(min(natives, key=lambda one: -natives.count(one)), odd[0])
        row = self.table.find(where.name, script, difference)
        word = "known" if row else "differs" if len(odd) == 2 else "sometimes"
        return Verdict(where.name, script, steps, word, difference, row, (natives[0], odd[0]))

    def look_for_row(self, where, script, steps):
        """A difference of the table does not show: look twice more."""
        for _ in range(2):
            native, through = where.play(steps, False), where.play(steps, True)
            if native != through:
                difference = known.first_difference(native, through)
                row = self.table.find(where.name, script, difference)
                if row:
                    return Verdict(where.name, script, steps, "known", difference, row)
        return Verdict(where.name, script, steps, "same")

    # --- many ---
    def run(self, jobs, until=None):
        """jobs: (stage, script's name, steps), taken as long as the time has not come."""
        jobs, lock = iter(jobs), threading.Lock()

        def work():
            while until is None or time.monotonic() < until:
                with lock:
                    job = next(jobs, None)
                if job is None:
                    return
                verdict = self.compare(*job)
                with lock:
                    self.verdicts.append(verdict)
                    if self.tell and verdict.word in ("differs", "sometimes"):
                        print(verdict.as_row(), flush=True)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(work) for _ in range(AT_ONCE)]:
                done.result()

    def run_fixed(self, only=None):
        chosen = {name: steps for name, steps in scripts.fixed().items() if only is None or name in only}
        self.run((one, name, steps if name in scripts.ways() else scripts.fit(steps, one.name))
                 for name, steps in chosen.items() for one in self.stages.values())

    def run_random(self, seed, until):
        def jobs():
            n = seed
            while self.stages:
                for one in self.stages.values():
                    yield one, f"random {n}", scripts.generate(n, one.name)
                n += 1
        self.run(jobs(), until)

    # --- what came of it ---
    def faults(self):
        """What is wrong with the table or with attlsd: a list of texts."""
        found = [f"not in known.txt:\n    {one.as_row()}\n    steps: {'; '.join(one.steps)}"
                 for one in self.verdicts if one.word == "differs"]
        played = {(one.server, one.script) for one in self.verdicts}
        for row in self.table.rows:
            found += [f"known.txt:{row.number}: {server}, {script!r} differs no more as this row says: take it out\n    {row.line}"
                      for server, script in row.stale(played)]
        return found

    def rows(self):
        """What is not in known.txt, as lines for it."""
        groups = {}
        for one in self.verdicts:
            if one.word in ("differs", "sometimes") and not one.script.startswith("random "):
                groups.setdefault((one.server, one.difference), []).append(one)
        return [" | ".join([server, "; ".join(one.script for one in ones), *difference,
                            "KIND" + "?" * any(one.word == "sometimes" for one in ones)])
                for (server, difference), ones in sorted(groups.items())]

    def notes(self):
        return [f"differs now and then: {one.as_row()}\n    steps: {'; '.join(one.steps)}"
                for one in self.verdicts if one.word == "sometimes"]

    def matrix(self):
        """A table server x script: = same, the kind's letter when known, ! differs."""
        names = [*self.stages]
        rows, random_ones = {}, dict.fromkeys(names, "")
        for one in self.verdicts:
            mark = {"same": "=", "known": one.row.kind if one.row else "", "differs": "!", "sometimes": "~"}[one.word]
            if one.script.startswith("random "):
                random_ones[one.server] += mark
            else:
                rows.setdefault(one.script, {})[one.server] = mark
        lines = ["| %-40s | %s |" % ("script", " | ".join(f"{name:9}" for name in names)),
                 "|-%s-|-%s-|" % ("-" * 40, "-|-".join("-" * 9 for _ in names))]
        for script in [name for name in scripts.fixed() if name in rows]:
            lines.append("| %-40s | %s |" % (script, " | ".join(f"{rows[script].get(name, ''):9}" for name in names)))
        if any(random_ones.values()):
            count = {name: f"{len(m)}: {len(m) - m.count('=')}" for name, m in random_ones.items()}
            lines.append("| %-40s | %s |" % ("random scripts: those that differ", " | ".join(f"{count[n]:9}" for n in names)))
        lines += ["", "=: same natively and through attlsd; a letter: known to differ, see known.txt; !: differs; ~: now and then"]
        lines += [f"{name} did not run: {why}" for name, why in self.absent.items()]
        return "\n".join(lines)


def show(where, steps):
    """Both dialogues side by side, one below the other."""
    for through in False, True:
        print("---", "through attlsd" if through else "natively")
        for line in where.play(steps, through).lines():
            print("   ", known.short(line) if len(line) > 400 else line.replace("\n", "\n        "))


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--server", action="append", choices=more_servers.NAMES, help="this server only")
    asked.add_argument("--script", action="append", help="this fixed script only, or `random SEED`")
    asked.add_argument("--steps", help="these steps, separated by `; `: show both dialogues")
    asked.add_argument("--seconds", type=float, default=float(os.environ.get("DIFF_SECONDS", "600")))
    asked.add_argument("--seed", type=int, default=int(os.environ.get("DIFF_SEED") or random.SystemRandom().randrange(10 ** 9)))
    asked.add_argument("--out", help="write the matrix to this file, too")
    asked.add_argument("--rows", help="write what is not in known.txt to this file, as lines for it")
    args = asked.parse_args()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="attlsd-differential-"))
        os.chmod(folder, 0o755)
        run = Differential(args.server or more_servers.NAMES, folder)
        try:
            shown = [("", args.steps.split("; "))] if args.steps else []
            shown += [(name, scripts.fixed().get(name)) for name in args.script or []]
            for name, steps in shown:
                for one in run.stages.values():
                    steps = scripts.generate(int(name[7:]), one.name) if name.startswith("random ") else steps
                    print(f"=== {one.name}: {'; '.join(steps)}")
                    show(one, steps)
            if shown:
                return 0
            run.tell = True
            print(f"seed {args.seed} (DIFF_SEED repeats it)", flush=True)
            started = time.monotonic()
            run.run_fixed()
            print(f"fixed scripts: {time.monotonic() - started:.0f} s", flush=True)
            run.run_random(args.seed, started + args.seconds)
        finally:
            faults = run.close()
    print(run.matrix())
    if args.out:
        with open(args.out, "w", encoding="utf-8") as f:
            f.write(run.matrix() + "\n")
    faults += run.faults()
    if args.rows:
        with open(args.rows, "w", encoding="utf-8") as f:
            f.writelines(row + "\n" for row in run.rows())
    for text in [*run.notes(), *faults]:
        print(text)
    print(f"{len(run.verdicts)} comparisons, {len(faults)} faults, seed {args.seed}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
