"""A small table of HTML, for what notebooks show of our values."""

from collections.abc import Iterable
from html import escape
from typing import Any


def html_table(title: str, rows: Iterable[tuple[Any, ...]], header: tuple[str, ...] = ()) -> str:
    """Every cell is escaped; `header` names the columns.

    >>> html_table("t", [("a", "<b>")])
    '<table><caption>t</caption><tr><td>a</td><td>&lt;b&gt;</td></tr></table>'
    """
    head = f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in header)}</tr>" if header else ""
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><caption>{escape(title)}</caption>{head}{body}</table>"
