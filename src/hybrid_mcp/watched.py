"""What is seen of one attempt while it runs."""

from __future__ import annotations

from datetime import datetime

from hybrid_mcp.domain.completion import Usage
from hybrid_mcp.domain.tokens import Written
from hybrid_mcp.ports import Progress


class Watched:
    """Passes progress on, counts what the model writes, and remembers the last words, for the error of a time-out.

    `text`: as much of the answer as has come.

    `held`: no piece of the answer is shown, because only the whole answer tells whether values may be put back into it,
    or where its reasoning ends.
    `usage`: what the provider has told so far.
    """

    def __init__(self, progress: Progress, sent_at: datetime) -> None:
        self._progress = progress
        self.sent_at = sent_at
        self.held = False
        self.written = Written()
        self._pieces: list[str] = []
        self.usage: Usage | None = None
        self.last = "nothing"

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def show(self, text: str) -> None:
        """Pass on an answer that was held, as it was written or with the values in it."""
        self._progress.delta(text)

    def asking(self, model: str) -> None:
        self.last = f"asking {model}"
        self._progress.asking(model)

    def delta(self, text: str) -> None:
        self.written.add(text)
        self._pieces.append(text)
        self.last = "the answer was being written"
        if self.held:
            self._progress.status("the answer is being written")
        else:
            self._progress.delta(text)

    def aside(self, text: str) -> None:
        self.written.add(text)
        self.last = "the model was thinking"
        self._progress.aside(text)

    def told(self, usage: Usage) -> None:
        self.usage = usage
        self._progress.told(usage)

    def status(self, text: str) -> None:
        self.last = text
        self._progress.status(text)
