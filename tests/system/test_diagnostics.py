"""attlsctl check --json: diagnostics of the language server protocol, the same faults as in the text, and stable codes."""
import functools
import glob
import json
import os
import re
import shutil
import subprocess
import urllib.parse

import jsonschema
import pytest
import yaml

import gateway as gateways
import net

DEFINED = os.path.join(net.ROOT, "policy", "diag-codes.def")
PAGE = os.path.join(net.ROOT, "docs", "DIAGNOSTICS.md")

UINT = {"type": "integer", "minimum": 0, "maximum": 2 ** 31 - 1}
POSITION = {"type": "object", "required": ["line", "character"], "additionalProperties": False,
            "properties": {"line": UINT, "character": UINT}}
RANGE = {"type": "object", "required": ["start", "end"], "additionalProperties": False,
         "properties": {"start": POSITION, "end": POSITION}}
URI = {"type": "string", "pattern": r"^file:///([-A-Za-z0-9._~/]|%[0-9A-F]{2})+$"}
# PublishDiagnosticsParams and what it consists of, from the protocol's version 3.17
PARAMS = {
    "type": "object", "required": ["uri", "diagnostics"], "additionalProperties": False,
    "properties": {"uri": URI, "version": {"type": "integer"}, "diagnostics": {"type": "array", "items": {
        "type": "object", "required": ["range", "message"], "additionalProperties": False,
        "properties": {
            "range": RANGE, "severity": {"enum": [1, 2, 3, 4]}, "code": {"type": ["integer", "string"]},
            "codeDescription": {"type": "object", "required": ["href"], "properties": {"href": URI}},
            "source": {"const": "attlsd"}, "message": {"type": "string", "minLength": 1},
            "tags": {"type": "array", "items": {"enum": [1, 2]}},
            "relatedInformation": {"type": "array", "items": {
                "type": "object", "required": ["location", "message"], "additionalProperties": False,
                "properties": {"message": {"type": "string", "minLength": 1}, "location": {
                    "type": "object", "required": ["uri", "range"], "additionalProperties": False,
                    "properties": {"uri": URI, "range": RANGE}}}}},
            "data": {"type": "object", "required": ["edit"], "additionalProperties": False, "properties": {"edit": {
                "type": "object", "required": ["range", "newText"], "additionalProperties": False,
                "properties": {"range": RANGE, "newText": {"type": "string"}}}}},
        }}}}}
VALIDATOR = jsonschema.Draft202012Validator(PARAMS)
LEVELS = {None: 1, "warning": 2, "note": 3}


@functools.cache
def defined():
    with open(DEFINED, encoding="utf-8") as file:
        return re.findall(r'^DIAG_CODE\((\w+), "([^"]+)", "([^"]+)"\)$', file.read(), re.M)


