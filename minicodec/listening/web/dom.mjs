// Small help with the page, for every mode of the players.

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
