"""The guard of the test suite itself: it must see what a test or the product does on any way to the network."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Thread

import anyio
import httpx
import httpx2
import pytest

from tests.socket_guard.sitecustomize import NetworkUsed
from tests.support_network import guarded_programs, network_use, offences_expected

pytestmark = pytest.mark.anyio

FAR = "192.0.2.1"
NAME = "far.test"


def connect() -> None:
    with socket.socket() as client:
        client.connect((FAR, 443))


def connect_ex_over_ipv6() -> None:
    with socket.socket(socket.AF_INET6) as client:
        client.connect_ex(("2001:db8::1", 443))


def send_a_datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"x", (FAR, 53))


def from_a_thread() -> None:
    def work() -> None:
        with pytest.raises(NetworkUsed):
            connect()

    thread = Thread(target=work)
    thread.start()
    thread.join()
    raise NetworkUsed("the tests use nothing but this machine")


@pytest.mark.parametrize(
    ("act", "offence"),
    [
        (connect, f"socket.connect {FAR}"),
        (connect_ex_over_ipv6, "socket.connect 2001:db8::1"),
        (lambda: socket.create_connection((FAR, 443)), f"socket.connect {FAR}"),
        (send_a_datagram, f"socket.sendto {FAR}"),
        (from_a_thread, f"socket.connect {FAR}"),
        (lambda: socket.getaddrinfo(NAME, 443), f"socket.getaddrinfo {NAME}"),
        (lambda: socket.gethostbyname(NAME), f"socket.gethostbyname {NAME}"),
        (lambda: socket.getaddrinfo("127.1", 443), "socket.getaddrinfo 127.1"),
        (lambda: urllib.request.urlopen(f"http://{NAME}/"), f"socket.getaddrinfo {NAME}"),
    ],
)
def test_what_leaves_this_machine_is_stopped_and_remembered(act: Callable[[], object], offence: str):
    with offences_expected() as found, pytest.raises(OSError, match="nothing but this machine"):
        act()
    assert found == [offence]


async def _streams() -> object:
    return await asyncio.open_connection(FAR, 443)


async def _sock_connect() -> object:
    with socket.socket() as client:
        client.setblocking(False)
        return await asyncio.get_running_loop().sock_connect(client, (FAR, 443))


async def _name() -> object:
    return await asyncio.get_running_loop().getaddrinfo(NAME, 443)


async def _anyio() -> object:
    return await anyio.connect_tcp(FAR, 443)


async def _httpx() -> object:
    async with httpx.AsyncClient() as client:
        return await client.get(f"https://{FAR}/")


async def _httpx2() -> object:
    async with httpx2.AsyncClient() as client:
        return await client.get(f"https://{FAR}/")


@pytest.mark.parametrize("act", [_streams, _sock_connect, _name, _anyio, _httpx, _httpx2])
async def test_no_asynchronous_way_out_is_missed(act: Callable[[], Awaitable[object]]):
    with offences_expected() as found, pytest.raises((OSError, httpx.ConnectError, httpx2.ConnectError)):
        await act()
    assert found in ([f"socket.connect {FAR}"], [f"socket.getaddrinfo {NAME}"])


async def test_this_machine_is_free_to_use():
    with socket.create_server(("127.0.0.1", 0)) as server, network_use() as seen:
        with socket.create_connection(("localhost", server.getsockname()[1])):
            pass
        near, far = socket.socketpair()
        near.close()
        far.close()
    assert seen[0] == "socket.getaddrinfo localhost"
    assert "socket.connect 127.0.0.1" in seen


@pytest.mark.parametrize("act", [f"connect(('{FAR}', 443))", "connect(('127.0.0.1', {port}))"])
def test_a_started_program_is_guarded_too(tmp_path: Path, act: str):
    offences = tmp_path / "offences"
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.socket().{act.replace('{port}', str(server.getsockname()[1]))}"
        done = subprocess.run(
            [sys.executable, "-c", code], env=guarded_programs(offences), capture_output=True, text=True, check=False
        )
    if FAR in act:
        assert "NetworkUsed" in done.stderr
        assert offences.read_text(encoding="utf-8").startswith(f"socket.connect {FAR} in ")
    else:
        assert (done.returncode, offences.exists()) == (0, False)
