"""The commands behind `hybrid-mcp`, each a thin face over the application."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import anyio
from cyclopts import App as Cli
from cyclopts import CycloptsError, Parameter

from hybrid_mcp import __version__
from hybrid_mcp.app import App, embedded_model
from hybrid_mcp.checkup import checkup
from hybrid_mcp.config import check_profile, list_profiles
from hybrid_mcp.domain.answer import Answer
from hybrid_mcp.domain.completion import Quality, Request
from hybrid_mcp.domain.errors import ConfigError, HybridError, InvalidRequest
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.scorer import score as score_request
from hybrid_mcp.gatekeeper import what_it_opens
from hybrid_mcp.launch import OK, REFUSED, WRONG_USAGE, Common, serve
from hybrid_mcp.resources import model_row
from hybrid_mcp.terminal import TerminalProgress, print_table, told
from hybrid_mcp.wire import BudgetResult, allowed_result, budget_result, completion_result, score_result

_Json = Annotated[bool, Parameter(name="--json", help="Print JSON.")]
_STDIN = "\0stdin"
"""Stands for `-` among the arguments, which the parser would take for an option; no argument can hold a NUL."""
_ENTRIES = frozenset({"prompt", "context", "system_prompt", "task_type"})


def parse_and_run(arguments: list[str]) -> int:
    """Parse, run, and return the exit code."""
    cli = _build()
    given = [_STDIN if argument == "-" else argument for argument in arguments]
    try:
        result = cli.meta(given, exit_on_error=False, result_action="return_value")
    except CycloptsError:
        return WRONG_USAGE
    except _WrongUsage as error:
        sys.stderr.write(f"hybrid-mcp: {error}\n")
        return WRONG_USAGE
    return result if isinstance(result, int) else OK


def _build() -> Cli:
    cli = Cli(
        name="hybrid-mcp", version=__version__, result_action="return_value", suppress_keyboard_interrupt=False,
        help="Answer a sub-task with the cheapest model that can do it. Without a command: serve MCP over stdio.",
    )  # fmt: skip
    common = _Given()

    @cli.meta.default
    def launch(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        profile: str | None = None,
        home: Path | None = None,
        airgap: Annotated[bool, Parameter(negative="")] = False,
    ) -> int:
        """Take the options that every command shares.

        Parameters
        ----------
        profile
            A profile's name or the path of its YAML file (HYBRID_MCP_PROFILE).
        home
            The home folder: whitelist, ledger, models (HYBRID_MCP_HOME).
        airgap
            Contact nothing but this machine.
        """
        common.value = Common(profile=profile, home=home, airgap=airgap)
        if not tokens:
            return serve(common.value)
        return cast("int", cli(list(tokens), exit_on_error=False, result_action="return_value"))

    cli.command(lambda: serve(common.value), name="serve", help="Serve MCP over stdio.")
    _add_asking(cli, common)
    _add_money(cli, common)
    _add_owner(cli, common)
    _add_lists(cli, common)
    return cli


class _WrongUsage(Exception):
    """The arguments cannot be meant so; the message says why."""


class _Given:
    """Holds the shared options from the parser's outer to its inner step."""

    value = Common()


def _add_asking(cli: Cli, common: _Given) -> None:
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
        as_json: _Json = False,
    ) -> int:
        """Answer one prompt; `-` reads it from standard input. The options are those of the tool route_completion."""
        request = Request(
            prompt=sys.stdin.read() if prompt == _STDIN else prompt, context=context, system_prompt=system_prompt,
            task_type=task_type, quality=quality, force_local=force_local, force_cloud=force_cloud,
            confidential=confidential, preferred_model=preferred_model, max_cost=_dollars(max_cost),
            max_output_tokens=max_output_tokens, deadline_s=deadline_s, dry_run=dry_run,
        )  # fmt: skip
        return common.value.with_app(lambda app: _ask(app, request, as_json=as_json))

    @cli.command
    def score(
        prompt: str | None = None,
        /,
        *,
        context: str = "",
        system_prompt: str = "",
        task_type: str | None = None,
        jsonl: bool = False,
        as_json: _Json = False,
    ) -> int:
        """Score one prompt, or with --jsonl one JSON object a line from standard input."""
        if jsonl is (prompt is not None):
            raise _WrongUsage("give either a PROMPT, or --jsonl and one JSON object a line on standard input")
        if prompt is None:
            return _score_lines()
        text = sys.stdin.read() if prompt == _STDIN else prompt
        request = Request(prompt=text, context=context, system_prompt=system_prompt, task_type=task_type)
        result = score_result(score_request(request))
        if as_json:
            print(result.to_json())
        else:
            print_table(("signal", "share"), [*result.signals.items(), ("score", f"{result.score:.2f}")])
        return OK


