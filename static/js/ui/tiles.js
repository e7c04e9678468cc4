// @ts-check
/**
 * The others' pictures: one tile for each face (which also carries the voice) and each screen.
 *
 * A tile belongs to a person who is admitted and there, or whose stream still is. While a new
 * connection is made, the last picture stays as a still, so that nobody stares at a black hole.
 */

import { Tile } from "./tile.js";

/** @import {Group} from "../media/path.js" */
/** @import {Person} from "../wire/messages.js" */

/**
 * @typedef {object} TileEvents
 * @property {() => void} firstFrame
 * @property {() => void} silenced the browser wants a tap before it plays sound
 */

export class Tiles {
  #root;
  #events;
  /** @type {Map<string, Tile>} by participation and group */
  #tiles = new Map();
  /** @type {Map<string, MediaStream>} */
  #streams = new Map();
  /** @type {Person[]} */
  #people = [];
  #outdated = false;

  /**
   * @param {HTMLElement} root
   * @param {TileEvents} events
   */
  constructor(root, events) {
    this.#root = root;
    this.#events = events;
    root.replaceChildren();
  }

  /**
   * @param {Person[]} people the others
   * @param {boolean} outdated they may have changed since
   */
  people(people, outdated) {
    this.#people = people;
    this.#outdated = outdated;
    this.#render();
  }

  /**
   * @param {string} participation
   * @param {Group} group
   * @param {MediaStream | null} stream
   */
  stream(participation, group, stream) {
    const key = `${participation}.${group}`;
    if (stream === null) this.#streams.delete(key);
    else this.#streams.set(key, stream);
    this.#tiles.get(key)?.stream(stream);
    this.#render();
  }

  /** Nobody is connected any more: all pictures go. */
  clear() {
    for (const key of [...this.#streams.keys()]) this.#tiles.get(key)?.stream(null);
    this.#streams.clear();
    this.#render();
  }

  /** The person tapped: sound may play. */
  hear() {
    for (const tile of this.#tiles.values()) tile.play();
  }

  /** @param {string} id of the output device */
  speaker(id) {
    for (const tile of this.#tiles.values()) tile.speaker(id);
  }

  get count() {
    return this.#tiles.size;
  }

  stop() {
    for (const tile of this.#tiles.values()) tile.stream(null);
    this.#root.replaceChildren();
  }

  #render() {
    /** @type {Map<string, [Person, Group]>} */
    const wanted = new Map();
    for (const person of this.#people) {
      if (person.screen && this.#streams.has(`${person.id}.screen`)) {
        wanted.set(`${person.id}.screen`, [person, "screen"]);
      }
      if (person.connected || this.#streams.has(`${person.id}.camera`)) {
        wanted.set(`${person.id}.camera`, [person, "camera"]);
      }
    }
    for (const [key, tile] of this.#tiles) {
      if (wanted.has(key)) continue;
      tile.stream(null);
      tile.element.remove();
      this.#tiles.delete(key);
    }
    for (const [key, [person, group]] of wanted) {
      const tile = this.#tiles.get(key) ?? this.#add(key, person, group);
      tile.person(person, this.#outdated);
    }
    this.#root.dataset.count = String(this.#tiles.size);
    this.#root.dataset.screen = [...wanted.values()].some(([, group]) => group === "screen") ? "yes" : "no";
  }

  /**
   * @param {string} key
   * @param {Person} person
   * @param {Group} group
   */
  #add(key, person, group) {
    const tile = new Tile(person.id, group, this.#events);
    this.#tiles.set(key, tile);
    if (group === "screen") this.#root.prepend(tile.element);
    else this.#root.append(tile.element);
    const stream = this.#streams.get(key);
    if (stream !== undefined) tile.stream(stream);
    return tile;
  }
}
