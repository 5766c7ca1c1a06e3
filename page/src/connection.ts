/** The WebSocket to the server: it connects again by itself, and turns requests into promises. */

import type { Json, ServerMessage } from "./protocol/messages";

/** A request that the server answered with an error; its message is the server's sentence. */
export class RequestError extends Error {}

/** A request without a connection, or that was under way when it was lost; the page's banner says so. */
export class ConnectionLostError extends RequestError {
  constructor() {
    super("There is no connection to the server.");
  }
}

export type ConnectionState =
  | { kind: "connecting" }
  | { kind: "open" }
  /** `retry`: seconds until the next attempt; `reason`: what the server said, if anything. */
  | { kind: "lost"; retry: number; reason: string };

export interface ConnectionEvents {
  message(message: ServerMessage): void;
  frame(buffer: ArrayBuffer): void;
  state(state: ConnectionState): void;
}

interface Waiting {
  resolve(value: Json): void;
  reject(reason: Error): void;
}

const LAST_RETRY = 10;

/** Seconds until the first new attempt, by the code that the connection was closed with. */
const FIRST_RETRIES: Record<number, number> = { 1001: 2, 1008: 5, 1012: 2, 1013: 5 };

const CLOSED: Record<number, string> = {
  1001: "The server has stopped.",
  1009: "The page sent a message that is larger than the server accepts.",
  1012: "The server has stopped.",
  1013: "The server has reached its limit of open pages.",
};

export class Connection {
  private socket: WebSocket | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private unsent: string[] = [];
  private lastId = 0;
  private failures = 0;
  private timer: number | undefined;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly events: ConnectionEvents,
  ) {
    this.connect();
    document.addEventListener("visibilitychange", this.onVisible);
  }

  /** Ask the server; rejects with a `RequestError` that has the server's sentence. */
  request<T = Json>(type: string, fields: object = {}): Promise<T> {
    const id = ++this.lastId;
    const text = JSON.stringify({ ...fields, id, type });
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (value: Json) => void, reject });
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
      else if (this.failures === 0 && !this.closed) this.unsent.push(text);
      else {
        this.waiting.delete(id);
        reject(new ConnectionLostError());
      }
    });
  }

  /** Tell the server that a frame was drawn: it then sends the next one. */
  acknowledge(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send('{"type":"drawn"}');
  }

  /** Try at once, instead of when the wait is over. */
  retryNow(): void {
    if (this.closed || this.socket) return;
    clearTimeout(this.timer);
    this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onVisible);
    this.socket?.close();
    this.rejectAll();
  }

  private readonly onVisible = (): void => {
    if (document.visibilityState === "visible") this.retryNow();
  };

  private connect(): void {
    this.events.state({ kind: "connecting" });
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.failures = 0;
      this.events.state({ kind: "open" });
      for (const text of this.unsent.splice(0)) socket.send(text);
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (typeof event.data === "string") this.receive(event.data);
      else this.events.frame(event.data);
    };
    socket.onclose = (event: CloseEvent) => {
      if (this.closed || this.socket !== socket) return;
      this.socket = null;
      this.failures += 1;
      this.rejectAll();
      const wait = Math.min(LAST_RETRY, (FIRST_RETRIES[event.code] ?? 0.5) * 2 ** (this.failures - 1));
      // Twenty pages that lost one server do not come back in the same instant.
      const retry = wait * (0.75 + 0.5 * Math.random());
      this.events.state({ kind: "lost", retry, reason: event.reason || (CLOSED[event.code] ?? "") });
      this.timer = window.setTimeout(() => this.connect(), 1000 * retry);
    };
  }

  private receive(text: string): void {
    const message = JSON.parse(text) as ServerMessage;
    if (message.type === "reply" || message.type === "error") {
      const waiting = message.id == null ? undefined : this.waiting.get(message.id);
      if (waiting) {
        this.waiting.delete(message.id!);
        if (message.type === "reply") waiting.resolve(message.value);
        else waiting.reject(new RequestError(message.message));
        return;
      }
      if (message.type === "reply") return;
    }
    this.events.message(message);
  }

  private rejectAll(): void {
    this.unsent = [];
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of waiting) reject(new ConnectionLostError());
  }
}

/** Return the id of this tab's session, which survives a reload; `slot`: one of two that are compared. */
export function sessionId(slot: "a" | "b"): string {
  const key = `chainrule-session-${slot}`;
  const known = storage("get", key);
  if (known && /^[0-9a-f]{32}$/.test(known)) return known;
  const drawn = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  storage("set", key, drawn);
  return drawn;
}

/** The browser may forbid storage; the session then lasts as long as the page. */
function storage(what: "get" | "set", key: string, value = ""): string | null {
  try {
    if (what === "get") return sessionStorage.getItem(key);
    sessionStorage.setItem(key, value);
  } catch {
    // There is no storage.
  }
  return null;
}

/** The token that a server on another host asks for stands in the page's own URL. */
function token(): string | null {
  return new URLSearchParams(location.search).get("token");
}

/** Return the address of something of the server, with this session's id and the token. */
export function serverUrl(path: string, session: string, fields: Record<string, string> = {}): string {
  const url = new URL(path, new URL(".", location.href));
  url.hash = "";
  url.searchParams.set("session", session);
  const known = token();
  if (known !== null) url.searchParams.set("token", known);
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value);
  return url.href;
}

export function socketUrl(session: string): string {
  return serverUrl("ws", session).replace(/^http/, "ws");
}
