"""Runs alone in the sandbox: an answer's code first, then the assertions, which are not there before the code is done.

Standard input brings two lines of JSON, standard output takes one word a line. The code gets neither: what it reads is
empty, what it prints is thrown away. The last word is one that came with the assertions.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import types


def run() -> None:
    heard, told = os.fdopen(os.dup(0), "rb"), os.dup(1)
    nothing = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    _limit(*map(int, sys.argv[1:]))
    # The code may put others into their place. This exit also ends the threads that it leaves behind.
    write, leave, read_json, read_line, read_code, execute = (
        os.write,
        os._exit,
        json.loads,
        heard.readline,
        compile,
        exec,
    )
    write(told, b"begun\n")
    code = read_json(read_line())
    answer = types.ModuleType("answer")
    sys.modules["answer"] = answer
    try:
        execute(read_code(code, "answer", "exec"), answer.__dict__)
        write(told, b"ran\n")
        assertions, word = read_json(read_line())
        try:
            checks = read_code(assertions, "assertions", "exec")
        except (SyntaxError, ValueError):
            write(told, b"unreadable\n")
            leave(0)
        execute(checks, answer.__dict__)
    except BaseException:  # noqa: BLE001 - it ends the code, not this program: SystemExit too
        write(told, b"failed\n")
        leave(0)
    write(told, word.encode() + b"\n")
    leave(0)


def _limit(cpu_s: int, memory_bytes: int, file_bytes: int, files: int) -> None:
    """Hard limits, which nothing in the sandbox has the right to lift."""
    for what, limit in (
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


if __name__ == "__main__":
    run()
