from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hybrid_mcp.domain.breaker import MAX_WAIT_S, Opening
from hybrid_mcp.storage.breaker_file import KEPT, LIMIT_BYTES, BreakerFile
from tests.support_servers import NEVER_LONGER_S
from tests.support_service import StillClock

CLOCK = StillClock()
ADDRESSES = {"here": "http://127.0.0.1:1/v1", "there": "https://api.example.com/v1"}
PROCESSES, OF_EACH = 4, 12


def at(path: Path, clock: StillClock = CLOCK, **addresses: str) -> BreakerFile:
    return BreakerFile(path=path / "breakers.json", clock=clock, addresses={**ADDRESSES, **addresses})


def opening(seconds: float = 60.0, failures: int = 3) -> Opening:
    return Opening(failures=failures, until=CLOCK.now() + timedelta(seconds=seconds))


def test_another_process_reads_what_one_has_told(tmp_path: Path):
    at(tmp_path / "home").tell("there:m", opening(59.5))
    at(tmp_path / "home").tell("here:qwen2.5:7b", opening(failures=4))
    assert at(tmp_path / "home").read() == {"there:m": opening(59.5), "here:qwen2.5:7b": opening(failures=4)}
    at(tmp_path / "home").tell("there:m", None)
    assert at(tmp_path / "home").read() == {"here:qwen2.5:7b": opening(failures=4)}


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_only_its_owner_may_read_it(tmp_path: Path):
    at(tmp_path / "home").tell("there:m", opening())
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in (tmp_path / "home").iterdir()} == {
        "breakers.json": "0o600", "breakers.lock": "0o600",
    }  # fmt: skip
    assert "example.com" not in (tmp_path / "home" / "breakers.json").read_text()


def test_what_is_over_is_not_read_and_goes_with_the_next_change(tmp_path: Path):
    clock = StillClock()
    at(tmp_path, clock).tell("there:m", opening(60))
    clock.seconds = 60.0
    assert at(tmp_path, clock).read() == {}
    at(tmp_path, clock).tell("here:m", opening(100))
    assert list(json.loads((tmp_path / "breakers.json").read_bytes())) == ["here:m"]


def test_what_a_clock_wrote_that_was_hours_ahead_is_not_believed(tmp_path: Path):
    ahead = StillClock(seconds=2 * MAX_WAIT_S)
    at(tmp_path, ahead).tell("there:m", Opening(failures=3, until=ahead.now() + timedelta(seconds=60)))
    assert at(tmp_path).read() == {}
    at(tmp_path).tell("there:m", opening(MAX_WAIT_S))
    assert at(tmp_path).read() == {"there:m": opening(MAX_WAIT_S)}


def test_what_failed_at_another_address_says_nothing(tmp_path: Path):
    at(tmp_path).tell("there:m", opening())
    assert at(tmp_path, there="https://elsewhere.example.com/v1").read() == {}
    assert at(tmp_path).read() == {"there:m": opening()}


def test_a_provider_that_the_profile_does_not_have_is_nobodys(tmp_path: Path):
    forged = at(tmp_path)
    for name in ("here:m", "nobody:m"):
        forged.tell(name, opening())
    assert set(at(tmp_path, nobody="").read()) == {"here:m", "nobody:m"}
    assert set(forged.read()) == {"here:m"}


def test_it_stays_small(tmp_path: Path):
    file = at(tmp_path)
    for number in range(KEPT + 10):
        file.tell(f"there:{number:03}{'é' * 240}", opening(60 + number))
    assert (tmp_path / "breakers.json").stat().st_size < LIMIT_BYTES
    assert sorted(name[6:9] for name in file.read()) == [f"{number:03}" for number in range(10, KEPT + 10)]
    file.tell(f"there:{'x' * 1000}", opening(1000))
    file.tell("there:a\x1b[2J", opening(1000))
    assert len(file.read()) == KEPT


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path):
    file = at(tmp_path)
    file.tell("there:m", opening())
    path = tmp_path / "breakers.json"
    path.write_bytes(path.read_bytes() + b" " * LIMIT_BYTES)
    assert file.read() == {}


def test_a_place_that_cannot_be_read_or_written_breaks_nothing(tmp_path: Path):
    (tmp_path / "breakers.json").mkdir()
    (tmp_path / "file").touch()
    for file in (at(tmp_path), at(tmp_path / "file")):
        file.tell("there:m", opening())
        assert file.read() == {}


TIMES = st.one_of(
    st.datetimes(timezones=st.one_of(st.none(), st.timezones())).map(lambda time: time.isoformat()), st.text()
)
ENTRY = st.fixed_dictionaries(
    {
        "until": TIMES,
        "failures": st.one_of(st.integers(1, 5), st.integers(), st.booleans(), st.floats(), st.none()),
        "address": st.one_of(st.just("0" * 16), st.text(max_size=20)),
    }
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


FILES = st.one_of(JSON, st.dictionaries(st.text(), ENTRY)).map(lambda document: json.dumps(document).encode())
NO_ZONE = {"there:m": {"until": "2026-11-20T12:00:30", "failures": 3, "address": "0" * 16}}


@given(st.one_of(st.binary(), FILES))
@example(json.dumps(NO_ZONE).encode())
def test_whatever_the_file_holds_is_no_error_and_is_mended_by_the_next_change(
    tmp_path_factory: pytest.TempPathFactory, damaged: bytes
):
    folder = tmp_path_factory.mktemp("home")
    (folder / "breakers.json").write_bytes(damaged)
    file = at(folder)
    now = CLOCK.now()
    assert all(now < one.until <= now + timedelta(seconds=MAX_WAIT_S) for one in file.read().values())
    file.tell("there:m", opening())
    assert file.read()["there:m"] == opening()


def tell_many(folder: Path, process: int) -> None:
    for number in range(OF_EACH):
        replace(at(folder), lock_timeout_s=NEVER_LONGER_S).tell(f"there:{process}-{number}", opening())


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open for reading is not replaced there")
def test_processes_that_write_at_once_lose_nothing_of_each_other(tmp_path: Path):
    context = get_context("spawn")
    processes = [context.Process(target=tell_many, args=(tmp_path, number)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    wanted = {f"there:{process}-{number}" for process in range(PROCESSES) for number in range(OF_EACH)}
    assert set(at(tmp_path).read()) == wanted
