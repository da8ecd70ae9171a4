from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest
from dirty_equals import IsPartialDict, IsPositiveInt, IsStr

from tests.support_e2e import FRESH, PROGRAM, environment, in_a_terminal, printed, program, run, session, write_profile
from tests.support_embedded import home_with_model


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = home_with_model(tmp_path)
    write_profile(folder)
    return folder


def test_ask_prints_the_tools_own_object(home: Path):
    answer = printed(run(home, "ask", "--json", "What is the capital of France?", "--profile", "test"))
    assert answer == IsPartialDict({
        "text": IsStr(regex=r"(?s).*Paris.*"), "local": True, "cost_usd": 0.0, "model": "embedded:smollm2",
        "usage": {"input_tokens": IsPositiveInt, "output_tokens": IsPositiveInt},
    })  # fmt: skip


def test_ask_streams_the_answer_to_stdout_and_tells_about_it_on_stderr(home: Path):
    done = run(home, "--profile", "test", "ask", "-", stdin="What is the capital of France?", **FRESH)
    assert done.returncode == 0
    assert "Paris" in done.stdout
    assert "embedded:smollm2" not in done.stdout
    assert "embedded:smollm2 (on this machine)" in done.stderr


def test_a_long_answer_comes_out_as_it_is(home: Path):
    asked = ["Write a story about a ship.", "--max-output-tokens", "40", "--profile", "test"]
    streamed = run(home, "ask", *asked)
    assert streamed.stdout == printed(run(home, "ask", "--json", *asked))["text"] + "\n"
    assert "not good enough" not in streamed.stderr


def test_a_reader_that_goes_away_ends_the_answer_quietly(home: Path):
    command = [program(), "ask", "Write a very long story.", "--max-output-tokens", "4000", "--profile", "test"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(home), stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(20)
        process.stdout.close()
        told = process.stderr.read()
    assert process.returncode == 1
    assert "Traceback" not in told


def test_a_dry_run_shows_the_plan_and_who_was_left_out(home: Path):
    done = run(home, "ask", "--dry-run", "Refactor it", "--profile", "test")
    assert done.returncode == 0
    assert re.search(r"why: score 0\.[345]\d wants a quality local model", done.stdout)
    assert "embedded:smollm2" in done.stdout
    assert "gemini:gemini-3.8-flash" in done.stdout


def test_score_agrees_with_what_a_dry_run_says(home: Path):
    prompt = "Analyze this design and fix the bug"
    alone = printed(run(home, "score", prompt, "--json"))
    planned = printed(run(home, "ask", prompt, "--dry-run", "--json"))
    [line] = run(home, "score", "--jsonl", stdin=json.dumps({"prompt": prompt}) + "\n").stdout.splitlines()
    assert alone == planned["complexity"] == json.loads(line)


def test_score_reads_one_object_a_line(home: Path):
    lines = [{"prompt": "What is x?"}, {"prompt": "explain", "context": "word " * 9_000}]
    done = run(home, "score", "--jsonl", stdin="".join(json.dumps(line) + "\n" for line in lines))
    scores = [json.loads(line)["score"] for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert scores == [pytest.approx(0.15, abs=0.14), 1.0]


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"context": "x"}', '{"prompt": 1}', '{"prompt": "x", "sytem": ""}', '{"prompt": ""}']
)
def test_a_bad_line_is_told_in_its_place_and_the_others_still_count(home: Path, line: str):
    done = run(
        home, "score", "--jsonl", stdin=f'{{"prompt": "fine"}}\n\n{line}\n{{"prompt": "fine", "context": null}}\n'
    )
    assert done.returncode == 1
    assert done.stderr.startswith("hybrid-mcp: line 3: ")
    assert [sorted(json.loads(out)) for out in done.stdout.splitlines()] == [
        ["score", "signals"], ["error"], ["score", "signals"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["check", "api", "api.openai.com"], 0, "allowed: listed in cloud_apis"),
        (["check", "api", "evil.com"], 1, "not allowed: evil.com is not listed"),
        (["check", "thing", "evil.com"], 1, "use one of cloud_apis"),
        (["approve"], 0, "nothing waits"),
        (["approve", "zzz"], 1, "no request zzz"),
        (["budget", "--period", "day"], 0, "no cap"),
        (["usage", "--by", "model"], 0, "nothing was answered"),
        (["models"], 0, "embedded:smollm2"),
        (["profiles"], 0, "conservative"),
        (["profiles", "check", "no-such-file.yaml"], 1, "no-such-file.yaml"),
        (["--version"], 0, "0.1.0"),
        (["--help"], 0, "COMMAND"),
        (["frobnicate"], 2, "frobnicate"),
        (["ask"], 2, "PROMPT"),
        (["ask", "x", "--quality", "best"], 2, "quality"),
        (["budget", "--period", "year"], 2, "period"),
        (["--nonsense", "budget"], 2, "nonsense"),
        (["ask", ""], 1, "prompt is empty"),
        (["ask", "x", "--max-cost", "much"], 2, "--max-cost"),
        (["score"], 2, "give either a PROMPT"),
        (["score", "x", "--jsonl"], 2, "give either a PROMPT"),
        (["ask", "--profile", "test", "--dry-run", "--", "--what"], 0, "embedded:smollm2"),
        (["ask", "--dry-run", "--profile", "test", "hi"], 0, "embedded:smollm2"),
        (["budget", "--profile", "balancd"], 1, "balanced"),
        (["budget", "--home", "/dev/null/x"], 1, "/dev/null/x"),
    ],
)
def test_every_command_ends_with_its_exit_code_and_words(home: Path, arguments: list[str], code: int, told: str):
    done = run(home, *arguments)
    assert done.returncode == code, done.stderr
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_shared_options_stand_before_or_after_the_command(home: Path):
    before = printed(run(home, "--profile", "conservative", "budget", "--json"))
    after = printed(run(home, "budget", "--json", "--profile", "conservative"))
    assert before == after == IsPartialDict({"cap_usd": 10.0})
    flag = run(
        home, "budget", "--json", "--profile", "conservative", HYBRID_MCP_PROFILE="performance", MONTHLY_BUDGET="3"
    )
    assert printed(flag)["cap_usd"] == 3.0


