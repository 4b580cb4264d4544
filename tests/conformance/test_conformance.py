"""Play every case of every table against the real program, over real sockets and real TLS (see dialogue.py)."""
import os
import tempfile

import pytest

import dialogue
import net

CASES = [case for path in dialogue.tables() for case in dialogue.read_table(path)]


@pytest.fixture(scope="module")
def pool(certificates):
    with tempfile.TemporaryDirectory(prefix="attlsd-conformance-") as folder:
        os.chmod(folder, 0o755)
        pool = dialogue.Pool(certificates, folder)
        yield pool
        pool.stop()


def parameter(case):
    return pytest.param(case, id=repr(case), marks=[pytest.mark.xfail(reason=case.missing)] if case.missing else [])


@pytest.mark.parametrize("case", map(parameter, CASES))
def test_case(pool, case):
    if ":" in case.policy.get("listen", "") + case.policy.get("server", "") and not net.have_ipv6():
        pytest.skip("no IPv6 on this machine")
    key, (gateway, server) = pool.get(case.policy, case.own)
    fine = False
    try:
        gateway.ready()
        dialogue.Player(gateway, server, case, pool).play()
        fine = True
    finally:
        if not fine or case.own:
            pool.drop(key)


def test_names_are_unique():
    names = [repr(case) for case in CASES]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
