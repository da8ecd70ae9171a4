"""Calls through LiteLLM's Router, which is a library. Runs in an environment of its own (see `bench.rival`).

Its argument is the provider's URL. It says "ready"; then, for each line of standard input, a JSON object with the
fields of `bench.load.Load`, it prints one with those of `bench.load.Slice`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict

from litellm import Router  # pyright: ignore[reportMissingModuleSource]  # not in this environment

from bench.load import Load


async def _main(url: str) -> None:
    router = Router(
        model_list=[
            {
                "model_name": "model",
                "litellm_params": {
                    "model": "openai/model", "api_base": f"{url}/v1", "api_key": "a-key",
                    "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6,
                },
            }
        ],
        num_retries=0,
    )  # fmt: skip

    async def call(prompt: str) -> None:
        stream = await router.acompletion(
            model="model", messages=[{"role": "user", "content": prompt}], max_tokens=64, stream=True,
            stream_options={"include_usage": True},
        )  # fmt: skip
        pieces = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
        assert any(pieces), "an empty answer"

    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        found = await Load(**json.loads(line)).on(call)
        print(json.dumps(asdict(found)), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
