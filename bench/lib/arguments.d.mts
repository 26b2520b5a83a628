export interface RowName {
  readonly id: string;
  readonly group: string;
  readonly long?: boolean;
}
export type Arguments =
  | { readonly kind: 'help' }
  | { readonly kind: 'list'; readonly text: string }
  | { readonly kind: 'bad'; readonly message: string }
  | {
      readonly kind: 'run';
      readonly rows: readonly RowName[];
      readonly rounds: number;
      readonly json: string | undefined;
      readonly allowMissingPeers: boolean;
    };
export const USAGE: string;
export function parseArguments(args: readonly string[], rows: readonly RowName[]): Arguments;