@pytest.mark.parametrize(
    ("name", "value"), [("AIRGAP_MODE", "perhaps"), ("MONTHLY_BUDGET", "-1"), ("OLLAMA_TIMEOUT", "soon")]
)
def test_a_variable_that_cannot_be_read_stops_every_command_and_the_server(home: Path, name: str, value: str):
    for arguments in (["budget"], ["serve"], []):
        done = run(home, *arguments, **{name: value})
        assert done.returncode == 1
        assert name in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert done.stdout == ""


def test_doctor_names_what_is_broken(home: Path):
    fine = run(home, "doctor", "--profile", "test")
    assert fine.returncode == 0
    (home / "whitelist.json").write_text('{"cloud_apis": "openai.com"}', encoding="utf-8")
    (home / "ledger.db").write_bytes(b"this is no database" * 100)
    broken = run(home, "doctor", "--profile", "test")
    assert broken.returncode == 1
    assert "whitelist.json" in broken.stdout
    assert "ledger.db" in broken.stdout


def test_a_ledger_that_cannot_be_read_never_counts_as_nothing_spent_and_stops_no_local_answer(home: Path):
    (home / "ledger.db").write_bytes(b"this is no database" * 100)
    for arguments in (["ask", "Say hello", "--force-cloud", "--profile", "test"], ["budget"], ["usage"]):
        done = run(home, *arguments, GEMINI_API_KEY="k")
        assert done.returncode == 1
        assert "ledger.db" in done.stderr
        assert done.stdout == ""
    local = printed(run(home, "ask", "--json", "What is the capital of France?", "--profile", "test"))
    assert "Paris" in local["text"]
    assert "this answer stands in no report, because the ledger" in local["reason"]
    assert (local["budget"]["month_remaining_usd"], local["budget"]["day_remaining_usd"]) == (None, None)
    assert (home / "ledger.db").read_bytes().startswith(b"this is no database")


