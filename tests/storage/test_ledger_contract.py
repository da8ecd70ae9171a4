from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest

from hybrid_mcp.domain.budget import SCOPES, Account, Balance, Caps, Keys
from hybrid_mcp.domain.errors import BudgetExceeded, StorageError
from hybrid_mcp.domain.money import ZERO
from hybrid_mcp.domain.reservation import Reservation
from hybrid_mcp.ports import Ledger
from hybrid_mcp.storage.memory import MemoryLedger
from tests.support_books import balance, sent
from tests.support_ledger import ME, FakeClock, ended, free, hold, usd

pytestmark = pytest.mark.anyio

CAPS = Caps(request=usd("10"), day=usd("5"), month=usd("20"), client=usd("30"), project=usd("40"))
NANO = "0.000000001"


async def held(ledger: Ledger) -> Balance:
    """Of every scope, which must be the same, and not differ from what the reports say."""
    balances = (await ledger.view(CAPS, ME)).balances
    of_day, of_month = await ledger.report("day"), await ledger.report("month")
    found = {*balances.values(), of_day.balance, of_month.balance}
    assert set(balances) == set(SCOPES)
    assert len(found) == 1
    return found.pop()


async def test_a_new_book_is_empty(ledger: Ledger) -> None:
    assert await held(ledger) == balance()
    assert await ledger.usage("model") == ()
    assert await ledger.notices() == ()
    assert await ledger.check() == []


async def test_a_reservation_is_set_aside_in_every_scope_of_its_account(ledger: Ledger) -> None:
    asked = hold("0.40")
    reservation = await ledger.reserve(asked, CAPS)
    keys = Keys(day="2026-11-20", month="2026-11", client="client-1", project="2026-11 project-1")
    assert reservation == Reservation(id=reservation.id, hold=asked, keys=keys)
    assert (await ledger.view(CAPS, ME)).keys == keys
    assert await held(ledger) == balance(reserved="0.40")


async def test_settling_charges_the_true_cost_and_frees_the_rest(ledger: Ledger) -> None:
    reservation = await sent(ledger, "0.40")
    assert await held(ledger) == balance(reserved="0.40")
    await ledger.settle(reservation, ended("0.15"))
    assert await held(ledger) == balance(spent="0.15")


async def test_voiding_frees_all_of_it(ledger: Ledger) -> None:
    await ledger.void(await ledger.reserve(hold("0.40"), CAPS))
    assert await held(ledger) == balance()


@pytest.mark.parametrize(("seen", "charged"), [("0.01", "0.40"), ("0.40", "0.40"), ("0.50", "0.50")])
async def test_forfeiting_charges_all_of_it_and_more_where_more_was_seen(
    ledger: Ledger, seen: str, charged: str
) -> None:
    await ledger.forfeit(await sent(ledger, "0.40"), ended(seen, "timeout"))
    assert await held(ledger) == balance(spent=charged)


async def test_a_free_attempt_moves_no_money_under_any_cap(ledger: Ledger) -> None:
    await ledger.settle(await sent(ledger, "3"), ended("3"))
    await ledger.record(free(ended("0")))
    assert await held(ledger) == balance(spent="3")


# Caps


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_cap_may_be_filled_exactly_and_not_by_one_more_nano_dollar(ledger: Ledger, scope: str) -> None:
    caps = Caps(**{scope: usd("1")})
    await ledger.reserve(hold("0.999999999"), caps)
    await ledger.reserve(hold(NANO), caps)
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold(NANO), caps)
    assert await held(ledger) == balance(reserved="1")


@pytest.mark.parametrize(
    "caps",
    [
        Caps(request=usd("0.30")),
        Caps(day=usd("0.30")),
        Caps(month=usd("0.30")),
        Caps(client=usd("0.30")),
        Caps(project=usd("0.30")),
        Caps(day=usd("9"), month=usd("9"), client=usd("9"), project=usd("0.3")),
    ],
)
async def test_a_refused_hold_leaves_nothing_behind_in_any_scope(ledger: Ledger, caps: Caps) -> None:
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold("0.40"), caps)
    assert await held(ledger) == balance()
    assert await ledger.reserve(hold("0.30"), caps)


@pytest.mark.parametrize("scope", ["request", *SCOPES])
async def test_a_cap_of_zero_refuses_any_cost_and_no_free_call(ledger: Ledger, scope: str) -> None:
    caps = Caps(**{scope: ZERO})
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold(NANO), caps)
    assert await ledger.reserve(hold("0"), caps)


async def test_a_call_for_nothing_passes_where_the_cap_was_lowered_below_what_is_spent(ledger: Ledger) -> None:
    await ledger.settle(await sent(ledger, "3"), ended("3"))
    lowered = Caps(day=usd("1"), month=usd("1"), client=usd("1"), project=usd("1"))
    await ledger.settle(await sent(ledger, "0", lowered), ended("0"))
    assert await held(ledger) == balance(spent="3")


