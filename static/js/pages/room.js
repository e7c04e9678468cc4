// @ts-check
/** The page of a meeting: leads a person from one stage to the next. */

import { rememberSeat, seatOf } from "../media/choices.js";
import { prepare } from "../media/prepared.js";
import { Sources } from "../media/sources.js";
import { me as askWhoIAm, ticket } from "../signal/door.js";
import { Problem, UNREACHABLE } from "../signal/http.js";
import { Line } from "../signal/line.js";
import { Call } from "../ui/call.js";
import { CheckStage } from "../ui/check.js";
import { Diagnostics } from "../ui/diagnostics.js";
import { find } from "../ui/dom.js";
import { EndedStage } from "../ui/ended.js";
import { mirror } from "../ui/mirror.js";
import { pickers } from "../ui/pickers.js";
import { showStage } from "../ui/stages.js";
import { VerifyStage } from "../ui/verify.js";
import { WaitStage } from "../ui/wait.js";

/** @import {Me} from "../signal/door.js" */
/** @import {Prepared} from "../media/prepared.js" */
/** @import {Goodbye} from "../wire/messages.js" */

class RoomPage {
  #room = find(document, "#room", HTMLElement);
  #meeting = this.#room.dataset.meeting ?? "";
  #seat = seatOf(this.#meeting);
  #diagnostics = new Diagnostics();
  #sources = new Sources(this.#seat);
  /** @type {Me | null} */
  #me = null;
  /** @type {Line | null} */
  #waiting = null;
  /** @type {Call | null} */
  #call = null;
  /** @type {Prepared | null} */
  #prepared = null;

  #verify = new VerifyStage(this.#room, {
    verified: () => void this.route(),
    refused: (problem) => this.#refused(problem),
  });
  #check = new CheckStage(this.#room, this.#sources, () => this.#ready());
  #wait = new WaitStage(this.#room, {
    stop: () => this.#stopWaiting(),
    answer: (answer) => this.#waiting?.send(answer) ?? false,
  });
  #ended = new EndedStage(this.#room, this.#room.dataset.host === "yes", {
    rejoin: () => void this.route({ returning: true }),
    takeover: () => this.#takeOver(),
  });

  constructor() {
    mirror(this.#room, this.#sources);
    pickers(this.#room, this.#sources, (speaker) => this.#call?.speaker(speaker));
    this.#sources.onChange(() => rememberSeat(this.#meeting, this.#sources.wanted));
  }

  /**
   * Finds out where this person stands, and goes there.
   *
   * @param {{returning?: boolean}} [how] returning: they pressed a button to come back
   */
  async route({ returning = false } = {}) {
    const back = returning || this.#seat.entered;
    // Coming back: devices open while the server is asked, so that the call is there sooner. What
    // opens late is put into the call when it comes.
    if (back) void this.#sources.open();
    try {
      this.#me = await askWhoIAm();
    } catch (error) {
      this.#refused(error instanceof Problem ? error : new Problem(UNREACHABLE));
      return;
    }
    const { stage, resume, reason, may_return, mode } = this.#me;
    if (stage !== "verify" && stage !== "ended") this.#prepared ??= prepare(mode);
    if (stage === "verify") {
      showStage(this.#room, "verify");
      this.#verify.show(this.#me);
    } else if (stage === "ended" && !(returning && reason === "left")) {
      this.#goodbye({ type: "goodbye", reason: reason || "ended", may_return });
    } else if ((stage === "wait" && back) || (stage === "check" && returning && !this.#me.host)) {
      this.#enterWait();
    } else if (stage === "ended" || (stage === "call" && (returning || (back && resume)))) {
      this.#diagnostics.begin("back");
      this.#enterCall();
    } else {
      showStage(this.#room, "check");
      this.#check.show();
    }
  }

  #ready() {
    if (this.#me?.host || this.#me?.stage === "call") {
      this.#diagnostics.begin("ready");
      this.#enterCall();
    } else this.#enterWait();
  }

  #enterWait() {
    if (this.#me === null) return;
    this.#check.hide();
    this.#remember(true);
    showStage(this.#room, "wait");
    this.#wait.show(this.#me.mode, this.#me.organisation);
    this.#waiting?.stop();
    this.#waiting = new Line("wait", ticket, {
      message: (message) => {
        if (message.type === "lobby") this.#wait.lobby(message);
        if (message.type === "admitted") this.#admitted(message.ticket);
      },
      status: (status) => this.#wait.line(status),
      goodbye: (goodbye) =>
        goodbye.reason === "left" ? this.#stopWaiting() : this.#goodbye(goodbye),
      refused: (problem) => this.#refused(problem),
      keepMedia: () => false,
      mark: () => {},
    });
    this.#waiting.start();
  }

  /** @param {string} ticket */
  #admitted(ticket) {
    const line = this.#waiting;
    if (line === null) return;
    this.#waiting = null;
    this.#diagnostics.begin("admitted");
    this.#enterCall(false, { line, ticket });
  }

  /**
   * @param {boolean} [takeover]
   * @param {{line: Line, ticket: string} | null} [admitted]
   */
  #enterCall(takeover = false, admitted = null) {
    if (this.#me === null || this.#call !== null) return;
    this.#check.hide();
    this.#remember(true);
    this.#call = new Call(this.#room, this.#sources, this.#me, this.#takePrepared(), this.#diagnostics, {
      goodbye: (goodbye) => this.#goodbye(goodbye),
      refused: (problem) => this.#refused(problem),
    });
    this.#call.start(takeover, admitted);
    this.#waiting?.stop();
    this.#waiting = null;
    showStage(this.#room, "call");
  }

  #takeOver() {
    void this.#sources.open();
    this.#diagnostics.begin("takeover");
    this.#enterCall(true);
  }

  #takePrepared() {
    const prepared = this.#prepared;
    this.#prepared = null;
    return prepared;
  }

  #stopWaiting() {
    this.#close(true);
    showStage(this.#room, "ended");
    this.#ended.showStoppedWaiting();
  }

  /** @param {Goodbye} goodbye */
  #goodbye(goodbye) {
    const recorded = this.#call?.isRecorded() ?? false;
    this.#close(goodbye.reason === "left");
    showStage(this.#room, "ended");
    this.#ended.showGoodbye(goodbye, recorded);
  }

  /** @param {Problem} problem */
  #refused(problem) {
    if (problem.code === "not_admitted" && this.#call !== null) {
      this.#close(false);
      void this.route({ returning: true });
      return;
    }
    if (problem.code === "consent_required" && this.#me !== null) {
      // The call is recorded by now: the question is asked at the door.
      this.#close(false);
      void this.#sources.open();
      this.#enterWait();
      return;
    }
    // The place changed while this page did not look: ask where it stands now.
    const outdated = problem.code === "wrong_state" || problem.code === "not_verified";
    if (outdated && this.#me !== null && this.#me.stage !== "verify") {
      this.#close(false);
      void this.route();
      return;
    }
    this.#close(false);
    showStage(this.#room, "ended");
    this.#ended.showProblem(problem);
  }

  /** Everything that this page holds open is closed; lights go out. @param {boolean} leaving */
  #close(leaving) {
    this.#remember(false);
    this.#check.hide();
    if (leaving) this.#waiting?.leave();
    else this.#waiting?.stop();
    this.#waiting = null;
    this.#call?.stop(leaving);
    this.#call = null;
    this.#takePrepared()?.close();
    this.#sources.close();
  }

  /** @param {boolean} entered */
  #remember(entered) {
    this.#seat = { ...seatOf(this.#meeting), entered };
    rememberSeat(this.#meeting, { entered });
  }
}

void new RoomPage().route();
