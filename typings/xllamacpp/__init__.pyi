"""The part of xllamacpp 2026.10.11549 that is used here."""

from collections.abc import Callable
from typing import Any

class CommonParamsModel:
    path: str

class CpuParams:
    n_threads: int

class CommonParams:
    model: CommonParamsModel
    cpuparams: CpuParams
    cpuparams_batch: CpuParams
    n_ctx: int
    n_parallel: int
    n_batch: int
    n_ubatch: int
    n_gpu_layers: int
    n_ctx_checkpoints: int
    cache_ram_mib: int
    fit_params: bool
    warmup: bool
    offline: bool
    verbosity: int
    api_keys: list[str]
    ui: bool
    endpoint_slots: bool
    n_threads_http: int

class Server:
    """Raises RuntimeError when the model cannot be loaded."""

    def __init__(self, common_params: CommonParams, /) -> None: ...
    def handle_chat_completions(
        self, prompt: dict[str, Any], callback: Callable[[dict[str, Any]], bool], /
    ) -> None: ...
