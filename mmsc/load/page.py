"""The report as one page that stands alone: style and plots are inside, nothing is fetched, light and dark."""

from html import escape
from typing import Any, Final

from mmsc.load.figures import name_of
from mmsc.load.plots import Line, bars, curves
from mmsc.load.text import LATENCIES, ODD, push_note

_STYLE: Final = """
:root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#1d2430;--soft:#5d6778;--line:#e3e0d8;--grid:#ebe8e0;
--a:#0b7285;--b:#c2570c;--c:#9c2f6f;--bad:#b3261e;--good:#2b7a3d;--warm:#f1ede2}
@media(prefers-color-scheme:dark){:root{--paper:#14171c;--card:#1b1f26;--ink:#e6e9ee;--soft:#9aa5b5;--line:#2c323c;
--grid:#262b34;--a:#4fc3d9;--b:#f0a35e;--c:#e58bc0;--bad:#ff8a80;--good:#7fd190;--warm:#232a2c}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1060px;margin:0 auto;padding:36px 24px 64px}
h1{font-size:1.5rem;margin:0;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:1rem;margin:0 0 12px}
p.sub{color:var(--soft);margin:4px 0 22px}
code{font:13px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
.early{border-left:4px solid var(--bad);background:var(--card);padding:10px 16px;margin:0 0 20px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-bottom:20px}
.tile,section{background:var(--card);border:1px solid var(--line);border-radius:12px}
.tile{padding:14px 16px}
.tile b{display:block;white-space:nowrap;
font-size:1.45rem;line-height:1.2;font-variant-numeric:tabular-nums;letter-spacing:-.02em}
.tile span{color:var(--soft);font-size:.85rem}
.bad b{color:var(--bad)}.good b{color:var(--good)}
section{padding:18px 20px;margin-bottom:20px}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:0 20px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}
th,td{padding:5px 8px;border-bottom:1px solid var(--grid);text-align:right;font-weight:400}
th:first-child{text-align:left}
thead th{color:var(--soft);font-size:.85rem}
tr:last-child>*{border-bottom:0}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--soft);font:12px system-ui,sans-serif}
svg .grid{stroke:var(--grid)}svg .axis,svg .tick{stroke:var(--soft)}svg .warm{fill:var(--warm)}
svg path{fill:none;stroke-width:2;stroke-linejoin:round}
svg path.a{stroke:var(--a)}svg path.b{stroke:var(--b)}svg path.c{stroke:var(--c)}svg path.bad{stroke:var(--bad)}
svg path.b{stroke-dasharray:7 3}svg path.c{stroke-dasharray:2 3}
svg circle{fill:transparent}svg circle:hover{fill:var(--ink)}
svg rect.a{fill:var(--a)}svg rect.b{fill:var(--b)}
svg line.mark{stroke:var(--ink);stroke-dasharray:3 3;opacity:.55}svg text.mark{fill:var(--ink)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;margin:8px 0 0;padding:0;color:var(--soft)}
.legend i{display:inline-block;width:22px;border-top:3px solid;margin-right:8px;vertical-align:middle}
.legend i.a{border-color:var(--a)}.legend i.b{border-color:var(--b);border-top-style:dashed}
.legend i.c{border-color:var(--c);border-top-style:dotted}.legend i.bad{border-color:var(--bad)}
@media print{section,.tile{break-inside:avoid}}
"""


def page_of(figures: dict[str, Any]) -> str:
    """The whole HTML document."""
    pace = f"{figures['rate']:g} messages/s" if figures["rate"] else f"{figures['in_flight']} messages in flight"
    early = f'<p class="early"><b>Ended early.</b> {escape(figures["stopped"])}</p>' if figures["stopped"] else ""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"/>'
        f"<title>mmsc load: {escape(figures['target'])}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>Load on {escape(figures['target'])}</h1>"
        f'<p class="sub">{escape(figures["started"])} · {pace} over {figures["connections"]} connections · '
        f"{figures['seconds']:g} s measured</p>{early}{_tiles(figures)}{_over_time(figures)}{_distributions(figures)}"
        f"{_latencies(figures)}{_counts(figures)}{_samples(figures)}"
        f"<section><h2>Command</h2><code>{escape(figures['command'])}</code></section>"
        f'<p class="sub">mmsc {escape(figures["mmsc"])}. Percentiles are at most 0.8 % high. '
        "In an open loop latency counts from when a message was due; a wait in vain counts, too.</p>"
        "</main></body></html>\n"
    )


