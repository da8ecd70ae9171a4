"""Code of an answer that is run with the caller's assertions: when, what of it is told, and what it cannot do."""

from __future__ import annotations

import json
import os
import platform
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import anyio
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.app import open_app
from hybrid_mcp.arguments import WrongUsage, assertions_in
from hybrid_mcp.checkup import checkup
from hybrid_mcp.config import load_settings
from hybrid_mcp.config.profile_file import read_profile
from hybrid_mcp.domain.code_check import CodeRun, python_in
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.errors import ConfigError, InvalidRequest
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.observe.silent import Silent
from hybrid_mcp.sandbox import bubblewrap
from hybrid_mcp.sandbox.bubblewrap import Bubblewrap
from hybrid_mcp.sandbox.command import FILES_BYTES, Interpreter, command
from hybrid_mcp.sandbox.system_calls import MACHINES, Machine, program
from tests.support_e2e import run, session, write_profile
from tests.support_service import Bench, bench, says

pytestmark = pytest.mark.anyio

CODE = "```python\ndef double(n):\n    return 2 * n\n```"
WRONG = "```python\ndef double(n):\n    return n\n```"
HOLDS = "assert double(4) == 8"
WANTED = Request(prompt="Write double(n) in Python", assertions=HOLDS)
LONG_S = 60.0
"""For what ends by itself: a busy machine is no failure."""


@dataclass(slots=True)
class Says:
    """Implements `CodeRunner`: what is given, one after the other, without running anything."""

    runs: list[CodeRun]
    seen: list[tuple[str, str, float]] = field(default_factory=list[tuple[str, str, float]])

    async def run(self, code: str, assertions: str, limit_s: float) -> CodeRun:
        self.seen.append((code, assertions, limit_s))
        return self.runs.pop(0)

    async def trouble(self) -> str | None:
        return None


def switched_on(used: Bench, runner: Says | Bubblewrap) -> Bench:
    attempting = replace(used.service.attempting, code_runner=runner)
    return replace(used, service=replace(used.service, attempting=attempting))


def ended(*outcomes: str) -> Says:
    return Says([CodeRun(outcome=one, why="because", limit_s=5.0) for one in outcomes])  # pyright: ignore[reportArgumentType]


# ---- what is told of it


async def test_code_that_passes_is_a_good_answer_and_says_so():
    runner = ended("passed")
    used = switched_on(bench(local=["small"], cloud=["big"], small=[says(CODE)], big=[says("no")]), runner)
    found = await used.complete(WANTED)
    assert found.text == CODE
    assert found.reason.endswith("its code passed the given assertions")
    assert [(one.model, one.outcome, one.reason) for one in found.attempts] == [("here:small", "ok", "")]
    assert runner.seen == [("def double(n):\n    return 2 * n", HOLDS, 25.0)]


@pytest.mark.parametrize(
    ("outcome", "told"),
    [("failed", "its code fails the given assertions"), ("too_long", "its code took longer than 5 s")],
)
async def test_code_that_does_not_pass_is_followed_by_the_next_model(outcome: str, told: str):
    used = bench(local=["small"], cloud=["big"], small=[says(WRONG)], big=[says(CODE)])
    found = await switched_on(used, ended(outcome, "passed")).complete(WANTED)
    assert (found.text, found.escalated) == (CODE, True)
    assert [(one.outcome, one.reason) for one in found.attempts] == [("doubtful", told), ("ok", "")]


async def test_where_nobody_can_the_answer_comes_back_marked():
    used = switched_on(bench(local=["small"], small=[says(WRONG)]), ended("failed"))
    found = await used.complete(WANTED)
    assert found.text == WRONG
    assert "the answer is doubtful (its code fails the given assertions)" in found.reason
    assert "double" not in found.reason


async def test_an_answer_without_code_is_doubtful_and_nothing_is_run():
    runner = ended("passed")
    used = bench(local=["small"], cloud=["big"], small=[says("Multiply it by two.")], big=[says(CODE)])
    found = await switched_on(used, runner).complete(WANTED)
    assert found.attempts[0].reason == "there is no Python code in it"
    assert len(runner.seen) == 1


