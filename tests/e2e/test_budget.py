"""What the owner sees of the money: caps, alerts, reports, models that charged too much."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from dirty_equals import IsPartialDict, IsStr
from mcp import Client

from hybrid_mcp.domain.reservation import Settlement, Source
from hybrid_mcp.storage.file_time import UNKNOWN, made_ns
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.e2e.test_nothing_is_told import PROFILE, paid_home
from tests.e2e.test_paid import ANSWER, COST, content
from tests.support_e2e import FRESH, environment, printed, program, run, server_parameters, session, write_profile
from tests.support_ledger import FakeClock, ended, free, usd
from tests.support_servers import FakeServer, Reply, openai_chunk, openai_reply, reply_always

HARD = "Refactor this module, design the tests, analyze the tradeoffs and debug it"
"""Its score wants a premium cloud model."""
SHORT = ("--max-output-tokens", "16")


def answer_with(usage: dict[str, int]) -> Reply:
    return openai_reply(openai_chunk("Paid words"), openai_chunk(None, "stop"), {"choices": [], "usage": usage})


OVERBILLED = answer_with({"prompt_tokens": 1_000, "completion_tokens": 500_000, "total_tokens": 501_000})
"""$1.001 for a call that may cost a fraction of a cent."""


@pytest.fixture
def server() -> Generator[FakeServer]:
    with FakeServer(reply_always(ANSWER)) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, server: FakeServer) -> Path:
    """A fresh home whose only paid model is the server's, at $5 a month."""
    return paid_home(tmp_path, server)


def command(home: Path, *arguments: str, **env: str) -> CompletedProcess[str]:
    return run(home, *arguments, "--profile", "paid", FAKE_KEY="k", **env)


def pay(home: Path, *arguments: str, **env: str) -> CompletedProcess[str]:
    return command(home, "ask", "Do it", "--force-cloud", *arguments, **env)


