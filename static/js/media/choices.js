// @ts-check
/**
 * What the browser remembers: which devices this person chose (for good), and whether they were in
 * this call with the microphone and camera on (for this tab, so that a reload comes back as it was).
 */

/** @typedef {{microphone?: string, camera?: string, speaker?: string}} DeviceChoice */
/** @typedef {{entered: boolean, microphone: boolean, camera: boolean}} Seat */

const DEVICES_KEY = "consilium.devices";

/** @returns {DeviceChoice} */
export function deviceChoice() {
  const kept = read(localStorageOf(), DEVICES_KEY);
  /** @type {DeviceChoice} */
  const choice = {};
  for (const kind of /** @type {const} */ (["microphone", "camera", "speaker"])) {
    const id = kept[kind];
    if (typeof id === "string") choice[kind] = id;
  }
  return choice;
}

/** @param {DeviceChoice} choice */
export function rememberDevices(choice) {
  write(localStorageOf(), DEVICES_KEY, { ...deviceChoice(), ...choice });
}

/**
 * @param {string} meeting
 * @returns {Seat}
 */
export function seatOf(meeting) {
  const kept = read(sessionStorageOf(), `consilium.seat.${meeting}`);
  return {
    entered: kept.entered === true,
    microphone: kept.microphone !== false,
    camera: kept.camera !== false,
  };
}

/**
 * @param {string} meeting
 * @param {Partial<Seat>} seat
 */
export function rememberSeat(meeting, seat) {
  write(sessionStorageOf(), `consilium.seat.${meeting}`, { ...seatOf(meeting), ...seat });
}

// Storage may be switched off altogether; then nothing is remembered and all else works.

function localStorageOf() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

function sessionStorageOf() {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

/**
 * @param {Storage | null} storage
 * @param {string} key
 * @returns {Record<string, unknown>}
 */
function read(storage, key) {
  try {
    const value = JSON.parse(storage?.getItem(key) ?? "{}");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/**
 * @param {Storage | null} storage
 * @param {string} key
 * @param {object} value
 */
function write(storage, key, value) {
  try {
    storage?.setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: see above.
  }
}
