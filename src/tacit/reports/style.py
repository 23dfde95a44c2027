"""The report's style sheet: sober, printable, no resource from elsewhere."""

from __future__ import annotations

from typing import Final

__all__ = ["STYLE"]

STYLE: Final = """
:root {
  --ink: #1f2933; --muted: #5f6c7b; --rule: #dfe4e9; --paper: #ffffff; --ground: #f4f6f8;
  --joint: #0f5c6e; --joint-soft: #e6f0f2; --warn: #8a4b08; --warn-soft: #fdf4e7;
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 Inter, "Segoe UI", "Helvetica Neue", Arial, "Liberation Sans", sans-serif;
  font-feature-settings: "tnum" 1;
}
main { max-width: 1060px; margin: 0 auto; padding: 0 32px 64px; }
header { background: var(--joint); color: #fff; margin-bottom: 36px; }
header > div { max-width: 1060px; margin: 0 auto; padding: 40px 32px 34px; }
header .kicker { font-size: 13px; letter-spacing: .09em; text-transform: uppercase; opacity: .8; }
header h1 { font-size: 34px; line-height: 1.2; font-weight: 650; margin: 8px 0 10px; }
header p { margin: 0; opacity: .88; }
h2 { font-size: 21px; font-weight: 650; margin: 0 0 4px; line-height: 1.3; }
h3 { font-size: 15px; font-weight: 650; margin: 0 0 10px; }
section {
  background: var(--paper); border: 1px solid var(--rule); border-radius: 8px;
  padding: 26px 30px 28px; margin-bottom: 22px;
}
.lead { font-size: 18px; line-height: 1.55; margin: 6px 0 22px; max-width: 52em; }
.sub { color: var(--muted); margin: 0 0 18px; max-width: 56em; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0; margin: 0; }
.tiles > div { padding: 2px 18px 2px 20px; border-left: 1px solid var(--rule); }
.tiles > div:first-child { padding-left: 0; border-left: 0; }
.tiles dt { color: var(--muted); font-size: 13.5px; }
.tiles dd { margin: 2px 0 0; font-size: 29px; font-weight: 620; line-height: 1.2; }
.tiles dd.note { font-size: 13.5px; font-weight: 400; color: var(--muted); line-height: 1.4; }
table { border-collapse: collapse; width: 100%; font-size: 15px; }
caption { text-align: left; color: var(--muted); font-size: 13.5px; padding-bottom: 8px; }
th { text-align: left; font-weight: 600; color: var(--muted); font-size: 13.5px; }
thead th, td.n { white-space: nowrap; }
th, td { padding: 9px 14px 9px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
thead th { border-bottom: 1.5px solid #b8c1ca; vertical-align: bottom; }
tbody tr:last-child > *, tfoot tr > * { border-bottom: 0; }
tfoot tr > * { font-weight: 600; color: var(--ink); font-size: 15px; }
tfoot tr:first-child > * { border-top: 1.5px solid #b8c1ca; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; padding-right: 18px; }
tbody th { color: var(--ink); font-weight: 500; font-size: 15px; }
tr.joint > * { background: var(--joint-soft); font-weight: 650; color: var(--joint); }
tr.joint th { padding-left: 12px; box-shadow: inset 3px 0 0 var(--joint); }
tr.alone th, tr.pooled th, table.scores thead th:first-child { padding-left: 12px; }
.plots { display: grid; grid-template-columns: 1fr 1fr; gap: 28px 34px; }
figure { margin: 0; }
figure svg { width: 100%; height: auto; display: block; overflow: visible; }
figcaption { color: var(--muted); font-size: 13.5px; margin-top: 8px; }
.wide { margin: 8px 0 20px; }
.badge {
  display: inline-block; font-size: 12.5px; font-weight: 600; padding: 2px 9px; border-radius: 20px;
  background: var(--joint-soft); color: var(--joint); white-space: nowrap;
}
.badge.none { background: #eceff2; color: var(--muted); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 7px 26px; margin: 0 0 16px; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 40px; }
ul { margin: 0; padding-left: 19px; }
li { margin-bottom: 5px; }
code { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
  overflow-wrap: anywhere; }
.notes { background: var(--warn-soft); border-color: #edd5ae; color: var(--warn); }
.notes p { margin: 0; }
footer { color: var(--muted); font-size: 13.5px; padding: 6px 2px; }
@media screen and (max-width: 760px) {
  main, header > div { padding-left: 16px; padding-right: 16px; }
  section { padding: 20px 16px; overflow-x: auto; }
  .plots, .two { grid-template-columns: 1fr; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 18px 0; }
  .tiles > div:nth-child(odd) { padding-left: 0; border-left: 0; }
  header h1 { font-size: 27px; }
}
@media print {
  @page { margin: 16mm; }
  body { background: #fff; font-size: 12px; }
  table, .lead { font-size: 12px; }
  th, td { padding-top: 5px; padding-bottom: 5px; }
  .tiles dd { font-size: 21px; }
  .tiles dd.note, .tiles dt, figcaption, .sub { font-size: 11px; }
  section { margin-bottom: 10px; }
  section { border: 0; padding: 0 0 14px; }
  figure, table, .tiles, .facts, .two { break-inside: avoid; }
  h2, h3, .sub { break-after: avoid; }
  .plots { gap: 18px 26px; }
  header { color: var(--ink); background: none; border-bottom: 2px solid var(--joint); }
  header > div, main { padding-left: 0; padding-right: 0; }
}
"""
