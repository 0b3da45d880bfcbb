/** The head of a page, its tabs and its place among the others. */
import { Link, useLocation } from "@tanstack/react-router";
import { BookOpen, ChevronLeft, ChevronRight, Menu, Search, SunMoon } from "lucide-react";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { toggleTheme } from "@/lib/theme";
import { Button } from "./basics";

export interface ShellControls {
  openPalette: () => void;
  openNavigation: () => void;
}

export const ShellContext = createContext<ShellControls>({ openPalette: () => {}, openNavigation: () => {} });

export interface Crumb {
  label: ReactNode;
  href?: string;
}

interface PageProps {
  /** The document's title, and what a phone shows on top. */
  title: string;
  /** Whose page it is, in the document's title: of pages that are called the same. */
  of?: string | undefined;
  /** Pages above this one; without them the title itself stands in the bar, as in lists. */
  crumbs?: readonly Crumb[];
  /** Whether the title in the bar is the page's heading: of pages without a head of their own. Lists always have it there. */
  isHeading?: boolean;
  /** What can be done, at the right of the bar of a list. */
  actions?: ReactNode;
  children: ReactNode;
  /** A panel at the right of the page: a proof, a record. */
  panel?: ReactNode;
}

export function Page({ title, of, crumbs, isHeading = !crumbs, actions, children, panel }: PageProps) {
  const { openPalette, openNavigation } = useContext(ShellContext);
  useTitle(of ? `${title} · ${of}` : title);
  const above = crumbs?.at(-1)?.href;
  const Title = isHeading ? "h1" : "b";
  return (
    <>
      <header className="phone-bar only-phone">
        {above ? (
          <Link to={above} className="btn btn-ghost btn-icon" aria-label="Back">
            <ChevronLeft className="i i-20" aria-hidden="true" />
          </Link>
        ) : (
          <span style={{ width: 10 }} />
        )}
        <Title className="trunc grow">{title}</Title>
        <Button look="ghost" isIcon aria-label="Search" onClick={openPalette}>
          <Search className="i i-20" aria-hidden="true" />
        </Button>
        <Button look="ghost" isIcon aria-label="Menu" onClick={openNavigation}>
          <Menu className="i i-20" aria-hidden="true" />
        </Button>
      </header>
      <header className={crumbs ? "top" : "top tall"}>
        {crumbs ? (
          <nav className="crumbs" aria-label="Breadcrumb">
            {crumbs.map((crumb, index) => (
              <span className="row" key={index}>
                {crumb.href ? <Link to={crumb.href}>{crumb.label}</Link> : crumb.label}
                <ChevronRight className="i" aria-hidden="true" />
              </span>
            ))}
            <Title aria-current="page" className="trunc">
              {title}
            </Title>
          </nav>
        ) : (
          <Title>{title}</Title>
        )}
        <div className="top-right">
          {actions}
          {actions && <span className="rule" />}
          <a
            className="btn btn-ghost btn-icon btn-sm"
            href="/api-docs"
            target="_blank"
            rel="noreferrer"
            title="API reference"
            aria-label="API reference"
          >
            <BookOpen className="i" aria-hidden="true" />
          </a>
          <Button
            look="ghost"
            isIcon
            size="sm"
            title="Switch theme"
            aria-label="Switch theme"
            onClick={toggleTheme}
          >
            <SunMoon className="i" aria-hidden="true" />
          </Button>
        </div>
      </header>
      <div className={panel ? "split" : undefined}>
        <div className="page">
          {actions && !crumbs && (
            <div className="page-head only-phone">
              <div className="actions">{actions}</div>
            </div>
          )}
          {children}
        </div>
        {panel}
      </div>
    </>
  );
}

interface HeadProps {
  title: ReactNode;
  mark?: ReactNode;
  /** Identifiers and the like below the title. */
  sub?: ReactNode;
  status?: ReactNode;
  actions?: ReactNode;
}

/** The head of a page of details. */
export function PageHead({ title, mark, sub, status, actions }: HeadProps) {
  return (
    <div className="page-head">
      {mark && <span className="only-wide">{mark}</span>}
      <div className="head-text">
        <h1>{title}</h1>
        {status && <div className="row head-status">{status}</div>}
        {sub && <div className="sub">{sub}</div>}
      </div>
      {actions && <div className="actions">{actions}</div>}
    </div>
  );
}

export interface Tab {
  label: string;
  href: string;
  count?: number | undefined;
  isShown?: boolean;
}

/** Tabs are addresses. */
export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  const nav = useCurrentInSight();
  return (
    <nav className="tabs" aria-label={label} ref={nav}>
      {tabs
        .filter((tab) => tab.isShown !== false)
        .map((tab) => (
          <Link
            key={tab.href}
            to={tab.href}
            activeOptions={{ exact: true, includeSearch: false }}
            activeProps={{ "aria-current": "page" }}
          >
            {tab.label}
            {tab.count !== undefined && <span className="n">{tab.count.toLocaleString()}</span>}
          </Link>
        ))}
    </nav>
  );
}

/** Where there are more links side by side than fit, the one of this page is in sight; `count` is of those that have come. */
export function useCurrentInSight(count?: number): (frame: HTMLElement | null) => void {
  const { pathname } = useLocation();
  const [frame, setFrame] = useState<HTMLElement | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another address makes another link the current one, which may come later
  useEffect(() => {
    const current = frame?.querySelector("[aria-current]");
    if (!frame || !current) return;
    const [inside, outside] = [current.getBoundingClientRect(), frame.getBoundingClientRect()];
    frame.scrollLeft += (inside.left + inside.right - outside.left - outside.right) / 2;
  }, [frame, pathname, count]);
  return setFrame;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Tallymark`;
  }, [title]);
}
