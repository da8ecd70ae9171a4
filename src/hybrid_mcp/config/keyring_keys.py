"""API keys from the system's keyring, for owners who installed the extra `keyring`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec

SERVICE = "hybrid-mcp"
"""Under this name, and the name of its variable, a key is kept: `keyring set hybrid-mcp OPENAI_API_KEY`."""

PATIENCE_S = 10.0
"""A locked keyring asks its owner in a window, which may be shown nowhere; clients wait for 30 or more."""

Looked = tuple[Mapping[str, str], str | None]
"""The values that were found, by variable, and what went wrong."""
KeyringReader = Callable[[Iterable[str]], Looked]


def read_keyring(names: Iterable[str]) -> Looked:
    """The keys that the system's keyring has; none where there is no keyring. It blocks, at most `PATIENCE_S`.

    A keyring that cannot be read is told and no error: keys may stand in the environment, and local models need none.
    """
    wanted = list(names)
    if not wanted or find_spec("keyring") is None:
        return {}, None
    found: dict[str, str] = {}
    failed: list[str] = []
    reading = threading.Thread(target=_read, args=(wanted, found, failed), daemon=True)
    reading.start()
    reading.join(PATIENCE_S)
    if reading.is_alive():
        return {}, f"keyring: no answer within {PATIENCE_S:g} s, so no key was taken from it: unlock it and start again"
    if failed:
        told = f"keyring: it cannot be read ({failed[0]}), so no key was taken from it"
        return {}, f"{told}: see `keyring diagnose`, or set the keys in the environment"
    return found, None


def _read(names: Iterable[str], found: dict[str, str], failed: list[str]) -> None:
    import keyring  # noqa: PLC0415 - it takes 160 ms to load, and is an extra
    from keyring.errors import NoKeyringError  # noqa: PLC0415

    try:
        for name in names:
            value = keyring.get_password(SERVICE, name)
            if value:
                found[name] = value
    except NoKeyringError:
        return
    except Exception as error:  # noqa: BLE001 - each system's keyring has errors of its own, and their texts are foreign
        failed.append(type(error).__name__)
