import { act, renderHook } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { useChosen } from "./chosen";

/** A server that answers when it is told to. */
function server() {
  const calls: { sent: string[]; answer: () => void; refuse: () => void }[] = [];
  const send = (sent: string[]) =>
    new Promise((resolve, reject) => {
      calls.push({ sent, answer: () => resolve(null), refuse: () => reject(new Error("refused")) });
    });
  return { calls, send };
}

const settled = () => act(async () => {});

describe("useChosen", () => {
  it("shows a choice before the server has answered, and then what the server says", async () => {
    const { calls, send } = server();
    const { result, rerender } = renderHook(({ saved }) => useChosen(saved, send), {
      initialProps: { saved: ["a"] },
    });
    act(() => result.current[1]("b", true));
    await settled();
    expect(result.current[0]).toEqual(["a", "b"]);
    expect(calls[0]!.sent).toEqual(["a", "b"]);
    rerender({ saved: ["a", "b", "c"] });
    act(() => calls[0]!.answer());
    await settled();
    expect(result.current[0]).toEqual(["a", "b", "c"]);
  });

  it("takes back what the server refuses", async () => {
    const { calls, send } = server();
    const { result } = renderHook(() => useChosen(["a"], send));
    act(() => result.current[1]("a", false));
    await settled();
    expect(result.current[0]).toEqual([]);
    act(() => calls[0]!.refuse());
    await settled();
    expect(result.current[0]).toEqual(["a"]);
  });

  it("sends one after the other, each with those before it", async () => {
    const { calls, send } = server();
    const { result } = renderHook(() => useChosen([], send));
    act(() => result.current[1]("a", true));
    act(() => result.current[1]("b", true));
    await settled();
    expect(calls.map((call) => call.sent)).toEqual([["a"]]);
    act(() => calls[0]!.answer());
    await settled();
    expect(calls.map((call) => call.sent)).toEqual([["a"], ["a", "b"]]);
    expect(result.current[0]).toEqual(["a", "b"]);
  });
});
