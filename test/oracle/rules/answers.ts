/** What a rule set says of a device, as far as both managers tell it. */
export interface Answer {
  readonly properties: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly links: readonly string[];
  readonly run: readonly string[];
  readonly owner?: number;
  readonly group?: number;
  readonly mode?: number;
  readonly name?: string;
}

export interface BothAnswers {
  readonly devpath: string;
  readonly ours: Answer;
  readonly theirs: Answer;
}
