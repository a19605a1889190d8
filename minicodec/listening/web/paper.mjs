// On paper: the pictures of all versions in place of what plays.

import { element } from "./dom.mjs";
import { Pictures } from "./canvas.mjs";

/** Have a player's pictures drawn when the page is printed.
 *
 *  A browser does not wait when it prints, so sounds that never came near the screen are decoded
 *  while nothing else is to be done. Who prints by program says "minicodec-paper" first, with a
 *  list as detail, and waits for the promises that players add to it. */
export function onPaper(player) {
  const { figure } = player;
  let sheet = null;
  whenIdle(() => figure.isConnected && player.load().catch(() => {}));
  document.addEventListener("minicodec-paper", ({ detail }) => {
    if (figure.isConnected) detail.push(player.load());
  });
  addEventListener("beforeprint", () => {
    if (!figure.isConnected || !player.buffers) return;
    sheet?.remove();
    figure.dataset.paper = "";
    sheet = sheetOf(player);
  });
  addEventListener("afterprint", () => {
    sheet?.remove();
    sheet = null;
    delete figure.dataset.paper;
  });
}

/** One after another, so that no page stops for them. */
function whenIdle(work) {
  const idle = () => new Promise((resolve) => {
    if (typeof requestIdleCallback === "function") requestIdleCallback(resolve);
    else setTimeout(resolve, 200);
  });
  window.minicodecIdle = (window.minicodecIdle ?? Promise.resolve()).then(idle).then(work);
}

function sheetOf(player) {
  const places = player.items.map((item, index) => {
    const pictures = new Pictures(player.rate);
    pictures.spectrograms = player.pictures.spectrograms; // each is computed once
    pictures.mel.setAttribute("aria-label", `Mel spectrogram of ${player.names[index]}`);
    return { pictures, place: element("div", { class: "mc-version" },
      pictures.wave, pictures.mel,
      element("span", { class: "mc-name" }, player.names[index]), " ",
      element("span", { class: "mc-facts" }, item.querySelector(".mc-facts")?.textContent ?? "")) };
  });
  const sheet = element("div", { class: "mc-sheet" }, ...places.map(({ place }) => place));
  player.panel.before(sheet);
  places.forEach(({ pictures }, index) => pictures.draw(player.buffers, index, false));
  return sheet;
}
