// Puts the zoomable charts in place of the drawings. Where anything fails, the drawings stay.
(() => {
  "use strict";
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const unpacked = async (id) => {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let figures = [];

  function place(model, ink, soft, rule) {
    const type = model.type;
    if (type.endsWith("Axis")) {
      if (type === "DatetimeAxis") model.ticker.setv({ desired_num_ticks: innerWidth < 520 ? 3 : 5 });
      model.setv({ axis_line_color: rule, major_tick_line_color: rule, minor_tick_line_color: null, major_label_text_color: soft,
        major_label_text_font_size: "11px", axis_label_text_color: soft });
    } else if (type === "Grid") {
      model.setv({ grid_line_color: rule });
    } else if (type === "Figure") {
      model.setv({ background_fill_color: null, border_fill_color: null, outline_line_color: null });
    }
    const mine = (model.tags || []).find((tag) => /^([cq]\d|ink|soft|rule)$/.test(tag));
    // Words that lines would run through stand on the page's own ground.
    if ((model.tags || []).includes("words") && "background_fill_color" in model.properties) model.setv({ background_fill_color: ink("--page"), background_fill_alpha: 0.8 });
    if (mine) {
      const colour = ink(`--${mine}`);
      for (const name of ["line_color", "fill_color", "text_color", "hatch_color"]) {
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

  async function draw() {
    const [bokeh, page] = await Promise.all([unpacked("bokeh"), unpacked("figures")]);
    const script = document.createElement("script");
    script.textContent = bokeh;
    document.head.append(script);
    const roots = read("roots");
    const places = {};
    for (const [key, id] of Object.entries(roots)) places[id] = document.getElementById(`chart-${key}`);
    root.classList.add("zoomable");
    await Bokeh.embed.embed_items({ page: JSON.parse(page) }, [{ docid: "page", roots: places, root_ids: Object.keys(places) }]);
    figures = Bokeh.documents[Bokeh.documents.length - 1].roots();
    if (matchMedia("(pointer: coarse)").matches) {
      // A finger that moves over a chart scrolls the page; the buttons zoom.
      for (const figure of figures) figure.toolbar.setv({ active_drag: null });
      for (const figure of figures) for (const tool of figure.toolbar.tools) if (tool.type.startsWith("Box")) tool.setv({ active: false });
    }
    paint();
    dark.addEventListener("change", paint);
    if (window.whenDrawn) window.whenDrawn(figures);
    root.dataset.charts = "drawn";
  }

  draw().catch((error) => {
    root.classList.remove("zoomable");
    root.dataset.charts = "still";
    console.warn(`The charts cannot be zoomed here: ${error}`);
  });
})();
