import type { Redis } from 'ioredis';
import { uniqueNamespace } from '../../helpers/redis.ts';
import { brokenLaw, isCopyStale, isStale } from './laws.ts';
import { initialState, type Scenario, type State, type Step, withServer } from './model.ts';
import { ModelServer } from './server.ts';
import { stepsFrom } from './steps.ts';

/*
 * Runs every schedule of a scenario. Two schedules that have led to the same state (what the server
 * holds, what each actor knows, what was promised) go on in the same ways, so each state is gone on
 * from once, and each step on the server is carried out once: some hundred stand for millions of schedules.
 */

export interface Exploration {
  readonly states: number;
  /** Different steps, each carried out on the server. */
  readonly serverSteps: number;
  /** Different orders of steps from the first to the last that is possible. */
  readonly schedules: number;
  /** Whether some reader may be answered with less than the database holds, and when. */
  readonly staleWhilePending: boolean;
  readonly staleWhileClean: boolean;
  /** The shortest schedule to a copy that is stale though all was told and heard. */
  readonly staleCopy: readonly string[] | null;
  /** The shortest schedule to an entry that is stale though every application has told the cache. */
  readonly staleEntry: readonly string[] | null;
  /** The shortest schedule that breaks a law. */
  readonly violation: { readonly law: string; readonly schedule: readonly string[] } | null;
}

interface Node {
  readonly state: State;
  readonly from: Node | null;
  readonly by: string;
  readonly next: Node[];
}

interface Move {
  readonly node: Node;
  readonly step: Step;
}

const BATCH = 500;

export async function explore(redis: Redis, scenario: Scenario): Promise<Exploration> {
  return new Explorer(redis, scenario).run();
}

class Explorer {
  readonly #server: ModelServer;
  readonly #scenario: Scenario;
  readonly #nodes = new Map<string, Node>();
  #violation: Exploration['violation'] = null;

  constructor(redis: Redis, scenario: Scenario) {
    this.#server = new ModelServer(redis, uniqueNamespace());
    this.#scenario = scenario;
  }

  async run(): Promise<Exploration> {
    const root = this.#node(initialState(this.#scenario), null, '');
    let frontier = [root];
    while (frontier.length > 0 && !this.#violation) {
      const known = this.#nodes.size;
      const moves = frontier.flatMap((node) =>
        stepsFrom(node.state, this.#scenario).map((step) => ({ node, step })),
      );
      for (let at = 0; at < moves.length && !this.#violation; at += BATCH) {
        await this.#take(moves.slice(at, at + BATCH));
      }
      frontier = [...this.#nodes.values()].slice(known);
    }
    return this.#report(root);
  }

  async #take(moves: readonly Move[]): Promise<void> {
    const jobs = moves.flatMap(({ node: { state }, step: { command } }) =>
      command ? [{ entry: state.entry, lock: state.lock, command }] : [],
    );
    const done = (await this.#server.run(jobs)).values();
    for (const { node, step } of moves) {
      const { command } = step;
      let state = node.state;
      let law: string | null = null;
      let reply = { kind: 'none' };
      if (command) {
        const { value } = done.next();
        if (!value) throw new Error('a step without an answer');
        reply = value.reply;
        state = withServer(state, { command, reply, scenario: this.#scenario }, value.server);
        const taken = { command, reply, before: node.state, after: state };
        law = brokenLaw(taken, this.#scenario);
      }
      const next = this.#node(step.next(state, reply), node, step.name);
      if (law !== null) this.#violation ??= { law, schedule: [...path(node), step.name] };
      if (next !== node) node.next.push(next);
    }
  }

  #node(state: State, from: Node | null, by: string): Node {
    const key = identityOf(state);
    let node = this.#nodes.get(key);
    if (!node) {
      node = { state, from, by, next: [] };
      this.#nodes.set(key, node);
    }
    return node;
  }

  #report(root: Node): Exploration {
    const nodes = [...this.#nodes.values()];
    const states = nodes.map(({ state }) => state);
    const stale = states.filter(isStale);
    const isClean = ({ apps }: State): boolean => apps.every(({ phase }) => phase === 'clean');
    const shortest = (isMeant: (state: State) => boolean): readonly string[] | null => {
      const node = nodes.find(({ state }) => isClean(state) && isMeant(state));
      return node ? path(node) : null;
    };
    return {
      states: states.length,
      serverSteps: this.#server.steps,
      schedules: this.#violation ? 0 : countPaths(root, new Map()),
      staleWhilePending: stale.some((state) => !isClean(state)),
      staleWhileClean: stale.some(isClean),
      staleEntry: shortest(isStale),
      staleCopy: shortest((state) => state.bus === 0 && isCopyStale(state)),
      violation: this.#violation,
    };
  }
}

// The loaders differ in name only: a state and its mirror image have the same futures.
function identityOf({ loaders: { A, B }, ...rest }: State): string {
  let one = '';
  let mirrored = '';
  for (const part of [...Object.values(rest), A, B]) one += `${textOf(part)}\n`;
  for (const part of [...Object.values(rest), B, A]) mirrored += `${mirroredText(part)}\n`;
  return one < mirrored ? one : mirrored;
}

type Part = object | string | number | boolean | null;

// States share most of their parts with the one before: each is put into words once.
const texts = new WeakMap<object, string>();
const mirroredTexts = new WeakMap<object, string>();

function textOf(part: Part): string {
  if (typeof part !== 'object' || part === null) return JSON.stringify(part);
  let text = texts.get(part);
  if (text === undefined) {
    text = JSON.stringify(part);
    texts.set(part, text);
  }
  return text;
}

function mirroredText(part: Part): string {
  if (typeof part === 'string') return mirroredNames(JSON.stringify(part));
  if (typeof part !== 'object' || part === null) return JSON.stringify(part);
  let text = mirroredTexts.get(part);
  if (text === undefined) {
    text = mirroredNames(textOf(part));
    mirroredTexts.set(part, text);
  }
  return text;
}

function mirroredNames(text: string): string {
  return text.replace(/"([AB])(?=\d)/g, (_, name) => (name === 'A' ? '"B' : '"A'));
}

function path(node: Node): string[] {
  return node.from ? [...path(node.from), node.by] : [];
}

function countPaths(node: Node, counted: Map<Node, number>): number {
  const known = counted.get(node);
  if (known !== undefined) return known;
  counted.set(node, Number.NaN); // A cycle would show: no state may be its own future.
  let paths = node.next.length === 0 ? 1 : 0;
  for (const next of node.next) paths += countPaths(next, counted);
  counted.set(node, paths);
  return paths;
}
