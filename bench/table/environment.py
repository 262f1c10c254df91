"""What a result needs to be understood later: machine, versions, build, load, congestion control."""

import os
import pathlib
import platform
import re
import subprocess
from dataclasses import dataclass

from table.paths import DEFAULT_BIN, REPOSITORY

QUIET_LOAD = 0.5  # load average above which a result says that the machine was not quiet


@dataclass
class Environment:
    machine: str
    load_before: float
    ringcast: str
    peers: dict  # version by name

    @property
    def noise(self):
        return ": other work shared the cores, so these figures are rough" if self.load_before > QUIET_LOAD else ""


def _output(*command):
    try:
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _revision(binaries):
    if pathlib.Path(binaries) != DEFAULT_BIN:
        return ""  # who knows what it was built from
    commit = _output("git", "rev-parse", "--short=12", "HEAD")
    if not commit:
        return ""
    # What the benchmark writes itself is no difference of what it measured.
    changed = _output("git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/*.md", ":!bench/plots")
    return f" (commit {commit}{', with changes' if changed else ''})"


def look_around(binaries, peers):
    kernel = re.match(r"[\d.]*\d", platform.release())[0]
    distribution = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    machine = f"{os.cpu_count()} cores, {_cpu_model()}, Linux {kernel}, {distribution}"
    ringcast = _output(f"{binaries}/bin/ringcast", "--version") + _revision(binaries)
    return Environment(machine, os.getloadavg()[0], ringcast, {peer.name: peer.version() for peer in peers})
