"use strict";
/* The report's page at work: tables that sort and filter, a metric to choose, an episode to pick.
   Everything is in the page already: nothing is asked for from anywhere. */

/* --- small tools --------------------------------------------------------------------------- */

const SVG = "http://www.w3.org/2000/svg";

/** An element: `make("td", {class: "quiet"}, "text", child)`; names that begin with "svg:" are SVG. */
function make(name, attributes, ...children) {
  const element = name.startsWith("svg:")
    ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter(child => child !== null));
  return element;
}

/** A number as the page's tables show it: three digits, a real minus sign. */
function number(value) {
  if (Math.abs(value) < 1e-12) return "0";
  const digits = Math.min(8, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  const text = value.toLocaleString("en", {minimumFractionDigits: digits, maximumFractionDigits: digits});
  return (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text).replace("-", "\u2212");
}

/** An entry of an episode as text. */
function shown(value, column) {
  if (value === null || value === undefined) return "\u2013";
  if (column.kind === "flag") return value ? "yes" : "no";
  if (column.kind === "text") return column.name === "ended" ? value.replaceAll("_", " ") : value;
  if (column.kind === "count") return String(value);
  if (column.kind === "share") return (100 * value).toFixed(1) + "\u00a0%";
  return (column.unit === "m" && Math.abs(value) < 10 ? value.toFixed(3) : number(value)) + (column.unit ? "\u00a0" + column.unit : "");
}

/** Which of two entries comes first; what is missing comes last, numbers are compared as numbers. */
function order(a, b) {
  const [x, y] = [a ?? "", b ?? ""];
  if (x === "" || y === "") return (x === "") - (y === "");
  if (!isNaN(x) && !isNaN(y)) return x - y;
  return String(x).localeCompare(String(y), undefined, {numeric: true});
}

/** Titles whose button sorts: the first press of a figure shows the largest first. */
function sortBy(titles, sort) {
  titles.forEach((title, column) => {
    title.querySelector("button")?.addEventListener("click", () => {
      const before = title.getAttribute("aria-sort");
      const down = before ? before === "ascending" : title.dataset.first !== "up";
      titles.forEach(other => other.removeAttribute("aria-sort"));
      title.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(column, down ? -1 : 1);
    });
  });
}

/** Whether a text has every word that is looked for. */
function matches(text, words) {
  const low = text.toLowerCase();
  return words.toLowerCase().split(/\s+/).every(word => low.includes(word));
}

/* --- tables that are there already --------------------------------------------------------- */

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  sortBy([...table.tHead.rows[0].cells], (column, sign) => {
    const value = row => row.cells[column].dataset.sort;
    body.append(...[...body.rows].sort((a, b) => sign * order(value(a), value(b))));
  });
  if (!table.dataset.filter) continue;
  const count = make("output", {class: "count", "aria-live": "polite"});
  const input = make("input", {type: "search", placeholder: "such as: " + table.dataset.filter});
  const rows = [...body.rows];
  const apply = () => {
    for (const row of rows) row.hidden = !matches(row.textContent, input.value);
    const left = rows.filter(row => !row.hidden).length;
    count.textContent = left === rows.length ? "" : `${left} of ${rows.length} rows`;
  };
  input.addEventListener("input", apply);
  table.parentElement.before(make("div", {class: "controls"}, make("label", {}, "Filter ", input), count));
}

/* --- one of several charts ----------------------------------------------------------------- */

for (const group of document.querySelectorAll(".choices")) {
  const parts = [...group.children];
  const select = make("select", {}, ...parts.map((part, at) => make("option", {value: at}, part.dataset.choice)));
  const show = () => parts.forEach((part, at) => { part.hidden = at !== Number(select.value); });
  select.addEventListener("change", show);
  if (group.dataset.first) select.value = group.dataset.first;
  group.before(make("div", {class: "controls"}, make("label", {}, group.dataset.label + " ", select)));
  show();
}

/* --- charts over time ---------------------------------------------------------------------- */

