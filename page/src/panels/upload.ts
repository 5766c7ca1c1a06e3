/** A file on its way to the server: with progress, and to be cancelled. */

/** What the server knows of a table. */
export interface TableFacts {
  table: string;
  name: string;
  rows: number;
  columns: { name: string; kind: string; about?: string; missing?: number; distinct?: number }[];
  suggested_target: string | null;
}

export interface Upload {
  done: Promise<TableFacts>;
  cancel(): void;
}

export class CancelledError extends Error {}

/** `fetch` tells no progress of what it sends; XMLHttpRequest does. */
export function upload(file: File, url: string, progress: (sent: number, total: number) => void): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise<TableFacts>((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => progress(event.loaded, event.lengthComputable ? event.total : file.size));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) {
        resolve(JSON.parse(request.responseText) as TableFacts);
      } else {
        reject(new Error(refusal(request)));
      }
    });
    request.addEventListener("error", () => reject(new Error("The server did not receive the file: is it still running?")));
    request.addEventListener("abort", () => reject(new CancelledError("The upload was cancelled.")));
  });
  request.open("POST", url);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.send(file);
  return { done, cancel: () => request.abort() };
}

/** The server answers with its sentence, as JSON {message} or as text. */
function refusal(request: XMLHttpRequest): string {
  try {
    const answer = JSON.parse(request.responseText) as { message?: string; error?: string };
    return answer.message ?? answer.error ?? request.statusText;
  } catch {
    return request.responseText.slice(0, 500) || `The server refused the file (${request.status}).`;
  }
}
