// Functions that all other files use: find and create elements, read the data of the clips, copy to the clipboard.
const all = (query, root = document) => [...root.querySelectorAll(query)];
const one = (query, root = document) => root.querySelector(query);
const root = document.documentElement;

const make = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children); // texts become text nodes: nothing in them is markup
  return made;
};

const drawing = (path, attributes) => { // one path as a small picture
  const [picture, outline] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  for (const [name, value] of Object.entries(attributes)) picture.setAttribute(name, value);
  outline.setAttribute("d", path);
  picture.append(outline);
  return picture;
};

const data = JSON.parse(one("#data").textContent);
const { generators, scenes, prompts, clips } = data;
clips.forEach((clip, nth) => { clip.nth = nth; });
const byNumber = new Map(generators.map((each) => [each.number, each]));
const byLink = new Map(clips.map((clip) => [clip.link, clip]));
const metricsOf = (clip) => scenes[prompts[clip.p].scene].metrics;
const scoreOf = (clip, name) => clip.scores[metricsOf(clip).findIndex((metric) => metric.name === name)] ?? null;

const figures = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const written = (value) => (value === null ? "not scored" : figures.format(value).replace("-", "−"));

const copy = async (text, button) => {
  const before = (button.dataset.says ??= button.textContent);
  try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; } catch { button.textContent = "Not allowed here"; }
  setTimeout(() => { button.textContent = before; }, 2000);
};
