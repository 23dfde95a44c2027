"""The report's style sheet: sober, printable, light and dark, no resource from elsewhere."""

from __future__ import annotations

from typing import Final

__all__ = ["STYLE"]

_COLOURS: Final = """
:root {
  color-scheme: light dark;
  --ink: #1f2933; --muted: #5f6c7b; --rule: #dfe4e9; --faint: #b8c1ca; --axis: #9aa5b1;
  --paper: #ffffff; --ground: #f4f6f8; --head: #0f5c6e; --head-ink: #ffffff;
  --joint: #0f5c6e; --joint-soft: #e6f0f2; --joint-line: #1a93ad; --against: #b9694a;
  --warn: #7d4406; --warn-soft: #fdf4e7; --warn-rule: #edd5ae; --bad: #b3261e; --none: #eceff2;
  --o1: #c2762a; --o2: #7c5c9c; --o3: #7d8f3a; --o4: #b0506a; --o5: #4f7ab8; --o6: #8a7a66;
  --p1: #c9d3dc; --p2: #93a5b5; --p3: #6fb3c4; --p4: #1a93ad; --p5: #4f7ab8; --p6: #7c5c9c;
  --h1: #0f5c6e; --h2: #8a6a1f; --h3: #5d5470;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ink: #e6ebf0; --muted: #a3b1be; --rule: #2f3c48; --faint: #51606e; --axis: #667685;
    --paper: #18222b; --ground: #0f161c; --head: #10333d; --head-ink: #e8f3f6;
    --joint: #62c0d4; --joint-soft: #16343d; --joint-line: #3fb4cd; --against: #dd8f6f;
    --warn: #f2c27b; --warn-soft: #32270f; --warn-rule: #5d4818; --bad: #ff8a80; --none: #2a353f;
    --o1: #e39a50; --o2: #b497d6; --o3: #aabf5e; --o4: #e0849d; --o5: #82a9e3; --o6: #b9a88f;
    --p1: #3d4a56; --p2: #667685; --p3: #2f7786; --p4: #3fb4cd; --p5: #82a9e3; --p6: #b497d6;
    --h1: #1b6f82; --h2: #80631f; --h3: #5f5676;
  }
}
"""

_TEXT: Final = """
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 Inter, "Segoe UI", "Helvetica Neue", Arial, "Liberation Sans", sans-serif;
  font-feature-settings: "tnum" 1; overflow-wrap: break-word;
}
main { max-width: 1060px; margin: 0 auto; padding: 0 32px 64px; }
header { background: var(--head); color: var(--head-ink); margin-bottom: 36px; }
header > div { max-width: 1060px; margin: 0 auto; padding: 40px 32px 34px; }
header .kicker { font-size: 13px; letter-spacing: .09em; text-transform: uppercase; opacity: .85; }
header h1 { font-size: 34px; line-height: 1.2; font-weight: 650; margin: 8px 0 10px; }
header p { margin: 0; opacity: .9; }
h1, header p, td, dd, li { overflow-wrap: anywhere; }
h2 { font-size: 21px; font-weight: 650; margin: 0 0 4px; line-height: 1.3; }
h3 { font-size: 15px; font-weight: 650; margin: 0 0 10px; overflow-wrap: anywhere; }
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
.badge {
  display: inline-block; font-size: 12.5px; font-weight: 600; padding: 2px 9px; border-radius: 12px;
  background: var(--joint-soft); color: var(--joint);
}
.badge.none { background: var(--none); color: var(--muted); }
.facts { display: grid; grid-template-columns: fit-content(40%) 1fr; gap: 7px 26px;
  margin: 0 0 18px; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; }
.two { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 18px 44px; }
ul { margin: 0; padding-left: 19px; }
li { margin-bottom: 5px; }
code { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
  overflow-wrap: anywhere; }
.notes { background: var(--warn-soft); border-color: var(--warn-rule); color: var(--warn); }
.notes p { margin: 0 0 6px; }
.notes p:last-child { margin: 0; }
footer { color: var(--muted); font-size: 13.5px; padding: 6px 2px; }
"""

