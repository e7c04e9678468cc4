// @ts-check
/** The few ways this page touches the document. Text is always set as text, never as markup. */

/**
 * The element that the template promises.
 *
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function find(root, selector, type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The page lacks ${selector}`);
  return found;
}

/** @param {ParentNode} root @param {string} name of data-bind */
export function bound(root, name) {
  return find(root, `[data-bind="${name}"]`, HTMLElement);
}

/** @param {ParentNode} root @param {string} name of data-action */
export function button(root, name) {
  return find(root, `[data-action="${name}"]`, HTMLButtonElement);
}

/**
 * A new element.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {{text?: string, className?: string, data?: Record<string, string>}} [what]
 * @param {...Node} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, { text, className, data } = {}, ...children) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className !== undefined) element.className = className;
  Object.assign(element.dataset, data ?? {});
  element.append(...children);
  return element;
}

/**
 * Shows `text` in `element`, or hides it where there is none. Says nothing twice: a live region
 * that is set to the same words would be read out again.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
export function words(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}

/** @param {ParentNode} root an element that holds one icon @param {string} name in call.svg */
export function icon(root, name) {
  const use = root.querySelector("use");
  const href = use?.getAttribute("href");
  if (use && href) use.setAttribute("href", href.replace(/#.*$/, `#${name}`));
}
