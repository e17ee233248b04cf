"""Small pieces of HTML for what notebooks show: everything is escaped, colours follow the notebook's theme."""

from collections.abc import Iterable, Sequence
from html import escape

_STYLE = (
    "<style>"
    ".workbench{max-width:62em;line-height:1.45}"
    ".workbench table{border-collapse:collapse;margin:.5em 0}"
    ".workbench table th,.workbench table td{padding:.15em .7em;border-bottom:1px solid var(--jp-border-color2,#ddd)}"
    ".workbench table th.text,.workbench table td.text{text-align:left}"
    ".workbench table th.figure,.workbench table td.figure{text-align:right;font-variant-numeric:tabular-nums}"
    ".workbench table th[scope=row]{min-width:12em}.workbench table th.figure{min-width:4.6em;vertical-align:bottom}"
    ".workbench .scroll{max-height:32em;overflow:auto;padding-bottom:1em}"
    ".workbench .note{color:var(--jp-ui-font-color2,#555);font-size:90%}"
    ".workbench .stamp{border:1px solid currentColor;border-radius:3px;padding:0 .5em;font-weight:600}"
    "</style>"
)


def block(*parts: str) -> str:
    """Put pieces of HTML into one block."""
    return f'<div class="workbench">{_STYLE}{"".join(parts)}</div>'


def heading(text: str) -> str:
    """Return a heading, escaped."""
    return f"<h3>{escape(text)}</h3>"


def paragraph(text: str) -> str:
    """Return a paragraph, escaped."""
    return f"<p>{escape(text)}</p>"


def note(text: str) -> str:
    """Return a paragraph in small print, escaped."""
    return f'<p class="note">{escape(text)}</p>'


def stamp(text: str) -> str:
    """Return a framed word, escaped."""
    return f'<p><span class="stamp">{escape(text)}</span></p>'


def code(lines: Iterable[str]) -> str:
    """Return lines of code, escaped."""
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def listing(items: Iterable[str]) -> str:
    """Return a list, escaped."""
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def grid(head: Sequence[str], rows: Iterable[Sequence[str]], *, figures_from: int | None = None) -> str:
    """Return a table, escaped; columns from number `figures_from` on hold figures, the others text."""
    first = len(head) if figures_from is None else figures_from
    kinds = ["text" if place < first else "figure" for place in range(len(head))]
    top = "".join(f'<th scope="col" class="{kind}">{escape(cell)}</th>' for kind, cell in zip(kinds, head, strict=True))
    titles = 0 if figures_from is None else first
    body = "".join(f"<tr>{''.join(_cells(row, kinds, titles))}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _cells(row: Sequence[str], kinds: Sequence[str], titles: int) -> Iterable[str]:
    """Yield the cells of a row; the first `titles` are its headings."""
    for place, (kind, cell) in enumerate(zip(kinds, row, strict=True)):
        if place < titles:
            yield f'<th scope="row" class="{kind}">{escape(cell)}</th>'
        else:
            yield f'<td class="{kind}">{escape(cell)}</td>'
