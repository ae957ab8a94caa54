"use strict";
(() => {
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const one = (query, root = document) => root.querySelector(query);
  let facts = null, media = null; // parsed when the first clip is opened, or comes into view
  const root = document.documentElement;

  // Light and dark: the system's choice until the reader makes one.
  one("#theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme:dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  // Videos exist only near the screen and while they play; else a picture of the first frame stands there. So
  // thousands of clips scroll as lightly as text: every video is a layer of its own, which each frame has to place.
  const source = (figure) => {
    if (figure.dataset.src) return figure.dataset.src;
    media ??= JSON.parse(one("#media").textContent);
    const content = media[figure.dataset.clip];
    return content ? "data:video/mp4;base64," + content : "";
  };
  const video = (figure) => {
    const made = document.createElement("video");
    Object.assign(made, { muted: true, playsInline: true, preload: "auto", src: source(figure) });
    made.setAttribute("aria-hidden", "true");
    made.tabIndex = -1;
    made.addEventListener("loadedmetadata", () => {
      if (Math.min(made.videoWidth, made.videoHeight) <= 160) made.parentElement?.classList.add("crisp");
      made.playbackRate = speed;
      if (playing) join(made);
    });
    return made;
  };
  const still = (figure, screen) => {
    const loading = video(figure);
    screen.dataset.loading = "1";
    loading.addEventListener("loadeddata", () => {
      delete screen.dataset.loading;
      if (!nearby.has(figure) || one("video,canvas", screen)) return;
      const picture = document.createElement("canvas");
      Object.assign(picture, { width: loading.videoWidth, height: loading.videoHeight });
      picture.getContext("2d", { willReadFrequently: true })?.drawImage(loading, 0, 0); // in main memory: no layer
      if (Math.min(picture.width, picture.height) <= 160) screen.classList.add("crisp");
      screen.append(picture);
      loading.removeAttribute("src");
      loading.load();
    });
    loading.addEventListener("error", () => delete screen.dataset.loading);
  };
  // A few a frame, and none while the page flies by: decoders would take the time that scrolling needs.
  const nearby = new Set(), wanted = new Set(), fast = 1.2, few = 3; // pixels a millisecond, clips a frame
  let ticking = false, lastTop = scrollY, lastTime = 0;
  const settle = (now) => {
    const speed = Math.abs(scrollY - lastTop) / Math.max(1, now - lastTime);
    [lastTop, lastTime] = [scrollY, now];
    let made = 0;
    if (speed < fast) for (const figure of wanted) {
      wanted.delete(figure);
      const screen = one(".screen", figure);
      if (one("video", screen) || !source(figure)) continue;
      if (playing) screen.append(video(figure));
      else if (!one("canvas", screen) && !screen.dataset.loading) still(figure, screen);
      if (++made >= few) break;
    }
    if (wanted.size) requestAnimationFrame(settle); else ticking = false;
  };
  const want = () => { if (wanted.size && !ticking) { ticking = true; requestAnimationFrame(settle); } };
  const near = new IntersectionObserver((changes) => { // whole prompts are watched: thousands of clips would cost each frame
    for (const { target, isIntersecting } of changes) for (const figure of target.matches(".clip") ? [target] : all(".clip", target)) {
      if (!one("button.screen", figure)) continue;
      for (const set of [nearby, wanted]) isIntersecting ? set.add(figure) : set.delete(figure);
      if (!isIntersecting) all("video,canvas", figure).forEach((each) => each.remove());
    }
    want();
  }, { rootMargin: "200px" });
  for (const place of all(".prompt")) near.observe(place);
  // The best and the worst clips are always there: they are printed too.
  for (const figure of all(".duo .clip")) if (one("button.screen", figure)) { nearby.add(figure); wanted.add(figure); }
  want();

  // Playing in step: all start together, and again together when the longest has ended.
  let playing = false, speed = 1, timer = 0, begun = 0;
  const shown = () => all(".clip video, #large video");
  const join = (each) => { // one that comes into view takes the place in time that the others have
    each.currentTime = Math.min(each.duration || 0, ((performance.now() - begun) / 1000) * speed);
    each.play().catch(() => {});
  };
  const restart = () => {
    clearTimeout(timer);
    if (!playing) return;
    begun = performance.now();
    const videos = shown();
    for (const each of videos) { each.currentTime = 0; each.playbackRate = speed; each.play().catch(() => {}); }
    const longest = Math.max(1, ...videos.map((each) => each.duration || 0));
    timer = setTimeout(restart, (longest / speed) * 1000 + 450);
  };
  const play = (on) => {
    playing = on;
    const button = one("#play");
    button.setAttribute("aria-pressed", String(on));
    one(".label", button).textContent = on ? "Pause" : "Play all in step";
    if (on) { for (const figure of nearby) wanted.add(figure); want(); restart(); } else { clearTimeout(timer); shown().forEach((each) => each.pause()); }
  };
  one("#play").addEventListener("click", () => play(!playing));
  one("#speed").addEventListener("change", (event) => { speed = Number(event.target.value); restart(); });

  // The chart of the first screen as a file or on the clipboard: colours of the page are written into the copy.
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

  // Filters and order.
  const prompts = all(".prompt"), value = (query) => one(query)?.value ?? "";
  const fits = (figure, state) => {
    if (!state) return true;
    if (state.startsWith("because:")) return figure.dataset.because.split(" ").includes(state.slice(8));
    if (state === "unusable") return figure.dataset.state !== "usable";
    return figure.dataset.state === state;
  };
  const filter = () => {
    const state = value("#state"), category = value("#category"), suite = value("#suite"), words = value("#find").toLowerCase().split(/\s+/).filter(Boolean);
    const boxes = all("input[name=entry]"), entries = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let clips = 0, rows = 0;
    for (const prompt of prompts) {
      const text = one(".prompt-text", prompt).textContent.toLowerCase();
      let here = 0;
      const asked = (!category || prompt.dataset.category === category) && (!suite || prompt.dataset.suite === suite) && words.every((word) => text.includes(word));
      for (const lane of all(".lane", prompt)) {
        let inLane = 0;
        for (const figure of all(".clip", lane)) {
          const show = asked && (!boxes.length || entries.has(lane.dataset.entry)) && fits(figure, state);
          if (figure.hidden === show) figure.hidden = !show;
          inLane += show;
        }
        if (lane.hidden !== !inLane) lane.hidden = !inLane;
        here += inLane;
      }
      if (prompt.hidden !== !here) prompt.hidden = !here;
      clips += here;
      rows += here > 0;
    }
    one("#count").textContent = `${clips} clip${clips === 1 ? "" : "s"} of ${rows} prompt${rows === 1 ? "" : "s"}`;
    one("#nothing").hidden = clips > 0;
    if (playing) restart();
  };
  const sort = () => {
    const by = { worst: "worst", suite: "place", apart: "apart" }[value("#order")];
    const list = one("#prompts");
    list.append(...[...prompts].sort((a, b) => a.dataset[by] - b.dataset[by]));
  };
  for (const id of ["#state", "#category", "#suite"]) one(id)?.addEventListener("change", filter);
  all("input[name=entry]").forEach((box) => box.addEventListener("change", filter));
  one("#find").addEventListener("input", filter);
  one("#order").addEventListener("change", sort);
  filter(); // they come worst first

  // One clip, large, with its scores.
  const large = one("#large");
  let opened = null;
  const visible = () => all("#prompts .clip:not([hidden])").filter((each) => one("button.screen", each) && !each.closest("[hidden]"));
  const walk = (by) => {
    const list = visible(), at = list.findIndex((each) => each.dataset.link === opened?.dataset.link);
    const next = list[at + by];
    if (next) open(next);
  };
  const follow = () => { // an address that names a clip opens it
    if (!location.hash.startsWith("#clip=")) return;
    const found = all("#prompts .clip").find((each) => each.dataset.link === location.hash.slice(6));
    if (found && one("button.screen", found)) { found.closest(".prompt").scrollIntoView({ block: "start" }); open(found); }
  };
  const open = (figure) => {
    facts ??= JSON.parse(one("#data").textContent);
    const clip = facts.clips[figure.dataset.clip];
    const screen = one(".large-screen", large), body = one("tbody", large);
    screen.replaceChildren(video(figure));
    one(".large-who", large).textContent = clip.who;
    one("h2", large).textContent = clip.prompt;
    one(".large-says", large).textContent = clip.says;
    body.replaceChildren(...clip.scores.map(([name, score, needs, short]) => {
      const row = document.createElement("tr");
      [name, score, needs].forEach((text, nth) => {
        const cell = document.createElement(nth ? "td" : "th");
        cell.textContent = text;
        if (nth === 1 && short) cell.className = "short";
        row.append(cell);
      });
      return row;
    }));
    one(".large-facts", large).textContent = clip.facts;
    opened = figure;
    history.replaceState(null, "", "#clip=" + figure.dataset.link);
    if (!large.open) large.showModal();
    if (!playing) one("video", large).play().catch(() => {});
  };
  document.addEventListener("click", (event) => {
    const figure = event.target.closest("button.screen")?.closest(".clip");
    if (figure) open(figure);
    if (event.target === large) large.close();
  });
  large.addEventListener("close", () => {
    one(".large-screen", large).replaceChildren();
    history.replaceState(null, "", location.pathname + location.search);
  });
  for (const button of all("[data-step]", large)) button.addEventListener("click", () => walk(Number(button.dataset.step)));
  one("button[data-link]", large).addEventListener("click", async (event) => {
    const button = event.currentTarget, before = "Copy link";
    try { await navigator.clipboard.writeText(location.href); button.textContent = "Copied"; } catch { button.textContent = location.hash; }
    setTimeout(() => { button.textContent = before; }, 2000);
  });
  large.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") walk(-1);
    if (event.key === "ArrowRight") walk(1);
  });
  addEventListener("hashchange", follow);
  follow();

  // Keys.
  const step = (by) => {
    const visible = all(".prompt:not([hidden])");
    const at = visible.indexOf(document.activeElement?.closest(".prompt"));
    const next = visible[Math.max(0, Math.min(visible.length - 1, at + by))];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "start" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input,select,summary,a,dialog,.define")) return;
    if (event.key === " " && !event.target.closest("button")) { event.preventDefault(); play(!playing); }
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });
})();
