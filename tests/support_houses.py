"""The whole product in this process, on its real ledger, before servers that fail, and what must hold afterwards."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from hybrid_mcp.app import App, open_app
from hybrid_mcp.config import load_settings
from hybrid_mcp.domain.answer import Answer, Attempt
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.profile import ModelSpec, ProviderKind, ProviderSpec
from hybrid_mcp.ports import Progress
from hybrid_mcp.providers.streaming import Patience
from hybrid_mcp.providers.turns import CLOUD_CONCURRENCY, LOCAL_CONCURRENCY
from tests.support_e2e import write_profile
from tests.support_servers import NEVER_LONGER_S, SEAL, Recorder

FIRST_BYTE_S, BETWEEN_S = 0.25, 0.2
"""How patient the adapters are here."""

PROFILE = """\
profile: house
monthly_budget: {budget}
routing_rules:
  complexity_threshold: 0
  always_try_local_first: {local_first}
  local_models: [{local}]
  cloud_models: [{paid}]
  fallback: local
providers:
"""
_PAID = ", local: false, api_key_env: FAKE_KEY, price: {input_per_mtok: 1, output_per_mtok: 2, context: 200000}"


@dataclass(slots=True)
class MovedClock:
    """The real time, and what a test has moved it by since."""

    ahead_s: float = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One model, and the address of its server without the dialect's path. Its provider has the same name."""

    name: str
    kind: ProviderKind
    url: str
    local: bool

    @property
    def model(self) -> str:
        return f"{self.name}:{self.name}"

    @property
    def line(self) -> str:
        url = f"{self.url}/v1" if self.kind == "openai" else self.url
        return f'  {self.name}: {{kind: {self.kind}, base_url: "{url}"{"" if self.local else _PAID}}}\n'


CALL: ContextVar[list[Attempt] | None] = ContextVar("the attempts of the call that runs here", default=None)


class Observer:
    """Writes each attempt down for the call that made it."""

    def attempted(self, request_id: str, attempt: Attempt) -> None:
        assert request_id
        if (attempts := CALL.get()) is not None:
            attempts.append(attempt)

    def answered(self, answer: Answer) -> None:
        pass

    def alerted(self, alert: str) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    app: App
    clock: MovedClock
    doors: Sequence[Door]

    def spec(self, door: Door) -> ProviderSpec:
        spec = self.app.settings.profile.provider(door.name)
        assert spec is not None
        return spec

    async def ask(self, request: Request, progress: Progress | None = None) -> Answer:
        return await self.app.service.complete(request, progress or Recorder(), self.app.account)

    async def spent(self) -> Usd:
        """What the ledger was charged, once everything is finished: nothing is set aside, and the book adds up."""
        balance = (await self.app.ledger.report("month")).balance
        assert balance.reserved == ZERO
        assert list(await self.app.ledger.check()) == []
        return balance.spent

    async def free_places(self) -> dict[str, int]:
        """How many calls can be at each provider at once, of those that may."""
        inside: Counter[str] = Counter()
        with anyio.move_on_after(NEVER_LONGER_S):
            async with anyio.create_task_group() as group:

                async def enter(door: Door) -> None:
                    spec = ModelSpec(provider=self.spec(door), model="nobody")
                    async with self.app.catalog.turn(spec, Recorder()):
                        inside[door.name] += 1
                        await anyio.sleep_forever()

                for door in self.doors:
                    for _ in range(places_at(door)):
                        group.start_soon(enter, door)
                await anyio.wait_all_tasks_blocked()
                group.cancel_scope.cancel()
        return dict(inside)


def places_at(door: Door) -> int:
    return LOCAL_CONCURRENCY if door.local else CLOUD_CONCURRENCY


@asynccontextmanager
async def house(
    home: Path, *doors: Door, local_first: bool = True, budget: str = "1000", first_byte_s: float = FIRST_BYTE_S,
    between_s: float = BETWEEN_S, **variables: str,
) -> AsyncGenerator[House]:  # fmt: skip
    """Opened with its SDKs loaded, because no deadline of these tests pays for that, and with impatient adapters."""
    names: Mapping[bool, str] = {
        local: ", ".join(f'"{door.model}"' for door in doors if door.local == local) for local in (True, False)
    }
    assert names[True], "without one on this machine the embedded model would answer"
    text = PROFILE.format(
        budget=budget, local_first=str(local_first).lower(), local=names[True], paid=names[False]
    )  # fmt: skip
    write_profile(home, text + "".join(door.line for door in doors), "house")
    (home / "whitelist.json").write_text(json.dumps({"cloud_apis": ["127.0.0.1"]}), encoding="utf-8")
    environ = {"FAKE_KEY": "k", "OLLAMA_TIMEOUT": str(first_byte_s), **variables}
    clock = MovedClock()

    def patient(*_: object) -> Patience:
        return Patience(first_byte_s=first_byte_s, idle_s=between_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hybrid_mcp.app.SystemClock", lambda: clock)
        for module in ("openai", "anthropic"):
            patch.setattr(f"hybrid_mcp.providers.{module}.patience_for", patient)
        app = open_app(load_settings(environ=environ, home=home, profile="house"), Observer())
        opened = House(app=app, clock=clock, doors=doors)
        for door in doors:
            app.catalog.provider_of(opened.spec(door))
    try:
        yield opened
    finally:
        await app.aclose()


def prompt(tag: str) -> str:
    return f"Say which of these is right. {SEAL} [{tag}]"
