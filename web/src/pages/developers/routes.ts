import { type AnyRoute, createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { paths } from "@/app/paths";
import { pagesBelow, shellRoute } from "@/app/roots";

/** The pages of the area, below the shell, or in the panel. */
export function developerPages(parent: AnyRoute) {
  const below = parent as typeof shellRoute;
  const page = pagesBelow(below);
  return [
    createRoute({
      getParentRoute: () => below,
      path: "developers/api-keys",
      beforeLoad: ({ context }) => {
        const { permissions } = context.membership;
        if (!permissions.includes("developers:keys:manage"))
          throw redirect({ href: paths.developers("webhooks") });
      },
      component: lazyRouteComponent(() => import("./keys"), "ApiKeys"),
    }),
    page("developers/webhooks", () => import("./webhooks"), "Webhooks"),
    page("developers/webhooks/$id", () => import("./webhooks"), "WebhookEndpoint"),
    page("developers/events", () => import("./events"), "Events"),
    page("developers/unmatched", () => import("./unmatched"), "Unmatched"),
    page("developers/logs", () => import("./logs"), "ApiLogs"),
    page("developers/activity", () => import("./logs"), "ActivityLogs"),
    page("developers/security", () => import("./security-logs"), "SecurityLogs"),
  ];
}

export const shell = developerPages(shellRoute);
