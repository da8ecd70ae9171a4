"""The smallest server on the same SDK that asks a provider: no routing, no scan, no budget. Its argument is the URL."""

import sys

from mcp.server import MCPServer
from openai import AsyncOpenAI

server = MCPServer("asking")
provider = AsyncOpenAI(base_url=f"{sys.argv[1]}/v1", api_key="a-key", max_retries=0)


@server.tool()
async def ask(prompt: str) -> str:
    """Ask the model."""
    stream = await provider.chat.completions.create(
        model="model", messages=[{"role": "user", "content": prompt}], max_tokens=64, stream=True,
        stream_options={"include_usage": True},
    )  # fmt: skip
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


if __name__ == "__main__":
    server.run("stdio")
