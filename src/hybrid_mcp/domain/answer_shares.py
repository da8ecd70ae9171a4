"""Shares, discounts, prices and rates that a short prompt asks for."""

from __future__ import annotations

import re
from fractions import Fraction

from hybrid_mcp.domain.answer_terms import COIN, MONEY, A, B, N, Row, Values, number


def _less(found: re.Match[str]) -> Values:
    return (number(found, "b") * (1 - number(found) / 100),)


def _on_top(found: re.Match[str]) -> Values:
    """The part, or all with it."""
    share, whole = number(found), number(found, "b")
    return (whole * share / 100, whole * (1 + share / 100))


def _change(found: re.Match[str]) -> Values:
    before, after = number(found), number(found, "b")
    return ((after - before) / before * 100,) if before else ()


def _part_of(found: re.Match[str]) -> Values:
    whole, part = number(found), number(found, "b")
    return (part / whole * 100,) if whole else ()


def _fraction_of(found: re.Match[str]) -> Values:
    names = {"third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
    if found["above"]:
        return (Fraction(int(found["above"]), int(found["below"])) * number(found),) if int(found["below"]) else ()
    part = names[found["part"].casefold().removesuffix("s")]
    top = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}[(found["top"] or "one").casefold()]
    return (Fraction(top, part) * number(found),)


