"""What each layer of a strategy's process denies by itself, tried in a process that has that layer alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.runtime.strategy_host import sandbox
from core.runtime.strategy_host.process import WITH_BUBBLEWRAP, left_open
from core.runtime.strategy_host.sandbox import CALLS, LIMITS, NAMESPACES, ROOT_OF_ITS_OWN
from tests.kit.rows import table

TRIES = """
import ctypes, json, mmap, os, socket, sys, threading
sys.path.insert(0, sys.argv[1])
from core.runtime.strategy_host import sandbox

victim, other = sys.argv[3], int(sys.argv[4])


def thread():
    threading.Thread(target=print).start()


def fork():
    if os.fork() == 0:
        os._exit(0)


def reach_out():
    found = socket.socket()
    found.connect(("127.0.0.1", int(sys.argv[5])))


ways = {
    "read a file": lambda: open(victim).read(),
    "write a file": lambda: open(victim, "a").write("x"),
    "remove a file": lambda: os.unlink(victim),
    "reach a network": reach_out,
    "end another program": lambda: os.kill(other, 9),
    "begin a thread": thread,
    "take memory": lambda: mmap.mmap(-1, 1 << 30),
    "begin a process": fork,
}
held = getattr(sandbox, sys.argv[2])()
done = []
for name, way in ways.items():
    try:
        way()
    except (OSError, MemoryError, RuntimeError):
        continue
    done.append(name)
os.write(1, json.dumps([list(held), done]).encode())
os._exit(0)
"""


def tried(layer: str, tmp_path: Path) -> tuple[list[str], set[str]]:
    """Which layers it says that it has, and what went through."""
    import socket

    victim = tmp_path / "victim"
    victim.write_text("keep me")
    with socket.create_server(("127.0.0.1", 0)) as server, subprocess.Popen(["sleep", "600"]) as other:
        port = str(server.getsockname()[1])
        words = [sys.executable, "-c", TRIES, os.getcwd(), layer, str(victim), str(other.pid), port]
        folder = tmp_path / "empty"
        folder.mkdir()
        found = subprocess.run(words, capture_output=True, cwd=folder, check=True)
        other.kill()
    held, done = json.loads(found.stdout)
    return held, set(done)


pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limits alone hold elsewhere")
FILES = {"read a file", "write a file"}


def test_limits_deny_files_sockets_and_memory(tmp_path: Path) -> None:
    """ST-01: what they leave open is named in docs/STRATEGIES.md, where there is nothing else."""
    held, done = tried("_limited", tmp_path)

    assert held == [LIMITS]
    assert done & {*FILES, "reach a network", "take memory"} == set()
    assert {"end another program", "remove a file"} <= done
    assert os.geteuid() == 0 or "begin a process" not in done  # root has no limit of processes


def test_namespaces_deny_files_and_the_network(tmp_path: Path) -> None:
    """ST-01"""
    held, done = tried("_apart", tmp_path)
    if ROOT_OF_ITS_OWN not in held:
        pytest.skip("namespaces are not allowed here")

    assert done & {*FILES, "remove a file"} == set()
    assert NAMESPACES not in held or "reach a network" not in done


@pytest.mark.skipif(os.uname().machine not in sandbox.MACHINES, reason="this machine's calls are not known")
def test_the_call_filter_denies_all_but_memory(tmp_path: Path) -> None:
    """ST-01"""
    held, done = tried("_filtered", tmp_path)

    assert held == [CALLS]
    assert done == {"take memory"}


def test_all_layers_together_leave_nothing(tmp_path: Path) -> None:
    """ST-01"""
    assert tried("confine", tmp_path)[1] == set()


@table(
    "layers words",
    ((LIMITS, CALLS), ()),
    ((LIMITS, WITH_BUBBLEWRAP), ()),
    ((LIMITS, NAMESPACES, ROOT_OF_ITS_OWN), ("it could end other programs of yours",)),
    (
        (),
        (
            "it could end other programs of yours",
            "it could remove or rename files whose names it knows",
            "its memory has no limit",
        ),
    ),
)
def test_what_is_left_open_is_said(layers: tuple[str, ...], words: tuple[str, ...]) -> None:
    """ST-01"""
    assert left_open(layers) == words
