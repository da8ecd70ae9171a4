from __future__ import annotations

from dataclasses import replace
from math import log

import anyio
import pytest

from hybrid_mcp.domain.agreement import EXAMPLES
from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.confidence import confidence_of, floor_at
from hybrid_mcp.domain.errors import ProviderUnavailable
from hybrid_mcp.domain.scorer import score
from hybrid_mcp.domain.second_opinion import PLAIN_SYSTEM_PROMPT
from hybrid_mcp.ports import Progress, ProviderCall
from tests.support_service import Behaviour, Bench, bench, says

pytestmark = pytest.mark.anyio

ASK = Request(prompt="Explain what the capital of Australia is", deadline_s=40)
CLOSED = Request(prompt="Which city is the capital of Australia?", deadline_s=40)
SURE = says("The capital is Canberra.", confidence=-0.1)
UNSURE = says("The capital is Sydney.")
PAID = says("Canberra")
THRESHOLD = -1.0
FLOOR = floor_at(THRESHOLD, score(CLOSED).unlearned / 100)


def judged(*said: Completion | Exception, answer: Completion = SURE) -> Bench:
    return bench(local=["small"], cloud=["paid"], judge="judge", small=[answer], judge_=[*said], paid=[PAID])


def asked_itself(*said: Completion | Exception, answer: Completion) -> Bench:
    """A judge beside a question with one answer, which is not worth a paid model."""
    return bench(
        local=["small", "paid"], confidence=THRESHOLD if answer.confidence else None, judge="judge", small=[answer],
        judge_=[*said], paid=[PAID],
    )  # fmt: skip


@pytest.mark.parametrize("said", [" **No**, it is not.", "Incorrect.", "The answer is wrong.", "That is not correct"])
async def test_a_judge_that_says_no_brings_the_question_to_the_next_model(said: str):
    used = judged(says(said))
    answer = await used.complete(ASK)
    assert (answer.text, answer.judged, answer.escalated) == ("Canberra", "good", True)
    assert [one.outcome for one in answer.attempts] == ["doubtful", "ok"]
    assert "here:judge judges it to be wrong" in answer.reason
    question = used.scripted.calls[1]
    assert question.messages[0].content == PLAIN_SYSTEM_PROMPT
    assert ASK.prompt in question.messages[1].content
    assert SURE.text in question.messages[1].content


@pytest.mark.parametrize(
    "said",
    [
        *map(
            says,
            ["yes", "Nothing to add", "Correct.", "", "No mistakes found: yes", "No problem, yes.", "No issues. Yes"],
        ),
        *map(says, ["Nothing is wrong", "Yes, not incorrect", "Yes, that is right, nothing here is wrong."]),
        ProviderUnavailable("down", billed=False),
    ],
)
async def test_a_judge_that_says_anything_else_or_fails_changes_nothing(said: Completion | Exception):
    answer = await judged(said).complete(ASK)
    assert (answer.text, answer.judged, answer.escalated) == (SURE.text, "good", False)
    is_silent = isinstance(said, Exception) or not said.text
    assert ("here:judge gave no verdict on it" in answer.reason) is is_silent


async def test_a_judge_answers_a_question_itself_first_and_then_compares():
    used = asked_itself(says("Canberra"), says("yes"), answer=SURE)
    answer = await used.complete(CLOSED)
    assert (answer.text, answer.judged, answer.escalated) == (SURE.text, "good", False)
    first, brief, verdict = used.scripted.calls
    assert (first.model, brief.model, verdict.model) == ("small", "judge", "judge")
    assert brief.messages[1].content == EXAMPLES[0][0]
    assert brief.messages[-1] == first.messages[-1]
    assert verdict.max_output_tokens == 1
    for told in (CLOSED.prompt, "Expected: Canberra", SURE.text):
        assert told in verdict.messages[-1].content
    assert not any(call.counts for call in (brief, verdict))


@pytest.mark.parametrize(
    ("text", "said", "answered"),
    [
        ("It is Sydney.", ["Canberra", "no"], "paid"),
        ("It is Sydney.", ["Canberra", "yes"], "paid"),  # it says yes too often
        ("It is Sydney.", ["Canberra", "What?"], "paid"),
        ("It is Sydney.", ["Sydney", "no"], "small"),
        ("It is Sydney.", ["Sydney", "yes"], "small"),
        ("It is Sydney.", ["?", "yes"], "small"),
        ("It is Sydney.", ["?", "no"], "paid"),
    ],
)
async def test_its_own_answer_counts_for_more_than_a_verdict_without_probabilities(
    text: str, said: list[str], answered: str
):
    used = asked_itself(*map(says, said), answer=says(text))
    answer = await used.complete(CLOSED)
    assert answer.text == (PAID.text if answered == "paid" else text)
    assert ("here:judge judges it to be wrong" in answer.reason) == (answered == "paid")


