"""The environment variables that are read, and how. Everything else in the environment is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from hybrid_mcp.config import scalars
from hybrid_mcp.config.endpoint import Endpoint, parse_ollama_host
from hybrid_mcp.config.profile_file import APPROVALS
from hybrid_mcp.config.project import read_project
from hybrid_mcp.config.scalars import shown
from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import ApprovalMode

if TYPE_CHECKING:
    from pydantic import SecretStr

OLLAMA_TIMEOUT_S = 120.0
BREAKER_FAILURES = 3
BREAKER_RECOVERY_S = 60.0
"""The defaults of OLLAMA_TIMEOUT and of the two CIRCUIT_BREAKER variables."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the variables say; None where one is unset or empty and has no default."""

    home: str | None
    profile: str | None
    project: str | None
    airgap: bool | None
    approval: ApprovalMode | None
    monthly_budget: Usd | None
    daily_budget: Usd | None
    client_budget: Usd | None
    project_budget: Usd | None
    ollama_host: Endpoint | None
    ollama_model: str | None
    ollama_timeout_s: float
    breaker_failure_threshold: int
    breaker_recovery_s: float


def read_environment(environ: Mapping[str, str]) -> Environment:
    """Every variable but the keys.

    Raises:
        ConfigError: a value cannot be read. The message names the variable.
    """
    return Environment(
        home=_value(environ, "HYBRID_MCP_HOME", _path),
        profile=_value(environ, "HYBRID_MCP_PROFILE", str),
        project=_value(environ, "HYBRID_MCP_PROJECT", read_project),
        airgap=_value(environ, "AIRGAP_MODE", _flag),
        approval=_value(environ, "HYBRID_MCP_APPROVAL", _approval),
        monthly_budget=_value(environ, "MONTHLY_BUDGET", scalars.money),
        daily_budget=_value(environ, "DAILY_BUDGET", scalars.money),
        client_budget=_value(environ, "CLIENT_BUDGET", scalars.money),
        project_budget=_value(environ, "PROJECT_BUDGET", scalars.money),
        ollama_host=_value(environ, "OLLAMA_HOST", parse_ollama_host),
        ollama_model=_value(environ, "OLLAMA_MODEL", scalars.model_id),
        ollama_timeout_s=_value(environ, "OLLAMA_TIMEOUT", scalars.seconds) or OLLAMA_TIMEOUT_S,
        breaker_failure_threshold=_value(environ, "CIRCUIT_BREAKER_FAILURE_THRESHOLD", _count) or BREAKER_FAILURES,
        breaker_recovery_s=_value(environ, "CIRCUIT_BREAKER_RECOVERY_TIMEOUT", scalars.seconds) or BREAKER_RECOVERY_S,
    )


def read_keys(values: Mapping[str, str], names: Iterable[str], source: str) -> Mapping[str, SecretStr]:
    """The API keys that are set, by variable; printing one shows asterisks. `source`: where the values stand.

    Raises:
        ConfigError: a value cannot be sent as a key. The message names the variable, never the value.
    """
    found = {name: value for name in names if (value := values.get(name, "").strip())}
    for name, value in found.items():
        if not value.isascii() or not value.isprintable() or " " in value:
            raise ConfigError(
                f"{source}: {name}: holds characters that no API key has (the value is not shown); copy the key anew"
            )
    if not found:
        return MappingProxyType({})
    # pydantic takes 60 ms to load: only where there is a secret to keep.
    from pydantic import SecretStr  # noqa: PLC0415

    return MappingProxyType({name: SecretStr(value) for name, value in found.items()})


def _value(environ: Mapping[str, str], name: str, read: Callable[[str], T]) -> T | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    try:
        return read(text)
    except ValueError as error:
        raise ConfigError(f"environment: {name}: {error}, or unset it") from None


def _flag(text: str) -> bool:
    if text in {"0", "1"}:
        return text == "1"
    try:
        return scalars.boolean(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is neither true nor false; use 1/0, true/false, yes/no or on/off") from None


def _approval(text: str) -> ApprovalMode:
    for mode in APPROVALS:
        if mode == text.lower():
            return mode
    raise ValueError(f"{shown(text)} is not known; use one of {', '.join(APPROVALS)}")


def _count(text: str) -> int:
    return scalars.whole(text, 1, 1000)


def _path(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character; write a path")
    return text
