// A listening test for a class: consent, a check for headphones, the tests, one file at the end.
// The tests are figures of their own, which hand their rows over (`handedOver`).

import { cleanName, csvOf, draw, shuffled } from "./blind.mjs";
import { audioContext, decode, Engine } from "./engine.mjs";
import { boot, element } from "./dom.mjs";
import { copyBox, goButton, saveLink, showStep, takeSounds, versionButton } from "./results.mjs";

const KIT_COLUMNS = ["kit", "listener", "session", "part", "test", "item", "trial", "position",
  "condition", "rating", "x", "answer", "correct", "seconds"];
const SILENCE = 0.5; // seconds between two tones

/** The tones one after another, as one stereo sound with gaps, at their own rate. */
function inARow(tones) {
  const { sampleRate, length } = tones[0];
  const step = length + Math.round(SILENCE * sampleRate);
  const sound = new AudioBuffer({ numberOfChannels: 2, sampleRate,
    length: step * (tones.length - 1) + length });
  tones.forEach((tone, place) => [0, 1].forEach((channel) =>
    sound.copyToChannel(tone.getChannelData(channel), channel, place * step)));
  return sound;
}

class ClassKit {
  constructor(figure) {
    this.figure = figure;
    [this.tones] = takeSounds(figure);
    this.consent = figure.querySelector(".mc-consent");
    this.consent.remove();
    this.panel = element("div", { class: "mc-panel" });
    this.status = element("p", { class: "mc-status", role: "status" });
    figure.append(this.panel, this.status);
    this.kit = figure.dataset.kit;
    this.rows = [];
    // The tests come later in the page, and stay out of sight until it is their turn.
    document.documentElement.classList.add("mc-class");
    document.addEventListener("minicodec-result", (event) => this.take(event));
    this.welcome();
  }

  welcome() {
    const code = element("input", { type: "text", maxlength: "40", autocomplete: "off" });
    code.value = `listener-${100000 + draw(900000)}`;
    showStep(this.panel, true,
      element("p", { class: "mc-step" }, "Before you begin"),
      this.consent,
      element("label", { class: "mc-field" }, "Your code, or the one that you were given ", code),
      element("p", {}, "If you do not want to take part, close this page: nothing is kept."),
      goButton("I have read this, and take part", () => this.agree(cleanName(code.value))));
  }

  agree(code) {
    this.listener = code || `listener-${100000 + draw(900000)}`;
    this.session = new Date().toISOString();
    this.keep("consent", { answer: "agreed" });
    this.volume();
  }

  keep(part, row) {
    const { kit, listener, session } = this;
    this.rows.push({ ...row, kit, listener, session, part });
  }

  async volume(again = false) {
    this.attempt = (this.attempt ?? 0) + 1;
    this.trial = 0;
    const context = audioContext(this.figure); // before any wait: it needs the user's gesture
    try {
      this.buffers ??= await decode(this.tones.map(({ audio }) => audio),
        Number(this.figure.dataset.rate));
    } catch {
      showStep(this.panel, false,
        element("p", { class: "mc-step" }, "This browser cannot decode the sounds."));
      return;
    }
    this.context = context;
    showStep(this.panel, false,
      element("p", { class: "mc-step" }, again ? "Headphones, once more" : "Headphones"),
      element("p", {}, "Put headphones on, the side marked L on the left ear. Play the tone, set "
        + "a comfortable volume, and leave it as it is until the end."),
      element("div", { class: "mc-bar" },
        this.player("Play the tone", [this.buffers[0]], []),
        goButton("Check them", () => this.listen())));
  }

  /** A button that plays tones in a row; the marks are lit one after another. */
  player(text, tones, marks, heard = () => {}) {
    const play = element("button", { class: "mc-toggle mc-answer", type: "button",
      onclick: () => this.play(inARow(tones), tones[0].duration + SILENCE, marks, heard) }, text);
    return play;
  }

  play(sound, step, marks, heard) {
    this.hush();
    const engine = new Engine(this.context, [sound]);
    this.engine = engine;
    engine.start(0);
    const look = () => {
      if (this.engine !== engine) return;
      const place = engine.ended ? -1 : Math.floor(engine.position / step);
      marks.forEach((mark, index) => mark.toggleAttribute("data-sounding", index === place));
      const said = place < 0 || !marks.length ? "" : `Tone ${place + 1}`;
      if (this.status.textContent !== said) this.status.textContent = said;
      if (!engine.ended) {
        requestAnimationFrame(look);
        return;
      }
      this.hush();
      heard();
    };
    look();
  }

