/** @import { Backdrop, Capabilities, Picture, PlateReport } from "../types.js" */

/** The gateway said no. `reason` is for programs, `message` for people. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} reason
   * @param {string} detail
   * @param {number | null} retryAfter seconds
   */
  constructor(status, reason, detail, retryAfter = null) {
    super(detail);
    this.name = "Refusal";
    this.status = status;
    this.reason = reason;
    this.retryAfter = retryAfter;
  }

  /** Whether a token, or another one, would help. */
  get wantsToken() {
    return this.status === 401 || (this.status === 403 && this.reason === "scope");
  }
}

/** The gateway did not answer at all. */
export class Unreachable extends Error {
  constructor() {
    super("The gateway does not answer.");
    this.name = "Unreachable";
  }
}

/**
 * What the gateway says no to, or cannot hear, is over anyway.
 * @param {unknown} error
 */
export function ignoreGone(error) {
  if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
}

/**
 * @typedef {object} Published
 * @property {string} answer SDP
 * @property {string} session URL of the WHIP session
 * @property {string} stream
 * @property {string} key
 */

/** The gateway's HTTP calls. Every method throws `Refusal` or `Unreachable`. */
export class Gateway {
  #fetch;
  /** @type {string | null} */
  #token = null;

  /** @param {typeof fetch} fetcher */
  constructor(fetcher = (input, init) => fetch(input, init)) {
    this.#fetch = fetcher;
  }

  /** @param {string} token the operator's Bearer token */
  authorise(token) {
    this.#token = token;
  }

  /**
   * What to tell somebody who is asked for another token; "" where none was brought yet.
   * @param {Refusal} refusal
   */
  tokenTrouble({ message }) {
    return this.#token === null ? "" : `The token was not accepted. ${message}`;
  }

  /** @returns {Promise<Capabilities>} */
  async capabilities() {
    return (await this.#call("GET", "/capabilities")).json();
  }

  /** @returns {Promise<Picture[]>} */
  async pictures() {
    return (await (await this.#call("GET", "/backdrops")).json()).backdrops;
  }

  /**
   * @param {string} offer
   * @param {{stream: string, key: string} | null} known the stream to take up again
   * @returns {Promise<Published>}
   */
  async publish(offer, known) {
    const path = known ? `/whip/${encodeURIComponent(known.stream)}` : "/whip";
    const response = await this.#call("POST", path, {
      key: known?.key,
      type: "application/sdp",
      body: offer,
      patience: 15_000,
    });
    const session = response.headers.get("Location") ?? "";
    return {
      answer: await response.text(),
      session,
      stream: streamName(response.headers.get("Link")) ?? session.split("/")[2] ?? "",
      key: response.headers.get("Cleanplate-Key") ?? known?.key ?? "",
    };
  }

  /**
   * @param {string} stream
   * @param {string} offer
   * @returns {Promise<{answer: string, session: string}>}
   */
  async watch(stream, offer) {
    const path = `/whep/${encodeURIComponent(stream)}`;
    const response = await this.#call("POST", path, { type: "application/sdp", body: offer });
    return { answer: await response.text(), session: response.headers.get("Location") ?? "" };
  }

  /**
   * End a session; outlives the page.
   * @param {string} session
   * @param {string} [key]
   */
  async leave(session, key) {
    await this.#call("DELETE", session, { key, keepalive: true });
  }

  /**
   * A stream's own calls.
   * @param {string} stream
   * @param {string} key
   */
  stream(stream, key) {
    const base = `/streams/${encodeURIComponent(stream)}`;
    return {
      /** @returns {Promise<PlateReport>} */
      capture: async () =>
        (await this.#call("POST", `${base}/plate`, { key, patience: 30_000 })).json(),
      /** @returns {Promise<Blob>} */
      plate: async () => {
        const response = await this.#call("GET", `${base}/plate`, { key });
        return response.blob().catch(() => {
          throw new Unreachable(); // it broke off in the middle
        });
      },
      /** @param {Blob} picture @param {AbortSignal} [signal] */
      restorePlate: async (picture, signal) => {
        await this.#call("PUT", `${base}/plate`, {
          key,
          type: picture.type || "image/png",
          body: picture,
          signal,
        });
      },
      forgetPlate: async () => {
        await this.#call("DELETE", `${base}/plate`, { key });
      },
      /** @param {Backdrop} backdrop */
      setBackdrop: async (backdrop) => {
        await this.#call("PUT", `${base}/backdrop`, {
          key,
          type: "application/json",
          body: JSON.stringify(backdrop),
        });
      },
    };
  }

  /**
   * @param {Blob} picture
   * @returns {Promise<Picture>}
   */
  async upload(picture) {
    const request = { type: picture.type, body: picture, patience: 60_000 };
    return (await this.#call("POST", "/backdrops", request)).json();
  }

  /** @param {string} id */
  async removePicture(id) {
    await this.#call("DELETE", `/backdrops/${encodeURIComponent(id)}`);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{key?: string, type?: string, body?: BodyInit, patience?: number,
   *   keepalive?: boolean, signal?: AbortSignal}} [request] `patience` in ms
   * @returns {Promise<Response>}
   */
  async #call(method, path, request = {}) {
    const { key, type, body, patience = 10_000, keepalive } = request;
    /** @type {Record<string, string>} */
    const headers = {};
    if (key) headers["Cleanplate-Key"] = key;
    if (type) headers["Content-Type"] = type;
    if (this.#token) headers["Authorization"] = `Bearer ${this.#token}`;
    let response;
    try {
      const late = AbortSignal.timeout(patience);
      const signal = request.signal ? AbortSignal.any([late, request.signal]) : late;
      response = await this.#fetch(path, { method, headers, body, signal, keepalive });
    } catch {
      throw new Unreachable();
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

/**
 * `Link: </streams/NAME>; rel="urn:cleanplate:stream"` among other links.
 * @param {string | null} header
 * @returns {string | null}
 */
export function streamName(header) {
  const found = /<\/streams\/([^>]+)>\s*;[^,]*rel="?urn:cleanplate:stream"?/.exec(header ?? "");
  return found?.[1] ? decodeURIComponent(found[1]) : null;
}

/**
 * @param {Response} response
 * @returns {Promise<Refusal>}
 */
async function refusal(response) {
  /** @type {{reason?: unknown, detail?: unknown, title?: unknown}} */
  let problem = {};
  if (response.headers.get("Content-Type")?.includes("json")) {
    problem = await response.json().catch(() => ({}));
  }
  const wait = Number(response.headers.get("Retry-After") ?? "");
  return new Refusal(
    response.status,
    typeof problem.reason === "string" ? problem.reason : "",
    String(problem.detail ?? problem.title ?? `The gateway answered ${response.status}.`),
    Number.isFinite(wait) && wait > 0 ? wait : null,
  );
}