_TABLES: Final = """
.scroll { overflow-x: auto; background:
  linear-gradient(90deg, var(--paper) 30%, transparent) left / 40px 100% no-repeat local,
  linear-gradient(270deg, var(--paper) 30%, transparent) right / 40px 100% no-repeat local,
  linear-gradient(90deg, var(--faint), transparent) left / 10px 100% no-repeat scroll,
  linear-gradient(270deg, var(--faint), transparent) right / 10px 100% no-repeat scroll; }
.scroll:focus-visible { outline: 2px solid var(--joint-line); outline-offset: 3px; }
table { border-collapse: collapse; width: 100%; font-size: 15px; }
th { text-align: left; font-weight: 600; color: var(--muted); font-size: 13.5px; }
td.n { white-space: nowrap; }
th, td { padding: 9px 14px 9px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
thead th { border-bottom: 1.5px solid var(--faint); vertical-align: bottom; }
tbody tr:last-child > *, tfoot tr > * { border-bottom: 0; }
tfoot tr > * { font-weight: 600; color: var(--ink); font-size: 15px; }
tfoot tr:first-child > * { border-top: 1.5px solid var(--faint); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
th:last-child, td:last-child { padding-right: 4px; }
tbody th { color: var(--ink); font-weight: 500; font-size: 15px; overflow-wrap: anywhere;
  min-width: 7em; }
table.prose { min-width: 560px; }
table.prose th { width: 31%; }
table.scores { margin-top: 22px; }
table.cost tbody th { white-space: nowrap; }
tr.joint > * { background: var(--joint-soft); font-weight: 650; color: var(--joint); }
tr.joint th { padding-left: 12px; box-shadow: inset 3px 0 0 var(--joint); }
tr.alone th, tr.pooled th, table.scores thead th:first-child { padding-left: 12px; }
"""

_PLOTS: Final = """
.plots { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 28px 34px; }
figure { margin: 0; }
figure svg { width: 100%; height: auto; display: block; overflow: visible; }
figcaption { color: var(--muted); font-size: 13.5px; margin-top: 8px; }
i { font-style: normal; }
.bars dl { margin: 0 0 18px; }
.bars dl > div { display: grid; grid-template-columns: minmax(6.5em, 30%) 1fr; gap: 0 12px;
  align-items: center; margin-bottom: 7px; }
.bars dt { font-size: 14px; line-height: 1.25; overflow-wrap: anywhere; }
.bars dd { margin: 0; display: grid; grid-template-columns: 1fr 5.2em; gap: 10px;
  align-items: center; }
.bars dd span { display: flex; height: 15px; background: var(--ground); border-radius: 2px;
  overflow: hidden; }
.bars dd b { font-size: 14px; font-weight: 500; font-variant-numeric: tabular-nums; }
.bars .strong dt, .bars .strong dd b { font-weight: 700; color: var(--joint); }
.signed dd span { background: linear-gradient(90deg, var(--ground) calc(50% - .5px),
  var(--axis) calc(50% - .5px), var(--axis) calc(50% + .5px), var(--ground) calc(50% + .5px)); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 3px 16px; padding: 0;
  margin: 0 0 16px;
  font-size: 13px; color: var(--muted); }
.legend li { display: flex; align-items: center; gap: 6px; margin: 0; }
.legend i.joint { height: 5px; width: 18px; } .legend i.pooled { height: 0; width: 18px;
  border-top: 2px dashed var(--ink); background: none; border-radius: 0; }
.legend i { width: 11px; height: 11px; border-radius: 2px; flex: none; }
i.joint { background: var(--joint-line); } i.pooled { background: var(--muted); }
i.against { background: var(--against); } i.pale { opacity: .45; }
i.o1 { background: var(--o1); } i.o2 { background: var(--o2); } i.o3 { background: var(--o3); }
i.o4 { background: var(--o4); } i.o5 { background: var(--o5); } i.o6 { background: var(--o6); }
i.p1 { background: var(--p1); } i.p2 { background: var(--p2); } i.p3 { background: var(--p3); }
i.p4 { background: var(--p4); } i.p5 { background: var(--p5); } i.p6 { background: var(--p6); }
i.h1 { background: var(--h1); } i.h2 { background: var(--h2); } i.h3 { background: var(--h3); }
.network { list-style: none; display: flex; flex-wrap: wrap; gap: 12px 46px; padding: 0;
  margin: 4px 0 0; }
.network li { position: relative; margin: 0; padding: 12px 20px; min-width: 118px;
  text-align: center;
  border: 1px solid var(--rule); border-radius: 8px; background: var(--joint-soft); }
.network li + li::before { content: "→"; position: absolute; left: -33px; top: 50%;
  transform: translateY(-50%); color: var(--muted); font-size: 20px; }
.network b, .network span, .network em { display: block; }
.network b { font-size: 24px; line-height: 1.2; color: var(--joint); }
.network span { font-size: 13.5px; }
.network em { font-style: normal; font-size: 13px; color: var(--muted); }
"""

