// The current view of the clips as an address: #g=tiny-diffusion&by=detail&state=close&clip=tiny-diffusion/vase/17
// Every filter, order and clip has an address, which can be sent to others. `links.py` writes the same addresses.
const fields = ["by", "state", "suite", "category", "find", "prompt", "clip", "with", "mode"];
const view = Object.fromEntries(fields.map((name) => [name, ""]));
view.g = []; // labels of the generators that are shown; [] for all

const readAddress = () => {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const name of fields) view[name] = asked.get(name) ?? "";
  view.g = asked.getAll("g");
};
const addressOf = (changes = {}) => {
  const wantedView = { ...view, ...changes }, parts = wantedView.g.map((label) => ["g", label]);
  for (const name of fields) if (wantedView[name]) parts.push([name, wantedView[name]]);
  const plain = (text) => encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%3A", ":");
  return "#" + parts.map(([name, value]) => `${name}=${plain(value)}`).join("&");
};
const isView = () => location.hash.includes("=");
const pageAddress = (fragment) => location.href.split("#")[0] + fragment;

// Write a change of the view into the address without a new entry in the browser's history.
const setView = (changes) => {
  Object.assign(view, changes);
  const fragment = addressOf();
  history.replaceState(null, "", fragment === "#" ? location.pathname + location.search : fragment);
};
