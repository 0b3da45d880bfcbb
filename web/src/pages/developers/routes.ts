import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { paths } from "@/app/paths";
import { shellRoute } from "@/app/roots";

const page = <Module extends Record<string, unknown>>(
  path: string,
  load: () => Promise<Module>,
  name: keyof Module & string,
) =>
  createRoute({
    getParentRoute: () => shellRoute,
    path: `developers/${path}`,
    component: lazyRouteComponent(load as never, name as never),
  });

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "developers/api-keys",
    beforeLoad: ({ context }) => {
      const { permissions } = context.membership;
      if (!permissions.includes("developers:keys:manage"))
        throw redirect({ href: paths.developers("webhooks") });
    },
    component: lazyRouteComponent(() => import("./keys"), "ApiKeys"),
  }),
  page("webhooks", () => import("./webhooks"), "Webhooks"),
  page("webhooks/$id", () => import("./webhooks"), "WebhookEndpoint"),
  page("events", () => import("./events"), "Events"),
  page("unmatched", () => import("./unmatched"), "Unmatched"),
  page("logs", () => import("./logs"), "ApiLogs"),
  page("activity", () => import("./logs"), "ActivityLogs"),
  page("security", () => import("./logs"), "SecurityLogs"),
];
