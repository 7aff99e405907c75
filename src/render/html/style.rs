//! How the page looks: by day, by night, on a phone, on paper. Colours have a contrast of at least 4.5
//! to 1 against what they stand on, lines and bars of 3 to 1.

/// The style sheet.
pub(super) const STYLE: &str = "
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1b2027;--soft:#525c69;--line:#d5dae1;
--link:#0b57c4;--good:#166f35;--bad:#b3201b;--busy:#8f4a08;--calm:#5f6b7a;--live:#1d5fd0;--held:#6b3fc4;
--goodbg:#e3f4e7;--badbg:#fde8e6;--busybg:#fdf0d9;--calmbg:#eceff3;--livebg:#e2edfd;--rest:#f3c9c5;--edge:#0003}
@media screen and (prefers-color-scheme:dark){:root{--page:#0e1217;--card:#171c23;--ink:#e8ecf1;--soft:#a6b0bd;
--line:#343c47;--link:#84b6ff;--good:#5fcf82;--bad:#ff8f88;--busy:#f0b04f;--calm:#9aa6b5;--live:#6ea8ff;
--held:#b79bff;--goodbg:#12301d;--badbg:#3d1715;--busybg:#372609;--calmbg:#252c36;--livebg:#14294a;
--rest:#6b2f2b;--edge:#000a}}
*{box-sizing:border-box}
html{font:100%/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;-webkit-text-size-adjust:100%;
scroll-padding-top:1rem}
body{margin:0;background:var(--page);color:var(--ink)}
header,nav,main,footer{max-width:76rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;line-height:1.3;margin:0 0 .25rem}
h3{font-size:1rem;margin:1.25rem 0 .25rem;overflow-wrap:anywhere}
p{margin:.25rem 0 .75rem;max-width:44rem;overflow-wrap:anywhere}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--link);outline-offset:2px}
code,pre{font:.875em/1.45 ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--card);padding:.5rem}
.about,.nothing,.soft{color:var(--soft)}.about{font-size:.9375rem}
.of{color:var(--soft);font-size:.9375rem;max-width:none}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;margin:1rem 0;padding:0}
section{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem;margin:0 0 1rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(6.5rem,1fr));gap:.5rem;margin:1rem 0;padding:0;
list-style:none}
.tiles li{background:var(--card);border:1px solid var(--line);border-left:.3rem solid var(--calm);
border-radius:.375rem;padding:.5rem .75rem}
.tiles b{display:block;font-size:1.5rem;line-height:1.2;font-variant-numeric:tabular-nums}
.tiles span{color:var(--soft);font-size:.875rem}
.tiles .good{border-left-color:var(--good)}.tiles .bad{border-left-color:var(--bad)}
.tiles .busy{border-left-color:var(--busy)}.tiles .live{border-left-color:var(--live)}
.alarm{background:var(--badbg);border:1px solid var(--bad);border-radius:.5rem;padding:.75rem 1rem;margin:0 0 1rem}
.alarm p{margin:.25rem 0}.alarm h2{color:var(--bad)}
.scroll{overflow-x:auto;margin:.25rem 0 .75rem;background:linear-gradient(to right,var(--card) 30%,transparent) 0 0,
linear-gradient(to left,var(--card) 30%,transparent) 100% 0,
linear-gradient(to right,var(--edge),transparent) 0 0,linear-gradient(to left,var(--edge),transparent) 100% 0;
background-repeat:no-repeat;background-size:2rem 100%,2rem 100%,.75rem 100%,.75rem 100%;
background-attachment:local,local,scroll,scroll}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
th,td{text-align:left;vertical-align:top;padding:.375rem .75rem .375rem 0;border-top:1px solid var(--line);
overflow-wrap:break-word}
td:last-child,th:last-child{padding-right:0}
thead th{border-top:0;color:var(--soft);font-weight:600;font-size:.8125rem;overflow-wrap:normal;
white-space:nowrap}
tbody th{font-weight:600;min-width:5.5rem}.id{white-space:nowrap}
td.wide{min-width:14rem;overflow-wrap:anywhere}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
time{white-space:nowrap;font-variant-numeric:tabular-nums}
.tag{display:inline-block;border-radius:.25rem;padding:0 .375rem;font-size:.8125rem;font-weight:600;
white-space:nowrap;background:var(--calmbg);color:var(--ink)}
.tag.good{background:var(--goodbg);color:var(--good)}.tag.bad{background:var(--badbg);color:var(--bad)}
.tag.busy{background:var(--busybg);color:var(--busy)}.tag.live{background:var(--livebg);color:var(--live)}
.command{overflow-wrap:anywhere}
pre{background:var(--calmbg);border-radius:.375rem;padding:.5rem .75rem;margin:.25rem 0;overflow-x:auto;
max-height:20rem}
details{margin:.25rem 0}
summary{cursor:pointer;padding:.25rem 0;overflow-wrap:anywhere}
.life{border-top:1px solid var(--line);margin:0;padding:.5rem 0}
.life>summary{font-weight:600}.life>summary .soft{font-weight:400}
.inner{padding:.25rem 0 .75rem}
.lane{display:grid;grid-template-columns:minmax(8rem,22rem) minmax(0,1fr);gap:.125rem .75rem;align-items:center;
font-size:.875rem;padding:.125rem 0}
.lane p{margin:0;line-height:1.35}
svg{display:block}
.track{width:100%;height:1.375rem;overflow:visible}
.track text,.plot text{font-size:.75rem;fill:var(--soft);font-variant-numeric:tabular-nums}
.base{stroke:var(--line);stroke-width:2}.tick{stroke:var(--line);stroke-width:1}
.delivered{fill:var(--live)}.failed{fill:var(--bad)}.active{fill:var(--busy)}
.overtaken,.abandoned{fill:var(--calm)}.rest{fill:var(--rest)}
.whole{fill:var(--calmbg);stroke:var(--line)}
.gate_passed,.audit_passed,.resumed,.approved{fill:var(--good)}
.gate_failed,.audit_failed,.stopped,.returned{fill:var(--bad)}.closed{fill:var(--ink)}
.mark{stroke:var(--card);stroke-width:1}
.axis{height:1.25rem}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:.5rem 0;padding:0;list-style:none;font-size:.8125rem;
color:var(--soft)}
.key li{display:flex;align-items:center;gap:.375rem}.key svg{width:1rem;height:1rem;flex:none}
.gantt{display:grid;grid-template-columns:minmax(5.5rem,13rem) minmax(0,1fr);gap:0 .75rem;align-items:center;
font-size:.875rem}
.gantt>*{min-width:0;overflow-wrap:anywhere}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:0 2rem}
figure{margin:0 0 1rem;min-width:0}
figcaption{font-weight:600;margin:.75rem 0 .25rem}figcaption .soft{font-weight:400;font-size:.875rem}
.plot{width:100%;height:9rem;overflow:visible}
.column{fill:var(--live)}.column.bad{fill:var(--bad)}.column.good{fill:var(--good)}
.bars td{border:0;padding-top:.125rem;padding-bottom:.125rem;vertical-align:middle}
.bars th{border:0;font-weight:400;padding-top:.125rem;padding-bottom:.125rem;overflow-wrap:anywhere}
.bars .bar{width:45%}.bars svg{width:100%;height:.875rem}
.graph{max-width:none}.picture{max-height:40rem;overflow:auto}
footer{padding-bottom:2rem;color:var(--soft);font-size:.875rem}
@media(max-width:40rem){.cards,.cards tbody{display:block}.cards thead{position:absolute;left:-99rem}
.cards tr{display:flex;flex-wrap:wrap;gap:.125rem 1rem;padding:.5rem 0;border-top:1px solid var(--line)}
.cards th[scope=row]{flex:1 0 100%;border:0;padding:0;min-width:0;white-space:normal;overflow-wrap:anywhere}
.gantt{grid-template-columns:6.5rem minmax(0,1fr)}.cards td{display:block;border:0;padding:0;text-align:left;
white-space:normal;overflow-wrap:anywhere;max-width:100%}
.cards td::before{content:attr(data-label) ' ';color:var(--soft);font-size:.8125rem;font-weight:400}
.cards td.wide{flex:1 0 100%;min-width:0}.cards th[scope=row]::before{content:none}
.lane{grid-template-columns:minmax(0,1fr)}section{padding:.75rem}
header,nav,main,footer{padding-left:.75rem;padding-right:.75rem}h1{font-size:1.5rem}}
@media print{:root{--page:#fff;--card:#fff;--ink:#000;--soft:#333;--line:#999;--link:#000}
nav,.skip{display:none}section,.tiles li{break-inside:auto;border-color:#999}.lane,tr,figure,.tiles li{break-inside:avoid}
.scroll{overflow:visible}.picture{max-height:none}table{font-size:.75rem}thead th{white-space:normal}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
";
