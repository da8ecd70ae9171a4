"""Calls at once through LiteLLM's Router with a provider budget. Runs in an environment of its own (see `bench.rival`).

Takes one JSON object as its argument, says "ready", waits for a line, makes the calls, and prints how they ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import Any

from litellm import Router  # pyright: ignore[reportMissingModuleSource]  # not in this environment


async def _main(asked: dict[str, Any]) -> None:
    shared: dict[str, Any] = {"redis_host": "127.0.0.1", "redis_port": asked["redis"]} if asked["redis"] else {}
    router = Router(
        model_list=[
            {
                "model_name": "model",
                "litellm_params": {
                    "model": "openai/model", "api_base": f"{asked['url']}/v1", "api_key": "a-key",
                    "input_cost_per_token": asked["input"], "output_cost_per_token": asked["output"],
                },
            }
        ],
        provider_budget_config={"openai": {"budget_limit": asked["cap"], "time_period": "30d"}},
        num_retries=0,
        **shared,
    )  # fmt: skip
    print("ready", flush=True)
    sys.stdin.readline()
    limiter = asyncio.Semaphore(asked["at_once"])
    prompts = [f"Question {number} of process {asked['process']}" for number in range(asked["calls"])]
    ends = Counter(await asyncio.gather(*(_one(router, limiter, asked, prompt) for prompt in prompts)))
    await asyncio.sleep(asked["settle_s"])
    afterwards = await _one(router, limiter, asked, "One more")
    print(json.dumps({"ends": ends, "afterwards": afterwards}), flush=True)


async def _one(router: Router, limiter: asyncio.Semaphore, asked: dict[str, Any], prompt: str) -> str:
    messages = [{"role": "user", "content": prompt}]
    try:
        async with limiter:
            await router.acompletion(model="model", messages=messages, max_tokens=asked["max_tokens"])
    except Exception as error:  # noqa: BLE001 - LiteLLM's errors have no common base
        return "refused" if "budget" in str(error).lower() else f"{type(error).__name__}: {str(error)[:200]}"
    return "answered"


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1])))
