from __future__ import annotations

from dataclasses import replace

import pytest

from hybrid_mcp.domain.budget import SCOPES, Account, Caps, Overbilled
from hybrid_mcp.domain.errors import BudgetExceeded, InvalidRequest, StorageError
from hybrid_mcp.domain.money import ZERO
from hybrid_mcp.domain.usage import UsageRow
from hybrid_mcp.ports import Ledger
from tests.support_books import balance, held, pay, sent
from tests.support_ledger import ME, NOON, FakeClock, ended, hold, usd

pytestmark = pytest.mark.anyio

CAPS = Caps(day=usd("5"), month=usd("5"), client=usd("5"), project=usd("5"))
OTHER = Account(client="client-2", project="project-2")


async def overbill(ledger: Ledger, cost: str = "30", account: Account = ME) -> None:
    reservation = await ledger.reserve(hold("0.40", account=account), Caps())
    await ledger.dispatch(reservation)
    await ledger.settle(reservation, ended(cost, baseline="31"))


async def test_a_correction_charges_what_was_billed_in_every_scope_and_lets_the_model_be_paid(ledger: Ledger) -> None:
    await pay(ledger, "0.10")
    await overbill(ledger)
    assert await ledger.unblock("acme:large", usd("0.02")) == Overbilled(
        model="acme:large", bound=usd("0.40"), cost=usd("30"), at=NOON
    )
    view = await ledger.view(CAPS, ME)
    assert dict(view.balances) == dict.fromkeys(SCOPES, balance("0.12"))
    assert view.blocked == {}
    assert await ledger.reserve(hold("4.88"), CAPS)
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold("0.000000001"), CAPS)


async def test_reports_show_what_was_billed_and_no_more_saved_than_before(ledger: Ledger) -> None:
    await overbill(ledger)
    await ledger.unblock("acme:large", usd("0.02"))
    row = UsageRow(key="acme:large", requests=1, input_tokens=100, output_tokens=20, cost=usd("0.02"), saved=usd("1"))
    assert await ledger.usage("model") == (row,)
    assert await ledger.usage("day") == (replace(row, key="2026-11-20"),)
    report = await ledger.report("month")
    assert (report.balance, report.saved, report.by_model[0].cost) == (balance("0.02"), usd("1"), usd("0.02"))


async def test_a_correction_counts_where_the_call_did_and_not_today(ledger: Ledger, clock: FakeClock) -> None:
    await overbill(ledger)
    clock.advance(20 * 86_400)
    await pay_small(ledger)
    await ledger.unblock("acme:large", usd("0.02"))
    assert await held(ledger) == balance("0.10")
    assert [row.cost for row in await ledger.usage("day", "2026-11")] == [usd("0.02")]
    assert [row.cost for row in await ledger.usage("day", "2026-12")] == [usd("0.10")]
    assert (await ledger.view(Caps(), ME)).balances["client"] == balance("0.12")


async def pay_small(ledger: Ledger) -> None:
    reservation = await ledger.reserve(hold("0.10", model="acme:small"), Caps())
    await ledger.dispatch(reservation)
    await ledger.settle(reservation, ended("0.10"))


async def test_calls_that_were_overbilled_together_are_corrected_together(ledger: Ledger, clock: FakeClock) -> None:
    reservations = [await ledger.reserve(hold("0.40", account=account), Caps()) for account in (ME, OTHER)]
    for reservation, cost in zip(reservations, ("10", "30"), strict=True):
        await ledger.dispatch(reservation)
        clock.advance(1)
        await ledger.settle(reservation, ended(cost))
    both = (await ledger.view(Caps(), ME)).blocked["acme:large"]
    assert both.what == "cost $40.00 in 2 calls where at most $0.80 was expected (2026-11-20 12:00 UTC)"
    with pytest.raises(InvalidRequest, match=r"\$40\.01 is more than the \$40\.00 that was charged for the 2 calls"):
        await ledger.unblock("acme:large", usd("40.01"))
    assert await ledger.unblock("acme:large", usd("4")) == both
    assert await held(ledger) == balance("4")
    for account, share in ((ME, "1"), (OTHER, "3")):
        balances = (await ledger.view(Caps(), account)).balances
        assert (balances["client"], balances["project"]) == (balance(share), balance(share))