def _add_money(cli: Cli, common: _Given) -> None:
    @cli.command
    def budget(*, period: Literal["month", "day"] = "month", as_json: _Json = False) -> int:
        """Show what was spent, what is left and what was saved (UTC)."""
        return common.value.with_app(lambda app: _budget(app, period, as_json=as_json))

    @cli.command
    def usage(*, by: Literal["day", "model", "source"] = "day", as_json: _Json = False) -> int:
        """Show this month's answers (UTC) by day, model or source."""
        return common.value.with_app(lambda app: _usage(app, by, as_json=as_json))


def _add_owner(cli: Cli, common: _Given) -> None:
    @cli.command
    def check(resource_type: str, resource_name: str, /, *, as_json: _Json = False) -> int:
        """Tell whether a resource is on the whitelist."""
        return _check(common.value.opened(), resource_type, resource_name, as_json=as_json)

    @cli.command
    def approve(approval_id: str | None = None, /) -> int:
        """Grant or refuse what waits for you; it takes effect at once."""
        return _approve(common.value.opened(), approval_id)

    @cli.command
    def doctor(*, as_json: _Json = False) -> int:
        """Show what works, what does not, and what to do."""
        return common.value.with_app(lambda app: _doctor(app, as_json=as_json))


def _add_lists(cli: Cli, common: _Given) -> None:
    models = Cli(name="models", help="List the models that may be used, or fetch the embedded one.")
    profiles = Cli(name="profiles", help="List profiles, or check a profile's file.")
    cli.command(models)
    cli.command(profiles)

    @models.default
    def list_models(*, as_json: _Json = False) -> int:
        return common.value.with_app(lambda app: _models(app, as_json=as_json))

    @models.command
    def pull(name: Literal["smollm2"] = "smollm2", /) -> int:
        """Fetch an embedded model now instead of on first use."""
        return common.value.with_app(lambda app: _pull(app, name))

    @profiles.default
    def list_all() -> int:
        settings = common.value.settings()
        print_table(("profile", "file"), [(entry.name, entry.path) for entry in list_profiles(settings.home)])
        return OK

    @profiles.command(name="check")
    def check_file(path: Path, /) -> int:
        """Read a profile's file and say what is wrong with it."""
        loaded = check_profile(path)
        for notice in loaded.notices:
            print(notice)
        print(f"{path}: the profile {loaded.profile.name} can be used")
        return OK


async def _ask(app: App, request: Request, *, as_json: bool) -> int:
    with anyio.CancelScope() as reading:
        progress = TerminalProgress(stream=not as_json, on_gone=reading.cancel)
        try:
            answer = await app.service.complete(request, progress)
        finally:
            progress.clear()
        if as_json:
            print(completion_result(answer).to_json())
        elif answer.status == "planned":
            _print_plan(answer)
        else:
            # What was streamed may be a later answer that broke off, or nothing (from the cache).
            rest = "" if progress.streamed == answer.text else answer.text
            print(f"\n{rest}" if progress.streamed and rest else rest, flush=True)
            sys.stderr.write(f"{told(answer)}\n")
        return OK
    return REFUSED


def _print_plan(answer: Answer) -> None:
    print(f"score {answer.complexity.score:.2f} {score_result(answer.complexity).signals}")
    print(f"why: {answer.reason}")
    print_table(("try", "model", "at most"), [(n, s.spec.name, s.bound) for n, s in enumerate(answer.plan, 1)])
    print_table(("left out", "because"), [(one.model, one.reason) for one in answer.excluded])


def _score_lines() -> int:
    """One line out for each line in that is not blank; a bad one is told in its place, and the others still count."""
    code = OK
    for number, line in enumerate(sys.stdin, start=1):
        if not line.strip():
            continue
        try:
            print(score_result(score_request(_scorable(line))).to_json())
        except InvalidRequest as error:
            sys.stderr.write(f"hybrid-mcp: line {number}: {error}\n")
            print(json.dumps({"error": str(error)}))
            code = REFUSED
    return code


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


