/** The routes that all others hang on. */
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  lazyRouteComponent,
  notFound,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { enterOrganization } from "@/api/client";
import { setOwnZone } from "@/lib/dates";
import { IsBare } from "@/ui/states";
import { openPanel, readPanelLink } from "./developers-panel";
import { rememberOrganization } from "./last-organization";
import { doors, paths } from "./paths";
import { Root, RootFault, RootMissing } from "./root";
import { findUser, type Membership, openedLast } from "./session";

export const rootRoute = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: Root,
  errorComponent: RootFault,
  notFoundComponent: RootMissing,
});

/** Everything of an organization: only for its members, in whose name the API is asked from here on. */
export const orgRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "$org",
  beforeLoad: async ({ context, params, location }) => {
    const user = await findUser(context.queries);
    if (!user) throw redirect({ href: doors.signIn(location.href) });
    const membership =
      user.memberships.find((one) => one.organization.lago_id === params.org) ??
      user.memberships.find((one) => one.organization.slug === params.org);
    if (!membership) throw notFound();
    const { slug } = membership.organization;
    // Links of answers (`web_url`) name the organization by its id, which stays when the slug changes.
    if (slug !== params.org) throw redirect({ href: location.href.replace(params.org, slug), replace: true });
    if (!membership.organization.is_accessible) throw redirect({ href: doors.signIn(location.href, slug) });
    enterOrganization(params.org);
    setOwnZone(membership.organization.timezone);
    rememberOrganization(params.org);
    const linked = readPanelLink(location.href);
    if (linked) {
      // Where there is no room for it, the panel's own page is what is seen.
      throw redirect({ href: openPanel(linked.panel) ? linked.page : linked.panel, replace: true });
    }
    return { membership };
  },
  component: lazyRouteComponent(() => import("./visit-banner"), "Organization"),
});

/** Pages with the navigation beside them. */
export const shellRoute = createRoute({
  getParentRoute: () => orgRoute,
  id: "shell",
  component: lazyRouteComponent(() => import("./shell"), "Shell"),
});

/** Full-screen pages: forms. */
export const fullRoute = createRoute({
  getParentRoute: () => orgRoute,
  id: "full",
  component: () => (
    <IsBare value>
      <Outlet />
    </IsBare>
  ),
});

/** Makes routes below another one, whose pages load when somebody goes there. */
export function pagesBelow<Parent extends typeof shellRoute | typeof fullRoute>(parent: Parent) {
  return <Module extends Record<string, unknown>>(
    path: string,
    load: () => Promise<Module>,
    name: keyof Module & string,
  ) =>
    createRoute({
      getParentRoute: () => parent,
      path,
      component: lazyRouteComponent(load as never, name as never),
    });
}

export const shellPage = pagesBelow(shellRoute);
export const fullPage = pagesBelow(fullRoute);

/** `/`: into the organization that was entered last, else the first that is open, or to the door. */
export const startRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  beforeLoad: async ({ context }) => {
    const user = await findUser(context.queries);
    const open = user && openedLast(user);
    if (!open) throw redirect({ href: doors.signIn() });
    enterOrganization(open.organization.slug);
    throw redirect({ href: landingOf(open) ?? paths.home() });
  },
});

/** `/acme`: to the first area that the member may see (ui §1.1). */
export const homeRoute = createRoute({
  getParentRoute: () => orgRoute,
  path: "/",
  beforeLoad: ({ context }) => {
    const first = landingOf(context.membership);
    if (first) throw redirect({ href: first });
  },
  component: lazyRouteComponent(() => import("./shell"), "Nothing"),
});

/** The first area of the organization that has been entered which a member may see. */
function landingOf({ permissions }: Membership): string | undefined {
  return LANDINGS.find(([permission]) => permissions.includes(permission))?.[1]();
}

const LANDINGS: [permission: string, path: () => string][] = [
  ["analytics:view", () => paths.analytics()],
  ["customers:view", paths.customers.list],
  ["billable_metrics:view", paths.metrics.list],
  ["plans:view", paths.plans.list],
  ["features:view", paths.features.list],
  ["addons:view", paths.addOns.list],
  ["coupons:view", paths.coupons.list],
  ["subscriptions:view", paths.subscriptions.list],
  ["invoices:view", paths.invoices.list],
  ["payments:view", paths.payments.list],
  ["credit_notes:view", paths.creditNotes.list],
  ["developers:manage", () => paths.developers("webhooks")],
  ["developers:keys:manage", () => paths.developers()],
  ["organization:view", () => paths.settings()],
];
