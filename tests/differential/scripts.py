"""
The client scripts: a fixed list, and random ones made from a seed. play.py explains the steps.

A script waits for all answers before it ends its session (with QUIT, or as its name says).
"""
import random

# Transfers that are larger than all buffers on the way, so that the steps after these happen during the transfer.
DOWN = ["data PASV", "send RETR big", "begun"]
UP = ["data PASV", "send STOR new", "begun"]
NEXT = ["data PASV", "send RETR small", "begun", "drain", "over"]
NEXT_UP = ["data PASV", "send STOR next", "begun", "give 5000", "shut", "over"]


# Ways to a data connection that a server lacks and attlsd offers all the same.
LACKING = {"twisted": ["EPSV", "EPRT"], "aioftp": ["PORT", "EPRT"]}


def fit(steps, server):
    """The same script with ways to a data connection that this server knows."""
    lacking = [f"data {mode}" for mode in LACKING.get(server, [])]
    return ["data PASV" if step in lacking else step for step in steps]


def fixed():
    """All fixed scripts by name."""
    return {name: steps for made in groups().values() for name, steps in made.items()}


def groups():
    return {"transfers and verbs": plain(), "ABOR": aborts(), "NOOP and STAT in a transfer": beside(),
            "commands in one segment": together(), "listings": listings(), "lftp's kill": lftp(), "ends": ends()}


def kind(script):
    """The group of a script."""
    return next((name for name, made in groups().items() if script in made), "random")


def ways():
    """Each way to a data connection, for all servers."""
    modes = "PASV", "EPSV", "PORT", "EPRT"
    made = {f"download {mode}": [f"data {mode}", "send RETR medium", "begun", "drain", "over", "fence", "quit"] for mode in modes}
    made |= {f"upload {mode}": [f"data {mode}", "send STOR new", "begun", "give 200000", "shut", "over", "fence", "quit"]
             for mode in modes}
    return made


def plain():
    """Simple transfers and commands."""
    made = ways()
    made["many transfers"] = [*NEXT, *NEXT_UP, "data PASV", "send APPE next", "begun", "give 10", "shut", "over",
                              "data PASV", "send NLST", "begun", "drain", "over", "fence", "quit"]
    made["empty upload"] = ["data PASV", "send STOR new", "begun", "shut", "over", "fence", "quit"]
    made["no such file"] = ["data PASV", "send RETR missing", "begun", "data PASV", "send RETR small", "begun", "drain", "over", "quit"]
    made["no such folder"] = ["data PASV", "send STOR missing/new", "begun", *NEXT, "quit"]
    made["verbs"] = [step for line in ["NOOP", "TYPE A", "TYPE I", "STRU F", "MODE S", "SIZE small", "SIZE missing",
                                       "CWD sub", "CDUP", "CWD missing", "MKD made", "RMD made", "RNFR small", "RNTO other",
                                       "DELE other", "DELE other", "REST 10", "ALLO 10", "XYZZY", "SITE", "SITE XYZZY"]
                     for step in (f"send {line}", "final")] + ["quit"]
    made["features"] = ["send FEAT", "final", "send HELP", "final", "fence", "quit"]
    made["RNFR, then a transfer"] = ["send RNFR small", "final", "data PASV", "send RETR small", "begun", "drain", "over",
                                      "send RNTO other", "final", "fence", "quit"]
    made["restart"] = ["data PASV", "send REST 1000", "final", "send RETR small", "begun", "drain", "over", "quit"]
    return made


def aborts():
    """ABOR at five moments. After it, the client keeps the data connection, reads it to its end, or closes it."""
    made = {}
    down = {
        "asked": ["data PASV", "send RETR big", "send ABOR"],
        "begun": [*DOWN, "send ABOR"],
        "going": [*DOWN, "take 300000", "send ABOR"],
        "late": ["data PASV", "send RETR small", "begun", "take 2000", "send ABOR"],
        "over": ["data PASV", "send RETR small", "begun", "drain", "over", "send ABOR"],
    }
    for moment, steps in down.items():
        for then in {"over": ["keep"], "going": ["keep", "drain", "drop"]}.get(moment, ["drain", "drop"]):
            rest = {"keep": [], "drain": ["drain"], "drop": ["drop"]}[then]
            wait = ["over"] if moment == "over" else ["over 1"]
            made[f"abort download {moment}, {then}"] = [*steps, *rest, *wait, "fence", *NEXT, *NEXT_UP, "fence", "quit"]
    up = {
        "asked": ["data PASV", "send STOR new", "send ABOR"],
        "begun": [*UP, "send ABOR"],
        "going": [*UP, "give 300000", "send ABOR"],
        "late": [*UP, "give 300000", "shut", "send ABOR"],
        "over": [*UP, "give 300000", "shut", "over", "send ABOR"],
    }
    for moment, steps in up.items():
        for then in {"late": ["keep"], "over": ["keep"], "going": ["keep", "shut", "drop"]}.get(moment, ["shut", "drop"]):
            rest = {"keep": [], "shut": ["shut"], "drop": ["drop"]}[then]
            wait = ["over"] if moment == "over" else ["over 1"]
            made[f"abort upload {moment}, {then}"] = [*steps, *rest, *wait, "fence", *NEXT, *NEXT_UP, "fence", "quit"]
    made["abort nothing"] = ["send ABOR", "final", "fence", *NEXT, "quit"]
    made["abort a planned download"] = ["data PASV", "send ABOR", "final", "fence", *NEXT, *NEXT_UP, "fence", "quit"]
    made["abort a planned download, then begin it"] = ["data PASV", "send ABOR", "final", "fence", "send RETR small", "begun", "fence", "quit"]
    made["abort twice"] = [*DOWN, "take 300000", "send ABOR", "send ABOR", "drain", "over 2", "fence", *NEXT, "quit"]
    made["abort, again and again"] = [*DOWN, "send ABOR", "drain", "over 1", "fence"] * 3 + [*NEXT, "quit"]
    return made


