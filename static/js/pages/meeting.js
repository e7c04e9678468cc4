/** The page of one meeting: copying an invitation that is shown only once. */

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  const source = document.getElementById(button.dataset["copy"] ?? "");
  const status = document.querySelector("[data-copy-status]");
  button.addEventListener("click", async () => {
    const text = source instanceof HTMLInputElement ? source.value : (source?.textContent ?? "");
    try {
      await navigator.clipboard.writeText(text.trim());
      if (status) status.textContent = gettext("Copied.");
    } catch {
      // No permission for the clipboard: mark the text, so that the person can copy it.
      if (source instanceof HTMLInputElement) source.select();
      if (status) status.textContent = gettext("Please copy the marked text.");
    }
  });
}

/** Phones have their own way to hand something on. */
for (const button of document.querySelectorAll("button[data-share]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  const source = document.getElementById(button.dataset["share"] ?? "");
  if (typeof navigator.share !== "function" || !(source instanceof HTMLInputElement)) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    // Neither title nor text: a message app would show them on a locked screen.
    navigator.share({ url: source.value }).catch(() => undefined); // dismissed: nothing to say
  });
}
