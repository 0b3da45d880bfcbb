/** The frame of an organization's pages: navigation at the left, the page, the palette over it. */
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import {
  Banknote,
  ChartNoAxesCombined,
  Gauge,
  Layers,
  LogOut,
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
  UserRound,
  Users,
} from "lucide-react";
import { Dialog, DropdownMenu } from "radix-ui";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { isTyping } from "@/lib/typing";
import { initials } from "@/ui/basics";
import { ShellContext } from "@/ui/page";
import { Empty, FaultBoundary, PageSkeleton } from "@/ui/states";
import { ClockBanner } from "./clock-banner";
import { openPanel } from "./developers-panel";
import { paths } from "./paths";
import { OF_DEVELOPERS, useCan, useMembership, useSignOut, useUser } from "./session";
import { OrganizationSwitcher } from "./switcher";

const Palette = lazy(() => import("./palette"));

interface Entry {
  label: string;
  icon: LucideIcon;
  href: string;
  /** The first step of its address and of those of the objects in it. */
  areas: string[];
  permissions: string[];
  /** Shows it over the page that is shown, where there is room; whether there was. */
  open?: (href: string) => boolean;
}

function groups(): { title: string; entries: Entry[] }[] {
  return [
    {
      title: "Reports",
      entries: [
        {
          label: "Analytics",
          icon: ChartNoAxesCombined,
          href: paths.analytics(),
          areas: ["analytics"],
          permissions: ["analytics:view"],
        },
      ],
    },
    {
      title: "Catalog",
      entries: [
        {
          label: "Billable metrics",
          icon: Gauge,
          href: paths.metrics.list(),
          areas: ["billable-metrics", "billable-metric"],
          permissions: ["billable_metrics:view"],
        },
        {
          label: "Plans",
          icon: Layers,
          href: paths.plans.list(),
          areas: ["plans", "plan"],
          permissions: ["plans:view"],
        },
        {
          label: "Features",
          icon: ToggleRight,
          href: paths.features.list(),
          areas: ["features", "feature"],
          permissions: ["features:view"],
        },
        {
          label: "Add-ons",
          icon: Package,
          href: paths.addOns.list(),
          areas: ["add-ons", "add-on"],
          permissions: ["addons:view"],
        },
        {
          label: "Coupons",
          icon: TicketPercent,
          href: paths.coupons.list(),
          areas: ["coupons", "coupon"],
          permissions: ["coupons:view"],
        },
      ],
    },
    {
      title: "Billing",
      entries: [
        {
          label: "Customers",
          icon: Users,
          href: paths.customers.list(),
          areas: ["customers", "customer"],
          permissions: ["customers:view"],
        },
        {
          label: "Subscriptions",
          icon: Repeat2,
          href: paths.subscriptions.list(),
          areas: ["subscriptions"],
          permissions: ["subscriptions:view"],
        },
        {
          label: "Invoices",
          icon: ReceiptText,
          href: paths.invoices.list(),
          areas: ["invoices"],
          permissions: ["invoices:view"],
        },
        {
          label: "Payments",
          icon: Banknote,
          href: paths.payments.list(),
          areas: ["payments", "payment"],
          permissions: ["payments:view"],
        },
        {
          label: "Credit notes",
          icon: Receipt,
          href: paths.creditNotes.list(),
          areas: ["credit-notes"],
          permissions: ["credit_notes:view"],
        },
      ],
    },
  ];
}

const developers = (): Entry => ({
  label: "Developers",
  icon: SquareTerminal,
  href: paths.developers(),
  areas: ["developers"],
  permissions: OF_DEVELOPERS,
  open: openPanel,
});

const settings = (): Entry => ({
  label: "Settings",
  icon: Settings,
  href: paths.settings(),
  areas: ["settings"],
  permissions: ["organization:view"],
});

