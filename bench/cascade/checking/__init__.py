"""Is a model's answer right? As a careful person would say it; what follows a clear answer does not count."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from bench.cascade.checking.forms import Choice, Exact, Json, Series, YesNo
from bench.cascade.checking.numbers import Number
from bench.cascade.checking.says import Says

Check = Annotated[Says | Choice | YesNo | Number | Json | Exact | Series, Field(discriminator="type")]
"""What the right answer to a question looks like."""

_KNOWS_NOT = re.compile(r"^\W*(?:i'm sorry|sorry)?\W*(?:but )?i (?:don't|do not) know\b", re.IGNORECASE)


def is_right(check: Check, prompt: str, text: str) -> bool:
    """Whether `text` answers `prompt`. The question alone, said again, is no answer."""
    if not text.strip() or _KNOWS_NOT.match(text) or text.strip() == prompt.strip():
        return False
    return check.holds(prompt, text)
