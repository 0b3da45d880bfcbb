/** ⌘K: finds anything, goes anywhere. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import {
  Gauge,
  Layers,
  type LucideIcon,
  Package,
  Receipt,
  ReceiptText,
  Repeat2,
  Search,
  TicketPercent,
  ToggleRight,
  Users,
  Wallet,
} from "lucide-react";
import { Dialog } from "radix-ui";
import { useState } from "react";
import { read, type Schema } from "@/api/client";
import { useSettled } from "@/lib/settled";
import { useFocusReturn } from "@/ui/opener";
import { isOfDevelopers, openPanel } from "./developers-panel";
import { paths } from "./paths";
import { API_REFERENCE, placesFor } from "./places";
import { useCan, useOrganization } from "./session";

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

export default function Palette({ onClose }: { onClose: () => void }) {
  const onCloseAutoFocus = useFocusReturn();
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
    if (href === API_REFERENCE) open(href, "_blank", "noreferrer");
    else if (!isOfDevelopers(href) || !openPanel(href)) void navigate({ to: href });
  };
  const words = term.trim().toLowerCase();
  const { test_clock } = useOrganization();
  const entities = useQuery({
    ...read("/api/v1/billing_entities"),
    enabled: words !== "" && can("billing_entities:view"),
  });
  const shownPlaces = placesFor(words, can, {
    isSimulated: test_clock !== null,
    entities: entities.data?.billing_entities ?? [],
  });
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="scrim" />
        <Dialog.Content
          className="cmdk slim"
          aria-describedby={undefined}
          onCloseAutoFocus={onCloseAutoFocus}
        >
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
                    <Command.Item key={place.href} value={place.href} onSelect={() => go(place.href)}>
                      <place.icon className="i" aria-hidden="true" />
                      {place.label}
                      {place.area && <span className="end">{place.area}</span>}
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