/** Round ticks that hold the values. */
function ticks(low, high) {
  if (high - low < 1e-12) [low, high] = [low - 0.5, high + 0.5];
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(digit => digit * power >= rough * 0.999);
  const found = [];
  for (let at = Math.floor(low / step + 1e-9); at <= Math.ceil(high / step - 1e-9); at++) found.push(at * step);
  return found;
}

/**
 * Curves over time, in the page's own look.
 * lines: [{x, y, style, sign, label}]; returns the element, and a function that sets the cursor.
 */
function timeChart(title, lines, band) {
  const xs = ticks(0, Math.max(...lines.map(line => line.x.at(-1))));
  let low = Infinity, high = -Infinity;
  for (const line of lines) for (const value of line.y) { low = Math.min(low, value); high = Math.max(high, value); }
  const ys = ticks(low, high);
  const place = (value, marks) => Math.min(100, Math.max(0, 100 * (value - marks[0]) / (marks.at(-1) - marks[0])));
  const px = value => place(value, xs), py = value => 100 - place(value, ys);
  const rule = (x1, x2, y1, y2, name) => make("svg:line", {class: name, x1: x1 + "%", x2: x2 + "%", y1: y1 + "%", y2: y2 + "%"});
  const plot = make("svg:svg", {class: "plot", height: 130, role: "img", "aria-label": title + " over time"});
  if (band) {
    const top = py(band[1]);
    plot.append(make("svg:rect", {class: "band", x: 0, width: "100%", y: top + "%", height: py(band[0]) - top + "%"}));
  }
  plot.append(...ys.map(value => rule(0, 100, py(value), py(value), "grid")));
  plot.append(...xs.map(value => rule(px(value), px(value), 0, 100, "grid")));
  const stretched = make("svg:svg", {viewBox: "0 0 100 100", preserveAspectRatio: "none", width: "100%", height: "100%"});
  for (const line of lines) {
    const points = line.y.map((value, at) => px(line.x[at]).toFixed(2) + "," + py(value).toFixed(2)).join(" ");
    stretched.append(make("svg:polyline", {class: `curve ${line.style} c${line.sign % 7}`, points}));
  }
  const cursor = rule(0, 0, 0, 100, "cursor");
  plot.append(stretched, cursor);
  const left = make("svg:svg", {class: "left", height: 130, "aria-hidden": "true"}, ...ys.map(value =>
    make("svg:text", {x: "100%", y: py(value) + "%", dy: py(value) < 3 ? 9 : py(value) > 97 ? 0 : 4, "text-anchor": "end"}, number(value))));
  const below = make("svg:svg", {height: 18, "aria-hidden": "true"}, ...xs.map(value =>
    make("svg:text", {x: px(value) + "%", y: 13, "text-anchor": "middle"}, number(value))));
  const legend = make("div", {class: "legend"}, ...lines.filter(line => line.label).map(line =>
    make("span", {}, make("svg:svg", {width: 26, height: 10, "aria-hidden": "true"},
      make("svg:line", {class: `curve ${line.style} c${line.sign % 7}`, x1: 0, x2: 26, y1: 5, y2: 5})), line.label)));
  const element = make("div", {class: "frame"}, make("div", {class: "y-axis"}, title), left, plot,
    make("div", {class: "x-axis"}, below, make("div", {}, "time [s]")), legend);
  return [element, time => { cursor.setAttribute("x1", px(time) + "%"); cursor.setAttribute("x2", px(time) + "%"); }];
}

/* --- an episode that is picked ------------------------------------------------------------- */

/** The values behind whole multiples that are stored as differences. */
function unpacked(numbers, step) {
  let sum = 0;
  return numbers.map(difference => (sum += difference) * step);
}

/** Text for a polyline's points, in metres from an origin, y upwards. */
function polyline(xs, ys, origin) {
  return xs.map((x, at) => (x - origin[0]).toFixed(2) + "," + (ys[at] - origin[1]).toFixed(2)).join(" ");
}

