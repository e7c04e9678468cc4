/**
 * The invitation page, and the short-code field on the home page.
 *
 * An invitation's link carries its secret in the fragment, which browsers do not send. Opening the
 * page therefore redeems nothing; a person's tap does. The secret is taken out of the address bar
 * at once (shoulders, screenshots, shared history) and kept for this tab until it is redeemed, so
 * that a reload or a change of language loses nothing.
 */

const KEPT = "consilium.invitation";

/** A short code has twelve letters and digits; everything else people type is decoration. */
const CODE_CHARACTERS = 12;

/** Shape of a secret: base64url, at least 128 bit. Mail programs cut links; say so early. */
const SECRET_SHAPE = /^[A-Za-z0-9_-]{22,128}$/;

/** Problems of an invitation that trying again will not cure. */
const DEAD = new Set([
  "invitation_unknown",
  "invitation_expired",
  "invitation_used",
  "invitation_revoked",
  "meeting_closed",
]);

/** @typedef {{ code: string, title: string, detail: string }} Problem */

/**
 * What a person can do next, by the problem's registered code (platform/foundation/errors.py).
 * @param {string} code
 * @returns {string}
 */
function nextStep(code) {
  switch (code) {
    case "invitation_unknown":
      return gettext(
        "Please check that the link or the code is complete. If it is, call the place that invited you: they can send you a new invitation at once.",
      );
    case "invitation_expired":
    case "invitation_revoked":
      return gettext(
        "Call the place that invited you, or answer their message. They can send you a new invitation at once.",
      );
    case "invitation_used":
      return gettext(
        "Please go on where you opened it first. If that was not you, call the place that invited you now.",
      );
    case "meeting_closed":
      return gettext(
        "If you think that your visit has not taken place yet, call the place that invited you.",
      );
    case "too_many_attempts":
      return gettext("This protects your visit from strangers. Wait five minutes, then try again.");
    case "code_incomplete":
      return gettext("Please compare it with your message and fill in what is missing.");
    case "link_incomplete":
      return gettext(
        "Some mail programs cut long links. Open the message again and tap the link, or type the short code below it.",
      );
    case "offline":
      return gettext("Please check your connection to the internet, and try again.");
    default:
      return gettext("Please try again in a moment. If it stays like this, call the place that invited you.");
  }
}

/**
 * @param {ParentNode} within
 * @param {Problem} problem
 */
function show(within, problem) {
  const notice = within.querySelector("[data-problem]");
  if (!(notice instanceof HTMLElement)) return;
  const title = notice.querySelector("[data-problem-title]");
  const next = notice.querySelector("[data-problem-next]");
  if (title) title.textContent = problem.title;
  if (next) next.textContent = nextStep(problem.code);
  notice.dataset["problem"] = problem.code;
  notice.hidden = false;
  notice.focus();
}

/** @param {ParentNode} within */
function hideProblem(within) {
  const notice = within.querySelector("[data-problem]");
  if (notice instanceof HTMLElement) notice.hidden = true;
}

/**
 * Redeems an invitation. Resolves to the room's address on this site, or to what went wrong.
 * @param {{ secret: string } | { code: string }} proof
 * @returns {Promise<URL | Problem>}
 */
async function redeem(proof) {
  const token = document.querySelector('meta[name="csrf-token"]');
  /** @type {Response} */
  let response;
  try {
    response = await fetch("/visit/redeem", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": token instanceof HTMLMetaElement ? token.content : "",
      },
      body: JSON.stringify(proof),
    });
  } catch {
    return { code: "offline", title: gettext("We cannot reach the server."), detail: "" };
  }
  /** @type {unknown} */
  const answer = await response.json().catch(() => null);
  const fields = /** @type {Record<string, unknown>} */ (
    typeof answer === "object" && answer !== null ? answer : {}
  );
  if (response.ok && typeof fields["room_url"] === "string") {
    const room = new URL(fields["room_url"], location.origin);
    if (room.origin === location.origin) return room;
  }
  const { code, title, detail } = fields;
  return {
    code: typeof code === "string" ? code : "unexpected",
    title: typeof title === "string" ? title : gettext("Something went wrong on our side."),
    detail: typeof detail === "string" ? detail : "",
  };
}

/**
 * Runs one attempt: the button shows that it works, and nobody can press it twice.
 * @param {HTMLElement} within
 * @param {HTMLButtonElement} button
 * @param {{ secret: string } | { code: string }} proof
 */
async function attempt(within, button, proof) {
  if (button.getAttribute("aria-busy") === "true") return;
  const words = button.textContent;
  hideProblem(within);
  button.setAttribute("aria-busy", "true");
  button.textContent = gettext("One moment…");
  const outcome = await redeem(proof);
  if (outcome instanceof URL) {
    forget();
    location.replace(outcome); // "back" should not lead to an invitation that is spent
    return;
  }
  if (DEAD.has(outcome.code)) {
    forget(); // the next link opened in this tab starts afresh
    within.dispatchEvent(new CustomEvent("dead", { detail: outcome.code }));
  }
  button.removeAttribute("aria-busy");
  button.textContent = words;
  show(within, outcome);
}

/** Takes the secret out of the address bar, or out of this tab's keeping. */
function takeSecret() {
  const fragment = location.hash.slice(1);
  if (fragment) {
    history.replaceState(null, "", location.pathname + location.search);
    keep(fragment);
    return fragment;
  }
  try {
    return sessionStorage.getItem(KEPT) ?? "";
  } catch {
    return ""; // storage is switched off: the link works, a reload will ask for it again
  }
}

