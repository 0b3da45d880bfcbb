/** The developers' area: a page beside the navigation, or what fills the panel over another page. */
import { useLocation, useNavigate } from "@tanstack/react-router";
import { PanelBottom } from "lucide-react";
import { createContext, type ReactNode, useContext } from "react";
import { openPanel } from "@/app/developers-panel";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { Button } from "@/ui/basics";
import { Page, Tabs } from "@/ui/page";
import "./developers.css";

/** Whether the area stands in the panel. */
export const InPanel = createContext(false);

interface DevelopersProps {
  title: string;
  actions?: ReactNode;
  /** A row in full, at the right of its list. */
  detail?: ReactNode;
  children: ReactNode;
}

export function Developers(props: DevelopersProps) {
  return useContext(InPanel) ? <Filling {...props} /> : <OwnPage {...props} />;
}

function OwnPage({ title, actions, detail, children }: DevelopersProps) {
  return (
    <Page
      title={title}
      crumbs={[{ label: "Developers" }]}
      isHeading
      actions={
        <>
          {actions}
          <ShowAsPanel />
        </>
      }
      panel={detail}
    >
      <DeveloperTabs />
      <div style={{ paddingTop: 16 }}>{children}</div>
    </Page>
  );
}

function ShowAsPanel() {
  const { href } = useLocation();
  const navigate = useNavigate();
  return (
    <Button
      look="ghost"
      isIcon
      size="sm"
      className="only-wide"
      aria-label="Show as a panel"
      title="Show as a panel"
      onClick={() => {
        if (openPanel(href)) void navigate({ to: paths.home() });
      }}
    >
      <PanelBottom className="i" aria-hidden="true" />
    </Button>
  );
}

function Filling({ title, actions, detail, children }: DevelopersProps) {
  return (
    <div className="dev-split">
      <div className="dev-list">
        <div className="dev-title">
          <h2 className="grow">{title}</h2>
          {actions}
        </div>
        {children}
      </div>
      {detail}
    </div>
  );
}

export function DeveloperTabs() {
  const can = useCan();
  return (
    <Tabs
      label="Developers"
      tabs={[
        { label: "API keys", href: paths.developers(), isShown: can("developers:keys:manage") },
        { label: "Webhooks", href: paths.developers("webhooks"), isShown: can("developers:manage") },
        { label: "Events", href: paths.developers("events"), isShown: can("developers:manage") },
        { label: "Unmatched", href: paths.developers("unmatched"), isShown: can("developers:manage") },
        {
          label: "API logs",
          href: paths.developers("logs"),
          isShown: can("audit_logs:view", "developers:manage"),
        },
        { label: "Activity", href: paths.developers("activity"), isShown: can("audit_logs:view") },
        { label: "Security", href: paths.developers("security"), isShown: can("security_logs:view") },
      ]}
    />
  );
}