/** A road's surface and paint, in world axes around an origin. */
function drawRoad(road, origin) {
  const group = make("svg:g", {});
  const line = (xs, ys) => polyline(unpacked(xs, 0.01), unpacked(ys, 0.01), origin);
  for (const [xs, ys] of road.surfaces) group.append(make("svg:polygon", {class: "asphalt", points: line(xs, ys)}));
  for (const [xs, ys, width, dash, gap, material] of road.paints) {
    group.append(make("svg:polyline", {class: "paint " + material, points: line(xs, ys), "stroke-width": width,
      "stroke-dasharray": dash ? `${dash} ${gap}` : null}));
  }
  return group;
}

/** The angle of a path's long side, so that it can lie across the picture. */
function longSide(course) {
  const n = course.x.length, mx = course.x.reduce((a, b) => a + b) / n, my = course.y.reduce((a, b) => a + b) / n;
  let xx = 0, xy = 0, yy = 0;
  course.x.forEach((x, at) => { const y = course.y[at] - my; xx += (x - mx) ** 2; xy += (x - mx) * y; yy += y * y; });
  let angle = 0.5 * Math.atan2(2 * xy, xx - yy);
  const along = (course.x.at(-1) - course.x[0]) * Math.cos(angle) + (course.y.at(-1) - course.y[0]) * Math.sin(angle);
  return along < 0 ? angle + Math.PI : angle;
}

/** The whole drive from above; returns the element and a function that moves the car. */
function overview(road, drives) {
  const first = drives[0].course, origin = [first.x[0], first.y[0]], angle = longSide(first);
  const cos = Math.cos(angle), sin = Math.sin(angle);
  let box = [Infinity, Infinity, -Infinity, -Infinity];
  const seen = (x, y) => {
    const [dx, dy] = [x - origin[0], y - origin[1]], u = cos * dx + sin * dy, v = -(cos * dy - sin * dx);
    box = [Math.min(box[0], u), Math.min(box[1], v), Math.max(box[2], u), Math.max(box[3], v)];
  };
  for (const {course} of drives) course.x.forEach((x, at) => seen(x, course.y[at]));
  const width = Math.max(box[2] - box[0] + 16, 40), height = Math.max(box[3] - box[1] + 16, 20);
  const left = (box[0] + box[2] - width) / 2, top = (box[1] + box[3] - height) / 2;
  const world = make("svg:g", {transform: `matrix(${cos} ${sin} ${sin} ${-cos} 0 0)`});
  if (road) world.append(drawRoad(road, origin));
  for (const drive of [...drives].reverse()) {
    const {course} = drive, group = make("svg:g", {class: `c${drive.sign % 7}`});
    group.append(make("svg:polyline", {class: drive === drives[0] ? "path" : "path other", points: polyline(course.x, course.y, origin)}));
    (course.margin || []).forEach((margin, at) => {
      if (margin >= 0 || drive !== drives[0]) return;
      const from = Math.max(0, at - 1);
      group.append(make("svg:polyline", {class: "over", points: polyline(course.x.slice(from, at + 1), course.y.slice(from, at + 1), origin)}));
    });
    world.append(group);
  }
  const car = make("svg:circle", {class: `car c${drives[0].sign % 7}`, r: 0.014 * Math.max(width, height)});
  world.append(car);
  const bar = [100, 50, 10].find(length => length < width / 2.4) || 5;
  const element = make("div", {class: "map"},
    make("svg:svg", {viewBox: [left, top, width, height].join(" "), role: "img", "aria-label": "the drive on its road, from above; it begins at the left"}, world),
    make("div", {class: "bar"}, make("span", {style: `width:${100 * bar / width}%`}), bar + " m"));
  return [element, at => { car.setAttribute("cx", first.x[at] - origin[0]); car.setAttribute("cy", first.y[at] - origin[1]); }];
}

