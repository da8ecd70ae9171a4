"""A host of its own in network namespaces, on which programs run; every packet that leaves it is read off its wire.

    near: the programs, a fake Ollama on loopback           far: every other address there is
    v0 192.0.2.2, fd00::2  ------------------- a veth pair ------------------- v1 192.0.2.1, fd00::1

The far side refuses whatever comes, so that nobody waits for an answer. Needs Linux, iproute2 and util-linux, no root.
"""

from __future__ import annotations

import ipaddress
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support_servers import NEVER_LONGER_S, FakeServer, json_reply, ollama_script

FAR = "192.0.2.1"
"""The name server, the gateway and the proxy of such a host."""

_TAGS = json_reply({"models": [{"name": "tiny:1b", "size": 1_000_000_000, "details": {"family": "llama"}}]})
_FAR6 = "fd00::1"
_CABLE = "link add v0 address 02:00:00:00:00:02 type veth peer name v1 address 02:00:00:00:00:01"
# Everything has one known neighbour, the far side: no packet waits until somebody answers who has its address.
_NEAR_SIDE = f"""\
link set lo up
link set v0 addrgenmode none
address add 192.0.2.2/32 dev v0
address add fd00::2/128 dev v0 nodad
neighbour add {FAR} lladdr 02:00:00:00:00:01 dev v0 nud permanent
neighbour add {_FAR6} lladdr 02:00:00:00:00:01 dev v0 nud permanent
link set v0 up
route add 0.0.0.0/0 via {FAR} dev v0 onlink
route add ::/0 via {_FAR6} dev v0 onlink
"""
# `local` in the table main: all the world is here, but for the near side's address, to which the refusals go.
_FAR_SIDE = f"""\
link set lo up
link set v1 addrgenmode none
address add {FAR}/32 dev v1
address add {_FAR6}/128 dev v1 nodad
neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev v1 nud permanent
neighbour add fd00::2 lladdr 02:00:00:00:00:02 dev v1 nud permanent
link set v1 up
route add 192.0.2.2 dev v1
route add fd00::2 dev v1
route add local 0.0.0.0/0 dev lo table main
route add local ::/0 dev lo table main
"""
_FILES = {
    "/etc/resolv.conf": f"nameserver {FAR}\nsearch .\noptions timeout:1 attempts:1\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
"""Names are asked for over the wire, and from no service of the real machine."""
_NAME_CACHE = Path("/run/nscd")

_FAR_HOST = ("unshare", "--net", "sh", "-c", "echo; exec cat")
_UNSHARE = ("unshare", "--user", "--map-root-user", "--net", "--mount")
_ENVIRONMENT = {"PATH": os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))}
_ROOT = Path(__file__).parents[1]
_MARKER = b"a packet of the test host itself"
_ETH_P_ALL, _ETH_P_IP, _ETH_P_IPV6 = 0x0003, 0x0800, 0x86DD
_NAMES = {6: "tcp", 17: "udp"}
_DNS_HEADERS = 8 + 12
"""Bytes: UDP's and DNS's own."""
_OF_THE_KERNEL = "protocol 0 ff02::16"
"""It reports by itself which multicast addresses IPv6 listens to (RFC 3810, section 5.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A running host. `ollama` is the URL of the fake Ollama on its loopback, which knows the model `tiny:1b`."""

    process: subprocess.Popen[str]
    ollama: str

    def command(self, program: Path, *arguments: str) -> list[str]:
        """What to start so that the program runs on this host."""
        entered = ("nsenter", "--target", str(self.process.pid), "--user", "--preserve-credentials", "--net", "--mount")
        return [*entered, str(program), *arguments]

    def sent(self) -> list[str]:
        """Every IP packet that left the host until now, in order; ends the host. As `in_words` writes them."""
        printed, _ = self.process.communicate(timeout=NEVER_LONGER_S)
        assert self.process.returncode == 0
        packets: list[str] = json.loads(printed)
        return packets


