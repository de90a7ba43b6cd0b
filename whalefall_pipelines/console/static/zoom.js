// Adds a button to each series that replaces the drawing by one to zoom into: the same days and sizes, from the CSV of its table.
"use strict";

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

function shownSize(bytes) {
  if (bytes === null) return "–";
  const power = bytes === 0 ? 0 : Math.min(Math.floor(Math.log10(Math.abs(bytes)) / 3), UNITS.length - 1);
  return (bytes / 1000 ** power).toFixed(power ? 1 : 0) + " " + UNITS[power];
}

// Days are UTC midnights on the axis, so that no time zone moves them.
function shownDay(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function readSeries(text) {
  const [header, ...lines] = text.trim().split("\n").map((line) => line.split(","));
  const day = header.indexOf("Day"), size = header.findIndex((name) => name === "Size" || name === "Total");
  const rows = lines.map((cells) => [Date.parse(cells[day]) / 1000, cells[size] === "" ? null : Number(cells[size])]);
  rows.sort((left, right) => left[0] - right[0]);
  return [rows.map((row) => row[0]), rows.map((row) => row[1])];
}

function draw(place, data) {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--border"), width: 0.5 } };
  const options = {
    width: place.clientWidth,
    height: 340,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    axes: [axis, { ...axis, size: 80, values: (_, sizes) => sizes.map(shownSize) }],
    series: [
      { label: "Day", value: (_, seconds) => (seconds === null ? "–" : shownDay(seconds)) },
      { label: "Size", stroke: colour("--blue"), width: 1.75, spanGaps: false, value: (_, bytes) => shownSize(bytes) },
    ],
  };
  place.replaceChildren();
  const plot = new uPlot(options, data, place);
  addEventListener("resize", () => plot.setSize({ width: place.clientWidth, height: 340 }));
}

for (const picture of document.querySelectorAll("[data-series]")) {
  const button = document.createElement("button");
  button.textContent = "Zoom";
  button.addEventListener("click", async () => {
    button.disabled = true;
    const answer = await fetch(picture.dataset.series);
    if (answer.ok) {
      draw(picture.querySelector(".drawing"), readSeries(await answer.text()));
      button.remove();
    } else {
      button.disabled = false;
      button.textContent = "Zoom failed; try again";
    }
  });
  picture.querySelector("h2").append(" ", button);
}
