/** ⌘K: finds anything, goes anywhere. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import {
  Banknote,
  ChartNoAxesCombined,
  Gauge,
  Layers,
  type LucideIcon,
  Package,
  Plus,
  Receipt,
  ReceiptText,
  Repeat2,
  Search,
  Settings,
  SquareTerminal,
  TicketPercent,
  ToggleRight,
  Users,
  Wallet,
} from "lucide-react";
import { Dialog } from "radix-ui";
import { useState } from "react";
import { read, type Schema } from "@/api/client";
import { useSettled } from "@/lib/settled";
import { isOfDevelopers, openPanel } from "./developers-panel";
import { paths } from "./paths";
import { useCan } from "./session";

type Found = Schema<"SearchResultOutput">;

const KINDS: Record<string, { title: string; icon: LucideIcon; href: (found: Found) => string }> = {
  customer: {
    title: "Customers",
    icon: Users,
    href: (found) => paths.customers.show(found.external_id ?? ""),
  },
  subscription: {
    title: "Subscriptions",
    icon: Repeat2,
    href: (found) => paths.subscriptions.show(found.external_customer_id ?? "", found.external_id ?? ""),
  },
  invoice: {
    title: "Invoices",
    icon: ReceiptText,
    href: (found) => paths.invoices.show(found.external_customer_id ?? "", found.lago_id),
  },
  credit_note: {
    title: "Credit notes",
    icon: Receipt,
    href: (found) => paths.creditNotes.show(found.external_customer_id ?? "", found.lago_id),
  },
  wallet: {
    title: "Wallets",
    icon: Wallet,
    href: (found) => paths.wallets.show(found.external_customer_id ?? "", found.lago_id),
  },
  plan: { title: "Plans", icon: Layers, href: (found) => paths.plans.show(found.code ?? "") },
  billable_metric: {
    title: "Billable metrics",
    icon: Gauge,
    href: (found) => paths.metrics.show(found.code ?? ""),
  },
  feature: { title: "Features", icon: ToggleRight, href: (found) => paths.features.show(found.code ?? "") },
  add_on: { title: "Add-ons", icon: Package, href: (found) => paths.addOns.show(found.code ?? "") },
  coupon: { title: "Coupons", icon: TicketPercent, href: (found) => paths.coupons.show(found.code ?? "") },
};

interface Place {
  label: string;
  icon: LucideIcon;
  href: string;
  permission: string;
}

function places(): Place[] {
  return [
    { label: "Analytics", icon: ChartNoAxesCombined, href: paths.analytics(), permission: "analytics:view" },
    { label: "Customers", icon: Users, href: paths.customers.list(), permission: "customers:view" },
    {
      label: "Subscriptions",
      icon: Repeat2,
      href: paths.subscriptions.list(),
      permission: "subscriptions:view",
    },
    { label: "Invoices", icon: ReceiptText, href: paths.invoices.list(), permission: "invoices:view" },
    { label: "Payments", icon: Banknote, href: paths.payments.list(), permission: "payments:view" },
    { label: "Credit notes", icon: Receipt, href: paths.creditNotes.list(), permission: "credit_notes:view" },
    { label: "Plans", icon: Layers, href: paths.plans.list(), permission: "plans:view" },
    {
      label: "Billable metrics",
      icon: Gauge,
      href: paths.metrics.list(),
      permission: "billable_metrics:view",
    },
    { label: "Features", icon: ToggleRight, href: paths.features.list(), permission: "features:view" },
    { label: "Add-ons", icon: Package, href: paths.addOns.list(), permission: "addons:view" },
    { label: "Coupons", icon: TicketPercent, href: paths.coupons.list(), permission: "coupons:view" },
    {
      label: "Events",
      icon: SquareTerminal,
      href: paths.developers("events"),
      permission: "developers:manage",
    },
    {
      label: "Webhooks",
      icon: SquareTerminal,
      href: paths.developers("webhooks"),
      permission: "developers:manage",
    },
    {
      label: "API keys",
      icon: SquareTerminal,
      href: paths.developers(),
      permission: "developers:keys:manage",
    },
    {
      label: "API logs",
      icon: SquareTerminal,
      href: paths.developers("logs"),
      permission: "developers:manage",
    },
    {
      label: "Unmatched events",
      icon: SquareTerminal,
      href: paths.developers("unmatched"),
      permission: "developers:manage",
    },
    {
      label: "Activity logs",
      icon: SquareTerminal,
      href: paths.developers("activity"),
      permission: "audit_logs:view",
    },
    { label: "Settings", icon: Settings, href: paths.settings(), permission: "organization:view" },
    { label: "New customer", icon: Plus, href: paths.customers.create(), permission: "customers:create" },
    { label: "New plan", icon: Plus, href: paths.plans.create(), permission: "plans:create" },
    {
      label: "New billable metric",
      icon: Plus,
      href: paths.metrics.create(),
      permission: "billable_metrics:create",
    },
    { label: "New coupon", icon: Plus, href: paths.coupons.create(), permission: "coupons:create" },
    { label: "New add-on", icon: Plus, href: paths.addOns.create(), permission: "addons:create" },
    { label: "Record payment", icon: Plus, href: paths.payments.create(), permission: "payments:create" },
  ];
}

export default function Palette({ onClose }: { onClose: () => void }) {
  const [term, setTerm] = useState("");
  const asked = useSettled(term.trim(), 150);
  const navigate = useNavigate();
  const can = useCan();
  const found = useQuery({
    ...read("/app/v1/search", { params: { query: { term: asked } } }),
    enabled: asked.length > 1,
  });
  const results = asked.length > 1 ? (found.data?.search_results ?? []) : [];
  const go = (href: string) => {
    onClose();
    if (!isOfDevelopers(href) || !openPanel(href)) void navigate({ to: href });
  };
  const words = term.trim().toLowerCase();
  const shownPlaces = places().filter(
    (place) => can(place.permission) && place.label.toLowerCase().includes(words),
  );
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="scrim" />
        <Dialog.Content className="cmdk slim" aria-describedby={undefined}>
          <Dialog.Title className="sr">Search or jump to</Dialog.Title>
          <Command label="Search or jump to" shouldFilter={false}>
            <div className="cmdk-in">
              <Search className="i" aria-hidden="true" />
              <Command.Input
                value={term}
                onValueChange={setTerm}
                placeholder="Customer, invoice, plan, or a page"
                autoFocus
              />
              {found.isFetching && <span className="spin dim" aria-hidden="true" />}
            </div>
            <Command.List>
              <Command.Empty>{found.isFetching ? "Looking" : `Nothing for “${term}”`}</Command.Empty>
              {Object.entries(Object.groupBy(results, (one) => one.kind)).map(([kind, ofKind]) => {
                const known = KINDS[kind];
                if (!known || !ofKind) return null;
                return (
                  <Command.Group key={kind} heading={known.title}>
                    {ofKind.map((one) => (
                      <Command.Item
                        key={one.lago_id}
                        value={one.lago_id}
                        onSelect={() => go(known.href(one))}
                      >
                        <known.icon className="i" aria-hidden="true" />
                        <span className="trunc">{one.title}</span>
                        <span className="end id">{one.subtitle}</span>
                      </Command.Item>
                    ))}
                  </Command.Group>
                );
              })}
              {shownPlaces.length > 0 && (
                <Command.Group heading="Go to">
                  {shownPlaces.map((place) => (
                    <Command.Item key={place.label} value={place.label} onSelect={() => go(place.href)}>
                      <place.icon className="i" aria-hidden="true" />
                      {place.label}
                    </Command.Item>
                  ))}
                </Command.Group>
              )}
            </Command.List>
          </Command>
          <div className="cmdk-f">
            <span>
              <span className="kbd">↑</span>
              <span className="kbd">↓</span> move
            </span>
            <span>
              <span className="kbd">↵</span> open
            </span>
            <span>
              <span className="kbd">esc</span> close
            </span>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
