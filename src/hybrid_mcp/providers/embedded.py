"""The embedded model: llama.cpp in this process, fetched and loaded when it is first needed.

One thread loads the model and writes all answers, one after the other in the order of the calls. It never prints.
Memory, measured on Linux x86-64: 315 MB with 8,192 tokens of context (225 MB with 4,096).
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import secrets
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio
from anyio import to_thread

from hybrid_mcp.domain.completion import Completion
from hybrid_mcp.domain.confidence import floor_of
from hybrid_mcp.domain.errors import HybridError, ProviderRejected, ProviderUnavailable
from hybrid_mcp.domain.json_schema import can_be_held, parsed
from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec
from hybrid_mcp.ports import Progress, ProviderCall
from hybrid_mcp.providers.fetch import ModelFile, OnBytes
from hybrid_mcp.providers.guarded import stumbled
from hybrid_mcp.providers.llama_stream import AnswerReader

if TYPE_CHECKING:
    from xllamacpp import Server

MODEL = "smollm2"
CONTEXT_TOKENS = 8_192
"""What SmolLM2 was trained for."""
PARAMETERS = 135_000_000
BATCH_TOKENS = 128
"""Tokens of a prompt read between two looks at whether the call was cancelled: 0.3 to 0.7 s on two cores."""
STATUS_S = 1.0
BAR_CHARACTERS = 20


class Embedded:
    """The provider of the embedded model. Nothing is imported, loaded or fetched at construction.

    `file` stands in for the model file in `home`/models. Used in one asyncio event loop at a time, in whose thread
    `Progress` is called.
    """

    def __init__(self, *, spec: ProviderSpec, home: Path, airgap: bool = False, file: ModelFile | None = None) -> None:
        self._spec = spec
        self._airgap = airgap
        self._file = file or ModelFile(folder=home / "models", airgap=airgap)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-model")
        self._server: Server | None = None
        self._closed = threading.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def state(self) -> str:
        """Whether the model's file is here: `present`, `absent`, or `fetching 34 % of 93 MB`."""
        return self._file.state()

    def unavailable_reason(self) -> str | None:
        """Why the model cannot run on this machine at all, and what to do; None when it can."""
        if importlib.util.find_spec("xllamacpp") is None:
            return (
                "the package xllamacpp is not installed (it has wheels for Linux with glibc, macOS, and Windows on "
                "x86-64): install Ollama and pull a model there"
            )
        if self._airgap and self.state() == "absent":
            return (
                "the embedded model is not on this machine and airgap is on: run `hybrid-mcp models pull smollm2` once "
                "without airgap"
            )
        return None

    async def models(self) -> Sequence[ModelSpec]:
        if self.unavailable_reason() is not None:
            return ()
        spec = ModelSpec(
            provider=self._spec,
            model=MODEL,
            context_tokens=CONTEXT_TOKENS,
            parameters=PARAMETERS,
            confidence_floor=floor_of("smollm2-135m"),
        )
        return (spec,)

    async def pull(self, on_progress: OnBytes) -> Path:
        """Fetch the model's file if it is not here; `on_progress(bytes_done, bytes_total)` a few times a second.

        Raises:
            ProviderUnavailable: it cannot be had; the message says what to do.
        """
        return await self._file.get(on_progress)

    async def complete(self, call: ProviderCall, progress: Progress) -> Completion:
        """The answer, at temperature 0. A call that is cancelled stops the model at the next token or batch of prompt.

        Raises:
            ProviderError: this attempt failed.
            ContextTooLong: the request has more than `CONTEXT_TOKENS` tokens.
        """
        self._check(call)
        path = self._file.path
        if self._server is None:
            path = await self._file.get(lambda done, total: progress.status(_fetching(done, total)))
            progress.status("loading the embedded model")
        turn = _Turn(call, AnswerReader(progress))
        try:
            await self._run(path, turn, progress)
        except HybridError:
            raise
        except Exception as error:  # noqa: BLE001 - no breaker stands before it, and other models may still answer
            raise stumbled(f"{self._spec.name}:{MODEL}", error) from None
        finally:
            turn.stop.set()
        return turn.reader.completion()

    async def aclose(self) -> None:
        """End what runs: the fetch with its subprocess, the answer under way, the model."""
        self._closed.set()
        with anyio.CancelScope(shield=True):
            await self._file.aclose()
            await to_thread.run_sync(self._unload)

    def _check(self, call: ProviderCall) -> None:
        reason = self.unavailable_reason()
        if reason is not None:
            raise _unavailable(reason)
        if call.model != MODEL:
            raise ProviderRejected(f"the embedded provider has no model of that name: use {self._spec.name}:{MODEL}")

    async def _run(self, path: Path, turn: _Turn, progress: Progress) -> None:
        if self._closed.is_set():
            raise _unavailable("the embedded model is closed: start the program again")
        future = asyncio.wrap_future(self._worker.submit(self._work, path, turn))
        try:
            while not (await asyncio.wait({future}, timeout=STATUS_S))[0]:
                progress.status(self._stage(turn))
        finally:
            future.cancel()  # a call that waits for its turn leaves the queue, and a late failure is nobody's
        if not future.cancelled():
            future.result()

    def _stage(self, turn: _Turn) -> str:
        if self._server is None:
            return "loading the embedded model"
        return turn.reader.stage if turn.begun else "waiting for the embedded model: it answers another call"

    def _work(self, path: Path, turn: _Turn) -> None:
        """Runs in the model's own thread."""
        if self._server is None:
            self._server = self._load(path)
        if turn.stop.is_set():
            return
        turn.begun = True
        try:
            self._server.handle_chat_completions(
                _body(turn.call), lambda chunk: self._closed.is_set() or turn.take(chunk)
            )
        except (ValueError, RuntimeError):
            raise ProviderRejected("the embedded model cannot read this request: send plain text messages") from None

    def _load(self, path: Path) -> Server:
        try:
            return _server(path)
        except ImportError as error:
            raise _unavailable(
                f"xllamacpp cannot be imported here ({type(error).__name__}): reinstall it, or install Ollama"
            ) from error
        except RuntimeError as error:
            self._file.distrust()
            raise _unavailable(
                f"the embedded model could not be loaded from {path}: free 400 MB of memory and call again; the file "
                "is checked then, and fetched anew if it is damaged"
            ) from error

    def _unload(self) -> None:
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._server = None


