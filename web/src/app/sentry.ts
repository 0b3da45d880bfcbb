/** Errors as Sentry takes them, made of what is known to be harmless: loaded when the first one happens. */
import {
  BrowserClient,
  defaultStackParser,
  type ErrorEvent,
  makeFetchTransport,
  Scope,
} from "@sentry/browser";
import { currentOrganization } from "@/api/client";

type Project = { dsn: string; environment: string; release: string };

/** What tells a project of errors. */
export function makeReporter({ dsn, environment, release }: Project): (error: unknown) => void {
  const client = new BrowserClient({
    dsn,
    environment,
    release,
    transport: makeFetchTransport,
    stackParser: defaultStackParser,
    integrations: [],
    sendClientReports: false,
    beforeSend: keepWhatIsAllowed,
  });
  const scope = new Scope();
  scope.setClient(client);
  client.init();
  return (error) => {
    scope.captureException(error);
  };
}

/** An event without texts, addresses, users and whatever else may name somebody: where it failed, and nothing of what with. */
export function keepWhatIsAllowed(event: ErrorEvent): ErrorEvent {
  const { event_id, timestamp, platform, level, release, environment, sdk } = event;
  const organization = currentOrganization();
  return {
    type: undefined,
    event_id,
    timestamp,
    platform,
    level,
    release,
    environment,
    sdk,
    tags: { process: "web", ...(organization ? { organization } : {}) },
    exception: {
      values: event.exception?.values?.map(({ type, mechanism, stacktrace }) => ({
        type,
        value: "(withheld: see the browser's console)",
        mechanism: mechanism && { type: mechanism.type, handled: mechanism.handled },
        stacktrace: {
          frames: stacktrace?.frames?.map(({ filename, function: name, lineno, colno, in_app }) => ({
            filename: filename && pathOf(filename),
            function: name,
            lineno,
            colno,
            in_app,
          })),
        },
      })),
    },
  };
}

/** The path of a script, without whose installation it is of. */
function pathOf(address: string): string {
  return URL.canParse(address) ? new URL(address).pathname : address;
}
