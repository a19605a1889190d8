// The page on paper: light, with all that is folded open, and with a link beside what plays.
(() => {
  const undo = [];

  // Where readers of the paper find this page; a copy on a disk knows no better than where it lies.
  // (Asked when it is printed: the link stands below this script.)
  const address = () =>
    document.querySelector("link[rel=canonical]")?.href ?? location.href.split("#")[0];

  function before() {
    const page = address();
    const root = document.documentElement;
    const { theme } = root.dataset;
    root.dataset.theme = "light";
    undo.push(() => { root.dataset.theme = theme; });
    // Answers are read on paper, too; code that the page hides is hidden there (book.css).
    for (const details of document.querySelectorAll("details:not([open], .hide, .mc-more)")) {
      details.open = true;
      undo.push(() => { details.open = false; });
    }
    for (const player of document.querySelectorAll(".minicodec-player, .mc-playground")) {
      const place = player.closest("section[id]")?.id;
      const link = document.createElement("a");
      link.href = page + (place ? `#${place}` : "");
      link.textContent = link.href;
      const line = document.createElement("p");
      line.className = "on-paper";
      line.append("To hear on the page: ", link);
      player.append(line);
      undo.push(() => line.remove());
    }
  }

  addEventListener("beforeprint", before);
  addEventListener("afterprint", () => {
    for (const step of undo.splice(0)) step();
  });
})();