def _tiles(figures: dict[str, Any]) -> str:
    messages, latency = figures["messages"], figures["latency_ms"]
    tiles = [("messages/s", f"{messages['per_s']:,.0f}", ""), ("accepted", f"{messages['accepted']:,}", "")]
    tiles.append(("errors", f"{messages['errors']:,}", "bad" if messages["errors"] else "good"))
    if messages["lost"] is not None:
        tiles.append(("reported", f"{messages['reported']:,}", ""))
        tiles.append(("recipients reported/s", f"{messages['recipients_reported_per_s'] or 0:,.0f}", ""))
        tiles.append(("lost", f"{messages['lost']:,}", "bad" if messages["lost"] else "good"))
    for name, title in (("submit", "to SubmitRsp"), ("report", "to the report")):
        if name in latency:
            tiles.append((f"p50 {title}", f"{_ms(latency[name]['p50'])}", ""))
            tiles.append((f"p99 {title}", f"{_ms(latency[name]['p99'])}", ""))
    drawn = "".join(
        f'<div class="tile {style}"><b>{value}</b><span>{name}</span></div>' for name, value, style in tiles
    )
    return f'<div class="tiles">{drawn}</div>'


def _over_time(figures: dict[str, Any]) -> str:
    series = [one for one in figures["series"] if one["seconds"] >= _SHORTEST_SECONDS]
    times = [one["at"] + one["seconds"] / 2 for one in series]
    warm_up = figures["warm_up_seconds"] or 0.0

    def rates(name: str) -> list[float | None]:
        return [one[name] / one["seconds"] for one in series]

    lines = [Line("a", "accepted", rates("accepted"))]
    if figures["reports"] is not None:
        lines.append(Line("b", "reported", rates("reported")))
    if any(one["errors"] for one in series):
        lines.append(Line("bad", "errors", rates("errors")))
    throughput = curves("Throughput over time", times, lines, "/s", warm_up=warm_up)
    named = (("a", "p50"), ("b", "p99"), ("c", "max"))
    waits = [Line(style, name, [one[name] if one["accepted"] else None for one in series]) for style, name in named]
    latency = curves("Latency over time", times, waits, "ms", warm_up=warm_up, logarithmic=True)
    found = f"<section><h2>Throughput over time</h2>{throughput}</section>" if throughput else ""
    return found + (f"<section><h2>SubmitReq to SubmitRsp over time</h2>{latency}</section>" if latency else "")


_SHORTEST_SECONDS: Final = 0.2  # the rate of a shorter piece is noise


def _distributions(figures: dict[str, Any]) -> str:
    found = ""
    for (name, slots), style in zip(figures["distribution_ms"].items(), "abab", strict=False):
        latency = figures["latency_ms"][name]
        marks = [(percent, latency[percent]) for percent in ("p50", "p90", "p99", "p99.9", "max")]
        plot = bars(f"Distribution: {LATENCIES[name]}", slots, marks, style)
        found += f"<section><h2>Distribution: {escape(LATENCIES[name])}</h2>{plot}</section>"
    return found


def _latencies(figures: dict[str, Any]) -> str:
    if not figures["latency_ms"]:
        return ""
    columns = list(next(iter(figures["latency_ms"].values())))
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    rows = ""
    for name, values in figures["latency_ms"].items():
        cells = "".join(
            f"<td>{values[column]:,}</td>" if column == "count" else f"<td>{values[column]:,.1f}</td>"
            for column in columns
        )
        rows += f'<tr><th scope="row">{escape(LATENCIES[name])}</th>{cells}</tr>'
    table = f'<table><thead><tr><th scope="col">ms</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
    note = push_note(figures)
    told = f'<p class="sub">{escape(note)}</p>' if note else ""
    return f'<section><h2>Latency</h2><div class="wide">{table}</div>{told}</section>'


def _counts(figures: dict[str, Any]) -> str:
    messages = figures["messages"]
    tables = [("Answers", {name_of(kind): number for kind, number in figures["answers"].items()})]
    tables.append(("Reports by MMStatus", figures["reports"] or {}))
    tables.append(("Noticed", {words: messages[key] for key, words in ODD.items() if messages[key]}))
    tables.append(("Connections that failed", figures["connections_failed"]))
    if figures["handsets"] is not None:
        shown = {name.replace("_", " "): value for name, value in figures["handsets"].items() if isinstance(value, int)}
        tables.append(("Handsets", shown))
        tables.append(("Retrievals that failed", figures["handsets"]["failed"] | figures["handsets"]["not_followed"]))
    return f'<div class="two">{"".join(_table(title, rows) for title, rows in tables if rows)}</div>'


def _table(title: str, rows: dict[str, int]) -> str:
    body = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{number:,}</td></tr>' for name, number in rows.items())
    return f"<section><h2>{title}</h2><table><tbody>{body}</tbody></table></section>"


def _samples(figures: dict[str, Any]) -> str:
    if not figures["samples"]:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(name_of(kind))}</th><td><code>{escape(_printable(sample))}</code></td></tr>'
        for kind, sample in figures["samples"].items()
    )
    return f"<section><h2>First answer of each kind</h2><table><tbody>{rows}</tbody></table></section>"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _ms(value: float) -> str:
    return f"{value:,.1f} ms" if value < _LONG_MS else f"{value / 1000:,.1f} s"


_LONG_MS: Final = 10_000
