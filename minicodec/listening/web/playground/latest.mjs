// Of several things that were asked for one after another only the last is wanted.

export class Latest {
  constructor() {
    this.number = 0;
  }

  /** Something new is asked for. Gives what tells if it still is the newest: `wanted()`; and what
   *  goes on only if so: `until(promise)`, which throws where it is not, so that nothing that comes
   *  late takes the place of what is newer. */
  begin() {
    const mine = ++this.number;
    const wanted = () => mine === this.number;
    const until = async (promise) => {
      const value = await promise;
      if (!wanted()) throw new Error("something else was chosen meanwhile.");
      return value;
    };
    return { wanted, until };
  }

  /** Tells if nothing new was asked for since now. */
  still() {
    const mine = this.number;
    return () => mine === this.number;
  }
}
