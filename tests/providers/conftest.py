from __future__ import annotations

from tests.support_servers import llama_server

__all__ = ["llama_server"]
