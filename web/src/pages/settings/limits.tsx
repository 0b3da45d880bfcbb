/** What the organization may have of what costs the installation, and how much of it is used. */
import { useQuery } from "@tanstack/react-query";
import { read, type Schema } from "@/api/client";
import { Facts, Section } from "@/ui/basics";
import { Loaded } from "@/ui/states";
import { Settings } from "./layout";
import { isNearly, LABELS } from "./limit-words";

type Limit = Schema<"UsedOutput">;

export function Limits() {
  const limits = useQuery(read("/app/v1/limits"));
  return (
    <Settings title="Limits">
      <Loaded query={limits} what="The limits">
        {({ limits: shown }) => (
          <Section title="Used, of what your organization may have">
            <Facts facts={shown.map((one) => [LABELS[one.code], <Usage key={one.code} limit={one} />])} />
            <p className="ink2" style={{ marginTop: 16 }}>
              Whatever is beyond a limit is refused before it is taken, and nothing that is there is taken
              away. Whoever runs this Tallymark sets the limits.
            </p>
          </Section>
        )}
      </Loaded>
    </Settings>
  );
}

function Usage({ limit: { used, allowed } }: { limit: Limit }) {
  if (allowed === null) {
    return <span>{used === null ? "No limit" : `${used.toLocaleString()}, no limit`}</span>;
  }
  if (used === null) return <span>{allowed.toLocaleString()} at the most</span>;
  return (
    <span style={isNearly(used, allowed) ? { color: "var(--warn-ink)" } : undefined}>
      {used.toLocaleString()} of {allowed.toLocaleString()}
    </span>
  );
}
