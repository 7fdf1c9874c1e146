"use strict";
// Everything here works on what the page already holds; nothing is fetched.
document.documentElement.classList.add("js");
const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));

function blobUrl(dataUri) {
  const bytes = Uint8Array.from(atob(dataUri.slice(dataUri.indexOf(",") + 1)), (c) => c.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
}

function setUpFilm(film) {
  const video = film.querySelector("video");
  if (!video) return;
  const fps = Number(film.dataset.fps), seek = film.querySelector(".seek"), cursor = film.querySelector(".cursor");
  const play = film.querySelector(".play"), clock = film.querySelector(".clock"), steps = Number(seek.max);
  const load = () => {
    if (video.dataset.loaded) return;
    video.dataset.loaded = "1";
    video.preload = "auto";
    video.src = blobUrl(video.src);
  };
  const show = () => {
    const step = Math.min(steps, Math.round(video.currentTime * fps));
    seek.value = step;
    clock.value = "step " + step + " of " + steps;
    if (cursor) cursor.style.left = (steps ? (100 * step) / steps : 0) + "%";
  };
  const follow = () => { show(); if (!video.paused && !video.ended) requestAnimationFrame(follow); };
  const toggle = () => {
    load();
    if (video.paused || video.ended) video.play().catch(() => { clock.value = "this browser cannot play the film"; });
    else video.pause();
  };
  const goTo = (step) => {
    load();
    const jump = () => { video.currentTime = Math.min(step / fps, Math.max(0, video.duration - 0.001)); };
    if (video.readyState > 0) jump(); else video.addEventListener("loadedmetadata", jump, { once: true });
  };
  video.removeAttribute("controls");
  film.querySelector(".controls").hidden = seek.hidden = false;
  if (cursor) cursor.hidden = false;
  play.addEventListener("click", toggle);
  video.addEventListener("click", toggle);
  video.addEventListener("play", () => { play.textContent = "❚❚ Pause"; follow(); });
  for (const name of ["pause", "ended"]) video.addEventListener(name, () => { play.textContent = "▶ Play"; show(); });
  for (const name of ["seeked", "loadedmetadata"]) video.addEventListener(name, show);
  seek.addEventListener("input", () => { video.pause(); goTo(Number(seek.value)); });
  const plot = film.querySelector(".plot");
  if (plot) plot.addEventListener("click", (event) => {
    const box = plot.getBoundingClientRect();
    video.pause();
    goTo(Math.round((steps * (event.clientX - box.left)) / box.width));
  });
  film.querySelector(".speed select").addEventListener("change", (event) => {
    video.defaultPlaybackRate = video.playbackRate = Number(event.target.value);
  });
  for (const button of all("[data-view]", film)) button.addEventListener("click", () => {
    film.dataset.view = button.dataset.view;
    for (const other of all("[data-view]", film)) if (other !== film) other.setAttribute("aria-pressed", String(other === button));
  });
  if ("IntersectionObserver" in window) {
    const watcher = new IntersectionObserver((seen) => {
      if (seen.some((s) => s.isIntersecting)) { watcher.disconnect(); load(); }
    }, { rootMargin: "300px" });
    watcher.observe(film);
  } else load();
  show();
}

function setUpTable(table) {
  const heads = all("thead th", table);
  heads.forEach((head, column) => {
    if (head.querySelector(".hidden")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.textContent = head.textContent;
    head.textContent = "";
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (body) => body.rows[0].cells[column].dataset.sort;
      const bodies = Array.from(table.tBodies);
      const numbers = bodies.every((b) => value(b) === "" || !Number.isNaN(Number(value(b))));
      bodies.sort((a, b) => {
        const x = value(a), y = value(b);
        if (x === "" || y === "") return (x === "") - (y === ""); // missing values last
        const order = numbers ? Number(x) - Number(y) : x.localeCompare(y);
        return down ? -order : order;
      });
      table.append(...bodies);
    });
  });
  for (const button of all(".more", table)) {
    const row = document.getElementById(button.getAttribute("aria-controls"));
    const set = (open) => { row.hidden = !open; button.setAttribute("aria-expanded", String(open)); };
    set(false);
    button.addEventListener("click", () => set(row.hidden));
  }
  const form = document.querySelector(".filters");
  form.hidden = false;
  const filter = () => {
    const { task, result, text } = Object.fromEntries(new FormData(form));
    let shown = 0;
    for (const body of table.tBodies) {
      const hit = (!task || body.dataset.task === task) && (!result || body.dataset.result === result)
        && (!text || body.textContent.toLowerCase().includes(text.toLowerCase()));
      body.hidden = !hit;
      shown += hit;
    }
    form.querySelector(".shown").value = shown + " of " + table.tBodies.length + " shown";
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}

function openTarget() {
  const body = location.hash.startsWith("#episode-") && document.getElementById(location.hash.slice(1));
  if (!body) return;
  body.hidden = false;
  const button = body.querySelector(".more");
  if (button.getAttribute("aria-expanded") === "false") button.click();
}

all(".film").forEach(setUpFilm);
all("table.episodes").forEach(setUpTable);
openTarget();
window.addEventListener("hashchange", openTarget);
for (const button of all(".copy")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent).then(
      () => { button.textContent = "Copied"; },
      () => { button.textContent = "Select the text to copy it"; },
    );
  });
}
for (const button of all(".together")) {
  button.hidden = false;
  for (const video of all(".film video", button.closest(".scene"))) {
    video.addEventListener("ended", () => { button.textContent = "▶ Play all"; });
  }
  button.addEventListener("click", () => {
    const films = all(".film video", button.closest(".scene"));
    const stop = films.some((v) => !v.paused && !v.ended);
    for (const video of films) {
      const press = video.closest(".film").querySelector(".play");
      if (stop !== (video.paused || video.ended)) { if (!stop) video.currentTime = 0; press.click(); }
    }
    button.textContent = stop ? "▶ Play all" : "❚❚ Pause all";
  });
}
