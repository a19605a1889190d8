// Before MathJax: a deck says when its formulas are set, and waits until they can be.
window.mathReady = new Promise((resolve) => {
  window.MathJax = {
    startup: {
      typeset: false,
      ready: () => {
        window.MathJax.startup.defaultReady();
        resolve();
      },
    },
    options: { skipHtmlTags: ["script", "style", "textarea", "pre", "code", "figure"] },
  };
});