async def _budget(app: App, period: Literal["month", "day"], *, as_json: bool) -> int:
    result = budget_result(await app.reports.budget(period))
    if as_json:
        print(result.to_json())
        return OK
    print_table((f"this {result.period} (UTC)", "USD"), _amounts(result))
    answers = f"{result.local_requests} local, {result.cloud_requests} cloud, {result.cached_requests} from the cache"
    print(f"answers: {answers}; savings are measured against {result.baseline_model or 'no cloud model'}")
    if result.by_model:
        rows = [(one.model, one.requests, f"{one.cost_usd:.6f}") for one in result.by_model]
        print_table(("model", "answers", "USD"), rows)
    for alert in result.alerts:
        print(alert)
    return OK


def _amounts(result: BudgetResult) -> list[tuple[str, str]]:
    amounts = {
        "cap": result.cap_usd, "spent": result.spent_usd, "reserved": result.reserved_usd,
        "left": result.remaining_usd, "saved": result.saved_usd,
    }  # fmt: skip
    return [(name, "no cap" if amount is None else f"{amount:.6f}") for name, amount in amounts.items()]


async def _usage(app: App, by: Literal["day", "model", "source"], *, as_json: bool) -> int:
    rows = [
        {
            by: row.key, "requests": row.requests, "input_tokens": row.input_tokens,
            "output_tokens": row.output_tokens, "cost_usd": row.cost.dollars, "saved_usd": row.saved.dollars,
        }
        for row in await app.reports.usage(by)
    ]  # fmt: skip
    if as_json:
        print(json.dumps(rows))
    elif rows:
        print_table(list(rows[0]), [[_cell(value) for value in row.values()] for row in rows])
    else:
        print("nothing was answered this month (UTC)")
    return OK


def _check(app: App, resource_type: str, name: str, *, as_json: bool) -> int:
    verdict = app.gatekeeper.check(resource_type, name)
    word = "allowed" if verdict.allowed else "not allowed"
    print(allowed_result(verdict).to_json() if as_json else f"{word}: {verdict.reason}")
    return OK if verdict.allowed else REFUSED


def _approve(app: App, approval_id: str | None) -> int:
    waiting = app.gatekeeper.pending()
    wanted = [request for request in waiting if approval_id in {None, request.id}]
    if not wanted:
        print("nothing waits for approval" if approval_id is None else f"no request {approval_id[:40]} is waiting")
        return OK if approval_id is None else REFUSED
    if not sys.stdin.isatty():
        raise HybridError("approve needs a terminal, so that it is you who says yes: run it in one")
    for request in wanted:
        print(f"{request.id}: {request.client} says: {request.reason or 'no reason given'}")
        print(f"  asks for {request.resource_type}: {request.resource_name}")
        print(f"  this opens: {what_it_opens(request)}")
        if _says_yes("  allow? [y/N] "):
            app.gatekeeper.grant(request)
            print("  allowed, in force now")
        else:
            app.gatekeeper.refuse(request)
            print("  refused")
    return OK


def _says_yes(question: str) -> bool:
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except EOFError:
        return False


async def _doctor(app: App, *, as_json: bool) -> int:
    findings = await checkup(app)
    if as_json:
        print(json.dumps([{"what": one.what, "state": one.state, "detail": one.detail} for one in findings]))
    else:
        print_table(("", "what", "detail"), [(one.state, one.what, one.detail) for one in findings])
    return REFUSED if any(one.state == "broken" for one in findings) else OK


async def _models(app: App, *, as_json: bool) -> int:
    rows = [model_row(app, entry) for entry in await app.catalog.listed()]
    if as_json:
        print(json.dumps(rows))
    elif rows:
        print_table(list(rows[0]), [[_cell(value) for value in row.values()] for row in rows])
    else:
        print("no model: run `hybrid-mcp doctor`")
    return OK


async def _pull(app: App, name: str) -> int:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    model = embedded_model(app)
    if model is None:
        raise ConfigError("this profile does not use the embedded model: list embedded:smollm2 in its local_models")
    if (reason := model.unavailable_reason()) is not None:
        raise ConfigError(reason)
    if model.state() == "present":
        print(f"{name} is here already")
        return OK
    with Progress(TextColumn(name), BarColumn(), DownloadColumn()) as bar:
        task = bar.add_task(name)
        path = await model.pull(lambda done, total: bar.update(task, completed=done, total=total))
    print(f"{name} is ready: {path}")
    return OK


def _cell(value: object) -> str:
    return f"{value:.6f}" if isinstance(value, float) else "-" if value is None else str(value)


def _dollars(text: str | None) -> Usd | None:
    try:
        return None if text is None else Usd.limit(text)
    except ValueError as error:
        raise _WrongUsage(f"--max-cost: {error}") from None