async def test_a_proof_says_more_than_the_models_own_confidence():
    used = bench(local=["small"], confidence=-0.5, small=[says(CODE, confidence=-2.0)])
    assert "doubtful" in (await used.complete(replace(WANTED, assertions=""))).reason
    assert "doubtful" not in (await switched_on(used, ended("passed")).complete(WANTED)).reason


async def test_what_was_cut_off_is_not_run():
    runner = ended("passed")
    used = switched_on(bench(local=["small"], small=[says(CODE, finish="length")]), runner)
    assert "cut off at the output limit" in (await used.complete(WANTED)).reason
    assert runner.seen == []


@pytest.mark.parametrize(
    ("runner", "told"),
    [
        (None, "the assertions were not run: the owner has not switched this on: `code_check: bubblewrap`"),
        (ended("not_run", "not_run"), "the assertions were not run: because"),
        (ended("unreadable", "unreadable"), "the assertions were not run: they are no Python statements"),
    ],
)
async def test_where_nothing_was_run_the_answer_says_so_each_time_and_why(runner: Says | None, told: str):
    used = bench(local=["small"], cloud=["big"], small=[says(CODE)], big=[says("no")])
    used = used if runner is None else switched_on(used, runner)
    for _ in range(2):  # such an answer is not kept
        found = await used.complete(WANTED)
        assert told in found.reason
        assert "passed" not in found.reason
        assert (found.text, found.cached, found.attempts[0].outcome) == (CODE, False, "ok")


async def test_an_answer_is_kept_for_its_own_assertions_only():
    runner = ended("passed", "failed", "passed")
    used = switched_on(bench(local=["small"], small=[says(CODE)]), runner)
    assert [(await used.complete(WANTED)).cached for _ in range(2)] == [False, True]
    other = await used.complete(replace(WANTED, assertions="assert double(1) == 1"))
    assert (other.cached, other.attempts[0].outcome) == (False, "doubtful")


async def test_no_model_sees_the_assertions_and_no_plan_runs_anything():
    runner = ended("passed")
    used = switched_on(bench(cloud=["big"], big=[says(CODE)]), runner)
    secret = replace(WANTED, assertions=f"assert '{'AKIA' + 'Q3EGRIXXMPLE7WZT'}'")
    assert (await used.complete(replace(secret, dry_run=True))).status == "planned"
    assert runner.seen == []
    await used.complete(secret)
    assert "assert" not in str(used.scripted.calls)


async def test_the_money_is_settled_before_the_code_runs():
    class Ends(Exception):
        pass

    class Breaks(Says):
        async def run(self, code: str, assertions: str, limit_s: float) -> CodeRun:
            raise Ends

    used = switched_on(bench(cloud=["big"], big=[says(CODE, tokens=(10, 30))]), Breaks([]))
    with pytest.raises(Ends):
        await used.complete(WANTED)
    balance = (await used.ledger.report("month")).balance
    assert (balance.spent, balance.reserved) == (Usd.limit("0.04"), Usd(0))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"assertions": "x" * 100_001}, "assertions has more than 100,000 bytes"),
        ({"assertions": "assert 1", "response_schema": "{}"}, "give one of them"),
        ({"assertions": "a\x00"}, "assertions holds a NUL character"),
        ({"assertions": "x" * 99_999, "context": "x" * 3_950_000}, "4,000,000"),
    ],
)
async def test_assertions_that_cannot_be_run_are_refused(changes: dict[str, str], told: str):
    with pytest.raises(InvalidRequest, match=told):
        Request(prompt="p", **changes)  # pyright: ignore[reportArgumentType]


