"""An evaluation goes in, one self-contained HTML page comes out: no script, nothing fetched, every text escaped."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from formlens import charts
from formlens.bounds import calibration_error, coverage, ranking
from formlens.evaluate import Checked, Evaluation, Lost, character_errors, confidences, confusions

ERROR = 0.01
"""The share of wrong cells at which coverage is given."""

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#dfe4ea;--ground:#f6f7f9;--card:#fff;
--accent:#2563a8;--bad:#b3382c;--good:#23764a;--shade:#e6eef8}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#9aa6b5;--line:#333c48;--ground:#14181e;--card:#1c222a;
--accent:#7fb2ec;--bad:#ef8d80;--good:#79cfa0;--shade:#26364a}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:36px 24px 72px}h1{font-size:26px;margin:0}
h2{font-size:18px;margin:40px 0 10px}
p{margin:6px 0;max-width:75ch}.soft,.axis,figcaption{color:var(--soft)}.axis{font-size:13px;margin:2px 0 0 8px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:12px;margin:22px 0}
.tile,.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.tile b{display:block;font-size:25px;font-weight:600;line-height:1.25}.tile span{color:var(--soft);font-size:13px}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:14px}h3{font-size:15px;margin:0 0 8px}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:7px 12px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:600;color:var(--soft);font-size:13px}tr:last-child td{border-bottom:0}
td:first-child,th:first-child,.left{text-align:left}td.wide{white-space:normal;overflow-wrap:anywhere}
code,.text{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:14px;white-space:pre-wrap}
.bad{color:var(--bad)}.good{color:var(--good)}
.bar{display:inline-block;height:8px;border-radius:4px;background:var(--accent);vertical-align:middle;margin-right:8px}
.worst{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:12px}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px}
figure .paper{height:76px;display:flex;align-items:center;justify-content:center;background:#fff;border-radius:6px;
border:1px solid var(--line);margin-bottom:8px;color:#5b6675}figure img{max-width:100%;max-height:72px}
figcaption{font-size:13px;overflow-wrap:anywhere}svg{width:100%;height:auto;display:block}
svg text{fill:var(--soft);font-size:11px}svg path{fill:none}
.grid{stroke:var(--line)}.ideal{stroke:var(--soft);stroke-dasharray:4 4}
.curve{stroke:var(--accent);stroke-width:2}
svg .bar{stroke:var(--accent);stroke-width:2;opacity:.5}.dot{fill:var(--accent)}
@media print{body{background:#fff}.card,figure,.tile{break-inside:avoid}}
"""


def report(evaluation: Evaluation) -> str:
    """The whole page."""
    form = evaluation.form
    title = f"Evaluation of form {escape(form.name)}"
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="soft">{evaluation.scans} labelled scans, {evaluation.pages} pages, read with FormLens'
        f" (reader {escape(evaluation.reader)}).</p>",
        _tiles(evaluation),
        _section("By column", _columns(evaluation)),
        _section("Confidence", _confidence(evaluation)),
        _section("Not read, missing, too much", _lost(evaluation)),
        _section("The worst cells", _worst(evaluation)),
        _section("Characters taken for others", _confusion(evaluation)),
    ]
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )


