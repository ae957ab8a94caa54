// The list of clips: by prompt with all generators side by side, or single clips, best first.
const bucket = narrow ? 8 : 24; // number of groups added near the end of the list
let shownClips = [], groups = [], added = 0;

const fits = (clip) => {
  const prompt = prompts[clip.p], words = view.find.toLowerCase().split(/\s+/).filter(Boolean);
  if (view.g.length && !view.g.includes(byNumber.get(clip.g).label)) return false;
  if (view.prompt && prompt.id !== view.prompt) return false;
  if (view.category && prompt.category !== view.category) return false;
  if (view.suite && scenes[prompt.scene].suite !== view.suite) return false;
  if (!words.every((word) => prompt.text.toLowerCase().includes(word))) return false;
  if (!view.state) return true;
  if (view.state.startsWith("because:")) return clip.kinds.includes(view.state.slice(8));
  if (view.state === "unusable") return !["usable", "unjudged", "missing"].includes(clip.state);
  return clip.state === view.state;
};

const flat = () => !["", "suite", "apart"].includes(view.by);
const goodness = (clip) => { // sort key of the flat list: higher is better, null is last
  if (view.by === "rank") return clip.rank < 0 ? null : clip.rank;
  if (view.by === "cost") return clip.cost === null ? null : -clip.cost;
  const metric = metricsOf(clip).find((each) => each.name === view.by), score = scoreOf(clip, view.by);
  return score === null ? null : (metric.better || 1) * score;
};
const bestFirst = (list) => {
  const keyed = list.map((clip) => [goodness(clip), clip]);
  keyed.sort(([a, one], [b, other]) => (a === null) - (b === null) || b - a || other.rank - one.rank);
  return keyed.map(([, clip]) => clip);
};
const byPrompt = (list) => {
  const rows = new Map();
  for (const clip of list) rows.set(clip.p, [...(rows.get(clip.p) ?? []), clip]);
  const key = view.by === "suite" ? (p) => p : view.by === "apart" ? (p) => prompts[p].apart : (p) => prompts[p].worst;
  return [...rows].sort(([a], [b]) => key(a) - key(b) || a - b);
};

const mark = (clip) => {
  const { colour, label, shape } = byNumber.get(clip.g);
  const drawn = drawing(shape, { class: `mark c-${colour}`, viewBox: "-6 -6 12 12", "aria-hidden": "true" });
  return make("span", { class: "who" }, drawn, make("bdi", { class: `c-${colour}` }, label));
};
const noteOf = (clip) => {
  if (!flat() || view.by === "rank") return "";
  return view.by === "cost" ? (clip.cost === null ? "cost not known" : "$" + figures.format(clip.cost)) : written(scoreOf(clip, view.by));
};
const card = (clip, withName) => {
  const judged = clip.state !== "unjudged", good = clip.state === "usable", note = noteOf(clip);
  const says = `${byNumber.get(clip.g).label}, clip ${clip.k} of: ${prompts[clip.p].text}. ${clip.says}. Open it large.`;
  const screen = clip.made
    ? make("button", { type: "button", class: "screen", "aria-label": says })
    : make("div", { class: "screen none" }, make("span", {}, "no clip"));
  const state = make("span", { class: "state" }, ...(judged ? [make("span", { "aria-hidden": "true" }, good ? "✓ " : "✕ ")] : []), good ? "usable" : clip.brief);
  const caption = make("figcaption", {}, ...(withName ? [mark(clip), make("span", { class: "of-prompt", dir: "auto" }, prompts[clip.p].text)] : []), ...(note ? [make("span", { class: "score" }, note)] : []), state);
  return make("figure", { class: good || !judged ? "clip" : "clip spoilt", "data-clip": clip.nth }, screen, caption);
};