_TIMELINE: Final = """
.timeline dl { margin: 6px 0 12px; }
.timeline dl > div { display: grid; grid-template-columns: minmax(5em, 15%) 1fr; gap: 0 14px;
  align-items: center; margin-bottom: 9px; }
.timeline dt { font-size: 14px; overflow-wrap: anywhere; line-height: 1.2; }
.timeline dd { margin: 0; position: relative; height: 20px; border-radius: 3px;
  background: repeating-linear-gradient(135deg, var(--ground) 0 5px, var(--rule) 5px 6px); }
.timeline dd i { position: absolute; top: 0; bottom: 0; border-radius: 1px; overflow: hidden; }
.timeline .held dd { height: 24px; }
.timeline .held i { color: #fff; font-size: 12.5px; line-height: 24px; padding: 0 7px;
  white-space: nowrap; border-right: 2px solid var(--paper); }
.timeline .held i span { display: block; overflow: hidden; text-overflow: ellipsis; }
.timeline .axis dd { background: none; height: auto; display: flex; justify-content: space-between;
  font-size: 12.5px; color: var(--muted); border-top: 1px solid var(--axis); padding-top: 2px; }
.mark { position: absolute; top: 50%; width: 20px; height: 20px; border-radius: 50%; z-index: 2;
  transform: translate(-50%, -50%); font-size: 12px; line-height: 18px; text-align: center;
  background: var(--paper); color: var(--bad); border: 2px solid var(--bad); }
.mark.noticed { transform: translate(1px, -50%); }
.mark.staged { transform: translate(calc(-100% - 1px), -50%); }
.mark.staged { color: var(--warn); border-color: var(--warn); border-style: dashed;
  line-height: 17px; }
.moments { list-style: none; padding: 0; margin: 0 0 18px; }
.moments b { display: inline-block; min-width: 20px; height: 20px; border-radius: 10px;
  font-size: 12px;
  line-height: 17px; text-align: center; border: 2px solid var(--bad); color: var(--bad);
  margin-right: 8px; }
.moments .staged b { border: 2px dashed var(--warn); color: var(--warn); }
.stages { margin-bottom: 20px; }
"""

_MEDIA: Final = """
@media screen and (max-width: 760px) {
  main, header > div { padding-left: 14px; padding-right: 14px; }
  header > div { padding-top: 26px; padding-bottom: 22px; }
  header { margin-bottom: 18px; }
  section { padding: 20px 16px; }
  .plots, .two { grid-template-columns: minmax(0, 1fr); }
  .tiles { grid-template-columns: 1fr 1fr; gap: 18px 0; }
  .tiles > div { padding-right: 8px; }
  .tiles > div:nth-child(odd) { padding-left: 0; border-left: 0; }
  .tiles dd { font-size: 25px; }
  table, tbody th, tfoot tr > * { font-size: 13.5px; }
  thead th { font-size: 12.5px; }
  th, td { padding: 7px 10px 7px 0; }
  tbody th { min-width: 5.4em; }
  .network li { padding: 8px 20px; }
  table.prose { min-width: 0; }
  table.prose thead { display: none; }
  table.prose, table.prose tbody, table.prose tr, table.prose tr > * { display: block;
    width: auto; }
  table.prose tr { border-bottom: 1px solid var(--rule); padding: 8px 0; }
  table.prose tr > * { border: 0; padding: 2px 0; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: 9px; }
  header h1 { font-size: 27px; }
  .network { flex-direction: column; gap: 34px; }
  .network li + li::before { content: "↓"; left: 50%; top: -19px; transform: translate(-50%, -50%);
  }
  .bars dl > div { grid-template-columns: minmax(5.5em, 34%) 1fr; }
  .bars dd { grid-template-columns: 1fr 4.6em; }
  .timeline dl > div { grid-template-columns: 1fr; }
  .timeline dt { margin-bottom: 2px; }
}
@media print {
  @page { margin: 16mm; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { background: #fff; font-size: 12px; }
  table, tbody th, tfoot tr > *, .lead, .bars dt, .bars dd b, .timeline dt { font-size: 12px; }
  thead th, .legend, .timeline .axis dd, .network span, .network em { font-size: 11px; }
  h2 { font-size: 17px; } h3 { font-size: 13px; } code { font-size: 11px; }
  th, td { padding-top: 5px; padding-bottom: 5px; }
  .scroll { overflow: visible; background: none; }
  table.prose { min-width: 0; }
  .tiles dd { font-size: 21px; }
  .tiles dd.note, .tiles dt, figcaption, .sub { font-size: 11px; }
  section { margin-bottom: 10px; border: 0; padding: 0 0 14px; }
  .notes { padding: 8px 12px; border: 1px solid var(--warn-rule); }
  figure, tr, .tiles, .facts, .network, .moments { break-inside: avoid; }
  section.whole { break-inside: avoid; }
  h2, h3, .sub { break-after: avoid; break-inside: avoid; }
  .plots { gap: 18px 26px; }
  header { color: var(--ink); background: none; border-bottom: 2px solid var(--joint); }
  header > div, main { padding-left: 0; padding-right: 0; }
}
"""

STYLE: Final = _COLOURS + _TEXT + _TABLES + _PLOTS + _TIMELINE + _MEDIA
