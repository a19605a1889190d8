// Small help with the page, for every mode of the players.

import { regionBetween } from "./logic.mjs";

/** A new element: element("button", { class: "x", onclick: f }, "text", child, …). */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Run `upgrade` on every figure of this mode that no script has taken yet. */
export function boot(mode, upgrade) {
  const fresh = `[data-minicodec="${mode}"]:not([data-ready])`;
  for (const figure of document.querySelectorAll(fresh)) {
    figure.dataset.ready = "";
    // JupyterLab would take our digits and letters for commands on cells.
    figure.dataset.lmSuppressShortcuts = "true";
    upgrade(figure);
  }
}

/** One sound at a time on a page: returns what to call when this figure begins to play.
 *  When anything else begins, `pause` is called; the figure's <audio> elements take part too. */
export function takeTurns(figure, pause) {
  const begin = (who) => {
    document.dispatchEvent(new CustomEvent("minicodec-play", { detail: who }));
  };
  const join = (who, quiet) => {
    document.addEventListener("minicodec-play", ({ detail }) => detail !== who && quiet());
  };
  join(figure, pause);
  for (const audio of figure.querySelectorAll("audio")) {
    join(audio, () => audio.pause());
    audio.addEventListener("play", () => begin(audio));
  }
  return () => begin(figure);
}

/** Call `redraw` when the page turns light or dark. */
export function onTheme(redraw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  const observer = new MutationObserver(redraw);
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, {
      attributes: true,
      attributeFilter: ["class", "theme", "data-theme", "data-jp-theme-light"],
    });
  }
}

/** On the slider of a player a click seeks, and a drag marks the stretch to loop. */
export function clickAndDrag(slider, player) {
  const placeOf = (event) => {
    const { left, width } = slider.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / width)) * player.duration;
  };
  let from = null;
  const dragged = (event) => from && Math.abs(event.clientX - from.x) > 4
    ? regionBetween(from.place, placeOf(event), player.duration) : null;
  slider.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = { x: event.clientX, place: placeOf(event) };
    slider.setPointerCapture(event.pointerId);
  });
  slider.addEventListener("pointermove", (event) => {
    const region = dragged(event);
    if (region) player.showRegion(region);
  });
  slider.addEventListener("pointerup", (event) => {
    if (!from) return;
    const region = dragged(event);
    if (region) player.setRegion(region);
    else player.seek(from.place);
    from = null;
  });
  slider.addEventListener("pointercancel", () => {
    from = null;
    player.update();
  });
}
