/** Many organizations, found by typing. */
import { Command } from "cmdk";
import type { Membership } from "./session";
import { remarkOn } from "./switcher";

export default function OrganizationSearch({
  memberships,
  here,
}: {
  memberships: Membership[];
  here: string;
}) {
  return (
    <Command label="Organizations">
      <span className="input quiet">
        <Command.Input placeholder="Type to find" autoFocus />
      </span>
      <Command.List>
        <Command.Empty>
          <span className="dim">Nothing by that name.</span>
        </Command.Empty>
        {memberships.map((one) => (
          <Command.Item
            key={one.organization.slug}
            value={`${one.organization.name} ${one.organization.slug}`}
            className="option"
            onSelect={() => location.assign(`/${one.organization.slug}`)}
          >
            <span className="grow trunc">{one.organization.name}</span>
            <span className="sub">{remarkOn(one, here)}</span>
          </Command.Item>
        ))}
      </Command.List>
    </Command>
  );
}
