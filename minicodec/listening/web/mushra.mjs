// MUSHRA: several versions at once, one of them the hidden reference, each rated from 0 to 100.

import { BANDS, bandOf, cleanName, csvOf, draw, meansOf, shuffled } from "./blind.mjs";
import { audioContext, decode } from "./engine.mjs";
import { boot, element } from "./dom.mjs";
import { copyBox, goButton, handedOver, keyList, saveLink, showStep, takeSounds, versionButton }
  from "./results.mjs";
import { Store } from "./store.mjs";
import { Transport } from "./transport.mjs";

const MUSHRA_KEYS = [
  ["0", "listen to the reference"],
  ["1 to 9", "listen to a version, and go to its slider"],
  ["← → ↑ ↓", "on a slider: change the rating; else: move in time"],
  ["Space", "play, pause"],
  ["L, Esc", "loop on or off, forget its ends"],
];
const MUSHRA_COLUMNS =
  ["listener", "session", "item", "trial", "position", "condition", "rating", "seconds"];

class MushraTest {
  constructor(figure) {
    this.figure = figure;
    this.items = takeSounds(figure).map((sounds, index) => ({
      name: JSON.parse(figure.dataset.items)[index],
      audio: sounds.map((sound) => sound.audio),
      // The first sound is the reference: known, and once more hidden among the versions.
      conditions: sounds.map((sound) => sound.label),
    }));
    this.store = new Store(`minicodec-mushra-${figure.dataset.test}`);
    this.panel = element("div", { class: "mc-panel" });
    this.status = element("p", { class: "mc-status", role: "status" });
    this.transport = new Transport(figure, Number(figure.dataset.seconds), () => this.update());
    figure.append(this.panel, this.status, keyList(MUSHRA_KEYS));
    figure.addEventListener("keydown", (event) => this.onKey(event));
    figure.addEventListener("minicodec-begin", () => this.intro(true));
    this.intro(true);
  }

  /** The listener, where a page around the test knows them. */
  get known() {
    return this.figure.dataset.listener;
  }

  intro(quiet = false) {
    this.plan = null;
    const { length } = this.items;
    const versions = this.items[0].conditions.length;
    const name = element("input", { type: "text", maxlength: "40", autocomplete: "off",
      placeholder: "listener" });
    const { known } = this;
    const open = this.store.sessions.find(({ left, listener }) =>
      left.length > 0 && (known === undefined || listener === known));
    showStep(this.panel, quiet,
      element("p", { class: "mc-step" },
        `${length} ${length === 1 ? "sound" : "sounds"}, ${versions} versions of each.`),
      element("p", {}, "Rate how close each version comes to the reference, in every respect that "
        + "you hear. One of the versions is the reference itself, which deserves 100; some are "
        + "much worse than the others. Their order is random. Headphones, and a volume that you "
        + "do not change any more."),
      ...known === undefined
        ? [element("label", { class: "mc-field" }, "Your name, or a code ", name)] : [],
      element("div", { class: "mc-bar" },
        goButton("Start", () => this.start(known ?? cleanName(name.value))),
        ...open ? [goButton(`Go on as ${open.listener} (${open.left.length} left)`,
          () => this.resume(open))] : []),
      ...known === undefined ? this.takeHome() : []);
  }

  /** Links to what is stored so far, and a way to be rid of it. */
  takeHome() {
    const { rows } = this.store;
    if (rows.length === 0) return [];
    const csv = csvOf(MUSHRA_COLUMNS, rows);
    const people = new Set(rows.map((row) => row.session)).size;
    const forget = element("button", { class: "mc-toggle", type: "button", onclick: () => {
      if (forget.dataset.sure) {
        this.store.clear();
        this.intro();
      }
      forget.dataset.sure = "yes";
      forget.textContent = "Really delete them?";
    } }, "Delete them");
    return [
      element("p", { class: "mc-note" },
        `${people} ${people === 1 ? "session is" : "sessions are"} stored `
        + `${this.store.lasting ? "in this browser" : "until this page is closed"}.`),
      element("div", { class: "mc-bar" },
        saveLink("Save CSV", `mushra-${this.figure.dataset.test}.csv`, "text/csv", csv), forget),
      copyBox(csv),
    ];
  }

  start(listener) {
    const session = new Date().toISOString();
    this.resume({
      session, listener: listener || `listener-${1000 + draw(9000)}`,
      left: shuffled(this.items.map((_, index) => index)), rows: [],
    });
  }

  resume(plan) {
    audioContext(this.figure); // before any wait: it needs the user's gesture
    this.plan = plan;
    this.nextItem();
  }

  async nextItem() {
    const item = this.items[this.plan.left[0]];
    try {
      item.buffers ??= await decode(item.audio, Number(this.figure.dataset.rate));
    } catch {
      showStep(this.panel, false,
        element("p", { class: "mc-step" }, "This browser cannot decode the sounds."));
      return;
    }
    this.order = shuffled(item.conditions.map((_, index) => index));
    this.heard = new Set();
    this.ratings = this.order.map(() => null);
    this.began = performance.now();
    this.transport.setRegion(null);
    this.transport.use([item.buffers[0], ...this.order.map((index) => item.buffers[index])]);
    this.showItem(item);
  }

