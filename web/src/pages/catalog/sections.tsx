/** Which custom sections stand on the invoices of something: those of its customer, none, or chosen ones. */
import { useQuery } from "@tanstack/react-query";
import { read, type Schema, WHOLE } from "@/api/client";
import { useCan } from "@/app/session";
import { Checkbox, Field, Select } from "@/ui/fields";

export interface SectionChoice {
  way: "inherited" | "none" | "own";
  codes: string[];
}

export const INHERITED: SectionChoice = { way: "inherited", codes: [] };

/** As the API takes it: skipping clears what was chosen, and no codes are the customer's again (platform §13). */
export function writeSections({ way, codes }: SectionChoice) {
  return way === "none"
    ? { skip_invoice_custom_sections: true }
    : { skip_invoice_custom_sections: false, invoice_custom_section_codes: way === "own" ? codes : [] };
}

/** The sections that there are, as far as the member may see them. */
export function useSections(): readonly Schema<"SectionOutput">[] {
  const can = useCan();
  const { data } = useQuery({
    ...read("/api/v1/invoice_custom_sections", { params: { query: WHOLE } }),
    enabled: can("invoice_custom_sections:view"),
  });
  return data?.invoice_custom_sections ?? [];
}

interface SectionsFieldProps {
  choice: SectionChoice;
  onChange: (choice: SectionChoice) => void;
}

/** Nothing where there are no sections, or they are not for the member to see. */
export function SectionsField({ choice, onChange }: SectionsFieldProps) {
  const sections = useSections();
  if (sections.length === 0) return null;
  return (
    <>
      <Field label="Custom sections">
        <Select
          value={choice.way}
          options={[
            { value: "inherited", label: "Those of the customer" },
            { value: "none", label: "None" },
            { value: "own", label: "Chosen ones" },
          ]}
          onChange={(way) => onChange({ ...choice, way })}
        />
      </Field>
      {choice.way === "own" &&
        sections.map((section) => (
          <Checkbox
            key={section.code}
            label={section.name}
            isOn={choice.codes.includes(section.code)}
            onChange={(isOn) =>
              onChange({
                ...choice,
                codes: isOn
                  ? [...choice.codes, section.code]
                  : choice.codes.filter((code) => code !== section.code),
              })
            }
          />
        ))}
    </>
  );
}
