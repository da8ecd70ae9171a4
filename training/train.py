"""`python -m training.train DATA_FOLDER`: from the data files to src/hybrid_mcp/domain/scorer_weights.py.

The same files give the same weights: nothing is drawn at random.
"""

from __future__ import annotations

import sys
import textwrap
from itertools import groupby
from pathlib import Path

import numpy as np

from hybrid_mcp.domain.scorer_features import COMMON_MEAN_WORD, NAMES
from training.held_out import Looked, Trial, everything, held_out, look
from training.model import Floats, Model, train

WEIGHTS = Path(__file__).parents[1] / "src" / "hybrid_mcp" / "domain" / "scorer_weights.py"
CLOSED_BOOK = ("natural_qa", "trivia_qa")
"""One-line questions for a rare fact, counted right where the answer is a string's twin: left out of the calibration, because
there a large model fails nearly as often."""
WORD_STEPS = 100
"""A word's weight is a whole number of at most so many steps either way."""
NOTHING = {"word_length": COMMON_MEAN_WORD, "variety": 1.0}
"""A feature's value where it says nothing, else 0: a prompt of common words that are all different."""


def calibration(trials: list[Trial]) -> tuple[float, float]:
    """Slope and offset that turn the raw score of held-out licensed sets into a share of failures, by least squares."""
    scores: list[Floats] = []
    fails: list[Floats] = []
    weights: list[Floats] = []
    for trial in trials:
        if trial.data.licensed and trial.name in {"mmlu", "mmlu_pro", "mix14", "math_l5", "crux"}:
            scores.append(trial.scores)
            fails.append(trial.data.fails)
            weights.append(~np.isin(trial.data.parts, CLOSED_BOOK) * len(trial.scores) ** -0.5)
    root = np.sqrt(np.concatenate(weights))
    columns = np.stack([np.concatenate(scores), np.ones(len(root))], axis=1) * root[:, None]
    slope, offset = np.linalg.lstsq(columns, np.concatenate(fails) * root, rcond=None)[0]
    return float(slope), float(offset)


def written(model: Model, slope: float, offset: float) -> str:
    """The weights as a Python module."""
    scale = 100 * slope
    lines = [
        '"""The learned weights, made by `python -m training.train`: see docs/scorer.md. Not to be edited by hand."""',
        "",
        "from __future__ import annotations",
        "",
    ]
    base = 100 * offset
    table: list[str] = []
    for name, coefficient, low, high in zip(NAMES, model.coefficients, model.low, model.high, strict=True):
        none = NOTHING.get(name, 0.0)
        base += scale * coefficient * none
        table.append(f'    "{name}": ({scale * coefficient:.4g}, {low:.4g}, {high:.4g}, {none:.4g}),')
    largest = float(np.percentile(np.abs(list(model.words.values())), 99.5))
    unit = largest / WORD_STEPS
    steps = {word: max(-WORD_STEPS, min(WORD_STEPS, round(weight / unit))) for word, weight in model.words.items()}
    ranked = sorted((step, word) for word, step in steps.items() if step)
    lines += [
        f"BASE_HUNDREDTHS = {round(base)}",
        '"""The score of a prompt that shows nothing."""',
        f"HUNDREDTHS_PER_WORD_UNIT = {scale * unit:.5g}",
        "FEATURES: dict[str, tuple[float, float, float, float]] = {",
        *table,
        "}",
        '"""Hundredths for one unit, the lowest and the highest value that count, and the value that says nothing."""',
        'WORDS = """',
    ]
    for step, words in groupby(ranked, key=lambda pair: pair[0]):
        prefix = f"{step} "
        text = " ".join(word for _, word in words)
        lines += textwrap.wrap(
            text, width=118, initial_indent=prefix, subsequent_indent=prefix, break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
    lines += ['"""', '"""A weight in units, then the words that have it."""', ""]
    return "\n".join(lines).replace('WORDS = """\n', 'WORDS = """\\\n')


def main() -> None:
    sets: list[Looked] = look(Path(sys.argv[1]))
    slope, offset = calibration(held_out(sets))
    model = train(everything(sets))
    WEIGHTS.write_text(written(model, slope, offset), encoding="utf-8")
    print(f"{len(model.words)} words, slope {slope:.4f}, offset {offset:.4f}: {WEIGHTS.stat().st_size} bytes")


if __name__ == "__main__":
    main()
