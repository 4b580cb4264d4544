"""docs/policy.schema.json and docs/node.schema.json: each is what the tables and the manual page say, and never refuses what attlsd accepts."""
import functools
import glob
import json
import os
import random
import re
import subprocess
import textwrap
import time

import jsonschema
import pytest
import yaml

import net

SCHEMA = os.path.join(net.ROOT, "docs", "policy.schema.json")
NODE_SCHEMA = os.path.join(net.ROOT, "docs", "node.schema.json")


class Yaml12(yaml.SafeLoader):
    """The core schema of YAML 1.2, which editors use; PyYAML's own is that of 1.1, in which off is a boolean."""
    yaml_implicit_resolvers = {}


for kind, first, pattern in (
        ("bool", "tTfF", "true|True|TRUE|false|False|FALSE"),
        ("int", "-+0123456789", "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
        ("float", "-+.0123456789", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.nan"),
        ("null", ["~", "n", "N", ""], "~|null|Null|NULL|")):
    Yaml12.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(f"^(?:{pattern})$"), list(first))
Yaml12.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value, 0)
                       if node.value[:2] in ("0x", "0o") else int(node.value))
Yaml12.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value.replace(".inf", "inf")))


def as_json(value):
    """Keys as an editor sees them: text."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json.dumps(key): as_json(one) for key, one in value.items()}
    return [as_json(one) for one in value] if isinstance(value, list) else value


def load(text):
    return as_json(yaml.load(text, Yaml12))


def schema_in(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@pytest.fixture(scope="module")
def schema():
    return schema_in(SCHEMA)


@pytest.fixture(scope="module")
def validator(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path, options", [(SCHEMA, []), (NODE_SCHEMA, ["node"])], ids=["policy", "node"])
def test_made_from_the_tables(path, options):
    """After a change of a table or of attlsd.yaml.5: attlsctl schema > docs/policy.schema.json, attlsctl schema node > docs/node.schema.json"""
    made = subprocess.run([net.ATTLSCTL, "schema", *options], capture_output=True, check=True, timeout=net.DEADLINE).stdout
    with open(path, "rb") as file:
        assert file.read() == made


def tables(schema, at=""):
    """Every mapping of the schema, and its path."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield at, schema
        for key, value in schema.items():
            yield from tables(value, f"{at}/{key}")
    elif isinstance(schema, list):
        for value in schema:
            yield from tables(value, at)


@pytest.mark.parametrize("path, least", [(SCHEMA, 13), (NODE_SCHEMA, 6)], ids=["policy", "node"])
def test_every_key_is_described(path, least):
    found = list(tables(schema_in(path)))
    assert len(found) >= least
    for at, table in found:
        assert table["additionalProperties"] is False, at
        for key, value in table["properties"].items():
            text = value.get("description", "")
            assert text, f"{at}: {key}"
            assert not re.search(r"\\|(^|\s)\.?(Ic|Cm|Ar|Xr|Pq|Ns|Li|Pp|No)\b", text), text


def documented():
    for path in glob.glob(os.path.join(net.ROOT, "contrib", "policy.*.yaml")):
        with open(path, encoding="utf-8") as file:
            yield path, file.read()
    for path in ("README.md", "docs/ATTLS.md", "docs/OUTBOUND.md", "docs/man/attlsd.8", "docs/man/attlsd.yaml.5"):
        with open(os.path.join(net.ROOT, path), encoding="utf-8") as file:
            text = file.read().replace("\\(dq", '"').replace("\\&", "")
        for start in re.finditer(r"^( *)version: 1\n", text, re.M):
            lines = []
            for line in text[start.start():].split("\n"):
                if line.strip() and (not line.startswith(start[1]) or line.startswith(("```", ".Ed"))):
                    break
                lines.append(line)
            yield path, textwrap.dedent("\n".join(lines))


def test_documented_policies_are_valid(validator):
    found = list(documented())
    assert len(found) >= 10
    for path, text in found:
        faults = [fault.message for fault in validator.iter_errors(load(text))]
        assert not faults, (path, text, faults)


