/** A billing entity by its name; by its code as long as the name is not known, or to whom may not see entities. */
import { useQuery } from "@tanstack/react-query";
import { read } from "@/api/client";
import { useCan } from "./session";

export function EntityName({ code }: { code: string }) {
  const can = useCan();
  const entities = useQuery({ ...read("/api/v1/billing_entities"), enabled: can("billing_entities:view") });
  return entities.data?.billing_entities.find((one) => one.code === code)?.name ?? code;
}
