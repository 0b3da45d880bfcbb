import { createRoute, redirect } from "@tanstack/react-router";
import { paths } from "@/app/paths";
import { shellPage, shellRoute } from "@/app/roots";

export const shell = [
  shellPage("settings/organization", () => import("./organization"), "OrganizationSettings"),
  shellPage("settings/members", () => import("./members"), "Members"),
  shellPage("settings/invitations", () => import("./invitations"), "Invitations"),
  shellPage("settings/roles", () => import("./roles"), "Roles"),
  shellPage("settings/authentication", () => import("./authentication"), "Authentication"),
  shellPage("settings/limits", () => import("./limits"), "Limits"),
  shellPage("settings/entities", () => import("./entities"), "Entities"),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "settings/entities/$code",
    beforeLoad: ({ params }) => {
      throw redirect({ href: paths.entity(params.code), replace: true });
    },
  }),
  shellPage("settings/entities/$code/$part", () => import("./entity/page"), "EntitySettings"),
  shellPage("settings/integrations", () => import("./integrations"), "Integrations"),
  shellPage("settings/integrations/european-vat", () => import("./european-vat"), "EuropeanVat"),
  shellPage(
    "settings/integrations/payment/$kind",
    () => import("@/pages/payment-providers/page"),
    "PaymentProvider",
  ),
  shellPage("settings/dunning", () => import("./dunning"), "DunningCampaigns"),
  shellPage("settings/taxes", () => import("./taxes"), "Taxes"),
  shellPage("settings/sections", () => import("./sections"), "CustomSections"),
  shellPage("settings/pricing-units", () => import("./sections"), "PricingUnits"),
  shellPage("settings/account", () => import("./account"), "Account"),
];