def percent(share: float | None, digits: int = 1) -> str:
    """A share for people; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def summary(evaluation: Evaluation, column: str | None) -> tuple[str, ...]:
    """Of one column, or of all: cells, exact, CER, coverage at `ERROR`, flagged, wrong among the unflagged."""
    cells = evaluation.of(column)
    sure, right = confidences(cells)
    kept = [one for one in cells if not one.flagged]
    return (
        str(len(cells)),
        percent(_share(one.right for one in cells)),
        f"{character_errors(cells):.3f}" if cells else "–",
        percent(coverage(sure, right, ERROR)[0]) if cells else "–",
        percent(_share(one.flagged for one in cells)),
        f"{sum(not one.right for one in kept)} of {len(kept)}",
    )


HEADER = "column", "cells", "exact", "CER", f"coverage at {ERROR:.0%} error", "flagged", "wrong, not flagged"


def _share(flags: Iterable[bool]) -> float | None:
    flags = list(flags)
    return sum(flags) / len(flags) if flags else None


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _tiles(evaluation: Evaluation) -> str:
    cells = evaluation.checked
    sure, right = confidences(cells)
    typed = len(cells) + sum(one.cells for one in (*evaluation.unread, *evaluation.missing))
    kept = [one for one in cells if not one.flagged]
    rank = ranking(sure, right)
    found = [
        (percent(_share(right.tolist())), f"exact of {len(cells)} cells read"),
        (percent(right.sum() / typed if typed else None), f"exact of {typed} cells typed"),
        (f"{character_errors(cells):.3f}", "character error rate"),
        (percent(coverage(sure, right, ERROR)[0] if cells else None), f"coverage at {ERROR:.0%} error"),
        (percent(_share(one.flagged for one in cells)), "flagged, for a person to check"),
        (f"{sum(not one.right for one in kept)} of {len(kept)}", "wrong among the unflagged"),
        ("–" if rank is None else f"{rank:.3f}", "AUROC, right against wrong"),
    ]
    return f'<div class="tiles">{"".join(f"<div class=tile><b>{b}</b><span>{s}</span></div>" for b, s in found)}</div>'


def _columns(evaluation: Evaluation) -> str:
    kinds = {column.name: column.kind.name for column in evaluation.form.columns}
    rows = [
        (f"{escape(name)} <span class=soft>{kind}</span>", *summary(evaluation, name)) for name, kind in kinds.items()
    ]
    return _table(HEADER, [*rows, ("<b>all</b>", *(f"<b>{text}</b>" for text in summary(evaluation, None)))])


def _confidence(evaluation: Evaluation) -> str:
    sure, right = confidences(evaluation.checked)
    if not len(sure):
        return "<p>No cell was read.</p>"
    error = calibration_error(sure, right)
    return (
        '<div class="pair"><div class="card"><h3>Is 90 % sure right nine times in ten?</h3>'
        f"{charts.reliability(sure, right)}<p class=axis>On average {percent(error)} beside the diagonal.</p></div>"
        f'<div class="card"><h3>What may stay unchecked?</h3>{charts.flagging(sure, right, ERROR)}</div></div>'
    )


def _lost(evaluation: Evaluation) -> str:
    groups = (
        ("page not read", evaluation.unread),
        ("row missing", evaluation.missing),
        ("row too much", evaluation.extra),
    )
    rows = [(what, one) for what, group in groups for one in group]
    if not rows:
        return "<p>Every page was read, and every row found its partner.</p>"
    return _table(("", "scan", "which"), [_loss(what, one) for what, one in rows], left=3)


def _loss(what: str, one: Lost) -> tuple[str, str, str]:
    return f"<span class=bad>{what}</span>", escape(one.source), escape(one.what)


def _worst(evaluation: Evaluation) -> str:
    wrong = evaluation.wrong
    shown = [one for one in wrong if one.crop][:60] or wrong[:60]
    if not wrong:
        return "<p>No cell is wrong.</p>"
    rest = f"{len(wrong)} cells are wrong; those that FormLens was surest of come first."
    return f'<p class="soft">{rest}</p><div class="worst">{"".join(map(_figure, shown))}</div>'


def _figure(one: Checked) -> str:
    picture = (
        f'<img alt="" src="data:image/png;base64,{b64encode(one.crop).decode()}">' if one.crop else "not on the page"
    )
    flag = "flagged" if one.flagged else "<span class=bad>not flagged</span>"
    where = f"{escape(one.source)}, page {one.page}, row {one.row + 1}, {escape(one.column)}"
    return (
        f'<figure><div class="paper">{picture}</div>'
        f'<div>read <span class="text bad">{_shown(one.read)}</span></div>'
        f'<div>typed <span class="text good">{_shown(one.typed)}</span></div>'
        f"<figcaption>{percent(one.confidence)} sure, {flag}<br>{where}</figcaption></figure>"
    )


def _confusion(evaluation: Evaluation) -> str:
    found = confusions(evaluation.checked).most_common(25)
    if not found:
        return "<p>None.</p>"
    most = found[0][1]
    rows = [
        (_character(typed), _character(read), f"<span class=bar style=width:{round(90 * n / most)}px></span>{n}")
        for (typed, read), n in found
    ]
    return _table(("typed", "read as", "how often"), rows, left=3)


def _character(text: str) -> str:
    return {"": "<span class=soft>nothing</span>", " ": "<span class=soft>space</span>"}.get(
        text, f"<code>{escape(text)}</code>"
    )


def _shown(text: str) -> str:
    return escape(text) if text else "(nothing)"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table whose cells are HTML already."""
    look = [' class="left"' if number < left else "" for number in range(len(header))]
    head = "".join(f"<th{style}>{name}</th>" for style, name in zip(look, header, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{style}>{cell}</td>" for style, cell in zip(look, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
