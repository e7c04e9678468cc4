// @ts-check
/** How loud the microphone is, and a tone to test the speaker with. */

const LOOKS_PER_SECOND = 15;

/**
 * Calls `show` with 0…1 until the returned function is called.
 *
 * @param {MediaStreamTrack} track
 * @param {(level: number) => void} show
 * @returns {() => void}
 */
export function watchLevel(track, show) {
  const context = new AudioContext();
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 1_024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    if (context.state === "suspended") void context.resume();
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    // A calm voice has an RMS of about 0.1; the root spreads the quiet end.
    show(Math.min(1, Math.sqrt(Math.sqrt(sum / samples.length) * 3)));
  }, 1_000 / LOOKS_PER_SECOND);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}

/**
 * Plays three rising notes; resolves when they are over.
 *
 * @param {string} [speaker] device id
 */
export async function playTone(speaker) {
  const context = new AudioContext();
  if (speaker && "setSinkId" in context) {
    const sink = /** @type {{setSinkId: (id: string) => Promise<void>}} */ (
      /** @type {unknown} */ (context)
    );
    await sink.setSinkId(speaker).catch(() => {});
  }
  const now = context.currentTime;
  [523.25, 659.25, 783.99].forEach((hertz, note) => {
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    const start = now + note * 0.25;
    oscillator.frequency.value = hertz;
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.25, start + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.001, start + 0.45);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(start);
    oscillator.stop(start + 0.5);
  });
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await context.close();
}