def run(*argv):
    # a good policy that names hosts asks no name server
    done = subprocess.run([net.ATTLSCTL, "check", *map(str, argv)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=net.DEADLINE)
    assert not gateways.FAULT.search(done.stderr.decode("utf-8", "replace")), done.stderr
    return done


def documents(path, *argv):
    done = run("-f", path, "--json", *argv)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for one in found:
        VALIDATOR.validate(one)
        known = {name for _, name, _ in defined()}
        assert {item["code"] for item in one["diagnostics"]} <= known
        for item in one["diagnostics"]:
            start, end = (tuple(item["range"][at].values()) for at in ("start", "end"))
            assert start <= end, item
            assert not item["message"].startswith(("warning: ", "note: ", "error: ")), item
    assert len({one["uri"] for one in found}) == len(found) and done.stderr == b""
    return done.returncode, found


def path_of(uri):
    return urllib.parse.unquote_to_bytes(uri[len("file://"):]).decode("utf-8", "surrogateescape")


def editor_lines(path):
    """The lines of a file as an editor has them: each a list of UTF-16 code units."""
    with open(path, "rb") as file:
        text = file.read().removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    return [line.encode("utf-16-le") for line in re.split("\r\n|\n|\r", text)]


def covered(path, span):
    """The text at a range; a range over several lines has the first one's."""
    lines = editor_lines(path)
    start, end = span["start"], span["end"]
    assert end["line"] < len(lines) and start["character"] * 2 <= len(lines[start["line"]]), (path, span)
    assert end["character"] * 2 <= len(lines[end["line"]]), (path, span)
    last = end["character"] if end["line"] == start["line"] else None
    return lines[start["line"]][start["character"] * 2:last and last * 2].decode("utf-16-le")


def as_text(path, said):
    """What the text says: (line, column, level, message) of each message, in its order."""
    found = []
    for line in said.decode("utf-8", "replace").splitlines():
        match = re.match(re.escape(str(path)) + r"(?::(\d+):(\d+))?: (?:(warning|note): )?(.*)$", line)
        if match:
            found.append((int(match[1] or 0), int(match[2] or 0), LEVELS[match[3]], match[4]))
    return found


def as_lines_of_yaml(path, span):
    """Line and column of a position as libyaml counts them, from the bytes before it."""
    lines = editor_lines(path)
    at = span["start"]
    before = b"\n\0".join([*lines[:at["line"]], lines[at["line"]][:at["character"] * 2]]).decode("utf-16-le")
    parts = re.split("[\n\x85\u2028\u2029]", before)
    return len(parts), len(parts[-1]) + 1


def compare(path):
    """Text and JSON have the same faults in the same order. Returns the diagnostics of the policy."""
    text = run("-f", path)
    status, found = documents(path)
    own = found[0]
    assert status == text.returncode and path_of(own["uri"]) == os.path.abspath(path)
    listed = [item for item in own["diagnostics"] if item["code"] != "more-errors"]
    said = as_text(path, text.stderr)
    assert len(said) == len(listed)
    for (line, column, level, message), item in zip(said, listed):
        assert (message, level) == (item["message"], item["severity"])
        covered(path, item["range"])
        if line > 0 and column > 0:
            assert as_lines_of_yaml(path, item["range"]) == (line, column), (item, line, column)
        else:
            assert item["range"] == {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    errors = re.search(rb"^(\d+) errors?$", text.stderr, re.M)
    hidden = [int(item["message"].split()[0]) for item in own["diagnostics"] if item["code"] == "more-errors"]
    assert (int(errors[1]) if errors else 0) == sum(item["severity"] == 1 for item in listed) + sum(hidden)
    return own["diagnostics"]


@pytest.fixture(scope="module")
def bad_policies(tmp_path_factory):
    """Each policy that the unit tests expect to be refused."""
    folder = tmp_path_factory.mktemp("policies")
    for test in glob.glob(os.path.join(net.BUILD, "tests", "unit", "policy", "*_test")):
        subprocess.run([test], cwd=net.ROOT, env={**os.environ, "KEEP_POLICIES": str(folder)}, capture_output=True,
                       check=True, timeout=net.LIMIT)
    found = sorted(path for path in folder.iterdir() if path.suffix == ".bad")
    assert len(found) > 200
    return found


@pytest.fixture(scope="module")
def known(bad_policies):
    """The diagnostics of each of them, after a comparison with the text."""
    return {path: compare(path) for path in bad_policies}


def test_all_bad_policies(known):
    """Also that the tests of policy/ reach most of its codes."""
    seen = set()
    for found in known.values():
        assert found and any(item["severity"] == 1 for item in found)
        seen |= {item["code"] for item in found}
    assert len(seen) > 60, sorted(seen)


def test_ranges_cover_what_the_message_quotes(known):
    """A message that begins with what is in the file covers just that."""
    n = 0
    for path, found in known.items():
        for item in found:
            text = covered(path, item["range"])
            edit = item.get("data", {}).get("edit")
            if edit:
                assert edit["range"] == item["range"] and edit["newText"] in item["message"]
            if item["code"] in ("unknown-key", "duplicate-key", "undefined-name", "unknown-cipher", "bad-network"):
                quoted = re.search(r'"([^"]*)"(?! must be)', item["message"])[1]
                bare = text.strip("\"'")
                assert bare == quoted or (len(quoted) >= 40 and bare.startswith(quoted)) \
                    or f'not "{bare[:60]}"' in item["message"], (path.read_text(), item, text)
                n += 1
    assert n > 30


def test_edits_help(tmp_path):
    """With each edit applied, the misspelt words are gone."""
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\ndaemon: { wrokers: 1, limits: { 'sesions': 9 } }\nftp_actions: { é😀: {}, a: { secure_ftp: alowed } }\n",
                    encoding="utf-8")
    items = documents(path)[1][0]["diagnostics"]
    edits = [item["data"]["edit"] for item in items if "data" in item]
    assert [edit["newText"] for edit in edits] == ["workers", "sessions", "allowed"]
    lines = editor_lines(path)
    for edit in reversed(edits):
        line, start, end = edit["range"]["start"]["line"], edit["range"]["start"]["character"], edit["range"]["end"]["character"]
        lines[line] = lines[line][:start * 2] + edit["newText"].encode("utf-16-le") + lines[line][end * 2:]
    path.write_bytes(b"\n".join(line.decode("utf-16-le").encode() for line in lines))
    assert path.read_text(encoding="utf-8").splitlines()[1:] == \
        ["daemon: { workers: 1, limits: { sessions: 9 } }", "ftp_actions: { é😀: {}, a: { secure_ftp: allowed } }"]
    assert not [item for item in documents(path)[1][0]["diagnostics"] if "data" in item]


@pytest.fixture
def policy(certificates, folder):
    def write(name="policy.yaml", **change):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 2021), **change)))
        return path
    return write


