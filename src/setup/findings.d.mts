export declare const BEGIN: string;
export declare const END: string;
/** of the picture, below the folder of package.json */
export declare const PICTURE: string;
/** @param results - path of results.jsonl */
export declare function makeFindings(
  results?: string,
): Promise<{ readonly text: string; readonly svg: string | undefined }>;
/** @throws Error when README.md lacks the marks */
export declare function withFindings(readme: string, text: string): string;
export declare function readReadme(): string;
