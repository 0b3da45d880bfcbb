import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { paths } from "@/app/paths";
import { shellPage, shellRoute } from "@/app/roots";

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
  shellPage("developers/webhooks", () => import("./webhooks"), "Webhooks"),
  shellPage("developers/webhooks/$id", () => import("./webhooks"), "WebhookEndpoint"),
  shellPage("developers/events", () => import("./events"), "Events"),
  shellPage("developers/unmatched", () => import("./unmatched"), "Unmatched"),
  shellPage("developers/logs", () => import("./logs"), "ApiLogs"),
  shellPage("developers/activity", () => import("./logs"), "ActivityLogs"),
  shellPage("developers/security", () => import("./logs"), "SecurityLogs"),
];