# ---- what is the code of an answer


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("So:\n```python\na = 1\n```\nand\n```py\nb = 2\n```\n```sh\nls\n```", "a = 1\nb = 2"),
        ("```\na = 1\n```", "a = 1"),
        ("```\na = 1\n```\n```Python\nb = 2\n```", "b = 2"),
        ("1. First\n   ```python\n   if a:\n       b\n   ```", "if a:\n    b"),
        ("~~~python\na = '```'\n~~~", "a = '```'"),
        ("````python\n```\n````", "```"),
        ("```python\na = 1", "a = 1"),
        ("```python\na = 1\n```\n```python\n>>> a\n1\n```", "a = 1"),
        ("def f():\n    return 1", "def f():\n    return 1"),
        ("total: int = 3", "total: int = 3"),
        ("Call ```f()``` twice.", None),
        ("```json\n{}\n```", None),
        ("From Paris to Rome: import duties apply.", None),
        ("Paris", None),
        ("", None),
    ],
)
def test_the_code_of_an_answer_is_found(answer: str, code: str | None):
    assert python_in(answer) == code


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text("ab `~>\n:=("))
def test_a_block_comes_out_as_it_was_written(before: str, code: str):
    wanted = f"x\n{code}"
    fence = "`" * 40
    found = python_in(f"{before.replace('`', '').replace('~', '')}\n{fence}python\n{wanted}\n{fence}\n")
    assert found == (wanted if fence not in code else found)


def test_no_answer_makes_the_search_slow():
    for line in ("a:" + " " * 400_000, "def a" + "a" * 400_000, "`" * 400_000, "@" * 400_000):
        python_in(f"{line}\n{line}")


# ---- what the sandbox is made of


def _filtered(machine: Machine, number: int, argument: int = 0, audit: int | None = None) -> int:
    """What the kernel would make of a call: the few instructions that the filter has."""
    lines = list(struct.iter_unpack("<HBBI", program(machine)))
    data = {0: number, 4: machine.audit if audit is None else audit, 16: argument}
    at, loaded = 0, 0
    while True:
        code, if_true, if_false, value = lines[at]
        at += 1
        match code:
            case 0x20:
                loaded = data[value]
            case 0x06:
                return value
            case _:
                holds = {0x15: loaded == value, 0x35: loaded >= value, 0x45: bool(loaded & value)}[code]
                at += if_true if holds else if_false


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_the_filter_lets_threads_begin_and_no_process(machine: Machine):
    allow, not_permitted, no_such_call, kill = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
    harmless = 500
    assert _filtered(machine, harmless) == allow
    assert _filtered(machine, machine.clone, 0x003D0F00) == allow
    assert _filtered(machine, machine.clone, 0x11) == not_permitted
    assert _filtered(machine, 435) == no_such_call
    assert {_filtered(machine, number) for number in machine.denied} == {not_permitted}
    assert _filtered(machine, harmless | 0x40000000) == not_permitted
    assert _filtered(machine, harmless, audit=0x40000003) == kill


def test_the_command_opens_nothing_but_libraries_and_one_python(tmp_path: Path):
    for folder in ("lib/python3.11/site-packages", "lib/python3/dist-packages"):
        (tmp_path / folder).mkdir(parents=True)
    python = Interpreter(executable=tmp_path / "bin" / "python3.11", prefix=tmp_path, version=(3, 11))
    line = command(Path("/usr/bin/bwrap"), python, Path("/x/inside.py"), filter_fd=7, cpu_s=6)
    pairs = set(pairwise(line))
    opened = {line[at + 1] for at, word in enumerate(line) if word in {"--ro-bind", "--ro-bind-try", "--dev-bind"}}
    libraries = {f"{top}/lib{bits}" for top in ("", "/usr") for bits in ("", "32", "64")}
    assert opened <= libraries | {
        "/usr/share/zoneinfo", "/dev/null", "/dev/urandom", "/x/inside.py",
        str(python.executable), str(tmp_path / "lib"), str(tmp_path / "lib64"),
    }  # fmt: skip
    assert "--share-net" not in line
    assert {"--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--clearenv"} <= set(line)
    assert {("--cap-drop", "ALL"), ("--seccomp", "7"), ("--remount-ro", "/"), ("--size", str(FILES_BYTES))} <= pairs
    for hidden in ("python3.11/site-packages", "python3/dist-packages"):
        assert {("--tmpfs", f"/python/lib/{hidden}"), ("--remount-ro", f"/python/lib/{hidden}")} <= pairs


def test_only_two_places_start_a_program():
    source = Path(bubblewrap.__file__).parents[1]
    starting = ("subprocess", "open_process", "run_process", "os.system", "posix_spawn", "os.exec")
    found = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if any(f"{word}." in text or f"{word}(" in text for text in [path.read_text("utf-8")] for word in starting)
    }
    assert found == {"providers/wheel.py", "sandbox/bubblewrap.py"}


