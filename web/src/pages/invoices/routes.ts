/** Invoices, and what follows from them: payments, credit notes. */
import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { paths } from "@/app/paths";
import { fullRoute, shellRoute } from "@/app/roots";

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
  createRoute({
    getParentRoute: () => shellRoute,
    path: "payments",
    component: lazyRouteComponent(() => import("@/pages/payments/list"), "Payments"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "payment/$id",
    component: lazyRouteComponent(() => import("@/pages/payments/details"), "PaymentDetails"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "credit-notes",
    component: lazyRouteComponent(() => import("@/pages/credit-notes/list"), "CreditNotes"),
  }),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "customer/$customer/credit-note/$id/$tab",
    component: lazyRouteComponent(() => import("@/pages/credit-notes/details"), "CreditNoteDetails"),
  }),
];

export const full = [
  createRoute({
    getParentRoute: () => fullRoute,
    path: "create/invoice",
    component: lazyRouteComponent(() => import("./create"), "CreateInvoice"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "void/invoice/$id",
    component: lazyRouteComponent(() => import("./void"), "VoidInvoice"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "regenerate/invoice/$id",
    component: lazyRouteComponent(() => import("./regenerate"), "RegenerateInvoice"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "create/payment",
    component: lazyRouteComponent(() => import("@/pages/payments/record"), "RecordPayment"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "create/payment-request",
    component: lazyRouteComponent(() => import("@/pages/payments/request"), "RequestPayment"),
  }),
  createRoute({
    getParentRoute: () => fullRoute,
    path: "create/credit-note",
    component: lazyRouteComponent(() => import("@/pages/credit-notes/form"), "CreditNoteForm"),
  }),
];
