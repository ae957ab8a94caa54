// Saves or copies the chart of the first screen. The copy contains the colours of the page as values.
const standalone = (plot) => {
  const copy = plot.cloneNode(true), style = getComputedStyle(root), [, , width, height] = plot.getAttribute("viewBox").split(" ").map(Number);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  Object.entries({ width, height, "font-family": "sans-serif" }).forEach(([name, value]) => copy.setAttribute(name, value));
  const text = new XMLSerializer().serializeToString(copy).replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
  return { text, width, height };
};
const picture = async (plot) => {
  const { text, width, height } = standalone(plot), image = new Image(), canvas = document.createElement("canvas");
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
  await image.decode();
  Object.assign(canvas, { width: 3 * width, height: 3 * height });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
};
const save = (blob, name) => {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
for (const button of all(".hero .tool")) button.addEventListener("click", async () => {
  const plot = one(".wide svg.plot", button.closest("figure")), name = document.title.split(":")[0].replace(/\W+/g, "-").toLowerCase();
  if (button.dataset.download === "svg") return save(new Blob([standalone(plot).text], { type: "image/svg+xml" }), `${name}-cost-quality.svg`);
  if (button.dataset.download === "png") return save(await picture(plot), `${name}-cost-quality.png`);
  const before = button.textContent;
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": picture(plot) })]);
    button.textContent = "Copied";
  } catch { button.textContent = "Not allowed here: download it"; }
  setTimeout(() => { button.textContent = before; }, 2000);
});