async def test_of_fifty_calls_at_once_only_those_that_fit_are_granted(ledger: Ledger) -> None:
    granted: list[Reservation] = []
    refused: list[str] = []

    async def attempt() -> None:
        try:
            granted.append(await ledger.reserve(hold("0.10"), Caps(day=usd("1"))))
        except BudgetExceeded as error:
            refused.append(str(error))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(attempt)
    assert (len(granted), len(refused)) == (10, 40)
    assert await held(ledger) == balance(reserved="1")


@pytest.mark.parametrize(
    ("other", "caps"),
    [
        (Account(client="client-2", project="project-1"), Caps(client=usd("1"))),
        (Account(client="client-1", project="project-2"), Caps(project=usd("1"))),
    ],
)
async def test_clients_and_projects_have_budgets_of_their_own(ledger: Ledger, other: Account, caps: Caps) -> None:
    await ledger.reserve(hold("1"), caps)
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold(NANO), caps)
    await ledger.reserve(hold("1", account=other), caps)
    view = await ledger.view(Caps(), other)
    assert {scope: str(one.reserved) for scope, one in view.balances.items()} == {
        "day": "$2.00",
        "month": "$2.00",
        "client": "$1.00" if other.client != ME.client else "$2.00",
        "project": "$1.00" if other.project != ME.project else "$2.00",
    }


async def test_they_share_the_budgets_of_the_day_and_the_month(ledger: Ledger) -> None:
    await ledger.reserve(hold("1"), Caps(month=usd("1")))
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold(NANO, account=Account(client="client-2", project="project-2")), Caps(month=usd("1")))


# The words of a refusal


async def test_a_refusal_names_the_month_its_numbers_and_what_to_do(ledger: Ledger) -> None:
    await ledger.settle(await sent(ledger, "3"), ended("2.50"))
    await ledger.reserve(hold("1.25"), Caps())
    with pytest.raises(BudgetExceeded) as refused:
        await ledger.reserve(hold("0.50"), Caps(month=usd("4")))
    assert str(refused.value) == (
        "this call to acme:large may cost up to $0.50, which is more than is left of the monthly budget of $4.00 "
        "($2.50 spent, $1.25 reserved, $0.25 left; raise monthly_budget in the profile or MONTHLY_BUDGET, "
        "or wait until 2026-12-01 00:00 UTC). A local model costs nothing and may always be used."
    )


async def test_a_refusal_names_every_cap_that_does_not_hold_it(ledger: Ledger) -> None:
    caps = Caps(request=usd("0.10"), day=usd("0.20"), month=usd("9"), client=usd("0.30"), project=usd("0.40"))
    with pytest.raises(BudgetExceeded) as refused:
        await ledger.reserve(hold("0.50"), caps)
    assert str(refused.value) == (
        "this call to acme:large may cost up to $0.50, which is above the cap of $0.10 for one request (raise max_cost "
        "or ask for fewer output tokens); and more than is left of the daily budget of $0.20 ($0.00 spent, $0.00 "
        "reserved, $0.20 left; raise daily_budget in the profile or DAILY_BUDGET, or wait until 2026-11-21 00:00 UTC); "
        "and more than is left of this client's budget of $0.30 ($0.00 spent, $0.00 reserved, $0.30 left; raise "
        "client_budget in the profile or CLIENT_BUDGET, or start the server anew); and more than is left of this "
        "project's monthly budget of $0.40 ($0.00 spent, $0.00 reserved, $0.40 left; raise project_budget in the "
        "profile or PROJECT_BUDGET, or wait until 2026-12-01 00:00 UTC). A local model costs nothing and may always "
        "be used."
    )


async def test_a_refusal_by_one_scope_does_not_count_itself_in_another(ledger: Ledger) -> None:
    await ledger.settle(await sent(ledger, "0.10"), ended("0.10"))
    with pytest.raises(BudgetExceeded) as refused:
        await ledger.reserve(hold("0.60"), Caps(day=usd("1"), month=usd("1"), client=usd("1"), project=usd("0.50")))
    assert str(refused.value) == (
        "this call to acme:large may cost up to $0.60, which is more than is left of this project's monthly budget of "
        "$0.50 ($0.10 spent, $0.00 reserved, $0.40 left; raise project_budget in the profile or PROJECT_BUDGET, or "
        "wait until 2026-12-01 00:00 UTC). A local model costs nothing and may always be used."
    )
    assert refused.value.passing is False


