// ABX: is the unknown X the same as A, or as B? The answer is drawn when a trial begins.

import { binomialTail, correctNeeded, csvOf, draw, probability } from "./blind.mjs";
import { audioContext, decode } from "./engine.mjs";
import { boot, element } from "./dom.mjs";
import { copyBox, goButton, handedOver, keyList, saveLink, showStep, takeSounds, versionButton }
  from "./results.mjs";
import { Transport } from "./transport.mjs";

const ABX_KEYS = [
  ["A, X, B", "listen to it"],
  ["1, 2", "say: X is A, X is B"],
  ["Enter", "next trial"],
  ["Space", "play, pause"],
  ["← →", "one second back, forward"],
  ["L, Esc", "loop on or off, forget its ends"],
];
const NAMES = ["A", "X", "B"];
const ABX_COLUMNS = ["session", "trial", "x", "answer", "correct", "seconds"];

class AbxTest {
  constructor(figure) {
    this.figure = figure;
    this.trials = Number(figure.dataset.trials);
    this.needed = correctNeeded(this.trials);
    [this.sounds] = takeSounds(figure);
    this.session = 0;
    this.panel = element("div", { class: "mc-panel" });
    this.status = element("p", { class: "mc-status", role: "status" });
    this.transport = new Transport(figure, Number(figure.dataset.seconds), () => this.update());
    figure.append(this.panel, this.status, keyList(ABX_KEYS));
    figure.addEventListener("keydown", (event) => this.onKey(event));
    this.intro();
  }

  intro() {
    this.row = null;
    const rule = Number.isFinite(this.needed)
      ? `Who only guesses gets ${this.needed} or more right less than once in twenty times, so `
        + `${this.needed} of ${this.trials} is what to reach.`
      : `So few trials cannot show that anyone hears more than chance: take 5 or more.`;
    showStep(this.panel, this.session === 0,
      element("p", { class: "mc-step" }, `${this.trials} trials, no more and no fewer.`),
      element("p", {}, "In each, X is either A or B, by the toss of a coin. Listen to all three as "
        + `often as you like, then say which one X is. ${rule} The result comes after the last `
        + "trial, not before."),
      goButton(this.session ? "Start another test" : "Start", () => this.start()));
  }

  async start() {
    audioContext(this.figure); // before any wait: it needs the user's gesture
    try {
      this.buffers ??= await decode(this.sounds.map(({ audio }) => audio),
        Number(this.figure.dataset.rate));
    } catch {
      showStep(this.panel, false,
        element("p", { class: "mc-step" }, "This browser cannot decode the sounds."));
      return;
    }
    this.session += 1;
    this.started = new Date().toISOString();
    this.rows = [];
    this.nextTrial();
  }

  nextTrial() {
    const [a, b] = this.buffers;
    const x = ["A", "B"][draw(2)];
    this.row = { session: this.session, trial: this.rows.length + 1, x, answer: null };
    this.heard = new Set();
    this.began = performance.now();
    this.transport.use([a, x === "A" ? a : b, b]);
    this.versions = NAMES.map((name, index) =>
      versionButton("", name, () => this.transport.pick(index)));
    this.answers = ["A", "B"].map((name, index) => element("button",
      { class: "mc-toggle mc-answer", type: "button", onclick: () => this.answer(name) },
      element("span", { class: "mc-key", "aria-hidden": "true" }, String(index + 1)),
      ` X is ${name}`));
    const last = this.row.trial === this.trials;
    this.nextButton = goButton(last ? "Show the result" : "Next trial", () => this.next());
    showStep(this.panel, false,
      element("p", { class: "mc-step" }, `Trial ${this.row.trial} of ${this.trials}`),
      this.transport.bar,
      element("div", { class: "mc-choices mc-three", role: "group", "aria-label": "Listen to" },
        ...this.versions),
      element("div", { class: "mc-answers", role: "group", "aria-label": "Your answer" },
        ...this.answers, this.nextButton));
    this.update();
  }

  answer(name) {
    if (!this.heard.has(1)) return;
    this.row.answer = name;
    this.update();
  }

  next() {
    if (!this.row?.answer) return;
    const { row } = this;
    row.correct = Number(row.answer === row.x);
    row.seconds = ((performance.now() - this.began) / 1000).toFixed(1);
    this.rows.push(row);
    if (row.trial < this.trials) this.nextTrial();
    else this.result();
  }

  result() {
    this.transport.pause();
    this.row = null;
    if (handedOver(this.figure, this.rows)) return;
    const correct = this.rows.filter((row) => row.correct).length;
    const p = binomialTail(correct, this.trials);
    const verdict = correct >= this.needed
      ? "Guessing is a poor explanation: you most likely heard a difference."
      : "Guessing would explain that. It does not show that there is no difference, only that this "
        + "test did not find one.";
    const again = this.session > 1
      ? ` This was test ${this.session} on this page: the more tests, the likelier one succeeds `
        + "by chance." : "";
    const file = `abx-${this.started.slice(0, 19).replaceAll(":", "-")}`;
    const csv = csvOf(ABX_COLUMNS, this.rows);
    const summary = { test: "ABX", title: this.figure.dataset.title,
      started: this.started, session: this.session, trials: this.trials, correct, p,
      rows: this.rows };
    showStep(this.panel, false,
      element("p", { class: "mc-step" }, `${correct} of ${this.trials} correct`),
      element("p", {}, `Who only guesses gets ${correct} or more right with a probability of `
        + `p = ${probability(p)}. ${verdict}${again}`),
      element("ol", { class: "mc-marks", "aria-label": "Trials" }, ...this.rows.map((row) =>
        element("li", row.correct ? { "data-correct": "" } : {},
          `${row.x}${row.correct ? " ✓" : " ✗"}`))),
      element("div", { class: "mc-bar" },
        saveLink("Save CSV", `${file}.csv`, "text/csv", csv),
        saveLink("Save JSON", `${file}.json`, "application/json",
          JSON.stringify(summary, null, 1)),
        goButton("Another test", () => this.intro())),
      copyBox(csv));
  }

  onKey(event) {
    if (!this.row || event.target.closest(".mc-more")) return;
    const { key, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey) return;
    const onButton = event.target.closest(".mc-toggle, .mc-go, .mc-play, .mc-choice");
    if ((key === "Enter" && onButton)
      || (key === " " && event.target.closest(".mc-toggle, .mc-go"))) return;
    const version = NAMES.indexOf(key.toUpperCase());
    if (version >= 0) this.transport.pick(version);
    else if (key === "1" || key === "2") this.answer(key === "1" ? "A" : "B");
    else if (key === "Enter") this.next();
    else if (!this.transport.onKey(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  update() {
    if (!this.row || !this.nextButton) return;
    const { active, playing } = this.transport;
    if (playing) this.heard.add(active);
    this.versions.forEach((button, index) =>
      button.setAttribute("aria-pressed", playing && index === active));
    this.answers.forEach((button, index) => {
      button.disabled = !this.heard.has(1);
      button.setAttribute("aria-pressed", this.row.answer === ["A", "B"][index]);
    });
    this.nextButton.disabled = !this.row.answer;
    const said = playing ? `Playing ${NAMES[active]}` : "";
    if (this.status.textContent !== said) this.status.textContent = said;
  }
}

boot("abx", (figure) => new AbxTest(figure));
