/** Custom sections that a billing entity's invoices print. */
import { useQuery } from "@tanstack/react-query";
import { read, WHOLE } from "@/api/client";
import { paths } from "@/app/paths";
import { Loaded } from "@/ui/states";
import { Choices } from "./choices";
import type { PartProps } from "./page";

export function EntitySections({ entity }: PartProps) {
  const sections = useQuery(read("/api/v1/invoice_custom_sections", { params: { query: WHOLE } }));
  return (
    <Loaded query={entity} what="The billing entity">
      {({ billing_entity: shown }) => (
        <Loaded query={sections} what="Custom sections">
          {({ invoice_custom_sections: known }) => (
            <Choices
              entity={shown}
              field="invoice_custom_section_codes"
              title="Custom sections"
              note="On its invoices, unless a customer chooses others."
              saved={shown.selected_invoice_custom_sections.map((section) => section.code)}
              options={known.map((section) => ({
                code: section.code,
                label: section.name,
                hint: section.display_name ?? undefined,
              }))}
              source={{
                href: paths.settings("sections"),
                purpose: "A text is written once for the organization, and put on invoices here.",
              }}
            />
          )}
        </Loaded>
      )}
    </Loaded>
  );
}