def test_policies_of_the_unit_tests(validator, tmp_path):
    """All that attlsd accepts are valid, and most of what it refuses is not."""
    for test in glob.glob(os.path.join(net.BUILD, "tests", "unit", "policy", "*_test")):
        subprocess.run([test], cwd=net.ROOT, env={**os.environ, "KEEP_POLICIES": str(tmp_path)}, capture_output=True,
                       check=True, timeout=net.LIMIT)
    counts = {"good": [0, 0], "bad": [0, 0]}
    for path in sorted(tmp_path.iterdir()):
        if path.stat().st_size > 16384:  # a limit of the parser, which takes PyYAML seconds
            continue
        verdict = path.suffix[1:]
        try:
            value = load(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, yaml.YAMLError, RecursionError):
            assert verdict == "bad" or "\t" in path.read_text(encoding="utf-8"), path.read_text(encoding="utf-8")
            continue
        faults = [fault.message for fault in validator.iter_errors(value)]
        counts[verdict][bool(faults)] += 1
        assert verdict == "bad" or not faults, (path.read_text(encoding="utf-8"), faults)
    print(counts)
    assert counts["good"][0] > 150
    assert counts["bad"][1] >= 0.4 * sum(counts["bad"]), counts  # the others need more than one key, or a file


def example_of_the_page():
    with open(os.path.join(net.ROOT, "docs", "man", "attlsd.yaml.5"), encoding="utf-8") as file:
        return re.search(r"^\.Sh THE FILE OF A NODE\n.*?^\.Bd .*?\n(.*?)^\.Ed", file.read(), re.M | re.S)[1]


def shipped_nodes():
    for path in sorted(glob.glob(os.path.join(net.ROOT, "contrib", "fleet", "node*.yaml"))):
        with open(path, encoding="utf-8") as file:
            yield file.read()


def node_refused(text, folder):
    """What attlsctl check says about the file of a node, beside a policy with the objects of BASE."""
    policy, own = folder / "policy.yaml", folder / "node.yaml"
    policy.write_text("".join(f"{key}: {value}\n" for key, value in BASE.items()), encoding="utf-8")
    own.write_text(text, encoding="utf-8")
    done = subprocess.run([net.ATTLSCTL, "check", "-f", policy, "-N", own, "--json"], capture_output=True, text=True,
                          timeout=net.DEADLINE)
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    said, = [one["diagnostics"] for one in documents if one["uri"].endswith("/node.yaml")]
    return [one["message"] for one in said if one["severity"] == 1]


def node_faults(text):
    schema = schema_in(NODE_SCHEMA)
    jsonschema.Draft202012Validator.check_schema(schema)
    return [fault.message for fault in jsonschema.Draft202012Validator(schema).iter_errors(load(text))]


def test_files_of_nodes_are_valid(tmp_path):
    shipped = list(shipped_nodes())
    assert len(shipped) >= 2
    for text in (*shipped, example_of_the_page(), "", "daemon:\n", "daemon: {}\nftp_actions: { standard: }\nlisteners: {}\nnat:\n",
                 "nat: { advertise: [ { address: 192.0.2.1, to: 10.0.0.0/8 }, 192.0.2.2 ] }\n",
                 "nat: { advertise_ports: 61000-61009 }\nftp_actions: { standard: { passivedataports: 50000-50009 } }\n"):
        assert not node_refused(text, tmp_path), text
        assert not node_faults(text), text


@pytest.mark.parametrize("text", [
    "version: 1\n", "daemon: { node: a, user: root }\n", "nat: { conntrack: expect }\n", "tls_actions: { server: { keyring: ftpd } }\n",
    "ftp_actions: { standard: { fwfriendly: true } }\n", "listeners: { explicit: { tls: none } }\n", "daemon: edge-1\n", "- daemon\n",
    "daemon: { node: a b }\n", "ftp_actions: { standard: { passivedataports: 80-90 } }\n", "nat: { advertise: [ { to: 10.0.0.0/8 } ] }\n"])
def test_what_a_node_may_not_have(text, tmp_path):
    assert node_refused(text, tmp_path) and node_faults(text)


