import { createMemoryHistory } from "@tanstack/react-router";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { enterOrganization } from "@/api/client";
import { keptInside } from "@/pages/developers/panel-router";
import { isOfDevelopers, linkWithPanel, readPanelLink } from "./developers-panel";

beforeEach(() => enterOrganization("acme"));

describe("links that reopen the panel", () => {
  it("name the page and the panel's own address, with what both are filtered by", () => {
    const link = linkWithPanel("/acme/customers?term=ada", "/acme/developers/events?code=gb&open=1");
    expect(link).toBe(`${location.origin}/acme/customers?term=ada&devtool=events%3Fcode%3Dgb%26open%3D1`);
    expect(readPanelLink(link)).toEqual({
      page: "/acme/customers?term=ada",
      panel: "/acme/developers/events?code=gb&open=1",
    });
  });

  it("lead deep into the area", () => {
    const link = linkWithPanel("/acme/plans", "/acme/developers/webhooks/wh_1");
    expect(readPanelLink(link)?.panel).toBe("/acme/developers/webhooks/wh_1");
  });

  it("are no others", () => {
    expect(readPanelLink("/acme/customers?term=ada")).toBeNull();
  });
});

describe("the panel's history", () => {
  it("stays in the area, and tells of what leads out of it", () => {
    const leave = vi.fn();
    const history = keptInside(createMemoryHistory({ initialEntries: ["/acme/developers/events"] }), leave);
    history.push("/acme/developers/logs?page=2");
    history.push("/acme/customer/ada/overview");
    history.replace("/other/developers/logs");
    expect(history.location.href).toBe("/acme/developers/logs?page=2");
    expect(leave.mock.calls).toEqual([["/acme/customer/ada/overview"], ["/other/developers/logs"]]);
    expect(isOfDevelopers("/acme/developers/logs")).toBe(true);
  });
});
