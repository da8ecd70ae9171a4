# What bench/litellm_router.py uses; the package itself is installed in an environment of its own.
from typing import Any

class Router:
    def __init__(
        self,
        *,
        model_list: list[dict[str, Any]],
        provider_budget_config: dict[str, dict[str, Any]],
        num_retries: int,
        redis_host: str = ...,
        redis_port: int = ...,
    ) -> None: ...
    async def acompletion(self, *, model: str, messages: list[dict[str, str]], max_tokens: int) -> object: ...
