// @ts-check
/**
 * Requests to this meeting's own addresses, and the problems they answer with (RFC 9457).
 */

/** After this long without an answer a request counts as lost; a phone in a lift needs a few seconds. */
const TIMEOUT_MS = 8_000;

/** A refusal or failure with the stable code of foundation/errors.py. */
export class Problem extends Error {
  /**
   * @param {string} code
   * @param {string} text a sentence for the person, already translated by the server; may be empty
   */
  constructor(code, text = "") {
    super(text || code);
    this.code = code;
    this.text = text;
  }
}

/** The network, not the server, refused: worth another try. */
export const UNREACHABLE = "unreachable";

/** @param {Document} page */
function csrfToken(page = document) {
  const meta = page.querySelector('meta[name="csrf-token"]');
  return meta instanceof HTMLMetaElement ? meta.content : "";
}

/** Signing in again in another tab makes this page's token stale; a fresh page has the new one. */
async function renewCsrfToken() {
  const response = await fetch(location.href, { credentials: "same-origin", cache: "no-store" });
  const fresh = csrfToken(new DOMParser().parseFromString(await response.text(), "text/html"));
  const meta = document.querySelector('meta[name="csrf-token"]');
  if (meta instanceof HTMLMetaElement && fresh !== "") meta.content = fresh;
}

/**
 * The JSON that `path` below /meetings/<id>/ answers with.
 *
 * @param {"GET" | "POST"} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<unknown>}
 * @throws {Problem} with the server's code, or `UNREACHABLE`
 */
export async function ask(method, path, body) {
  let response = await request(method, path, body);
  if (method === "POST" && response.status === 403 && !isProblem(response)) {
    await renewCsrfToken().catch(() => {});
    response = await request(method, path, body);
  }
  /** @type {unknown} */
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  throw problemOf(answer, response.status);
}

/** @param {Response} response */
function isProblem(response) {
  return response.headers.get("Content-Type")?.startsWith("application/problem+json") ?? false;
}

/**
 * @param {"GET" | "POST"} method
 * @param {string} path
 * @param {object} [body]
 */
async function request(method, path, body) {
  try {
    return await fetch(new URL(`../${path}`, location.href), {
      method,
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      headers: {
        Accept: "application/json",
        ...(method === "POST"
          ? { "Content-Type": "application/json", "X-CSRFToken": csrfToken() }
          : {}),
      },
      ...(method === "POST" ? { body: JSON.stringify(body ?? {}) } : {}),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new Problem(UNREACHABLE);
  }
}

/**
 * @param {unknown} answer
 * @param {number} status
 */
function problemOf(answer, status) {
  if (typeof answer === "object" && answer !== null && "code" in answer) {
    const detail = "detail" in answer && typeof answer.detail === "string" ? answer.detail : "";
    const title = "title" in answer && typeof answer.title === "string" ? answer.title : "";
    return new Problem(String(answer.code), detail || title);
  }
  if (status === 401) return new Problem("sign_in_required");
  return new Problem(status >= 500 ? UNREACHABLE : "not_permitted");
}
