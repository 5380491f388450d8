"""A widget of lines that scroll, one of which is chosen. Only those on the screen are made: Textual's own
DataTable lays out all 500 rows again at each refresh, for a quarter of a second in which no key is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text
from textual.widget import Widget

Line = Callable[[int], Text]
"""Makes one line, at most so many cells wide."""

CHOSEN = "reverse"
"""The chosen line's style: readable on any background, with colours or without."""


class Lines(Widget, can_focus=True):
    """Lines below each other, and above them a head that stays."""

    DEFAULT_CSS = "Lines { height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: Sequence[Line] = ()
        self.head: Line | None = None
        self.chosen = 0
        self._first = 0

    def show(self, lines: Sequence[Line], head: Line | None = None) -> None:
        """Other lines; the chosen one keeps its place, as far as there are so many."""
        self.lines, self.head = lines, head
        self.choose(self.chosen)

    def choose(self, at: int) -> None:
        """Chooses a line, and scrolls so that it is on the screen."""
        self.chosen = max(0, min(at, len(self.lines) - 1))
        self.refresh()

    def move(self, step: int) -> None:
        """So many lines down, or up."""
        self.choose(self.chosen + step)

    def turn(self, pages: int) -> None:
        """So many pages down, or up: the chosen line keeps its place on the screen."""
        self._first = max(0, self._first + pages * self.page)
        self.move(pages * self.page)

    @property
    def page(self) -> int:
        """How many lines are on the screen."""
        return max(1, self.size.height - (self.head is not None))

    def render(self) -> Text:
        width, page = self.size.width, self.page
        self._first = max(self.chosen - page + 1, min(self._first, self.chosen, len(self.lines) - page), 0)
        shown = [] if self.head is None else [self.head(width)]
        for at, line in enumerate(self.lines[self._first : self._first + page], self._first):
            text = line(width)
            if at == self.chosen:
                text.pad_right(max(0, width - text.cell_len))
                text.stylize(CHOSEN)
            shown.append(text)
        return Text("\n", no_wrap=True, end="").join(shown)
