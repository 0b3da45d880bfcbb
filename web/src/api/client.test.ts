import { QueryClient, QueryClientProvider, type QueryKey } from "@tanstack/react-query";
import { act, renderHook } from "@testing-library/react";
import { createElement, type ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { enterOrganization, read, useChange, whenSessionEnds } from "./client";
import { withoutOne } from "./foresight";

const list: QueryKey = read("/api/v1/taxes", { params: { query: { page: "1" } } }).queryKey;

/** A list of taxes as the page shows it. */
const taxes = (...codes: string[]) => ({
  taxes: codes.map((code) => ({ code })),
  meta: { total_count: codes.length },
});

/** A server that answers when it is told to. */
function server() {
  const calls: { path: string; answer: (status: number) => void }[] = [];
  const fetch = (input: Request) =>
    new Promise<Response>((resolve) => {
      const answer = (status: number) => resolve(Response.json({ status }, { status }));
      calls.push({ path: new URL(input.url).pathname, answer });
    });
  vi.stubGlobal("fetch", fetch);
  return calls;
}

const rest = () => act(async () => new Promise((resolve) => setTimeout(resolve, 5)));

describe("useChange, of what is foreseen", () => {
  let queries: QueryClient;
  let calls: ReturnType<typeof server>;
  const shown = () => queries.getQueryData<ReturnType<typeof taxes>>(list);

  beforeEach(() => {
    calls = server();
    queries = new QueryClient();
    queries.setQueryData(list, taxes("a", "b", "c"));
  });
  afterEach(() => {
    enterOrganization(null);
    vi.unstubAllGlobals();
  });

  function deleting() {
    const wrapper = ({ children }: { children: ReactNode }) =>
      createElement(QueryClientProvider, { client: queries }, children);
    const change = () =>
      useChange("delete", "/api/v1/taxes/{code}", {
        foresees: withoutOne("/api/v1/taxes", "taxes", (one: { code: string }, sent) => {
          return one.code === sent.params.path.code;
        }),
      });
    const { result, unmount } = renderHook(change, { wrapper });
    return {
      remove: (code: string) => act(() => result.current.mutate({ params: { path: { code } } })),
      unmount,
    };
  }

  it("shows it before the server has answered, though the question is closed", async () => {
    const { remove, unmount } = deleting();
    remove("b");
    unmount();
    await rest();
    expect(calls.map((call) => call.path)).toEqual(["/api/v1/taxes/b"]);
    expect(shown()).toEqual(taxes("a", "c"));
    calls[0]!.answer(200);
    await rest();
    expect(shown()).toEqual(taxes("a", "c"));
    expect(queries.getQueryState(list)!.isInvalidated).toBe(true);
  });

  it("takes it back where the server refuses, though the question is closed", async () => {
    const { remove, unmount } = deleting();
    remove("b");
    unmount();
    await rest();
    calls[0]!.answer(422);
    await rest();
    expect(shown()).toEqual(taxes("a", "b", "c"));
    expect(queries.getQueryState(list)!.isInvalidated).toBe(true);
  });

  it("does not take back what has come since", async () => {
    const { remove } = deleting();
    remove("b");
    await rest();
    queries.setQueryData(list, taxes("a", "d"));
    calls[0]!.answer(422);
    await rest();
    expect(shown()).toEqual(taxes("a", "d"));
  });

  it("refreshes after the last of those that are on their way", async () => {
    const { remove } = deleting();
    remove("a");
    remove("b");
    await rest();
    expect(shown()).toEqual(taxes("c"));
    calls[0]!.answer(200);
    await rest();
    expect(queries.getQueryState(list)!.isInvalidated).toBe(false);
    calls[1]!.answer(200);
    await rest();
    expect(queries.getQueryState(list)!.isInvalidated).toBe(true);
  });

  it("leaves another organization's lists alone", async () => {
    enterOrganization("acme");
    const { remove } = deleting();
    remove("b");
    await rest();
    expect(shown()).toEqual(taxes("a", "b", "c"));
  });
});

describe("a refusal of who is inside", () => {
  it.each([
    ["/api/v1/customers" as const, true],
    ["/api/v1/customers/{external_id}/checkout_url" as const, false],
  ])("of %s ends the session, unless it is a payment provider's: %s", async (path, ends) => {
    const leave = vi.fn();
    whenSessionEnds(leave);
    enterOrganization("acme");
    vi.stubGlobal("fetch", async () => Response.json({ status: 401 }, { status: 401 }));
    const wrapper = ({ children }: { children: ReactNode }) =>
      createElement(QueryClientProvider, { client: new QueryClient() }, children);
    const { result } = renderHook(() => useChange("post", path, { isQuiet: true }), { wrapper });
    const sent = { params: { path: { external_id: "ada" } }, body: {} } as never;
    await expect(act(() => result.current.mutateAsync(sent))).rejects.toThrow();
    expect(leave.mock.calls.length > 0).toBe(ends);
    enterOrganization(null);
    vi.unstubAllGlobals();
  });
});
