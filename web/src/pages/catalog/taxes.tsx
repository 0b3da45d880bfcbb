import { useQuery } from "@tanstack/react-query";
import { useCan } from "@/app/session";
import { percent } from "@/lib/money";
import { taxesRead } from "@/pages/plans/reads";
import { Toggles } from "@/ui/fields";

/** Which taxes something carries, of those of the organization. */
export function TaxChoice({
  chosen,
  onChange,
  hint,
}: {
  chosen: string[];
  onChange: (codes: string[]) => void;
  hint: string;
}) {
  const can = useCan();
  const taxes = useQuery({ ...taxesRead(), enabled: can("organization:taxes:view") });
  const known = taxes.data?.taxes ?? [];
  const missing = chosen.filter((code) => !known.some((tax) => tax.code === code));
  if (known.length === 0 && missing.length === 0) return null;
  return (
    <div className="field">
      <span className="label">
        Taxes<span className="opt">optional</span>
      </span>
      <Toggles
        label="Taxes"
        chosen={chosen}
        onChange={onChange}
        options={[
          ...known.map((tax) => ({ value: tax.code, label: `${tax.name} ${percent(tax.rate)}` })),
          ...missing.map((code) => ({ value: code, label: code })),
        ]}
      />
      <span className="hint">{hint}</span>
    </div>
  );
}