def beside():
    """NOOP and STAT during a transfer, in one segment and in several."""
    made = {}
    for what, lines in ("NOOP", ["NOOP"]), ("STAT", ["STAT"]), ("NOOP and STAT", ["NOOP", "STAT"]):
        for n in (1, 2, 3, 5, 10, 20):
            many = " + ".join((lines * n)[:n])
            for how, verb in ("at once", "send"), ("one by one", "each"):
                if n == 1 and verb == "each" or len(lines) > n:
                    continue
                made[f"{n} {what} {how}, download"] = [*DOWN, "take 100000", f"{verb} {many}", f"hear {n}", "drain", f"over {n}", "fence",
                                                       *NEXT, "quit"]
                if n in (1, 5, 20):
                    made[f"{n} {what} {how}, upload"] = [*UP, "give 100000", f"{verb} {many}", f"hear {n}",
                                                         "give 100000", "shut", f"over {n}", "fence", *NEXT, "quit"]
    made["NOOP before the data connection"] = ["data PORT", "send RETR big", "send NOOP", "drain", "over 1", "fence", "quit"]
    made["STAT of a folder in a download"] = [*DOWN, "take 100000", "send STAT sub", "drain", "over 1", "fence", *NEXT, "quit"]
    made["PWD in a download"] = [*DOWN, "take 100000", "send PWD", "drain", "over 1", "fence", *NEXT, "quit"]
    return made


def together():
    """Commands that arrive together or in pieces."""
    return {
        "two in one segment": ["send PWD + NOOP", "final", "final", "fence", "quit"],
        "six in one segment": ["send PWD + NOOP + TYPE I + SIZE small + CWD sub + CWD ..", *["final"] * 6, "fence", "quit"],
        "TYPE and PASV in one segment": ["send TYPE I + CWD sub", "final", "final", "fence", *NEXT, "quit"],
        "transfer and PWD in one segment": ["data PASV", "send RETR small + PWD", "begun", "drain", "over 1", "fence", "quit"],
        "transfer and NOOP in one segment": ["data PASV", "send RETR big + NOOP", "begun", "drain", "over 1", "fence", "quit"],
        "transfer and ABOR in one segment": ["data PASV", "send RETR big + ABOR", "drain", "over 1", "fence", *NEXT, "quit"],
        "ABOR and PWD in one segment": [*DOWN, "take 300000", "send ABOR + PWD", "drain", "over 2", "fence", *NEXT, "quit"],
        "ABOR and NOOP in one segment": [*DOWN, "take 300000", "send ABOR + NOOP", "drain", "over 2", "fence", *NEXT, "quit"],
        "a line in two segments": ["split 2 PWD", "final", "split 9 SIZE small", "final", "split 5 NOOP", "final", "fence", "quit"],
        "QUIT after a command": ["send PWD + QUIT", "final", "final", "close"],
    }


def listings():
    """Long and odd listings, over the control connection and over a data connection."""
    return {
        "STAT of 20,000 names": ["send STAT many", "final", "fence", *NEXT, "quit"],
        "LIST of 20,000 names": ["send CWD many", "final", "data PASV", "send LIST", "begun", "drain", "over", "fence", "quit"],
        "STAT of odd names": ["send STAT odd", "final", "fence", *NEXT, "quit"],
        "LIST of odd names": ["send CWD odd", "final", "data PASV", "send LIST", "begun", "drain", "over", "fence", "quit"],
        "NLST of odd names": ["send CWD odd", "final", "data PASV", "send NLST", "begun", "drain", "over", "fence", "quit"],
        "SIZE of odd names": [step for name in ["odd/213 End", "odd/ leading", "odd/two  blanks", "odd/tab\tinside",
                                                "odd/caf\xc3\xa9", "odd/caf\xe9", "odd/" + "n" * 250, "odd/quote\"d"]
                              for step in (f"send SIZE {name}", "final")] + ["fence", "quit"],
    }


