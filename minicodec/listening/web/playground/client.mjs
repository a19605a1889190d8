// The worker as the page sees it: questions with answers, and frames that come unasked.

export class Client {
  /** onFrames: called with what was decoded, before it is heard; onGone: with an error, once, when
   *  the worker has ended by itself. */
  constructor(onFrames, onGone) {
    this.waiting = new Map();
    this.number = 0;
    this.gone = null; // why nobody answers any more
    this.worker = new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => {
      if (data.frames) onFrames(data.frames);
      else this.answer(data);
    };
    this.worker.onerror = (event) => {
      event.preventDefault?.();
      if (this.gone) return;
      const why = event.message ? `has ended (${event.message})` : "did not start";
      this.gone = new Error(`the codec's thread ${why}: load this page anew.`);
      this.worker.terminate();
      for (const { reject } of this.waiting.values()) reject(this.gone);
      this.waiting.clear();
      onGone(this.gone);
    };
  }

  answer({ id, progress, result, error }) {
    const one = this.waiting.get(id);
    if (!one) return;
    if (progress) {
      one.progress?.(progress);
      return;
    }
    this.waiting.delete(id);
    if (error) one.reject(Object.assign(new Error(error.message), { name: error.name }));
    else one.resolve(result);
  }

  /** ask("encode", { audio }, progress, [transferred]) */
  ask(ask, what = {}, progress = null, transfer = []) {
    const id = ++this.number;
    return new Promise((resolve, reject) => {
      if (this.gone) throw this.gone;
      this.waiting.set(id, { resolve, reject, progress });
      this.worker.postMessage({ id, ask, ...what }, transfer);
    });
  }

  /** What needs no answer: if the worker is gone, whoever asks for a sound hears of it. */
  tell(ask, what = {}) {
    this.ask(ask, what).catch(() => {});
  }
}
