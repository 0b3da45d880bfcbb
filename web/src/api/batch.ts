/**
 * What a page asks for in the same moment travels as one request (`POST /app/v1/batch`), and comes back as if each had
 * been asked for alone. A single request, a change, and what is not the app's or the API's go as they are.
 */

const MOST = 20;
const BATCHED = /^\/(api\/v1|app\/v1)\//;

interface Waiting {
  request: Request;
  resolve: (response: Response) => void;
  reject: (reason: unknown) => void;
}

interface Part {
  status: number;
  body: unknown;
}

/** A `fetch` that gathers reads. */
export function gatheringFetch(
  send: typeof fetch = (...call) => fetch(...call),
): (request: Request) => Promise<Response> {
  let waiting: Waiting[] = [];

  async function flush(): Promise<void> {
    const gathered = waiting;
    waiting = [];
    for (let start = 0; start < gathered.length; start += MOST) {
      void sendTogether(send, gathered.slice(start, start + MOST));
    }
  }

  return (request) => {
    const { pathname } = new URL(request.url);
    if (request.method !== "GET" || !BATCHED.test(pathname)) return send(request);
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setTimeout(flush, 0); // after everything that renders now has asked
      waiting.push({ request, resolve, reject });
    });
  };
}

async function sendTogether(send: typeof fetch, gathered: Waiting[]): Promise<void> {
  const wanted = gathered.filter((one) => !one.request.signal.aborted);
  for (const one of gathered) if (one.request.signal.aborted) one.reject(one.request.signal.reason);
  const groups = Map.groupBy(wanted, (one) => one.request.headers.get("x-lago-organization") ?? "");
  await Promise.all([...groups.values()].map((group) => sendGroup(send, group)));
}

async function sendGroup(send: typeof fetch, group: Waiting[]): Promise<void> {
  const [first, ...others] = group;
  if (!first) return;
  if (others.length === 0) {
    await send(first.request).then(first.resolve, first.reject);
    return;
  }
  try {
    const headers = new Headers({ "content-type": "application/json" });
    const organization = first.request.headers.get("x-lago-organization");
    if (organization) headers.set("x-lago-organization", organization);
    const requests = group.map((one) => ({ path: pathOf(one.request) }));
    const answer = await send(
      new Request(new URL("/app/v1/batch", first.request.url), {
        method: "POST",
        headers,
        body: JSON.stringify({ requests }),
      }),
    );
    if (!answer.ok) {
      for (const one of group) one.resolve(answer.clone());
      return;
    }
    const { responses } = (await answer.json()) as { responses: Part[] };
    group.forEach((one, index) => {
      const part = responses[index]!;
      one.resolve(Response.json(part.body, { status: part.status }));
    });
  } catch (reason) {
    for (const one of group) one.reject(reason);
  }
}

function pathOf(request: Request): string {
  const { pathname, search } = new URL(request.url);
  return pathname + search;
}