/** Around the car, which drives upwards; returns the element and a function that moves the car. */
function closeUp(road, drives, size) {
  const first = drives[0].course, origin = [first.x[0], first.y[0]];
  const world = make("svg:g", {});
  if (road) world.append(drawRoad(road, origin));
  const cars = drives.map(drive => {
    world.append(make("svg:polyline", {class: `path c${drive.sign % 7}`, points: polyline(drive.course.x, drive.course.y, origin)}));
    const car = make("svg:rect", {class: `outline c${drive.sign % 7}`, x: size.back, width: size.length, y: -size.width / 2, height: size.width, rx: 0.3});
    world.append(car);
    return car;
  });
  const element = make("div", {class: "map close"},
    make("svg:svg", {viewBox: "-16 -30 32 40", role: "img", "aria-label": "the road around the car, which drives upwards"}, world));
  return [element, at => {
    const x = first.x[at] - origin[0], y = first.y[at] - origin[1], yaw = first.yaw[at], [c, s] = [Math.cos(yaw), Math.sin(yaw)];
    world.setAttribute("transform", `matrix(${s} ${-c} ${-c} ${-s} ${c * y - s * x} ${c * x + s * y})`);
    drives.forEach(({course}, which) => {
      const then = Math.min(at, course.x.length - 1);
      cars[which].setAttribute("transform", `translate(${course.x[then] - origin[0]} ${course.y[then] - origin[1]}) rotate(${course.yaw[then] * 180 / Math.PI})`);
    });
  }];
}

