/** While staff look in as a member, every page of the organization says so. */

import { Outlet } from "@tanstack/react-router";
import { Eye } from "lucide-react";
import { clock } from "@/lib/dates";
import { Button } from "@/ui/basics";
import { useSignOut, useUser } from "./session";

/** The pages of an organization, under what has to be said on each. */
export function Organization() {
  return (
    <>
      <Outlet />
      <VisitBanner />
    </>
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
