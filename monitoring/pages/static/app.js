// Keeps an open page up to date: asks for its JSON, replaces what is marked data-live, draws the charts.
"use strict";
(() => {
  const main = document.querySelector("main[data-json]");
  if (!main) return;
  const EVERY_MS = 1000, HIDDEN_MS = 15000, AROUND_S = 1800;
  const live = document.getElementById("live");
  const plots = new Map();
  let etag = "", charts = {};

  const color = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const text = value => value == null ? "–" : String(Number(value.toPrecision(4)));

  async function poll() {
    try {
      const answer = await fetch(main.dataset.json, {headers: etag ? {"If-None-Match": etag} : {}, cache: "no-store"});
      const body = await answer.text();  // read in any case: what is left unread counts as a request that failed
      if (answer.status === 200) {
        etag = answer.headers.get("ETag");
        show(JSON.parse(body));
      }
      say(answer.status < 400 ? "live" : `the dashboard answers ${answer.status}`, answer.status < 400);
    } catch (error) {
      say("the dashboard does not answer", false);
    }
    setTimeout(poll, document.hidden ? HIDDEN_MS : EVERY_MS);
  }

  function say(words, isGood) {
    if (live.textContent !== words) live.textContent = words;
    live.className = isGood ? "on" : "off";
  }

  function show(found) {
    const fresh = new DOMParser().parseFromString(found.main, "text/html");
    for (const part of main.querySelectorAll("[data-live]")) {
      const other = fresh.getElementById(part.id);
      if (!other || other.innerHTML === part.innerHTML) continue;
      const held = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      part.replaceChildren(...other.childNodes);
      if (held !== null) [...part.querySelectorAll("a")].find(link => link.getAttribute("href") === held)?.focus();
    }
    charts = found.charts;
    draw();
  }

  function draw() {
    for (const box of main.querySelectorAll("[data-chart]")) {
      const chart = charts[box.dataset.chart];
      if (chart) drawOne(box, chart);
    }
  }

  function drawOne(box, chart) {
    // Of a rate nothing is known where it is zero all along; what has gaps is known where it has none, zero or not.
    const known = chart.lines.some(line => line.values.includes(null) ? line.values.some(value => value !== null) : line.values.some(value => value !== 0));
    const shape = JSON.stringify([known, chart.lines.map(line => line.label), chart.between]);
    const before = plots.get(box);
    if (before && before.shape === shape) {
      before.chart = chart;
      if (before.plot) before.plot.setData(data(chart));
      return;
    }
    if (before?.plot) before.plot.destroy();
    box.replaceChildren();
    const entry = {shape, chart, plot: null};
    plots.set(box, entry);
    if (known) {
      entry.plot = new uPlot(options(box, entry), data(chart), box);
    } else {
      const none = document.createElement("p");
      none.className = "none";
      none.textContent = "nothing in this time";
      box.append(none);
    }
  }

  function data(chart) {
    const times = chart.lines[0].values.map((_, i) => chart.start + i * chart.step);
    return [times, ...chart.lines.map(line => line.values)];
  }

  function options(box, entry) {
    const axis = {stroke: () => color("muted"), grid: {stroke: () => color("grid"), width: 1}, ticks: {show: false}};
    const {unit, lines, between} = entry.chart;
    return {
      width: box.clientWidth, height: 190, tzDate: second => uPlot.tzDate(new Date(second * 1000), "UTC"),
      scales: {x: {time: true, range: () => [entry.chart.start, entry.chart.start + entry.chart.step * entry.chart.lines[0].values.length]}, y: {range: (_, low, high) => [Math.min(0, low ?? 0), (high || 1) * (entry.chart.marks.length ? 1.25 : 1.08)]}},
      axes: [{...axis, values: times, space: 72}, {...axis, size: 58, values: (_, ticks) => ticks.map(tick => `${text(tick)}${unit ? " " + unit : ""}`)}],
      cursor: {drag: {x: true, y: false, setScale: false}, points: {size: 6}},
      series: [{value: (_, second) => second == null ? "newest" : new Date(second * 1000).toISOString().slice(0, 19).replace("T", " ")},
        ...lines.map(line => ({
          label: line.label, stroke: () => color(line.tone), width: line.tone === "reference" ? 1 : 1.6,
          spanGaps: true, points: {show: line.values.filter(value => value !== null).length < 40, size: 4},
          value: (plot, value, i, at) => text(at == null ? plot.data[i].findLast(each => each != null) : value),
        }))],
      bands: between ? [{series: [between[1], between[0]], fill: () => color("grid")}] : [],
      hooks: {
        drawClear: [plot => shade(plot, entry.chart)],
        draw: [plot => mark(plot, entry.chart)],
        setSelect: [plot => plot.select.width > 4 && go(plot.posToVal(plot.select.left, "x"), plot.posToVal(plot.select.left + plot.select.width, "x"))],
      },
    };
  }

  // 24 hours, and the day where it begins: "12:30", "2026-11-27".
  function times(_, ticks, __, ___, apart) {
    let day = "";
    return ticks.map(tick => {
      const iso = new Date(tick * 1000).toISOString(), time = apart < 60 ? iso.slice(11, 19) : iso.slice(11, 16);
      const fresh = day !== (day = iso.slice(0, 10));
      return apart >= 86400 ? iso.slice(5, 10) : fresh ? `${time}\n${day}` : time;
    });
  }

  function shade(plot, chart) {
    plot.ctx.fillStyle = color("shade");
    for (const [from, to] of chart.bands) {
      const left = plot.valToPos(from, "x", true), right = plot.valToPos(to, "x", true);
      plot.ctx.fillRect(left, plot.bbox.top, Math.max(right - left, 1), plot.bbox.height);
    }
  }

  function mark(plot, chart) {
    plot.ctx.save();
    plot.ctx.strokeStyle = plot.ctx.fillStyle = color("muted");
    plot.ctx.setLineDash([4, 4]);
    plot.ctx.font = `${11 * devicePixelRatio}px sans-serif`;
    const placed = [];  // labels that would lie on one another stand below one another
    for (const [at, label] of chart.marks) {
      const x = plot.valToPos(at, "x", true);
      plot.ctx.beginPath();
      plot.ctx.moveTo(x, plot.bbox.top);
      plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
      plot.ctx.stroke();
      const width = plot.ctx.measureText(label).width + 10 * devicePixelRatio;
      const isLeft = width > plot.bbox.left + plot.bbox.width - x, from = isLeft ? x - width : x;
      let row = 0;
      while (placed.some(other => other.row === row && from < other.to && from + width > other.from)) row += 1;
      placed.push({row, from, to: from + width});
      plot.ctx.textAlign = isLeft ? "right" : "left";
      plot.ctx.fillText(label, x + (isLeft ? -5 : 5) * devicePixelRatio, plot.bbox.top + (11 + 13 * row) * devicePixelRatio);
    }
    plot.ctx.restore();
  }

  function go(from, to) {
    const query = new URLSearchParams(location.search);
    query.delete("range");
    query.set("from", Math.floor(from));
    query.set("to", Math.max(Math.ceil(to), Math.floor(from) + 10));
    location.search = query;
  }

  main.addEventListener("keydown", event => {
    const plot = plots.get(event.target)?.plot;
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!plot || !(step || event.key === "Enter")) return;
    event.preventDefault();
    const last = plot.data[0].length - 1, at = Math.min(last, Math.max(0, (plot.cursor.idx ?? last) + (step || 0)));
    if (!step) return go(plot.data[0][at] - AROUND_S, plot.data[0][at] + AROUND_S);
    plot.setCursor({left: plot.valToPos(plot.data[0][at], "x"), top: 10});
  });
  addEventListener("resize", () => plots.forEach((entry, box) => entry.plot?.setSize({width: box.clientWidth, height: 190})));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach(entry => entry.plot?.redraw()));
  poll();
})();
