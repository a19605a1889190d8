// A slider in the place of the buttons: one stop for each version, in their order.

import { element } from "./dom.mjs";

/** A slider named `label` that calls `pick` with the number of the version it is moved to. */
export function knob(label, names, pick) {
  const input = element("input", {
    type: "range", min: "0", max: String(names.length - 1), step: "1", value: "0",
    "aria-label": label, oninput: () => pick(Number(input.value)),
  });
  // No <output>: that is read aloud at each change, and the slider says its value by itself.
  const now = element("span", { class: "mc-name" });
  const box = element("div", { class: "mc-knob" },
    element("span", { class: "mc-facts" }, label), now, input);
  const show = (index) => {
    input.value = String(index);
    input.setAttribute("aria-valuetext", names[index]);
    now.textContent = names[index];
  };
  return { box, show };
}
