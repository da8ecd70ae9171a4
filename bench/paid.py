"""A home folder whose only paid model is billed by `bench.biller`, and the installed program on it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from bench.biller import Bill, Tariff
from hybrid_mcp.config import Settings, load_settings
from hybrid_mcp.domain.money import Usd

PROGRAM = Path(sys.executable).with_name("hybrid-mcp")
PROFILE = """\
profile: paid
monthly_budget: 0
routing_rules:
  complexity_threshold: 0
  always_try_local_first: false
  local_models: ["embedded:smollm2"]
  cloud_models: ["far:model"]
  fallback: local
providers:
  far:
    kind: openai
    base_url: "{url}/v1"
    local: false
    api_key_env: FAR_KEY
    price: {{input_per_mtok: {input}, output_per_mtok: {output}, context: 8000}}
"""
MICROS = 1_000
"""A price of one dollar per million tokens is so many nano-dollars a token."""
FRAMING = 1_000
"""More tokens than a short prompt is ever bounded with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What every call asks for, and what it costs: `tariff.answer_tokens`, of `max_output_tokens` that it may take."""

    tariff: Tariff
    max_output_tokens: int
    deadline_s: float = 30.0

    @property
    def bound(self) -> int:
        """In nano-dollars: no reservation for a call is larger."""
        return self.max_output_tokens * self.tariff.output_nanos + FRAMING * self.tariff.input_nanos


def make_home(folder: Path, bill: Bill, tariff: Tariff) -> Path:
    """A new home folder at `folder`."""
    (folder / "profiles").mkdir(parents=True)
    prices = {"input": tariff.input_nanos / MICROS, "output": tariff.output_nanos / MICROS}
    (folder / "profiles" / "paid.yaml").write_text(PROFILE.format(url=bill.url, **prices), "utf-8")
    (folder / "whitelist.json").write_text(json.dumps({"cloud_apis": ["127.0.0.1"]}), "utf-8")
    return folder


def settings(home: Path, cap: Usd) -> Settings:
    """As `serve` would load them with the environment of `session`."""
    return load_settings(environ=_variables(cap), home=home, profile="paid")


@asynccontextmanager
async def session(home: Path, cap: Usd) -> AsyncGenerator[Client]:
    """A client of `hybrid-mcp serve` in a process of its own, with a monthly budget. Its log goes nowhere."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    env = {**kept, **_variables(cap), "HYBRID_MCP_HOME": str(home)}
    parameters = StdioServerParameters(command=str(PROGRAM), args=["serve", "--profile", "paid"], env=env)
    with nowhere() as log:
        async with Client(stdio_client(parameters, errlog=log)) as client:
            yield client


def nowhere() -> TextIO:
    """Where logs go that nobody reads."""
    return Path(os.devnull).open("w", encoding="utf-8")


def _variables(cap: Usd) -> dict[str, str]:
    return {"FAR_KEY": "a-key", "MONTHLY_BUDGET": str(cap).lstrip("$").replace(",", "")}
