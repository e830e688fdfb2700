const safe = (text: string): string => text.replace(/[^\w.-]/g, '_');

/** The `id` of a scenario's row. */
export function rowId(target: string, scenario: string): string {
  return `s.${safe(target)}.${safe(scenario)}`;
}

/** The `id` of a requirement's row in the coverage table. */
export function requirementId(id: string): string {
  return `req.${safe(id)}`;
}

/** The `id` of a target's summary. */
export function targetId(name: string): string {
  return `t.${safe(name)}`;
}

/** The `id` of a mistake's row among those that the suite would catch. */
export function catchId(id: string): string {
  return `m.${safe(id)}`;
}
