"""The commands about clients over HTTP: `token add`, `token list`, `token revoke`."""

from __future__ import annotations

import json
import secrets
import sys

from cyclopts import App as Cli

from hybrid_mcp.arguments import Given, Json
from hybrid_mcp.domain.bearer import NAME_RULE, PREFIX, KeptToken, digest_of
from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.launch import OK, Common
from hybrid_mcp.tables import print_table


def add(cli: Cli, common: Given) -> None:
    """Add the commands to the parser."""
    tokens = Cli(name="token", help="Let clients in over HTTP (`serve --http`), list them, or take that back.")
    cli.command(tokens)

    @tokens.command(name="add")
    def add_one(name: str, /) -> int:
        """Make a token, and print it once: a client sends it as `Authorization: Bearer TOKEN`."""
        return _add(common.value, name)

    @tokens.command(name="list")
    def list_all(*, as_json: Json = False) -> int:
        """Show the names of the tokens, and when they were made (UTC)."""
        return _list(common.value, as_json=as_json)

    @tokens.command
    def revoke(name: str, /) -> int:
        """Take a token away; it works at once, also while a server runs."""
        gone = common.value.tokens().revoke(name)
        print(f"revoked: {gone.name} is let in no more")
        return OK


def _add(common: Common, name: str) -> int:
    from hybrid_mcp.observe.clock import SystemClock

    token = PREFIX + secrets.token_urlsafe(32)
    try:
        kept = KeptToken(
            id=f"token-{secrets.token_hex(6)}", name=name, digest=digest_of(token), created=SystemClock().now()
        )
    except ValueError:
        raise InvalidRequest(f"{name[:64]!r} cannot be the name of a token: use {NAME_RULE}") from None
    common.tokens().add(kept)
    sys.stderr.write("hybrid-mcp: this token is shown only now, and only its digest is kept: copy it\n")
    print(token)
    return OK


def _list(common: Common, *, as_json: bool) -> int:
    rows = [(one.name, one.id, one.created.isoformat(timespec="seconds")) for one in common.tokens().tokens()]
    columns = ("name", "id", "created")
    if as_json:
        print(json.dumps([dict(zip(columns, row, strict=True)) for row in rows]))
    elif rows:
        print_table(columns, rows)
    else:
        print("no token: run `hybrid-mcp token add NAME`")
    return OK
