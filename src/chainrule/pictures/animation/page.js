"use strict";
(async () => {
  const film = JSON.parse(document.getElementById("film").textContent);
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const slider = document.getElementById("epoch"), button = document.getElementById("play");
  const speed = document.getElementById("speed");
  const count = film.epochs.length;
  let frame = count - 1, playing = false, theme;

  // One block of bytes: of each frame the weights and biases, the histograms, the map. All but the
  // first frame are differences from the one before.
  const text = atob(film.bytes);
  const packed = Uint8Array.from(text, letter => letter.charCodeAt(0));
  let bytes;
  try {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    document.getElementById("numbers").textContent =
      "This browser cannot unpack the animation (it lacks DecompressionStream). Use a newer browser.";
    return;
  }
  const size = film.size;
  for (let at = size; at < bytes.length; at++) bytes[at] = (bytes[at] + bytes[at - size]) & 255;

  const colours = () => {
    theme = film.themes[film.theme || (dark.matches ? "dark" : "light")];
    for (const [name, colour] of Object.entries(theme.page)) root.style.setProperty("--" + name, colour);
    for (const one of document.querySelectorAll("[data-class]"))
      one.style.color = theme.classes[one.dataset.class % theme.classes.length];
    for (const one of document.querySelectorAll("[data-layer]"))
      one.style.color = theme.layers[one.dataset.layer];
    for (const one of document.querySelectorAll("[data-colour]"))
      one.style.color = theme.page[one.dataset.colour];
  };

  // A canvas at the resolution of the screen; drawing is in the units of the page.
  const opened = id => {
    const canvas = document.querySelector("#" + id + " canvas");
    if (!canvas) return null;
    const box = canvas.getBoundingClientRect(), fine = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(box.width * fine), Math.round(box.height * fine)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const pen = canvas.getContext("2d");
    pen.setTransform(fine, 0, 0, fine, 0, 0);
    pen.clearRect(0, 0, box.width, box.height);
    pen.font = "12px system-ui, sans-serif";
    pen.lineWidth = 1;
    return [pen, box.width, box.height];
  };
  const write = (pen, words, x, y, align, colour, base = "middle") => {
    pen.textAlign = align; pen.textBaseline = base; pen.fillStyle = colour;
    pen.fillText(words, x, y);
  };
  const fit = (pen, words, room) => {
    if (pen.measureText(words).width <= room) return words;
    while (words.length > 1 && pen.measureText(words + "…").width > room) words = words.slice(0, -1);
    return words + "…";
  };
  const signed = value => value > 127 ? value - 256 : value;
  const shade = level => theme.weights[Math.round((level + 127) / 254 * (theme.weights.length - 1))];

  const drawNetwork = () => {
    const [pen, width, height] = opened("network");
    const columns = film.columns, all = columns.length, narrow = width < 480;
    pen.font = (narrow ? "10.5px" : "12px") + " system-ui, sans-serif";
    const longest = names => Math.max(0, ...names.map(name => pen.measureText(name).width));
    const half = column => pen.measureText(column.detail).width / 2 + 2;
    const side = (names, more, column) =>
      Math.min(Math.max(26 + more + longest(names), half(column)), width / 4);
    const left = side(film.features, 0, columns[0]);
    const right = side(film.outputs, film.classed ? 11 : 0, columns[all - 1]);
    const step = (width - left - right) / (all - 1), top = 44;
    const place = columns.map((column, index) => {
      const gap = Math.min(34, (height - top - 8) / column.slots);
      const middle = top + (height - top - 4) / 2;
      let slots = [...Array(column.slots).keys()];
      const whole = column.units.length === column.slots;
      if (!whole) slots = slots.filter(slot => slot !== column.slots / 2 - 1 && slot !== column.slots / 2);
      return {x: left + index * step, y: slots.map(slot => middle + (slot - (column.slots - 1) / 2) * gap),
              radius: Math.min(9, 0.4 * gap), middle, gap, whole};
    });
    let at = frame * size;
    pen.lineCap = "round";
    for (let index = 1; index < all; index++) {
      const below = place[index - 1], above = place[index], edges = [];
      for (const high of above.y) for (const low of below.y) edges.push([signed(bytes[at++]), low, high]);
      const room = Math.min(1, 150 / edges.length), bend = 0.35 * (above.x - below.x);
      edges.sort((one, other) => Math.abs(one[0]) - Math.abs(other[0]));
      for (const [level, low, high] of edges) {
        const strength = Math.abs(level) / 127;
        pen.globalAlpha = Math.min(1, 0.3 * room + 0.8 * strength ** 1.5);
        pen.strokeStyle = shade(level);
        pen.lineWidth = 0.4 + 2.8 * Math.max(0.5, room ** 0.25) * strength ** 1.3;
        pen.beginPath();
        pen.moveTo(below.x, low);
        pen.bezierCurveTo(below.x + bend, low, above.x - bend, high, above.x, high);
        pen.stroke();
      }
    }
    pen.globalAlpha = 1;
    pen.lineWidth = 1.2;
    place.forEach((column, index) => {
      for (const y of column.y) {
        pen.beginPath();
        pen.arc(column.x, y, column.radius, 0, 2 * Math.PI);
        pen.fillStyle = index ? shade(signed(bytes[at++])) : theme.page.ground;
        pen.fill();
        pen.strokeStyle = theme.page.ink;
        pen.stroke();
      }
      if (!column.whole) for (const side of [-1, 0, 1]) {
        pen.beginPath();
        pen.arc(column.x, column.middle + side * 0.35 * column.gap, 1.6, 0, 2 * Math.PI);
        pen.fillStyle = theme.page.ink;
        pen.fill();
      }
      const room = step - 6;
      const first = texts => texts.find(text => pen.measureText(text).width <= room) || texts.at(-1);
      const {title, short, detail, size} = columns[index];
      write(pen, first([title, short]), column.x, 10, "center", theme.page.ink);
      write(pen, first([detail, size]), column.x, 26, "center", theme.page.muted);
    });
    film.features.forEach((name, index) =>
      write(pen, fit(pen, name, width / 5), place[0].x - 14, place[0].y[index], "right", theme.page.ink));
    const last = place[all - 1];
    film.outputs.forEach((name, index) => {
      let x = last.x + 14;
      if (film.classed) {
        pen.beginPath();
        pen.arc(x + 3, last.y[index], 3.5, 0, 2 * Math.PI);
        pen.fillStyle = theme.classes[index % theme.classes.length];
        pen.fill();
        x += 11;
      }
      write(pen, fit(pen, name, width / 5), x, last.y[index], "left", theme.page.ink);
    });
  };

  const buffer = document.createElement("canvas");
  const drawMap = () => {
    const plane = film.plane;
    if (!plane) return;
    const [pen, width, height] = opened("map");
    const left = plane.ticks ? 44 : 22, bottom = plane.ticks ? 38 : 22;
    const box = [left, 4, width - left - 4, height - bottom - 4];
    const [x0, x1, y0, y1] = plane.limits;
    const across = x => box[0] + (x - x0) / (x1 - x0) * box[2];
    const up = y => box[1] + (y1 - y) / (y1 - y0) * box[3];
    const start = frame * size + film.map;
    pen.save();
    pen.beginPath(); pen.rect(...box); pen.clip();
    if (plane.line) {
      drawPoints(pen, plane, across, up);
      for (let curve = 0; curve < plane.curves; curve++) {
        pen.beginPath();
        for (let column = 0; column < plane.side; column++) {
          const level = bytes[start + curve * plane.side + column] / 255;
          const x = x0 + (column + 0.5) / plane.side * (x1 - x0);
          pen.lineTo(across(x), up(y0 + level * (y1 - y0)));
        }
        pen.strokeStyle = plane.curves > 1 ? theme.classes[curve % theme.classes.length] : theme.page.ink;
        pen.lineWidth = 2; pen.stroke();
      }
    } else {
      const side = plane.side;
      buffer.width = buffer.height = side;
      const image = new ImageData(side, side);
      for (let pixel = 0; pixel < side * side; pixel++) {
        const shadeOf = 3 * bytes[start + pixel];
        image.data[4 * pixel] = theme.shades[shadeOf];
        image.data[4 * pixel + 1] = theme.shades[shadeOf + 1];
        image.data[4 * pixel + 2] = theme.shades[shadeOf + 2];
        image.data[4 * pixel + 3] = 255;
      }
      buffer.getContext("2d").putImageData(image, 0, 0);
      pen.drawImage(buffer, ...box);
      drawPoints(pen, plane, across, up);
    }
    pen.restore();
    pen.strokeStyle = theme.page.faint;
    pen.strokeRect(...box);
    if (plane.ticks) {
      for (const [value, label] of plane.xticks) write(pen, label, across(value), box[1] + box[3] + 11, "center", theme.page.muted);
      for (const [value, label] of plane.yticks) write(pen, label, box[0] - 5, up(value), "right", theme.page.muted);
    }
    write(pen, fit(pen, plane.labels[0], box[2]), box[0] + box[2] / 2, height - 8, "center", theme.page.muted);
    pen.save();
    pen.translate(8, box[1] + box[3] / 2); pen.rotate(-Math.PI / 2);
    write(pen, fit(pen, plane.labels[1], box[3]), 0, 0, "center", theme.page.muted);
    pen.restore();
  };
  const drawPoints = (pen, plane, across, up) => {
    const radius = plane.points.length > 600 ? 2 : 3;
    for (const [x, y, target, heldOut] of plane.points) {
      pen.beginPath();
      if (heldOut) pen.rect(across(x) - radius, up(y) - radius, 2 * radius, 2 * radius);
      else pen.arc(across(x), up(y), radius, 0, 2 * Math.PI);
      pen.fillStyle = film.plane.classes ? theme.classes[target % theme.classes.length]
        : `rgb(${theme.values.slice(3 * target, 3 * target + 3).join(" ")})`;
      pen.fill();
      pen.strokeStyle = theme.page.ground; pen.lineWidth = 0.8; pen.stroke();
    }
  };

  const drawCurves = (id, chart, epochs, until) => {
    const [pen, width, height] = opened(id);
    const box = [46, 6, width - 56, height - 34];
    const [low, high] = chart.limits, logarithm = chart.log ? Math.log : value => value;
    const first = epochs[0], last = epochs[epochs.length - 1];
    const across = x => box[0] + (last > first ? (x - first) / (last - first) : 0) * box[2];
    const up = y => box[1] + (1 - (logarithm(y) - logarithm(low)) / (logarithm(high) - logarithm(low))) * box[3];
    pen.strokeStyle = theme.page.faint;
    for (const [value, label] of chart.ticks) {
      pen.beginPath(); pen.moveTo(box[0], up(value)); pen.lineTo(box[0] + box[2], up(value)); pen.stroke();
      write(pen, label, box[0] - 5, up(value), "right", theme.page.muted);
    }
    write(pen, first, box[0], height - 16, "left", theme.page.muted);
    write(pen, last, box[0] + box[2], height - 16, "right", theme.page.muted);
    write(pen, "epoch", box[0] + box[2] / 2, height - 16, "center", theme.page.muted);
    if (chart.kept !== null) {
      pen.setLineDash([2, 3]); pen.strokeStyle = theme.page.muted;
      pen.beginPath(); pen.moveTo(across(chart.kept), box[1]); pen.lineTo(across(chart.kept), box[1] + box[3]); pen.stroke();
      pen.setLineDash([]);
    }
    chart.series.forEach((values, index) => {
      const colour = chart.colours[index] in theme.page ? theme.page[chart.colours[index]] : theme.layers[chart.colours[index]];
      for (const strong of [false, true]) {
        pen.beginPath();
        let dot = null, joined = false;
        for (let at = 0; at < epochs.length && (!strong || epochs[at] <= until); at++) {
          if (values[at] === null) { joined = false; continue; }
          dot = [across(epochs[at]), up(values[at])];
          if (joined) pen.lineTo(...dot); else pen.moveTo(...dot);
          joined = true;
        }
        pen.strokeStyle = colour; pen.globalAlpha = strong ? 1 : 0.25; pen.lineWidth = strong ? 1.8 : 1.2;
        pen.stroke();
        if (strong && dot) { pen.beginPath(); pen.arc(...dot, 3.5, 0, 2 * Math.PI); pen.fillStyle = colour; pen.fill(); }
      }
      pen.globalAlpha = 1;
    });
  };

  const drawActivations = () => {
    const [pen, width, height] = opened("activations");
    const layers = film.layers, row = height / layers.length;
    layers.forEach((layer, index) => {
      const base = index * row + row - 16, start = frame * size + film.histograms + index * film.bins;
      const tall = row - 20;
      pen.fillStyle = theme.layers[layer.index]; pen.globalAlpha = 0.8;
      for (let bin = 0; bin < film.bins; bin++) {
        const high = bytes[start + bin] / 255 * tall;
        pen.fillRect(bin / film.bins * width, base - high, width / film.bins + 0.4, high);
      }
      pen.globalAlpha = 1; pen.fillStyle = theme.page.muted; pen.fillRect(0, base, width, 1);
      write(pen, layer.low, 0, base + 9, "left", theme.page.muted);
      write(pen, layer.high, width, base + 9, "right", theme.page.muted);
      write(pen, layer.name, width / 2, base + 9, "center", theme.layers[layer.index]);
    });
  };

  const draw = () => {
    const epoch = film.epochs[frame];
    drawNetwork(); drawMap(); drawActivations();
    drawCurves("loss", film.loss, film.history, epoch);
    drawCurves("gradients", film.gradients, film.epochs, epoch);
    document.getElementById("title").textContent = "Epoch " + epoch.toLocaleString("en");
    document.getElementById("numbers").textContent = film.texts[frame];
    slider.value = frame;
    slider.setAttribute("aria-valuetext", "epoch " + epoch + (film.texts[frame] ? ", " + film.texts[frame] : ""));
  };
  let shownAt = 0;
  const tick = now => {
    if (!playing) return;
    const wait = (frame === count - 1 ? 2 : film.seconds / count) * 1000 / speed.value;
    if (now - shownAt >= wait) { shownAt = now; frame = (frame + 1) % count; draw(); }
    requestAnimationFrame(tick);
  };
  const play = on => {
    playing = on && count > 1;
    button.textContent = playing ? "Pause" : "Play";
    if (playing) {
      if (frame === count - 1) { frame = 0; draw(); }
      shownAt = performance.now();
      requestAnimationFrame(tick);
    }
  };
  button.addEventListener("click", () => play(!playing));
  slider.addEventListener("input", () => { play(false); frame = Number(slider.value); draw(); });
  dark.addEventListener("change", () => { colours(); draw(); });
  let pending = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(draw);
  }).observe(document.querySelector("main"));
  colours();
  draw();
  // It begins with the result, and moves by itself unless the reader's system asks for less motion.
  if (!calm.matches) setTimeout(() => { if (!playing && frame === count - 1) play(true); }, 1500);
})();
