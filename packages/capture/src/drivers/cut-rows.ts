const NOTHING: readonly unknown[] = [];

/** Takes out of each row what stands from a column on, which is the engine's. @returns it, row by row */
export function cutRows(rows: readonly unknown[][], start: number): (readonly unknown[])[] {
  return rows.map((row) => {
    const cut = row.splice(start);
    // Where the caller asks for very many rows the engine has no more columns of them than one array for all.
    return cut.every((value) => value === null) ? NOTHING : cut;
  });
}