/** @param {string} secret */
function keep(secret) {
  try {
    sessionStorage.setItem(KEPT, secret);
  } catch {
    // storage is switched off: see above
  }
}

function forget() {
  try {
    sessionStorage.removeItem(KEPT);
  } catch {
    // storage is switched off: nothing was kept
  }
}

/**
 * Groups of four, as the code is printed; only while typing at the end, so the caret stays put.
 * @param {HTMLInputElement} input
 */
function group(input) {
  if (input.selectionStart !== input.value.length) return;
  const bare = input.value.toUpperCase().replace(/[^A-Z0-9]/g, "");
  if (bare.length > CODE_CHARACTERS) return;
  input.value = (bare.match(/.{1,4}/g) ?? []).join("-");
}

/** @param {HTMLFormElement} form */
function prepareCodeForm(form) {
  const input = form.querySelector("input[name=code]");
  const button = form.querySelector("button");
  if (!(input instanceof HTMLInputElement) || !(button instanceof HTMLButtonElement)) return;
  input.addEventListener("input", (event) => {
    input.removeAttribute("aria-invalid");
    // Deleting a dash must be possible.
    if (!(event instanceof InputEvent) || !event.inputType.startsWith("delete")) group(input);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // Somebody may paste the whole link: it holds the secret.
    const pasted = /#([A-Za-z0-9_-]+)\s*$/.exec(input.value);
    if (pasted?.[1]) {
      void attempt(form, button, { secret: pasted[1] });
      return;
    }
    const code = input.value.toUpperCase().replace(/[^A-Z0-9]/g, "");
    if (code.length !== CODE_CHARACTERS) {
      input.setAttribute("aria-invalid", "true");
      show(form, {
        code: "code_incomplete",
        title: interpolate(
          ngettext(
            "The short code has %(wanted)s letters and digits. There is %(typed)s so far.",
            "The short code has %(wanted)s letters and digits. There are %(typed)s so far.",
            code.length,
          ),
          { wanted: CODE_CHARACTERS, typed: code.length },
          true,
        ),
        detail: "",
      });
      return;
    }
    void attempt(form, button, { code });
  });
}

/** Says so before the visit when this browser will not manage a call. */
function checkBrowser() {
  const warning = document.querySelector("[data-browser-warning]");
  if (!(warning instanceof HTMLElement)) return;
  const able =
    window.isSecureContext &&
    typeof RTCPeerConnection === "function" &&
    typeof navigator.mediaDevices?.getUserMedia === "function";
  if (able) return;
  warning.textContent = gettext(
    "This browser cannot make video calls. Please open your invitation in a current version of Safari, Chrome, Firefox or Edge. If you opened it inside another app, choose “Open in browser” there.",
  );
  warning.hidden = false;
}

/** @param {HTMLElement} link @param {HTMLElement} code */
function prepareVisit(link, code) {
  const title = document.querySelector("[data-title]");
  const invited = title?.textContent ?? "";
  let secret = "";

  /**
   * With a link that opens nothing any more, what remains is what to do instead of pressing it.
   * @param {string} problem its code; "" while the link may still work
   */
  const dead = (problem) => {
    for (const part of [
      link.querySelector("[data-action=redeem]"),
      link.querySelector("[data-ready]"),
      document.querySelector("[data-next]"),
    ]) {
      if (part instanceof HTMLElement) part.hidden = problem !== "";
    }
    if (title) title.textContent = problem === "" ? invited : gettext("This link does not work");
    const useCode = link.querySelector("[data-action=use-code]");
    // Who mistyped or lost half of a link can type the code; what has ended has ended for it too.
    if (useCode instanceof HTMLElement) useCode.hidden = !["", "invitation_unknown"].includes(problem);
  };
  link.addEventListener("dead", (event) => {
    if (event instanceof CustomEvent) dead(String(event.detail));
  });

  /** @param {boolean} byCode */
  const choose = (byCode) => {
    link.hidden = byCode;
    code.hidden = !byCode;
    dead("");
    if (title && byCode) title.textContent = gettext("Open your video visit");
  };

  const read = () => {
    secret = takeSecret();
    if (secret && !SECRET_SHAPE.test(secret)) {
      forget();
      secret = "";
      choose(true);
      show(code, {
        code: "link_incomplete",
        title: gettext("This link is not complete."),
        detail: "",
      });
      return;
    }
    choose(!secret);
  };

  link.querySelector("[data-action=redeem]")?.addEventListener("click", (event) => {
    if (event.currentTarget instanceof HTMLButtonElement) {
      void attempt(link, event.currentTarget, { secret });
    }
  });
  link.querySelector("[data-action=use-code]")?.addEventListener("click", () => {
    choose(true);
    const input = code.querySelector("input[name=code]");
    if (input instanceof HTMLInputElement) input.focus();
  });
  // A second link opened in the same tab only changes the fragment.
  window.addEventListener("hashchange", () => {
    if (location.hash.length > 1 && location.hash !== "#main") {
      hideProblem(link);
      read();
    }
  });
  if (location.hash === "#main") history.replaceState(null, "", location.pathname);
  checkBrowser();
  read();
}

for (const form of document.querySelectorAll("form[data-code-form]")) {
  if (form instanceof HTMLFormElement) prepareCodeForm(form);
}
const link = document.querySelector("[data-view=link]");
const code = document.querySelector("[data-view=code]");
if (link instanceof HTMLElement && code instanceof HTMLElement) prepareVisit(link, code);
