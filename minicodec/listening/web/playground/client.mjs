// The worker as the page sees it: questions with answers, and frames that come unasked.

export class Client {
  /** onFrames: called with what was decoded, before it is heard. */
  constructor(onFrames) {
    this.waiting = new Map();
    this.number = 0;
    this.worker = new Worker(new URL("worker.mjs", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => {
      if (data.frames) onFrames(data.frames);
      else this.answer(data);
    };
    this.worker.onerror = (event) => {
      event.preventDefault?.();
      const error = new Error(event.message || "the codec's thread did not start.");
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
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
      this.waiting.set(id, { resolve, reject, progress });
      this.worker.postMessage({ id, ask, ...what }, transfer);
    });
  }
}
