import type { ReactNode } from "react";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { Page, Tabs } from "@/ui/page";
import "./developers.css";

export function Developers({
  title,
  children,
  actions,
}: {
  title: string;
  children: ReactNode;
  actions?: ReactNode;
}) {
  const can = useCan();
  return (
    <Page title={title} crumbs={[{ label: "Developers" }]} isHeading actions={actions}>
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
      <div style={{ paddingTop: 16 }}>{children}</div>
    </Page>
  );
}
