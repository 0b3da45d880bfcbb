/** What an organization has and a billing entity takes on: saved as it is chosen. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useChange } from "@/api/client";
import { useCan } from "@/app/session";
import { buttonClass } from "@/ui/basics";
import { useChosen } from "@/ui/chosen";
import { Checkbox } from "@/ui/fields";
import { Empty } from "@/ui/states";
import { SettingsHead } from "../layout";
import type { Entity } from "./page";

interface ChoicesProps {
  entity: Entity;
  field: "tax_codes" | "invoice_custom_section_codes";
  /** "Taxes": what they are. */
  title: string;
  note: string;
  saved: readonly string[];
  options: readonly { code: string; label: string; hint?: string | undefined }[];
  /** Where they are made, and what for. */
  source: { href: string; purpose: ReactNode };
}

export function Choices({ entity, field, title, note, saved, options, source }: ChoicesProps) {
  const isFixed = !useCan()("billing_entities:update");
  const change = useChange("put", "/api/v1/billing_entities/{code}", {
    done: `${title} changed`,
    touches: ["/api/v1/billing_entities", "/api/v1/taxes"],
  });
  const [chosen, choose] = useChosen(saved, (codes) =>
    change.mutateAsync({
      params: { path: { code: entity.code } },
      body: { billing_entity: { [field]: codes } },
    }),
  );
  const all = (
    <Link to={source.href} className={buttonClass({ size: "sm" })}>
      All {title.toLowerCase()}
    </Link>
  );
  if (options.length === 0) {
    return (
      <Empty title={`No ${title.toLowerCase()} yet`} actions={all}>
        {source.purpose}
      </Empty>
    );
  }
  return (
    <section aria-label={title}>
      <SettingsHead note={note} actions={all} />
      <div className="form-fields">
        {options.map(({ code, label, hint }) => (
          <Checkbox
            key={code}
            label={label}
            hint={hint}
            isOn={chosen.includes(code)}
            isDisabled={isFixed}
            onChange={(isOn) => choose(code, isOn)}
          />
        ))}
      </div>
    </section>
  );
}
