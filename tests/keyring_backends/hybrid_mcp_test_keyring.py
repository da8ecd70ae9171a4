"""Keyrings for programs that a test starts: one that reads a file, one that is broken."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import PasswordSetError


class FileKeyring(KeyringBackend):
    """Holds what stands in the JSON file that HYBRID_MCP_TEST_KEYRING names, by service and name."""

    @properties.classproperty
    def priority(self) -> float:
        return 1.0

    def get_password(self, service: str, username: str) -> str | None:
        kept = json.loads(Path(os.environ["HYBRID_MCP_TEST_KEYRING"]).read_text(encoding="utf-8"))
        return kept.get(service, {}).get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError("only read")


class BrokenKeyring(FileKeyring):
    """Fails, and says in its error what nobody else may say."""

    def get_password(self, service: str, username: str) -> str | None:
        raise OSError(f"cannot open the vault of SEALED-OWNER for {service} {username}")
