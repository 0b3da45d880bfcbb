/** From one organization to another: a menu, which is searched where there are many. */
import { ChevronsUpDown, Plus } from "lucide-react";
import { DropdownMenu, Popover } from "radix-ui";
import { lazy, Suspense } from "react";
import { doors } from "./paths";
import { type Membership, useOrganization, useUser } from "./session";

/** From how many organizations on they are found by typing. */
const SEARCHED_FROM = 8;

const OrganizationSearch = lazy(() => import("./organization-search"));

export function OrganizationSwitcher() {
  const here = useOrganization();
  const { memberships, may_create_organizations: mayCreate } = useUser();
  const trigger = (
    <button type="button" className="org" title="Switch organization">
      <span className={here.test_clock ? "org-mark sim" : "org-mark"} aria-hidden="true">
        {here.name.slice(0, 1).toUpperCase()}
      </span>
      <span className="org-name trunc">{here.name}</span>
      <ChevronsUpDown className="i i-14" aria-hidden="true" />
    </button>
  );
  if (memberships.length >= SEARCHED_FROM) {
    return (
      <Popover.Root>
        <Popover.Trigger asChild>{trigger}</Popover.Trigger>
        <Popover.Portal>
          <Popover.Content className="menu picker" align="start" sideOffset={4} collisionPadding={8}>
            <Suspense>
              <OrganizationSearch memberships={memberships} here={here.slug} />
            </Suspense>
            {mayCreate && (
              <a href={doors.newOrganization()} className="menu-link">
                <NewOrganization />
              </a>
            )}
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
    );
  }
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="start" sideOffset={4}>
          {memberships.map((one) => (
            <DropdownMenu.Item asChild key={one.organization.slug}>
              <a href={`/${one.organization.slug}`}>
                {one.organization.name}
                <span className="end">{remarkOn(one, here.slug)}</span>
              </a>
            </DropdownMenu.Item>
          ))}
          {mayCreate && (
            <>
              <DropdownMenu.Separator asChild>
                <hr />
              </DropdownMenu.Separator>
              <DropdownMenu.Item asChild>
                <a href={doors.newOrganization()}>
                  <NewOrganization />
                </a>
              </DropdownMenu.Item>
            </>
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function NewOrganization() {
  return (
    <>
      <Plus className="i" aria-hidden="true" />
      New organization
    </>
  );
}

/** What is said beside an organization's name. */
export function remarkOn({ organization }: Membership, here: string): string {
  if (!organization.is_accessible) return "Sign in another way";
  return organization.slug === here ? "Here" : "";
}
