/** A billing entity, in parts: each has its own address, and reads what it shows at once with the entity. */
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { Tabs } from "@/ui/page";
import { Forbidden, Missing, type QueryLike } from "@/ui/states";
import { Settings } from "../layout";
import { EntityDunning } from "./dunning";
import { EntityEmails } from "./emails";
import { General } from "./general";
import { Invoicing } from "./invoicing";
import { EntitySections } from "./sections";
import { EntityTaxes } from "./taxes";

export type Entity = Schema<"DetailedEntityOutput">;

export interface PartProps {
  code: string;
  /** It may not have come yet. */
  entity: QueryLike<{ billing_entity: Entity }>;
}

interface Part {
  title: string;
  Body: ComponentType<PartProps>;
  /** Beside that to see entities. */
  permission?: string;
}

const PARTS: Record<string, Part> = {
  general: { title: "General", Body: General },
  emails: { title: "E-mail scenarios", Body: EntityEmails },
  invoicing: { title: "Invoicing", Body: Invoicing },
  sections: {
    title: "Custom sections",
    Body: EntitySections,
    permission: "invoice_custom_sections:view",
  },
  dunning: { title: "Dunning", Body: EntityDunning },
  taxes: { title: "Taxes", Body: EntityTaxes, permission: "organization:taxes:view" },
};

export function EntitySettings() {
  const { code, part } = useParams({ strict: false }) as { code: string; part: string };
  const can = useCan();
  const entity = useQuery(read("/api/v1/billing_entities/{code}", { params: { path: { code } } }));
  const name = entity.data?.billing_entity.name ?? "Billing entity";
  const shown = PARTS[part];
  const isOpen = ({ permission }: Part) => !permission || can(permission);
  return (
    <Settings
      title={shown?.title ?? "Billing entity"}
      of={name}
      crumbs={[
        { label: "Billing entities", href: paths.settings("entities") },
        { label: name, ...(part !== "general" && { href: paths.entity(code) }) },
      ]}
    >
      <Tabs
        label="Billing entity"
        tabs={Object.entries(PARTS).map(([key, one]) => ({
          label: one.title,
          href: paths.entity(code, key),
          isShown: isOpen(one),
        }))}
      />
      {!shown ? (
        <Missing what="Page" />
      ) : isOpen(shown) ? (
        <shown.Body key={code} code={code} entity={entity} />
      ) : (
        <Forbidden />
      )}
    </Settings>
  );
}
