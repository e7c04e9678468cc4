// @ts-check
/** The one sentence above the pictures that says what is going on, while something is. */

import { fill, joined } from "./words.js";

/** @import {LineStatus} from "../signal/line.js" */
/** @import {MediaStatus} from "../media/session.js" */
/** @import {Person} from "../wire/messages.js" */

/**
 * @param {object} now
 * @param {LineStatus} now.line
 * @param {MediaStatus} now.media
 * @param {Person[]} now.others
 * @param {boolean} now.sharing
 * @returns {string} "" where nothing needs saying
 */
export function noticeFor({ line, media, others, sharing }) {
  if (line === "interrupted") {
    return media === "connected"
      ? gettext("The connection to the server was interrupted. You can go on talking; we are repairing it.")
      : gettext("Your connection was interrupted. We are bringing you back…");
  }
  if (media === "unserved" && line === "open") {
    return gettext("The media server cannot be reached at the moment. Please stay: we keep trying.");
  }
  const away = others.filter((person) => !person.connected);
  if (away.length > 0 && away.length === others.length && media !== "connected") {
    return fill(
      ngettext(
        "%(names)s is not connected at the moment. Please stay: the call goes on as soon as they are back.",
        "%(names)s are not connected at the moment. Please stay: the call goes on as soon as they are back.",
        away.length,
      ),
      { names: joined(away.map((person) => person.name)) },
    );
  }
  if (others.length > 0 && media === "reconnecting") {
    return gettext("The picture was interrupted. We are bringing it back…");
  }
  if (line === "connecting" || (others.length > 0 && media === "connecting")) {
    return gettext("Connecting you…");
  }
  return sharing ? gettext("The others see your screen. Press Stop to end that.") : "";
}
