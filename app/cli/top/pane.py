"""A screen of lines over the table: help, warnings, the columns to sort by, one route."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Static

from app.cli.top.item import Item
from app.cli.top.lines import Lines
from app.cli.top.words import fitting

COPIED_S = 3.0


Build = Callable[[int], Sequence[Item]]
"""The lines for a screen of so many columns."""


class Pane(Screen[str]):
    """Lines that scroll. Ends with the chosen value, or with an empty one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,Q,f10,backspace", "leave", "Back"),
        Binding("enter", "choose", "Choose"),
        Binding("c,y", "copy", "Copy"),
    ]

    def __init__(self, build: Build, keys: Sequence[str], *, copies: bool = False, chosen: str = "") -> None:
        """`copies`: Enter copies a value and stays; else it ends with it. `keys`: the last line, longest
        first. `chosen`: the value of the line to begin with."""
        super().__init__()
        self._build, self._keys, self._copies, self._begin = build, keys, copies, chosen
        self._items: Sequence[Item] = ()

    def compose(self) -> ComposeResult:
        yield Lines(id="lines")
        yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one(Lines).focus()
        self.rebuild()
        values = [item.value for item in self._items]
        if self._begin in values:
            self.query_one(Lines).choose(values.index(self._begin))

    def on_resize(self, event: Resize) -> None:
        self.rebuild()

    def rebuild(self) -> None:
        """Makes the lines again."""
        if not self.is_mounted:
            return
        self._items = self._build(self.app.size.width)
        self.query_one(Lines).show([_line(item) for item in self._items])
        self._say(fitting(self._keys, self.app.size.width))

    @property
    def _chosen(self) -> str:
        at = self.query_one(Lines).chosen
        return self._items[at].value if at < len(self._items) else ""

    def action_leave(self) -> None:
        self.dismiss("")

    def action_choose(self) -> None:
        if self._copies:
            self.action_copy()
        else:
            self.dismiss(self._chosen)

    def action_copy(self) -> None:
        value = self._chosen
        if not self._copies or not value:
            return
        self.app.copy_to_clipboard(value)
        self._say(fitting((f"copied {value} to the clipboard", f"copied {value}"), self.app.size.width))
        self.set_timer(COPIED_S, self.rebuild)

    def _say(self, text: str) -> None:
        self.query_one("#keys", Static).update(text)


def _line(item: Item) -> Callable[[int], Text]:
    def made(width: int) -> Text:
        text = Text(item.text, item.style, no_wrap=True)
        text.truncate(width)
        return text

    return made
