"""What is wrong with an answer, as far as cheap and pure checks can tell: each sign with its reason in plain words.

Precision comes before recall: a good answer that is doubted costs money. No reason holds a word of prompt or answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hybrid_mcp.domain import (
    answer_amounts,
    answer_choices,
    answer_code,
    answer_counts,
    answer_echo,
    answer_edits,
    answer_forms,
    answer_given_back,
    answer_items,
    answer_keys,
    answer_language,
    answer_loops,
    answer_missing_items,
    answer_named_form,
    answer_nothing,
    answer_numbers,
    answer_options,
    answer_orders,
    answer_printed,
    answer_refusals,
    answer_series,
    answer_truths,
    answer_units,
    answer_wanted,
    answer_words,
)
from hybrid_mcp.domain.answer_text import Exchange, exchange
from hybrid_mcp.domain.completion import REFUSED, Request


@dataclass(frozen=True, slots=True)
class Sign:
    """`sure`: so plain that another paid answer is worth its money."""

    reason: str
    sure: bool = False


_Check = Callable[[Exchange], bool]

_ALWAYS: tuple[tuple[_Check, Sign], ...] = (
    (answer_echo.leaks, Sign("it shows the marks of the model's chat template", sure=True)),
    (lambda given: answer_loops.loops(given.wish, given.text), Sign("it repeats itself over and over", sure=True)),
)
_OF_FREE_TEXT: tuple[tuple[_Check, Sign], ...] = (
    (lambda given: answer_refusals.refuses(given.wish, given.text), Sign(REFUSED, sure=True)),
    (answer_echo.echoes, Sign("it only repeats what was sent")),
    (answer_echo.asks_back, Sign("it answers a question with a question")),
    (
        lambda given: answer_language.is_in_another_language(given.wish, given.asked, given.prose),
        Sign("it is in another language than the prompt"),
    ),
    (answer_code.lacks_code, Sign("the prompt asks for code and there is none")),
    (answer_numbers.misses_the_sum, Sign("its number is not what the prompt's own sum comes to")),
    (answer_numbers.contradicts_itself, Sign("a sum in it is wrong")),
    (answer_counts.breaks_the_count, Sign("it has another number of items than was asked for")),
    (answer_counts.breaks_the_length, Sign("its length is far from what was asked for")),
    (answer_counts.misses_the_choice, Sign("it names none of the choices")),
    (answer_counts.names_two_choices, Sign("it names several of the choices, and one was asked for")),
    (answer_echo.keeps_the_word, Sign("a translation was asked for, and the word is the same")),
    (answer_counts.is_out_of_range, Sign("its number is outside of the range that was asked for")),
)
_OF_LONE_PROMPT: tuple[tuple[_Check, Sign], ...] = (
    (answer_options.names_no_label, Sign("it is not one of the labels that were given")),
    (answer_options.has_another_letter, Sign("its letter stands before the words of another choice")),
    (answer_words.misses_the_word, Sign("it does not spell or count the word as was asked for")),
    (answer_items.misses_the_item, Sign("it names another item of the list than was asked for")),
    (answer_words.does_not_repeat, Sign("it is not the word that was to be repeated")),
    (answer_keys.lacks_keys, Sign("it lacks keys that the prompt names for its JSON")),
    (answer_printed.misses_the_output, Sign("it does not say what the code in the prompt prints")),
    (answer_units.misses_the_amount, Sign("it does not come to the amount that was to be converted")),
    (answer_units.names_the_wrong_unit, Sign("it says of the wrong one of two units that it is the one")),
    (answer_forms.misses_the_form, Sign("it does not hold the number in the form that was asked for")),
    (answer_amounts.misses_the_result, Sign("it does not hold the result of the operation that was asked for")),
    (answer_edits.misses_the_edit, Sign("it does not hold what was to be made of the text")),
    (
        answer_series.misses_what_comes_next,
        Sign("it does not hold the next number, the day, date or time that was asked for"),
    ),
    (answer_truths.tells_an_untruth, Sign("what it says of the prompt's numbers is not true")),
    (answer_orders.breaks_the_order, Sign("the list is not in the order that was asked for")),
    (answer_nothing.says_nothing, Sign("it says nothing that the question does not hold")),
    (answer_nothing.stops_before_it, Sign("it stops where the answer should stand")),
    (answer_nothing.says_it_twice, Sign("it says the same twice as if it were two things")),
    (answer_choices.repeats_the_choices, Sign("it repeats the choices and makes none")),
    (answer_choices.names_no_choice, Sign("it names none of the choices that were given")),
    (answer_given_back.gives_all_back, Sign("it gives the whole text back, and a part was asked for")),
    (answer_missing_items.leaves_items_out, Sign("it leaves out most of what was to be put in order")),
    (answer_given_back.stays_untranslated, Sign("it is not translated")),
    (answer_given_back.keeps_what_was_to_go, Sign("it still holds what was to be taken out")),
    (answer_given_back.stays_as_it_was, Sign("it gives the text back unchanged")),
    (answer_wanted.lacks_the_number, Sign("a number was asked for and there is none")),
    (answer_wanted.lacks_the_value, Sign("a value was to be worked out, and there is no number")),
    (answer_wanted.names_none_of_few, Sign("it names nothing of the kind that was asked for")),
    (answer_named_form.lacks_the_form, Sign("it has not the form that was asked for")),
)
"""What a system prompt or a context may ask to be otherwise."""
_OF_WHOLE_TEXT: tuple[tuple[_Check, Sign], ...] = (
    (answer_code.lacks_json, Sign("the prompt asks for JSON and there is none that parses")),
    (answer_code.has_broken_python, Sign("a block of Python in it does not parse")),
    (answer_code.has_open_braces, Sign("a block of code in it opens other braces than it closes")),
)


def signs(request: Request, text: str) -> Iterator[Sign]:
    """What speaks against it. An answer in a shape is checked elsewhere; one with a stop sequence may end anywhere."""
    given = exchange(request, text)
    checks = _ALWAYS
    if not request.response_schema:
        checks = (*checks, *_OF_FREE_TEXT)
        if not request.stop:
            checks = (*checks, *_OF_WHOLE_TEXT)
            if not (request.context or request.system_prompt):
                checks = (*checks, *_OF_LONE_PROMPT)
    return (sign for check, sign in checks if check(given))
