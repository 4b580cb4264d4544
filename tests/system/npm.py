"""npm packages that the tests use, unpacked under build/. npm runs none of their scripts."""
import functools
import os
import shutil
import subprocess

import servers


class Unavailable(servers.Unavailable):
    """This machine cannot have the package; the text says why."""


@functools.cache
def fetched(name, version):
    """Fetch the package, once; returns (its folder, None) or (None, why not)."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None, f"{name} needs node and npm"
    folder = os.path.join(servers.STORE, f"{name}-{version}")
    package = os.path.join(folder, "node_modules", name)
    if not os.path.exists(os.path.join(package, "package.json")):
        os.makedirs(folder, exist_ok=True)
        try:
            done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0",
                                   "--prefix", folder, f"{name}@{version}"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return None, f"{name} could not be fetched: npm took too long"
        if done.returncode:
            return None, f"{name} could not be fetched: {(done.stderr.strip().splitlines() or ['no output'])[-1]}"
    return package, None


def package(name, version):
    """The folder of the package; raises Unavailable."""
    folder, why_not = fetched(name, version)
    if why_not:
        raise Unavailable(why_not)
    return folder
