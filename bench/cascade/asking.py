"""Asks a model all questions as the embedded provider does, and again as the second look does; keeps its raw answers.

`python -m bench.cascade.asking smollm2` (or `qwen`) does that alone; where it is broken off, it goes on the next time.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from bench.cascade.models import CACHE, STRONG, WEAK, Model, fetched
from bench.cascade.questions import Question, all_questions
from hybrid_mcp.domain.agreement import briefly
from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.confidence import confidence_of
from hybrid_mcp.providers.llama_stream import AnswerReader
from hybrid_mcp.second_look import BRIEF_TOKENS, SAMPLE_TEMPERATURE, SAMPLE_TOKENS

if TYPE_CHECKING:
    from xllamacpp import Server

MAX_TOKENS = 160
AT_ONCE = 1
"""Answers written side by side: one pass over the weights serves them all."""
Way = Literal["answer", "brief", "sample"]
"""The answer itself, and the two others that it is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer. `logprobs`: of each token that was chosen."""

    completion: Completion
    logprobs: tuple[float, ...]


def answers(model: Model, *, only_cached: bool = False) -> dict[str, Said]:
    """What the model answers at temperature 0, by prompt; asked for where it is not in the cache."""
    return {row["prompt"]: _said(row) for row in _rows(model, "answer", only_cached=only_cached)}


def others(model: Model, *, only_cached: bool = False) -> dict[str, tuple[str, ...]]:
    """What the model answers when it is asked again, by prompt: in short after examples, and at a temperature."""
    found: dict[str, list[str]] = {}
    for way in ("brief", "sample"):
        for row in _rows(model, way, only_cached=only_cached):
            found.setdefault(row["prompt"], []).append(row["text"])
    return {prompt: tuple(texts) for prompt, texts in found.items()}


def _rows(model: Model, way: Way, *, only_cached: bool) -> list[dict[str, Any]]:
    path = CACHE / f"{model.key}.{way}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    known: dict[str, dict[str, Any]] = {row["prompt"]: row for row in map(json.loads, lines)}
    absent = [question.prompt for question in sorted(all_questions(), key=_turn) if question.prompt not in known]
    if absent and not only_cached:
        server = _server(model)
        with path.open("a", encoding="utf-8", buffering=1) as file, ThreadPoolExecutor(AT_ONCE) as threads:
            for row in threads.map(partial(_ask, server, way), absent):
                known[row["prompt"]] = row
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return list(known.values())


def _turn(question: Question) -> tuple[bool, str]:
    """A run that was broken off has then asked some of every kind, of the set that counts more."""
    return question.part == "tuning", hashlib.sha256(question.prompt.encode()).hexdigest()


class _Nobody:
    """Hears the progress of an answer that no one waits for."""

    def delta(self, text: str) -> None: ...
    def asking(self, model: str) -> None: ...
    def aside(self, text: str) -> None: ...
    def told(self, usage: object) -> None: ...
    def status(self, text: str) -> None: ...


def _ask(server: Server, way: Way, prompt: str) -> dict[str, Any]:
    reader = AnswerReader(_Nobody())
    tokens: list[dict[str, Any]] = []

    def take(chunk: dict[str, Any]) -> bool:
        reader.feed(chunk)
        for choice in cast("list[dict[str, Any]]", chunk.get("choices", [])):
            scored = cast("dict[str, Any]", choice.get("logprobs") or {})
            tokens.extend(cast("list[dict[str, Any]]", scored.get("content") or []))
        return False

    server.handle_chat_completions(_body(prompt, way), take)
    completion = reader.completion()
    return {
        "prompt": prompt,
        "text": completion.text,
        "finish": completion.finish,
        "tokens": completion.usage.output_tokens if completion.usage else 0,
        "logprobs": [round(token["logprob"], 4) for token in tokens],
    }


def _body(prompt: str, way: Way) -> dict[str, Any]:
    messages, most = Request(prompt=prompt).messages(), MAX_TOKENS
    if way == "brief":
        messages, most = briefly(messages), BRIEF_TOKENS
    return {
        "messages": [{"role": one.role, "content": one.content} for one in messages],
        "max_tokens": SAMPLE_TOKENS if way == "sample" else most,
        "temperature": SAMPLE_TEMPERATURE if way == "sample" else 0,
        "seed": 1,
        "stream": True,
        "stream_options": {"include_usage": True},
        **({"logprobs": True, "top_logprobs": 1} if way == "answer" else {}),
    }


def _said(row: dict[str, Any]) -> Said:
    completion = Completion(
        text=row["text"], finish=row["finish"], usage=None, confidence=confidence_of(row["logprobs"]),
    )  # fmt: skip
    return Said(completion=completion, logprobs=tuple(row["logprobs"]))


def _server(model: Model) -> Server:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from xllamacpp import CommonParams, Server  # noqa: PLC0415  # read after the environment is set

    params = CommonParams()
    params.model.path = str(fetched(model))
    params.n_ctx, params.n_parallel = 512 * AT_ONCE, AT_ONCE
    params.n_batch = params.n_ubatch = 128
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.n_gpu_layers = params.cache_ram_mib = params.n_ctx_checkpoints = 0
    params.warmup = params.fit_params = params.ui = params.endpoint_slots = False
    params.offline, params.verbosity = True, -1
    params.api_keys, params.n_threads_http = [secrets.token_urlsafe(32)], 1
    return Server(params)


def main() -> None:
    """Fill the cache of one model: `smollm2` or `qwen`, with the other answers of the weak one."""
    model = {one.key: one for one in (WEAK, STRONG)}[sys.argv[1]]
    print(f"{model.name}: {len(answers(model))} answers")
    if model is WEAK:
        print(f"{model.name}: {len(others(model))} times others")


if __name__ == "__main__":
    main()
