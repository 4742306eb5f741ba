"""The style sheet of the page: light and dark, and nothing that has to be fetched.

The hues are those of Okabe and Ito (2008), which colour-blind readers tell apart, made darker on white and lighter on
black until each has a contrast of at least 3 to 1. Dashes tell the lines apart where colours do not.
"""

from __future__ import annotations

LIGHT = ("#0072b2", "#c84e00", "#00805c", "#a83f7f", "#8a6500", "#2b87b8", "#555555", "#8b3a3a")
DARK = ("#58aee8", "#f08a4b", "#3fc9a0", "#dd8fbe", "#e6b43c", "#9ad4f5", "#b8b8b8", "#e0918f")
DASHES = ("none", "7 3", "2 3", "9 3 2 3", "14 4", "5 2 2 2 2 2", "1 2", "12 3 5 3")

_BASE = """
:root{color-scheme:light dark;--back:#fff;--text:#1c1e21;--soft:#5a6067;--rule:#d9dce0;--bar:#f4f5f7;--bad:#a3200d;
--good:#00664a;LIGHT}
@media(prefers-color-scheme:dark){:root{--back:#15171a;--text:#e6e8ea;--soft:#a4abb3;--rule:#383d43;--bar:#1f2327;
--bad:#ff9b85;--good:#5fd3ae;DARK}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem clamp(.75rem,3vw,2rem) 4rem;max-width:76rem;background:var(--back);color:var(--text);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.7rem;line-height:1.2;margin:.3rem 0 1rem}h2{font-size:1.3rem;margin:2.6rem 0 .6rem;padding-top:.9rem;
border-top:1px solid var(--rule)}h3{font-size:1.05rem;margin:1.8rem 0 .3rem}h4{font-size:.95rem;margin:1.2rem 0 .2rem}
p,ul.said{max-width:46rem;margin:.4rem 0}.said{padding-left:1.2rem}.soft,figcaption{color:var(--soft)}
figcaption{margin-top:.4rem}figcaption,.small{font-size:.875rem}
.caution{border-left:4px solid var(--bad);padding:.1rem 0 .1rem .9rem}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20.5rem),1fr));gap:1.2rem 1.6rem;
margin:.6rem 0}figure{margin:0;min-width:0}figure h3,figure h4{margin:.2rem 0 .3rem}
svg{display:block;width:100%;height:auto;max-width:30rem}svg text{font:12px system-ui,sans-serif;fill:var(--soft)}
.grid,.axis,.line,.cross{fill:none}.grid{stroke:var(--rule);stroke-width:.6}.axis{stroke:var(--soft)}
.line{stroke-width:2;stroke-linejoin:round}.dot{stroke:var(--back);stroke-width:1}.cross{stroke-width:2}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:0;margin:.5rem 0;font-size:.9rem}
.legend li{display:flex;align-items:center;gap:.45rem;min-width:0}.key{flex:none;width:34px}
.scroll{overflow-x:auto;max-width:100%;margin:.6rem 0;background:
linear-gradient(90deg,var(--back) 30%,transparent) 0 0/40px 100% no-repeat local,
linear-gradient(270deg,var(--back) 30%,transparent) 100% 0/40px 100% no-repeat local,
linear-gradient(90deg,var(--rule),transparent) 0 0/14px 100% no-repeat,
linear-gradient(270deg,var(--rule),transparent) 100% 0/14px 100% no-repeat}
.scroll:focus-visible{outline:2px solid var(--c0)}
table{border-collapse:collapse;font-size:.9rem;overflow-wrap:normal}
th,td{padding:.28rem .7rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule);
font-variant-numeric:tabular-nums;vertical-align:top}th:first-child,td.text,th.text{text-align:left}
td.text{font-variant-numeric:normal}thead th{background:var(--bar);font-weight:600}tbody th{font-weight:400}
tbody tr.head th{font-weight:600;padding-top:.8rem}td.wrap{white-space:normal;min-width:16rem;max-width:34rem;
overflow-wrap:anywhere}.bad{color:var(--bad)}.good{color:var(--good)}
details{margin:.6rem 0}summary{cursor:pointer}
@media print{details>*{display:block}body{max-width:none}}
"""


def sheet() -> str:
    """The whole style sheet."""
    base = _BASE.replace("LIGHT", _variables(LIGHT)).replace("DARK", _variables(DARK))
    rules = [
        f".c{number}{{stroke:var(--c{number})}}.dot.c{number}{{fill:var(--c{number})}}.d{number}{{stroke-dasharray:{dash}}}"
        for number, dash in enumerate(DASHES)
    ]
    return base.strip() + "\n" + "".join(rules) + ".dot{stroke:var(--back)}"


def _variables(colours: tuple[str, ...]) -> str:
    return ";".join(f"--c{number}:{colour}" for number, colour in enumerate(colours))
