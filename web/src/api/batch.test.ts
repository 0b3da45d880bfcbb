import { describe, expect, it, vi } from "vitest";
import { gatheringFetch, OF_PORTALS } from "./batch";

const HOST = "http://localhost";

function get(path: string, organization = "acme"): Request {
  return new Request(HOST + path, { headers: { "x-lago-organization": organization } });
}

function server() {
  return vi.fn(async (input: RequestInfo | URL) => {
    const request = input as Request;
    if (!request.url.endsWith("/batch")) return Response.json({ alone: new URL(request.url).pathname });
    const { requests } = (await request.json()) as { requests: { path: string }[] };
    return Response.json({
      responses: requests.map(({ path }) =>
        path.includes("missing")
          ? { status: 404, body: { code: "customer_not_found" } }
          : { status: 200, body: { path } },
      ),
    });
  });
}

describe("gatheringFetch", () => {
  it("sends what is asked for at once as one request, and tells the answers apart", async () => {
    const send = server();
    const gather = gatheringFetch(send);
    const [first, second] = await Promise.all([
      gather(get("/api/v1/customers?page=2")),
      gather(get("/api/v1/missing")),
    ]);
    expect(send).toHaveBeenCalledTimes(1);
    expect(await first!.json()).toEqual({ path: "/api/v1/customers?page=2" });
    expect(second!.status).toBe(404);
  });

  it("sends one request as it is", async () => {
    const send = server();
    expect(await (await gatheringFetch(send)(get("/api/v1/plans"))).json()).toEqual({
      alone: "/api/v1/plans",
    });
  });

  it("does not mix organizations", async () => {
    const send = server();
    const gather = gatheringFetch(send);
    await Promise.all([gather(get("/api/v1/plans", "acme")), gather(get("/api/v1/plans", "other"))]);
    expect(send).toHaveBeenCalledTimes(2);
  });

  it("sends changes at once and alone", async () => {
    const send = server();
    const gather = gatheringFetch(send);
    await gather(new Request(`${HOST}/api/v1/plans`, { method: "POST", body: "{}" }));
    expect(send).toHaveBeenCalledTimes(1);
  });

  it("sends no more than twenty together", async () => {
    const send = server();
    const gather = gatheringFetch(send);
    await Promise.all(Array.from({ length: 41 }, (_, index) => gather(get(`/api/v1/plans/${index}`))));
    expect(send).toHaveBeenCalledTimes(3);
  });

  it("asks for a portal by its token, and changes nothing", async () => {
    const send = vi.fn(async (input: RequestInfo | URL) => {
      const { url, method, headers } = input as Request;
      expect([method, headers.get("authorization")]).toEqual(["GET", "Bearer ada"]);
      const paths = new URL(url).searchParams.getAll("paths[]");
      return Response.json({ responses: paths.map((path) => ({ status: 200, body: { path } })) });
    });
    const gather = gatheringFetch(send, OF_PORTALS);
    const ask = (path: string) =>
      gather(new Request(HOST + path, { headers: { authorization: "Bearer ada" } }));
    const answers = await Promise.all([
      ask("/portal/v1/me"),
      ask("/portal/v1/invoices?page=1&search_term=a"),
    ]);
    expect(send).toHaveBeenCalledTimes(1);
    expect(await answers[1]!.json()).toEqual({ path: "/portal/v1/invoices?page=1&search_term=a" });
  });

  it("lets all fail when the request fails", async () => {
    const gather = gatheringFetch(async () => Promise.reject(new TypeError("offline")));
    const results = await Promise.allSettled([gather(get("/api/v1/a")), gather(get("/api/v1/b"))]);
    expect(results.map((one) => one.status)).toEqual(["rejected", "rejected"]);
  });
});
