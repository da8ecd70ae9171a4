"""Which rows train and which are judged, so that no set is judged by weights that have seen it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hybrid_mcp.domain.scorer_learned import divisor
from training.data import Floats, RoutingSet, load
from training.model import Group, look_at, ngram_weights, train

FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A set with what was computed of its prompts."""

    data: RoutingSet
    numbers: Floats
    words: list[list[str]]
    pairs: list[list[str]]
    keys: NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`scores` of the prompts of `data`, made by a model that saw none of them."""

    name: str
    data: RoutingSet
    scores: Floats


def look(folder: Path) -> list[Looked]:
    """Every set in the folder, features computed."""
    found: list[Looked] = []
    for data in load(folder):
        numbers, words, pairs = look_at(data.prompts)
        keys = np.array([re.sub(r"\W+", "", prompt.lower())[:90] for prompt in data.prompts])
        found.append(Looked(data=data, numbers=numbers, words=words, pairs=pairs, keys=keys))
    return found


def groups_of(sets: Sequence[Looked], keep: Sequence[NDArray[np.bool_]]) -> list[Group]:
    """Training groups of the marked rows; sets without a licence are never among them.

    A set counts as the root of its size, so that a large one does not drown the others. The mixed set's tasks are groups.
    """
    found: list[Group] = []
    for looked, rows in zip(sets, keep, strict=True):
        if not looked.data.licensed or not rows.any():
            continue
        parts = np.array(looked.data.parts if looked.data.name == "mix14" else [""] * len(rows))
        for part in sorted(set(parts[rows])):
            index = np.flatnonzero(rows & (parts == part))
            found.append(
                Group(
                    numbers=looked.numbers[index],
                    words=[looked.words[row] for row in index],
                    pairs=[looked.pairs[row] for row in index],
                    fails=looked.data.fails[index],
                    weight=float(rows.sum()) ** -0.5,
                )
            )
    return found


def everything(sets: Sequence[Looked]) -> list[Group]:
    return groups_of(sets, [np.ones(len(looked.data.prompts), dtype=bool) for looked in sets])


def trials(sets: Sequence[Looked]) -> Iterator[tuple[str, Looked, NDArray[np.bool_], list[Group]]]:
    """Name, set, rows that are judged, and the training groups without anything of that set.

    Where a set's prompts, or their kind under another name, stand in a second set they are left out there too.
    """
    for looked in sets:
        name = looked.data.name
        keep = [_others(looked, other) for other in sets]
        yield name, looked, np.ones(len(looked.data.prompts), dtype=bool), groups_of(sets, keep)
    mixed = next(looked for looked in sets if looked.data.name == "mix14")
    judged = np.array(mixed.data.parts) == "gsm8k"
    keep = [~judged if other is mixed else np.ones(len(other.data.prompts), dtype=bool) for other in sets]
    yield "gsm8k", mixed, judged, groups_of(sets, keep)


def _others(held: Looked, other: Looked) -> NDArray[np.bool_]:
    if other is held:
        return np.zeros(len(other.data.prompts), dtype=bool)
    keep = ~np.isin(other.keys, held.keys)
    parts = np.array(other.data.parts)
    if held.data.name == "mmlu":
        keep &= ~np.char.startswith(parts, "original") & ~((parts == "mmlu") & (other.data.name == "mix14"))
    if held.data.name == "math_l5":
        keep &= ~((parts == "math") & (other.data.name == "mix14"))
    return keep


def by_subject(sets: Sequence[Looked]) -> Iterator[tuple[Looked, NDArray[np.bool_], list[Group]]]:
    """MMLU in folds of whole subjects: what a set of the same kind can expect."""
    held = next(looked for looked in sets if looked.data.name == "mmlu")
    parts = np.array(held.data.parts)
    subjects = np.array(sorted(set(parts)))
    np.random.default_rng(0).shuffle(subjects)
    for fold in range(FOLDS):
        judged = np.isin(parts, subjects[fold::FOLDS])
        keep = [
            ~judged if other is held
            else _others(held, other) if other.data.name == "mmlu_pro"
            else np.ones(len(other.data.prompts), dtype=bool)
            for other in sets
        ]  # fmt: skip
        yield held, judged, groups_of(sets, keep)


Fit = Callable[[list[Group]], Callable[[Looked, NDArray[np.bool_]], Floats]]


def held_out(sets: Sequence[Looked]) -> list[Trial]:
    """Each set, scored by a model trained on the others."""
    return _judged(sets, _learned)


def hashed(sets: Sequence[Looked]) -> list[Trial]:
    """The same with the baseline of words and pairs of words."""
    return _judged(sets, _ngrams)


def _judged(sets: Sequence[Looked], fit: Fit) -> list[Trial]:
    found = [
        Trial(name=name, data=looked.data.only(rows, name), scores=fit(groups)(looked, rows))
        for name, looked, rows, groups in trials(sets)
    ]
    held = next(looked for looked in sets if looked.data.name == "mmlu")
    scores = np.zeros(len(held.data.prompts))
    for looked, judged, groups in by_subject(sets):
        scores[judged] = fit(groups)(looked, judged)
    return [*found, Trial(name="mmlu by subject", data=held.data, scores=scores)]


def _learned(groups: list[Group]) -> Callable[[Looked, NDArray[np.bool_]], Floats]:
    model = train(groups)

    def scored(looked: Looked, rows: NDArray[np.bool_]) -> Floats:
        index = np.flatnonzero(rows)
        return model.raw(looked.numbers[index], [looked.words[row] for row in index])

    return scored


def _ngrams(groups: list[Group]) -> Callable[[Looked, NDArray[np.bool_]], Floats]:
    weights = ngram_weights(groups)

    def scored(looked: Looked, rows: NDArray[np.bool_]) -> Floats:
        lines = [looked.pairs[row] for row in np.flatnonzero(rows)]
        return np.array([sum(weights.get(token, 0.0) for token in line) / divisor(len(line)) for line in lines])

    return scored