@pytest.mark.parametrize(
    ("sure_of_yes", "sure_of_no", "answered"), [(0.99, None, "small"), (0.55, None, "paid"), (None, 0.55, "paid")]
)
async def test_how_sure_the_judge_is_counts(sure_of_yes: float | None, sure_of_no: float | None, answered: str):
    word, sure = ("yes", sure_of_yes) if sure_of_yes else ("no", sure_of_no)
    assert sure
    verdict = says(word, confidence=confidence_of([log(sure)]))
    used = asked_itself(says("?"), verdict, answer=UNSURE)
    assert (await used.complete(CLOSED)).text == (PAID.text if answered == "paid" else UNSURE.text)


@pytest.mark.parametrize(("above", "said", "answered"), [(-0.5, "Sydney", "small"), (0.5, "Canberra", "paid")])
async def test_a_judge_makes_an_unsure_answer_good_and_a_sure_one_doubtful(above: float, said: str, answered: str):
    unsure = replace(UNSURE, confidence=FLOOR + above)
    used = asked_itself(says(said), says("yes"), answer=unsure)
    answer = await used.complete(CLOSED)
    assert (answer.text, answer.judged) == (PAID.text if answered == "paid" else UNSURE.text, "good")
    assert ("here:judge judges it to be wrong" in answer.reason) == (answered == "paid")


async def test_a_judge_that_cannot_tell_leaves_an_unsure_answer_unsure():
    used = asked_itself(says("?"), says("yes"), answer=replace(UNSURE, confidence=FLOOR - 0.5))
    answer = await used.complete(CLOSED)
    assert (answer.text, answer.escalated) == (PAID.text, True)
    assert "is below the threshold" in answer.reason
    assert "here:judge does not make it surer" in answer.reason


@pytest.mark.parametrize(
    "said",
    [
        says(""),
        replace(says("Well, the user wants to know which city"), finish="length"),
        ProviderUnavailable("down", billed=False),
    ],
)
async def test_a_judge_that_does_not_answer_itself_changes_nothing(said: Completion | Exception):
    used = asked_itself(said, answer=SURE)
    answer = await used.complete(CLOSED)
    assert (answer.text, answer.judged) == (SURE.text, "good")
    assert "here:judge gave no verdict on it" in answer.reason
    assert used.scripted.called == ["small", "judge"]


@pytest.mark.parametrize(("own", "answered"), [("Canberra", "paid"), ("Sydney", "small")])
async def test_a_judge_that_has_no_time_for_a_verdict_is_taken_at_its_own_answer(own: str, answered: str):
    used = bench(
        local=["small", "paid"], judge="judge", small=[UNSURE], judge_=[says(own), never], paid=[PAID],
    )  # fmt: skip
    answer = await used.complete(replace(CLOSED, deadline_s=2))
    assert (answer.text, answer.judged) == (PAID.text if answered == "paid" else UNSURE.text, "good")
    assert "had no time" not in answer.reason


@pytest.mark.parametrize(("text", "answered"), [("It is Sydney.", "paid"), ("It is Canberra.", "small")])
async def test_where_the_judge_fails_at_its_verdict_its_own_answer_alone_counts(text: str, answered: str):
    used = asked_itself(says("Canberra"), ProviderUnavailable("down", billed=False), answer=says(text))
    assert (await used.complete(CLOSED)).text == (PAID.text if answered == "paid" else text)


@pytest.mark.parametrize("said", ["<think>\nThe user asks", "<think>\nWell.\n</think>"])
async def test_a_judge_that_only_thinks_changes_nothing(said: str):
    used = asked_itself(says(said), says("no"), answer=SURE)
    answer = await used.complete(CLOSED)
    assert (answer.text, answer.judged) == (SURE.text, "good")
    assert "here:judge gave no verdict on it" in answer.reason


async def test_a_judge_reads_the_context_too():
    used = asked_itself(says("Canberra"), says("yes"), answer=SURE)
    await used.complete(replace(CLOSED, context="The seat of government moved in 1927."))
    assert all("moved in 1927" in call.messages[-1].content for call in used.scripted.calls)


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


async def test_no_second_look_is_taken_where_only_weaker_models_are_left():
    unsure = says("It is Sydney.")
    used = bench(local=["small", "big"], small=[unsure], big=[unsure, says("Perth"), says("Melbourne")])
    answer = await used.complete(replace(CLOSED, preferred_model="here:big"))
    assert (answer.model, answer.judged) == ("here:big", "good")
    assert used.scripted.called == ["big"]


