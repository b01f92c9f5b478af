import { createInterface } from 'node:readline/promises';

/** Whether somebody sits at a terminal who can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks a question that is answered by yes or no; anything else is what Enter alone means. */
export async function askYesNo(question: string, { enterMeans }: { readonly enterMeans: boolean }): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = (await lines.question(`${question} ${enterMeans ? '[Y/n]' : '[y/N]'} `)).trim().toLowerCase();
    return answer === 'y' || answer === 'yes' || (enterMeans && answer !== 'n' && answer !== 'no');
  } finally {
    lines.close();
  }
}
