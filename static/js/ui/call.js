// @ts-check
/**
 * The call stage: holds the line and the media together, and shows what they say.
 *
 * One `Call` is one stay in the room, from the join ticket to goodbye; all its listeners go with it.
 */

import { MediaSession } from "../media/session.js";
import { ticket } from "../signal/door.js";
import { Problem } from "../signal/http.js";
import { Line } from "../signal/line.js";
import { showConnection, showMode } from "./about.js";
import { announce } from "./announce.js";
import { ChatPanel } from "./chat-panel.js";
import { confirm } from "./confirm.js";
import { controls } from "./controls.js";
import { bound, button, find, words } from "./dom.js";
import { noticeFor } from "./notice.js";
import { Panels } from "./panels.js";
import { clearPeople, showPeople, showWaiting } from "./people.js";
import { CallRecording } from "./recording.js";
import { Tiles } from "./tiles.js";
import { stayAwake } from "./wake.js";
import { fill, troubleWords } from "./words.js";

/** @import {Me} from "../signal/door.js" */
/** @import {LineEvents, LineStatus} from "../signal/line.js" */
/** @import {MediaStatus} from "../media/session.js" */
/** @import {Prepared} from "../media/prepared.js" */
/** @import {Sources} from "../media/sources.js" */
/** @import {Diagnostics} from "./diagnostics.js" */
/** @import {Goodbye, Media, Mode, Person, Purpose, ServerMessage, State, Waiting, Welcome} from "../wire/messages.js" */

/**
 * @typedef {object} CallEvents
 * @property {(goodbye: Goodbye) => void} goodbye
 * @property {(problem: Problem) => void} refused
 */

const REFRESH_MS = 2_000;
const TITLE = document.title;
/** How long a refusal of something the person pressed stays readable. */
const TOLD_MS = 8_000;

export class Call {
  #room;
  #section;
  #sources;
  #me;
  #events;
  #diagnostics;
  #line;
  /** @type {LineEvents} */
  #lineEvents;
  #session;
  #tiles;
  #chat;
  #panels;
  #recording;
  #listening = new AbortController();
  #letSleep;
  #refresher;

  #takeover = false;
  #you = "";
  #host;
  /** The mode this person was told; another one needs their word first. @type {Mode} */
  #mode;
  /** @type {Promise<void>} */
  #agreed = Promise.resolve();
  #seq = -1;
  /** @type {Person[]} */
  #people = [];
  /** @type {Waiting[]} */
  #waiting = [];
  /** @type {LineStatus} */
  #lineStatus = "connecting";
  /** @type {MediaStatus} */
  #mediaStatus = "connecting";
  #told = "";

