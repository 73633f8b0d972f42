export type Cells = Uint8Array | Uint32Array | Float64Array
type CellsClass = Uint8ArrayConstructor | Uint32ArrayConstructor | Float64ArrayConstructor

const FIRST_CELLS = 1024

/** One field of very many records: numbers side by side, so that a million messages cost megabytes and no garbage. */
export class Column {
  readonly #Cells: CellsClass
  #cells: Cells
  #length = 0

  constructor(Cells: CellsClass) {
    this.#Cells = Cells
    this.#cells = new Cells(FIRST_CELLS)
  }

  get length(): number {
    return this.#length
  }

  /** Returns the index of the new cell. */
  push(value: number): number {
    if (this.#length === this.#cells.length) {
      const larger = new this.#Cells(2 * this.#length)
      larger.set(this.#cells)
      this.#cells = larger
    }
    this.#cells[this.#length] = value
    return this.#length++
  }

  at(index: number): number {
    return this.#cells[index] as number
  }

  set(index: number, value: number): void {
    this.#cells[index] = value
  }

  /** A copy of what is there, for a file. */
  cells(): Cells {
    return this.#cells.slice(0, this.#length)
  }

  /** Puts these cells in the place of all. */
  restore(cells: Cells): void {
    this.#length = cells.length
    this.#cells = new this.#Cells(Math.max(FIRST_CELLS, cells.length))
    this.#cells.set(cells)
  }
}

export const bytes = () => new Column(Uint8Array)
export const integers = () => new Column(Uint32Array)
export const floats = () => new Column(Float64Array)
