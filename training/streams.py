"""The traffic that training/learning.py teaches with: prompts of one kind, each with a score that never saw its set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid_mcp.domain.scorer import traits_of
from hybrid_mcp.domain.traits import Traits
from training.data import SOURCES, RoutingSet, read
from training.evaluate import LEAST_GAP, as_shipped
from training.held_out import Trial
from training.metrics import Floats

SECRET = bytes(16)
LEAST_PART, MOST_PAIRS = 600, 2
CHOSEN = ("mmlu_pro", "crux", "bfcl", "routerbench")
"""The learning was tuned on these."""
GSM8K_WEAK = ("mistral-7b-instruct-v0.3", "llama3-chatqa-1.5-70b", "codegemma-7b", "llama3-chatqa-1.5-8b")
GSM8K_STRONG = ("llama-3.1-nemotron-51b-instruct", "llama-3.3-nemotron-super-49b-v1")
"""All models of the mixed set that are clearly worse, and those two that the set's other rows call strong."""
OFTEN_FAILING = {"mmlu_pro": "Mistral-7B-Instruct-v0.1", "bfcl": "mistral-large-2407", "mix14": "llama3-chatqa-1.5-8b"}
"""By set: a model that fails on three quarters of it or more."""
MIXED_PAIR = "mistral-7b-instruct-v0.3 / llama-3.1-nemotron-51b-instruct"
PRO_PAIR = "Mistral-7B-Instruct-v0.2 / Meta-Llama-3_1-70B-Instruct"
"""In two files the same weak model, and nearly the same strong one (the first was cut down from the second)."""
_LEAST_NUMBERS, _LEAST_WORDS = 2, 12

Pair = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Prompts with the score that never saw them. `pairs`: weak and strong quality. `chosen`: the learning was tuned on
    them."""

    name: str
    hundredths: Floats
    traits: list[Traits]
    parts: NDArray[np.str_]
    prompts: list[str]
    pairs: Mapping[str, Pair]
    chosen: bool

    def only(self, rows: NDArray[np.bool_], name: str) -> Stream:
        index = np.flatnonzero(rows)
        return replace(
            self, name=name, hundredths=self.hundredths[index], traits=[self.traits[row] for row in index],
            parts=self.parts[index], prompts=[self.prompts[row] for row in index],
            pairs={pair: (weak[index], strong[index]) for pair, (weak, strong) in self.pairs.items()},
        )  # fmt: skip

    def compared(self) -> list[Pair]:
        """The first pairs whose quality differs."""
        pairs = [(weak, strong) for weak, strong in self.pairs.values() if strong.mean() - weak.mean() >= LEAST_GAP]
        return pairs[:MOST_PAIRS]


def streams(trials: Sequence[Trial], slope: float, offset: float, folder: Path) -> Iterator[Stream]:
    """Each set, its parts that are large, and the traffic in mathematics."""
    found = {
        trial.name: _whole(trial, as_shipped(trial, slope, offset))
        for trial in trials
        if trial.name not in {"mmlu by subject", "math_l5"}
    }
    mixed, pro = found["mix14"], found["mmlu_pro"]
    for stream in found.values():
        yield stream
    for name, weak in OFTEN_FAILING.items():
        yield _with_weak(found[name], weak, folder)
    yield from _gsm8k(found["gsm8k"], folder)
    yield mixed.only(np.isin(mixed.parts, ("gsm8k", "math")), "mix14: gsm8k and math")
    arithmetic = pro.only(_is_word_problem(pro), "")
    school = found["gsm8k"]
    yield _joined("school arithmetic", [school, arithmetic])
    yield _joined("school arithmetic and math", [school, arithmetic, mixed.only(mixed.parts == "math", "")])
    for part in sorted(set(pro.parts)):
        if (pro.parts == part).sum() >= LEAST_PART:
            yield pro.only(pro.parts == part, f"mmlu_pro: {part}")


def _whole(trial: Trial, hundredths: Floats) -> Stream:
    return Stream(
        name=trial.name, hundredths=hundredths, traits=[traits_of(prompt, SECRET) for prompt in trial.data.prompts],
        parts=np.array(trial.data.parts), prompts=trial.data.prompts, pairs=trial.data.pairs,
        chosen=trial.name in CHOSEN,
    )  # fmt: skip


def _with_weak(stream: Stream, weak: str, folder: Path) -> Stream:
    """The same prompts with another weak model, against the same strong ones."""
    source = next(source for source in SOURCES if source.name == stream.name)
    strong = dict.fromkeys(high for _, high in source.pairs)
    data = read(replace(source, pairs=tuple((weak, high) for high in strong)), folder)
    assert data.prompts == stream.prompts
    return replace(stream, name=f"{stream.name}, weak {weak}", pairs=data.pairs)


def _gsm8k(stream: Stream, folder: Path) -> Iterator[Stream]:
    """The same prompts with each weak model that the mixed set has."""
    mixed = next(source for source in SOURCES if source.name == "mix14")
    pairs = tuple((weak, strong) for weak in GSM8K_WEAK for strong in GSM8K_STRONG)
    data = read(replace(mixed, pairs=pairs), folder)
    data = data.only(np.array(data.parts) == "gsm8k")
    assert data.prompts == stream.prompts
    for weak in GSM8K_WEAK[1:]:
        yield replace(stream, name=f"gsm8k, weak {weak}", pairs=_of_weak(data, weak))


def _of_weak(data: RoutingSet, weak: str) -> Mapping[str, Pair]:
    return {name: pair for name, pair in data.pairs.items() if name.startswith(f"{weak} / ")}


def _is_word_problem(pro: Stream) -> NDArray[np.bool_]:
    """MMLU-Pro's questions of elementary mathematics, and of its business ones those that tell of numbers in words."""
    stems = [prompt.split("\nA. ")[0] for prompt in pro.prompts]
    told = [
        len(re.findall(r"\d[\d,.]*", stem)) >= _LEAST_NUMBERS and len(stem.split()) >= _LEAST_WORDS for stem in stems
    ]
    return (pro.parts == "original math") | ((pro.parts == "business") & np.array(told))


def _joined(name: str, many: Sequence[Stream]) -> Stream:
    pairs = [one.pairs[MIXED_PAIR] if MIXED_PAIR in one.pairs else one.pairs[PRO_PAIR] for one in many]
    return Stream(
        name=name, hundredths=np.concatenate([one.hundredths for one in many]),
        traits=[traits for one in many for traits in one.traits], parts=np.concatenate([one.parts for one in many]),
        prompts=[prompt for one in many for prompt in one.prompts],
        pairs={name: (np.concatenate([low for low, _ in pairs]), np.concatenate([high for _, high in pairs]))},
        chosen=False,
    )  # fmt: skip