async def test_more_than_was_charged_is_refused_and_changes_nothing(ledger: Ledger) -> None:
    await overbill(ledger)
    with pytest.raises(InvalidRequest) as refused:
        await ledger.unblock("acme:large", usd("30.000000001"))
    assert str(refused.value) == (
        "$30.000000001 is more than the $30.00 that was charged for the call: give what the provider's own bill says. "
        "Nothing was changed"
    )
    assert await held(ledger) == balance("30")
    assert list((await ledger.view(Caps(), ME)).blocked) == ["acme:large"]


@pytest.mark.parametrize("billed", ["0", "30"])
async def test_all_or_nothing_of_the_charge_may_have_been_billed(ledger: Ledger, billed: str) -> None:
    await overbill(ledger)
    assert await ledger.unblock("acme:large", usd(billed)) is not None
    assert await held(ledger) == balance(billed)


async def test_a_correction_is_made_once(ledger: Ledger) -> None:
    await overbill(ledger)
    assert await ledger.unblock("acme:large", usd("1")) is not None
    assert await ledger.unblock("acme:large", usd("0")) is None
    assert await ledger.unblock("acme:large") is None
    assert await held(ledger) == balance("1")


async def test_what_was_unblocked_can_be_corrected_later_until_it_is_blocked_again(ledger: Ledger) -> None:
    await overbill(ledger, "20")
    await ledger.unblock("acme:large")
    await overbill(ledger, "30")
    await ledger.unblock("acme:large")
    assert await ledger.unblock("acme:large", usd("1")) is not None
    assert await held(ledger) == balance("21")
    assert await ledger.unblock("acme:large", usd("0")) is None
    assert await ledger.unblock("acme:small", usd("0")) is None


async def test_a_correction_of_what_blocks_now_leaves_an_older_charge(ledger: Ledger) -> None:
    await overbill(ledger, "20")
    await ledger.unblock("acme:large")
    await overbill(ledger, "30")
    await ledger.unblock("acme:large", usd("1"))
    assert await held(ledger) == balance("21")
    assert await ledger.unblock("acme:large", usd("0")) is None


async def test_a_late_bill_above_its_bound_is_corrected_too(ledger: Ledger, clock: FakeClock) -> None:
    reservation = await sent(ledger, "0.40", lease_s=50)
    clock.advance(50)
    await ledger.settle(reservation, ended("30"))
    await ledger.unblock("acme:large", usd("0.02"))
    assert await held(ledger) == balance("0.02")


async def test_an_unknown_outcome_that_was_charged_above_its_bound_is_corrected_too(ledger: Ledger) -> None:
    await ledger.forfeit(await sent(ledger, "0.40"), ended("30", "timeout"))
    await ledger.unblock("acme:large", usd("0.02"))
    assert await held(ledger) == balance("0.02")


async def test_a_corrected_reservation_takes_no_other_step(ledger: Ledger) -> None:
    reservation = await sent(ledger, "0.40")
    await ledger.settle(reservation, ended("30"))
    await ledger.unblock("acme:large", usd("0.02"))
    for step in (ledger.settle, ledger.forfeit):
        with pytest.raises(StorageError, match="is corrected, so it cannot take the step"):
            await step(reservation, ended("1"))
    assert await held(ledger) == balance("0.02")


@pytest.mark.parametrize("booked", ["0.01", None])
async def test_what_the_provider_said_wrong_of_the_call_is_taken_back_with_it(
    ledger: Ledger, booked: str | None
) -> None:
    wrong = replace(ended("30"), billed=usd("30"), booked=None if booked is None else usd(booked))
    await ledger.settle(await sent(ledger, "0.40"), wrong)
    assert len(await ledger.notices()) == 1
    await ledger.unblock("acme:large", usd("0.02"))
    assert await ledger.notices() == ()
    assert [(row.cost, row.billed) for row in await ledger.usage("model")] == [(usd("0.02"), usd("0.02"))]


async def test_a_corrected_request_can_go_on(ledger: Ledger) -> None:
    reservation = await ledger.reserve(hold("0.40", request_id="one"), Caps())
    await ledger.dispatch(reservation)
    await ledger.settle(reservation, ended("30", "doubtful", baseline="31"))
    await ledger.unblock("acme:large", usd("0.02"))
    again = await ledger.reserve(hold("0.40", request_id="one", model="acme:small"), Caps())
    await ledger.dispatch(again)
    await ledger.settle(again, ended("0.30", baseline="31"))
    assert {row.key: (row.requests, row.cost) for row in await ledger.usage("model")} == {
        "acme:large": (0, usd("0.02")), "acme:small": (1, usd("0.30")),
    }  # fmt: skip
    assert (await held(ledger)).reserved == ZERO
