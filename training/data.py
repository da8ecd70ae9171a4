"""The sets of 'which model answers which prompt', each with the share of small models that fail on a prompt.

The data is not part of the repository. Names and columns are those of the public result files; see docs/scorer.md.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file. `pairs`: weak and strong models that are compared; `small`: the models whose failures are the target.

    `part` names a row's part (a subject, a task). A source without a licence is evaluated, never trained on.
    """

    name: str
    file: str
    small: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    part: Callable[[Row], str]
    licensed: bool = True
    keep: Callable[[Row], bool] = lambda _row: True


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingSet:
    """Prompts with `fails`, the share of small models that fail, and `pairs`: weak and strong quality by pair's name."""

    name: str
    prompts: list[str]
    parts: list[str]
    fails: Floats
    pairs: dict[str, tuple[Floats, Floats]]
    licensed: bool

    def only(self, rows: Sequence[bool] | NDArray[np.bool_], name: str | None = None) -> RoutingSet:
        """The rows that are marked, under another name where one is given."""
        index = np.flatnonzero(np.asarray(rows))
        return RoutingSet(
            name=name or self.name,
            prompts=[self.prompts[i] for i in index],
            parts=[self.parts[i] for i in index],
            fails=self.fails[index],
            pairs={pair: (weak[index], strong[index]) for pair, (weak, strong) in self.pairs.items()},
            licensed=self.licensed,
        )


def _crossed(weak: Sequence[str], strong: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((low, high) for low in weak for high in strong)


_ZERO_SMALL = (
    "Meta-Llama-3-8B-Instruct", "Meta-Llama-3.1-8B-Instruct", "Phi-3.5-mini-instruct", "Qwen2-7B-Instruct",
    "Qwen2.5-3B-Instruct", "Qwen2.5-7B-Instruct", "Yi-1.5-9B-Chat", "gemma-2-9b-it", "gemma-2-2b-it",
)  # fmt: skip
_ZERO_PAIRS = _crossed(
    ("Meta-Llama-3.1-8B-Instruct", "gemma-2-9b-it", "Qwen2-7B-Instruct"),
    ("gpt-4o-2024-08-06", "claude-3-5-sonnet-20241022", "Llama-3.1-405B-Inst@sambanova"),
)
SOURCES = (
    Source(
        name="mmlu", file="dev_routellm_mmlu.csv.gz", small=("mistralai/Mixtral-8x7B-Instruct-v0.1",),
        pairs=(("mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"),), part=lambda row: row["subject"],
        keep=lambda row: row["contaminated"] != "1",
    ),
    Source(
        name="mmlu_pro", file="dev_mmlupro.csv.gz",
        small=("Meta-Llama-3_1-8B-Instruct", "Mistral-7B-Instruct-v0.2", "Phi-3-mini-4k-instruct", "Qwen1.5-7B-Chat",
               "Yi-6b-Chat", "gemma-7b", "mathstral-7B", "Mixtral-8x7B-Instruct-v0.1"),
        pairs=_crossed(("Meta-Llama-3_1-8B-Instruct", "Mistral-7B-Instruct-v0.2", "Mixtral-8x7B-Instruct-v0.1"),
                       ("gemini-1.5-pro-002", "Meta-Llama-3_1-70B-Instruct")),
        part=lambda row: ("original " if row["src"].startswith("ori_mmlu") else "") + row["category"],
    ),
    Source(
        name="mix14", file="dev_llmrouter_mix14.csv.gz",
        small=("llama-3.1-8b-instruct", "qwen2.5-7b-instruct", "mistral-7b-instruct-v0.3", "gemma-2-9b-it"),
        pairs=_crossed(("mistral-7b-instruct-v0.3", "llama-3.1-8b-instruct"),
                       ("llama-3.1-nemotron-51b-instruct", "llama-3.3-nemotron-super-49b-v1")),
        part=lambda row: row["task"],
    ),
    Source(name="math_l5", file="dev_zeroeval_math_l5.csv.gz", small=_ZERO_SMALL, pairs=_ZERO_PAIRS,
           part=lambda _row: "math"),
    Source(name="crux", file="dev_zeroeval_crux.csv.gz", small=_ZERO_SMALL, pairs=_ZERO_PAIRS, part=lambda _row: "crux"),
    Source(
        name="bfcl", file="dev_bfcl_tooluse.csv.gz",
        small=("meta-llama_Meta-Llama-3-8B-Instruct", "NousResearch_Hermes-2-Pro-Mistral-7B", "google_gemma-7b-it"),
        pairs=_crossed(("meta-llama_Meta-Llama-3-8B-Instruct", "NousResearch_Hermes-2-Pro-Mistral-7B"),
                       ("claude-3-5-sonnet-20240620", "gpt-4-0125-preview")),
        part=lambda row: row["category"], licensed=False,
    ),
    Source(
        name="routerbench", file="dev_routerbench_subset.csv.gz",
        small=("mistralai/mistral-7b-chat", "WizardLM/WizardLM-13B-V1.2"),
        pairs=_crossed(("mistralai/mistral-7b-chat", "mistralai/mixtral-8x7b-chat"), ("gpt-4-1106-preview",)),
        part=lambda row: row["eval_name"], licensed=False,
        # Twin sentences with opposite answers say nothing about a prompt's difficulty.
        keep=lambda row: row["eval_name"] != "winogrande" and row["gpt-4-1106-preview"] != "",
    ),
)  # fmt: skip

_REFERENCE = "llama-3.1-8b-instruct"
"""In the mixed set a model's answers to a task count only where it reaches half of this one's rate: else they could not be read."""


def load(folder: Path) -> list[RoutingSet]:
    """Every set in the folder, prompts that stand twice left out."""
    csv.field_size_limit(10**8)
    return [read(source, folder) for source in SOURCES]


def read(source: Source, folder: Path) -> RoutingSet:
    """One set, prompts that stand twice left out."""
    with gzip.open(folder / source.file, "rt", encoding="utf-8", newline="") as lines:
        found = [row for row in csv.DictReader(lines) if source.keep(row)]
    rows = list({row["prompt"]: row for row in found}.values())
    parts = [source.part(row) for row in rows]
    small = np.array([[_number(row[model]) for model in source.small] for row in rows])
    if source.name == "mix14":
        _drop_unreadable(small, parts, source.small)
    return RoutingSet(
        name=source.name,
        prompts=[row["prompt"] for row in rows],
        parts=parts,
        fails=1 - np.nanmean(small, axis=1),
        pairs={f"{weak} / {strong}": (_column(rows, weak), _column(rows, strong)) for weak, strong in source.pairs},
        licensed=source.licensed,
    )


def _drop_unreadable(small: Floats, parts: list[str], models: tuple[str, ...]) -> None:
    named = np.array(parts)
    for part in set(parts):
        rates = small[named == part].mean(axis=0)
        for column, rate in enumerate(rates):
            if rate < rates[models.index(_REFERENCE)] / 2:
                small[named == part, column] = np.nan


def _column(rows: list[Row], model: str) -> Floats:
    return np.nan_to_num(np.array([_number(row[model]) for row in rows]))


def _number(cell: str) -> float:
    return float(cell) if cell else 0.0
