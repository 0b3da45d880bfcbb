/** Invoices, and what follows from them: payments, credit notes. */
import { createRoute, redirect } from "@tanstack/react-router";
import { paths } from "@/app/paths";
import { fullPage, shellPage, shellRoute } from "@/app/roots";

export const shell = [
  shellPage("invoices", () => import("./list"), "Invoices"),
  createRoute({
    getParentRoute: () => shellRoute,
    path: "customer/$customer/invoice/$id",
    beforeLoad: ({ params }) => {
      throw redirect({ href: paths.invoices.show(params.customer, params.id), replace: true });
    },
  }),
  shellPage("customer/$customer/invoice/$id/$tab", () => import("./details"), "InvoiceDetails"),
  shellPage("payments", () => import("@/pages/payments/list"), "Payments"),
  shellPage("payment/$id", () => import("@/pages/payments/details"), "PaymentDetails"),
  shellPage("credit-notes", () => import("@/pages/credit-notes/list"), "CreditNotes"),
  shellPage(
    "customer/$customer/credit-note/$id/$tab",
    () => import("@/pages/credit-notes/details"),
    "CreditNoteDetails",
  ),
];

export const full = [
  fullPage("create/invoice", () => import("./create"), "CreateInvoice"),
  fullPage("void/invoice/$id", () => import("./void"), "VoidInvoice"),
  fullPage("regenerate/invoice/$id", () => import("./regenerate"), "RegenerateInvoice"),
  fullPage("create/payment", () => import("@/pages/payments/record"), "RecordPayment"),
  fullPage("create/payment-request", () => import("@/pages/payments/request"), "RequestPayment"),
  fullPage("create/credit-note", () => import("@/pages/credit-notes/form"), "CreditNoteForm"),
];
