"""The commands that put a prompt to the router: `demo`, `ask`, `score`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast

import anyio
from cyclopts import App as Cli

from hybrid_mcp.app import App, learned_in
from hybrid_mcp.arguments import Given, Json, WrongUsage, assertions_in, limit, prompt_of, schema_of
from hybrid_mcp.domain.answer import Answer
from hybrid_mcp.domain.completion import Effort, Quality, Request
from hybrid_mcp.domain.errors import InvalidRequest, StorageError
from hybrid_mcp.domain.learning import Learned
from hybrid_mcp.domain.scorer import score as score_request
from hybrid_mcp.launch import OK, REFUSED, Common
from hybrid_mcp.tables import print_table
from hybrid_mcp.terminal import Heard, TerminalProgress, tame, told

_ENTRIES = frozenset({"prompt", "context", "system_prompt", "task_type"})


def add(cli: Cli, common: Given) -> None:
    """Add the commands to the parser."""

    @cli.command
    def demo() -> int:
        """Run the main job: start the server as a client would, and route real prompts."""
        from hybrid_mcp.demo import run_demo

        return anyio.run(run_demo, common.value)

    @cli.command
    def ask(
        prompt: str,
        /,
        *,
        context: str = "",
        system_prompt: str = "",
        task_type: str | None = None,
        quality: Quality = "auto",
        force_local: bool = False,
        force_cloud: bool = False,
        confidential: bool = False,
        preferred_model: str | None = None,
        max_cost: str | None = None,
        max_output_tokens: int = 1024,
        deadline_s: float = 300,
        dry_run: bool = False,
        response_schema: str | None = None,
        temperature: float | None = None,
        stop: list[str] | None = None,
        reasoning_effort: Effort | None = None,
        assertions: Path | None = None,
        as_json: Json = False,
    ) -> int:
        """Answer one prompt; `-` reads it from standard input. The options are those of the tool route_completion."""
        request = Request(
            prompt=prompt_of(prompt), context=context, system_prompt=system_prompt,
            task_type=task_type, quality=quality, force_local=force_local, force_cloud=force_cloud,
            confidential=confidential, preferred_model=preferred_model, max_cost=limit("--max-cost", max_cost),
            max_output_tokens=max_output_tokens, deadline_s=deadline_s, dry_run=dry_run,
            response_schema=schema_of("--response-schema", response_schema), temperature=temperature,
            stop=tuple(stop or ()), reasoning_effort=reasoning_effort,
            assertions=assertions_in("--assertions", assertions),
        )  # fmt: skip
        heard = Heard()
        return common.value.with_app(lambda app: _ask(app, request, heard, as_json=as_json), heard)

    @cli.command
    def score(
        prompt: str | None = None,
        /,
        *,
        context: str = "",
        system_prompt: str = "",
        task_type: str | None = None,
        jsonl: bool = False,
        as_json: Json = False,
    ) -> int:
        """Score one prompt, or with --jsonl one JSON object a line from standard input."""
        if jsonl is (prompt is not None):
            raise WrongUsage("give either a PROMPT, or --jsonl and one JSON object a line on standard input")
        if prompt is None:
            return _score_lines(_learned(common.value))
        request = Request(prompt=prompt_of(prompt), context=context, system_prompt=system_prompt, task_type=task_type)
        from hybrid_mcp.wire import score_result

        result = score_result(score_request(request, _learned(common.value)))
        if as_json:
            print(result.to_json())
        else:
            shares = [(name, str(share)) for name, share in result.signals.items()]
            print_table(("signal", "share"), [*shares, ("score", f"{result.score:.2f}")])
        return OK


async def _ask(app: App, request: Request, heard: Heard, *, as_json: bool) -> int:
    with anyio.CancelScope() as reading:
        progress = TerminalProgress(stream=not as_json, on_gone=reading.cancel)
        try:
            answer = await app.service.complete(request, progress, app.account)
            progress.clear()
            _print_answer(answer, streamed=progress.streamed, as_json=as_json)
        finally:
            progress.clear()
            heard.tell()
        return OK
    return REFUSED


def _print_answer(answer: Answer, *, streamed: str, as_json: bool) -> None:
    if as_json:
        from hybrid_mcp.wire import completion_result

        print(tame(completion_result(answer).to_json(), sys.stdout))
    elif answer.status == "planned":
        _print_plan(answer)
    else:
        # What was streamed may be a later answer that broke off, or nothing (from the cache).
        rest = "" if streamed == answer.text else tame(answer.text or "", sys.stdout)
        print(f"\n{rest}" if streamed and rest else rest, flush=True)
        sys.stderr.write(f"{tame(told(answer), sys.stderr)}\n")


def _print_plan(answer: Answer) -> None:
    from hybrid_mcp.wire import score_result

    print(f"score {answer.complexity.score:.2f} {score_result(answer.complexity).signals}")
    print(f"why: {answer.reason}")
    print_table(("try", "model", "at most"), [(n, s.spec.name, s.bound) for n, s in enumerate(answer.plan, 1)])
    print_table(("left out", "because"), [(one.model, one.reason) for one in answer.excluded])


def _score_lines(learned: Learned | None) -> int:
    """One line out for each line in that is not blank; a bad one is told in its place, and the others still count."""
    from hybrid_mcp.wire import score_result

    code = OK
    for number, line in enumerate(sys.stdin, start=1):
        if not line.strip():
            continue
        try:
            print(score_result(score_request(_scorable(line), learned)).to_json())
        except InvalidRequest as error:
            sys.stderr.write(f"hybrid-mcp: line {number}: {error}\n")
            print(json.dumps({"error": str(error)}))
            code = REFUSED
    return code


def _learned(common: Common) -> Learned | None:
    """As for a real call: what cannot be read moves no score."""
    try:
        return anyio.run(learned_in, common.home_folder())
    except StorageError as error:
        sys.stderr.write(f"hybrid-mcp: scored without what was learned: {error}\n")
        return None


def _scorable(line: str) -> Request:
    try:
        data = cast("object", json.loads(line))
    except ValueError as error:
        # It names a position and repeats nothing.
        raise InvalidRequest(f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise InvalidRequest('not an object such as {"prompt": "...", "context": "..."}')
    fields = {name: value for name, value in cast("dict[str, Any]", data).items() if value is not None}
    unknown = sorted(set(fields) - _ENTRIES)
    if unknown or not all(isinstance(value, str) for value in fields.values()) or "prompt" not in fields:
        raise InvalidRequest(f"give `prompt` and, if wanted, {', '.join(sorted(_ENTRIES - {'prompt'}))}, all as text")
    return Request(**fields)