  showItem(item) {
    const trial = this.items.length - this.plan.left.length + 1;
    this.reference = versionButton("0", "Reference", () => this.transport.pick(0));
    this.rows = this.order.map((_, place) => this.row(place));
    const scale = element("div", { class: "mc-scale", "aria-hidden": "true" },
      ...BANDS.map((band) => element("span", {}, band)));
    const last = this.plan.left.length === 1;
    this.nextButton = goButton(last ? "Finish" : "Next sound", () => this.finishItem());
    this.missing = element("span", { class: "mc-note" });
    showStep(this.panel, false,
      element("p", { class: "mc-step" }, `Sound ${trial} of ${this.items.length}: ${item.name}`),
      this.transport.bar,
      element("div", { class: "mc-rating" }, this.reference, scale),
      ...this.rows.map(({ line }) => line),
      element("div", { class: "mc-answers" }, this.missing, this.nextButton));
    this.update();
  }

  row(place) {
    const name = `Version ${place + 1}`;
    const button = versionButton(String(place + 1), name, () => this.transport.pick(place + 1));
    const slider = element("input", { type: "range", min: "0", max: "100", step: "1", value: "0",
      "aria-label": `Rating of version ${place + 1}` });
    const value = element("output", {}, "–");
    const rate = () => {
      this.ratings[place] = Number(slider.value);
      this.update();
    };
    slider.addEventListener("input", rate);
    // A rating of 0 is where the slider stands already: pressing it there means it.
    slider.addEventListener("pointerup", () => slider.disabled || rate());
    slider.addEventListener("keyup", ({ key }) => key === "Home" && rate());
    const line = element("div", { class: "mc-rating" }, button,
      element("div", { class: "mc-slide" }, slider, value));
    return { line, button, slider, value };
  }

  finishItem() {
    const { plan, ratings } = this;
    if (ratings.includes(null)) return;
    this.ratings = ratings.map(() => null); // taken: they are not those of the next sound
    this.transport.pause();
    const index = plan.left[0];
    const item = this.items[index];
    const seconds = ((performance.now() - this.began) / 1000).toFixed(1);
    this.order.forEach((condition, place) => plan.rows.push({
      listener: plan.listener, session: plan.session, item: item.name,
      trial: this.items.length - plan.left.length + 1, position: place + 1,
      condition: item.conditions[condition], rating: ratings[place], seconds,
    }));
    plan.left = plan.left.slice(1);
    this.store.keep(plan);
    if (plan.left.length) this.nextItem();
    else this.result();
  }

  result() {
    const { rows } = this.plan;
    this.plan = null;
    if (handedOver(this.figure, rows)) return;
    const hidden = this.items[0].conditions[0];
    const low = rows.filter((row) => row.condition === hidden && row.rating < 90).length;
    const table = element("div", { class: "mc-means" }, ...meansOf(rows).flatMap(
      ([condition, mean]) => [
        element("span", { class: "mc-name" }, condition),
        element("span", { class: "mc-facts" }, `${mean.toFixed(0)}, ${bandOf(mean)}`),
        element("span", { class: "mc-mean", style: `--mean: ${mean}%` }),
      ]));
    const screened = low === 0 ? "You found the hidden reference each time."
      : `You rated the hidden reference below 90 on ${low} of ${this.items.length}. The `
        + "recommendation leaves out listeners to whom that happens on more than 15 % of the "
        + "sounds.";
    showStep(this.panel, false,
      element("p", { class: "mc-step" }, "Thank you. These are your mean ratings."), table,
      element("p", {}, screened),
      element("div", { class: "mc-bar" }, goButton("Next listener", () => this.intro())),
      ...this.takeHome());
  }

  onKey(event) {
    if (!this.plan || event.target.closest(".mc-more")) return;
    const { key, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey) return;
    if (event.target.matches("input[type=range]") && /^(Arrow|Home|End|Page)/.test(key)) return;
    if (key === " " && event.target.closest(".mc-toggle, .mc-go")) return;
    if (/^[0-9]$/.test(key) && Number(key) <= this.order.length) {
      this.transport.pick(Number(key));
      (this.rows[Number(key) - 1]?.slider ?? this.reference).focus();
    } else if (!this.transport.onKey(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  update() {
    if (!this.plan || !this.rows) return;
    const { active, playing } = this.transport;
    if (playing) this.heard.add(active);
    this.reference.setAttribute("aria-pressed", playing && active === 0);
    this.rows.forEach(({ button, slider, value }, place) => {
      button.setAttribute("aria-pressed", playing && active === place + 1);
      slider.disabled = !this.heard.has(place + 1);
      const rating = this.ratings[place];
      const text = rating === null ? "–" : `${rating}, ${bandOf(rating)}`;
      value.textContent = text;
      slider.setAttribute("aria-valuetext", rating === null ? "not rated yet" : text);
    });
    const open = this.ratings.filter((rating) => rating === null).length;
    this.nextButton.disabled = open > 0;
    this.missing.textContent = open === this.ratings.length
      ? "A slider opens when you have listened to its version."
      : open ? `${open} still to rate` : "";
    const said = !playing ? "" : active ? `Playing version ${active}` : "Playing the reference";
    if (this.status.textContent !== said) this.status.textContent = said;
  }
}

boot("mushra", (figure) => new MushraTest(figure));
