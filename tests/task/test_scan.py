"""DuckDB as we open it."""

from __future__ import annotations

from typing import Any

import pytest

from deepenough.task import scan


class Connection:
    """A DuckDB that shows a progress bar or not, and in a notebook without ipywidgets refuses to be told."""

    def __init__(self, shows: bool, refuses: bool) -> None:
        self.shows, self.refuses = shows, refuses

    def execute(self, query: str) -> Connection:
        if query.startswith("set"):
            if self.refuses:
                raise RuntimeError("ipywidgets is missing")
            self.shows = False
        return self

    def fetchone(self) -> tuple[Any, ...]:
        return (self.shows,)


@pytest.mark.parametrize(("shows", "refuses"), [(True, False), (False, False), (False, True)])
def test_no_progress_bar_is_shown_nor_asked_away_in_vain(shows: bool, refuses: bool) -> None:
    connection = Connection(shows, refuses)
    scan._without_progress(connection)
    assert not connection.shows


def test_databases_show_no_progress_bar() -> None:
    with scan.database() as connection:
        assert connection.execute("select current_setting('enable_progress_bar')").fetchone() == (False,)
