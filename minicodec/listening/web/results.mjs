// What every blind test needs on its page: buttons, questions, and results that can be taken home.

import { element } from "./dom.mjs";

/** The sounds that stand in the markup for pages without scripts; they leave the page. */
export function takeSounds(figure) {
  for (const node of figure.querySelectorAll(".mc-needs-script")) node.remove();
  const list = [...figure.querySelectorAll(".mc-sounds")];
  for (const node of list) node.remove();
  return list.map((node) => [...node.children].map((item) => ({
    label: item.querySelector(".mc-label").textContent,
    audio: item.querySelector("audio"),
  })));
}

/** A button that leads on, once: half of a double click must not skip what comes next. */
export function goButton(text, onclick) {
  const button = element("button", { class: "mc-go", type: "button", onclick: () => {
    button.disabled = true;
    onclick();
  } }, text);
  return button;
}

/** A button for one version: a key to press, where it has another than its name, and the name. */
export function versionButton(key, name, onclick) {
  return element("button", { class: "mc-choice", type: "button", onclick },
    ...key ? [element("span", { class: "mc-key", "aria-hidden": "true" }, key)] : [],
    element("span", { class: "mc-name" }, name));
}

/** A link that saves text as a file. */
export function saveLink(text, file, type, content) {
  return element("a", { class: "mc-save", download: file,
    href: `data:${type};charset=utf-8,${encodeURIComponent(content)}` }, text);
}

/** The results as text, for places where a page may not save files. */
export function copyBox(content) {
  const text = element("textarea", { readonly: "", rows: "6", "aria-label": "Results as CSV" });
  text.value = content;
  return element("details", { class: "mc-more" },
    element("summary", {}, "The results as text, to copy"), text);
}

/** Show another step of a test, and put the keyboard and the screen reader there. */
export function showStep(panel, quiet, ...children) {
  panel.replaceChildren(...children);
  const first = panel.querySelector(".mc-step");
  first?.setAttribute("tabindex", "-1");
  if (!quiet) first?.focus({ preventScroll: true });
}

/** Whether a page around the test takes its results over, as that of a class does. */
export function handedOver(figure, rows) {
  return !figure.dispatchEvent(new CustomEvent("minicodec-result",
    { bubbles: true, cancelable: true, detail: rows }));
}

/** A list of keys and what they do, folded away. */
export function keyList(keys) {
  return element("details", { class: "mc-more" }, element("summary", {}, "Keys"),
    element("dl", { class: "mc-keys" }, ...keys.flatMap(([key, does]) =>
      [element("dt", {}, key), element("dd", {}, does)])));
}
