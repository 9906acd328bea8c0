"""Where Ray tasks put what they tell. The process of the queue loads this module, and nothing that draws."""

from __future__ import annotations

from typing import Any


class EventQueue:
    """Where tasks put what they tell, for the driver to take."""

    def __init__(self) -> None:
        self._news: list[tuple] = []

    def put(self, *news: Any) -> None:
        self._news.append(news)

    def take(self) -> list[tuple]:
        """What came since the last time."""
        news, self._news = self._news, []
        return news
