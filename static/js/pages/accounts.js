/** Sign-in and security pages: passwords that can be looked at while they are typed. */

for (const input of document.querySelectorAll("input[type=password]")) {
  if (!(input instanceof HTMLInputElement)) continue;
  const frame = document.createElement("div");
  const button = document.createElement("button");
  frame.className = "password";
  button.type = "button";
  button.setAttribute("aria-controls", input.id);

  /** @param {boolean} visible */
  const set = (visible) => {
    input.type = visible ? "text" : "password";
    button.textContent = visible ? gettext("Hide") : gettext("Show");
    button.setAttribute("aria-label", visible ? gettext("Hide password") : gettext("Show password"));
  };
  input.replaceWith(frame);
  frame.append(input, button);
  button.addEventListener("click", () => set(input.type === "password"));
  // A shown password must not end up among a browser's remembered texts.
  input.form?.addEventListener("submit", () => set(false));
  set(false);
}