  hush() {
    this.engine?.stop();
    this.engine = null;
  }

  listen() {
    this.hush();
    this.trial += 1;
    // Each order is drawn on its own: who guesses is right once in three, whatever came before.
    const order = shuffled(["loud", "soft", "turned"]);
    const tones = order.map((name) =>
      this.buffers[this.tones.findIndex(({ label }) => label === name)]);
    const began = performance.now();
    let answer = null;
    const choices = tones.map((_, place) => {
      const button = versionButton("", String(place + 1), () => {
        answer = place + 1;
        choices.forEach((each, index) => each.setAttribute("aria-pressed", index === place));
        next.disabled = false;
      });
      button.disabled = true;
      return button;
    });
    const open = () => choices.forEach((button) => { button.disabled = false; });
    const trials = Number(this.figure.dataset.trials);
    const next = goButton("Next", () => {
      const x = order.indexOf("soft") + 1;
      this.keep("headphones", { item: `try ${this.attempt}`, trial: this.trial,
        position: order.indexOf("turned") + 1, x, answer, correct: Number(answer === x),
        seconds: ((performance.now() - began) / 1000).toFixed(1) });
      if (this.trial < trials) this.listen();
      else this.judge();
    });
    next.disabled = true;
    showStep(this.panel, false,
      element("p", { class: "mc-step" },
        `Which tone is the softest? ${this.trial} of ${trials}`),
      element("div", { class: "mc-bar" },
        this.player("Play the three tones", tones, choices, open)),
      element("div", { class: "mc-choices mc-three", role: "group",
        "aria-label": "The softest is" }, ...choices),
      element("div", { class: "mc-answers" }, next));
  }

  judge() {
    const { trials, pass, tries } = this.figure.dataset;
    const mine = this.rows.filter((row) => row.item === `try ${this.attempt}`);
    const correct = mine.filter((row) => row.correct).length;
    const passed = correct >= Number(pass);
    const again = !passed && this.attempt < Number(tries);
    const words = passed ? "These are headphones." : "Loudspeakers sound like that, and so does a "
      + "device that plays in mono. " + (again ? "Put headphones on and try once more."
      : "You may go on; the analysis will leave your answers out, and will say why.");
    showStep(this.panel, false,
      element("p", { class: "mc-step" }, `${correct} of ${trials} right`),
      element("p", {}, words),
      again ? goButton("Try again", () => this.volume(true))
        : goButton("Go on to the test", () => this.next(0)));
  }

  get parts() {
    return [...document.querySelectorAll(".mc-part")];
  }

  next(index) {
    this.hush();
    const { parts } = this;
    parts.forEach((part, place) => part.toggleAttribute("data-now", place === index));
    this.index = index;
    if (index === parts.length) {
      this.finish();
      return;
    }
    const figure = parts[index].querySelector("figure");
    figure.dataset.listener = this.listener;
    figure.dispatchEvent(new CustomEvent("minicodec-begin"));
    showStep(this.panel, true,
      element("p", { class: "mc-step" }, `Part ${index + 1} of ${parts.length}`));
    figure.querySelector(".mc-step").focus();
  }

  take(event) {
    const figure = this.parts[this.index]?.querySelector("figure");
    if (event.target !== figure) return;
    event.preventDefault();
    for (const row of event.detail) {
      this.keep(figure.dataset.minicodec, { ...row, test: figure.getAttribute("aria-label") });
    }
    this.next(this.index + 1);
  }

  finish() {
    const csv = csvOf(KIT_COLUMNS, this.rows);
    const forget = goButton("Delete what this browser keeps", () => {
      for (const { dataset } of document.querySelectorAll(".mc-part figure")) {
        try {
          localStorage.removeItem(`minicodec-${dataset.minicodec}-${dataset.test}`);
        } catch { /* nothing was kept where nothing may be */ }
      }
      forget.textContent = "Deleted";
    });
    showStep(this.panel, false,
      element("p", { class: "mc-step" }, "Thank you. One thing is left: save your file."),
      element("p", {}, "It holds your code, your answers, and how long they took. Nothing has been "
        + "sent: hand the file in as you were told."),
      element("div", { class: "mc-bar" },
        saveLink("Save CSV", `${this.kit}-${this.listener}.csv`, "text/csv", csv), forget),
      copyBox(csv));
  }
}

boot("kit", (figure) => new ClassKit(figure));
