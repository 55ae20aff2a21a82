// Copy buttons, the way back from a zoom, and the choice of trials in the parallel coordinates.
window.whenDrawn = (figures) => {
  "use strict";
  const byKey = Object.fromEntries(figures.map((figure) => [figure.name, figure]));

  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const code = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Press Ctrl+C";
      }
    });
  }

  for (const button of document.querySelectorAll("button[data-whole]")) {
    const figure = byKey[button.dataset.whole];
    if (!figure) continue;
    const ranges = [figure.x_range, figure.y_range].map((range) => ({ range, start: range.start, end: range.end }));
    const moved = () => ranges.some(({ range, start, end }) => range.start !== start || range.end !== end);
    for (const { range } of ranges) range.change.connect(() => { button.hidden = !moved(); });
    button.addEventListener("click", () => { for (const { range, start, end } of ranges) range.setv({ start, end }); });
  }

  const parallel = byKey.parallel;
  if (!parallel) return;
  const sources = parallel.renderers.map((renderer) => renderer.data_source);
  const lines = sources.filter((source) => source.data.seen && source.data.trial);
  const corners = sources.find((source) => source.data.x && source.data.trial);
  const whole = new Map(lines.map((source) => [source, Array.from(source.data.seen)]));

  // A trial is chosen that passes a chosen place on every axis where something is chosen.
  function chosen() {
    const axes = new Map();
    for (const place of corners.selected.indices) {
      const axis = corners.data.x[place];
      if (!axes.has(axis)) axes.set(axis, new Set());
      axes.get(axis).add(corners.data.trial[place]);
    }
    const sets = [...axes.values()];
    return sets.length ? new Set([...sets[0]].filter((trial) => sets.every((set) => set.has(trial)))) : null;
  }

  function show() {
    const some = chosen();
    for (const source of lines) {
      const seen = Array.from(source.data.trial, (trial, place) => (!some || some.has(trial) ? whole.get(source)[place] : 0.05));
      source.data = { ...source.data, seen };
    }
    const words = document.getElementById("chosen");
    words.textContent = some ? `${some.size} of ${new Set(corners.data.trial).size} trials` : "";
  }

  corners.selected.change.connect(show);
  document.querySelector("button[data-choose]").addEventListener("click", () => corners.selected.setv({ indices: [] }));
  window.report = { parallel, corners, lines, figures: byKey };
};
