# What bench/litellm_router.py and bench/litellm_slices.py use; the package itself is installed in an environment of its own.
from collections.abc import AsyncIterator
from typing import Any

class _Delta:
    content: str | None

class _Choice:
    delta: _Delta

class _Chunk:
    choices: list[_Choice]

class Router:
    def __init__(
        self,
        *,
        model_list: list[dict[str, Any]],
        num_retries: int,
        provider_budget_config: dict[str, dict[str, Any]] = ...,
        redis_host: str = ...,
        redis_port: int = ...,
    ) -> None: ...
    async def acompletion(
        self,
        *,
        model: str,
        messages: list[dict[str, str]],
        max_tokens: int,
        stream: bool = ...,
        stream_options: dict[str, bool] = ...,
    ) -> AsyncIterator[_Chunk]: ...
