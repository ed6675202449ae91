/** One cell: its text, already safe to print, and what colours it after it was measured. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** Lines of columns that stand one below the other, two blanks apart; the last column is not padded. */
export function renderTable(rows: readonly (readonly Cell[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, width(cell.text));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const padding = column === row.length - 1 ? 0 : (widths[column] ?? 0) - width(cell.text);
        return `${cell.paint?.(cell.text) ?? cell.text}${' '.repeat(padding)}`;
      })
      .join('  ')
      .trimEnd(),
  );
}

function width(text: string): number {
  return [...text].length;
}
