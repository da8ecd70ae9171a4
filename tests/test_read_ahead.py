from __future__ import annotations

import sys

import anyio
import pytest

from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.errors import ProviderUnavailable
from hybrid_mcp.ports import Progress, ProviderCall
from hybrid_mcp.read_ahead import JUDGED_BY
from tests.support_service import bench, says

pytestmark = pytest.mark.anyio
AGES = 60


@pytest.fixture(autouse=True)
def nothing_judged_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, JUDGED_BY, raising=False)


async def test_what_the_judge_reads_is_read_while_the_first_answer_is_written():
    async def once_it_is_read(_call: ProviderCall, _progress: Progress) -> Completion:
        with anyio.fail_after(AGES):
            while not hasattr(sys.modules.get(JUDGED_BY), "signs"):  # noqa: ASYNC110  # an import sets no event
                await anyio.sleep(0.01)  # leaves the interpreter to the thread that reads
        return says("Paris")

    used = bench(local=["small"], small=[once_it_is_read])
    assert (await used.complete(Request(prompt="Go on"))).text == "Paris"


async def test_a_first_call_that_fails_says_what_failed():
    used = bench(local=["small", "large"], small=[ProviderUnavailable("refused", billed=False)], large=[says("Paris")])
    answer = await used.complete(Request(prompt="Go on"))
    assert [(one.outcome, one.reason) for one in answer.attempts] == [("failed", "refused"), ("ok", "")]
