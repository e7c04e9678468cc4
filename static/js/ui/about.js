// @ts-check
/** What is known about the call: its mode in plain words, and the connection in use. */

import { qualityOf } from "../media/quality.js";
import { bound, icon, make } from "./dom.js";
import { fill, modeLong, modeShort } from "./words.js";

/** @import {Quality} from "../media/quality.js" */
/** @import {Mode, Recordable} from "../wire/messages.js" */

/**
 * @param {HTMLElement} section
 * @param {Mode} mode
 * @param {string} organisation
 * @param {Recordable | null} [recordable]
 */
export function showMode(section, mode, organisation, recordable = null) {
  section.dataset.mode = mode;
  bound(section, "mode-short").textContent = modeShort(mode, organisation);
  const banner = section.querySelector('[data-action="about"]');
  if (banner !== null) icon(banner, mode === "private" ? "lock" : "server");
  bound(section, "mode-long").replaceChildren(
    ...modeLong(mode, organisation, recordable).map((text) => make("p", { text })),
  );
}

/**
 * @param {HTMLElement} section
 * @param {RTCPeerConnection[]} connections
 * @param {Mode} mode
 */
export async function showConnection(section, connections, mode) {
  const quality = await qualityOf(connections);
  const rows = factsOf(quality, mode).flatMap(([name, value]) => [
    make("dt", { text: name }),
    make("dd", { text: value }),
  ]);
  bound(section, "connection").replaceChildren(...rows);
}

/** @param {Quality} quality @param {Mode} mode @returns {[string, string][]} */
function factsOf(quality, mode) {
  if (quality.dtls === "") return [[gettext("Encryption"), gettext("Not connected yet")]];
  const unknown = gettext("Measuring…");
  return [
    [
      gettext("Encryption"),
      fill(gettext("Encrypted (%(details)s)"), { details: [quality.dtls, quality.srtp].filter(Boolean).join(", ") }),
    ],
    [gettext("Way"), routeWords(quality.route, mode)],
    [
      gettext("Delay"),
      quality.roundTripMs === null
        ? unknown
        : fill(gettext("%(delay)s ms there and back"), { delay: quality.roundTripMs }),
    ],
    [
      gettext("Lost on the way"),
      quality.lossPercent === null ? unknown : fill("%(loss)s %", { loss: quality.lossPercent.toFixed(1) }),
    ],
  ];
}

/** @param {Quality["route"]} route @param {Mode} mode */
function routeWords(route, mode) {
  if (route === "relay") return gettext("Through a relay that cannot open it and hides your network address from the others");
  return mode === "private" ? gettext("Straight from browser to browser") : gettext("Straight to the media server");
}
