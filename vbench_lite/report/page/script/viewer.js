// Shows one clip, or two clips in sync: side by side, or one over the other with a wipe.
const viewer = one("#viewer"), stage = one(".stage", viewer), scrub = one(".scrub", viewer), rate = one(".rate", viewer), zoom = one(".zoom", viewer);
const opened = { a: null, b: null }; // clips
const moved = { x: 0, y: 0 }; // of the zoomed picture, in parts of its size
let looping = true, wantsPlay = true;

const paneOf = (name) => one(`.pane[data-pane=${name}]`, stage);
const videoIn = (name) => one("video", paneOf(name));
const videosOpen = () => ["a", "b"].map(videoIn).filter(Boolean);
const longest = () => videosOpen().reduce((most, each) => ((each.duration || 0) > (most?.duration || 0) ? each : most), null);
const frameTime = () => 1 / Math.max(...["a", "b"].map((name) => (opened[name] && opened[name].fps) || 0), 1);

// The clip to compare with: another generator's clip of the same prompt and number, else another clip of the prompt.
const partnerOf = (clip) => {
  const others = clips.filter((each) => each !== clip && each.p === clip.p && each.made);
  return others.find((each) => each.k === clip.k && each.g !== clip.g) ?? others[0] ?? shownClips.find((each) => each.made && each !== clip) ?? null;
};

const showFrame = () => { // time and place of the slider
  const lead = longest();
  if (!lead) return;
  scrub.value = String(Math.round((1000 * lead.currentTime) / (lead.duration || 1)));
  const nth = Math.floor(lead.currentTime / frameTime() + 0.01);
  one(".time", viewer).textContent = `${lead.currentTime.toFixed(2)} s, frame ${nth + 1}`;
};
const seek = (time) => {
  for (const each of videosOpen()) each.currentTime = Math.max(0, Math.min(time, (each.duration || 0) - 0.001));
  showFrame();
};
const setPlaying = (on) => {
  wantsPlay = on;
  const button = one("[data-do=play]", viewer);
  button.setAttribute("aria-pressed", String(on));
  button.firstElementChild.textContent = on ? "❚❚" : "▶";
  for (const each of videosOpen()) {
    each.playbackRate = Number(rate.value);
    if (on) each.play().catch(() => {}); else each.pause();
  }
  if (on && longest()?.ended) seek(0);
};
const stepFrames = (count) => {
  setPlaying(false);
  const lead = longest(), unit = frameTime();
  if (lead) seek((Math.round(lead.currentTime / unit - 0.25) + count) * unit + unit / 4); // within the frame, not on its edge
};

// While the viewer is open, the second clip follows the first, and both start again together.
const keepInStep = () => {
  if (!viewer.open) return;
  const lead = longest();
  if (lead && wantsPlay) {
    for (const each of videosOpen()) if (each !== lead && !each.ended && Math.abs(each.currentTime - lead.currentTime) > 0.06) each.currentTime = Math.min(lead.currentTime, each.duration || 0);
    if (lead.ended) { if (looping) { seek(0); setPlaying(true); } else setPlaying(false); }
    showFrame();
  }
  requestAnimationFrame(keepInStep);
};

const showZoom = () => {
  const times = Number(zoom.value), most = (times - 1) / (2 * times);
  for (const axis of ["x", "y"]) moved[axis] = Math.max(-most, Math.min(most, moved[axis]));
  stage.classList.toggle("zoomed", times > 1);
  for (const frame of all(".frame", stage)) frame.style.transform = `scale(${times}) translate(${100 * moved.x}%, ${100 * moved.y}%)`;
};
const showWipe = () => {
  const handle = one("input.wipe", stage), wiping = view.mode === "wipe" && opened.b;
  handle.hidden = !wiping;
  stage.style.setProperty("--wipe", `${handle.value}%`);
};
const setMode = (mode) => {
  const both = mode !== "";
  if (both && !opened.b) opened.b = byLink.get(view.with) ?? partnerOf(opened.a);
  if (!both) opened.b = null;
  show(opened.a, both ? opened.b : null, both && opened.b ? mode : "");
};

// Put clips into the panes. A video that is already in its pane continues.
const fill = (name, clip) => {
  const pane = paneOf(name), frame = one(".frame", pane);
  pane.hidden = !clip;
  if (frame.dataset.link === (clip?.link ?? "")) return;
  frame.dataset.link = clip?.link ?? "";
  const video = clip?.made ? videoOf(clip) : null;
  video?.addEventListener("loadeddata", () => { const lead = longest(); if (!lead) return; if (lead !== video) video.currentTime = lead.currentTime; setPlaying(wantsPlay); showFrame(); });
  frame.replaceChildren(...(video ? [video] : clip ? [make("p", { class: "none" }, `No clip. ${clip.says}`)] : []));
};
const show = (a, b, mode) => {
  Object.assign(opened, { a, b });
  stage.dataset.mode = viewer.dataset.mode = mode;
  fill("a", a);
  fill("b", b);
  for (const button of all("[data-mode].tool", viewer)) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  setView({ clip: a.link, with: b?.link ?? "", mode });
  showAbout();
  showWipe();
  showZoom();
  if (!viewer.open) { viewer.showModal(); requestAnimationFrame(keepInStep); }
};
const openClip = (clip) => { wantsPlay = true; show(clip, null, ""); };
const walk = (by) => {
  const next = shownClips[shownClips.indexOf(opened.a) + by];
  if (next) show(next, opened.b && partnerOf(next), opened.b ? view.mode : "");
};
const exchange = () => { if (opened.b) { const { a, b } = opened; for (const name of ["a", "b"]) fill(name, null); show(b, a, view.mode); } };

document.addEventListener("click", (event) => {
  const figure = event.target.closest("button.screen")?.closest(".clip[data-clip]");
  if (figure) openClip(clipOf(figure));
  if (event.target === viewer) viewer.close();
});
viewer.addEventListener("close", () => {
  for (const name of ["a", "b"]) fill(name, null);
  Object.assign(opened, { a: null, b: null });
  setView({ clip: "", with: "", mode: "" });
});
for (const button of all("[data-walk]", viewer)) button.addEventListener("click", () => walk(Number(button.dataset.walk)));
for (const button of all("[data-mode].tool", viewer)) button.addEventListener("click", () => setMode(button.dataset.mode));
const doing = {
  play: () => setPlaying(!wantsPlay),
  back: () => stepFrames(-1),
  forward: () => stepFrames(1),
  loop: () => { looping = !looping; one("[data-do=loop]", viewer).setAttribute("aria-pressed", String(looping)); },
};
for (const button of all("[data-do]", viewer)) button.addEventListener("click", () => doing[button.dataset.do]());
scrub.addEventListener("input", () => { setPlaying(false); seek((Number(scrub.value) / 1000) * (longest()?.duration || 0)); });
rate.addEventListener("change", () => setPlaying(wantsPlay));
zoom.addEventListener("change", showZoom);
one("input.wipe", stage).addEventListener("input", showWipe);
stage.addEventListener("pointermove", (event) => { // dragging moves the zoomed picture
  if (!event.buttons || Number(zoom.value) === 1 || event.target.matches("input")) return;
  const { width, height } = paneOf("a").getBoundingClientRect();
  moved.x += event.movementX / width / Number(zoom.value);
  moved.y += event.movementY / height / Number(zoom.value);
  showZoom();
});
