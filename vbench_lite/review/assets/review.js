// A review session: shows questions, plays their clips in sync, and sends the answers to the server. A page without a
// server stores them in the browser.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const facts = JSON.parse($("facts").textContent);
  const asked = Object.keys(facts.questions);
  const KEYS = { ArrowLeft: "left", ArrowDown: "same", ArrowRight: "right", ArrowUp: "neither" };
  const SPEEDS = [1, 0.5, 0.25];

  // ---- source of questions and storage of votes

  function served() {
    return async (action, body) => {
      let answer;
      try {
        answer = await fetch(`api/${action}`, {
          method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
        });
      } catch {
        throw new Error("The server does not answer, so nothing was stored. Start it again and try once more.");
      }
      const found = await answer.json().catch(() => ({ error: "The server gave no readable answer." }));
      if (!answer.ok) throw new Error(found.error);
      return found;
    };
  }

  function offline(data) {
    const urls = new Map();
    const address = (clip) => {
      if (!urls.has(clip)) {
        const bytes = Uint8Array.from(atob(data.clips[clip]), (sign) => sign.charCodeAt(0));
        urls.set(clip, URL.createObjectURL(new Blob([bytes], { type: "video/mp4" })));
      }
      return urls.get(clip);
    };
    const place = (rater) => `vbench-review-${data.id}-${rater}`;
    const stored = (rater) => JSON.parse(localStorage.getItem(place(rater)) || "[]");
    const keep = (rater, votes) => localStorage.setItem(place(rater), JSON.stringify(votes));
    const state = (rater, first) => {
      const votes = stored(rater);
      const done = new Set(votes.map((vote) => vote.id));
      const order = shuffled(data.questions, rater);
      const question = order.find((q) => q.id === first) || order.find((q) => !done.has(q.id));
      const times = votes.map((vote) => vote.seconds).sort((a, b) => a - b);
      return {
        rater, done: done.size, total: order.length, undo: votes.length > 0,
        seconds: times.length ? times[times.length >> 1] : null,
        question: question && { ...question, clips: question.clips.map(address) },
      };
    };
    const act = async (action, body) => {
      const rater = body.rater.trim().toLowerCase().replaceAll(" ", "-");
      const votes = stored(rater);
      if (action === "vote") {
        keep(rater, [...votes.filter((vote) => vote.id !== body.id), { ...body, rater, at: new Date().toISOString() }]);
      }
      const last = action === "undo" ? votes.pop() : undefined;
      if (last) keep(rater, votes);
      return state(rater, last && last.id);
    };
    act.file = (rater) => ({ format: 1, export: data.id, rater, votes: stored(rater) });
    return act;
  }

  // The order of a rater's questions in a page without a server: the same after every reload.
  function shuffled(questions, rater) {
    let seed = 2166136261;
    for (const sign of rater) seed = Math.imul(seed ^ sign.codePointAt(0), 16777619);
    const random = () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
    const early = questions.filter((q) => !q.late);
    for (let n = early.length - 1; n > 0; n--) {
      const other = Math.floor(random() * (n + 1));
      [early[n], early[other]] = [early[other], early[n]];
    }
    return [...early, ...questions.filter((q) => q.late)];
  }

  const act = $("data") ? offline(JSON.parse($("data").textContent)) : served();

  // ---- players

  const videos = [...document.querySelectorAll("#players video")];
  let step = 1 / 8, speed = 0, paused = false, ended = new Set(), played = false;

  function load(question) {
    step = question.step;
    played = false;
    paused = false;
    ended = new Set();
    videos.forEach((video, n) => {
      video.src = question.clips[n];
      video.playbackRate = SPEEDS[speed];
      video.defaultPlaybackRate = SPEEDS[speed];
    });
    $("play").textContent = "Pause";
    open(false);
    Promise.all(videos.map(ready)).then(play, () => trouble("A clip cannot be played in this browser."));
  }

  const ready = (video) => new Promise((done, failed) => {
    video.oncanplay = done;
    video.onerror = failed;
  });

  function play() {
    if (paused) return;
    ended = new Set();
    videos.forEach((video) => { video.currentTime = 0; video.play().catch(() => {}); });
  }

  videos.forEach((video) => video.addEventListener("ended", () => {
    ended.add(video);
    if (ended.size < videos.length) return;
    if (!played) { played = true; open(true); }
    setTimeout(play, 350);
  }));

  // The right clip follows the left clip if they are no longer in sync.
  setInterval(() => {
    const [first, second] = videos;
    if (!second || paused || first.ended || second.ended || first.paused || second.paused) return;
    const apart = first.currentTime - second.currentTime;
    if (Math.abs(apart) > 0.1 && first.currentTime < second.duration) second.currentTime = first.currentTime;
  }, 250);

  function toggle() {
    paused = !paused;
    $("play").textContent = paused ? "Play" : "Pause";
    if (paused) { videos.forEach((video) => video.pause()); return; }
    if (videos.every((video) => video.ended)) { play(); return; }
    videos.forEach((video) => { if (!video.ended) video.play().catch(() => {}); });
  }

  function frame(direction) {
    if (!paused) toggle();
    const now = videos[0].currentTime + direction * step;
    videos.forEach((video) => { video.currentTime = Math.min(Math.max(now, 0), (video.duration || 0) - step / 2); });
  }

  function faster() {
    speed = (speed + 1) % SPEEDS.length;
    videos.forEach((video) => { video.playbackRate = SPEEDS[speed]; });
    $("speed").textContent = `Speed ${["1×", "½×", "¼×"][speed]}`;
  }

  // ---- questions and answers

  let rater = "", question = null, answers = {}, busy = false, seen = 0, since = 0;

  const buttons = [...document.querySelectorAll("#answers button")];
  function open(yes) {
    buttons.forEach((button) => { button.disabled = !yes; });
    $("wait").textContent = yes ? "" : $("wait").dataset.text;
  }
  $("wait").dataset.text = $("wait").textContent;

  const visible = () => seen + (document.hidden ? 0 : performance.now() - since);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) seen += performance.now() - since;
    else since = performance.now();
  });

  function say(text) { $("said").textContent = text; }
  function trouble(text) { $("trouble").textContent = text; }

  function ask() {
    $("question").textContent = facts.questions[asked[Object.keys(answers).length]];
  }

  function show(state) {
    question = state.question;
    answers = {};
    $("start").hidden = true;
    $("ask").hidden = !question;
    $("done").hidden = Boolean(question);
    $("progress").hidden = false;
    $("bar").value = state.total ? state.done / state.total : 1;
    const minutes = state.seconds === null ? null : Math.ceil(((state.total - state.done) * state.seconds) / 60);
    const left = question && minutes !== null ? `, about ${minutes} min left` : "";
    $("count").textContent = `${state.done} of ${state.total}${left}`;
    $("undo").disabled = !state.undo;
    if ($("saving")) $("saving").hidden = !state.undo;
    if (!question) {
      videos.forEach((video) => video.pause());
      $("done-title").focus();
      return;
    }
    $("prompt").textContent = question.text;
    $("warm-up").hidden = !question.warmUp;
    ask();
    load(question);
    seen = 0;
    since = performance.now();
    $("prompt").focus({ preventScroll: true });
  }

  async function send(action, body, after) {
    if (busy) return;
    busy = true;
    trouble("");
    try {
      const state = await act(action, { rater, ...body });
      if (after) after(state);
      show(state);
    } catch (error) {
      trouble(error.message);
    } finally {
      busy = false;
    }
  }

  function answer(choice, reasons = []) {
    if (!played || !question || busy) return;
    answers[asked[Object.keys(answers).length]] = choice;
    if (Object.keys(answers).length < asked.length) {
      ask();
      say(`${choice}. ${$("question").textContent}`);
      return;
    }
    const given = answers;
    const kept = { id: question.id, answers: given, reasons, seconds: visible() / 1000 };
    send("vote", kept, (state) => {
      const feedback = state.right === undefined ? "" : state.right ? " This was the expected answer." : " The expected answer was another one.";
      say(`Stored: ${Object.values(given).join(", ")}${reasons.length ? ` (${reasons[0]})` : ""}.${feedback}`);
    }).then(() => { if (question && question.id === kept.id) { answers = {}; ask(); } });
  }

  function undo() {
    if (Object.keys(answers).length) { answers = {}; ask(); return; }
    if (!rater || ($("undo").disabled && !$("ask").hidden)) return;
    send("undo", {}, () => say("The last vote was deleted."));
  }

  $("who").addEventListener("submit", (event) => {
    event.preventDefault();
    rater = $("rater").value;
    send("next", {}, (state) => {
      rater = state.rater;
      try { localStorage.setItem("vbench-review-rater", rater); } catch { /* private windows keep nothing */ }
    });
  });
  buttons.forEach((button) => button.addEventListener("click", () => {
    const reason = button.dataset.reason;
    answer(button.dataset.answer, reason === undefined ? [] : [facts.reasons[Number(reason)]]);
  }));
  $("play").addEventListener("click", toggle);
  $("back").addEventListener("click", () => frame(-1));
  $("on").addEventListener("click", () => frame(1));
  $("speed").addEventListener("click", faster);
  $("undo").addEventListener("click", undo);
  $("undo-done").addEventListener("click", undo);
  if ($("save")) $("save").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(act.file(rater), null, 1)], { type: "application/json" }));
    link.download = `votes-${rater}.json`;
    link.click();
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    const onButton = event.target.matches("button");
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === "u" || key === "Backspace") { if (rater) undo(); event.preventDefault(); return; }
    if ($("ask").hidden) return;
    if (key === " ") { if (onButton) return; toggle(); }
    else if (key === ",") frame(-1);
    else if (key === ".") frame(1);
    else if (key === "s") faster();
    else if (event.repeat) return;
    else if (facts.mode === "pairs" && KEYS[key]) answer(KEYS[key]);
    else if (facts.mode === "usable" && key === "k") answer("keep");
    else if (facts.mode === "usable" && key === "r") answer("reject");
    else if (facts.mode === "usable" && facts.reasons[Number(key) - 1]) answer("reject", [facts.reasons[Number(key) - 1]]);
    else return;
    event.preventDefault();
  });

  try { $("rater").value = localStorage.getItem("vbench-review-rater") || ""; } catch { /* as above */ }
})();
