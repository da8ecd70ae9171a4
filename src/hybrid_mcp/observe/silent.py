"""For commands whose output a person reads. A file of its own, because the log's library takes 0.1 s to load."""

from __future__ import annotations

from hybrid_mcp.domain.answer import Answer, Attempt


class Silent:
    """Implements `Observer` by saying nothing."""

    def attempted(self, request_id: str, attempt: Attempt) -> None:
        pass

    def answered(self, answer: Answer) -> None:
        pass

    def alerted(self, alert: str) -> None:
        pass
