// Pictures of clips. A video element exists only near the screen and while it plays. Otherwise an image shows the first
// frame. So thousands of clips scroll fast, although every video element is a layer that the browser draws in each frame.
let media = null; // parsed when the first clip comes into view
const sourceOf = (clip) => {
  if (clip.source) return clip.source;
  media ??= JSON.parse(one("#media").textContent);
  return media[clip.id] ? "data:video/mp4;base64," + media[clip.id] : "";
};
const clipOf = (figure) => clips[Number(figure.dataset.clip)];
const small = (width, height) => Math.min(width, height) <= 160; // the pixels of such a small clip are shown without smoothing

const videoOf = (clip) => {
  const made = make("video", { "aria-hidden": "true", tabindex: -1 });
  Object.assign(made, { muted: true, playsInline: true, preload: "auto", src: sourceOf(clip) });
  made.addEventListener("loadedmetadata", () => made.parentElement?.classList.toggle("crisp", small(made.videoWidth, made.videoHeight)));
  return made;
};

// The first frame, at most 480 pixels wide: an image, because the browser draws every canvas, as every video, as a layer of its own.
// A clip in a file beside the page can be drawn but not read: it stays a canvas.
const stillOf = (video) => {
  const { videoWidth: width, videoHeight: height } = video, scale = Math.min(1, 480 / width);
  const drawn = make("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
  drawn.getContext("2d", { willReadFrequently: true })?.drawImage(video, 0, 0, drawn.width, drawn.height);
  try {
    return make("img", { alt: "", src: drawn.toDataURL(small(width, height) ? "image/png" : "image/jpeg", 0.9) });
  } catch {
    return drawn;
  }
};
const drawStill = (figure, screen) => {
  const loading = videoOf(clipOf(figure));
  screen.dataset.loading = "1";
  loading.addEventListener("loadeddata", () => {
    delete screen.dataset.loading;
    if (nearby.has(figure) && !one("video,canvas,img", screen)) {
      screen.classList.toggle("crisp", small(loading.videoWidth, loading.videoHeight));
      screen.append(stillOf(loading));
    }
    loading.removeAttribute("src");
    loading.load();
  });
  loading.addEventListener("error", () => { delete screen.dataset.loading; });
};

// Start a few videos per frame, and none while the page scrolls fast, because decoders slow down scrolling.
const nearby = new Set(), wanted = new Set(), fast = 1.2, few = 3; // pixels a millisecond, clips a frame
let ticking = false, lastTop = 0, lastTime = 0;
const settle = (now) => {
  const speed = Math.abs(scrollY - lastTop) / Math.max(1, now - lastTime);
  [lastTop, lastTime] = [scrollY, now];
  let done = 0;
  if (speed < fast) for (const figure of wanted) {
    wanted.delete(figure);
    const screen = one(".screen", figure);
    if (one("video", screen)) continue;
    if (player.playing) player.join(screen.appendChild(videoOf(clipOf(figure))));
    else if (!one("canvas,img", screen) && !screen.dataset.loading) drawStill(figure, screen);
    if (++done >= few) break;
  }
  ticking = wanted.size > 0;
  if (ticking) requestAnimationFrame(settle);
};
const want = (figures) => {
  for (const figure of figures) wanted.add(figure);
  if (wanted.size && !ticking) { ticking = true; requestAnimationFrame(settle); }
};

// Observe groups instead of single clips, because thousands of observed elements cost time in each frame.
const near = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) for (const figure of all(".clip[data-clip]", target)) {
    if (!one("button.screen", figure)) continue;
    if (isIntersecting) nearby.add(figure); else for (const set of [nearby, wanted]) set.delete(figure);
    if (!isIntersecting) all("video,canvas,img", figure).forEach((each) => each.remove());
    else want([figure]);
  }
}, { rootMargin: "200px" });
const forget = (group) => {
  near.unobserve(group);
  for (const figure of all(".clip", group)) for (const set of [nearby, wanted]) set.delete(figure);
};
