import type { z } from 'zod';

/** What lies under a schema's wrappers: default, optional, nullable, read-only, pipe. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const def = schema._zod.def as { type: string; innerType?: z.core.$ZodType; in?: z.core.$ZodType };
  switch (def.type) {
    case 'default':
    case 'prefault':
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return def.innerType === undefined ? schema : unwrap(def.innerType);
    case 'pipe':
      return def.in === undefined ? schema : unwrap(def.in);
    default:
      return schema;
  }
}

/** The keys an object schema knows; null when it is no object with known keys. */
export function knownKeys(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> | null {
  const def = unwrap(schema)._zod.def as { type: string; shape?: Record<string, z.core.$ZodType> };
  return def.type === 'object' ? (def.shape ?? {}) : null;
}

/** The schema of the value at `path`; null when the path leaves the schema. */
export function schemaAt(schema: z.core.$ZodType, path: readonly (string | number)[]): z.core.$ZodType | null {
  const [first, ...rest] = path;
  if (first === undefined) return schema;
  const def = unwrap(schema)._zod.def as {
    type: string;
    shape?: Record<string, z.core.$ZodType>;
    valueType?: z.core.$ZodType;
    element?: z.core.$ZodType;
    options?: readonly z.core.$ZodType[];
  };
  switch (def.type) {
    case 'object': {
      const key = String(first);
      const next = def.shape && Object.hasOwn(def.shape, key) ? def.shape[key] : undefined;
      return next === undefined ? null : schemaAt(next, rest);
    }
    case 'record':
      return def.valueType === undefined ? null : schemaAt(def.valueType, rest);
    case 'array':
      return def.element === undefined ? null : schemaAt(def.element, rest);
    case 'union': {
      for (const option of def.options ?? []) {
        const found = schemaAt(option, path);
        if (found !== null) return found;
      }
      return null;
    }
    default:
      return null;
  }
}