def test_good(policy):
    """A good policy has a document without errors, so that an editor forgets those from before; notes are in it."""
    path = policy()
    compare(path)
    status, found = documents(path)
    assert status == 0 and len(found) == 1 and not [item for item in found[0]["diagnostics"] if item["severity"] < 3]
    path = policy(ftp={"secure_ftp": "allowed", "secure_ctrlconn": "clear", "secure_dataconn": "safe"})
    notes = [item for item in compare(path) if item["severity"] == 3]
    assert {item["code"] for item in notes} == {"changed-meaning"}


def test_other_files(policy, certificates, folder):
    """A fault of a file is at the key that names it, and in a document of its own. A file that is not there has none."""
    with open(os.path.join(folder, "odd name%.pem"), "w", encoding="utf-8") as file:
        file.write("not a certificate: SECRET\n")
    with open(os.path.join(folder, "password"), "w", encoding="utf-8") as file:
        file.write("\nSECRET\n")
    path = policy(keyrings={"ftpd": {"certificates": [{"chain": "odd name%.pem", "key": "missing.key"}]}},
                  users={"JOE": {"certificates": [{"subject": "CN=joe"}], "password_file": "password"}})
    compare(path)
    status, found = documents(path)
    assert status == 1 and "SECRET" not in json.dumps(found)
    assert [path_of(one["uri"]) for one in found[1:]] == [os.path.join(folder, name) for name in ("odd name%.pem", "password")]
    by_code = {item["code"]: item for item in found[0]["diagnostics"]}
    assert set(by_code) == {"bad-certificate", "file-unreadable", "bad-password-file", "no-effect"}
    for one, code in zip(found[1:], ("bad-certificate", "bad-password-file")):
        there, = one["diagnostics"]
        here = by_code[code]
        assert (there["code"], there["message"], there["severity"]) == (code, here["message"], here["severity"])
        assert there["relatedInformation"][0]["location"] == {"uri": found[0]["uri"], "range": here["range"]}
        assert here["relatedInformation"][0]["location"] == {"uri": one["uri"], "range": there["range"]}
    assert "relatedInformation" not in by_code["file-unreadable"]
    assert covered(path, by_code["bad-certificate"]["range"]).strip("\"'") == os.path.join("odd name%.pem")


def test_uri(tmp_path, monkeypatch):
    """An editor's name of a file: absolute, no "." and "..", links as they are, other bytes in hexadecimal."""
    folder = tmp_path / "ä b"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    (folder / "p#?.yaml").write_text("x\n")
    monkeypatch.chdir(tmp_path)
    for path in ("ä b/p#?.yaml", "./ä b//./p#?.yaml", "nothing/../ä b/p#?.yaml", folder / "p#?.yaml"):
        if not os.path.exists(path):
            assert documents(path)[1][0]["diagnostics"][0]["code"] == "policy-unreadable"
        assert documents(path)[1][0]["uri"] == f"file://{urllib.parse.quote(str(tmp_path))}/%C3%A4%20b/p%23%3F.yaml"
    assert documents("link/p#?.yaml")[1][0]["uri"].endswith("/link/p%23%3F.yaml")


