import { connect } from './connect.ts'
import { group } from './group.ts'
import { idle } from './idle.ts'
import { jitter } from './jitter.ts'
import { mixed } from './mixed.ts'
import { pairs } from './pairs.ts'
import type { Scenario } from './scenario.ts'
import { storm } from './storm.ts'

export const scenarios: readonly Scenario[] = [mixed, pairs, group, idle, connect, storm, jitter]
