"""Reads an audit trail, and validates each event by docs/audit.schema.json."""
import json
import os
import re
import subprocess

import jsonschema

import net

with open(os.path.join(net.ROOT, "docs", "audit.schema.json"), encoding="utf-8") as f:
    SCHEMA = json.load(f)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def parse(text):
    """The events of a trail, each of which the schema admits."""
    events = []
    for line in text.splitlines():
        if line:
            events.append(json.loads(line, object_pairs_hook=unique))
            faults = [fault.message for fault in VALIDATOR.iter_errors(events[-1])]
            assert not faults, (line, faults)
    return events


def unique(pairs):
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def read(path):
    with open(path, encoding="utf-8") as trail:
        return parse(trail.read())


def read_torn(path):
    """The same of a file on a disk that was full: pieces of lines are left out."""
    with open(path, encoding="utf-8") as trail:
        return parse("\n".join(line[line.rindex('{"schema":'):] for line in trail.read().splitlines() if line.endswith("}")))


def named(events, name, **fields):
    return [event for event in events if event["event"] == name and all(event.get(k) == v for k, v in fields.items())]


def unescape(value):
    """The bytes of a name, as docs/AUDIT.md says."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), value.encode())


def verify(*paths, argv=()):
    """attlsctl audit verify: (exit status, its JSON)."""
    done = subprocess.run([net.ATTLSCTL, "audit", "verify", "--json", *argv, *map(str, paths)], capture_output=True, text=True,
                          timeout=net.DEADLINE)
    return done.returncode, json.loads(done.stdout)
