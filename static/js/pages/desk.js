/**
 * Keeps the list of visits fresh while it is looked at: who waits changes without a reload.
 *
 * The server renders the list; this module asks for the page again and takes over what lies in
 * [data-live], so there is one way to draw it.
 */

/** Often enough that nobody stands before the door for long, rare enough for a ward's network. */
const PERIOD_MS = 15_000;

const list = document.querySelector("[data-live]");
const spoken = document.querySelector("[data-live-spoken]");

/** @param {ParentNode} within */
function countWaiting(within) {
  let total = 0;
  for (const lamp of within.querySelectorAll("[data-waiting]")) {
    if (lamp instanceof HTMLElement) total += Number(lamp.dataset["waiting"]) || 0;
  }
  return total;
}

async function refresh() {
  // Never pull a button away from under a finger or the keyboard's focus.
  if (!list || document.hidden || list.matches(":focus-within, :active")) return;
  const response = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } }).catch(
    () => null,
  );
  if (!response?.ok || response.redirected) return; // signed out meanwhile: the next tap says so
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector("[data-live]");
  if (!fresh || fresh.innerHTML === list.innerHTML || list.matches(":focus-within")) return;
  const before = countWaiting(list);
  const now = countWaiting(fresh);
  list.replaceChildren(...fresh.childNodes);
  if (spoken && now > before) {
    spoken.textContent = interpolate(
      ngettext("%(count)s person is waiting.", "%(count)s people are waiting.", now),
      { count: now },
      true,
    );
  }
}

if (list) {
  setInterval(() => void refresh(), PERIOD_MS);
  document.addEventListener("visibilitychange", () => void refresh());
}
