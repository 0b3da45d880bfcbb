/** The panel's own router: the area's pages at their addresses, kept in memory; whatever leads elsewhere is the page's. */
import type { QueryClient } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRouteWithContext,
  createRoute,
  createRouter,
  type RouteComponent,
  type RouterHistory,
} from "@tanstack/react-router";
import { isOfDevelopers } from "@/app/developers-panel";
import type { Membership } from "@/app/session";
import { Missing, PageSkeleton } from "@/ui/states";
import { developerPages } from "./routes";

interface Context {
  queries: QueryClient;
  membership: Membership;
}

interface Panel {
  /** Where it begins. */
  href: string;
  context: Context;
  /** What stands around its pages. */
  frame: RouteComponent;
  leave: (href: string) => void;
}

export function makePanelRouter({ href, context, frame, leave }: Panel) {
  const root = createRootRouteWithContext<Context>()({});
  const organization = createRoute({ getParentRoute: () => root, path: "$org", component: frame });
  const tree = root.addChildren([organization.addChildren(developerPages(organization as never))]);
  return createRouter({
    routeTree: tree,
    history: keptInside(createMemoryHistory({ initialEntries: [href] }), leave),
    context,
    defaultPreload: "intent",
    defaultPendingMs: 150,
    defaultPendingComponent: PageSkeleton,
    defaultNotFoundComponent: () => Missing({ what: "Page" }),
  } as never);
}

/** A history that stays in the area: `leave` hears of what leads out of it. */
export function keptInside(history: RouterHistory, leave: (href: string) => void): RouterHistory {
  const within =
    (go: RouterHistory["push"]): RouterHistory["push"] =>
    (href, ...rest) =>
      isOfDevelopers(href) ? go(href, ...rest) : leave(href);
  return Object.assign(Object.create(history), {
    push: within(history.push),
    replace: within(history.replace),
  });
}
