// @ts-check
/** The marks below the seek bar, and the same in sentences: who was there, and what is missing. */

import { make } from "./dom.js";

/**
 * @typedef {{from: number, to: number, film: string | null, reason: string}} Gap
 * @typedef {{place: string, at: number}} Withdrawal
 * @typedef {import("./player-film.js").FilmData} FilmData
 * @typedef {{duration: number, left: number, films: FilmData[], gaps: Gap[],
 *   withdrawals: Withdrawal[]}} Reel
 */

const SVG = "http://www.w3.org/2000/svg";

/** Units of the drawing: a span of a thousandth of the length is still seen. */
const WIDTH = 1000;
const ROW = 14;

/** @param {string} reason */
function whyMissing(reason) {
  switch (reason) {
    case "paused":
      return gettext("the recording was paused");
    case "withdrawn":
      return gettext("consent was withdrawn");
    case "away":
      return gettext("the media server was away");
    case "spool":
    case "behind":
      return gettext("the media server could not keep up");
    default:
      return gettext("lost on the way");
  }
}

/** @param {number} ms */
export function clockText(ms) {
  const total = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [total / 3600, (total / 60) % 60, total % 60].map(Math.floor);
  const pad = String(seconds).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${pad}` : `${minutes}:${pad}`;
}

/** @param {Reel} reel @returns {SVGSVGElement} */
export function drawMarks(reel) {
  const rows = reel.films.length;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${rows * ROW}`);
  svg.setAttribute("preserveAspectRatio", "none");
  const mark = marker(svg, reel.duration);
  reel.films.forEach((film, row) => {
    mark("there", film.starts, film.starts + film.duration, row, 1);
    for (const gap of reel.gaps) {
      if (gap.film === film.id) mark(`gap ${gap.reason}`, gap.from, gap.to, row, 1);
    }
    for (const one of reel.withdrawals) {
      if (one.place === film.place && !film.screen) mark("withdrawal", one.at, one.at + reel.duration / 250, row, 1);
    }
  });
  for (const gap of reel.gaps) {
    if (gap.film === null) mark(`gap ${gap.reason}`, gap.from, gap.to, 0, rows);
  }
  return svg;
}

/** @param {SVGSVGElement} svg @param {number} duration */
function marker(svg, duration) {
  /**
   * @param {string} name
   * @param {number} from
   * @param {number} to
   * @param {number} row
   * @param {number} rows
   */
  return (name, from, to, row, rows) => {
    const box = document.createElementNS(SVG, "rect");
    box.setAttribute("class", name);
    const x = (WIDTH * from) / duration;
    box.setAttribute("x", String(x));
    box.setAttribute("width", String(Math.max(1.5, (WIDTH * to) / duration - x)));
    box.setAttribute("y", String(row * ROW + 2));
    box.setAttribute("height", String(rows * ROW - 4));
    svg.append(box);
  };
}

/** @param {Reel} reel @returns {HTMLLIElement[]} in the order in which things happened */
export function tell(reel) {
  const byId = new Map(reel.films.map((film) => [film.id, film]));
  const nameOf = new Map(reel.films.map((film) => [film.place, film.name]));
  const told = reel.films.map((film) => ({
    at: film.starts,
    text: interpolate(
      film.screen
        ? gettext("%(from)s to %(to)s: %(name)s shows a screen")
        : gettext("%(from)s to %(to)s: %(name)s is there"),
      {
        from: clockText(film.starts),
        to: clockText(film.starts + film.duration),
        name: film.name,
      },
      true,
    ),
  }));
  for (const gap of reel.gaps) {
    const film = gap.film === null ? undefined : byId.get(gap.film);
    const words = { from: clockText(gap.from), to: clockText(gap.to), why: whyMissing(gap.reason) };
    told.push({
      at: gap.from,
      text: film
        ? interpolate(
            gettext("%(from)s to %(to)s: something of %(name)s is missing, because %(why)s"),
            { ...words, name: film.name },
            true,
          )
        : interpolate(
            gettext("%(from)s to %(to)s: nothing of anybody, because %(why)s"),
            words,
            true,
          ),
    });
  }
  for (const one of reel.withdrawals) {
    told.push({
      at: one.at,
      text: interpolate(
        gettext("%(at)s: %(name)s withdrew their consent"),
        { at: clockText(one.at), name: nameOf.get(one.place) ?? gettext("somebody") },
        true,
      ),
    });
  }
  return told
    .sort((one, other) => one.at - other.at)
    .map(({ text }) => make("li", { text }));
}
