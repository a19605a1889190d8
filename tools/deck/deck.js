// Starts a deck: formulas set, each slide fitted to its frame, keys shared with the players.

// Sizes of what a slide holds: few words are written large, and what must be made smaller than the
// least to fit is a fault of the deck.
const LARGEST = { text: 1.3, code: 1.15, printed: 1.25 };
const LEAST = 0.5;
const BOTTOM = 34; // of the frame: the slide's number
const players = ".minicodec-player";

Reveal.initialize({
  width: 1280,
  height: 720,
  margin: 0,
  center: false,
  hash: true,
  // One way through all slides, whether a stack goes down or a new one begins.
  navigationMode: "linear",
  transition: "none",
  backgroundTransition: "none",
  slideNumber: "c/t",
  controlsTutorial: false,
  // Keys 80 (P) and 32 with a player on the slide: see onKey.
  keyboardCondition: (event) => !event.defaultPrevented,
  plugins: [RevealNotes],
});

/** Make what a slide holds as small as it must be; resolves when that is done. */
async function fit(slide) {
  const body = slide?.querySelector(".body");
  if (!body) return;
  await window.mathReady;
  if (!slide.dataset.set) {
    slide.dataset.set = "yes";
    await window.MathJax.typesetPromise([slide]);
    await Promise.all([...slide.querySelectorAll("img")].map((image) => image.decode()));
  }
  const room = slide.clientHeight - BOTTOM - body.offsetTop;
  // Text that is smaller breaks elsewhere, so what fits is found by trying.
  let scale = LARGEST[slide.classList[0]] ?? 1;
  body.style.zoom = 1;
  narrow(body);
  for (body.style.zoom = scale; scale > LEAST && tooLarge(body, room); body.style.zoom = scale) {
    scale -= 0.05;
  }
  slide.dataset.fitted = scale.toFixed(2);
}

const right = (part) => part.getBoundingClientRect().right;

/** A long equation is written smaller, not all that stands beside it. */
function narrow(body) {
  for (const equation of body.querySelectorAll('mjx-container[display="true"]')) {
    const end = () => Math.max(...[...equation.querySelectorAll("mjx-c")].map(right));
    for (let size = 100; size > 60 && end() > right(body); ) {
      size -= 5;
      equation.style.fontSize = `${size}%`;
    }
  }
}

function tooLarge(body, room) {
  if (body.getBoundingClientRect().height / Reveal.getScale() > room) return true;
  return [...body.querySelectorAll("pre, table, img, figure, mjx-c")].some((part) =>
    right(part) > right(body) + 1
    || (part.matches("pre") && part.scrollWidth > part.clientWidth + 1));
}

const watched = new WeakSet();

async function show(slide) {
  if (!slide) return;
  await fit(slide);
  // A player grows, when its list opens or a test takes its next step.
  for (const figure of slide.querySelectorAll(players)) {
    if (watched.has(figure)) continue;
    watched.add(figure);
    let height = figure.offsetHeight;
    new ResizeObserver(() => {
      if (figure.offsetHeight === height || !figure.offsetHeight) return;
      fit(slide).then(() => { height = figure.offsetHeight; });
    }).observe(figure);
  }
}

Reveal.on("ready", ({ currentSlide }) => show(currentSlide));
Reveal.on("slidechanged", ({ currentSlide, previousSlide }) => {
  // What was played belongs to the slide before, and so does the keyboard.
  document.dispatchEvent(new CustomEvent("minicodec-play", { detail: null }));
  if (previousSlide?.contains(document.activeElement)) document.activeElement.blur();
  show(currentSlide);
});

/** Keys of the slide's player while it has not the focus: digits choose a version, P plays. */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const inside = event.target.closest?.(players);
  if (inside) {
    // A presenter's remote turns the slides wherever the focus is.
    if (["PageUp", "PageDown"].includes(event.key)) {
      event.stopPropagation();
      event.preventDefault();
      if (event.key === "PageUp") Reveal.prev();
      else Reveal.next();
    }
    return;
  }
  const player = Reveal.getCurrentSlide()?.querySelector('[data-minicodec="compare"]');
  if (!player) return;
  const button = /^[1-9]$/.test(event.key)
    ? player.querySelectorAll(".mc-choice")[Number(event.key) - 1]
    : event.key.toLowerCase() === "p" ? player.querySelector(".mc-play") : null;
  if (!button) return;
  event.preventDefault();
  event.stopPropagation();
  button.click();
}
document.addEventListener("keydown", onKey, true);

// Who clicks on a comparison goes on with the slide's keys; who comes with Tab has the player's. In
// a blind test the keys are the test's, however one got there.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.('[data-minicodec="compare"] button');
  if (button && event.detail > 0) button.blur();
});
