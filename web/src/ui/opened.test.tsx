import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
  useNavigate,
} from "@tanstack/react-router";
import { act, render, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { keepsStill, useOpened, useOpenedOne, useOpenedRow, useShown } from "./opened";

/** A hook on a page that was come to by its address. */
async function at<Result>(address: string, hook: () => Result) {
  const history = createMemoryHistory({ initialEntries: ["/before", address], initialIndex: 1 });
  const result = {} as { current: Result };
  const page = () => {
    result.current = hook();
    return null;
  };
  const root = createRootRoute();
  const everywhere = ["/", "$"].map((path) =>
    createRoute({ getParentRoute: () => root, path, component: page }),
  );
  const router = createRouter({ routeTree: root.addChildren(everywhere), history });
  await router.load();
  await act(async () => void render(<RouterProvider router={router} />));
  const go = async (step: () => void) => {
    await act(async () => {
      step();
      await router.load();
    });
  };
  return { result, go, history, address: () => history.location.href };
}

// What jsdom does not have.
window.scrollTo = () => undefined;

const ROWS = [{ id: "a" }, { id: "b:c" }];
const keyOf = (row: { id: string }) => row.id;

describe("useOpened", () => {
  it("opens from a link, and keeps what else the address says when it is closed", async () => {
    const { result, go, address } = await at("/?page=2&dialog=export", () => useOpened("export"));
    expect(result.current[0]).toBe(true);
    await go(() => result.current[1](false));
    expect(result.current[0]).toBe(false);
    expect(address()).toBe("/?page=2");
  });

  it("is closed by the way back, which then leads to where one was before", async () => {
    const { result, go, history, address } = await at("/", () => useOpened("export"));
    await go(() => result.current[1](true));
    expect(address()).toBe("/?dialog=export");
    expect(history.length).toBe(3);
    await go(() => history.back());
    await waitFor(() => expect(result.current[0]).toBe(false));
    expect(address()).toBe("/");
  });

  it("leaves no step behind when it is closed: the way back leads to the page before", async () => {
    const { result, go, history, address } = await at("/", () => useOpened("export"));
    await go(() => result.current[1](true));
    await go(() => result.current[1](false));
    expect(result.current[0]).toBe(false);
    expect(address()).toBe("/");
    await go(() => history.back());
    expect(address()).toBe("/before");
  });

  it("stays where a link opened it when it is closed", async () => {
    const { result, go, history, address } = await at("/?dialog=export", () => useOpened("export"));
    await go(() => result.current[1](false));
    expect(address()).toBe("/");
    await go(() => history.back());
    expect(address()).toBe("/before");
  });

  it("does not go back where closing leads elsewhere", async () => {
    const hook = () => ({ opened: useOpened("delete"), navigate: useNavigate() });
    const { result, go, address } = await at("/", hook);
    await go(() => result.current.opened[1](true));
    await go(() => {
      result.current.opened[1](false);
      void result.current.navigate({ href: "/list" });
    });
    expect(address()).toBe("/list");
  });

  it("does not open from a link what is not allowed", async () => {
    const { result } = await at("/?dialog=export", () => useOpened("export", false));
    expect(result.current[0]).toBe(false);
  });
});

describe("useOpenedOne", () => {
  it("opens those that are allowed", async () => {
    const { result } = await at("/?dialog=void", () => useOpenedOne(["void", "end"]));
    expect(result.current[0]).toBe("void");
    const refused = await at("/?dialog=void", () => useOpenedOne([false, "end"]));
    expect(refused.result.current[0]).toBe(null);
  });
});

describe("useOpenedRow", () => {
  it("opens the row that the address names, whatever its key is made of", async () => {
    const { result, go, address } = await at("/", () => useOpenedRow("edit", ROWS, keyOf));
    await go(() => result.current[1](ROWS[1]!));
    expect(result.current[0]).toBe(ROWS[1]);
    const linked = await at(address(), () => useOpenedRow("edit", ROWS, keyOf));
    expect(linked.result.current[0]).toBe(ROWS[1]);
    const other = await at(address(), () => useOpenedRow("delete", ROWS, keyOf));
    expect(other.result.current[0]).toBe(null);
  });

  it("waits for the rows, and keeps one that is gone until it is closed", async () => {
    let rows: typeof ROWS | undefined;
    const { result, go } = await at("/?dialog=edit:a", () => useOpenedRow("edit", rows, keyOf));
    expect(result.current[0]).toBe(null);
    rows = ROWS;
    await go(() => result.current[1](ROWS[1]!));
    expect(result.current[0]).toBe(ROWS[1]);
    rows = [];
    await go(() => undefined);
    expect(result.current[0]).toBe(ROWS[1]);
    await go(() => result.current[1](null));
    expect(result.current[0]).toBe(null);
  });
});

describe("useShown", () => {
  it("has one open at a time, and one step back from all of them", async () => {
    const { result, go, history, address } = await at("/", () => ({
      why: useShown("why"),
      dialog: useShown("dialog"),
    }));
    await go(() => result.current.dialog[1]("charge:a"));
    await go(() => result.current.why[1]("total"));
    expect(address()).toBe("/?why=total");
    await go(() => history.back());
    expect(address()).toBe("/");
  });

  it("does not close what took its place", async () => {
    const { result, go, address } = await at("/?dialog=charge:a", () => ({
      why: useShown("why"),
      dialog: useShown("dialog"),
    }));
    const close = result.current.dialog[1];
    await go(() => result.current.why[1]("total"));
    await go(() => close(undefined));
    expect(address()).toBe("/?why=total");
  });

  it("takes the one step of all that took each other's place back when the last is closed", async () => {
    const { result, go, history, address } = await at("/", () => ({
      why: useShown("why"),
      dialog: useShown("dialog"),
    }));
    await go(() => result.current.dialog[1]("charge:a"));
    await go(() => result.current.why[1]("total"));
    await go(() => result.current.why[1](undefined));
    expect(address()).toBe("/");
    await go(() => history.back());
    expect(address()).toBe("/before");
  });
});

describe("keepsStill", () => {
  it("moves a page that is come to, and none above which something opens or closes", () => {
    const moves = keepsStill();
    const at = (pathname: string, search = {}) => moves({ location: { pathname, search } });
    expect(at("/a")).toBe(true);
    expect(at("/a", { why: "total" })).toBe(false);
    expect(at("/a", { open: "1" })).toBe(false);
    expect(at("/a")).toBe(false);
    expect(at("/a", { page: 2 })).toBe(true);
    expect(at("/b", { page: 2 })).toBe(true);
  });
});