const promptGroup = ([p, list]) => {
  const prompt = prompts[p], lanes = new Map();
  for (const clip of list) lanes.set(clip.g, [...(lanes.get(clip.g) ?? []), clip]);
  const meta = [scenes.length > 1 ? scenes[prompt.scene].suite : "", prompt.category, prompt.id].filter(Boolean).join(" · ");
  const image = prompt.image ? [make("img", { class: "start", src: prompt.image, alt: "The image that the clips start from" })] : [];
  const title = make("h3", {}, ...image, make("span", { class: "prompt-text", dir: "auto" }, prompt.text), make("bdi", { class: "prompt-meta" }, meta));
  const drawn = [...lanes.values()].map((lane) => make("div", { class: "lane" }, make("p", { class: "lane-head" }, mark(lane[0])), make("div", { class: "takes" }, ...lane.map((clip) => card(clip, false)))));
  return make("article", { class: "prompt", tabindex: -1, "aria-label": prompt.text }, title, make("div", { class: "lanes" }, ...drawn));
};
const flatGroup = (list) => make("div", { class: "shelf" }, ...list.map((clip) => card(clip, true)));

const addGroups = (count) => {
  const place = one("#prompts"), build = flat() ? flatGroup : promptGroup;
  for (const group of groups.slice(added, added + count)) near.observe(place.appendChild(build(group)));
  added = Math.min(groups.length, added + count);
};
const ending = new IntersectionObserver((changes) => {
  if (!changes.some((each) => each.isIntersecting) || added >= groups.length) return;
  addGroups(bucket);
  ending.unobserve(one("#more")); // observed again, it reports again if the end of the list is still on the screen
  ending.observe(one("#more"));
}, { rootMargin: "1200px" });

const showClips = () => {
  const place = one("#prompts"), kept = clips.filter(fits);
  for (const group of place.children) forget(group);
  if (flat()) {
    shownClips = bestFirst(kept);
    groups = Array.from({ length: Math.ceil(kept.length / 12) }, (_, nth) => shownClips.slice(12 * nth, 12 * nth + 12));
  } else {
    groups = byPrompt(kept);
    shownClips = groups.flatMap(([, list]) => list);
  }
  const perRow = Math.max(0, ...groups.slice(0, 50).map((group) => (flat() ? 0 : group[1].length)));
  place.replaceChildren();
  place.className = flat() ? "shelves" : perRow <= 4 ? "paired" : "";
  added = 0;
  addGroups(bucket);
  const rows = new Set(kept.map((clip) => clip.p)).size, several = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
  one("#count").textContent = `${several(kept.length, "clip")} of ${several(rows, "prompt")}`;
  one("#nothing").hidden = kept.length > 0;
  one("#one-prompt").hidden = !view.prompt;
  one("#one-prompt").textContent = view.prompt ? `Only the prompt ${view.prompt} is shown.` : "";
  player.restart();
};

// The controls show and change the current view.
const showControls = () => {
  for (const control of all("[data-view]")) {
    control.value = view[control.dataset.view];
    if (control.value !== view[control.dataset.view]) control.value = ""; // the address is of another report
  }
  for (const box of all("input[name=entry]")) box.checked = !view.g.length || view.g.includes(box.value);
};
for (const control of all("[data-view]")) control.addEventListener(control.type === "search" ? "input" : "change", () => {
  setView({ [control.dataset.view]: control.value });
  showClips();
});
for (const box of all("input[name=entry]")) box.addEventListener("change", () => {
  const boxes = all("input[name=entry]"), on = boxes.filter((each) => each.checked).map((each) => each.value);
  setView({ g: on.length === boxes.length ? [] : on.length ? on : ["-"] });
  showClips();
});
one("#reset").addEventListener("click", () => {
  setView({ ...Object.fromEntries(fields.map((name) => [name, ""])), g: [] });
  showControls();
  showClips();
});
one("#copy-view").addEventListener("click", (event) => copy(pageAddress(addressOf({ clip: "", with: "", mode: "" })), event.currentTarget));
