import type { Answer, EarlyScript, Script } from './contract.ts';
import type { Book, BookedRequest, RequestHead } from './book.ts';
import type { ServedConnection } from './served-connection.ts';

/** What stands between the HTTP layers and a scenario: enters requests into the book and has them answered. */
export interface Desk {
  /** Enters a request; `undefined` when there is no room, and the connection is to be reset. */
  arrived(connection: ServedConnection, head: RequestHead): BookedRequest | undefined;
  /** Decides whether to answer a request whose head has arrived. Never throws. */
  decideEarly(request: BookedRequest): Answer | undefined;
  /** Decides on the answer, once the body has arrived. Never rejects. */
  decide(request: BookedRequest): Promise<Answer>;
  /** Notes that an answer cannot be sent. */
  fault(what: string): void;
}

/** What is answered when no scenario says so. */
export const NO_SCENARIO: Answer = {
  kind: 'response',
  status: 503,
  fields: [['Content-Type', 'text/plain']],
  body: 'no scenario is under way\n',
};

const FAILED: Answer = {
  kind: 'response',
  status: 500,
  fields: [['Content-Type', 'text/plain']],
  body: 'the counterpart has failed\n',
};

/** A desk that enters into one book and asks whichever script is current. */
export function deskFor(book: Book, script: () => Script, early: () => EarlyScript): Desk {
  return {
    arrived: (connection, head) => {
      const request = book.arrived(connection, head);
      if (request !== undefined) connection.requests.push(request);
      return request;
    },
    decideEarly: (request) => {
      if (book.closed) return undefined;
      try {
        request.answer = early()(request);
      } catch (error) {
        book.fault(`the script failed: ${error instanceof Error ? error.message : String(error)}`);
      }
      if (request.answer !== undefined) book.changed(request);
      return request.answer;
    },
    decide: async (request) => {
      // The script is another scenario's by then.
      if (book.closed) return NO_SCENARIO;
      book.changed(request);
      let answer: Answer;
      try {
        answer = await script()(request);
      } catch (error) {
        book.fault(`the script failed: ${error instanceof Error ? error.message : String(error)}`);
        answer = FAILED;
      }
      request.answer = answer;
      book.changed(request);
      return answer;
    },
    fault: (what) => {
      book.fault(what);
    },
  };
}

/** What `cut` sends before the end: less than the head announces. */
export const CUT_LENGTH = 1000;
export const CUT_OCTETS = 'the first octets of a longer body';
