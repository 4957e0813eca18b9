"""A report as one HTML page that needs nothing beside it: a verdict, a plot, a table; fit to print on paper."""

import datetime as dt
from html import escape
from typing import Any

from lamplighter.report.sheet import Bars, Column, Report
from lamplighter.report.words import Language, decimal, number, words

_WIDTH, _HEIGHT, _LEFT = 960, 180, 80
_STEP_MAX = 100
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2429; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h1 { margin: 0; font-size: 1.7rem } .subtitle { margin: 0 0 1rem; color: #55636b }
.verdict { padding: .6rem .9rem; border-left: .4rem solid #2e7d4f; background: #eef6f0; font-weight: 600 }
.bad.verdict { border-color: #b3261e; background: #fbeceb }
figure { margin: 1.5rem 0 } figcaption { font-weight: 600 } svg { width: 100%; height: auto }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: .76rem }
th, td { padding: .25rem .3rem; text-align: right; border-bottom: 1px solid #d5dde1 }
td { white-space: nowrap; font-variant-numeric: tabular-nums } th:first-child, td:first-child { text-align: left }
tr.bad td { background: #fbeceb; font-weight: 600 } td:last-child { white-space: normal }
dl { font-size: .82rem; columns: 2 } dt { font-weight: 600; break-after: avoid }
dd { margin: 0 0 .3rem } footer { color: #55636b; font-size: .82rem }
@page { size: A4 landscape; margin: 12mm }
@media print {
body { margin: 0; max-width: none; font-size: 10pt; print-color-adjust: exact }
thead { display: table-header-group } tr, figure { break-inside: avoid } table, dl { font-size: 7.5pt }
}
"""


def html(report: Report[Any], city: str, now: dt.datetime, language: Language) -> str:
    """The page of a town; `now` is city time."""
    title, caption = escape(report.title[language]), " · ".join(part for part in (city, report.span) if part)
    notes = "".join(
        f"<dt>{escape(column.heading[language])}</dt><dd>{escape(column.meaning[language])}</dd>"
        for column in report.columns
    )
    made = words(f"Made {now:%Y-%m-%d %H:%M} UTC.", f"Erstellt {now:%Y-%m-%d %H:%M} UTC.")[language]
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f'<p class="subtitle">{escape(caption)}</p>\n'
        f'<p class="{"bad " if report.bad else ""}verdict">{escape(report.verdict[language])}</p>\n'
        f"<p>{escape(report.lead[language])}</p>\n"
        f"{_plot(report.bars, language) if report.bars.names else ''}"
        f'<div class="scroll">{_table(report, language)}</div>\n'
        f"<dl>{notes}</dl>\n<footer>{made}</footer>\n</body>\n</html>\n"
    )


def _table(report: Report[Any], language: Language) -> str:
    head = "".join(f'<th scope="col">{escape(column.heading[language])}</th>' for column in report.columns)
    body = "\n".join(_row(report, index, language) for index in range(len(report.rows)))
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _row(report: Report[Any], index: int, language: Language) -> str:
    cells = "".join(f"<td>{escape(_shown(each, report.rows[index], language))}</td>" for each in report.columns)
    return f'<tr class="bad">{cells}</tr>' if index in report.bad else f"<tr>{cells}</tr>"


def _shown(column: Column[Any], row: object, language: Language) -> str:
    value = column.cell(row, language)
    if isinstance(value, float):
        return decimal(value, language, column.digits)
    return number(value, language) if isinstance(value, int) else value


def _plot(bars: Bars, language: Language) -> str:
    """Bars with a scale from 0 to the highest, the first and the last name, and a legend."""
    highest = max(1, *(sum(values) for values in zip(*(each.values for each in bars.series), strict=True)))
    step = min(_STEP_MAX, (_WIDTH - _LEFT) / len(bars.names))
    right = _LEFT + step * len(bars.names)
    parts = [
        f'<text x="{_LEFT - 6}" y="{y}" text-anchor="end">{number(value, language)}</text>'
        f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y}" y2="{y}" stroke="#d5dde1"/>'
        for value, y in ((highest, 12), (0, _HEIGHT))
    ]
    for index in range(len(bars.names)):
        parts.append(_bar(bars, index, _LEFT + index * step, step, (_HEIGHT - 12) / highest, language))
    parts.append(f'<text x="{_LEFT}" y="{_HEIGHT + 18}">{escape(bars.names[0])}</text>')
    if len(bars.names) > 1:
        parts.append(f'<text x="{right:.0f}" y="{_HEIGHT + 18}" text-anchor="end">{escape(bars.names[-1])}</text>')
    for index, each in enumerate(bars.series):
        x = _LEFT + index * 180
        parts.append(f'<rect x="{x}" y="{_HEIGHT + 30}" width="12" height="12" fill="{each.colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{_HEIGHT + 41}">{escape(each.name[language])}</text>')
    caption = escape(bars.caption[language])
    return (
        f'<figure><figcaption>{caption}</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT + 48}" role="img" '
        f'aria-label="{caption}" font-size="13" fill="#1c2429">{"".join(parts)}</svg></figure>\n'
    )


def _bar(bars: Bars, index: int, x: float, step: float, scale: float, language: Language) -> str:
    drawn, y = [], float(_HEIGHT)
    for each in bars.series:
        height = each.values[index] * scale
        y -= height
        if height:
            drawn.append(
                f'<rect x="{x + step * 0.1:.2f}" y="{y:.2f}" width="{step * 0.8:.2f}" height="{height:.2f}" '
                f'fill="{each.colour}"/>'
            )
    values = ", ".join(f"{each.name[language]} {each.values[index]}" for each in bars.series)
    return f"<g><title>{escape(f'{bars.names[index]}: {values}')}</title>{''.join(drawn)}</g>"