# ---- where there is none


def script(folder: Path, text: str) -> Path:
    """Stands in for bubblewrap."""
    path = folder / "bwrap"
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)
    return path


async def test_a_machine_without_bubblewrap_says_what_the_owner_does(tmp_path: Path):
    found = await Bubblewrap(places=(tmp_path / "bwrap",)).run("a = 1", "assert a", LONG_S)
    assert found == CodeRun(outcome="not_run", why=bubblewrap.NOT_THERE)


async def test_another_processor_or_system_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert await Bubblewrap().trouble() == bubblewrap.NOT_LINUX


on_linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in MACHINES, reason="the sandbox is there on Linux only"
)


@on_linux
@pytest.mark.parametrize(
    "does", ["echo 'bwrap: No permissions to create new namespace' >&2; exit 1", "echo no", "exit"]
)
async def test_a_bubblewrap_that_cannot_make_a_sandbox_says_so(tmp_path: Path, does: str):
    assert await Bubblewrap(places=(script(tmp_path, does),)).trouble() == bubblewrap.NOT_WORKING
    (tmp_path / "bwrap").chmod(0o644)
    assert await Bubblewrap(places=(tmp_path / "bwrap",)).trouble() == bubblewrap.NOT_WORKING


@on_linux
async def test_no_more_than_two_run_at_once_and_all_end_with_their_caller(tmp_path: Path):
    begun = tmp_path / "begun"
    used = Bubblewrap(places=(script(tmp_path, f"echo x >>{begun}; echo begun; cat >/dev/null"),), run_s=LONG_S)
    before = children()
    with anyio.move_on_after(LONG_S) as waiting:
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(used.run, "a = 1", "assert a", LONG_S)
            while not (begun.exists() and begun.read_text() == "x\nx\n"):  # noqa: ASYNC110 - other programs write it
                await anyio.sleep(0.01)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
    assert not waiting.cancelled_caught
    assert begun.read_text() == "x\nx\n"
    with anyio.fail_after(LONG_S):
        while children() != before:  # noqa: ASYNC110 - the kernel ends them
            await anyio.sleep(0.01)


def children() -> set[int]:
    return {one.pid for one in psutil.Process().children(recursive=True)}


# ---- what code in it cannot do


