"""No connection but to this machine, and no question to DNS: an audit hook, which no thread and no library gets around.

The tests install it for themselves. Python loads this file by its name in every program that a test starts with this
folder in PYTHONPATH; what such a program does wrong is written into a file that the tests read.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Any

OFFENCES_FILE = "HYBRID_MCP_TEST_OFFENCES"
"""The variable that names the file into which a started program writes its offences."""

seen: list[str] = []
"""Every connection and every name asked for, allowed ones too."""
offences: list[str] = []
"""Those that lead away from this machine."""

_FAMILY_UNIX = 1
_ADDRESS_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_NAME_EVENTS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"})


class NetworkUsed(OSError):
    """A test, or the program it runs, wanted to leave this machine. Looks like any network that is down."""


def install() -> None:
    """From now on until the process ends."""
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _ADDRESS_EVENTS:
        _judge(event, _target(*arguments[:2]), may_be_literal=False)
    elif event in _NAME_EVENTS:
        host: Any = arguments[0]  # in one of these events an address with its port
        _judge(event, host[0] if event == "socket.getnameinfo" else host, may_be_literal=event == "socket.getaddrinfo")


def _target(socket: Any, address: Any) -> object:
    """The host of an internet address; None for a unix socket, or where it was connected before."""
    if socket.family == _FAMILY_UNIX or address is None:
        return None
    host: object = address[0]
    return host


def _judge(event: str, host: object, *, may_be_literal: bool) -> None:
    """`may_be_literal`: writing out an address asks nobody; connecting to it would be seen."""
    if host is None or host in {"", b""}:
        return
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    seen.append(f"{event} {name}")
    if not (is_here(name) or (may_be_literal and _address(name))):
        _report(f"{event} {name}")


def is_here(name: str) -> bool:
    """Whether a host is this machine by its very name."""
    address = _address(name)
    return name.lower().removesuffix(".") == "localhost" if address is None else address.is_loopback


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _report(offence: str) -> None:
    offences.append(offence)
    if file := os.environ.get(OFFENCES_FILE):
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(f"{offence} in {' '.join(sys.orig_argv)[:200]}\n")
    raise NetworkUsed(f"{offence}: the tests use nothing but this machine")


def _is_pip() -> bool:
    """The model of the tests comes through pip, which has to reach the package index."""
    return "pip" in sys.orig_argv[1:4]


if __name__ == "sitecustomize" and not _is_pip():
    install()
