// @ts-check
/** One's own picture, wherever the page shows it. */

/** @import {Sources} from "../media/sources.js" */

/**
 * Keeps every `.mirror` of `room` showing the camera, and says by `data-camera` whether it is on.
 *
 * @param {HTMLElement} room
 * @param {Sources} sources
 */
export function mirror(room, sources) {
  const show = () => {
    const track = sources.track("camera");
    for (const frame of room.querySelectorAll(".mirror")) {
      const video = frame.querySelector("video");
      if (!(frame instanceof HTMLElement) || video === null) continue;
      frame.dataset.camera = track === null ? "off" : "on";
      video.srcObject = track === null ? null : new MediaStream([track]);
      if (track !== null) video.play().catch(() => {});
    }
  };
  sources.onChange((source) => {
    if (source === "camera") show();
  });
  show();
}
