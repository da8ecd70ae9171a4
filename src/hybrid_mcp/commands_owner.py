"""The commands of the owner: `check`, `approve`, `doctor`."""

from __future__ import annotations

import json
import sys

from cyclopts import App as Cli

from hybrid_mcp.app import App
from hybrid_mcp.arguments import Given, Json
from hybrid_mcp.checkup import checkup
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.gatekeeper import MAX_CLIENT_CHARACTERS, MAX_REASON_CHARACTERS, one_line, what_it_opens
from hybrid_mcp.launch import OK, REFUSED
from hybrid_mcp.ports import ApprovalRequest
from hybrid_mcp.tables import print_table
from hybrid_mcp.terminal import quoted


def add(cli: Cli, common: Given) -> None:
    """Add the commands to the parser."""

    @cli.command
    def check(resource_type: str, resource_name: str, /, *, as_json: Json = False) -> int:
        """Tell whether a resource is on the whitelist."""
        return _check(common.value.opened(), resource_type, resource_name, as_json=as_json)

    @cli.command
    def approve(approval_id: str | None = None, /) -> int:
        """Grant or refuse what waits for you; it takes effect at once."""
        return _approve(common.value.opened(), approval_id)

    @cli.command
    def doctor(*, as_json: Json = False) -> int:
        """Show what works, what does not, and what to do."""
        return common.value.with_app(lambda app: _doctor(app, as_json=as_json))


def _check(app: App, resource_type: str, name: str, *, as_json: bool) -> int:
    verdict = app.gatekeeper.check(resource_type, name)
    word = "allowed" if verdict.allowed else "not allowed"
    if as_json:
        from hybrid_mcp.wire import allowed_result

        print(allowed_result(verdict).to_json())
    else:
        print(f"{word}: {verdict.reason}")
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
        print("\n".join(_shown(request)))
        if _says_yes("  allow? [y/N] "):
            app.gatekeeper.grant(request)
            print("  allowed, in force now")
        else:
            app.gatekeeper.refuse(request)
            print("  refused")
    return OK


def _shown(request: ApprovalRequest) -> list[str]:
    """What is asked, in our words first; each row of theirs is marked, so that none looks like one of ours."""
    return [
        f"{request.id}: {request.resource_type}: {request.resource_name}",
        f"  this opens: {what_it_opens(request)}",
        "  who asks and why, in their own words:",
        *quoted(one_line(request.client, MAX_CLIENT_CHARACTERS)),
        *quoted(one_line(request.reason, MAX_REASON_CHARACTERS) or "no reason given"),
    ]


def _says_yes(question: str) -> bool:
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except EOFError:
        return False


async def _doctor(app: App, *, as_json: bool) -> int:
    findings = await checkup(app, whole_ledger=True)
    if as_json:
        print(json.dumps([{"what": one.what, "state": one.state, "detail": one.detail} for one in findings]))
    else:
        print_table(("", "what", "detail"), [(one.state, one.what, one.detail) for one in findings])
    return REFUSED if any(one.state == "broken" for one in findings) else OK
