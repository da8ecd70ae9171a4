from __future__ import annotations

from tests.support_contract import embedded_model, ollama_spec, real
from tests.support_servers import llama_server

__all__ = ["embedded_model", "llama_server", "ollama_spec", "real"]