  /**
   * @param {HTMLElement} room
   * @param {Sources} sources
   * @param {Me} me
   * @param {Prepared | null} prepared
   * @param {Diagnostics} diagnostics
   * @param {CallEvents} events
   */
  constructor(room, sources, me, prepared, diagnostics, events) {
    const { signal } = this.#listening;
    this.#room = room;
    this.#section = find(room, '[data-for="call"]', HTMLElement);
    this.#sources = sources;
    this.#me = me;
    this.#host = me.host;
    this.#mode = me.mode;
    this.#events = events;
    this.#diagnostics = diagnostics;
    this.#tiles = new Tiles(find(this.#section, "#tiles", HTMLElement), {
      firstFrame: () => diagnostics.firstFrame(),
      silenced: () => {
        button(this.#section, "hear").hidden = false;
      },
    });
    this.#panels = new Panels(this.#section, () => this.#panelChanged(), signal);
    this.#chat = new ChatPanel(
      this.#section,
      (text) => this.#session.say(text),
      () => this.#panels.isOpen("chat"),
      signal,
    );
    this.#recording = new CallRecording(this.#section, me.organisation, {
      send: (message) => this.#line.send(message),
      appears: () => this.#panels.show(null),
    }, signal);
    this.#session = new MediaSession(sources, prepared, {
      send: (message) => this.#line.send(message),
      status: (status) => this.#mediaChanged(status),
      remote: (participation, group, stream) => this.#tiles.stream(participation, group, stream),
      chat: (from, text) => this.#chatted(from, text),
      chatOpen: (open) => this.#chat.available(open),
      chatRefused: () => this.#chat.refused(),
      othersHere: () => this.#mode !== "private" || this.#others().some((p) => p.connected),
      doubtful: () => this.#line.probe(),
      mark: (name) => diagnostics.mark(name),
    });
    diagnostics.connections = () => this.#session.peerConnections();
    this.#lineEvents = {
      message: (message) => this.#received(message),
      status: (status) => this.#lineChanged(status),
      goodbye: (goodbye) => events.goodbye(goodbye),
      refused: (problem) => events.refused(problem),
      keepMedia: () => this.#session.isAlive(),
      mark: (name) => diagnostics.mark(name),
    };
    this.#line = new Line("join", this.#fetchTicket, this.#lineEvents);
    this.#wire(signal);
    this.#letSleep = stayAwake();
    this.#refresher = setInterval(() => this.#refresh(), REFRESH_MS);
  }

  #fetchTicket = (/** @type {Purpose} */ purpose) => {
    const takeover = this.#takeover;
    this.#takeover = false; // once: afterwards this page is the one
    return ticket(purpose, takeover);
  };

  /**
   * @param {boolean} takeover end this seat's page elsewhere
   * @param {{line: Line, ticket: string} | null} admitted the line of one who waited goes on
   */
  start(takeover, admitted = null) {
    this.#takeover = takeover;
    showMode(this.#section, this.#mode, this.#me.organisation);
    this.#chat.note(this.#mode, this.#me.organisation);
    if (admitted === null) this.#line.start();
    else {
      this.#line = admitted.line;
      this.#line.become("join", this.#fetchTicket, this.#lineEvents, admitted.ticket);
    }
    this.#render();
  }

  /** @param {boolean} saying whether the others are told that this person leaves */
  stop(saying = false) {
    if (saying) this.#line.leave();
    else this.#line.stop();
    this.#session.stop();
    this.#tiles.stop();
    clearPeople(this.#section);
    document.title = TITLE;
    this.#listening.abort();
    this.#letSleep();
    clearInterval(this.#refresher);
  }

  /** Whether something of this person is taken, as far as this page knows. */
  isRecorded() {
    return this.#recording.isRecorded();
  }

  /** @param {string} id of the output device */
  speaker(id) {
    this.#tiles.speaker(id);
  }

  /** @param {AbortSignal} signal */
  #wire(signal) {
    const press = (/** @type {string} */ action, /** @type {() => void} */ run) =>
      this.#section
        .querySelector(`[data-action="${action}"]`)
        ?.addEventListener("click", run, { signal });
    controls(
      this.#section,
      this.#sources,
      {
        changed: () => this.#render(),
        trouble: (pressed) => this.#deviceTrouble(pressed),
      },
      signal,
    );
    press("leave", () => void this.#leave());
    press("end", () => void this.#end());
    press("hear", () => {
      button(this.#section, "hear").hidden = true;
      this.#tiles.hear();
    });
  }

  /** @param {ServerMessage} message */
  #received(message) {
    switch (message.type) {
      case "welcome":
        return this.#welcomed(message);
      case "state":
        return this.#state(message);
      case "media":
        return void this.#agreed.then(() => this.#openMedia(message));
      case "described":
      case "remote_candidate":
        return void this.#agreed.then(() => this.#session.heard(message));
      case "error":
        return this.#tell(message.text);
    }
  }

  /** @param {Welcome} welcome */
  #welcomed(welcome) {
    this.#you = welcome.you;
    this.#host = welcome.host;
    this.#seq = -1; // a new socket counts anew
    this.#recording.welcomed(welcome);
    showMode(this.#section, this.#mode, this.#me.organisation, welcome.recordable);
    if (welcome.mode !== this.#mode) this.#agreed = this.#modeChanged(welcome.mode);
    this.#session.welcomed();
  }

  /** The mode never changes silently: nothing is sent until the person agrees. @param {Mode} mode */
  async #modeChanged(mode) {
    const agrees = await confirm({
      title: gettext("This call is not what it was announced as"),
      words:
        mode === "governed"
          ? fill(
              gettext("It now goes through %(organisation)s's media server, which can decrypt picture and sound. Do you want to go on?"),
              { organisation: this.#me.organisation },
            )
          : gettext("It now goes straight from browser to browser. Do you want to go on?"),
      yes: gettext("Go on"),
      no: gettext("Leave the call"),
    });
    if (!agrees) {
      this.#events.goodbye({ type: "goodbye", reason: "left", may_return: true });
      return new Promise(() => {});
    }
    this.#mode = mode;
    this.#room.dataset.mode = mode;
    showMode(this.#section, mode, this.#me.organisation);
    this.#chat.note(mode, this.#me.organisation);
  }

  /** @param {Media} media */
  #openMedia(media) {
    if (!this.#session.open(media, this.#mode)) this.#events.refused(new Problem("mode_mismatch"));
  }

  /** @param {State} state */
  #state(state) {
    if (state.seq <= this.#seq) return;
    this.#seq = state.seq;
    const before = new Set(this.#waiting.map((one) => one.id));
    this.#people = state.people;
    this.#waiting = state.waiting;
    const newcomer = state.waiting.find((one) => !before.has(one.id));
    if (newcomer) announce(fill(gettext("%(name)s is waiting to be let in."), { name: newcomer.name }));
    this.#tiles.people(this.#others(), this.#outdated());
    this.#session.people(state.people.filter((person) => person.connected).length);
    this.#session.retry();
    this.#recording.show(state);
    this.#render();
  }

  /** @param {LineStatus} status */
  #lineChanged(status) {
    this.#lineStatus = status;
    this.#room.dataset.line = status;
    this.#tiles.people(this.#others(), this.#outdated());
    this.#render();
  }

  /** @param {MediaStatus} status */
  #mediaChanged(status) {
    this.#mediaStatus = status;
    this.#room.dataset.media = status;
    if (status === "alone" || status === "unserved") this.#tiles.clear();
    this.#render();
  }

  /** @param {string | null} from @param {string} text */
  #chatted(from, text) {
    if (from === this.#you) return;
    const others = this.#others();
    const sender = from === null ? others[0] : others.find((person) => person.id === from);
    this.#chat.received(sender?.name ?? gettext("Somebody in the call"), text);
  }

  #others() {
    return this.#people.filter((person) => person.id !== this.#you);
  }

  /** While the line is down, what the others do with their devices is what was last heard of it. */
  #outdated() {
    return this.#lineStatus === "interrupted";
  }

  #render() {
    const others = this.#others();
    const notice = noticeFor({
      line: this.#lineStatus,
      media: this.#mediaStatus,
      others,
      sharing: this.#sources.isOn("screen"),
    });
    words(find(this.#section, "#notice", HTMLElement), this.#told || notice);
    // Without a media server nobody could be heard who is here: that is said, and not this.
    const alone = this.#lineStatus !== "connecting" && this.#mediaStatus !== "unserved" && others.length === 0;
    bound(this.#section, "alone").hidden = !alone;
    if (alone) this.#alone();
    showPeople(this.#section, this.#people, {
      you: this.#you,
      outdated: this.#outdated(),
      remove: this.#host ? (person) => void this.#remove(person) : null,
    });
    showWaiting(this.#section, this.#host ? this.#waiting : [], {
      admit: ({ id }) => void this.#line.send({ type: "admit", participation: id }),
      decline: ({ id }) => void this.#line.send({ type: "decline", participation: id }),
    });
    this.#section.dataset.waiting = this.#waiting.length > 0 ? "yes" : "no";
    // For a host who looks at another tab in the meantime.
    document.title = this.#waiting.length > 0 ? `(${this.#waiting.length}) ${TITLE}` : TITLE;
  }

  #alone() {
    words(bound(this.#section, "alone-title"), gettext("Nobody else is here at the moment."));
    words(
      bound(this.#section, "alone-help"),
      this.#host && this.#waiting.length === 0
        ? gettext("As soon as somebody waits, you can let them in here.")
        : this.#host
          ? ""
          : gettext("Please stay. The call goes on as soon as they are back."),
    );
  }

  #refresh() {
    if (this.#waiting.length > 0) this.#render();
    if (this.#panels.isOpen("about")) this.#connection();
  }

  #connection() {
    void showConnection(this.#section, this.#session.peerConnections(), this.#mode);
  }

  #panelChanged() {
    this.#chat?.seen();
    if (this.#panels?.isOpen("about")) this.#connection();
  }

  /** @param {string} text */
  #tell(text) {
    this.#told = text;
    this.#render();
    setTimeout(() => {
      if (this.#told !== text) return;
      this.#told = "";
      this.#render();
    }, TOLD_MS);
  }

  /** @param {"microphone" | "camera"} pressed */
  #deviceTrouble(pressed) {
    const said = troubleWords(this.#sources.trouble, pressed);
    words(bound(this.#section, "device-trouble"), said === null ? "" : `${said.title} ${said.help}`);
    if (said !== null) this.#panels.show("devices");
  }

  /** @param {Person} person */
  async #remove(person) {
    const { id, name } = person;
    const sure = await confirm({
      title: fill(gettext("Remove %(name)s from the call?"), { name }),
      words: gettext("They are disconnected at once and cannot come back by themselves."),
      yes: gettext("Remove"),
      no: gettext("Keep in the call"),
      danger: true,
    });
    if (sure) this.#line.send({ type: "remove", participation: id });
  }

  async #leave() {
    const stays = this.#recording.endsWithMe() && !(await confirm({
      title: gettext("The recording ends when you leave"),
      words: gettext("If it should go on without you, stay and hand it over to a colleague in the call first."),
      yes: gettext("Leave and end the recording"),
      no: gettext("Stay in the call"),
    }));
    if (!stays) this.#events.goodbye({ type: "goodbye", reason: "left", may_return: true });
  }

  async #end() {
    const sure = await confirm({
      title: gettext("End the visit for everyone?"),
      words: gettext("Everybody is disconnected and cannot come back. If only you want to go, choose Leave."),
      yes: gettext("End for everyone"),
      no: gettext("Stay in the call"),
      danger: true,
    });
    if (sure) this.#line.send({ type: "end_meeting" });
  }
}
