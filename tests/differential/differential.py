#!/usr/bin/python3
"""
Plays each client script twice, straight to a real server in the clear and in TLS through attlsd, and compares the dialogues.

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
import net  # noqa: E402
import scripts  # noqa: E402
import servers  # noqa: E402
import stage  # noqa: E402

SAMPLE_MATRIX = os.path.join(net.BUILD, "differential-sample.md")
PAGE = """\
## Natively and through attlsd

`make differential` writes this table. Each cell counts client scripts: `same` are those in which a client sees the same replies and
data natively and through attlsd. `known` are those that differ in ways that [SERVERS.md](SERVERS.md) explains, and `now and then`
those that differ only in some runs.

"""
AT_ONCE = 16  # plays; most of them wait
LONGER = 6.0  # seconds to wait for a reply when a difference is played again
NATIVE_PLAYS = 4  # native plays without attlsd's result before it counts as a difference
SAMPLE = 40  # random scripts among the fixed ones
CONFIRM = 3  # plays through attlsd


class Verdict:
    """The result of one script with one server: `word` is same, known, differs, or sometimes."""

    def __init__(self, server, script, steps, word="same", places=()):
        self.server, self.script, self.steps, self.word = server, script, steps, word
        self.places = places  # [((natively, through attlsd), row of known.txt or None)]

    def kinds(self):
        return sorted({row.kind for _, row in self.places if row})

    def text(self):
        rows = [" | ".join([self.server, *place, "KIND"]) for place, row in self.places if row is None]
        return "\n".join([f"{self.script}: {'; '.join(self.steps)}", *("    " + row for row in rows)])


class Differential:
    def __init__(self, names, folder, table=None):
        self.table = table or known.Table()
        self.certificates = certs.Certificates(folder)
        self.folder = folder
        self.stages, self.absent, self.broken = {}, {}, {}
        self.verdicts = []
        self.tell = False  # print each difference when it is found
        self.again = threading.Semaphore(6)  # a second look takes long, and should leave room for other scripts
        # these threads stay: the processes that they start end with them
        self.openers = concurrent.futures.ThreadPoolExecutor(4)
        for name, (kind, made) in zip(names, self.openers.map(self.open, names)):
            kind[name] = made

    def open(self, name):
        try:
            return self.stages, stage.Stage(name, self.certificates, self.folder)
        except servers.Unavailable as why:
            return self.absent, str(why)
        except AssertionError as why:
            return self.broken, str(why)

    def close(self):
        faults = [f"{name}: {why}" for name, why in self.broken.items()]
        for one in self.stages.values():
            try:
                one.stop()
            except AssertionError as fault:
                faults.append(f"{one.name}: {fault}")
        self.openers.shutdown()
        return faults

    # --- one script ---
    def compare(self, where, script, steps):
        self.openers.submit(where.revive).result()
        native, through = where.play(steps, False), where.play(steps, True)
        verdict = self.judge(where, script, steps, native, through)
        if verdict.word != "differs":
            return verdict
        with self.again:
            return self.look_again(where, script, steps, [native], [through])

    def judge(self, where, script, steps, native, through):
        places = self.table.explain(where.name, steps, known.differences(native, through))
        word = "same" if not places else "known" if all(row for _, row in places) else "differs"
        return Verdict(where.name, script, steps, word, places)

    def look_again(self, where, script, steps, natives, throughs):
        """Play again: is this a difference, or do the server's answers vary?"""
        while len(natives) < NATIVE_PLAYS:
            natives.append(where.play(steps, False, LONGER))
        while len(throughs) < CONFIRM:
            throughs.append(where.play(steps, True, LONGER))
        verdicts = []
        for through in throughs[1:]:
            judged = [self.judge(where, script, steps, native, through) for native in natives]
            verdicts.append(min(judged, key=lambda one: ["same", "known", "differs"].index(one.word)))
        odd = [one for one in verdicts if one.word == "differs"]
        if not odd:
            return verdicts[-1]
        odd[0].word = "differs" if len(odd) == len(verdicts) else "sometimes"
        return odd[0]

    # --- many ---
    def run(self, jobs, until=None):
        """Play jobs (stage, script's name, steps) until the time is over."""
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
                        print(f"{verdict.word}: {verdict.text()}", flush=True)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(work) for _ in range(AT_ONCE)]:
                done.result()

    def run_fixed(self):
        self.run(self.fixed_jobs())

    def fixed_jobs(self):
        return [(one, name, steps if name in scripts.ways() else scripts.fit(steps, one.name))
                for name, steps in scripts.fixed().items() for one in self.stages.values()]

    def run_sample(self, seed, until):
        """Play a mixture of fixed and random scripts until the time is over."""
        jobs = self.fixed_jobs() + [(one, f"random {n}", scripts.generate(n, one.name))
                                    for n in range(SAMPLE) for one in self.stages.values()]
        random.Random(seed).shuffle(jobs)
        self.run(jobs, until)

    def run_random(self, seed, until):
        def jobs():
            n = seed
            while self.stages:
                for one in self.stages.values():
                    yield one, f"random {n}", scripts.generate(n, one.name)
                n += 1
        self.run(jobs(), until)

    # --- results ---
    def faults(self, server=None):
        """A list of texts: the differences that are not in known.txt."""
        return [one.text() for one in self.verdicts if one.word == "differs" and server in (None, one.server)]

    def notes(self):
        return [f"differs now and then: {one.text()}" for one in self.verdicts if one.word == "sometimes"]

    def stale(self):
        return [f"known.txt:{row.number}: nothing differed as this row says (if it never does, take it out)\n    {row.line}"
                for row in self.table.stale(self.stages)]

    def matrix(self):
        """A table: kind of script x server."""
        cells = {}
        for one in self.verdicts:
            cells.setdefault((scripts.kind(one.script), one.server), []).append(one)
        lines = ["| scripts | " + " | ".join(self.stages) + " |", "|---" * (1 + len(self.stages)) + "|"]
        for kind in [kind for kind in scripts.KINDS if any(kind == key[0] for key in cells)]:
            lines.append(f"| {kind} | " + " | ".join(cell(cells.get((kind, name), [])) for name in self.stages) + " |")
        lines += [f"\n{name} did not run: {why}" for name, why in {**self.absent, **self.broken}.items()]
        return "\n".join(lines)


def cell(verdicts):
    """How many scripts were the same, how many differ as known.txt says (and how), and how many in other ways."""
    count = {word: sum(one.word == word for one in verdicts) for word in ("same", "known", "sometimes", "differs")}
    kinds = sorted({kind for one in verdicts for kind in one.kinds()})
    texts = [f"{count['same']} same"] if count["same"] else []
    texts += [f"{count['known']} known ({' '.join(kinds)})"] if count["known"] else []
    texts += [f"{count['sometimes']} now and then"] if count["sometimes"] else []
    texts += [f"{count['differs']} DIFFER"] if count["differs"] else []
    return ", ".join(texts) or "not run"


def show(where, steps):
    """Print the dialogue and the data of both plays, one after the other."""
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
    faults += run.faults()
    print("\n".join([*run.stale(), *run.notes(), *faults, run.matrix()]))
    if args.out:
        with open(args.out, "w", encoding="utf-8") as f:
            f.write(PAGE + run.matrix() + "\n")
    print(f"{len(run.verdicts)} comparisons, {len(faults)} faults, seed {args.seed}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