@contextmanager
def host_of_its_own() -> Generator[Host]:
    """Skips the test where the machine does not let one be had, which is found out by trying."""
    if (reason := _why_not()) is not None:
        pytest.skip(f"no network namespaces here: {reason}")
    process = subprocess.Popen(
        [*_UNSHARE, sys.executable, "-m", "tests.support_hosts"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=_ROOT, env=_ENVIRONMENT, text=True,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None
            ollama = process.stdout.readline().strip()
            assert ollama, "the host did not come up: standard error says why"
            yield Host(process=process, ollama=ollama)
        finally:
            process.kill()


def _why_not() -> str | None:
    steps = (f"ip {_CABLE}", "ip address add fd00::2 dev v0", "mount --bind /etc/passwd /etc/passwd", "nsenter -V")
    try:
        done = subprocess.run(
            [*_UNSHARE, "sh", "-c", " && ".join(steps)], env=_ENVIRONMENT, capture_output=True, text=True,
            timeout=NEVER_LONGER_S, check=False,
        )  # fmt: skip
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return None if done.returncode == 0 else done.stderr.strip()


def in_words(packet: bytes) -> str:
    """As in "tcp 192.168.77.7 8000"; a question for a name with it, as in "udp 192.0.2.1 53 api.openai.com"."""
    if packet[0] >> 4 == 4:
        protocol, far, rest = packet[9], ipaddress.IPv4Address(packet[16:20]), packet[(packet[0] & 0x0F) * 4 :]
    else:
        protocol, far, rest = packet[6], ipaddress.IPv6Address(packet[24:40]), packet[40:]
    if protocol not in _NAMES:
        return f"protocol {protocol} {far}"
    port = int.from_bytes(rest[2:4], "big")
    asked = [_name(rest[_DNS_HEADERS:])] if (protocol, port) == (17, 53) else []
    return " ".join([_NAMES[protocol], str(far), str(port), *asked])


def _name(question: bytes) -> str:
    labels: list[str] = []
    while length := question[0]:
        labels.append(question[1 : 1 + length].decode("ascii", "replace"))
        question = question[1 + length :]
    return ".".join(labels)


def _be_a_host() -> None:
    """Print the URL of Ollama when all is up; when standard input ends, print what was sent."""
    assert sys.platform == "linux"
    with (
        TemporaryDirectory() as files,
        subprocess.Popen(_FAR_HOST, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as far,
        FakeServer(ollama_script(tags=_TAGS)) as ollama,
    ):
        assert far.stdout is not None
        far.stdout.readline()
        _lay_the_cable(far.pid)
        _see_only(Path(files))
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL)) as wire:
            wire.bind(("v0", _ETH_P_ALL))
            _read_up_to_the_markers(wire)
            print(ollama.url, flush=True)  # noqa: T201 - it is told so
            packets = _read_until_told(wire)
        print(json.dumps(packets))  # noqa: T201


def _lay_the_cable(far: int) -> None:
    """The far side comes up first: a cable with an open end swallows packets."""
    _ip(f"{_CABLE} netns {far}\n")
    _ip(_FAR_SIDE, "nsenter", "--target", str(far), "--net")
    _ip(_NEAR_SIDE)


def _ip(batch: str, *entered: str) -> None:
    subprocess.run([*entered, "ip", "-batch", "-"], input=batch, text=True, check=True)


def _see_only(files: Path) -> None:
    for path, text in _FILES.items():
        if Path(path).exists():
            (file := files / Path(path).name).write_text(text, "utf-8")
            subprocess.run(["mount", "--bind", str(file), path], check=True)  # noqa: S607 - wherever it lies
    if _NAME_CACHE.is_dir():
        subprocess.run(["mount", "-t", "tmpfs", "none", str(_NAME_CACHE)], check=True)  # noqa: S607


def _read_until_told(wire: socket.socket) -> list[str]:
    """What leaves until standard input ends."""
    packets: list[str] = []
    while True:
        readable, _, _ = select.select([sys.stdin, wire], [], [])
        if wire in readable:
            packets += _left(wire)
        elif sys.stdin in readable:
            return packets + _read_up_to_the_markers(wire)


def _read_up_to_the_markers(wire: socket.socket) -> list[str]:
    """What left before now: two packets of our own, one of each IP, are sent, and everything before them is read.

    Raises:
        TimeoutError: they are not seen, so nothing would be.
    """
    for family, far in ((socket.AF_INET, FAR), (socket.AF_INET6, _FAR6)):
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            sender.sendto(_MARKER, (far, 9))
    packets: list[str] = []
    markers = 0
    wire.settimeout(NEVER_LONGER_S)
    while markers < 2:
        for packet in _left(wire):
            if packet == "marker":
                markers += 1
            else:
                packets.append(packet)
    return packets


def _left(wire: socket.socket) -> list[str]:
    """The next packet in words, if it is an outgoing one of IP, and not the kernel's own."""
    assert sys.platform == "linux"
    packet, (_, protocol, direction, *_) = wire.recvfrom(65_536)
    if direction != socket.PACKET_OUTGOING or protocol not in {_ETH_P_IP, _ETH_P_IPV6}:
        return []
    words = "marker" if packet.endswith(_MARKER) else in_words(packet)
    return [] if words == _OF_THE_KERNEL else [words]


if __name__ == "__main__":
    _be_a_host()
