from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.errors import ProviderUnavailable
from hybrid_mcp.ports import Progress, ProviderCall
from hybrid_mcp.second_look import JUDGE_SYSTEM_PROMPT
from tests.support_service import Bench, bench, says

pytestmark = pytest.mark.anyio

ASK = Request(prompt="Tell me the capital of Australia", deadline_s=40)
CLOSED = Request(prompt="Which city is the capital of Australia?", deadline_s=40)
SURE = says("The capital is Canberra.", confidence=-0.1)
UNSURE = says("The capital is Sydney.")
PAID = says("Canberra")


def judged(*said: Completion | Exception, answer: Completion = SURE) -> Bench:
    return bench(local=["small"], cloud=["paid"], judge="judge", small=[answer], judge_=[*said], paid=[PAID])


@pytest.mark.parametrize("said", [" **No**, it is not.", "Incorrect.", "The answer is wrong.", "That is not correct"])
async def test_a_judge_that_says_no_brings_the_question_to_the_next_model(said: str):
    used = judged(says(said))
    answer = await used.complete(ASK)
    assert (answer.text, answer.judged, answer.escalated) == ("Canberra", "good", True)
    assert [one.outcome for one in answer.attempts] == ["doubtful", "ok"]
    assert "here:judge judges it to be wrong" in answer.reason
    question = used.scripted.calls[1]
    assert question.messages[0].content == JUDGE_SYSTEM_PROMPT
    assert ASK.prompt in question.messages[1].content
    assert SURE.text in question.messages[1].content


@pytest.mark.parametrize(
    "said", [says("yes"), says("Nothing to add"), says("Correct."), says(""), ProviderUnavailable("down", billed=False)]
)
async def test_a_judge_that_says_anything_else_or_fails_changes_nothing(said: Completion | Exception):
    answer = await judged(said).complete(ASK)
    assert (answer.text, answer.judged, answer.escalated) == (SURE.text, "good", False)
    is_silent = isinstance(said, Exception) or not said.text
    assert ("here:judge gave no verdict on it" in answer.reason) is is_silent


async def test_a_judge_takes_a_quarter_of_what_is_left_at_most_and_the_answer_tells_the_time():
    async def never(call: ProviderCall, progress: Progress) -> Completion:
        used.clock.seconds += 9
        await anyio.sleep_forever()
        raise AssertionError(call, progress)

    used = bench(local=["small"], cloud=["paid"], judge="judge", small=[SURE], judge_=[never], paid=[PAID])
    answer = await used.complete(replace(ASK, deadline_s=0.4))
    assert (answer.text, answer.judged, answer.judging_ms) == (SURE.text, "good", 9000)
    assert "here:judge had no time to judge it" in answer.reason


async def test_nobody_judges_where_no_other_model_could_be_asked():
    used = bench(local=["small"], judge="judge", small=[SURE], judge_=[says("no")])
    assert (await used.complete(ASK)).judged == "good"
    assert used.scripted.called == ["small"]


async def test_a_paid_answer_is_not_judged_by_a_local_model():
    used = judged(says("no"))
    assert (await used.complete(replace(ASK, force_cloud=True))).text == "Canberra"
    assert used.scripted.called == ["paid"]


async def test_a_model_that_tells_no_probabilities_is_asked_twice():
    used = bench(local=["small", "paid"], small=[UNSURE, says("It is Melbourne!")], paid=[PAID])
    answer = await used.complete(CLOSED)
    assert (answer.text, answer.escalated) == ("Canberra", True)
    assert "says something else" in answer.reason
    assert used.scripted.called == ["small", "small", "paid"]
    assert used.scripted.calls[1].temperature
    assert used.notes.deltas == [UNSURE.text, "Canberra"]


@pytest.mark.parametrize(("threshold", "asked"), [(None, 2), (-0.5, 1)])
async def test_confidence_that_nothing_is_known_to_compare_with_spares_no_second_question(
    threshold: float | None, asked: int
):
    sure, other = replace(UNSURE, confidence=-0.1), says("It is Melbourne!", confidence=-0.1)
    used = bench(local=["small", "paid"], confidence=threshold, small=[sure, other], paid=[PAID])
    answer = await used.complete(CLOSED)
    assert used.scripted.called.count("small") == asked
    assert answer.escalated is (asked == 2)


async def test_one_that_says_the_same_again_is_believed():
    used = bench(local=["small", "paid"], small=[UNSURE, says("Sydney is the capital.")], paid=[PAID])
    assert (await used.complete(CLOSED)).text == UNSURE.text


async def test_what_may_be_said_in_many_ways_is_not_asked_for_twice():
    used = bench(local=["small"], cloud=["paid"], small=[says("Milo")], paid=[PAID])
    assert (await used.complete(Request(prompt="Suggest a name for my cat"))).text == "Milo"
    assert used.scripted.called == ["small"]


async def test_a_long_text_is_not_asked_for_twice():
    long = says(
        " ".join(f"In the year {year} it was called the capital of {year % 7} provinces." for year in range(1901, 1913))
    )
    used = bench(local=["small", "paid"], small=[long, says("Something else")], paid=[PAID])
    assert (await used.complete(CLOSED)).text == long.text
