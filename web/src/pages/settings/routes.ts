import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "@/app/roots";

const page = <Module extends Record<string, unknown>>(
  path: string,
  load: () => Promise<Module>,
  name: keyof Module & string,
) =>
  createRoute({
    getParentRoute: () => shellRoute,
    path: `settings/${path}`,
    component: lazyRouteComponent(load as never, name as never),
  });

export const shell = [
  page("organization", () => import("./organization"), "OrganizationSettings"),
  page("members", () => import("./members"), "Members"),
  page("roles", () => import("./roles"), "Roles"),
  page("authentication", () => import("./authentication"), "Authentication"),
  page("entities", () => import("./entities"), "Entities"),
  page("entities/$code", () => import("./entities"), "EntitySettings"),
  page("dunning", () => import("./dunning"), "DunningCampaigns"),
  page("taxes", () => import("./taxes"), "Taxes"),
  page("sections", () => import("./sections"), "CustomSections"),
  page("pricing-units", () => import("./sections"), "PricingUnits"),
  page("account", () => import("./account"), "Account"),
];
