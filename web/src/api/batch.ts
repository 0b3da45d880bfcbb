/**
 * What a page asks for in the same moment travels as one request, and comes back as if each had been asked for alone. A
 * single request, a change, and what is not asked of the gathering's own paths go as they are.
 */

/** Which reads travel together, and how. */
interface Gathering {
  paths: RegExp;
  /** So many at the most. */
  most: number;
  /** The header whose value all that travel together share. */
  caller: string;
  together: (paths: string[], first: Request) => Request;
}

/** Of members: `POST /app/v1/batch`, in the organization that they have entered. */
export const OF_MEMBERS: Gathering = {
  paths: /^\/(api\/v1|app\/v1)\//,
  most: 20,
  caller: "x-lago-organization",
  together: (paths, first) => {
    const headers = new Headers({ "content-type": "application/json" });
    const organization = first.headers.get("x-lago-organization");
    if (organization) headers.set("x-lago-organization", organization);
    const body = JSON.stringify({ requests: paths.map((path) => ({ path })) });
    return new Request(new URL("/app/v1/batch", first.url), { method: "POST", headers, body });
  },
};

/** Of a customer's portal: `GET /portal/v1/batch`, by the token of its link. */
export const OF_PORTALS: Gathering = {
  paths: /^\/portal\/v1\//,
  most: 6,
  caller: "authorization",
  together: (paths, first) => {
    const query = new URLSearchParams(paths.map((path) => ["paths[]", path]));
    const { headers, credentials } = first;
    return new Request(new URL(`/portal/v1/batch?${query}`, first.url), { headers, credentials });
  },
};

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
  how: Gathering = OF_MEMBERS,
): (request: Request) => Promise<Response> {
  let waiting: Waiting[] = [];

  async function flush(): Promise<void> {
    const gathered = waiting;
    waiting = [];
    for (let start = 0; start < gathered.length; start += how.most) {
      void sendTogether(send, how, gathered.slice(start, start + how.most));
    }
  }

  return (request) => {
    const { pathname } = new URL(request.url);
    if (request.method !== "GET" || !how.paths.test(pathname)) return send(request);
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setTimeout(flush, 0); // after everything that renders now has asked
      waiting.push({ request, resolve, reject });
    });
  };
}

async function sendTogether(send: typeof fetch, how: Gathering, gathered: Waiting[]): Promise<void> {
  const wanted = gathered.filter((one) => !one.request.signal.aborted);
  for (const one of gathered) if (one.request.signal.aborted) one.reject(one.request.signal.reason);
  const groups = Map.groupBy(wanted, (one) => one.request.headers.get(how.caller) ?? "");
  await Promise.all([...groups.values()].map((group) => sendGroup(send, how, group)));
}

async function sendGroup(send: typeof fetch, how: Gathering, group: Waiting[]): Promise<void> {
  const [first, ...others] = group;
  if (!first) return;
  if (others.length === 0) {
    await send(first.request).then(first.resolve, first.reject);
    return;
  }
  try {
    const paths = group.map((one) => pathOf(one.request));
    const answer = await send(how.together(paths, first.request));
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
