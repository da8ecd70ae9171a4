"""Links that install the server into a client with one click."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, urlencode

from hybrid_mcp.install.clients import CLIENTS
from hybrid_mcp.install.entry import PROGRAM, Entry

ANYWHERE = Entry(command="uvx", args=(PROGRAM,))
"""A link cannot know where the program lies."""


def vscode_link(name: str, entry: Entry = ANYWHERE) -> str:
    """https://code.visualstudio.com/api/extension-guides/ai/mcp#create-an-mcp-installation-url"""
    return f"vscode:mcp/install?{quote(_json({'name': name, **entry.fields(CLIENTS['vscode'])}), safe='')}"


def cursor_link(name: str, entry: Entry = ANYWHERE) -> str:
    """https://cursor.com/docs/mcp/install-links"""
    config = base64.b64encode(_json(entry.fields(CLIENTS["cursor"])).encode()).decode()
    return f"cursor://anysphere.cursor-deeplink/mcp/install?{urlencode({'name': name, 'config': config})}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