async def test_a_paid_answer_is_not_judged_by_a_local_model():
    used = judged(says("no"))
    assert (await used.complete(replace(ASK, force_cloud=True))).text == "Canberra"
    assert used.scripted.called == ["paid"]


MELBOURNE = says("It is Melbourne!")


async def never(call: ProviderCall, progress: Progress) -> Completion:
    await anyio.sleep_forever()
    raise AssertionError(call, progress)


async def test_a_model_that_tells_no_probabilities_is_asked_again_in_short_and_once_more_at_a_temperature():
    used = bench(local=["small", "paid"], small=[UNSURE, says("Melbourne"), says("It is Perth!")], paid=[PAID])
    answer = await used.complete(CLOSED)
    assert (answer.text, answer.escalated) == ("Canberra", True)
    assert "asked again, the model says something else" in answer.reason
    assert used.scripted.called == ["small", "small", "small", "paid"]
    first, brief, sample = used.scripted.calls[:3]
    assert (brief.messages[0], brief.messages[-1]) == (first.messages[0], first.messages[-1])
    assert brief.messages[1].content == EXAMPLES[0][0]
    assert not brief.temperature
    assert sample.messages == first.messages
    assert sample.temperature
    assert used.notes.deltas == [UNSURE.text, "Canberra"]


@pytest.mark.parametrize(
    ("above", "others", "asked", "answered"),
    [
        (0.5, [], 1, "small"),  # sure enough, whatever it says then
        (-2.0, [], 1, "paid"),  # too unsure
        (-0.1, ["Sydney", "It is Sydney."], 3, "small"),
        (-0.1, ["Melbourne", "Perth"], 3, "paid"),
        (0.1, ["Melbourne", "Perth"], 3, "paid"),
        (0.1, ["Sydney", "Perth"], 3, "small"),
        (0.1, ["", "Perth"], 3, "paid"),
        (-0.1, ["", ""], 3, "paid"),
        (0.1, ["", ""], 3, "small"),
    ],
)
async def test_other_answers_make_one_surer_or_less_sure_where_that_can_turn_the_verdict(
    above: float, others: list[str], asked: int, answered: str
):
    said: list[Completion | Exception | Behaviour] = [replace(UNSURE, confidence=FLOOR + above), *map(says, others)]
    used = bench(local=["small", "paid"], confidence=THRESHOLD, small=said, paid=[PAID])
    answer = await used.complete(CLOSED)
    assert used.scripted.called.count("small") == asked
    assert (answer.text, answer.judged) == (PAID.text if answered == "paid" else UNSURE.text, "good")
    assert answer.attempts[0].outcome == ("doubtful" if answered == "paid" else "ok")


async def test_confidence_that_nothing_is_known_to_compare_with_is_no_confidence():
    sure = replace(UNSURE, confidence=-0.1)
    used = bench(local=["small", "paid"], small=[sure, MELBOURNE, MELBOURNE], paid=[PAID])
    assert (await used.complete(CLOSED)).escalated


async def test_one_that_says_the_same_again_is_believed():
    used = bench(local=["small", "paid"], small=[UNSURE, says("Sydney"), says("Sydney is the capital.")], paid=[PAID])
    assert (await used.complete(CLOSED)).text == UNSURE.text


async def test_thoughts_are_no_other_answer():
    thinks = says("<think>Is it Melbourne?")
    used = bench(local=["small", "paid"], small=[UNSURE, thinks, thinks], paid=[PAID])
    assert (await used.complete(CLOSED)).text == UNSURE.text


async def test_beside_a_context_it_is_asked_again_without_examples():
    used = bench(local=["small", "paid"], small=[UNSURE, MELBOURNE], paid=[PAID])
    answer = await used.complete(replace(CLOSED, context="Melbourne was the seat of government until 1927."))
    assert answer.escalated
    assert used.scripted.called == ["small", "small", "paid"]


async def test_an_unsure_answer_is_not_asked_for_again_where_no_other_model_could_be_asked():
    used = bench(local=["small"], confidence=THRESHOLD, small=[replace(UNSURE, confidence=FLOOR - 0.1)])
    assert (await used.complete(CLOSED)).judged == "doubtful"
    assert used.scripted.called == ["small"]


async def test_what_may_be_said_in_many_ways_is_not_asked_for_twice():
    used = bench(local=["small"], cloud=["paid"], small=[says("Milo")], paid=[PAID])
    assert (await used.complete(Request(prompt="Suggest a name for my cat"))).text == "Milo"
    assert used.scripted.called == ["small"]


async def test_a_long_text_is_not_asked_for_twice():
    long = says(
        " ".join(f"In the year {year} it was called the capital of {year % 7} provinces." for year in range(1901, 1913))
    )
    used = bench(local=["small", "paid"], small=[long], paid=[PAID])
    assert (await used.complete(CLOSED)).text == long.text
