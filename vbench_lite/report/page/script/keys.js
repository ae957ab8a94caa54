// Keyboard shortcuts of the page and of the viewer. `?` lists them.
const keysDialog = one("#keys");
for (const button of all("[data-keys]")) button.addEventListener("click", () => keysDialog.showModal());

const walkPrompts = (by) => {
  const shown = all("#prompts > *"), at = shown.indexOf(document.activeElement?.closest("#prompts > *"));
  if (at + by >= shown.length - 1) addGroups(bucket);
  const next = all("#prompts > *")[Math.max(0, at + by)];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "start" });
};
const step = (select, by) => {
  const at = Math.max(0, Math.min(select.options.length - 1, select.selectedIndex + by));
  if (at !== select.selectedIndex) { select.selectedIndex = at; select.dispatchEvent(new Event("change")); }
};
const onPage = { " ": () => player.play(!player.playing), j: () => walkPrompts(1), k: () => walkPrompts(-1) };
const inViewer = {
  " ": () => doing.play(), ArrowLeft: () => walk(-1), ArrowRight: () => walk(1), ",": () => doing.back(), ".": () => doing.forward(),
  l: () => doing.loop(), "<": () => step(rate, -1), ">": () => step(rate, 1), "+": () => step(zoom, 1), "=": () => step(zoom, 1),
  "-": () => step(zoom, -1), o: () => setMode(""), s: () => setMode("side"), w: () => setMode("wipe"), x: exchange,
  c: () => one("[data-link]", viewer).click(),
};
for (let tenth = 0; tenth < 10; tenth++) inViewer[tenth] = () => { setPlaying(false); seek((tenth / 10) * (longest()?.duration || 0)); };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keysDialog.open) return;
  const typing = event.target.closest("input:not([type=range]):not([type=checkbox]),select");
  const pressing = event.target.closest("button,summary,a,input") && [" ", "Enter"].includes(event.key);
  const sliding = event.target.matches("input[type=range]") && event.key.startsWith("Arrow");
  if (typing || pressing || sliding) return;
  if (event.key === "?") { keysDialog.showModal(); return; }
  const action = (viewer.open ? inViewer : onPage)[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (action) { event.preventDefault(); action(); }
});

// A dot of a distribution chart is one clip. Its index in the drawing is its index in the list of scored clips.
document.addEventListener("click", (event) => {
  const dot = event.target.closest("use"), cloud = dot?.closest("[id*='clips-of-']");
  if (!cloud) return;
  const [, scene, number, metric, stride] = cloud.id.match(/clips-of-(\d+)-(\d+)-([\w-]+?)-each-(\d+)/) ?? [];
  const scored = clips.filter((clip) => clip.g === Number(number) && prompts[clip.p].scene === Number(scene) && scoreOf(clip, metric) !== null);
  const clip = scored[all("use", cloud).indexOf(dot) * Number(stride)];
  if (clip) { setView({ g: [byNumber.get(clip.g).label], by: metric }); follow(); openClip(clip); }
});

// If the address names clips, show them.
const follow = () => {
  showControls();
  showClips();
  const first = byLink.get(view.clip);
  if (first) { wantsPlay = true; show(first, byLink.get(view.with) ?? null, byLink.has(view.with) ? view.mode || "side" : ""); }
  else if (viewer.open) viewer.close();
};
const toClips = () => one("#clips").scrollIntoView({ block: "start", behavior: "instant" });
const start = () => {
  readAddress();
  follow();
  ending.observe(one("#more"));
  if (isView() && !view.clip) toClips();
  addEventListener("hashchange", () => {
    if (!isView()) return; // the address of a section
    readAddress();
    follow();
    if (!view.clip) toClips();
  });
};
