"""An attestation as a self-contained HTML file: the style is inline, and no network is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.analytics.html_page import STYLE
from core.analytics.html_text import escaped

MORE = (
    "table{width:100%}td{vertical-align:top}tr.fails td:first-child{border-left:4px solid #c0392b;padding-left:.4rem}"
)
HEAD = ("control", "rule", "setting", "on", "last trip", "run", "test")


def page(rows: Sequence[Mapping[str, str]], fails: Sequence[bool], words: Sequence[str]) -> str:
    """Return the complete file.

    Parameters
    ----------
    rows
        The cells of each control by the names of `HEAD`.
    fails
        Whether each row is marked as failed.
    words
        The lines above the table: account, settings, load.
    """
    head = "".join(f"<th>{escaped(name)}</th>" for name in HEAD)
    body = "\n".join(_row(row, is_failed) for row, is_failed in zip(rows, fails, strict=True))
    over = "".join(f"<p>{escaped(line)}</p>" for line in words)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Keyturn attest</title>'
        f"<style>{STYLE}{MORE}</style></head>\n<body>\n<h1>Keyturn attest</h1>\n{over}\n"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>\n</body></html>\n"
    )


def _row(row: Mapping[str, str], is_failed: bool) -> str:
    cells = "".join(f"<td>{escaped(row[name])}</td>" for name in HEAD)
    return f'<tr class="fails">{cells}</tr>' if is_failed else f"<tr>{cells}</tr>"
