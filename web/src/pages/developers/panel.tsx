/** The developers' panel: the area over the foot of any page, as high as one likes it. */
import { useQueryClient } from "@tanstack/react-query";
import { Outlet, RouterProvider, useLocation, useRouter } from "@tanstack/react-router";
import { Link2, Maximize2, X } from "lucide-react";
import {
  createContext,
  type KeyboardEvent,
  type PointerEvent,
  useContext,
  useEffect,
  useRef,
  useState,
} from "react";
import { closePanel, linkWithPanel } from "@/app/developers-panel";
import { useMembership } from "@/app/session";
import { Button } from "@/ui/basics";
import { focusAgain } from "@/ui/opener";
import { ScrollFrame } from "@/ui/rows";
import { FaultBoundary } from "@/ui/states";
import { notify } from "@/ui/toasts";
import { heightBy, keepHeight, keptHeight, LEAST, MOST } from "./height";
import { DeveloperTabs, InPanel } from "./layout";
import { makePanelRouter } from "./panel-router";
import "./developers.css";

/** The address of the page below, and the way to others. */
const Below = createContext<{ href: () => string; go: (href: string) => void }>({
  href: () => "/",
  go: () => {},
});

export default function DevelopersPanel({ opening }: { opening: { href: string } }) {
  const page = useRouter();
  const queries = useQueryClient();
  const membership = useMembership();
  const go = (href: string) => void page.navigate({ href });
  const [router] = useState(() =>
    makePanelRouter({
      href: opening.href,
      context: { queries, membership },
      frame: PanelFrame,
      leave: go,
    }),
  );
  const section = useRef<HTMLElement>(null);
  const [opener] = useState(() => document.activeElement);
  const [height, setHeight] = useState(keptHeight);
  useEffect(() => {
    if (router.history.location.href !== opening.href) router.history.push(opening.href);
    if (!section.current?.contains(document.activeElement)) section.current?.focus();
  }, [router, opening]);
  useEffect(() => {
    document.documentElement.style.setProperty("--dev-height", `${height}vh`);
    keepHeight(height);
    return () => void document.documentElement.style.removeProperty("--dev-height");
  }, [height]);
  useEffect(
    () => () => {
      if (document.activeElement === document.body) focusAgain(opener); // else somebody is elsewhere
    },
    [opener],
  );
  return (
    <section
      ref={section}
      tabIndex={-1}
      className="dev-panel"
      aria-label="Developers"
      onKeyDown={(event) => event.key === "Escape" && closePanel()}
    >
      <Grip height={height} onChange={setHeight} />
      <Below value={{ href: () => page.history.location.href, go }}>
        <RouterProvider router={router as never} />
      </Below>
    </section>
  );
}

/** What makes the panel higher and lower: pulled, or by the arrow keys. */
function Grip({ height, onChange }: { height: number; onChange: (height: number) => void }) {
  const pull = (event: PointerEvent) => {
    if (event.buttons === 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    onChange(heightBy(((innerHeight - event.clientY) / innerHeight) * 100));
  };
  const press = (event: KeyboardEvent) => {
    const step = { ArrowUp: 5, ArrowDown: -5 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    onChange(heightBy(height + step));
  };
  return (
    <div
      className="dev-grip"
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height of the panel"
      aria-valuenow={height}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      onPointerDown={pull}
      onPointerMove={pull}
      onKeyDown={press}
    />
  );
}

/** The head of the panel with its tabs, and the page of the area below. */
function PanelFrame() {
  const { href, pathname } = useLocation();
  const below = useContext(Below);
  const copy = async () => {
    await navigator.clipboard.writeText(linkWithPanel(below.href(), href));
    notify.copied("a link to this page with the panel");
  };
  return (
    <InPanel value={true}>
      <header className="dev-h">
        <DeveloperTabs />
        <span className="row">
          <Button
            look="ghost"
            isIcon
            size="sm"
            aria-label="Copy link"
            title="Copy link"
            onClick={() => void copy()}
          >
            <Link2 className="i" aria-hidden="true" />
          </Button>
          <Button
            look="ghost"
            isIcon
            size="sm"
            aria-label="Show on the whole page"
            title="Show on the whole page"
            onClick={() => {
              closePanel();
              below.go(href);
            }}
          >
            <Maximize2 className="i" aria-hidden="true" />
          </Button>
          <Button
            look="ghost"
            isIcon
            size="sm"
            aria-label="Close the panel"
            title="Close the panel"
            onClick={closePanel}
          >
            <X className="i" aria-hidden="true" />
          </Button>
        </span>
      </header>
      <div className="dev-b">
        <ScrollFrame value=".dev-list">
          <FaultBoundary resetKey={pathname}>
            <Outlet />
          </FaultBoundary>
        </ScrollFrame>
      </div>
    </InPanel>
  );
}
