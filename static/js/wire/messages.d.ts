// Written by `make wire` from foundation.wire.browser. Do not edit.

/** The host lets one waiting person in. */
export interface Admit {
  type: "admit";
  participation: string;
}

/** To one who waited: come in. ``ticket`` is for a ``hello`` to join on this same socket. */
export interface Admitted {
  type: "admitted";
  ticket: string;
}

/** The host asks everybody to agree to a recording, and attests who else is in their room. ``who``: in the host's own words; empty where nobody else is. */
export interface AskRecording {
  type: "ask_recording";
  others_in_room: number;
  who?: string;
}

/** A local ICE candidate (RFC 8839 ``candidate-attribute``), for the other side of ``link``. */
export interface Candidate {
  type: "candidate";
  link: Link;
  epoch: number;
  candidate: string;
  mid?: string | null;
  line?: number | null;
}

/** The host turns one waiting person away. */
export interface Decline {
  type: "decline";
  participation: string;
}

/** A local description, for the other side of ``link``. */
export interface Describe {
  type: "describe";
  link: Link;
  epoch: number;
  description: Description;
}

/** The other side's description for ``link`` in ``epoch``. */
export interface Described {
  type: "described";
  link: Link;
  epoch: number;
  description: Description;
}

/** A session description (RFC 8829). */
export interface Description {
  type: "offer" | "answer";
  sdp: string;
}

/** The host ends the meeting for everyone. */
export interface EndMeeting {
  type: "end_meeting";
}

/** A message was refused; the socket stays open unless a close follows. ``about``: its type. */
export interface Failure {
  type: "error";
  code: string;
  text: string;
  about: string | null;
}

/** This person agrees to the words of ``text``, which their screen showed. */
export interface GiveConsent {
  type: "give_consent";
  text: string;
}

/** The seat's time is over here; the socket closes next. */
export interface Goodbye {
  type: "goodbye";
  reason: "left" | "removed" | "declined" | "ended" | "taken_over";
  may_return: boolean;
}

/** Somebody else of the staff keeps the recording from now on. */
export interface HandOverRecording {
  type: "hand_over_recording";
  participation: string;
}

/** Opens the socket; on a socket that waits, a ``join`` ticket makes it one of the call. ``keep_media`` says that this page's media path still lives. */
export interface Hello {
  type: "hello";
  version: number;
  ticket: string;
  keep_media?: boolean;
}

/** One entry of RTCConfiguration.iceServers, with a time-limited credential. */
export interface IceServer {
  urls: Array<string>;
  username: string | null;
  credential: string | null;
}

/** This person leaves the call or the queue; they may come back while the meeting is open. */
export interface Leave {
  type: "leave";
}

/** Which peer connection a description or candidate belongs to. */
export type Link = "peer" | "publish" | "subscribe";

/** To one who waits: place 1 is next. ``host_here`` says whether a host is in the room. ``question``: they are let in as soon as they agree (place is 0 then). */
export interface Lobby {
  type: "lobby";
  place: number;
  waiting: number;
  host_here: boolean;
  question: Question | null;
}

/** Open media attempt ``epoch``: forget peer connections of earlier ones. ``path`` ``peer``: connect to ``peer``; the side with ``offers`` makes the offer. ``path`` ``worker``: offer ``publish``, then answer the worker's ``subscribe`` offers. ``ready`` false: nothing to connect to yet. By ``path`` ``peer`` that is nobody else in the call, by ``worker`` no media worker. */
export interface Media {
  type: "media";
  path: "peer" | "worker";
  epoch: number;
  ready: boolean;
  offers: boolean;
  peer: string | null;
  relay_only: boolean;
  ice_servers: Array<IceServer>;
}

/** Who can decrypt the media of a meeting. */
export type Mode = "private" | "governed";

/** Nobody is recorded until ``resume_recording``. */
export interface PauseRecording {
  type: "pause_recording";
}

/** One who is admitted. ``connected`` is false while their page reconnects or has left. */
export interface Person {
  id: string;
  name: string;
  host: boolean;
  connected: boolean;
  microphone: boolean;
  camera: boolean;
  screen: boolean;
}

/** Asks for ``pong``; the server closes a socket that is silent for 15 s. */
export interface Ping {
  type: "ping";
  n: number;
}