def lftp():
    """lftp sends Telnet's interrupt before ABOR, and closes the data connection when the answer has come."""
    after = ["over 1", "drop", "fence"]
    return {
        "lftp: kill a get": ["data EPSV", "send RETR big", "begun", "take 300000", "urgent ABOR", *after, *NEXT, "quit"],
        "lftp: kill a put": ["data EPSV", "send STOR new", "begun", "give 300000", "urgent ABOR", *after, *NEXT_UP, "quit"],
        "lftp: kill a list": ["send CWD many", "final", "data EPSV", "send LIST", "begun", "urgent ABOR", *after,
                              "send CWD ..", "final", *NEXT, "quit"],
        "lftp: kill three gets": ["data EPSV", "send RETR big", "begun", "take 300000", "urgent ABOR", *after] * 3 + [*NEXT, "quit"],
        "lftp: kill a get at once": ["data EPSV", "send RETR big", "urgent ABOR", *after, *NEXT, "quit"],
    }


def ends():
    """Ways in which a session ends."""
    return {
        "QUIT right after an upload": [*UP, "give 200000", "shut", "quit"],
        "QUIT and gone right after an upload": [*UP, "give 200000", "shut", "send QUIT", "leave"],
        "QUIT with an upload's last byte": ["data PASV", "send STOR new + QUIT", "begun", "give 200000", "shut", "over 1", "close"],
        "QUIT in a download": [*DOWN, "take 300000", "send QUIT", "drain", "over 1", "close"],
        "close": ["fence", "close"],
        "close with a command under way": ["send PWD", "close"],
        "close right after an upload": [*UP, "give 200000", "shut", "close"],
        "reset in a download": [*DOWN, "take 300000", "reset"],
        "data connection reset in an upload": [*UP, "give 300000", "drop", "over", "fence", *NEXT, "quit"],
        "data connection reset in a download": [*DOWN, "take 300000", "drop", "over", "fence", *NEXT, "quit"],
    }


# --- random ones ---
SIMPLE = ["PWD", "NOOP", "TYPE I", "TYPE A", "STAT sub", "STAT", "SIZE small", "SIZE missing", "CWD sub", "CDUP", "CWD .",
          "MKD made", "RMD made", "DELE missing", "RNFR small", "HELP", "FEAT", "XYZZY", "REST 0", "MODE S", "STRU F", "OPTS UTF8 ON",
          "NOOP x", "CWD " + "x" * 200, "SITE HELP", "ALLO 1", "ABOR", "MDTM small"]
BESIDE = ["NOOP", "STAT", "STAT sub", "NOOP"]


def generate(seed, server):
    """One random script: the same for the same seed and server."""
    rng = random.Random(seed)
    steps = []
    for _ in range(rng.randint(1, 4)):
        steps += pick(rng, [(3, simple), (2, piped), (1, pieces), (8, transfer)])(rng)
    steps = fit(steps, server)
    if server == "ftp-srv":  # it writes several listings at once, one into the other
        steps = [step.replace("STAT sub", "STAT") for step in steps]
    if server == "inetutils":  # after a syntax error it does not answer the next command
        steps = [step.replace("NOOP x", "NOOP") for step in steps]
    return steps + pick(rng, [(6, ["quit"]), (1, ["close"]), (1, ["fence", "quit"]), (1, ["fence", "close"])])


def pick(rng, weighted):
    return rng.choices([what for _, what in weighted], [weight for weight, _ in weighted])[0]


def simple(rng):
    return [f"send {rng.choice(SIMPLE)}", "final"]


def piped(rng):
    lines = [rng.choice(SIMPLE) for _ in range(rng.randint(2, 6))]
    return ["send " + " + ".join(lines), *["final"] * len(lines), "fence"]


def pieces(rng):
    line = rng.choice(SIMPLE)
    return [f"split {rng.randint(1, len(line))} {line}", "final"]


def questions(rng):
    """NOOP or STAT during a transfer: (steps, number of answers)."""
    lines = [rng.choice(BESIDE) for _ in range(rng.choice([1, 1, 2, 3, 5, 8, 20]))]
    return [rng.choice(["send", "each"]) + " " + " + ".join(lines)], len(lines)


def transfer(rng):
    upload = rng.random() < 0.5
    size = rng.choice([0, 1, 2000, 60_000, 300_000, 2_000_000])
    file = rng.choice(["small", "medium", "big", "big"])
    steps = [f"data {pick(rng, [(4, 'PASV'), (4, 'EPSV'), (1, 'PORT'), (1, 'EPRT')])}",
             f"send STOR new{rng.randint(1, 3)}" if upload else f"send RETR {file}"]
    answers, aborted = 0, False
    for moment in "asked", "begun", "going", "through":
        if moment == "begun" and not aborted:
            steps += ["begun"]
        if moment == "going":
            steps += [f"give {size}"] if upload else ["take 1000"] if not aborted else []
        if moment in ("begun", "going") and not aborted and rng.random() < 0.4:
            more, n = questions(rng)
            steps += more + [f"hear {n}"]
            answers += n
        if moment != "through" and not aborted and rng.random() < 0.15:
            steps += [rng.choice(["send ABOR", "send ABOR", "urgent ABOR"])]
            answers, aborted = answers + 1, True
    if not aborted and rng.random() < 0.08:
        steps += ["drop"]
    else:
        steps += ["shut"] if upload else ["drain"]
    return [*steps, f"over {answers}", "fence"]


KINDS = [*groups(), "random"]
