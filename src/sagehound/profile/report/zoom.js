// One axis of time for all charts: the buttons move it, and the page says what part is shown.
window.whenDrawn = (figures) => {
  "use strict";
  const time = figures[0].x_range;

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

  time.change.connect(told);
  for (const button of document.querySelectorAll("button[data-zoom]")) {
    button.addEventListener("click", () => zoom(button.dataset.zoom));
  }
  window.report = { time };
};