SHARES: tuple[Row, ...] = (
    (rf"{A} ?(?:%|percent|per cent) off (?:of )?{B}{COIN}", _less),
    (
        (
            rf"(?:an?|the|my|this) [a-z]{{2,15}} (?:costs|is priced at|is) {B}{COIN}(?:,? and|,? but|\.) "
            rf"(?:it )?is {A} ?(?:%|percent) off[.,;:] "
            r"(?:what(?:'s|’s| is) |how much is )?(?:the )?(?:sale|final|new|discounted|reduced) price"
        ),
        _less,
    ),
    (
        (
            rf"(?:(?:price|cost) (?:of|for) )?(?:an? [a-z]{{2,15}} (?:of|for|at) )?{B}{COIN} (?:after"
            rf"|with|less|minus) an? {A} ?(?:%|percent) (?:discount|reduction)"
        ),
        _less,
    ),
    (
        (
            rf"(?:an? )?{A} ?(?:%|percent) (?:tip|vat|tax|sales tax|gratuity|surcharge|markup|commission"
            rf"|interest) (?:on|for|of)(?: an?)? {B}{COIN}(?: bill| meal| purchase)?"
        ),
        _on_top,
    ),
    (rf"from {A} to {B}[:,] (?:what is )?(?:the )?(?:percentage|percent) (?:increase|decrease|change)", _change),
    (rf"(?:percentage|percent) (?:increase|decrease|change) from {A} to {B}", _change),
    (rf"what (?:percent|percentage) of {A} is {B}", _part_of),
    (rf"{B} is what (?:percent|percentage) of {A}", _part_of),
    (
        (
            r"(?:(?P<top>a|an|one|two|three|four|five) )?(?P<part>third|quarter|fourth|fifth|sixth|eighth"
            rf"|tenth)s? of {MONEY}(?P<above>)(?P<below>)(?P<a>{N})"
        ),
        _fraction_of,
    ),
    (rf"(?P<above>\d{{1,3}}) ?/ ?(?P<below>\d{{1,3}}) of {MONEY}(?P<a>{N})", _fraction_of),
    (
        (
            rf"increase {A}{COIN} by {B} ?(?:%|percent|per cent)|{A.replace('<a>', '<aa>')}{COIN} "
            rf"(?:plus|increased by) {B.replace('<b>', '<bb>')} ?(?:%|percent)(?: (?:tax|sales tax|vat|tip"
            r"|interest))?"
        ),
        lambda found: (
            number(found, "a" if found["a"] else "aa") * (1 + number(found, "b" if found["b"] else "bb") / 100),
        ),
    ),
    (
        rf"(?:decrease|reduce) {A}{COIN} by {B} ?(?:%|percent|per cent)",
        lambda found: (number(found) * (1 - number(found, "b") / 100),),
    ),
    (
        (
            rf"(?:if )?(?:an?|the|my|this) (?:[a-z]{{2,15}} ){{1,2}}(?:costs|is priced at|is) {B}{COIN}"
            r"(?:,? and|,? but|[.,;])? (?:i get|there is|there's|you get|it has|it is|it's|gets"
            r"|has)? ?(?:reduced by )?(?:an? )?"
            rf"{A} ?(?:%|percent)(?: (?:off|discount|reduction))?[.,;:] (?:what do i pay|what(?:'s|’s| is)"
            r" the (?:new|sale|final|discounted|reduced) price|how much (?:do i|will i|must i) pay|how"
            r" much is it now)"
        ),
        _less,
    ),
    (
        (
            rf"an? {B}[- ]?(?:dollar|euro|pound)s? (?:[a-z]{{2,15}} )is (?:reduced by|discounted by|marked"
            rf" down by|marked down) {A} ?(?:%|percent)(?: off)?[.,;:] (?:what(?:'s|’s| is) the (?:new"
            r"|sale|final) price|how much is it now)"
        ),
        _less,
    ),
    (
        (
            rf"(?:an?|one|each|every|the) (?P<thing>[a-z]{{2,15}}) (?:costs|weighs|holds) {A}{COIN}"
            rf"(?: [a-z]{{1,12}})?(?: each)?[.,;:] (?:how much|what) (?:do|does|will|would) {B}(?: "
            r"(?P=thing)(?:s|es)?)? (?:cost|weigh|hold)"
        ),
        lambda found: (number(found) * number(found, "b"),),
    ),
    (
        (
            rf"{A} [a-z]{{3,15}} (?:at|for) {B}{COIN} each[.,;:]? ?(?:total|total cost|total price|how"
            r" much (?:is that|do they cost)|what is the total)?(?: cost| in all)?"
        ),
        lambda found: (number(found) * number(found, "b"),),
    ),
    (
        (
            rf"{A} (?P<thing>[a-z]{{2,15}}?)(?:s|es) cost {B}{COIN}(?: in total| altogether)?[.,;:] "
            r"(?:what|how much) (?:does|is|would) (?:one|a single|an?|each)(?: (?P=thing))?(?: cost)?"
        ),
        lambda found: (number(found, "b") / number(found),) if number(found) else (),
    ),
    (
        (
            rf"there are {A} (?P<thing>[a-z]{{2,15}}?)(?:s|es)? (?:with|of|holding|each with|containing)"
            rf" {B} (?P<inner>[a-z]{{2,15}})(?: in)?(?: each| per (?P=thing))(?: (?:of them|one|"
            r"(?P=thing)))?[.,;:] how many (?P=inner) (?:are there|is that)"
        ),
        lambda found: (number(found) * number(found, "b"),),
    ),
    (
        (
            rf"{A} (?P<thing>[a-z]{{2,15}}) are (?:shared|divided|split|distributed)(?: equally| evenly)? "
            rf"(?:by|among|between|amongst) {B} (?P<who>[a-z]{{2,15}})[.,;:] how many(?: "
            r"(?P=thing))?(?: does| do| will)?(?: each)?(?: [a-z]{2,12})?(?: gets?| receives?)?"
        ),
        lambda found: (number(found) / number(found, "b"),) if number(found, "b") else (),
    ),
    (
        (
            rf"an? [a-z]{{2,15}} (?:drives|travels|goes|rides|moves|flies|runs|cycles)(?: at)? {A}"
            rf" ?(?:km/h|kmh|kph|mph|kilometres per hour|miles per hour|kilometers per hour) for {B}"
            r" hours?[.,;:] how (?:far|many (?:km|kilometres|kilometers|miles)) (?:does|will|did) it (?:go"
            r"|travel|drive|fly|get|cover)"
        ),
        lambda found: (number(found) * number(found, "b"),),
    ),
)
