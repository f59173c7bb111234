/** Why Slack refuses a message: its word, and, which it does not tell, where. */
interface Refusal {
  readonly word: 'invalid_payload' | 'no_text' | 'invalid_blocks';
  readonly where: string;
}

type Json = Readonly<Record<string, unknown>>;

class Refused extends Error {}

/** The first rule of Slack's Block Kit reference that the message breaks; the payload's keys are those of webhooks. */
export function refusalOf(message: unknown): Refusal | undefined {
  if (!isObject(message)) return { word: 'invalid_payload', where: 'message' };
  const { text, blocks, mrkdwn, ...others } = message;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) return { word: 'invalid_payload', where: unknown };
  if (mrkdwn !== undefined && typeof mrkdwn !== 'boolean') return { word: 'invalid_payload', where: 'mrkdwn' };
  // Slack takes blocks without a text; its notification is then empty, which is of no use at night.
  if (typeof text !== 'string' || text.trim() === '' || text.length > 40_000) return { word: 'no_text', where: 'text' };
  if (blocks === undefined) return undefined;
  try {
    if (text.length > 300) throw new Refused('text beside blocks');
    checkList(blocks, 'blocks', 50, checkBlock);
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return { word: 'invalid_blocks', where: error.message };
    throw error;
  }
}

function checkBlock(block: unknown, where: string): void {
  need(isObject(block), where);
  const check = CHECKS[String(block.type)];
  if (!check) throw new Refused(`${where}.type`);
  check(block, where);
}

const CHECKS: Readonly<Record<string, (block: Json, where: string) => void>> = {
  header(block, where) {
    keys(block, ['type', 'text'], where);
    checkText(block.text, `${where}.text`, { most: 150, types: ['plain_text'] });
  },
  section(block, where) {
    keys(block, ['type', 'text', 'fields'], where);
    need(block.text !== undefined || block.fields !== undefined, where);
    if (block.text !== undefined) checkText(block.text, `${where}.text`, { most: 3_000 });
    if (block.fields === undefined) return;
    checkList(block.fields, `${where}.fields`, 10, (field, at) => {
      checkText(field, at, { most: 2_000 });
    });
  },
  context(block, where) {
    keys(block, ['type', 'elements'], where);
    checkList(block.elements, `${where}.elements`, 10, (element, at) => {
      checkText(element, at, { most: 3_000 });
    });
  },
  actions: checkActions,
};

function checkActions(block: Json, where: string): void {
  keys(block, ['type', 'elements'], where);
  checkList(block.elements, `${where}.elements`, 25, checkButton);
  const ids = (block.elements as readonly Json[]).map(({ action_id: id }) => id);
  need(new Set(ids).size === ids.length, `${where}.action_id`);
}

function checkButton(button: unknown, where: string): void {
  need(isObject(button) && button.type === 'button', where);
  keys(button, ['type', 'text', 'action_id', 'url'], where);
  checkText(button.text, `${where}.text`, { most: 75, types: ['plain_text'] });
  const { action_id: id, url } = button;
  need(typeof id === 'string' && id.length >= 1 && id.length <= 255, `${where}.action_id`);
  need(typeof url === 'string' && url.length <= 3_000 && /^https:\/\/[^/]/.test(url), `${where}.url`);
}

interface TextRule {
  readonly most: number;
  readonly types?: readonly string[];
}

function checkText(element: unknown, where: string, { most, types = ['plain_text', 'mrkdwn'] }: TextRule): void {
  need(isObject(element) && types.includes(String(element.type)), where);
  const isPlain = element.type === 'plain_text';
  keys(element, ['type', 'text', isPlain ? 'emoji' : 'verbatim'], where);
  const { text } = element;
  need(typeof text === 'string' && text.trim() !== '' && text.length <= most, `${where}.text`);
  need(text.isWellFormed(), `${where}.text`);
}

function checkList(list: unknown, where: string, most: number, check: (item: unknown, where: string) => void): void {
  need(Array.isArray(list) && list.length >= 1 && list.length <= most, where);
  list.forEach((item, index) => {
    check(item, `${where}[${index}]`);
  });
}

function keys(object: Json, known: readonly string[], where: string): void {
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  need(unknown === undefined, `${where}.${unknown}`);
}

function need(condition: boolean, where: string): asserts condition {
  if (!condition) throw new Refused(where);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
