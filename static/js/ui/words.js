// @ts-check
/** What things are called on the screen. */

/** @import {Mode, Recordable} from "../wire/messages.js" */
/** @import {DeviceTrouble} from "../media/devices.js" */

/** @param {string} text @param {Record<string, string | number>} values */
export function fill(text, values) {
  return interpolate(text, values, true);
}

/** The mode in one line, always on the screen. @param {Mode} mode @param {string} organisation */
export function modeShort(mode, organisation) {
  return mode === "private"
    ? gettext("Private: only the two of you")
    : fill(gettext("Through %(organisation)s's media server"), { organisation });
}

/**
 * Who can see and hear the call, and what that rests on, in paragraphs.
 *
 * @param {Mode} mode
 * @param {string} organisation
 * @param {Recordable | null} recordable null before the server has said
 * @returns {string[]}
 */
export function modeLong(mode, organisation, recordable) {
  if (mode === "private") {
    return [
      gettext("Only the two of you can see and hear this call."),
      gettext(
        "Picture, sound and chat are encrypted in one browser and decrypted in the other. Servers on the way only pass on what they cannot open, and the call cannot be recorded by us.",
      ),
      gettext(
        "This rests on both browsers running the program that we publish, and on our server introducing the two of you honestly. You cannot check that yourselves yet.",
      ),
    ];
  }
  return [
    fill(
      gettext(
        "Picture, sound and chat go through %(organisation)s's media server. They are encrypted on the way there and on the way to the others.",
      ),
      { organisation },
    ),
    fill(
      gettext(
        "The media server itself can decrypt them. So besides the people in the call, those who run the server for %(organisation)s could see and hear it.",
      ),
      { organisation },
    ),
    recordable === "not_by_policy"
      ? fill(gettext("%(organisation)s does not allow calls to be recorded."), { organisation })
      : gettext(
          "Nothing is recorded unless everybody in the call has agreed to it first, on their own screen. While it is, that stands above the pictures.",
        ),
  ];
}

/** How somebody was verified, for the host. @param {readonly string[]} proofs */
export function verifiedWords(proofs) {
  if (proofs.length === 0) return gettext("Not verified");
  if (proofs.length === 1 && proofs[0] === "mailbox") return gettext("Verified by mailbox only");
  /** @type {Record<string, string>} */
  const names = {
    mailbox: gettext("mailbox"),
    sms: gettext("text message"),
    date_of_birth: gettext("date of birth"),
    "sign-in": gettext("their account"),
  };
  const known = proofs.map((proof) => names[proof] ?? proof);
  return fill(gettext("Verified by %(proofs)s"), { proofs: joined(known) });
}

/** "a, b and c" in the page's language. @param {string[]} items */
export function joined(items) {
  return new Intl.ListFormat(document.documentElement.lang || "en", { type: "conjunction" }).format(items);
}

/** @param {string} since ISO 8601 @param {number} [now] */
export function waitingWords(since, now = Date.now()) {
  const minutes = Math.floor(Math.max(0, now - Date.parse(since)) / 60_000);
  if (!(minutes >= 1)) return gettext("just arrived");
  return fill(
    ngettext("waiting for %(minutes)s minute", "waiting for %(minutes)s minutes", minutes),
    { minutes },
  );
}

/**
 * What is the matter with the devices, and what the person can do about it; null where all is well.
 *
 * @param {Record<"microphone" | "camera", DeviceTrouble | null>} trouble
 * @param {"microphone" | "camera"} [first] which one to speak of where each has its own trouble
 * @returns {{title: string, help: string} | null}
 */
export function troubleWords(trouble, first = "microphone") {
  const other = first === "microphone" ? "camera" : "microphone";
  const device = trouble[first] === null ? other : first;
  const both = trouble.microphone === trouble.camera;
  switch (trouble[device]) {
    case null:
      return null;
    case "blocked":
      return {
        title: both
          ? gettext("Camera and microphone are blocked.")
          : device === "camera"
            ? gettext("The camera is blocked.")
            : gettext("The microphone is blocked."),
        help: gettext(
          "Tap the small sign to the left of the address at the top of the browser, and choose “Allow” for camera and microphone. Then try again.",
        ),
      };
    case "missing":
      return device === "camera"
        ? {
            title: gettext("We found no camera."),
            help: gettext("You can go on without: you will be heard, but not seen."),
          }
        : {
            title: both ? gettext("We found no camera and no microphone.") : gettext("We found no microphone."),
            help: gettext("Plug one in, or use another device. Without it nobody will hear you."),
          };
    case "busy":
      return {
        title:
          device === "camera"
            ? gettext("Another program is using the camera.")
            : gettext("Another program is using the microphone."),
        help: gettext("Close other video programs and pages. Then try again."),
      };
    case "unsupported":
      return {
        title: gettext("This browser cannot make video calls."),
        help: gettext("Please open your invitation in Chrome, Firefox, Edge or Safari."),
      };
  }
}