/** Answers ``ping``. */
export interface Pong {
  type: "pong";
  n: number;
}

/** What a ticket, and so a socket, is for. */
export type Purpose = "wait" | "join";

/** Words to agree to, in the reader's language; ``text`` names this version of them. */
export interface Question {
  text: string;
  words: string;
  terms: Terms;
}

/** Whether a call may be recorded, and if not, why. */
export type Recordable = "yes" | "not_this_kind" | "not_by_policy";

/** What became of the newest recording of this call, once it is over. ``abandoned``: it never began; ``why`` is then ``refused``, ``taken_back`` or how it ended. ``percent``: how far ``sealing`` is. ``stored`` is said after everything was read back. */
export interface RecordingOver {
  id: string;
  state: "abandoned" | "gathering" | "empty" | "sealing" | "stored";
  why: string;
  percent: number;
}

/** What everybody in the call is told of its recording. ``state``: ``asked`` until everybody agreed, then ``recording`` or ``paused``. ``falters``: the media worker does not record at the moment, though it should. ``since``: when it began. ``keeper``: who may pause and stop it. ``agreed``: who agreed and did not withdraw. ``unanswered``: who in the call has still to answer. ``outside``: who was let in and stands at the door without having agreed. ``question``: for who has not answered. */
export interface RecordingShown {
  state: "asked" | "recording" | "paused";
  falters: boolean;
  since: string | null;
  keeper: string;
  agreed: Array<string>;
  unanswered: Array<string>;
  outside: Array<string>;
  terms: Terms;
  question: Question | null;
}

/** This person does not agree. */
export interface RefuseConsent {
  type: "refuse_consent";
  text: string;
}

/** The other side's candidate for ``link`` in ``epoch``. */
export interface RemoteCandidate {
  type: "remote_candidate";
  link: Link;
  epoch: number;
  candidate: string;
  mid: string | null;
  line: number | null;
}

/** The host removes one person from the call. */
export interface Remove {
  type: "remove";
  participation: string;
}

/** The media path of ``epoch`` is lost: please open a new attempt. */
export interface RestartMedia {
  type: "restart_media";
  epoch: number;
}

/** The recording goes on. */
export interface ResumeRecording {
  type: "resume_recording";
}

/** What this person sends at the moment, for the others' screens; media itself decides. */
export interface Sources {
  type: "sources";
  microphone: boolean;
  camera: boolean;
  screen: boolean;
}

/** The whole room, as this person may see it; ``waiting`` is filled for hosts only. A later ``seq`` replaces all of an earlier one; an equal or lower one is ignored. */
export interface State {
  type: "state";
  seq: number;
  people: Array<Person>;
  waiting: Array<Waiting>;
  recording: RecordingShown | null;
  recording_over: RecordingOver | null;
}

/** The recording ends. */
export interface StopRecording {
  type: "stop_recording";
}

/** The question is withdrawn before it was answered by all. */
export interface TakeBackRecording {
  type: "take_back_recording";
}

/** Who will be able to see a recording, beside nobody else, and for how long it is kept. */
export interface Terms {
  seen_by: Array<"clinician" | "compliance_officer">;
  keep_days: number;
}

/** One who waits, as a host sees them. ``verified_by`` names each proof, e.g. ``mailbox``. */
export interface Waiting {
  id: string;
  name: string;
  verified_by: Array<string>;
  since: string;
  connected: boolean;
}

/** The ticket was good. ``you`` is the participation this socket speaks for. ``recordable`` is how it stands now; asking is decided anew. */
export interface Welcome {
  type: "welcome";
  version: number;
  purpose: Purpose;
  you: string;
  host: boolean;
  mode: Mode;
  ping_seconds: number;
  recordable: Recordable;
}

/** This person agrees no more: from now on nothing of them is recorded. */
export interface WithdrawConsent {
  type: "withdraw_consent";
}

export type ClientMessage = Admit | AskRecording | Candidate | Decline | Describe | EndMeeting | GiveConsent | HandOverRecording | Hello | Leave | PauseRecording | Ping | RefuseConsent | Remove | RestartMedia | ResumeRecording | Sources | StopRecording | TakeBackRecording | WithdrawConsent;

export type ServerMessage = Admitted | Described | Failure | Goodbye | Lobby | Media | Pong | RemoteCandidate | State | Welcome;