export function Shell() {
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const [isNavigationOpen, setNavigationOpen] = useState(false);
  const location = useLocation();
  const controls = useMemo(
    () => ({ openPalette: () => setPaletteOpen(true), openNavigation: () => setNavigationOpen(true) }),
    [],
  );

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setPaletteOpen((isOpen) => !isOpen);
      } else if (
        event.key === "c" &&
        !event.metaKey &&
        !event.ctrlKey &&
        !event.altKey &&
        !isTyping(event.target)
      ) {
        document.querySelector<HTMLElement>("main [data-create]")?.click();
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another address closes what lies above the page
  useEffect(() => {
    setNavigationOpen(false);
    setPaletteOpen(false);
  }, [location.pathname]);

  return (
    <ShellContext value={controls}>
      <div className="shell">
        <Navigation onSearch={controls.openPalette} />
        <main className="main" id="main" tabIndex={-1}>
          <ClockBanner />
          <FaultBoundary resetKey={location.pathname}>
            <Suspense fallback={<PageSkeleton />}>
              <Outlet />
            </Suspense>
          </FaultBoundary>
        </main>
      </div>
      <Dialog.Root open={isNavigationOpen} onOpenChange={setNavigationOpen}>
        <Dialog.Portal>
          <Dialog.Overlay className="scrim" />
          <Dialog.Content className="nav-drawer" aria-describedby={undefined}>
            <Dialog.Title className="sr">Navigation</Dialog.Title>
            <Navigation onSearch={controls.openPalette} />
          </Dialog.Content>
        </Dialog.Portal>
      </Dialog.Root>
      {isPaletteOpen && (
        <Suspense>
          <Palette onClose={() => setPaletteOpen(false)} />
        </Suspense>
      )}
    </ShellContext>
  );
}

function Navigation({ onSearch }: { onSearch: () => void }) {
  const can = useCan();
  const isMac = /mac/i.test(navigator.userAgent);
  const shown = groups()
    .map((group) => ({ ...group, entries: group.entries.filter((entry) => can(...entry.permissions)) }))
    .filter((group) => group.entries.length > 0);
  return (
    <nav className="nav" aria-label="Main">
      <OrganizationSwitcher />
      <button type="button" className="nav-search" onClick={onSearch} aria-label="Search or jump to">
        <Search className="i" aria-hidden="true" />
        <span>Search or jump to</span>
        <span className="kbd">{isMac ? "⌘K" : "Ctrl K"}</span>
      </button>
      <div className="nav-body">
        {shown.map((group) => (
          <div key={group.title}>
            <div className="nav-h">{group.title}</div>
            <ul>
              {group.entries.map((entry) => (
                <NavigationItem key={entry.label} entry={entry} />
              ))}
            </ul>
          </div>
        ))}
      </div>
      <div className="nav-foot">
        <ul>
          {[developers(), settings()]
            .filter((entry) => can(...entry.permissions))
            .map((entry) => (
              <NavigationItem key={entry.label} entry={entry} />
            ))}
        </ul>
        <Me />
      </div>
    </nav>
  );
}

function NavigationItem({ entry }: { entry: Entry }) {
  const { pathname } = useLocation();
  const area = pathname.split("/")[2] ?? "";
  return (
    <li>
      <Link
        to={entry.href}
        className="item"
        title={entry.label}
        aria-current={entry.areas.includes(area) ? "page" : undefined}
        onClick={(event) => {
          const isPlain = !event.metaKey && !event.ctrlKey && !event.shiftKey;
          if (isPlain && !entry.areas.includes(area) && entry.open?.(entry.href)) event.preventDefault();
        }}
      >
        <entry.icon className="i" aria-hidden="true" />
        <span>{entry.label}</span>
      </Link>
    </li>
  );
}

function Me() {
  const user = useUser();
  const { roles } = useMembership();
  const signOut = useSignOut();
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        <button type="button" className="me" title={user.email}>
          <span className="avatar" aria-hidden="true">
            {initials(user.email.split("@")[0]!)}
          </span>
          <span className="trunc">{user.email}</span>
        </button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="start" side="top" sideOffset={4}>
          <DropdownMenu.Label className="menu-note">{roles.join(", ")}</DropdownMenu.Label>
          <DropdownMenu.Item asChild>
            <Link to={paths.settings("account")}>
              <UserRound className="i" aria-hidden="true" />
              Your account
            </Link>
          </DropdownMenu.Item>
          <DropdownMenu.Item asChild onSelect={() => void signOut()}>
            <button type="button">
              <LogOut className="i" aria-hidden="true" />
              Sign out
            </button>
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** Where a member lands whose roles show nothing. */
export function Nothing() {
  return (
    <main className="door" id="main">
      <Empty title="Your role shows nothing here yet">
        An admin of the organization can give you another one.
      </Empty>
    </main>
  );
}

/** The button of a list that makes another one; C presses it. */
export function CreateButton({ href, children }: { href: string; children: string }) {
  return (
    <Link to={href} className="btn btn-primary" data-create="">
      <Plus className="i" aria-hidden="true" />
      {children}
      <span className="kbd only-wide">C</span>
    </Link>
  );
}
