"""The command `serve`: over stdio, or over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App as Cli
from cyclopts import Parameter

from hybrid_mcp.arguments import Given, WrongUsage
from hybrid_mcp.http.options import DEFAULT_HOST, DEFAULT_PORT, HttpOptions
from hybrid_mcp.launch import serve, serve_http

Flag = Parameter(negative="")


def add(cli: Cli, common: Given) -> None:
    """Add the command to the parser."""

    @cli.command(name="serve")
    def serve_mcp(
        *,
        http: Annotated[bool, Flag] = False,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        allowed_host: Annotated[tuple[str, ...], Parameter(negative="")] = (),
        allowed_origin: Annotated[tuple[str, ...], Parameter(negative="")] = (),
        tls_cert: Path | None = None,
        tls_key: Path | None = None,
        client_ca: Path | None = None,
        behind_proxy: Annotated[bool, Flag] = False,
        oauth_issuer: str | None = None,
        oauth_audience: str | None = None,
    ) -> int:
        """Serve MCP over stdio, or over HTTP at /mcp for clients with a token (`hybrid-mcp token add NAME`).

        Parameters
        ----------
        http
            Over HTTP; what follows is for that.
        host
            The address to listen on. Another than this machine's own needs TLS, or --behind-proxy, and --allowed-host.
        port
            The port to listen on; 0 takes a free one and tells which.
        allowed_host
            A name by which clients reach the server; may be given more than once.
        allowed_origin
            A web page's origin that may use it from a browser, such as https://app.example.com; more than once.
        tls_cert
            The PEM file of the certificate and its chain.
        tls_key
            The PEM file of its key.
        client_ca
            The PEM file of the authority whose certificates clients must show (mutual TLS).
        behind_proxy
            A proxy before it speaks TLS, and nobody else reaches the port.
        oauth_issuer
            Who issues access tokens (JWT) besides the tokens of `hybrid-mcp token add`.
        oauth_audience
            The server's own address in them, such as https://mcp.example.com/mcp.
        """
        options = HttpOptions(
            host=host, port=port, allowed_hosts=allowed_host, allowed_origins=allowed_origin, tls_cert=tls_cert,
            tls_key=tls_key, client_ca=client_ca, behind_proxy=behind_proxy, oauth_issuer=oauth_issuer,
            oauth_audience=oauth_audience,
        )  # fmt: skip
        if not http:
            _refuse_http_options(options)
            return serve(common.value)
        if (problem := options.problem()) is not None:
            raise WrongUsage(problem)
        return serve_http(common.value, options)


def _refuse_http_options(options: HttpOptions) -> None:
    """What is meant for a server on the network must not be lost silently."""
    if options != HttpOptions():
        raise WrongUsage("these options are for serve --http: add --http, or leave them out")