def test_two_first_runs_at_once_share_one_home(tmp_path: Path):
    home = home_with_model(tmp_path)
    write_profile(home)
    command = [program(), "ask", "--json", "What is the capital of France?", "--profile", "test"]
    pair = [subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE, text=True) for _ in range(2)]
    texts = [json.loads(process.communicate(timeout=120)[0])["text"] for process in pair]
    assert all("Paris" in text for text in texts)
    assert printed(run(home, "budget", "--json"))["local_requests"] == 2


def test_ctrl_c_ends_a_running_answer_at_once_and_books_it(home: Path):
    command = [
        PROGRAM,
        "ask",
        "Write a very long story about a ship.",
        "--max-output-tokens",
        "4000",
        "--profile",
        "test",
    ]
    process = subprocess.Popen(
        command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.read(20)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert printed(run(home, "budget", "--json"))["reserved_usd"] == 0.0


def start_server(home: Path, **env: str) -> subprocess.Popen[str]:
    """A server that has answered its first request."""
    process = subprocess.Popen(
        [program(env), "serve", "--profile", "test"], env=environment(home), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    ask_server(
        process, "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "t", "version": "1"}
    )
    return process


def ask_server(process: subprocess.Popen[str], method: str, **params: object) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n")
    process.stdin.flush()
    return process.stdout.readline()


@pytest.mark.parametrize(("number", "start"), [(signal.SIGINT, FRESH), (signal.SIGTERM, FRESH), (signal.SIGTERM, {})])
def test_a_signal_ends_the_server(home: Path, number: signal.Signals, start: dict[str, str]):
    process = start_server(home, **start)
    process.send_signal(number)
    process.wait(timeout=20)  # the input stays open, so that nothing else ends it
    _, told = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert "Traceback" not in told


def test_the_end_of_the_input_ends_the_server(home: Path):
    process = start_server(home)
    out, told = process.communicate(timeout=20)
    assert (process.returncode, out, told) == (0, "", "")


def test_half_a_character_is_refused_with_words_instead_of_silence(home: Path):
    process = start_server(home)
    arguments = {"prompt": "cut \ud83d off"}
    told = ask_server(process, "tools/call", name="route_completion", arguments=arguments)
    process.communicate(timeout=20)
    assert "prompt holds half a UTF-16 pair (a lone surrogate) at character 4" in told


@pytest.mark.anyio
@pytest.mark.parametrize(("answer", "allowed"), [(b"y\n", True), (b"\n", False)])
async def test_the_owner_grants_or_refuses_in_a_terminal_and_it_is_in_force_at_once(
    home: Path, answer: bytes, allowed: bool
):
    named = {"resource_type": "cloud_apis", "resource_name": "api.example.com"}
    async with session(home, "--profile", "test") as mcp:
        asked = (await mcp.call_tool("add_to_whitelist", {**named, "reason": "I need it"})).structured_content
        assert asked is not None
        shown = in_a_terminal(home, ["approve", asked["approval_id"]], answer)
        checked = (await mcp.call_tool("check_allowed", named)).structured_content
    assert "requests, with their prompts, may be sent to api.example.com" in shown
    assert "I need it" in shown
    assert checked is not None
    assert checked["allowed"] is allowed
    events = [json.loads(line)["event"] for line in (home / "audit.jsonl").read_text(encoding="utf-8").splitlines()]
    assert events == ["requested", *(["opening", "granted"] if allowed else ["refused"])]


def test_approving_needs_a_terminal(home: Path):
    request = {
        "at": "2999-01-01T00:00:00+00:00", "event": "requested", "id": "abc", "resource_type": "domains",
        "resource_name": "example.com", "reason": "", "client": "c",
    }  # fmt: skip
    (home / "audit.jsonl").write_text(json.dumps(request) + "\n", encoding="utf-8")
    done = run(home, "approve", "abc", stdin="y\n")
    assert done.returncode == 1
    assert "needs a terminal" in done.stderr
    assert not (home / "whitelist.json").exists()
