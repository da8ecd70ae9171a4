"""The commands about money: `budget`, `usage`."""

from __future__ import annotations

import json
from dataclasses import replace

from cyclopts import App as Cli

from hybrid_mcp.app import App
from hybrid_mcp.arguments import Csv, Form, Given, Json, form, month_of
from hybrid_mcp.domain.budget import PeriodName
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.usage import By, UsageRow
from hybrid_mcp.launch import OK
from hybrid_mcp.reports import Reports
from hybrid_mcp.statement import SCOPE_COLUMNS, print_statement, scope_rows
from hybrid_mcp.tables import print_csv, print_table


def add(cli: Cli, common: Given) -> None:
    """Add the commands to the parser."""

    @cli.command
    def budget(*, period: PeriodName = "month", as_json: Json = False, as_csv: Csv = False) -> int:
        """Show what was spent, what is left and what was saved (UTC)."""
        wanted = form(as_json=as_json, as_csv=as_csv)
        return common.value.with_app(lambda app: _budget(app, period, wanted))

    @cli.command
    def usage(*, by: By = "day", month: str | None = None, as_json: Json = False, as_csv: Csv = False) -> int:
        """Show the answers of a month by day, model or source.

        Parameters
        ----------
        month
            The month as YYYY-MM in UTC; by default this one.
        """
        wanted, given = form(as_json=as_json, as_csv=as_csv), month_of("--month", month)
        return common.value.with_app(lambda app: _usage(app, by, given, wanted))


async def _budget(app: App, period: PeriodName, wanted: Form) -> int:
    status = await _for_nobody(app.reports).budget(period, app.account)
    match wanted:
        case "json":
            from hybrid_mcp.wire import budget_result

            print(budget_result(status).to_json())
        case "csv":
            print_csv(SCOPE_COLUMNS, scope_rows(status))
        case "table":
            print_statement(status, profile=app.settings.profile, project=app.settings.project)
    return OK


def _for_nobody(reports: Reports) -> Reports:
    """Without the client's cap: each command is a client of its own, so its budget says nothing of any server's."""
    return replace(reports, profile=replace(reports.profile, client_budget=None))


async def _usage(app: App, by: By, month: str | None, wanted: Form) -> int:
    rows = await app.reports.usage(by, month)
    columns = (by, "requests", "input_tokens", "output_tokens", "cost_usd", "saved_usd", "billed_usd")
    match wanted:
        case "json":
            print(json.dumps([dict(zip(columns, _plain(row), strict=True)) for row in rows]))
        case "csv":
            print_csv(columns, map(_values, rows))
        case "table" if rows:
            print_table([column.removesuffix("_usd") for column in columns], map(_values, rows))
        case "table":
            print(f"nothing was answered {'this month' if month is None else f'in {month}'} (UTC)")
    return OK


def _values(row: UsageRow) -> tuple[str | int | Usd | None, ...]:
    return row.key, row.requests, row.input_tokens, row.output_tokens, row.cost, row.saved, row.billed


def _plain(row: UsageRow) -> list[str | int | float | None]:
    return [value.dollars if isinstance(value, Usd) else value for value in _values(row)]