@cache
def is_possible() -> bool:
    """Asked of bubblewrap alone: a sandbox of ours that is broken must not leave out its own tests."""
    found = next((path for path in bubblewrap.PLACES if path.is_file()), None)
    plain = ("--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "--size", "4096", "--tmpfs", "/tmp", "true")
    return found is not None and subprocess.run([found, *plain], check=False, stderr=subprocess.DEVNULL).returncode == 0


@pytest.fixture(name="ran")
def _ran() -> Callable[..., Awaitable[str]]:
    """Runs code and assertions in a real sandbox, and says how it ended."""
    if not is_possible():
        pytest.skip("bubblewrap is not here, or may not make namespaces")

    async def ran(code: str, assertions: str = "assert True", run_s: float = LONG_S) -> str:
        return (await Bubblewrap(run_s=run_s).run(code, assertions, 2 * LONG_S)).outcome

    return ran


Ran = Callable[..., Awaitable[str]]

REFUSED = """
def refused(act, *arguments):
    try:
        act(*arguments)
    except (OSError, MemoryError, RuntimeError):
        return True
    return False
"""


ON_ALL_FILES = """
import os
for fd in range(3, 64):
    try:
        os.write(fd, {})
    except OSError:
        pass
"""
DEAF = """
import signal
for one in range(1, 32):
    try:
        signal.signal(one, signal.SIG_IGN)
    except OSError:
        pass
while True:
    pass
"""


@pytest.mark.parametrize(
    ("code", "assertions", "outcome"),
    [
        ("def f(n): return 2 * n", "assert f(2) == 4", "passed"),
        ("def f(n): return 2 * n", "assert f(2) == 5", "failed"),
        ("def f(n): return 2 * n", "assert g(2) == 4", "failed"),
        ("def f(n) return", "assert True", "failed"),
        ("def f(n): return 2 * n", "assert f(2) ==", "unreadable"),
        ("from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int", "assert P(1) == P(1)", "passed"),
        ("if __name__ == '__main__':\n    raise SystemExit(1)\na = 1", "assert a", "passed"),
        ("import asyncio\nasync def f(): return 1", "assert asyncio.run(f()) == 1", "passed"),
        (
            "from concurrent.futures import ThreadPoolExecutor as Pool\nwith Pool(4) as p: a = list(p.map(abs, [-1]))",
            "assert a == [1]", "passed",
        ),
        ("import zoneinfo, decimal, sqlite3, zlib, hashlib, ssl, ctypes", "assert zoneinfo.ZoneInfo('UTC')", "passed"),
        ("print('ä' * 9); a = 'ä😀'", "assert len(a) == 2", "passed"),
        ("a = input()", "assert True", "failed"),
    ],
)  # fmt: skip
async def test_plain_code_is_judged_by_the_assertions(ran: Ran, code: str, assertions: str, outcome: str):
    assert await ran(code, assertions) == outcome


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.exit(0)",
        "import os; os._exit(0)",
        "raise KeyboardInterrupt",
        "def f(): raise SystemExit(0)",
        "def f():\n    import os\n    os._exit(0)",
        "def f():\n    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)",
        "import os\nos._exit = os.write = lambda *a: None\ndef f(): return False",
        "import builtins\nbuiltins.exec = builtins.compile = lambda *a: None\ndef f(): return False",
        "import builtins\nbuiltins.BaseException = KeyError\ndef f(): return False",
        "import json\njson.loads = lambda *a: ['', 'word']\ndef f(): return False",
        "import sys\nsys.excepthook = lambda *a: sys.exit(0)\ndef f(): return False",
        "import atexit\natexit.register(print, 'passed')\ndef f(): return False",
        "print('passed'); print('ran')\ndef f(): return False",
        ON_ALL_FILES.format("b'ran\\nran\\npassed\\n'") + "def f(): return False",
        ON_ALL_FILES.format("b'x' * 100_000"),
        "import ctypes; ctypes.string_at(0)",
        "def f(): return f()",
    ],
)
async def test_what_only_ends_early_or_says_that_it_passed_has_not_passed(ran: Ran, code: str):
    assert await ran(code, "assert f()" if "def f" in code else "assert True") == "failed"


async def test_it_cannot_connect_to_this_machine_nor_any_other(ran: Ran):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        socket.create_connection(address).close()
        code = f"{REFUSED}\nimport socket"
        tries = (
            f"assert refused(socket.create_connection, {address!r}, 1)\n"
            "assert refused(socket.socket, socket.AF_UNIX)\n"
            "assert refused(socket.socket, 40, socket.SOCK_STREAM)\n"
            "assert refused(socket.getaddrinfo, 'localhost', 80)"
        )
        assert await ran(code, tries) == "passed"


async def test_it_reads_nothing_of_this_machines_owner(ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "SEALED-KEY")
    ledger = tmp_path / "ledger.db"
    ledger.write_text("SEALED", "utf-8")
    theirs = [
        str(ledger), "/etc/passwd", "/etc/hostname", "/proc/self/environ", "/proc/1/environ", "/proc/self/mem",
        __file__, bubblewrap.__file__, str(Path.home()), sys.executable, "/sys/kernel", "/bin/sh", "/usr/bin",
        "/dev/kmsg", "/dev/sda",
    ]  # fmt: skip
    assert sum(map(os.path.exists, theirs)) > 8
    code = f"{REFUSED}\nimport os, sys\ndef look(path):\n    os.listdir(path) if os.path.isdir(path) else open(path)"
    tries = (
        f"for path in {theirs!r}:\n    assert refused(look, path), path\n"
        "for number, path in enumerate(" + repr(theirs) + "):\n"
        "    os.symlink(path, f'link{number}')\n    assert refused(look, f'link{number}')\n"
        "assert not {'OPENAI_API_KEY', 'PATH', 'HOME', 'USER'} & set(os.environ) and 'SEALED' not in str(os.environ)\n"
        "assert set(os.listdir('/')) <= {'usr', 'lib', 'lib32', 'lib64', 'python', 'dev', 'tmp', 'inside.py'}\n"
        f"assert os.uname().nodename == 'sandbox' and {os.getpid()} != os.getppid() == 1\n"
        "assert not any('packages' in path for path in sys.path)"
    )
    assert await ran(code, tries) == "passed"