# Values of every type, and what is near to them.
TEXTS = """
0 1 -1 2 20 21 65535 65536 007 1.5 1e3 0x1f 0o17 +5 10.0 999999999999999999999
true false TRUE fAlSe yes no on off null ~ none auto NONE
5s 5S 5m 1h 2d 500ms 1500ms 60000ms 100ms 99ms 0s 0ms 05s 5.5s 5sec 86400s 86401s 24h 25h 30
a_name a.b-c _ - -- .a a. name-of-thirty-two-characters-abc name-of-thirty-three-characters-abcd a/b a:b é
10.0.0.1 10.0.0.1:21 10.0.0.1:0 10.0.0.1:65536 10.0.0.01 10.0.0.256 10.0.0 0.0.0.0 0.0.0.0:21 10.0.0.1:021
10.0.0.0/8 10.0.0.1/8 10.0.0.0/33 10.0.0.0/08 2001:db8::/32 2001:db8::/129 ::/0 ::ffff:10.0.0.1 ::ffff:0:0/96
::1 [::1]:21 [::1] [::]:21 ::1:21 fe80::1%eth0 [10.0.0.1]:21 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:8:9 ::g
host host.example host.example:21 host.example:0 host. .host ho..st -host host- ho_st host:21:22 1e3:21 5.a
original Original:990 original:0 original: ORIGINAL gateway client interface:eth0 INTERFACE:eth0 interface:
50000-50100 50100-50000 (50000,50100) 50000 50000-50100-3 1000-2000 1-65535 0-5 (50000-50100)
/a/path relative/path *AUTH*/* /run/s.sock inet
DELE dele SITE SITEX SIZE12345678901234 SIZE123456789012345 D-LE
ECDHE-RSA-AES128-GCM-SHA256 ecdhe-rsa-aes128-gcm-sha256 TLS_AES_128_GCM_SHA256 tls_aes_128_gcm_sha256 C02B c02b 0035
35 1301 002F 2F RC4-MD5 3DES SSL_AES_128_SHA ALL HIGH NULL-SHA256
x25519 X25519 P-256 prime256v1 secp192r1 0023 0019 23 X25519MLKEM768 rsa_pss_rsae_sha256 RSA-PSS+SHA256 0804 080a 0201
tls1.2 TLS1.3 tls1.1 sslv3 legacy standard everyone explicit server ftpd
""".split() + ["SITE EXEC", "site chmod", "SITE  EXEC", "SITE EXEC NOW", " 5", "5 ", "( 50000 , 50100 )",
               "50000 - 50100", "", "inet attlsd data", "CN=user, O=Partner", "10.0.0.0/8, ::1", "ab" * 32, "ab:" * 31 + "ab",
               "ab" * 31, "ab:" * 32, "A" * 127, "A" * 128, "/" + "s" * 106, "/" + "s" * 107, "h" * 64, "a." * 126 + "b",
               "12" * 32]

# What else an object needs, and how to reach keys that are deeper.
NEEDED = {
    "keyrings": {}, "tls_actions": {"keyring": "ftpd"}, "ftp_actions": {}, "users": {},
    "backends": {"address": "127.0.0.1:2021"}, "listeners": {"address": "127.0.0.1:%d"},
    "rules": {"tls": "server", "ftp": "standard", "backend": "legacy"},
}
BASE = {
    "version": "1", "keyrings": "{ ftpd: { certificates: [ { chain: a.pem, key: a.key } ] } }",
    "tls_actions": "{ server: { keyring: ftpd } }", "ftp_actions": "{ standard: {} }",
    "backends": "{ legacy: { address: 127.0.0.1:2021 } }", "listeners": "{ explicit: { address: 127.0.0.1:2121 } }",
    "rules": "{ everyone: { tls: server, ftp: standard, backend: legacy } }",
}
BATCH = 90  # attlsctl shows 100 faults
FORMS = 150  # of each key in a run, of about 500
FORMS_ALONE = 10  # of a key that a policy has only once

def cases(field):
    """Texts for a field: those of every type, its own words in other cases, and what is near its limits."""
    found = list(TEXTS)
    for part in [field, *field.get("anyOf", []), *[p.get("items", {}) for p in field.get("anyOf", [])]]:
        for word in part.get("enum", []):
            found += [str(word), str(word).upper(), str(word).swapcase() + "x"]
        for limit in (part.get("minimum"), part.get("maximum")):
            if limit is not None:
                found += [f"{limit + step}{unit}" for step in (-1, 0, 1) for unit in ("", "s", "ms", "m", "h")]
    return list(dict.fromkeys(found))


@functools.cache
def written(text):
    """How a policy may write a text: plain, quoted, in a list."""
    quoted = json.dumps(text, ensure_ascii=False)
    found = []
    for form in (text, quoted, f"[ {quoted} ]"):
        try:
            value = load(f"key: {form}\n")
        except (yaml.YAMLError, ValueError):
            continue
        if isinstance(value, dict) and list(value) == ["key"]:
            found.append((form, value["key"]))
    return found


def fields_of(schema, path=()):
    """Every key with a value, its path, and its schema; [] and {} in a path are lists and names."""
    for key, field in schema["properties"].items():
        here = (*path, key)
        tables_here = [field] if "properties" in field else []
        named = list(field.get("patternProperties", {}).values())
        items = [i for part in [field, *field.get("anyOf", [])] if part.get("type") == "array"
                 for i in [part["items"], *part["items"].get("anyOf", [])] if "properties" in i]
        for table in tables_here:
            yield from fields_of(table, here)
        for table in named:
            yield from fields_of(table, (*here, "{}"))
        for table in items:
            yield from fields_of(table, (*here, "[]"))
        if not named and not tables_here and (not items or "anyOf" in field):
            yield here, field