class _Turn:
    """One call's time with the model. `take` runs in the model's thread, the reader in the event loop's."""

    def __init__(self, call: ProviderCall, reader: AnswerReader) -> None:
        self.call = call
        self.reader = reader
        self.stop = threading.Event()
        self.begun = False
        self._loop = asyncio.get_running_loop()

    def take(self, chunk: dict[str, Any]) -> bool:
        """Pass a chunk on; True tells the model to stop."""
        if not self.stop.is_set():
            self._loop.call_soon_threadsafe(self._feed, chunk)
        return self.stop.is_set()

    def _feed(self, chunk: dict[str, Any]) -> None:
        if not self.stop.is_set():
            self.reader.feed(chunk)


def _server(path: Path) -> Server:
    # Read when the library is loaded: idle threads that spin would take the cores from everyone else.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from xllamacpp import CommonParams, Server  # noqa: PLC0415  # 100 MB that most runs never need

    params = CommonParams()
    params.model.path = str(path)
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 2
    params.n_gpu_layers = 0
    params.cache_ram_mib = 0  # else old prompts are kept in up to 8 GiB of memory
    params.n_ctx_checkpoints = 0
    params.warmup = False
    params.fit_params = False
    params.offline = True
    params.verbosity = -1  # not a byte: stdout is the protocol
    # It always opens a port on 127.0.0.1: nobody else gets an answer there.
    params.api_keys = [secrets.token_urlsafe(32)]
    params.ui = False
    params.endpoint_slots = False
    params.n_threads_http = 1
    return Server(params)


def _body(call: ProviderCall) -> dict[str, Any]:
    schema = {"schema": parsed(call.response_schema)} if can_be_held(call.response_schema) else None
    return {
        "messages": [{"role": message.role, "content": message.content} for message in call.messages],
        "max_tokens": min(call.max_output_tokens, CONTEXT_TOKENS),
        "temperature": call.temperature or 0,
        "stop": list(call.stop),
        "stream": True,
        "stream_options": {"include_usage": True},
        # Under a grammar the probabilities of tokens say nothing about how sure the model is.
        **({"logprobs": True, "top_logprobs": 1} if schema is None else {}),
        **({"response_format": {"type": "json_schema", "json_schema": schema}} if schema else {}),
        # Without it nothing is heard, and nothing can be cancelled, until the whole prompt was read.
        "return_progress": True,
    }


def _fetching(done: int, total: int) -> str:
    bar = "#" * (BAR_CHARACTERS * done // total)
    return (
        f"fetching the embedded model [{bar:.<{BAR_CHARACTERS}}] {100 * done // total} % of {total / 1_000_000:.0f} MB"
    )


def _unavailable(message: str) -> ProviderUnavailable:
    return ProviderUnavailable(message, billed=False)