@pytest.mark.parametrize("text, want", [
    (b"", (0, 0)),
    (b"\xef\xbb\xbfdaemon: { wrokers: 1 }\n", (0, 10)),
    ("daemon: { user: \"é😀\", wrokers: 1 }\n".encode(), (0, 23)),
    ("# a\u2028# b\x85# c\r\ndaemon: { wrokers: 1 }\r\n".encode(), (1, 10)),
    (b"# a\rdaemon: { wrokers: 1 }\r", (1, 10)),
    (b"daemon: { \xff: 1 }\n", (0, 10)),
    (b"daemon: [\n\n\n", (3, 0)),
])
def test_positions(tmp_path, text, want):
    path = tmp_path / "policy.yaml"
    path.write_bytes(text)
    found = compare(path)
    at = [item["range"]["start"] for item in found if item["code"] in ("unknown-key", "policy-empty", "not-utf8", "yaml-syntax")]
    assert [(one["line"], one["character"]) for one in at] == [want]


def test_more_than_it_keeps(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\ndaemon: { " + ", ".join(f"nothing{i}: 1" for i in range(150)) + " }\n")
    last = compare(path)[-1]
    assert last["code"] == "more-errors" and int(last["message"].split()[0]) > 50


def test_each_code_is_used_and_documented():
    """The compiler sees that each message has a code; here is the other direction, and the manual."""
    codes = defined()
    with open(DEFINED, encoding="utf-8") as file:
        assert len(codes) == file.read().count("DIAG_CODE(") - 1  # the comment at the top has one
    assert len({name for _, name, _ in codes}) == len({meaning for *_, meaning in codes}) == len(codes)
    text = ""
    for path in glob.glob(os.path.join(net.ROOT, "policy", "*.c")) + glob.glob(os.path.join(net.ROOT, "gateway", "*", "*.c")):
        with open(path, encoding="utf-8") as file:
            text += file.read()
    for code, name, _ in codes:
        assert name == code.lower().replace("_", "-")
        assert re.search(rf"\bDIAG_{code}\b", text), f"{code}: nothing uses it"
    with open(PAGE, encoding="utf-8") as file:
        assert re.findall(r"^\| `([-\w]+)` \| (.*) \|$", file.read(), re.M) == [(name, meaning) for _, name, meaning in codes]


def page_block(kind, has):
    with open(PAGE, encoding="utf-8") as file:
        found = [block for block in re.findall(rf"^```{kind}\n(.*?)^```$", file.read(), re.M | re.S) if has in block]
    assert len(found) == 1
    return found[0]


def test_pattern_of_vs_code(known):
    """The expression of the page finds each message with a place, and nothing else."""
    matcher = json.loads(page_block("json", "problemMatcher"))["tasks"][0]["problemMatcher"]
    pattern = matcher["pattern"]
    for path, items in list(known.items())[::10]:
        found = [match for line in run("-f", path).stderr.decode("utf-8", "replace").splitlines()
                 if (match := re.match(pattern["regexp"], line))]
        got = [(LEVELS[match[pattern["severity"]]], match[pattern["message"]]) for match in found]
        places = [(int(match[pattern["line"]]), int(match[pattern["column"]])) for match in found]
        want = [item for item in items if (item["severity"], item["message"]) in got]
        assert places == [as_lines_of_yaml(path, item["range"]) for item in want] and len(items) - len(want) <= 1
        assert {match[pattern["file"]] for match in found} <= {str(path)}


@pytest.mark.skipif(shutil.which("vim") is None, reason="no vim")
def test_lines_of_vim(known, tmp_path):
    """:make with the two lines of the page fills Vim's list."""
    if b"+quickfix" not in subprocess.run(["vim", "--version"], capture_output=True, check=True).stdout:
        pytest.skip("this vim has no list of errors")
    out = tmp_path / "list"
    for path in list(known)[::40]:
        script = tmp_path / "script.vim"
        script.write_text(f"silent edit {path}\n" + page_block("vim", "makeprg").replace("=attlsctl", f"={net.ATTLSCTL}")
                          + "silent make!\ncall writefile([json_encode(map(getqflist(), {_, v -> [bufname(v.bufnr), "
                          "v.lnum, v.col, v.type, v.text]}))], '" + str(out) + "')\nqa!\n")
        subprocess.run(["vim", "-es", "-N", "-u", "NONE", "-i", "NONE", "-S", script], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=net.DEADLINE)
        found = json.loads(out.read_text(encoding="utf-8"))
        letter = {"": 1, "w": 2, "n": 3}
        assert [(line, column, letter[kind], text) for _, line, column, kind, text in found] == \
            [one for one in as_text(path, run("-f", path).stderr) if one[0] > 0]
        assert {name for name, *_ in found} <= {str(path)}