async def test_it_writes_nothing_but_a_little_in_a_folder_that_goes_with_it(ran: Ran, tmp_path: Path):
    code = f"{REFUSED}\nimport os\ndef put(path):\n    with open(path, 'wb', 0) as f: f.write(b'x')\n"
    places = ["/x", "/usr/lib/x", "/python/lib/x", "/dev/x", "/dev/shm/x", "/inside.py", str(tmp_path / "x"), "/proc/x"]
    tries = (
        f"put('/tmp/x')\nfor path in {places!r}:\n    assert refused(put, path), path\n"
        "def fill():\n    for number in range(999):\n        with open(f'/tmp/{number}', 'wb', 0) as f:\n"
        "            if f.write(bytes(1 << 20)) < 1 << 20: raise OSError\n"
        "assert refused(fill)\nassert 8 < len(os.listdir('/tmp')) < 20\n"
        "with open('/tmp/0', 'wb', 0) as f: assert refused(f.seek, 1 << 30) or refused(f.write, b'x')"
    )
    assert await ran(code, tries) == "passed"
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - it is there at once


async def test_it_begins_no_process_and_reaches_none(ran: Ran):
    code = f"{REFUSED}\nimport ctypes, os, signal, subprocess, sys\nlibc = ctypes.CDLL(None, use_errno=True)"
    denied = {"ptrace": (16, 1, 0, 0), "unshare": (0x10000000,), "setns": (0, 0), "chroot": (b"/tmp",)}
    tries = (
        "assert refused(os.fork) and refused(subprocess.run, [sys.executable])\n"
        f"for name, arguments in {denied!r}.items():\n"
        "    ctypes.set_errno(0)\n    assert getattr(libc, name)(*arguments) == -1 and ctypes.get_errno() == 1, name\n"
        "assert libc.shmget(0, 4096, 0o1600) == -1 and libc.memfd_create(b'x', 0) == -1\n"
        "os.kill(1, signal.SIGKILL)\nos.kill(1, signal.SIGTERM)\n"
        "assert refused(os.setuid, 0) and os.getuid() == 65534"
    )
    before = children()
    assert await ran(code, tries) == "passed"
    assert children() == before


async def test_it_eats_neither_memory_nor_threads_nor_open_files(ran: Ran):
    code = f"{REFUSED}\nimport os, threading\nwaits = threading.Event()"
    tries = (
        "assert refused(bytearray, 1 << 30)\n"
        "def bomb():\n    while True: threading.Thread(target=waits.wait).start()\n"
        "assert refused(bomb)\nassert threading.active_count() < 200\nwaits.set()\n"
        "def leak():\n    while True: os.open('/dev/null', os.O_RDONLY)\nassert refused(leak)"
    )
    assert await ran(code, tries) == "passed"


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "while True: print('x' * 100_000)",
        DEAF,
        "import re; re.match('(a+)+b', 'a' * 99)",
    ],
    ids=["loop", "output", "deaf", "one long call"],
)  # fmt: skip
async def test_what_does_not_end_is_ended(ran: Ran, code: str):
    before = children()
    assert await ran(code, run_s=0.3) == "too_long"
    assert children() == before


async def test_a_thread_that_is_left_behind_ends_too(ran: Ran):
    before = children()
    code = "import threading\ndef for_ever():\n    while True: pass\nthreading.Thread(target=for_ever).start()"
    assert await ran(code) == "passed"
    assert children() == before


async def test_the_deadline_of_the_call_ends_it_and_the_answer_counts_as_untried(ran: Ran):
    before = children()
    found = await Bubblewrap(run_s=LONG_S).run("while True: pass", "assert True", 0.5)
    assert found == CodeRun(outcome="not_run", why="the deadline came first: call again with a larger deadline_s")
    assert children() == before


PROGRAM = """
import anyio
from hybrid_mcp.sandbox.bubblewrap import Bubblewrap
anyio.run(Bubblewrap(run_s=600).run, "while True: pass", "assert True", 600)
"""


