"""Not one cent over the cap, judged by a provider that keeps its own bill: `make bench-money` in small."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from bench import paid
from bench.biller import Tariff
from bench.kills import kill_loop
from bench.paid import Call
from bench.stress import Load, stress

from hybrid_mcp.domain.money import Usd
from tests.support_e2e import program
from tests.support_long import LONG

KILLS = 12 if LONG else 6
TARIFF = Tariff(input_nanos=10, output_nanos=156_000, answer_tokens=256, latency_ms=(10, 60))
"""An answer costs 4 cents, and its prompt next to nothing."""


@pytest.mark.parametrize("largest_answer", [256, 3 * 256], ids=["bound-is-the-cost", "bound-is-three-times-the-cost"])
def test_two_servers_under_load_never_spend_over_the_cap_and_use_it_up(
    tmp_path: Path, largest_answer: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(paid, "PROGRAM", program())
    call = Call(tariff=TARIFF, max_output_tokens=largest_answer)
    load = Load(call=call, cap=Usd.limit("0.50"), processes=2, calls=15, at_once=15)
    outcome = anyio.run(stress, tmp_path, load)
    assert outcome.broken == ()
    assert outcome.others == ()
    assert outcome.answered + outcome.refused == 30
    assert outcome.refused > 0


def test_processes_killed_in_the_middle_of_calls_never_make_the_bill_larger_than_the_ledger(tmp_path: Path):
    call = Call(tariff=TARIFF, max_output_tokens=2 * 256, deadline_s=3)
    killed = kill_loop(tmp_path, call, kills=KILLS, workers=3, give_up_s=120)
    assert killed.broken == ()
    assert killed.kills >= KILLS
    assert killed.at_rest.spent > killed.at_rest.billed  # calls were torn apart, and charged in full
