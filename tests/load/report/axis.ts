const STEPS_IN_TIME = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600]

/** Round seconds from zero, about ten of them at most. */
export function timeTicks(seconds: number): number[] {
  const step = STEPS_IN_TIME.find((candidate) => seconds / candidate <= 10) ?? 7_200
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => i * step)
}

/** The least round value that is not below this one, and whose half is round too: where an axis ends. */
export function roundTop(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 1.5, 2, 3, 4, 5, 6, 8].find((digit) => digit * power >= value * (1 - 1e-9)) ?? 10) * power
}
