// Facts and scores of the clips in the viewer, and the command that generates them again.
const aboutRow = (name, texts, classes = []) => {
  const cells = texts.filter((text) => text !== undefined).map((text, nth) => make("td", classes[nth] ? { class: classes[nth] } : {}, text));
  return make("tr", {}, make("th", { scope: "row" }, name), ...cells);
};
const aboutClips = () => ["a", "b"].map((name) => opened[name]).filter(Boolean);

const factRows = (shown) => {
  const names = [...new Set(shown.flatMap((clip) => clip.facts.map(([name]) => name)))];
  const value = (clip, name) => clip.facts.find(([each]) => each === name)?.[1] ?? "–";
  return names.map((name) => aboutRow(name, shown.map((clip) => value(clip, name))));
};
const scoreRows = (shown) => metricsOf(shown[0]).map((metric) => {
  const needs = metric.needs ? make("span", { class: "unit" }, ` needs ${metric.needs}`) : "";
  const name = make("span", {}, metric.title, needs), short = shown.map((clip) => (clip.kinds.includes(metric.name) ? "short" : ""));
  return aboutRow(name, shown.map((clip) => written(scoreOf(clip, metric.name))), short);
});

// The image of a prompt. A generator that accepts only texts did not receive it.
const imageRow = (shown) => {
  const imageOf = (clip) => {
    const source = prompts[clip.p].image;
    if (!source) return "none";
    const drawn = make("img", { class: "given", src: source, alt: `The image of the prompt ${prompts[clip.p].id}` });
    drawn.addEventListener("load", () => drawn.classList.toggle("crisp", small(drawn.naturalWidth, drawn.naturalHeight)));
    return clip.image ? drawn : make("span", {}, drawn, make("span", { class: "unit" }, "not given to this generator"));
  };
  return shown.some((clip) => prompts[clip.p].image) ? [aboutRow("Starts from", shown.map(imageOf))] : [];
};

const showAbout = () => {
  const shown = aboutClips(), table = one(".about-clips", viewer), prompt = prompts[opened.a.p];
  one("#viewer-title").textContent = prompt.text;
  for (const name of ["a", "b"]) {
    const head = one(`th[data-pane=${name}]`, table), clip = opened[name];
    head.hidden = !clip;
    head.replaceChildren(...(clip ? [mark(clip), `, clip ${clip.k}`] : []));
  }
  one("tbody", table).replaceChildren(aboutRow("Verdict", shown.map((clip) => clip.says)), ...imageRow(shown), ...scoreRows(shown), ...factRows(shown));
  const command = prompt.again[opened.a.g], place = one(".again", viewer);
  place.hidden = !command;
  one("code", place).textContent = command ?? "";
  const at = shownClips.indexOf(opened.a);
  for (const button of all("[data-walk]", viewer)) button.disabled = at < 0 || !shownClips[at + Number(button.dataset.walk)];
  showChoice();
};
one("[data-command]", viewer).addEventListener("click", (event) => copy(one(".again code", viewer).textContent, event.currentTarget));
one("[data-link]", viewer).addEventListener("click", (event) => copy(pageAddress(addressOf()), event.currentTarget));

// Any clip of the page can be the second clip.
const choice = { g: one(".other-generator", viewer), p: one(".other-prompt", viewer), k: one(".other-clip", viewer) };
const options = (select, values, chosen) => {
  select.replaceChildren(...values.map(([value, text]) => make("option", { value, selected: String(value) === String(chosen) }, text)));
};
const showChoice = () => {
  const other = opened.b, of = (test) => clips.filter((clip) => test(clip));
  one(".choose", viewer).hidden = !other;
  if (!other) return;
  options(choice.g, generators.map((each) => [each.number, each.label]), other.g);
  const asked = [...new Set(of((clip) => clip.g === other.g).map((clip) => clip.p))];
  options(choice.p, asked.map((p) => [p, `${prompts[p].id}: ${prompts[p].text}`.slice(0, 80)]), other.p);
  options(choice.k, of((clip) => clip.g === other.g && clip.p === other.p).map((clip) => [clip.k, `clip ${clip.k}`]), other.k);
};
for (const select of Object.values(choice)) select.addEventListener("change", () => {
  const [g, p, k] = [choice.g, choice.p, choice.k].map((each) => Number(each.value));
  const ofGenerator = clips.filter((clip) => clip.g === g), ofPrompt = ofGenerator.filter((clip) => clip.p === p);
  const found = ofPrompt.find((clip) => clip.k === k) ?? ofPrompt[0] ?? ofGenerator[0];
  if (found) show(opened.a, found, view.mode);
});
