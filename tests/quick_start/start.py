"""What a test starts in the place of the program: hands over what it was started with, and ends as the program ends.

Needs nothing but what Python loads at once, because every start pays for it.
"""

from __future__ import annotations

import marshal
import os
import signal
import socket
import sys

STANDARD = (0, 1, 2)
"""Input, output and errors: the program reads and writes the very ones of this process."""
NUMBER_BYTES = 4


def main(address: str, arguments: list[str]) -> None:
    with socket.socket(socket.AF_UNIX) as parent:
        parent.connect(address)
        order = marshal.dumps((arguments, dict(os.environ), os.getcwd()))  # noqa: PTH109 - pathlib takes too long
        socket.send_fds(parent, [b"."], STANDARD)
        parent.sendall(len(order).to_bytes(NUMBER_BYTES) + order)
        program = _number(parent)
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, lambda number, _: os.kill(program, number))
        code = _number(parent)
    _end(code)


def _number(parent: socket.socket) -> int:
    return int.from_bytes(parent.recv(NUMBER_BYTES, socket.MSG_WAITALL), signed=True)


def _end(code: int) -> None:
    """By the same signal, where one ended the program."""
    if code < 0:
        if -code in {signal.SIGINT, signal.SIGTERM}:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
