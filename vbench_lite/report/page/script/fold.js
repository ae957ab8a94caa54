// On a phone, figures and method are collapsed to headings. A tap on a heading, or a link to it, opens the section.
const narrow = matchMedia("(max-width:46rem)").matches;
const unfold = (section, open = true) => {
  section.classList.toggle("folded", !open);
  one(".fold", section).setAttribute("aria-expanded", String(open));
};
const foldable = narrow ? all("main > section").filter((section) => !/(answers|numbers|extremes|clips)$/.test(section.id)) : [];
for (const section of foldable) {
  const head = one("h2", section);
  head.replaceChildren(make("button", { type: "button", class: "fold" }, ...head.childNodes));
  one(".fold", head).addEventListener("click", () => unfold(section, section.classList.contains("folded")));
  unfold(section, false);
}
const unfoldTarget = () => {
  const section = document.getElementById(decodeURIComponent(location.hash.slice(1)))?.closest("section.folded");
  if (section) { unfold(section); section.scrollIntoView({ behavior: "instant" }); }
};
unfoldTarget();
addEventListener("hashchange", unfoldTarget);
