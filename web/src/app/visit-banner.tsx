/** While staff look in as a member, every page of the organization says so. */

import { Outlet } from "@tanstack/react-router";
import { Eye } from "lucide-react";
import { lazy, Suspense, useEffect } from "react";
import { clock } from "@/lib/dates";
import { isTyping } from "@/lib/typing";
import { Button } from "@/ui/basics";
import { closePanel, openPanel, usePanel } from "./developers-panel";
import { paths } from "./paths";
import { OF_DEVELOPERS, useCan, useSignOut, useUser } from "./session";

/** The pages of an organization, under what has to be said on each. */
export function Organization() {
  return (
    <>
      <Outlet />
      <DevelopersPanel />
      <VisitBanner />
    </>
  );
}

const Panel = lazy(() => import("@/pages/developers/panel"));

/** The developers' panel, where it is open: it stays so from page to page. */
function DevelopersPanel() {
  const opening = usePanel();
  const can = useCan();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const isPlain = !event.metaKey && !event.ctrlKey && !event.altKey;
      if (event.key !== "d" || !isPlain || isTyping(event.target)) return;
      if (opening) closePanel();
      else if (can(...OF_DEVELOPERS)) openPanel(paths.developers());
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  if (!opening) return null;
  return (
    <Suspense>
      <Panel opening={opening} />
    </Suspense>
  );
}

function VisitBanner() {
  const { visit, email } = useUser();
  const signOut = useSignOut();
  if (!visit) return null;
  return (
    <div className="visit" role="status">
      <Eye className="i" aria-hidden="true" />
      <span className="trunc">
        <b className="med">
          {visit.staff} looks in as {email}
        </b>{" "}
        {visit.is_read_only ? "and changes nothing" : "and may change things"}, until{" "}
        {clock(visit.expires_at)}. Reason: {visit.reason}
      </span>
      <Button size="sm" onClick={() => void signOut()}>
        End the visit
      </Button>
    </div>
  );
}
