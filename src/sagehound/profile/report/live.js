// Puts the zoomable charts in place of the drawings. Where anything fails, the drawings stay.
(() => {
  "use strict";
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let figures = [];
  let time = null;

  function place(model, ink, soft, rule) {
    const type = model.type;
    if (type.endsWith("Axis")) {
      if (type === "DatetimeAxis") model.ticker.setv({ desired_num_ticks: innerWidth < 520 ? 3 : 5 });
      model.setv({ axis_line_color: rule, major_tick_line_color: rule, minor_tick_line_color: null, major_label_text_color: soft,
        major_label_text_font_size: "11px" });
    } else if (type === "Grid") {
      model.setv({ grid_line_color: rule });
    } else if (type === "Figure") {
      model.setv({ background_fill_color: null, border_fill_color: null, outline_line_color: null });
    }
    const mine = (model.tags || []).find((tag) => /^c\d$/.test(tag));
    if (mine) {
      const colour = ink(`--${mine}`);
      for (const name of ["line_color", "fill_color"]) {
        if (name in model.properties) model.setv({ [name]: colour });
      }
    }
  }

  function paint() {
    const style = getComputedStyle(root);
    const ink = (name) => style.getPropertyValue(name).trim();
    for (const figure of figures) {
      for (const model of figure.references()) place(model, ink, ink("--soft"), ink("--rule"));
    }
  }

  function told() {
    const whole = time.bounds;
    const text = (ms) => new Date(ms).toISOString().replace("T", " ").slice(0, 19);
    const all = time.start <= whole[0] && time.end >= whole[1];
    document.getElementById("shown").textContent = all ? "" : `${text(time.start)} to ${text(time.end)} UTC`;
  }

  function zoom(what) {
    const [first, last] = time.bounds;
    const wide = time.end - time.start;
    const middle = (time.start + time.end) / 2;
    const move = { earlier: -wide / 2, later: wide / 2 }[what];
    let [start, end] = [first, last];
    if (move !== undefined) [start, end] = [time.start + move, time.end + move];
    if (what === "in") [start, end] = [middle - wide / 4, middle + wide / 4];
    if (what === "out") [start, end] = [middle - wide, middle + wide];
    if (start < first) [start, end] = [first, Math.min(last, first + (end - start))];
    if (end > last) [start, end] = [Math.max(first, last - (end - start)), last];
    time.setv({ start, end });
  }

  async function draw() {
    const roots = read("roots");
    const places = {};
    for (const [key, id] of Object.entries(roots)) places[id] = document.getElementById(`chart-${key}`);
    root.classList.add("zoomable");
    await Bokeh.embed.embed_items({ report: read("figures") }, [{ docid: "report", roots: places, root_ids: Object.keys(places) }]);
    figures = Bokeh.documents[Bokeh.documents.length - 1].roots();
    time = figures[0].x_range;
    if (matchMedia("(pointer: coarse)").matches) {
      // A finger that moves over a chart scrolls the page; the buttons zoom.
      for (const figure of figures) figure.toolbar.setv({ active_drag: null });
      for (const figure of figures) for (const tool of figure.toolbar.tools) if (tool.type === "BoxZoomTool") tool.setv({ active: false });
    }
    paint();
    dark.addEventListener("change", paint);
    time.change.connect(told);
    for (const button of document.querySelectorAll("button[data-zoom]")) {
      button.addEventListener("click", () => zoom(button.dataset.zoom));
    }
    window.report = { time };
    root.dataset.charts = "drawn";
  }

  draw().catch((error) => {
    root.classList.remove("zoomable");
    root.dataset.charts = "still";
    console.warn(`The charts cannot be zoomed here: ${error}`);
  });
})();