def lines(done: CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def alerts(done: CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("hybrid-mcp: ")]


def raw_csv(home: Path) -> bytes:
    """Read as text, a CR would be gone."""
    return subprocess.check_output([program(), "usage", "--csv"], env=environment(home), timeout=120)


async def write_down(home: Path, *entries: tuple[str, Source, Settlement], at: datetime | None = None) -> None:
    """Answers that were given at some time, in the ledger of the home."""
    ledger = await SqliteLedger.open(home / "ledger.db", FakeClock(at or datetime.now(UTC)))
    for model, source, settlement in entries:
        await ledger.record(free(settlement, model=model, source=source))
    await ledger.aclose()


def test_nothing_answered_yet_reads_well(home: Path):
    assert lines(command(home, "budget")) == [
        "UTC         cap    spent  reserved  left",
        "this month  $5.00  $0.00  $0.00     $5.00",
        "nothing was answered this month",
    ]
    assert lines(command(home, "budget", "--period", "day"))[1:] == [
        "today       no cap  $0.00  $0.00     -",
        "this month  $5.00   $0.00  $0.00     $5.00",
        "nothing was answered today",
    ]


def test_without_caps_it_tells_what_was_spent(home: Path, server: FakeServer):
    text = PROFILE.replace("URL", server.url).replace("monthly_budget: 5", "monthly_budget: null")
    write_profile(home, text, "uncapped")
    assert lines(run(home, "ask", "Do it", "--force-cloud", "--profile", "uncapped", FAKE_KEY="k")) == ["Paid words"]
    assert lines(run(home, "budget", "--profile", "uncapped")) == [
        "UTC         cap     spent   reserved  left",
        "this month  no cap  $0.002  $0.00     -",
        "answers: 0 local, 1 cloud, 0 from the cache",
        IsStr(regex="saved: \\$0.00, against what fake:big, the profile's best cloud model by price, would .* tokens"),
        "model     answers  cost",
        "fake:big  1        $0.002",
    ]


def test_every_cap_is_listed_with_what_it_holds_and_how_many_calls_that_is(home: Path):
    caps = {"MONTHLY_BUDGET": "0.05", "DAILY_BUDGET": "0.04", "PROJECT_BUDGET": "0.03", "CLIENT_BUDGET": "0.0025"}
    for project in ("thesis", "novel"):
        assert pay(home, HYBRID_MCP_PROJECT=project, **caps).returncode == 0
    assert command(home, "ask", "What is 1 + 1?", "--force-local", *SHORT).returncode == 0
    shown = lines(command(home, "budget", HYBRID_MCP_PROJECT="thesis", **caps))
    assert shown[:-3] == [
        "UTC             cap    spent   reserved  left",
        "today           $0.04  $0.004  $0.00     $0.036",
        "this month      $0.05  $0.004  $0.00     $0.046",
        "project thesis  $0.03  $0.002  $0.00     $0.028",
        "each server process may spend $0.0025 (client_budget): its own tool budget_status says what is left of that",
        "you can afford about 14 more calls like this month's paid ones",
        "answers: 1 local, 2 cloud, 0 from the cache",
        IsStr(regex=r"saved: \$0\.0000[1-9]\d*, against what fake:big, the profile's best cloud model by price, .*"),
    ]
    assert shown[-3:] == [
        "model             answers  cost",
        "fake:big          2        $0.004",
        "embedded:smollm2  1        $0.00",
    ]


def test_the_budget_as_csv_has_each_cap_in_plain_dollars(home: Path):
    assert pay(home, MONTHLY_BUDGET="12345.5").returncode == 0
    done = command(home, "budget", "--csv", MONTHLY_BUDGET="12345.5", PROJECT_BUDGET="0.0000001")
    assert done.stdout == (
        "scope,cap_usd,spent_usd,reserved_usd,remaining_usd\n"
        "month,12345.500000000,0.002000000,0.000000000,12345.498000000\n"
        "project,0.000000100,0.002000000,0.000000000,0.000000000\n"
    )
    uncapped = command(home, "budget", "--csv", "--period", "day")
    assert uncapped.stdout.splitlines()[1:] == [
        "day,,0.002000000,0.000000000,",
        "month,5.000000000,0.002000000,0.000000000,4.998000000",
    ]


@pytest.mark.parametrize("asked", ["budget", "usage"])
def test_two_forms_at_once_are_wrong_usage(home: Path, asked: str):
    done = command(home, asked, "--json", "--csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "hybrid-mcp: --json and --csv exclude each other: give one of them\n"


def test_each_alert_is_told_once_on_stderr(home: Path):
    first, second = (pay(home, MONTHLY_BUDGET="0.0045") for _ in range(2))
    third = command(home, "ask", "What is 1 + 1?", "--force-local", *SHORT, MONTHLY_BUDGET="0.0045")
    assert alerts(first) == []
    assert alerts(second)[-1] == "hybrid-mcp: 80 % of the monthly budget of $0.0045 is spent ($0.004)"
    assert alerts(third) == []
    assert second.stdout == "Paid words\n"
    shown = lines(command(home, "budget", MONTHLY_BUDGET="0.0045"))
    assert shown[-1] == "! 80 % of the monthly budget of $0.0045 is spent ($0.004)"
    assert "you cannot afford one more call like this month's paid ones; local models cost nothing" in shown


def test_an_alert_is_told_also_where_the_call_that_raised_it_fails(home: Path, server: FakeServer):
    server.script = reply_always(Reply(content_type="text/event-stream", body=(b"data: {", "cut")))
    done = pay(home, MONTHLY_BUDGET="0.003")
    assert done.returncode == 1
    assert any("of the monthly budget of $0.003 is spent" in alert for alert in alerts(done))
    assert "no model answered" in alerts(done)[-1]


def test_a_spent_budget_is_told_as_such(home: Path):
    assert pay(home).returncode == 0
    shown = lines(command(home, "budget", MONTHLY_BUDGET="0.002"))
    assert shown[1:3] == [
        "this month  $0.002  $0.002  $0.00     $0.00",
        "you cannot afford one more call like this month's paid ones; local models cost nothing",
    ]
    assert shown[-1] == "! the monthly budget of $0.002 is spent ($0.002): paid models wait, local ones answer"


def test_a_budget_of_nothing_is_told_as_what_it_means(home: Path):
    assert lines(command(home, "budget", MONTHLY_BUDGET="0")) == [
        "UTC         cap    spent  reserved  left",
        "this month  $0.00  $0.00  $0.00     $0.00",
        "the monthly budget is $0: no paid model may run, local ones answer",
        "nothing was answered this month",
    ]
    assert pay(home).returncode == 0
    assert lines(command(home, "budget", MONTHLY_BUDGET="0"))[1:4] == [
        "this month  $0.00  $0.002  $0.00     $0.00",
        "the monthly budget is $0: no paid model may run, local ones answer",
        "answers: 0 local, 1 cloud, 0 from the cache",
    ]


@pytest.mark.parametrize(
    ("cap", "named"),
    [("0.002", "the monthly budget of $0.002 is spent"), ("0", "the monthly budget is $0.00")],
)
def test_with_the_budget_spent_a_local_model_answers_and_the_reason_names_the_budget(home: Path, cap: str, named: str):
    assert pay(home).returncode == 0
    for prompt in ("What is the capital of France?", HARD):
        answer = printed(command(home, "ask", prompt, "--json", *SHORT, MONTHLY_BUDGET=cap))
        assert answer == IsPartialDict({"local": True, "cost_usd": 0.0})
        assert named in answer["reason"]
    assert "no paid model may run" in answer["reason"]
    forced = command(home, "ask", HARD, "--force-cloud", MONTHLY_BUDGET=cap)
    assert forced.returncode == 1
    assert named in forced.stderr
    assert "MONTHLY_BUDGET" in forced.stderr


def test_a_model_that_charged_too_much_waits_for_the_owner(home: Path, server: FakeServer):
    server.script = reply_always(OVERBILLED)
    told = "cost $1.001 where at most $0.00"
    [alert] = alerts(pay(home))
    assert f"fake:big {told}" in alert
    server.script = reply_always(ANSWER)

    refused = pay(home)
    assert refused.returncode == 1
    assert told in refused.stderr
    assert "hybrid-mcp models unblock fake:big" in refused.stderr
    assert len(server.requests) == 1
    assert f"! fake:big {told}" in lines(command(home, "budget"))[-1]
    assert f"blocked: fake:big {told}" in lines(command(home, "models"))[-1]
    rows: list[dict[str, Any]] = json.loads(command(home, "models", "--json").stdout)
    assert {row["model"]: row["blocked"] for row in rows} == {"embedded:smollm2": False, "fake:big": True}
    examined = command(home, "doctor")
    assert examined.returncode == 1
    assert re.search(rf"broken +fake:big +blocked: it {re.escape(told)}.* `hybrid-mcp models unblock", examined.stdout)

    unblocked = command(home, "models", "unblock", "fake:big")
    assert unblocked.returncode == 0
    assert unblocked.stdout.startswith("unblocked: fake:big may be paid again (it had cost $1.001 where at most")
    assert pay(home).stdout == "Paid words\n"
    assert command(home, "doctor").returncode == 0


def test_the_owner_corrects_what_a_provider_said_wrong(home: Path, server: FakeServer):
    server.script = reply_always(OVERBILLED)
    assert pay(home, MONTHLY_BUDGET="1").returncode == 0
    server.script = reply_always(ANSWER)
    for refused, code, why in (
        ("1.002", 1, "$1.002 is more than the $1.001 that was charged for the call"),
        ("-1", 2, "--billed: an amount of money must be between $0 and"),
        ("much", 2, "--billed: an amount of money must be a number of dollars"),
    ):
        done = command(home, "models", "unblock", "fake:big", f"--billed={refused}")
        assert (done.returncode, done.stdout) == (code, "")
        assert why in done.stderr
    plain = lines(command(home, "models", "unblock", "fake:big"))
    assert plain[1] == (
        "$1.001 stays charged to the budget. Where the provider's own bill says less: hybrid-mcp models unblock "
        "fake:big --billed USD"
    )
    assert pay(home, MONTHLY_BUDGET="1").returncode == 1

    corrected = lines(command(home, "models", "unblock", "fake:big", "--billed", "0.003"))
    assert corrected[0].startswith("unblocked: fake:big may be paid again (it had cost $1.001 where at most $0.00")
    assert corrected[1] == "corrected: $0.003 is charged to the budget for that, and $0.998 is taken back"
    assert pay(home, MONTHLY_BUDGET="1").stdout == "Paid words\n"
    (row,) = json.loads(command(home, "usage", "--by", "model", "--json").stdout)
    assert (row["requests"], row["cost_usd"]) == (2, 0.003 + COST)
    assert printed(command(home, "budget", "--json"))["spent_usd"] == 0.003 + COST
    assert command(home, "doctor").returncode == 0
    again = command(home, "models", "unblock", "fake:big", "--billed", "0")
    assert again.stderr == "hybrid-mcp: 'fake:big' is not blocked: no model is\n"


def test_a_home_that_was_restored_from_a_backup_is_told(home: Path, tmp_path: Path):
    assert pay(home).returncode == 0
    shutil.copytree(home, tmp_path / "backup")
    assert pay(home).returncode == 0
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "backup", home)
    with (home / "ledger.mark").open() as file:
        if made_ns(file.fileno()) == UNKNOWN:
            pytest.skip("this system does not tell when a file was made")
    told = "the ledger is a copy, or was restored this month: what was spent after the copy was made is not known here"
    for _ in range(2):
        assert told in lines(command(home, "budget"))[-1]
    examined = command(home, "doctor")
    assert examined.returncode == 0
    assert re.search(rf"note +ledger +{re.escape(told)}", examined.stdout)


def test_what_is_not_blocked_is_told_with_what_is(home: Path, server: FakeServer):
    def unblock(name: str) -> str:
        done = command(home, "models", "unblock", name)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr

    assert unblock("fake:big") == "hybrid-mcp: 'fake:big' is not blocked: no model is\n"
    server.script = reply_always(OVERBILLED)
    assert pay(home).returncode == 0
    assert unblock("big") == "hybrid-mcp: 'big' is not blocked: did you mean fake:big?\n"
    assert unblock("zzz") == "hybrid-mcp: 'zzz' is not blocked: blocked are fake:big\n"
    assert command(home, "models", "unblock").returncode == 2


def test_models_are_listed_without_a_ledger_too(home: Path):
    (home / "ledger.db").write_bytes(b"this is no database" * 100)
    done = command(home, "models", "--json")
    assert [row["blocked"] for row in json.loads(done.stdout)] == [None, None]
    assert "no model can be paid, because the ledger" in command(home, "models").stderr


def test_doctor_tells_the_caps_the_project_and_how_the_ledger_is_kept(home: Path):
    found = {
        one["what"]: one["detail"]
        for one in json.loads(
            command(home, "doctor", "--json", "--project", "thesis", DAILY_BUDGET="1", CLIENT_BUDGET="0.5").stdout
        )
    }
    assert found["profile"] == "paid (budgets: month $5.00, day $1.00, project no cap, client $0.50, request $10.00)"
    assert found["project"] == "thesis"
    assert found["ledger"].startswith("every balance is the sum of its entries, and it lies on no network file system")
    assert re.search(r"SQLite \d+\.\d+\.\d+, journal mode (rollback|write-ahead log)\)$", found["ledger"])


def test_spending_that_a_restored_copy_has_forgotten_is_charged_again_and_told(home: Path):
    ledger = home / "ledger.db"
    assert pay(home).returncode == 0
    shutil.copy(ledger, home / "copy.db")
    assert pay(home).returncode == 0
    shutil.copy(home / "copy.db", ledger)
    assert printed(command(home, "budget", "--json"))["spent_usd"] == 2 * COST
    told = "the ledger was replaced by an older copy this month: $0.002"
    assert told in lines(command(home, "budget"))[-1]
    examined = command(home, "doctor")
    assert examined.returncode == 0
    assert re.search(rf"note +ledger +{re.escape(told)}", examined.stdout)


@pytest.mark.anyio
async def test_usage_as_csv_is_read_by_spreadsheets_and_shells(home: Path):
    said = replace(ended("0", tokens=(10, 5)), billed=usd("1234.5"), booked=usd("1234.5"))
    await write_down(
        home,
        ("fake:big", "cloud", said),
        ('=HYPERLINK("http://evil"),x', "local", ended("0", baseline="0.000000001")),
        ("+1:m", "local", ended()), ("-1:m", "local", ended()), ("@sum:m", "local", ended()),
    )  # fmt: skip
    done = command(home, "usage", "--by", "model", "--csv")
    head, *rows = csv.reader(io.StringIO(done.stdout, newline=""))
    assert head == ["model", "requests", "input_tokens", "output_tokens", "cost_usd", "saved_usd", "billed_usd"]
    assert ["fake:big", "1", "10", "5", "0.000000000", "0.000000000", "1234.500000000"] in rows
    assert [
        """'=HYPERLINK("http://evil"),x""", "1", "100", "20", "0.000000000", "0.000000001", "",
    ] in rows  # fmt: skip
    assert sorted(row[0] for row in rows if row[0] != "fake:big") == [
        "'+1:m", "'-1:m", '\'=HYPERLINK("http://evil"),x', "'@sum:m",
    ]  # fmt: skip
    raw = raw_csv(home)
    assert raw.count(os.linesep.encode()) == raw.count(b"\n") == 2
    assert (b"\r" in raw) is ("\r" in os.linesep)


@pytest.mark.anyio
async def test_usage_shows_another_month_by_day_model_or_source(home: Path):
    said = replace(ended("0", tokens=(10, 5)), billed=usd("0.25"), booked=usd("0.25"))
    at = datetime(2020, 2, 3, 12, tzinfo=UTC)
    await write_down(home, ("fake:big", "cloud", said), ("here:small", "local", ended(baseline="0.5")), at=at)
    assert pay(home).returncode == 0

    assert lines(command(home, "usage", "--month", "2020-02")) == [
        "day         requests  input_tokens  output_tokens  cost   saved  billed",
        "2020-02-03  2         110           25             $0.00  $0.50  $0.25",
    ]
    by_source = command(home, "usage", "--by", "source", "--month", "2020-02", "--json")
    shared = {"requests": 1, "cost_usd": 0.0}
    assert json.loads(by_source.stdout) == [
        {"source": "cloud", "input_tokens": 10, "output_tokens": 5, "saved_usd": 0.0, "billed_usd": 0.25, **shared},
        {"source": "local", "input_tokens": 100, "output_tokens": 20, "saved_usd": 0.5, "billed_usd": None, **shared},
    ]
    now = json.loads(command(home, "usage", "--by", "model", "--json").stdout)
    assert [(row["model"], row["cost_usd"]) for row in now] == [("fake:big", COST)]
    assert lines(command(home, "usage", "--month", "2020-03")) == ["nothing was answered in 2020-03 (UTC)"]
    assert lines(command(home, "usage", "--month", "2020-03", "--csv")) == [
        "day,requests,input_tokens,output_tokens,cost_usd,saved_usd,billed_usd"
    ]


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "11-2026", "last", "2026-11-20", "", "２０２６-11"])
def test_a_month_that_is_none_is_told_with_how_to_write_one(home: Path, month: str):
    done = command(home, "usage", "--month", month)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"hybrid-mcp: --month: {month!r} is not a month: write year and month as YYYY-MM, such as 2026-11\n"
    )