/** A chapter's episodes: filters, the table, and the episode that is picked. */
function explore(place) {
  const data = JSON.parse(document.getElementById(place.dataset.from).textContent);
  const columns = data.columns, at = Object.fromEntries(columns.map((column, index) => [column.name, index]));
  const rows = data.episodes.map((values, index) => ({values, index, text: values.slice(0, at.success).join(" ").replaceAll("_", " ")}));
  const get = (row, name) => name in at ? row.values[at[name]] : undefined;
  const key = row => [get(row, "road"), get(row, "seed"), get(row, "condition") || ""].join("|");
  const sign = row => data.drivers[get(row, "driver")];
  const courses = {};
  const courseOf = row => {
    const stored = data.courses[row.index];
    if (!stored) return null;
    return courses[row.index] ||= Object.fromEntries(Object.entries(stored).map(([name, numbers]) =>
      [name, name === "dt" ? numbers : unpacked(numbers, data.steps[name])]));
  };
  const compared = new Set();
  let picked = null, listed = rows, room = 25, step = 0;

  /* which rows are listed */
  const choice = (label, name, all) => {
    const values = [...new Set(rows.map(row => get(row, name)))].filter(value => value !== undefined && value !== null && value !== "");
    if (values.length < 2) return null;
    const text = value => shown(value, columns[at[name]]);
    const select = make("select", {"data-column": name}, make("option", {value: ""}, all),
      ...values.map(value => make("option", {value: String(value)}, name === "success" ? (value ? "succeeded" : "failed") : text(value))));
    select.addEventListener("change", list);
    return make("label", {}, label + " ", select);
  };
  const search = make("input", {type: "search", placeholder: "road, seed, ending"});
  search.addEventListener("input", () => list());
  const count = make("output", {class: "count", "aria-live": "polite"});
  const controls = make("div", {class: "controls"}, choice("Driver", "driver", "all"), choice("Result", "success", "all"),
    choice("Condition", "condition", "all"), make("label", {}, "Filter ", search), count);
  const titles = columns.map((column, index) => make("th", {scope: "col", "data-first": column.kind === "text" ? "up" : null},
    make("button", {type: "button"}, column.label)));
  const body = make("tbody", {});
  const more = make("button", {type: "button", class: "more"}, "Show more");
  more.addEventListener("click", () => { room += 100; fill(); });
  sortBy(titles, (column, direction) => {
    rows.sort((a, b) => direction * order(a.values[column], b.values[column]));
    list();
  });

  function list() {
    const selects = [...controls.querySelectorAll("select")].filter(select => select.value);
    listed = rows.filter(row => selects.every(select => String(get(row, select.dataset.column)) === select.value) && matches(row.text, search.value));
    room = 25;
    fill();
  }

  function fill() {
    body.replaceChildren(...listed.slice(0, room).map(row => {
      const button = make("button", {type: "button", "aria-pressed": row === picked}, get(row, "driver"));
      button.addEventListener("click", () => pick(row, true));
      return make("tr", {class: row === picked ? "picked" : null}, make("th", {scope: "row"}, button),
        ...columns.slice(1).map((column, index) => make("td", {class: column.name === "success" && !row.values[index + 1] ? "bad" : null},
          shown(row.values[index + 1], column))));
    }));
    count.textContent = `${listed.length} of ${rows.length} episodes`;
    more.hidden = listed.length <= room;
  }

  /* the picked one */
  const panel = make("div", {class: "picked-episode", tabindex: -1, "aria-live": "polite"});

  function pick(row, look) {
    picked = row;
    step = Math.floor((courseOf(row)?.lateral_offset.length || 1) / 2);
    fill();
    show();
    if (look && panel.getBoundingClientRect().top < 0) panel.scrollIntoView({block: "start"});
  }

  function beside(by) {
    const where = listed.indexOf(picked);
    const next = listed[where + by];
    if (next) pick(next, false);
  }

  function show() {
    const others = rows.filter(row => row !== picked && key(row) === key(picked));
    const drives = [picked, ...others.filter(row => compared.has(get(row, "driver")))]
      .map(row => ({row, course: courseOf(row), sign: sign(row), name: get(row, "driver")}));
    const drawn = drives.filter(drive => drive.course);
    const name = key(picked).split("|").filter(part => part);
    const button = (text, by) => {
      const made = make("button", {type: "button", disabled: !listed[listed.indexOf(picked) + by]}, text);
      made.addEventListener("click", () => { beside(by); panel.querySelector(by < 0 ? ".before" : ".after")?.focus(); });
      made.className = by < 0 ? "before" : "after";
      return made;
    };
    const head = make("div", {class: "pick-head"},
      make("h3", {}, mark(sign(picked)), `${get(picked, "driver")} on ${name[0]}, seed ${name[1]}${name[2] ? ", " + name[2] : ""}`),
      make("p", {class: get(picked, "success") ? "good" : "bad"}, (get(picked, "success") ? "succeeded" : "failed") + ": " +
        String(get(picked, "ended")).replaceAll("_", " ") + (get(picked, "route_completion") === undefined ? "" : `, ${(100 * get(picked, "route_completion")).toFixed(0)} % of the route`)),
      make("div", {class: "buttons"}, button("\u2190 previous", -1), button("next \u2192", 1)));
    const also = others.length ? make("fieldset", {class: "also"}, make("legend", {}, "the same episode, driven by"), ...others.map(row => {
      const box = make("input", {type: "checkbox"});
      box.checked = compared.has(get(row, "driver"));
      box.addEventListener("change", () => {
        compared[box.checked ? "add" : "delete"](get(row, "driver"));
        const which = others.indexOf(row);
        show();
        panel.querySelectorAll(".also input")[which]?.focus();
      });
      return make("label", {}, box, mark(sign(row)), get(row, "driver"), get(row, "success") ? "" : " (failed)");
    })) : null;
    panel.replaceChildren(head, ...(also ? [also] : []), ...(drives[0].course ? pictures(drives[0].row, drawn) : [make("p", {class: "missing"},
      "The steps of this episode are not in the page; its figures are below.")]), figures(drives));
  }

  function pictures(row, drives) {
    const course = drives[0].course, last = course.lateral_offset.length - 1, dt = course.dt;
    const moves = [], parts = [];
    const road = data.roads[get(row, "road")];
    if (course.x && course.y) {
      const placed = drives.filter(drive => drive.course.x);
      const maps = make("div", {class: "maps"});
      const [whole, move] = overview(road, placed);
      maps.append(whole);
      moves.push(move);
      if (course.yaw) {
        const [close, closer] = closeUp(road, placed.filter(drive => drive.course.yaw), data.car);
        maps.append(close);
        moves.push(closer);
      }
      parts.push(maps);
    }
    const slider = make("input", {type: "range", min: 0, max: last, value: Math.min(step, last), "aria-label": "time"});
    const clock = make("output", {class: "count"});
    parts.push(make("div", {class: "controls scrub"}, make("label", {}, "Time ", slider), clock));
    const strip = data.frames[row.index];
    if (strip) {
      const images = strip.map(([when, source]) => make("img", {src: source, alt: `the camera at ${when} s`, title: `${when} s`}));
      parts.push(make("div", {class: "strip"}, ...images));
      moves.push(index => images.forEach((image, which) => {
        const near = strip.reduce((best, [when], other) => Math.abs(when - dt * (index + 1)) < Math.abs(strip[best][0] - dt * (index + 1)) ? other : best, 0);
        image.classList.toggle("now", which === near);
      }));
    }
    const series = (column, factor, extra) => drives.filter(drive => drive.course[column]).map(drive => ({
      x: drive.course[column].map((_, index) => drive.course.dt * (index + 1)), y: drive.course[column].map(value => factor * value),
      sign: drive.sign, style: "thick", label: drives.length > 1 || extra ? (drives.length > 1 ? drive.name + " " : "") + (extra || "") : "", }));
    const charts = make("div", {class: "panels wide"});
    const add = (title, lines, band) => {
      if (!lines.length) return;
      const [element, move] = timeChart(title, lines, band);
      charts.append(element);
      moves.push(index => move(dt * (index + 1)));
    };
    const commanded = drives.length > 1 ? series("command_curvature", 1) : [
      ...series("curvature", 1, "driven").map(line => ({...line, style: "thin"})), ...series("command_curvature", 1, "commanded")];
    add("beside the lane\u2019s centre [m], left up", series("lateral_offset", 1), [-0.5, 0.5]);
    add(drives.length > 1 ? "commanded curvature [1/m], left up" : "curvature [1/m], left up", commanded);
    add("speed [m/s]", series("speed", 1));
    add("commanded acceleration [m/s\u00b2]", series("command_accel", 1));
    parts.push(charts);
    const film = document.getElementById(data.films[row.index] || "");
    if (film) parts.push(make("div", {class: "films"}, make("video", {controls: true, muted: true, loop: true, playsinline: true, src: film.getAttribute("src")})));
    slider.addEventListener("input", () => go(Number(slider.value)));
    function go(index) {
      step = index;
      clock.textContent = `${(dt * (index + 1)).toFixed(1)} s of ${(dt * (last + 1)).toFixed(1)} s`;
      for (const move of moves) move(index);
    }
    go(Math.min(step, last));
    return parts;
  }

  function figures(drives) {
    const told = columns.filter(column => column.name !== "driver" && drives.some(drive => get(drive.row, column.name) !== null));
    return make("details", {}, make("summary", {}, "Figures of this episode"), make("div", {class: "scroll", tabindex: 0}, make("table", {},
      make("thead", {}, make("tr", {}, make("th", {scope: "col"}, "figure"), ...drives.map(drive => make("th", {scope: "col"}, drive.name)))),
      make("tbody", {}, ...told.map(column => make("tr", {}, make("th", {scope: "row"}, column.label),
        ...drives.map(drive => make("td", {}, shown(get(drive.row, column.name), column)))))))));
  }

  function mark(which) {
    return document.getElementById("key-" + which)?.content.firstElementChild.cloneNode(true) || "";
  }

  place.replaceChildren(panel, controls, make("div", {class: "scroll", tabindex: 0},
    make("table", {class: "episodes"}, make("thead", {}, make("tr", {}, ...titles)), body)), more);
  list();
  pick(rows.find(row => row.index === data.first) || rows[0], false);
}

document.querySelectorAll(".explorer").forEach(explore);

/* paper cannot be unfolded */
addEventListener("beforeprint", () => document.querySelectorAll("main details").forEach(folded => { folded.open = true; }));
