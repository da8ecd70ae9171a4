"""What the suite expects to find on a server, added to ours, with the names and answers that its scenarios ask for."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

import anyio
from mcp.server.mcpserver import UserMessage
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import (
    AudioContent,
    CallToolResult,
    Completion,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)

from hybrid_mcp.host import Calls
from hybrid_mcp.server import HybridServer
from tests.conformance.asking import add_asking
from tests.conformance.handshake import add_handshake
from tests.conformance.statelessness import add_statelessness

Content = TextContent | ImageContent | AudioContent | EmbeddedResource


def add_fixtures(server: HybridServer) -> None:
    _add_tools(server)
    _add_resources(server)
    _add_prompts(server)
    add_handshake(server)
    add_asking(server)
    add_statelessness(server)


def _add_tools(server: HybridServer) -> None:
    def says(name: str, *content: Content) -> None:
        @server.tool(name=name, description=f"Returns what {name} is about")
        def tool() -> CallToolResult:
            return CallToolResult(content=list(content))

    picture = ImageContent(type="image", data=_text64(_pixel()), mime_type="image/png")
    says("test_simple_text", _text("This is a simple text response for testing."))
    says("test_image_content", picture)
    says("test_audio_content", AudioContent(type="audio", data=_text64(_silence()), mime_type="audio/wav"))
    says("test_embedded_resource", _embedded("test://embedded-resource", "This is an embedded resource content."))
    says(
        "test_multiple_content_types", _text("Multiple content types test:"), picture,
        _embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
    )  # fmt: skip

    @server.tool(description="Always fails")
    def test_error_handling() -> str:
        raise ToolError("This tool intentionally returns an error for testing")

    @server.tool(description="Tells three times how far it is")
    async def test_tool_with_progress(ctx: Calls) -> str:
        for done in (0, 50, 100):
            await ctx.report_progress(done, 100)
            await anyio.sleep(0.05)
        return "Done"


def _add_resources(server: HybridServer) -> None:
    @server.resource("test://static-text", description="A text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", description="A picture", mime_type="image/png")
    def static_binary() -> bytes:
        return _pixel()

    @server.resource("test://template/{id}/data", description="One for each id", mime_type="application/json")
    def template(id: str) -> str:  # noqa: A002 - the suite's word
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})

    @server.resource("test://watched-resource", description="To subscribe to", mime_type="text/plain")
    def watched() -> str:
        return "It never changes."


def _add_prompts(server: HybridServer) -> None:
    @server.prompt(description="A text")
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description="Two arguments in a text")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description="A resource, and what to do with it")
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803 - the suite's word
        return [
            UserMessage(_embedded(resourceUri, "Embedded resource content for testing.")),
            UserMessage("Please process the embedded resource above."),
        ]

    @server.prompt(description="A picture, and what to do with it")
    def test_prompt_with_image() -> list[UserMessage]:
        picture = ImageContent(type="image", data=_text64(_pixel()), mime_type="image/png")
        return [UserMessage(picture), UserMessage("Please analyze the image above.")]

    @server.completion()
    async def complete(_ref: Any, _argument: Any, _context: Any) -> Completion:
        return Completion(values=[], total=0, has_more=False)


def _text(words: str) -> TextContent:
    return TextContent(type="text", text=words)


def _embedded(uri: str, words: str, mime_type: str = "text/plain") -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=words))


def _text64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _pixel() -> bytes:
    """A PNG of one red pixel."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\x00\xff\x00\x00")), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _silence() -> bytes:
    """A WAV of one silent sample."""
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    data = b"data" + struct.pack("<I", 1) + b"\x80\x00"
    return b"RIFF" + struct.pack("<I", 4 + len(form) + len(data)) + b"WAVE" + form + data
