"""Asks a model all questions as the embedded provider does, and again as the second look does; keeps its raw answers.

`python -m bench.cascade.asking smollm2` (or `qwen`) does that alone; where it is broken off, it goes on the next time.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from bench.cascade.models import CACHE, STRONG, WEAK, Model, fetched
from bench.cascade.questions import Question, all_questions
from hybrid_mcp.domain.agreement import briefly, has_one_answer
from hybrid_mcp.domain.completion import Completion, Message, Request
from hybrid_mcp.domain.confidence import confidence_of
from hybrid_mcp.domain.second_opinion import (
    LONGEST_JUDGED,
    SecondOpinion,
    odds_of_yes,
    plain_verdict_asked,
    says_no,
    verdict_asked,
)
from hybrid_mcp.providers.llama_stream import AnswerReader
from hybrid_mcp.second_look import BRIEF_TOKENS, PLAIN_VERDICT_TOKENS, SAMPLE_TEMPERATURE, SAMPLE_TOKENS, VERDICT_TOKENS

if TYPE_CHECKING:
    from xllamacpp import Server

MAX_TOKENS = 160
AT_ONCE = 1
"""Answers written side by side: one pass over the weights serves them all."""
Way = Literal["answer", "brief", "sample", "verdict", "plain_verdict"]
"""The answer itself, the two others that it is compared with, and what a judge says of it."""
MOST_TOKENS: dict[Way, int] = {
    "answer": MAX_TOKENS, "brief": BRIEF_TOKENS, "sample": SAMPLE_TOKENS, "verdict": VERDICT_TOKENS,
    "plain_verdict": PLAIN_VERDICT_TOKENS,
}  # fmt: skip
Chats = Mapping[str, Sequence[Message]]
"""What is asked, by the prompt that it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer. `logprobs`: of each token that was chosen."""

    completion: Completion
    logprobs: tuple[float, ...]

    @property
    def text(self) -> str:
        return self.completion.text


def answers(model: Model, *, only_cached: bool = False) -> dict[str, Said]:
    """What the model answers at temperature 0, by prompt; asked for where it is not in the cache."""
    return _asked(model, "answer", _questions(), only_cached=only_cached)


def others(model: Model, *, only_cached: bool = False) -> dict[str, tuple[str, ...]]:
    """What the model answers when it is asked again, by prompt: in short after examples, and at a temperature."""
    brief = _asked(model, "brief", _brief_questions(), only_cached=only_cached)
    sample = _asked(model, "sample", _questions(), only_cached=only_cached)
    return {prompt: tuple(by[prompt].text for by in (brief, sample) if prompt in by) for prompt in brief | sample}


def opinions(judge: Model, texts: Mapping[str, str], *, only_cached: bool = False) -> dict[str, SecondOpinion]:
    """What the judge thinks of the answers in `texts` (by prompt) that can be compared with its own."""
    compared = {prompt: text for prompt, text in texts.items() if has_one_answer(prompt, text)}
    brief = _asked(judge, "brief", _brief_questions(), only_cached=only_cached)
    references = {prompt: said.text.strip() for prompt, said in brief.items() if prompt in compared}
    chats = {
        prompt: verdict_asked(prompt, reference, compared[prompt][:LONGEST_JUDGED])
        for prompt, reference in references.items()
        if reference and brief[prompt].completion.finish != "length"
    }
    said = _asked(judge, "verdict", chats, only_cached=only_cached)
    return {
        prompt: SecondOpinion(reference=references[prompt], odds=odds_of_yes(said[prompt].completion))
        for prompt in chats
        if prompt in said
    }


def rejected(judge: Model, texts: Mapping[str, str], *, only_cached: bool = False) -> frozenset[str]:
    """The prompts whose answers in `texts` cannot be compared, and are wrong if the judge is right."""
    chats = {
        prompt: plain_verdict_asked(prompt, text) for prompt, text in texts.items() if not has_one_answer(prompt, text)
    }
    said = _asked(judge, "plain_verdict", chats, only_cached=only_cached)
    return frozenset(prompt for prompt in chats if prompt in said and says_no(said[prompt].text))


def _questions() -> Chats:
    return {question.prompt: Request(prompt=question.prompt).messages() for question in all_questions()}


def _brief_questions() -> Chats:
    return {prompt: briefly(messages) for prompt, messages in _questions().items()}


def _asked(model: Model, way: Way, chats: Chats, *, only_cached: bool) -> dict[str, Said]:
    path = CACHE / f"{model.key}.{way}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    # What was said to another chat, of an answer or of a program that has changed since, says nothing of this one.
    known: dict[str, dict[str, Any]] = {
        row["prompt"]: row
        for row in map(json.loads, lines)
        if row["prompt"] in chats and row["asked"] == _digest(chats[row["prompt"]])
    }
    in_turn = [question.prompt for question in sorted(all_questions(), key=_turn)]
    absent = [(prompt, chats[prompt]) for prompt in in_turn if prompt in chats and prompt not in known]
    if absent and not only_cached:
        server = _server(model)
        with path.open("a", encoding="utf-8", buffering=1) as file, ThreadPoolExecutor(AT_ONCE) as threads:
            for row in threads.map(partial(_ask, server, way), absent):
                known[row["prompt"]] = row
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return {prompt: _said(row) for prompt, row in known.items()}


def _digest(messages: Sequence[Message]) -> str:
    chat = [(message.role, message.content) for message in messages]
    return hashlib.sha256(json.dumps(chat).encode()).hexdigest()[:16]


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


def _ask(server: Server, way: Way, asked: tuple[str, Sequence[Message]]) -> dict[str, Any]:
    prompt, messages = asked
    reader = AnswerReader(_Nobody())
    tokens: list[dict[str, Any]] = []

    def take(chunk: dict[str, Any]) -> bool:
        reader.feed(chunk)
        for choice in cast("list[dict[str, Any]]", chunk.get("choices", [])):
            scored = cast("dict[str, Any]", choice.get("logprobs") or {})
            tokens.extend(cast("list[dict[str, Any]]", scored.get("content") or []))
        return False

    server.handle_chat_completions(_body(messages, way), take)
    completion = reader.completion()
    return {
        "prompt": prompt,
        "asked": _digest(messages),
        "text": completion.text,
        "finish": completion.finish,
        "tokens": completion.usage.output_tokens if completion.usage else 0,
        "logprobs": [round(token["logprob"], 4) for token in tokens],
    }


def _body(messages: Sequence[Message], way: Way) -> dict[str, Any]:
    return {
        "messages": [{"role": one.role, "content": one.content} for one in messages],
        "max_tokens": MOST_TOKENS[way],
        "temperature": SAMPLE_TEMPERATURE if way == "sample" else 0,
        "seed": 1,
        "stream": True,
        "stream_options": {"include_usage": True},
        **({"logprobs": True, "top_logprobs": 1} if way in {"answer", "verdict"} else {}),
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
    """Fill the cache of one model: `smollm2` or `qwen`.

    With the other answers of the weak one, and with what the strong one thinks of the weak one's.
    """
    model = {one.key: one for one in (WEAK, STRONG)}[sys.argv[1]]
    print(f"{model.name}: {len(answers(model))} answers")
    if model is WEAK:
        print(f"{model.name}: {len(others(model))} times others")
    else:
        texts = {prompt: said.text for prompt, said in answers(WEAK).items()}
        print(f"{model.name}: {len(opinions(model, texts))} opinions, {len(rejected(model, texts))} plain rejections")


if __name__ == "__main__":
    main()
