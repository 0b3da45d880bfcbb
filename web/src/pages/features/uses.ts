import { useQuery } from "@tanstack/react-query";
import { read, type Schema, WHOLE } from "@/api/client";
import { useCan } from "@/app/session";

/** The plans that grant a feature; undefined until they are known, or where plans may not be seen. */
export function usePlansWith(code: string): Schema<"PlanListOutput">[] | undefined {
  const can = useCan();
  const query = WHOLE;
  const plans = useQuery({ ...read("/api/v1/plans", { params: { query } }), enabled: can("plans:view") });
  return plans.data?.plans.filter((plan) => plan.entitlements.some((grant) => grant.code === code));
}
