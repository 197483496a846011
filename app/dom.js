// The few ways in which the page changes: never more than needed, so that nothing jumps and focus stays.

export const $ = (id) => document.getElementById(id);

/** Set text only when it differs. */
export function text(node, value) {
  const next = value === "" ? "\u00a0" : String(value);
  if (node.textContent !== next) node.textContent = next;
}

export function attr(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** `el("p.mark", "57.3")`, `el("li", child, child)`. */
export function el(spec, ...children) {
  const [tag, ...classes] = spec.split(".");
  const node = document.createElement(tag);
  node.className = classes.join(" ");
  node.append(...children);
  return node;
}

/** A value with its commitment: seen, on chain, or final. */
export function levelChip(node, level) {
  attr(node, "data-level", level ?? "");
  text(node, level ?? "");
}
