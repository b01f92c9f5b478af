import { spawnSync } from 'node:child_process';

/** Runs commands in turn, so that what else the machine does meets all alike → each one's median wall time in ms. */
export function timeCommands(commands: readonly (readonly string[])[], rounds: number): readonly number[] {
  const times: number[][] = commands.map(() => []);
  const env = { ...process.env };
  delete env['NODE_EXTRA_CA_CERTS'];
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, [program = '', ...args]] of commands.entries()) {
      const startedAt = process.hrtime.bigint();
      const { error } = spawnSync(program, args, { stdio: 'ignore', env });
      if (error !== undefined) throw error;
      if (round >= 0) times[index]?.push(Number(process.hrtime.bigint() - startedAt) / 1e6);
    }
  }
  return times.map(each => each.toSorted((a, b) => a - b)[each.length >> 1] ?? Number.NaN);
}