@pytest.mark.parametrize(
    ("spent", "reserved", "asked", "passing"),
    [("0", "0.60", "0.50", True), ("0.60", "0", "0.50", False), ("0.60", "0.20", "0.40", True), ("0", "1", "2", False)],
)
async def test_a_refusal_tells_whether_calls_under_way_may_free_enough(
    ledger: Ledger, spent: str, reserved: str, asked: str, *, passing: bool
) -> None:
    await ledger.settle(await sent(ledger, spent), ended(spent))
    await ledger.reserve(hold(reserved), Caps())
    with pytest.raises(BudgetExceeded) as refused:
        await ledger.reserve(hold(asked), Caps(day=usd("1"), month=usd("9")))
    assert refused.value.passing is passing


async def test_a_call_that_is_too_dear_by_itself_never_becomes_possible_by_waiting(ledger: Ledger) -> None:
    await ledger.reserve(hold("0.60"), Caps())
    with pytest.raises(BudgetExceeded) as refused:
        await ledger.reserve(hold("0.50"), Caps(request=usd("0.40"), day=usd("1")))
    assert refused.value.passing is False


# The order of steps

Step = Callable[[Ledger, Reservation], Awaitable[None]]


async def dispatch(ledger: Ledger, reservation: Reservation) -> None:
    await ledger.dispatch(reservation)


async def settle(ledger: Ledger, reservation: Reservation) -> None:
    await ledger.settle(reservation, ended("0.10"))


async def void(ledger: Ledger, reservation: Reservation) -> None:
    await ledger.void(reservation)


async def forfeit(ledger: Ledger, reservation: Reservation) -> None:
    await ledger.forfeit(reservation, ended(outcome="failed"))


@pytest.mark.parametrize(
    ("before", "wrong", "message"),
    [
        ((), settle, "is reserved, so it cannot take the step 'settle': nothing was changed"),
        ((), forfeit, "is reserved, so it cannot take the step 'forfeit': nothing was changed"),
        ((dispatch,), dispatch, "is dispatched, so it cannot take the step 'dispatch': send nothing, and call again"),
        ((dispatch,), void, "is dispatched, so it cannot take the step 'void': nothing was changed"),
        ((dispatch, settle), settle, "is settled, so it cannot take the step 'settle': nothing was changed"),
        ((dispatch, settle), forfeit, "is settled, so it cannot take the step 'forfeit': nothing was changed"),
        ((dispatch, settle), void, "is settled, so it cannot take the step 'void': nothing was changed"),
        ((dispatch, forfeit), settle, "is forfeited, so it cannot take the step 'settle': nothing was changed"),
        ((dispatch, forfeit), forfeit, "is forfeited, so it cannot take the step 'forfeit': nothing was changed"),
        ((void,), dispatch, "is voided, so it cannot take the step 'dispatch': send nothing, and call again"),
        ((void,), void, "is voided, so it cannot take the step 'void': nothing was changed"),
    ],
)
async def test_a_step_out_of_order_is_refused_and_moves_no_money(
    ledger: Ledger, before: tuple[Step, ...], wrong: Step, message: str
) -> None:
    reservation = await ledger.reserve(hold("0.40"), CAPS)
    for step in before:
        await step(ledger, reservation)
    money = await held(ledger)
    with pytest.raises(StorageError) as refused:
        await wrong(ledger, reservation)
    assert str(refused.value) == f"the reservation {reservation.id} {message}"
    assert await held(ledger) == money


async def test_a_reservation_of_another_book_is_refused(ledger: Ledger, clock: FakeClock) -> None:
    stranger = await MemoryLedger(clock).reserve(hold("0.40"), CAPS)
    with pytest.raises(StorageError, match="does not hold the reservation"):
        await ledger.dispatch(stranger)


async def test_money_that_the_book_cannot_count_is_refused(ledger: Ledger) -> None:
    most = hold("4000000000")
    await ledger.reserve(most, Caps())
    with pytest.raises(StorageError, match="refused a change that would break the book"):
        await ledger.reserve(most, Caps())
    assert await held(ledger) == Balance(reserved=most.bound)


async def test_a_closed_book_says_so(ledger: Ledger) -> None:
    reservation = await ledger.reserve(hold("0.40"), CAPS)
    await ledger.aclose()
    await ledger.aclose()
    steps: list[Callable[[], Awaitable[object]]] = [
        lambda: ledger.reserve(hold("0.40"), CAPS),
        lambda: ledger.dispatch(reservation),
        lambda: ledger.settle(reservation, ended()),
        lambda: ledger.void(reservation),
        lambda: ledger.forfeit(reservation, ended()),
        lambda: ledger.record(free(ended())),
        lambda: ledger.view(CAPS, ME),
        lambda: ledger.report("day"),
        lambda: ledger.usage("day"),
        lambda: ledger.raise_alerts([]),
        lambda: ledger.unblock("acme:large"),
        ledger.notices,
        ledger.beat,
        ledger.check,
    ]
    for step in steps:
        with pytest.raises(StorageError, match="is closed: open it again"):
            await step()
