// Sessions of a listening test, kept in the browser where it lets us, else as long as the page.

export class Store {
  /** key: the name of the test; storage: window.localStorage or the like. */
  constructor(key, storage = browserStorage()) {
    this.key = key;
    this.storage = storage;
    this.sessions = [];
    this.lasting = true;
    this.load();
  }

  load() {
    try {
      const kept = JSON.parse(this.storage.getItem(this.key) ?? "[]");
      this.sessions = Array.isArray(kept) ? kept.filter(isSession) : [];
    } catch {
      this.lasting = false; // a private window, a page from disk, a sandbox: still of use
    }
  }

  /** All ratings of all sessions. */
  get rows() {
    return this.sessions.flatMap((session) => session.rows);
  }

  /** Keep a session, in place of its earlier self. */
  keep(session) {
    if (this.lasting) this.load(); // another tab may have kept something since
    const others = this.sessions.filter((each) => each.session !== session.session);
    this.write([...others, structuredClone(session)]);
  }

  clear() {
    this.write([]);
  }

  write(sessions) {
    this.sessions = sessions;
    try {
      this.storage.setItem(this.key, JSON.stringify(sessions));
    } catch {
      this.lasting = false;
    }
  }
}

function browserStorage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

function isSession(value) {
  return Array.isArray(value?.rows) && Array.isArray(value?.left) && Boolean(value.session);
}
