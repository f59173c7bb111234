import type { Lease } from '../domain/lease.ts';
import type { Steps } from '../domain/plan.ts';
import type { Action, StepWords, WordsByStep } from './action.ts';
import { defrag } from './defrag/defrag.ts';
import { purge } from './purge/purge.ts';

/** Every action, the one that is preferred first: of two that are worth it and allowed, one is carried out in a tick. */
export const ACTIONS: readonly Action[] = [defrag, purge];

/** The action that a step starts. @throws {TypeError} for a step that starts none. */
export function actionOf(step: keyof Steps): Action {
  const action = ACTIONS.find(({ starts }) => starts === step);
  if (!action) throw new TypeError(`no action starts with the step ${step}`);
  return action;
}

/** The action that has taken a lease. */
export function ownerOf(lease: Lease): Action {
  return ACTIONS.find((action) => action.owns(lease)) ?? defrag;
}

const WORDS: WordsByStep = Object.assign({}, ...ACTIONS.map(({ words }) => words));

/** The words of a step. @throws {TypeError} for a step that no action describes. */
export function wordsOf<K extends keyof Steps>(step: K): StepWords<K> {
  const words: StepWords<K> | undefined = WORDS[step];
  if (!words) throw new TypeError(`no action describes the step ${step}`);
  return words;
}
