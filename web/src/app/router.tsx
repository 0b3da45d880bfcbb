import { createRouter } from "@tanstack/react-router";
import * as analytics from "@/pages/analytics/routes";
import * as catalog from "@/pages/catalog/routes";
import * as clock from "@/pages/clock/routes";
import * as customers from "@/pages/customers/routes";
import * as developers from "@/pages/developers/routes";
import { doorRoutes } from "@/pages/doors/routes";
import * as invoices from "@/pages/invoices/routes";
import * as settings from "@/pages/settings/routes";
import * as subscriptions from "@/pages/subscriptions/routes";
import * as wallets from "@/pages/wallets/routes";
import { portalRoute } from "@/portal/routes";
import { keepsStill } from "@/ui/opened";
import { PageSkeleton } from "@/ui/states";
import { queries } from "./queries";
import { RootMissing } from "./root";
import { fullRoute, homeRoute, orgRoute, rootRoute, shellRoute, startRoute } from "./roots";

/** Areas bring their routes: `shell` beside the navigation, `full` over the whole screen. */
const shells = [
  ...analytics.shell,
  ...catalog.shell,
  ...clock.shell,
  ...customers.shell,
  ...developers.shell,
  ...invoices.shell,
  ...settings.shell,
  ...subscriptions.shell,
  ...wallets.shell,
];
const fulls = [
  ...catalog.full, //
  ...customers.full,
  ...invoices.full,
  ...subscriptions.full,
  ...wallets.full,
];

const tree = rootRoute.addChildren([
  startRoute,
  ...doorRoutes,
  portalRoute,
  orgRoute.addChildren([homeRoute, shellRoute.addChildren(shells), fullRoute.addChildren(fulls)]),
]);

export const router = createRouter({
  routeTree: tree,
  context: { queries },
  defaultPreload: "intent",
  defaultPendingMs: 150,
  defaultPendingComponent: PageSkeleton,
  defaultNotFoundComponent: RootMissing,
  scrollRestoration: keepsStill(),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
