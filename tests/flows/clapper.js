/**
 * Instead of camera and microphone: a clapper board. `CLAPPER.number` says whose.
 *
 * Once in every second of the machine's clock, `EVENT_MS` into it, the picture turns white and a tone
 * begins; both last 100 ms. All browsers of one machine clap together. Tones differ from person to person.
 *
 * Every picture says whose it is and when it was drawn, in two rows of eight squares: a busy machine
 * draws late, and its browsers send fewer pictures than are drawn; neither is the recording's. A sample
 * of sound counts as having been made when it would have come out of a microphone: the end of each piece
 * that the browser renders was made at the moment at which it is rendered. `clapper.clapped` has the seconds
 * with a clap, `clapper.starved` those in which the machine had no time to make its sound.
 */
(() => {
  if (window.top !== window || !navigator.mediaDevices) return;
  const NUMBER = CLAPPER.number;
  const EVENT_MS = 480;
  const LASTS_MS = 100;
  const FRAME_MS = 40;
  const now = () => performance.timeOrigin + performance.now();

  const clapper = { clapped: [], size: [320, 240], socket: null, starved: new Set() };
  window.clapper = clapper;

  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      clapper.socket = this;
    }
  };

  let picture = null;
  let sound = null;
  let wasWhite = false;

  function paint(pen, at) {
    const [width, height] = clapper.size;
    const second = Math.floor(at / 1000);
    const into = at - 1000 * second;
    const isWhite = into >= EVENT_MS && into < EVENT_MS + LASTS_MS;
    pen.canvas.width = width;
    pen.canvas.height = height;
    pen.fillStyle = isWhite ? "#fff" : "#222";
    pen.fillRect(0, 0, width, height);
    pen.fillStyle = "#555";
    pen.fillRect((into / 1000) * width, height / 8, width / 16, height / 4);
    const rows = [(NUMBER << 6) | (second % 64), Math.floor(into / 4)];
    rows.forEach((code, row) => {
      for (let bit = 0; bit < 8; bit++) {
        pen.fillStyle = (code >> (7 - bit)) & 1 ? "#fff" : "#000";
        pen.fillRect((bit * width) / 8, ((6 + row) * height) / 8, width / 8, height / 8);
      }
    });
    if (isWhite && !wasWhite) clapper.clapped.push(second);
    wasWhite = isWhite;
    const edges = [EVENT_MS, EVENT_MS + LASTS_MS, 1000].filter((edge) => edge > into);
    return Math.min(FRAME_MS, edges[0] - into);
  }

  function camera() {
    if (picture !== null) return picture;
    picture = new MediaStreamTrackGenerator({ kind: "video" });
    const writer = picture.writable.getWriter();
    const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const next = () => {
      const timestamp = Math.round(performance.now() * 1000);
      const wait = paint(pen, now());
      void writer.write(new VideoFrame(pen.canvas, { timestamp }));
      setTimeout(next, wait);
    };
    next();
    return picture;
  }

  function microphone() {
    if (sound !== null) return sound;
    const context = new AudioContext({ sampleRate: 48000 });
    const room = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    const loud = new GainNode(context, { gain: 0 });
    const tone = new OscillatorNode(context, { frequency: 500 + 500 * NUMBER });
    tone.connect(loud).connect(room);
    tone.start();
    sound = room.stream.getAudioTracks()[0];
    const ahead = [];
    let scheduled = Math.floor(now() / 1000) + 1;
    let looked = now();
    setInterval(() => {
      ahead.push(now() - 1000 * context.currentTime);
      if (ahead.length > 100) ahead.shift();
      const isLate = now() - looked > 100 || ahead[ahead.length - 1] - Math.min(...ahead) > 50;
      if (isLate) for (const at of [looked, now()]) clapper.starved.add(Math.floor(at / 1000));
      looked = now();
      if (now() < 1000 * scheduled) return;
      const at = (1000 * scheduled + EVENT_MS - Math.min(...ahead)) / 1000;
      loud.gain.setValueAtTime(0.5, at);
      loud.gain.setValueAtTime(0, at + LASTS_MS / 1000);
      scheduled += 1;
    }, 10);
    return sound;
  }

  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = new MediaStream();
    if (wish.audio) stream.addTrack(microphone().clone());
    if (wish.video) stream.addTrack(camera().clone());
    return stream;
  };
})();