async def test_it_ends_with_a_program_that_is_killed(ran: Ran):
    async with await anyio.open_process([sys.executable, "-c", PROGRAM]) as program_:
        with anyio.fail_after(LONG_S):
            while len(begun := psutil.Process(program_.pid).children(recursive=True)) < 3:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        program_.kill()
        _, alive = await anyio.to_thread.run_sync(psutil.wait_procs, begun, LONG_S)
    assert alive == []


SYSTEM = Path("/usr/bin/python3").resolve()


@pytest.mark.skipif(not re.fullmatch(r"python3\.\d+", SYSTEM.name), reason="this system brings no Python")
async def test_the_systems_own_python_can_run_it_too(ran: Ran, monkeypatch: pytest.MonkeyPatch):
    version = (3, int(SYSTEM.name.removeprefix("python3.")))
    theirs = Interpreter(executable=SYSTEM, prefix=Path("/usr"), version=version)
    monkeypatch.setattr(bubblewrap, "_interpreter", lambda: theirs)
    code = "import sys, asyncio, zlib\nprefix = sys.prefix"
    assert await ran(code, "assert prefix == '/python'") == "passed"


async def test_a_wrong_answer_escalates_to_one_that_really_passes(ran: Ran):
    used = bench(local=["small"], cloud=["big"], small=[says(WRONG)], big=[says(CODE)])
    found = await switched_on(used, Bubblewrap(run_s=LONG_S)).complete(WANTED)
    assert (found.text, found.escalated) == (CODE, True)
    assert "here:small: doubtful, its code fails the given assertions" in found.reason
    assert found.reason.endswith("its code passed the given assertions")


# ---- how the owner and the caller come to it


@pytest.mark.parametrize("chosen", ["code_check: bubblewrap", ""], ids=["on", "off"])
async def test_doctor_tries_it_where_it_is_switched_on(tmp_path: Path, chosen: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hybrid_mcp.sandbox.bubblewrap.TRIAL_S", LONG_S)
    write_profile(tmp_path, f"monthly_budget: 5\n{chosen}\nrouting_rules: {{local_models: ['embedded:smollm2']}}\n")
    app = open_app(load_settings(environ={}, home=tmp_path, profile="test", airgap=True), Silent())
    try:
        found = [(one.state, one.detail) for one in await checkup(app, whole_ledger=False) if one.what == "code check"]
    finally:
        await app.aclose()
    why = await Bubblewrap().trouble()
    works = ("ok", "code runs in a sandbox of bubblewrap") if why is None else ("broken", why)
    assert found == ([works] if chosen else [])


def test_a_sandbox_that_nobody_knows_is_an_error_of_the_profile(tmp_path: Path):
    assert read_profile(write_profile(tmp_path, "monthly_budget: 5\n")).profile.code_check == "off"
    with pytest.raises(ConfigError, match=r":2: code_check: .*bubblewrap"):
        read_profile(write_profile(tmp_path, "monthly_budget: 5\ncode_check: docker\n"))


def test_the_command_reads_assertions_from_a_file(tmp_path: Path):
    write_profile(tmp_path)
    good, empty = tmp_path / "good.py", tmp_path / "empty.py"
    good.write_text(HOLDS, "utf-8")
    empty.write_text(" \n", "utf-8")
    ask = ("ask", "Write double(n)", "--dry-run", "--profile", "test", "--assertions")
    assert run(tmp_path, *ask, str(good)).returncode == 0
    done = run(tmp_path, *ask, str(tmp_path / "gone.py"))
    assert (done.returncode, "No such file" in done.stderr) == (2, True)
    with pytest.raises(WrongUsage, match="the file is empty"):
        assertions_in("--assertions", empty)


async def test_the_tool_takes_assertions(tmp_path: Path):
    write_profile(tmp_path)
    async with session(tmp_path, "--profile", "test") as client:
        arguments = {"prompt": "Write double(n)", "dry_run": True}
        good = await client.call_tool("route_completion", {**arguments, "assertions": HOLDS})
        bad = await client.call_tool("route_completion", {**arguments, "assertions": "x" * 100_001})
        listed = await client.list_tools()
    assert (good.is_error, bad.is_error) == (False, True)
    argument = listed.tools[0].input_schema["properties"]["assertions"]
    assert len(json.dumps({"assertions": argument}, separators=(",", ":"))) < 92
