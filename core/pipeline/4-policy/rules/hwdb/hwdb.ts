/** The hardware database: a modalias, or another text of that kind → the properties of every pattern that matches it. */
export interface Hwdb {
  lookup(modalias: string): ReadonlyMap<string, string>;
}
