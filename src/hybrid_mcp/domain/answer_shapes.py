"""Areas, perimeters and volumes that a short prompt asks for."""

from __future__ import annotations

import re
from fractions import Fraction

from hybrid_mcp.domain.answer_terms import SAME, SQUARED_UNIT, UNIT, A, B, N, Row, Values, number
from hybrid_mcp.domain.answer_values import PI


def _rectangle(found: re.Match[str]) -> Values:
    if (found["unit"] or found["other"]) != (found["other"] or found["unit"]):
        return ()
    one, other = number(found), number(found, "b")
    return (one * other,) if found["what"].casefold() == "area" else (2 * (one + other),)


def _square(found: re.Match[str]) -> Values:
    side = number(found)
    return (side**2,) if found["what"].casefold() == "area" else (4 * side,)


def _circle(found: re.Match[str]) -> Values:
    """With pi as 3.14, 22/7 or exactly, or as a number of times pi."""
    radius = number(found) if found["line"].casefold() == "radius" else number(found) / 2
    times = radius**2 if found["what"].casefold() == "area" else 2 * radius
    return [times * pi for pi in (PI, Fraction("3.14"), Fraction(22, 7), Fraction("3.1416"))]


SHAPES: tuple[Row, ...] = (
    (
        (
            r"(?P<what>area|perimeter) of an? (?:[a-z]{3,12} ){0,1}(?:rectangle|rectangular"
            r" [a-z]{3,12})(?: (?:with|that is|which is|of|measuring|whose))?"
            rf"(?: (?:the )?(?:sides?|sides are|dimensions|length|a length)(?: of)?)? {A}{UNIT}"
            rf"(?: long)?,? (?:by|x|×|and)(?: (?:a )?(?:width|breadth|height)(?: of)?)? {B}{SAME}"
            rf"(?: wide)?{SQUARED_UNIT}"
        ),
        _rectangle,
    ),
    (
        (
            r"(?P<what>area|perimeter) of an? (?:square|square [a-z]{3,12})(?: (?:with|of|whose|that"
            r" has))? (?:an? )?(?:sides?|side lengths?|edges?)(?: (?:of|is|are|length|measuring))*"
            rf" {A}{UNIT}{SQUARED_UNIT}"
        ),
        _square,
    ),
    (
        (
            r"(?P<what>area|circumference|perimeter) of an? circle (?:with|of|whose)(?: an?)? "
            rf"(?P<line>radius|diameter)(?: of| is|:)? {A}{UNIT}{SQUARED_UNIT}"
        ),
        _circle,
    ),
    (
        (
            r"volume of an? cube (?:with|of|whose)(?: an?)? (?:sides?|edges?|side lengths?|edge lengths?)"
            rf"(?: (?:of|is|are|length))* {A}{UNIT}{SQUARED_UNIT}"
        ),
        lambda found: (number(found) ** 3,),
    ),
    (
        (
            rf"area of an? triangle (?:with|of|whose)(?: an?)? base(?: of| is)? {A}{UNIT},? and "
            rf"(?:an? )?height(?: of| is)? {B}{SAME}{SQUARED_UNIT}"
        ),
        lambda found: (
            (number(found) * number(found, "b") / 2,) if found["unit"] == found["other"] or not found["unit"] else ()
        ),
    ),
    (
        (
            r"volume of an? (?:[a-z]{3,12} )?(?:box|cuboid|rectangular prism|prism)(?: (?:with|of"
            rf"|measuring|that is|sides|dimensions|the))* {A}{UNIT}(?: by | ?[x×] ?|, ){B}{SAME}(?: by "
            rf"| ?[x×] ?|,? and |, )(?P<c>{N})(?: ?[a-z]{{1,12}})?"
        ),
        lambda found: (
            (number(found) * number(found, "b") * number(found, "c"),)
            if found["unit"] in (None, "by", "x", found["other"])
            else ()
        ),
    ),
)
