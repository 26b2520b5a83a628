export function referenceTable(reference: string): string;
export function withTable(card: string, table: string): string;
