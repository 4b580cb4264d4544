"""The addresses and ports that clients get if they reach the gateway through NAT."""
import pytest

import client as clients
import gateway as gateways
import net
from test_data import free_range

CLEAR = {"secure_dataconn": "clear"}


def from_(gateway, source):
    return clients.Client(gateway.explicit, source=(source, 0)).auth().login().prot("C")


def test_clients_inside_and_outside_are_told_different_addresses(launch, backend):
    gateway = launch(backend, ftp=CLEAR, nat={"advertise": [
        {"to": ["127.0.0.2", "10.0.0.0/8"], "address": "10.1.1.1"}, {"address": "203.0.113.10"}]})
    with from_(gateway, "127.0.0.1") as outside, from_(gateway, "127.0.0.2") as inside:
        assert outside.pasv()[0] == "203.0.113.10"
        assert inside.pasv()[0] == "10.1.1.1"


def test_a_client_in_no_entry_gets_the_address_it_dialled(launch, backend):
    gateway = launch(backend, ftp=CLEAR, nat={"advertise": [{"to": "127.0.0.2", "address": "10.1.1.1"}]})
    with from_(gateway, "127.0.0.1") as c:
        assert c.pasv()[0] == "127.0.0.1"
        assert c.get("hello.txt") == backend.files["hello.txt"]


@pytest.mark.parametrize("where", ["interface:lo", "localhost"])
def test_an_interface_and_a_name_are_looked_up(launch, backend, where):
    gateway = launch(backend, ftp=CLEAR, nat={"advertise": [{"to": "127.0.0.2", "address": "10.1.1.1"}, where]})
    with from_(gateway, "127.0.0.1") as c:
        assert c.pasv()[0] == "127.0.0.1"
        assert c.get("hello.txt") == backend.files["hello.txt"]


@pytest.mark.parametrize("where,fault", [
    ("interface:none0", 'this host has no interface "none0"'),
    ("nowhere.invalid", 'cannot resolve "nowhere.invalid"')])
def test_what_is_not_there_is_a_fault_with_its_place(certificates, folder, where, fault):
    text = gateways.as_yaml(gateways.policy(certificates, ("127.0.0.1", 9), nat={"advertise": [where]}))
    path = folder + "/policy.yaml"
    with open(path, "w") as f:
        f.write(text)
    line = next(i for i, row in enumerate(text.splitlines(), 1) if where in row)
    status, said = gateways.check(path)
    assert status == 1
    assert f"policy.yaml:{line}:" in said and fault in said


def test_a_reload_looks_again(launch, backend, certificates):
    gateway = launch(backend, ftp=CLEAR, nat={"advertise": "203.0.113.10"})
    tree = gateways.policy(certificates, backend.address, ftp=CLEAR, nat={"advertise": "interface:none0"})
    assert not gateway.reload(tree)
    with from_(gateway, "127.0.0.1") as c:
        assert c.pasv()[0] == "203.0.113.10"
    tree["nat"]["advertise"] = "interface:lo"
    assert gateway.reload(tree)
    with from_(gateway, "127.0.0.1") as c:
        assert c.pasv()[0] == "127.0.0.1"


def test_ports_are_told_as_the_nat_maps_them(launch, backend):
    low, high = free_range(20)
    gateway = launch(backend, ftp={**CLEAR, "passivedataports": f"{low}-{high}"},
                     nat={"advertise_ports": f"50000-{50000 + high - low}", "advertise": [
                         {"to": "127.0.0.2", "address": "127.0.0.1", "map_ports": False}, "127.0.0.1"]})
    with from_(gateway, "127.0.0.1") as c:
        for told in [c.pasv()[1] for _ in range(10)] + [c.epsv()[1] for _ in range(10)]:
            assert 50000 <= told <= 50000 + high - low
        data = net.dial(("127.0.0.1", c.epsv()[1] - 50000 + low))  # the part of the NAT
        c.expect("RETR hello.txt", 150)
        assert c.wrap(data).read_all() == backend.files["hello.txt"]
        assert c.reply().code == 226
    with from_(gateway, "127.0.0.2") as c:
        assert low <= c.pasv()[1] <= high


def test_the_server_is_told_the_true_port(launch, make_backend):
    backend = make_backend(files={"x": b"x"}, PASV="502 no", EPSV="502 no")
    low, high = free_range(20)
    gateway = launch(backend, ftp={**CLEAR, "passivedataports": f"{low}-{high}"}, backends={"legacy": {"data": "active"}},
                     nat={"advertise": "203.0.113.10", "advertise_ports": f"50000-{50000 + high - low}"})
    with from_(gateway, "127.0.0.1") as c:
        assert c.get("x", "PORT") == b"x"
    told = [line for line in backend.session().lines if line.startswith(("PORT ", "EPRT "))]
    assert told and "203" not in told[0]
