/** Saving what was entered of a billing entity. */
import { useState } from "react";
import type { FieldValues, UseFormReturn } from "react-hook-form";
import { type Schema, useChange } from "@/api/client";
import { placeErrors } from "@/ui/form";
import type { Entity } from "./page";

const TOUCHED = ["/api/v1/billing_entities", "/api/v1/organizations"];

/** A form's way to save, with what was refused that belongs to none of its fields. */
export function useEntitySave<Values extends FieldValues>(
  entity: Entity,
  form: UseFormReturn<Values>,
  done: string,
) {
  const [error, setError] = useState<unknown>();
  const change = useChange("put", "/api/v1/billing_entities/{code}", {
    done,
    isQuiet: true,
    touches: TOUCHED,
  });
  const save = async (billing_entity: Schema<"EntityUpdateInput">) => {
    setError(undefined);
    try {
      await change.mutateAsync({ params: { path: { code: entity.code } }, body: { billing_entity } });
      form.reset(form.getValues()); // what is entered is kept: nobody is asked before leaving it
    } catch (refused) {
      setError(placeErrors(form as never, refused));
    }
  };
  return { save, error, isBusy: change.isPending };
}
