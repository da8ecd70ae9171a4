"""Profiles and homes on disk for the tests of the configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_mcp.domain.errors import ConfigError


def write(path: Path, text: str | bytes) -> Path:
    """The file with this content, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return path


def refusal(call: Callable[[], object]) -> str:
    """The message of the ConfigError that the call must raise: one line, of bounded length."""
    with pytest.raises(ConfigError) as caught:
        call()
    message = str(caught.value)
    assert message.splitlines() == [message]
    return message
