import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { paths } from "@/app/paths";
import { shellRoute } from "@/app/roots";

export const shell = [
  createRoute({
    getParentRoute: () => shellRoute,
    path: "invoices",
    component: lazyRouteComponent(() => import("./list"), "Invoices"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "customer/$customer/invoice/$id",
    beforeLoad: ({ params }) => {
      throw redirect({ href: paths.invoices.show(params.customer, params.id), replace: true });
    },
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "customer/$customer/invoice/$id/$tab",
    component: lazyRouteComponent(() => import("./details"), "InvoiceDetails"),
  }),
];
