import { useQuery } from "@tanstack/react-query";
import { read } from "@/api/client";
import { useCan } from "./session";

/** What billing entities are called, by their codes: as long as a name is not known, or to whom may not see entities, by its code. */
export function useEntityNames(): (code: string) => string {
  const can = useCan();
  const entities = useQuery({ ...read("/api/v1/billing_entities"), enabled: can("billing_entities:view") });
  return (code) => entities.data?.billing_entities.find((one) => one.code === code)?.name ?? code;
}

/** A billing entity by its name, else by its code. */
export function EntityName({ code }: { code: string }) {
  return useEntityNames()(code);
}