SIBLINGS = {"per_user": {"users": "[ a ]"}, "access": {"path": "/a"}, "certificates": {"chain": "a.pem", "key": "a.key"}, "advertise": {"address": "192.0.2.1"}}


def block(path, form, indent, lines, siblings):
    """Write one value below its path, in block style. Returns the number of its line."""
    pad = " " * indent
    for key, value in siblings.items():
        if key != path[0]:
            lines.append(f"{pad}{key}: {value}")
    if len(path) == 1:
        lines.append(f"{pad}{path[0]}: {form}")
        return len(lines)
    lines.append(f"{pad}{path[0]}:")
    if path[1] == "[]":
        lines.append(f"{pad}  -")
        others = SIBLINGS.get(path[0], {}) if path[0] != "certificates" or "keyrings" in lines[0] else {}
        return block(path[2:], form, indent + 4, lines, others)
    return block(path[1:], form, indent + 2, lines, {})


def refused(lines, path):
    """The messages of attlsctl check, by line. A policy with a fault has no names to look up, which takes long."""
    path.write_text("\n".join([*lines, "fault: here", ""]), encoding="utf-8")
    done = subprocess.run([net.ATTLSCTL, "check", "-f", path, "--json"], capture_output=True, text=True,
                          timeout=net.DEADLINE)
    found = {}
    for one in json.loads(done.stdout)["diagnostics"]:
        if one["severity"] == 1:
            found.setdefault(one["range"]["start"]["line"] + 1, one["message"])
    return found


def ask(path, forms, file):
    """For each form of a value: what attlsctl check says about it, or None."""
    section = path[0]
    head = [f"{key}: {value}" for key, value in BASE.items() if key != section]
    if "{}" not in path:
        for form in forms:
            lines = [f"# {section}", *head]
            at = block(path, form, 0, lines, {})
            yield refused(lines, file).get(at)
        return
    for start in range(0, len(forms), BATCH):
        lines = [f"# {section}", *head, f"{section}:"]
        base = yaml.safe_load(BASE[section]) if section in BASE else {}
        for name, value in base.items():
            lines.append(f"  {name}: {json.dumps(value)}")
        places = []
        for number, form in enumerate(forms[start:start + BATCH]):
            lines.append(f"  object{number}:")
            needed = {key: value % (3000 + number) if "%" in value else value for key, value in NEEDED[section].items()
                      if (key, path[2]) != ("address", "addresses")}  # one of the two
            places.append(block(path[2:], form, 4, lines, needed))
        found = refused(lines, file)
        yield from (found.get(at) for at in places)


def names_of_yaml(form):
    """The only texts that attlsd takes for names and YAML for something that is none."""
    return re.sub(r"[\[\] ]", "", form) in ("null", "~")


def test_words_in_any_case(schema, tmp_path):
    """A word in capital letters that attlsd accepts is valid, too: each word of each key."""
    asked = 0
    for path, field in fields_of(schema):
        words = {word.upper() for part in [field, *field.get("anyOf", [])] for word in part.get("enum", []) if isinstance(word, str)}
        validator = jsonschema.Draft202012Validator(field)
        forms = sorted(word for word in words if not validator.is_valid(word))
        asked += len(words)
        assert not [form for form, said in zip(forms, ask(path, forms, tmp_path / "policy.yaml")) if said is None], path
    assert asked > 50


def test_every_value(schema, tmp_path):
    """attlsctl check and the schema agree on each value of each key, as far as a schema can know."""
    wrong = []
    beyond = both = 0
    fields = list(fields_of(schema))
    seed = int(os.environ.get("SCHEMA_SEED", time.time()))
    choice = random.Random(seed)
    assert len(fields) > 120
    for path, field in fields:
        validator = jsonschema.Draft202012Validator(field)
        forms = [(form, value) for text in cases(field) for form, value in written(text)]
        forms = choice.sample(forms, FORMS if "{}" in path else FORMS_ALONE)
        answers = ask(path, [form for form, _ in forms], tmp_path / "policy.yaml")
        for (form, value), message in zip(forms, answers):
            valid = validator.is_valid(value)
            both += valid == (message is None)
            if message is None and not valid and not names_of_yaml(form):
                wrong.append((path, form, "attlsd accepts it, the schema does not"))
            elif message is not None and valid:
                beyond += 1
                if os.environ.get("SHOW_BEYOND"):
                    print("/".join(path), form, message)
    print(f"{both} agree, {beyond} only attlsd refuses")
    assert not wrong, f"SCHEMA_SEED={seed}: {len(wrong)}: {wrong[:40]}"
    assert beyond < 0.15 * both
