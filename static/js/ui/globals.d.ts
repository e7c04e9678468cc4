/** What Django's JavaScriptCatalog puts on the page before any module runs. */
declare function gettext(text: string): string;
declare function ngettext(singular: string, plural: string, count: number): string;
declare function pgettext(context: string, text: string): string;
declare function interpolate(
  format: string,
  values: Record<string, string | number>,
  named: true,
): string;

interface Mark {
  name: string;
  /** Milliseconds since the page began to load (performance.now). */
  at: number;
}

interface Window {
  /** Read-only; for tests and benchmarks. Nothing in the page reads it. */
  consilium: {
    readonly peerConnections: () => RTCPeerConnection[];
    readonly firstFrameMs: number | null;
    readonly joinStartedAt: number | null;
    readonly timings: readonly Mark[];
    readonly unknownMessages: number;
  };
}
