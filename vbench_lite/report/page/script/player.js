// Plays all clips of the page in sync: they start together, and start again when the longest clip has ended.
const player = {
  playing: false,
  speed: 1,
  timer: 0,
  begun: 0,
  videos: () => all("#prompts video"),
  join(video) { // a video that comes into view starts at the time of the others
    video.addEventListener("loadedmetadata", () => {
      video.playbackRate = player.speed;
      video.currentTime = Math.min(video.duration || 0, ((performance.now() - player.begun) / 1000) * player.speed);
      if (player.playing) video.play().catch(() => {});
    }, { once: true });
  },
  restart() {
    clearTimeout(player.timer);
    if (!player.playing) return;
    player.begun = performance.now();
    const videos = player.videos();
    for (const each of videos) { each.currentTime = 0; each.playbackRate = player.speed; each.play().catch(() => {}); }
    const longest = Math.max(1, ...videos.map((each) => each.duration || 0));
    player.timer = setTimeout(player.restart, (longest / player.speed) * 1000 + 450);
  },
  play(on) {
    player.playing = on;
    const button = one("#play");
    button.setAttribute("aria-pressed", String(on));
    one(".label", button).textContent = on ? "Pause" : "Play all in sync";
    if (on) { want(nearby); player.restart(); } else { clearTimeout(player.timer); player.videos().forEach((each) => each.pause()); }
  },
};
one("#play").addEventListener("click", () => player.play(!player.playing));
one("#speed").addEventListener("change", (event) => { player.speed = Number(event.target.value); player.restart(); });
