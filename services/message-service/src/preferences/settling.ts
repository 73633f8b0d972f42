/**
 * How long after taking a partition over somebody else may still act for it: until they hear of it, or find out that they stood
 * still (a second, and what an announcement takes).
 */
export const SETTLING_MS = 1_200
