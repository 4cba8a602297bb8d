// Plays an MM: slides, regions, times, as their SMIL says. It gets what the server made of the SMIL, never the SMIL.
// Its time comes from window.mmscClock, where a test puts one: { now: () => ms, frame: (call) => ... }.
"use strict";
(() => {
  const clock = window.mmscClock || { now: () => performance.now(), frame: (call) => requestAnimationFrame(call) };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const DARK = "#10191d", SMALLEST_TEXT = 14, TEXT_OF_WIDTH = 0.045;
  const make = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const seconds = (ms) => {
    const value = ms / 1000;
    return value >= 3600 ? `${Math.round(value / 360) / 10} h` : `${value < 100 ? Math.round(value * 10) / 10 : Math.round(value)} s`;
  };
  const isLight = (colour) => {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    return red * 0.299 + green * 0.587 + blue * 0.114 > 140;
  };

  class Player {
    constructor(root) {
      this.root = root;
      this.data = JSON.parse(root.dataset.player);
      this.find = (wanted) => root.querySelector(wanted);
      this.stage = this.find(".player-stage");
      this.slide = 0;
      this.before = 0;      // how much of the slide had passed when it was set going
      this.since = 0;       // and when that was; only while it plays
      this.playing = false;
      this.sound = false;   // never before somebody asked
      this.regionsOn = false;
      this.shown = [];
      if (!this.data.slides.length) return;
      this.find(".player-plain").hidden = true;
      this.find(".player-view").hidden = false;
      this.line();
      this.fit();
      new ResizeObserver(() => this.fit()).observe(this.stage);
      root.addEventListener("click", (event) => this.clicked(event));
      this.show(0);
      if (!calm.matches) this.play();
    }

    get slides() { return this.data.slides; }
    get now() { return this.playing ? this.before + clock.now() - this.since : this.before; }

    clicked(event) {
      const does = event.target.closest("[data-plays]")?.dataset.plays;
      const segment = event.target.closest("[data-segment]");
      if (!does && !segment) return;
      active = this;
      this.sound = true;
      if (segment) return this.show(Number(segment.dataset.segment));
      this[does]();
    }

    // --- what the buttons do ---

    toggle() { this.sound = true; this.playing ? this.pause() : this.play(); }
    next() { this.show(Math.min(this.slide + 1, this.slides.length - 1)); }
    back() { this.show(this.now > 1000 ? this.slide : Math.max(0, this.slide - 1)); }
    source() {
      const details = this.find(".player-source");
      details.open = !details.open;
      this.find("[data-plays=source]").setAttribute("aria-pressed", String(details.open));
      if (details.open) details.scrollIntoView({ block: "nearest" });
    }
    regions(show = !this.regionsOn) {
      const button = this.find("[data-plays=regions]");
      if (!button) return;
      this.regionsOn = show;
      button.setAttribute("aria-pressed", String(show));
      this.stage.classList.toggle("with-regions", show);
    }

    play() {
      if (this.playing) return;
      if (this.slide === this.slides.length - 1 && this.before >= this.slides[this.slide].ms) this.show(0);
      this.playing = true;
      this.since = clock.now();
      this.tick();
    }

    pause() {
      this.before = Math.min(this.now, this.slides[this.slide].ms);
      this.playing = false;
      this.update();
    }

    tick() {
      if (!this.playing || !this.root.isConnected) return;
      let over = this.now - this.slides[this.slide].ms;
      while (over >= 0) {
        if (this.slide === this.slides.length - 1) return this.pause();
        this.show(this.slide + 1, over);
        over = this.now - this.slides[this.slide].ms;
      }
      this.update();
      clock.frame(() => this.tick());
    }

    // --- what is seen ---

    show(number, at = 0) {
      this.shown.forEach((one) => one.element.pause?.());
      this.slide = number;
      this.before = at;
      this.since = clock.now();
      const { regions, width } = this.data;
      this.stage.replaceChildren();
      const boxes = new Map();
      regions.forEach((region) => boxes.set(region.name, boxes.get(region.name) || this.region(region)));
      this.stage.classList.toggle("in-column", !width);
      this.shown = this.slides[number].media.map((placed) => this.medium(placed, boxes.get(placed.region)));
      this.root.querySelectorAll("[data-slide]").forEach((part) =>
        part.classList.toggle("is-playing", Number(part.dataset.slide) === number));
      this.fit();
      this.update();
    }

    region(region) {
      const { width, height, background } = this.data;
      const box = make("div", "player-region");
      const share = (value, whole) => `${value / whole * 100}%`;
      Object.assign(box.style, {
        left: share(region.left, width), top: share(region.top, height),
        width: share(region.width, width), height: share(region.height, height),
        zIndex: String(Math.max(0, Math.min(1000, region.z))), backgroundColor: region.background || "transparent",
      });
      box.fit = region.fit;
      box.ground = region.background || background || "#000000";
      const size = [region.left, region.top].map(Math.round).join() + " " + [region.width, region.height].map(Math.round).join("x");
      box.append(make("span", "player-name", `${region.name} ${size}`));
      return this.stage.appendChild(box);
    }

    medium(placed, box) {
      const part = this.data.parts[placed.part];
      const inside = placed.kind === "audio" || !box ? this.stage : box;
      const element = this.element(placed, part, inside);
      if (element.tagName !== "AUDIO") inside.append(element);
      return { placed, part, element };
    }

    element(placed, part, box) {
      if (placed.kind === "text") {
        const text = make("div", "player-text", part.text);
        text.tabIndex = 0;
        text.setAttribute("role", "group");
        text.setAttribute("aria-label", part.name);
        const ground = box.ground || this.data.background || "#000000";
        text.style.color = placed.colour || (isLight(ground) ? DARK : "#ffffff");
        return text;
      }
      if (placed.kind === "image") {
        const image = make("img", `player-media fit-${box.fit || "meet"}`);
        image.alt = placed.alt || part.name;
        image.addEventListener("load", () => this.fit());
        image.src = part.url;
        return image;
      }
      if (!part.playable) return this.saved(part);
      const media = make(placed.kind, `player-media fit-${box.fit || "meet"}`);
      media.preload = "auto";
      media.playsInline = true;
      media.addEventListener("loadedmetadata", () => this.lasts(placed, media.duration * 1000));
      media.addEventListener("error", () => {
        const one = this.shown.find((found) => found.element === media);
        if (!one) return;
        one.element = this.saved(part);
        placed.kind === "audio" ? this.stage.append(one.element) : media.replaceWith(one.element);
      });
      media.src = part.url;
      return media;
    }

    saved(part) {
      const link = make("a", "player-save", `${part.type}, ${part.octets.toLocaleString("en")} octets: save`);
      link.href = part.url;
      link.download = part.name;
      return link;
    }

    // A slide lasts at least as long as its sound or video.
    lasts(placed, ms) {
      const slide = this.slides.find((one) => one.media.includes(placed));
      if (placed.end !== null || !Number.isFinite(ms) || placed.begin + ms <= slide.ms) return;
      slide.ms = placed.begin + ms;
      this.line();
      this.update();
    }

    fit() {
      const { width, height, background } = this.data;
      const across = this.stage.clientWidth;
      this.stage.style.aspectRatio = width ? `${width} / ${height}` : "auto";
      this.stage.style.backgroundColor = background || "#000000";
      this.stage.style.fontSize = `${Math.max(SMALLEST_TEXT, across * TEXT_OF_WIDTH)}px`;
      const scale = width ? across / width : 1;
      this.shown.forEach(({ element }) => {
        if (!element.matches(".fit-hidden, .fit-scroll")) return;
        element.style.width = `${(element.naturalWidth || element.videoWidth || 0) * scale}px`;
        const scrolls = element.matches(".fit-scroll");
        element.parentElement.classList.toggle("scrolls", scrolls);
        if (scrolls) element.parentElement.tabIndex = 0;
      });
    }

    line() {
      const line = this.find(".player-line");
      line.replaceChildren(...this.slides.map((slide, number) => {
        const segment = make("button");
        segment.type = "button";
        segment.dataset.segment = number;
        segment.style.flexGrow = String(Math.max(1, Math.sqrt(slide.ms)));
        segment.setAttribute("aria-label", `Slide ${number + 1}, ${seconds(slide.ms)}`);
        segment.append(make("span", "player-bar"));
        segment.firstChild.append(make("span"));
        return segment;
      }));
      this.find("[data-whole]").textContent = `${seconds(this.slides.reduce((sum, slide) => sum + slide.ms, 0))} in all`;
    }

    update() {
      const slide = this.slides[this.slide];
      const at = Math.min(this.now, slide.ms);
      this.shown.forEach((one) => {
        const { placed, element } = one;
        const on = at >= placed.begin && (placed.end === null || at < placed.end);
        if (element.tagName !== "AUDIO") element.classList.toggle("is-off", !on);
        if (!element.play) return;
        element.muted = !this.sound;
        const wanted = on && this.playing && (this.sound || element.tagName === "VIDEO");
        if (wanted && element.paused && !element.ended) {
          element.currentTime = Math.max(0, at - placed.begin) / 1000;
          element.play().catch(() => {});
        } else if (!wanted && !element.paused) element.pause();
      });
      this.root.classList.toggle("is-playing", this.playing);
      this.find("[data-plays=toggle]").setAttribute("aria-label", this.playing ? "Pause" : "Play");
      this.find("[data-plays=back]").disabled = this.slide === 0 && at === 0;
      this.find("[data-plays=next]").disabled = this.slide === this.slides.length - 1;
      this.find("[data-says]").textContent = `Slide ${this.slide + 1} of ${this.slides.length}, ${seconds(at)} of ${seconds(slide.ms)}`;
      this.find("[data-sound]").hidden = this.sound || !this.shown.some(({ element }) => element.play);
      this.root.querySelectorAll("[data-segment]").forEach((segment, number) => {
        const share = number < this.slide ? 1 : number > this.slide ? 0 : at / slide.ms;
        segment.firstChild.firstChild.style.width = `${share * 100}%`;
        number === this.slide ? segment.setAttribute("aria-current", "true") : segment.removeAttribute("aria-current");
      });
    }
  }

  let active = null;
  const players = () => [...document.querySelectorAll("[data-player]")].map((root) => root.player).filter(Boolean);
  const chosen = () => (active && active.root.isConnected ? active : players()[0]);
  const start = () => document.querySelectorAll("[data-player]").forEach((root) => {
    if (!root.player) root.player = new Player(root);
  });
  const key = (name, does) => window.mmsc?.key?.(name, () => {
    const player = chosen();
    if (!player || !player.slides.length) return false;
    does(player);
  });
  document.addEventListener("DOMContentLoaded", () => {
    start();
    if (!document.querySelector("[data-player]")) return;
    key(" ", (player) => player.toggle());
    key("ArrowRight", (player) => { player.sound = true; player.next(); });
    key("ArrowLeft", (player) => { player.sound = true; player.back(); });
    key("g", (player) => player.regions());
  });
  document.addEventListener("mmsc:refreshed", start);
  document.addEventListener("htmx:load", start);
})();