@pytest.mark.anyio
async def test_prices_that_a_provider_does_not_keep_to_are_told(home: Path):
    said = replace(ended("0"), billed=usd("0.2"), booked=usd("0.1"))
    await write_down(home, ("fake:big", "cloud", said))
    told = "fake:big says that it charged $0.20 for calls that are worth $0.10 by its price"
    assert f"! {told}" in lines(command(home, "budget"))[-1]
    assert re.search(rf"note +ledger +{re.escape(told)}", command(home, "doctor").stdout)


@pytest.mark.anyio
async def test_a_client_sees_its_caps_its_alerts_and_what_it_can_still_afford(home: Path, server: FakeServer):
    asked = {"prompt": "Do it", "force_cloud": True}
    caps = {"MONTHLY_BUDGET": "0.05", "CLIENT_BUDGET": "0.0045", "PROJECT_BUDGET": "0.03"}
    async with Client(server_parameters(home, "--profile", "paid", FAKE_KEY="k", **caps, **FRESH)) as mcp:
        told = [
            content(await mcp.call_tool("route_completion", {**asked, "context": str(number)}))["budget"]["alerts"]
            for number in range(2)
        ]
        status = content(await mcp.call_tool("budget_status", {}))
        [resource] = (await mcp.read_resource("hybrid://usage/month")).contents
        [profile] = (await mcp.read_resource("hybrid://profile")).contents
        server.script = reply_always(OVERBILLED)
        refused = await mcp.call_tool("route_completion", {**asked, "context": "3"})
    assert told[0] == []
    assert told[1][-1] == "80 % of this client's budget of $0.0045 is spent ($0.004)"
    assert status == IsPartialDict({
        "cap_usd": 0.05, "spent_usd": 2 * COST, "affordable_calls": 0, "alerts": [*told[1]],
        "caps": [
            {"scope": "month", "cap_usd": 0.05, "remaining_usd": 0.046},
            {"scope": "client", "cap_usd": 0.0045, "remaining_usd": 0.0005},
            {"scope": "project", "cap_usd": 0.03, "remaining_usd": 0.026},
        ],
    })  # fmt: skip
    assert json.loads(getattr(resource, "text", "")) == status
    assert json.loads(getattr(profile, "text", "")) == IsPartialDict({
        "monthly_budget": 0.05, "daily_budget": None, "client_budget": 0.0045, "project_budget": 0.03,
    })  # fmt: skip
    assert refused.is_error
    assert len(server.requests) == 2


@pytest.mark.anyio
async def test_a_client_sees_which_models_are_blocked(home: Path, server: FakeServer):
    server.script = reply_always(OVERBILLED)
    async with session(home, "--profile", "paid", FAKE_KEY="k") as mcp:
        answer = content(await mcp.call_tool("route_completion", {"prompt": "Do it", "force_cloud": True}))
        [models] = (await mcp.read_resource("hybrid://models")).contents
        [health] = (await mcp.read_resource("hybrid://health")).contents
    assert answer["cost_usd"] == 1.001
    assert "hybrid-mcp models unblock fake:big" in answer["budget"]["alerts"][0]
    assert [row["blocked"] for row in json.loads(getattr(models, "text", ""))] == [False, True]
    broken = [one["what"] for one in json.loads(getattr(health, "text", "")) if one["state"] == "broken"]
    assert broken == ["fake:big"]


def test_doctor_says_that_a_ledger_may_not_be_written(home: Path):
    assert pay(home).returncode == 0
    (home / "ledger.db").chmod(0o444)
    done = command(home, "doctor")
    (home / "ledger.db").chmod(0o644)
    assert done.returncode == 1
    assert re.search(r"broken +ledger +.*ledger\.db may not be written", done.stdout)
