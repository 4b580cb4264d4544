"""An upgrade with many workers: several of them are ready at the same moment."""
import os

import pytest

import net
from test_operator import ctl, run


@pytest.fixture
def crowded(launch, backend, folder):
    return launch(backend, ftp={"secure_dataconn": "clear"}, daemon={"workers": 24, "control_socket": os.path.join(folder, "control.sock")})


def test_workers_that_are_ready_at_once_do_not_end_the_new_attlsd(crowded):
    """The monitor learns of the last two together, and must wait for the old attlsd once."""
    for _ in range(3):
        done = run("upgrade", "-f", crowded.path)
        assert done.returncode == 0 and "serves; " in done.stdout, done
    assert "serves" in ctl(crowded, "status")
