// @ts-check
/** One's own picture, wherever the page shows it. */

/** @import {Sources} from "../media/sources.js" */

/**
 * Keeps the `.mirror` of the stage that is on the screen showing the camera, and says by
 * `data-camera` whether it is on. The others let go of it: every <video> that holds a camera's
 * frames takes some out of a small pool, and a hidden one may not give them back.
 *
 * @param {HTMLElement} room
 * @param {Sources} sources
 */
export function mirror(room, sources) {
  const show = () => {
    const track = sources.track("camera");
    for (const frame of room.querySelectorAll(".mirror")) {
      const video = frame.querySelector("video");
      const stage = frame.closest("[data-for]");
      if (!(frame instanceof HTMLElement) || !(stage instanceof HTMLElement) || video === null) continue;
      const shown = stage.hidden ? null : track;
      frame.dataset.camera = track === null ? "off" : "on";
      if (shown === trackOf(video)) continue;
      video.srcObject = shown === null ? null : new MediaStream([shown]);
      if (shown !== null) video.play().catch(() => {});
    }
  };
  sources.onChange((source) => {
    if (source === "camera") show();
  });
  new MutationObserver(show).observe(room, { attributes: true, attributeFilter: ["data-stage"] });
  show();
}

/** @param {HTMLVideoElement} video @returns {MediaStreamTrack | null} */
function trackOf(video) {
  return video.srcObject instanceof MediaStream ? (video.srcObject.getVideoTracks()[0] ?? null) : null;
}
